//! The secrets of a stack of containers: made once, where they are absent, into volumes that only the programs that need them see.
//! Nothing secret is committed, in an image, in an environment variable or in a log.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::wire::auth::entropy;

/// The control listeners' token, below the secrets' folder.
pub const CONTROL_TOKEN: &str = "control/token";
/// The replicas' password for Redis.
pub const REPLICA_PASSWORD: &str = "replica/password";
/// The fault injector's password for Redis.
pub const INJECTOR_PASSWORD: &str = "injector/password";
/// Redis' ACL file, which holds all of them.
pub const CACHE_USERS: &str = "cache/users.acl";
/// Settings of each server: as whom its primary lets it in, where it has one.
pub const CACHE_PEER: &str = "cache/peer.conf";
/// Settings of each Sentinel: as whom servers let it in.
pub const CACHE_SENTINEL: &str = "cache/sentinel.conf";
/// The name by which the Sentinels know the primary.
pub const SENTINEL_PRIMARY: &str = "lab";
/// The servers' and the Sentinels' passwords for one another, for the service that makes the files above.
const PEER_PASSWORD: &str = "cache/peer";
const SENTINEL_PASSWORD: &str = "cache/sentinel";

/// The replicas' user in Redis.
pub const REPLICA_USER: &str = "replica";
/// The fault injector's user in Redis.
pub const INJECTOR_USER: &str = "injector";
/// The user as whom a replica of Redis copies its primary.
pub const PEER_USER: &str = "peer";
/// The Sentinels' user in Redis.
pub const SENTINEL_USER: &str = "sentinel";

/// What replicas may do: their own prefix, and the commands that `redis_cache` sends, its scripts' included. INFO tells
/// which life of the server it is and whether it evicted. INCREX is not among them: a Redis before 8.8 takes no file that names it, so in
/// the stack of containers `increx` is denied.
pub const REPLICA_MAY: &str = "~lab:* resetchannels &lab:* -@all +get +mget +set +del +getrange +pexpire +eval +evalsha \
                           +incrby +pttl +multi +exec +discard \
                           +publish +subscribe +unsubscribe +xadd +xread +xrange +xrevrange \
                           +client|id +client|tracking +client|kill +hello +info +ping +role \
                           +cluster|slots +asking +readonly";
/// What the injector may do: find and remove the lab's keys, see who holds a lock, ask the server about itself and set it up. No FLUSHALL;
/// and of the settings none that a server protects (`enable-protected-configs`). And make a cluster of servers that are none, and see it.
pub const INJECTOR_MAY: &str = "~lab:* resetchannels -@all +get +scan +unlink +info +ping +role +config|get +config|set +latency|latest \
                            +slowlog|get +asking +cluster|slots +cluster|nodes +cluster|info +cluster|myid +cluster|meet \
                            +cluster|addslotsrange +cluster|set-config-epoch +cluster|replicate +cluster|forget";
/// What a replica of Redis needs to copy its primary (redis.io/docs/latest/operate/oss_and_stack/management/security/acl).
pub const PEER_MAY: &str = "resetchannels -@all +psync +replconf +ping";
/// What Sentinels need of the servers that they watch (the same page).
pub const SENTINEL_MAY: &str = "resetchannels &__sentinel__:hello -@all +multi +exec +slaveof +ping +subscribe +config|rewrite +role +publish \
                            +info +client|setname +client|kill +script|kill";

/// Draws what is absent below `folder` and leaves alone what is there. Redis' users are written again from the same
/// passwords: what they may do is this build's.
///
/// # Errors
/// A sentence with the file, and why it could not be read or written.
pub fn make(folder: &Path) -> Result<(), String> {
    keep_or_write(&folder.join(CONTROL_TOKEN), &random()?)?;
    let replica = keep_or_write(&folder.join(REPLICA_PASSWORD), &random()?)?;
    let injector = keep_or_write(&folder.join(INJECTOR_PASSWORD), &random()?)?;
    let peer = keep_or_write(&folder.join(PEER_PASSWORD), &random()?)?;
    let sentinel = keep_or_write(&folder.join(SENTINEL_PASSWORD), &random()?)?;
    let users = [
        (REPLICA_USER, &replica, REPLICA_MAY),
        (INJECTOR_USER, &injector, INJECTOR_MAY),
        (PEER_USER, &peer, PEER_MAY),
        (SENTINEL_USER, &sentinel, SENTINEL_MAY),
    ];
    // Nobody but these.
    let lines = users.map(|(user, password, may)| format!("user {user} on >{password} {may}\n"));
    write_anew(&folder.join(CACHE_USERS), &format!("user default off\n{}", lines.concat()))?;
    write_anew(&folder.join(CACHE_PEER), &format!("masteruser {PEER_USER}\nmasterauth {peer}\n"))?;
    let watched = format!(
        "sentinel auth-user {SENTINEL_PRIMARY} {SENTINEL_USER}\nsentinel auth-pass {SENTINEL_PRIMARY} {sentinel}\n"
    );
    write_anew(&folder.join(CACHE_SENTINEL), &watched)
}

/// 128 bits, hexadecimal: fit for a URL, an ACL file and a header as they are.
fn random() -> Result<String, String> {
    Ok(format!("{:016x}{:016x}", entropy()?, entropy()?))
}

fn keep_or_write(file: &Path, fresh: &str) -> Result<String, String> {
    let said = |e: std::io::Error| format!("the secret {}: {e}", file.display());
    match create(file, fresh) {
        Ok(()) => Ok(fresh.to_owned()),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => std::fs::read_to_string(file).map_err(said),
        Err(e) => Err(said(e)),
    }
}

fn write_anew(file: &Path, text: &str) -> Result<(), String> {
    let beside = file.with_extension("new");
    // Left by one that was killed over it.
    let _ = std::fs::remove_file(&beside);
    let written = create(&beside, text).and_then(|()| std::fs::rename(&beside, file));
    written.map_err(|e| format!("the secret {}: {e}", file.display()))
}

fn create(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).mode(0o400).open(file)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn secrets_are_made_once_and_for_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path()).unwrap();
        let all = [
            CONTROL_TOKEN,
            REPLICA_PASSWORD,
            INJECTOR_PASSWORD,
            CACHE_USERS,
            CACHE_PEER,
            CACHE_SENTINEL,
            PEER_PASSWORD,
        ];
        let read = || all.map(|file| std::fs::read_to_string(folder.path().join(file)).unwrap());
        let first = read();
        for file in all {
            let mode = folder.path().join(file).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o400, "{file}");
        }
        assert!(first[0].len() == 32 && first[0] != first[1] && first[1] != first[2]);
        assert!(first[3].contains(&first[1]) && first[3].contains(&first[2]) && !first[3].contains(&first[0]));
        assert!(first[3].contains(&first[6]) && first[4].contains(&first[6]) && !first[5].contains(&first[6]));
        let users = folder.path().join(CACHE_USERS);
        std::fs::remove_file(&users).unwrap();
        std::fs::write(&users, "of an older build").unwrap();
        make(folder.path()).unwrap();
        assert_eq!(read(), first, "passwords stay, and users are what this build says");
    }
}
