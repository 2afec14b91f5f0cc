//! One look, from the connection to the sample.

use tokio::time::timeout;

use super::fields::{ConfigFields, InfoFields};
use super::keys::{KeysAsked, look_at_keys};
use super::logs::{DefaultUser, LatencyEvent, SlowCommand};
use super::monitor;
use super::server::{DiagnoseOptions, LOOK_LIMIT, ServerLook};
use super::unseen::NotSeen;

use crate::allowed::{AllowedDoor, MONITOR, RedisCommand};
use crate::error::DiagnoseError;
use crate::escape;
use crate::wire::resp::RespReply;
use crate::wire::target::RedisTarget;

/// Settings that are read; none of them is a secret.
const SETTINGS: [&str; 23] = [
    "maxmemory",
    "maxmemory-policy",
    "maxclients",
    "appendonly",
    "appendfsync",
    "save",
    "stop-writes-on-bgsave-error",
    "slowlog-log-slower-than",
    "slowlog-max-len",
    "latency-monitor-threshold",
    "lazyfree-lazy-user-del",
    "lazyfree-lazy-expire",
    "lazyfree-lazy-eviction",
    "bind",
    "protected-mode",
    "port",
    "tls-port",
    "replica-read-only",
    "repl-backlog-size",
    "lfu-log-factor",
    "timeout",
    "unixsocket",
    "replica-serve-stale-data",
];
/// Lines of the slow log that are read: as many as it keeps where nothing else is said.
const SLOW_LINES: &str = "128";

/// Looks at a server once.
///
/// # Errors
/// [`DiagnoseError`] where it cannot be reached, is no Redis, or falls silent; what is refused is in `not_seen` instead.
pub async fn look(target: &RedisTarget, options: &DiagnoseOptions) -> Result<ServerLook, DiagnoseError> {
    let late = |_| DiagnoseError::Silent { asked: "the whole look".into(), limit: LOOK_LIMIT };
    timeout(LOOK_LIMIT, whole(target, options)).await.map_err(late)?
}

async fn whole(target: &RedisTarget, options: &DiagnoseOptions) -> Result<ServerLook, DiagnoseError> {
    let mut door = AllowedDoor::open(target).await?;
    let (let_in_without_password, is_elsewhere) = (target.password.is_none(), door.is_elsewhere());
    let mut look = ServerLook { let_in_without_password, is_elsewhere, ..ServerLook::default() };
    ask_what_it_is(&mut door, &mut look).await?;
    read_settings(&mut door, &mut look).await?;
    read_logs(&mut door, &mut look).await?;
    read_keys(&mut door, target, options, &mut look).await?;
    if let Some(length) = options.monitor {
        match AllowedDoor::open(target).await?.monitor().await? {
            Ok(door) => look.heard = Some(monitor::listen(door, length).await?),
            Err(said) => look.not_seen.push(NotSeen::refused(&MONITOR, &said)),
        }
    }
    Ok(look)
}

/// One question; its refusal goes to what is not seen.
async fn ask(door: &mut AllowedDoor, words: &str, look: &mut ServerLook) -> Result<Option<RespReply>, DiagnoseError> {
    let command = RedisCommand::of(words);
    let row = command.allowed();
    Ok(match (door.ask(vec![command]).await?.pop(), row) {
        (Some(RespReply::Refused(said)), Some(row)) => {
            look.not_seen.push(NotSeen::refused(row, &said));
            None
        }
        (reply, _) => reply,
    })
}

async fn ask_what_it_is(door: &mut AllowedDoor, look: &mut ServerLook) -> Result<(), DiagnoseError> {
    // Refused by whom nothing more can be asked of; but a right that is missing is only something not seen.
    let reply = door.ask(vec![RedisCommand::of("INFO all")]).await?.pop();
    match reply {
        Some(RespReply::Text(text)) => look.info = InfoFields::read(&text),
        Some(RespReply::Refused(said)) if said.starts_with(b"NOPERM") || said.starts_with(b"ERR unknown command") => {
            if let Some(row) = RedisCommand::of("INFO").allowed() {
                look.not_seen.push(NotSeen::refused(row, &said));
            }
        }
        Some(RespReply::Refused(said)) => return Err(DiagnoseError::refused(&said)),
        Some(RespReply::Cut(bytes)) => look.not_seen.push(NotSeen::because(
            "what the server says of itself",
            "INFO",
            format!("{bytes} bytes of it, which is more than is read"),
        )),
        _ => return Err(DiagnoseError::NotRedis("an answer to INFO that is no text".into())),
    }
    if look.info.text("loading") == Some("1") {
        return Err(DiagnoseError::refused(b"LOADING the server reads its data from disk"));
    }
    if look.info.text("cluster_enabled") == Some("1") {
        look.cluster = match ask(door, "CLUSTER INFO", look).await? {
            Some(RespReply::Text(text)) => Some(InfoFields::read(&text)),
            _ => None,
        };
        look.not_seen.push(NotSeen::because(
            "the other nodes of the cluster",
            "CLUSTER INFO",
            "one node is looked at: run it on each".into(),
        ));
        if look.info.text("role") == Some("slave") {
            ask(door, "READONLY", look).await?;
        }
    }
    Ok(())
}

