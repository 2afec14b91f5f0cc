//! The secrets of a stack of containers: made once, where they are absent, into volumes that only those who need them see.
//! Nothing secret is committed, in an image, in an environment variable or in a log.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::auth::entropy;

/// The control listeners' token, below the secrets' folder.
pub const CONTROL_TOKEN: &str = "control/token";
/// The replicas' password for Redis.
pub const REPLICA_PASSWORD: &str = "replica/password";
/// The fault injector's password for Redis.
pub const INJECTOR_PASSWORD: &str = "injector/password";
/// Redis' ACL file, which holds both.
pub const CACHE_USERS: &str = "cache/users.acl";

/// The replicas' user in Redis.
pub const REPLICA_USER: &str = "replica";
/// The fault injector's user in Redis.
pub const INJECTOR_USER: &str = "injector";

/// What replicas may do: their own prefix, and the commands that `redis_cache` sends, its scripts' included. INFO tells
/// which life of the server it is and whether it evicted.
const REPLICA_MAY: &str = "~lab:* resetchannels &lab:* -@all +get +set +del +getrange +pexpire +evalsha +script|load \
                           +publish +subscribe +unsubscribe +info +ping";
/// What the injector may do: find and remove the lab's keys, and see who holds a lock. No FLUSHALL, no CONFIG.
const INJECTOR_MAY: &str = "~lab:* resetchannels -@all +get +scan +unlink +info +ping";

/// Writes what is absent below `folder`, and leaves alone what is there.
///
/// # Errors
/// A sentence with the file, and why it could not be read or written.
pub fn make(folder: &Path) -> Result<(), String> {
    keep_or_write(&folder.join(CONTROL_TOKEN), &random()?)?;
    let replica = keep_or_write(&folder.join(REPLICA_PASSWORD), &random()?)?;
    let injector = keep_or_write(&folder.join(INJECTOR_PASSWORD), &random()?)?;
    keep_or_write(&folder.join(CACHE_USERS), &cache_users(&replica, &injector)).map(drop)
}

/// Redis' ACL file: nobody but these two.
fn cache_users(replica: &str, injector: &str) -> String {
    format!(
        "user default off\nuser {REPLICA_USER} on >{replica} {REPLICA_MAY}\nuser {INJECTOR_USER} on >{injector} {INJECTOR_MAY}\n"
    )
}

/// 128 bits, hexadecimal: fit for a URL, an ACL file and a header as they are.
fn random() -> Result<String, String> {
    Ok(format!("{:016x}{:016x}", entropy()?, entropy()?))
}

fn keep_or_write(file: &Path, fresh: &str) -> Result<String, String> {
    let said = |e: std::io::Error| format!("the secret {}: {e}", file.display());
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(said)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o400).open(file) {
        Ok(mut new) => new.write_all(fresh.as_bytes()).map(|()| fresh.to_owned()).map_err(said),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => std::fs::read_to_string(file).map_err(said),
        Err(e) => Err(said(e)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn secrets_are_made_once_and_for_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path()).unwrap();
        let all = [CONTROL_TOKEN, REPLICA_PASSWORD, INJECTOR_PASSWORD, CACHE_USERS];
        let read = || all.map(|file| std::fs::read_to_string(folder.path().join(file)).unwrap());
        let first = read();
        for file in all {
            let mode = folder.path().join(file).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o400, "{file}");
        }
        assert!(first[0].len() == 32 && first[0] != first[1] && first[1] != first[2]);
        assert!(first[3].contains(&first[1]) && first[3].contains(&first[2]) && !first[3].contains(&first[0]));
        make(folder.path()).unwrap();
        assert_eq!(read(), first, "what is there stays");
    }
}