async fn read_settings(door: &mut AllowedDoor, look: &mut ServerLook) -> Result<(), DiagnoseError> {
    // One name each: before 7.0 a command has only one.
    let questions = SETTINGS.iter().map(|name| RedisCommand::of("CONFIG GET").with(*name)).collect();
    let mut config = ConfigFields::default();
    let mut refused = None;
    for reply in door.ask(questions).await? {
        match reply {
            RespReply::Refused(said) => refused = Some(said),
            reply => config.take(&reply),
        }
    }
    if let (Some(said), Some(row)) = (refused, RedisCommand::of("CONFIG GET").allowed()) {
        look.not_seen.push(NotSeen::refused(row, &said));
    }
    look.config = config;
    let default = ask(door, "ACL GETUSER default", look).await?;
    look.default_user = default.as_ref().and_then(DefaultUser::read);
    let user = ask(door, "ACL WHOAMI", look).await?;
    look.user = user.as_ref().and_then(RespReply::text).map(escape::name);
    Ok(())
}

async fn read_logs(door: &mut AllowedDoor, look: &mut ServerLook) -> Result<(), DiagnoseError> {
    look.now_s = ask(door, "TIME", look).await?.and_then(|reply| reply.list()?.first()?.number());
    let slow = ask(door, &format!("SLOWLOG GET {SLOW_LINES}"), look).await?;
    look.slow = slow.as_ref().map(SlowCommand::all);
    if look.config.text("slowlog-log-slower-than").is_some_and(|us| us.starts_with('-')) {
        look.slow = None;
        let why = "slowlog-log-slower-than is negative, so nothing is written down".to_owned();
        look.not_seen.push(NotSeen::because("slow commands", "SLOWLOG GET", why));
    }
    let latency = ask(door, "LATENCY LATEST", look).await?;
    look.latency = latency.as_ref().map(LatencyEvent::all);
    if look.config.whole("latency-monitor-threshold") == Some(0) {
        look.latency = None;
        let why =
            "latency-monitor-threshold is 0, so nothing is written down; 100 is what it costs nothing with".to_owned();
        look.not_seen.push(NotSeen::because("moments at which the server stood still", "LATENCY LATEST", why));
    }
    Ok(())
}

async fn read_keys(
    door: &mut AllowedDoor,
    target: &RedisTarget,
    options: &DiagnoseOptions,
    look: &mut ServerLook,
) -> Result<(), DiagnoseError> {
    let databases = look.info.databases();
    let fullest = databases.iter().max_by_key(|one| one.keys).map_or(0, |one| one.number);
    let database = target.database.unwrap_or(fullest);
    if database > 0 {
        let select = RedisCommand::of("SELECT").with(database.to_string());
        if let Some(RespReply::Refused(said)) = door.ask(vec![select.clone()]).await?.pop() {
            let Some(row) = select.allowed().filter(|_| target.database.is_none()) else {
                return Err(DiagnoseError::refused(&said));
            };
            look.not_seen.push(NotSeen::refused(row, &said));
            return Ok(());
        }
    }
    let there = databases.iter().find(|one| one.number == database).map_or(0, |one| one.keys);
    let policy = look.setting("maxmemory-policy", "maxmemory_policy").unwrap_or_default();
    let asked = KeysAsked { database, there, most: options.sample, has_counters: policy.contains("lfu") };
    look.keys = look_at_keys(door, asked, &mut look.not_seen).await?;
    if let Some(keys) = look.keys.as_mut() {
        keys.there = keys.there.max(keys.looked_at);
    }
    let elsewhere: u64 = databases.iter().filter(|one| one.number != database).map(|one| one.keys).sum();
    if elsewhere > 0 {
        let why = format!("{elsewhere} keys; database {database} is looked at: name another in the address, …/N");
        look.not_seen.push(NotSeen::because("keys of other databases", "SCAN", why));
    }
    Ok(())
}
