//! The stack's users on a real Redis, by `ACL DRYRUN`: each role may do what it is for, on the lab's own keys and channels, and nothing
//! else. What is listed here is held to the rules of the file, so that a right without a use, or a use without a right, fails.

use std::collections::BTreeSet;

use app::cache::redis_server::PrivateRedis;
use app::process::secrets::{
    self, CACHE_USERS, INJECTOR_MAY, INJECTOR_USER, PEER_MAY, PEER_USER, REPLICA_MAY, REPLICA_USER, SENTINEL_MAY,
    SENTINEL_USER,
};
use app::testing;

use crate::common::fleet::command;

/// What replicas send, with the lab's keys: a row for each right.
const REPLICA_DOES: [&str; 30] = [
    "GET lab:run:s:{1}:v",
    "MGET lab:run:s:{1}:v lab:run:s:{1}:v:1",
    "SET lab:run:s:{1}:v x PX 1000",
    "DEL lab:run:s:{1}:v lab:run:s:{1}:l",
    "GETRANGE lab:run:s:{1}:v 5 12",
    "PEXPIRE lab:run:s:{changes} 1000",
    "EVAL script 2 lab:run:s:{1}:v lab:run:s:{1}:l x",
    "EVALSHA 0123456789012345678901234567890123456789 1 lab:run:s:{1}:l x",
    "INCRBY lab:run:s:{1}:c 1",
    "PTTL lab:run:s:{1}:c",
    "MULTI",
    "EXEC",
    "DISCARD",
    "PUBLISH lab:run:s:wake 1",
    "SUBSCRIBE lab:run:s:wake",
    "UNSUBSCRIBE lab:run:s:wake",
    "XADD lab:run:s:{changes} MAXLEN 8 0-* k 1 m 2",
    "XREAD COUNT 512 BLOCK 250 STREAMS lab:run:s:{changes} 0-0",
    "XRANGE lab:run:s:{changes} 0-1 0-1",
    "XREVRANGE lab:run:s:{changes} + - COUNT 1",
    "CLIENT ID",
    "CLIENT TRACKING ON BCAST PREFIX lab:run:s:{",
    "CLIENT KILL ID 7",
    "HELLO 3",
    "INFO",
    "PING",
    "ROLE",
    "CLUSTER SLOTS",
    "ASKING",
    "READONLY",
];

/// What the injector sends.
const INJECTOR_DOES: [&str; 20] = [
    "SCAN 0 MATCH lab:run:s:* COUNT 1000",
    "UNLINK lab:run:s:{1}:v lab:run:s:{1}:l",
    "GET lab:run:s:{1}:l",
    "INFO",
    "PING",
    "CONFIG GET maxmemory",
    "CONFIG SET maxmemory 0",
    "LATENCY LATEST",
    "SLOWLOG GET 16",
    "ROLE",
    "ASKING",
    "CLUSTER SLOTS",
    "CLUSTER NODES",
    "CLUSTER INFO",
    "CLUSTER MYID",
    "CLUSTER MEET 10.0.0.2 6379 16379",
    "CLUSTER ADDSLOTSRANGE 0 5460",
    "CLUSTER SET-CONFIG-EPOCH 1",
    "CLUSTER REPLICATE 07c37dfeb235213a872192d90877d0cd55635b91",
    "CLUSTER FORGET 07c37dfeb235213a872192d90877d0cd55635b91",
];

/// What a replica of Redis sends its primary.
const PEER_DOES: [&str; 3] = ["PSYNC ? -1", "REPLCONF listening-port 6379", "PING"];

/// What a Sentinel sends the servers that it watches.
const SENTINEL_DOES: [&str; 12] = [
    "MULTI",
    "EXEC",
    "SLAVEOF NO ONE",
    "PING",
    "SUBSCRIBE __sentinel__:hello",
    "CONFIG REWRITE",
    "ROLE",
    "PUBLISH __sentinel__:hello x",
    "INFO",
    "CLIENT SETNAME x",
    "CLIENT KILL TYPE normal",
    "SCRIPT KILL",
];

/// What neither of these may: to empty it, to end it, to hear of others, to be somebody else, or to touch what is not the lab's.
const NOBODY_MAY: [&str; 44] = [
    "FLUSHALL",
    "FLUSHDB",
    "SWAPDB 0 1",
    "CONFIG REWRITE",
    "CONFIG RESETSTAT",
    "SHUTDOWN NOSAVE",
    "SAVE",
    "BGSAVE",
    "BGREWRITEAOF",
    "DEBUG SLEEP 1",
    "DEBUG SEGFAULT",
    "MODULE LOAD /tmp/x.so",
    "REPLICAOF NO ONE",
    "FAILOVER",
    "ACL SETUSER other on nopass ~* +@all",
    "ACL LIST",
    "ACL WHOAMI",
    "CLIENT LIST",
    "CLIENT PAUSE 1000",
    "CLIENT NO-EVICT on",
    "MONITOR",
    "LATENCY RESET",
    "MEMORY USAGE lab:run:s:{1}:v",
    "SCRIPT FLUSH",
    "SCRIPT KILL",
    "FUNCTION FLUSH",
    "KEYS *",
    "KEYS other:*",
    "RANDOMKEY",
    "PSUBSCRIBE *",
    "PUBSUB CHANNELS",
    "MIGRATE 127.0.0.1 1 lab:run:s:{1}:v 0 1",
    "DUMP lab:run:s:{1}:v",
    "RESTORE lab:run:s:{1}:v 0 x",
    "RENAME lab:run:s:{1}:v other",
    "COPY lab:run:s:{1}:v other",
    "SELECT 1",
    "GET other:key",
    "MGET lab:run:s:{1}:v other:key",
    "GET lab",
    "SET other:key x",
    "DEL other:key",
    "UNLINK other:key",
    "PUBLISH other x",
];

/// What a replica may not though it may do as much with the lab's own.
const REPLICA_MAY_NOT: [&str; 12] = [
    "CONFIG SET maxmemory 0",
    "CONFIG GET *",
    "SLOWLOG GET",
    "SCAN 0",
    "UNLINK lab:run:s:{1}:v",
    "DEL lab:run:s:{1}:v other:key",
    "EVAL script 2 lab:run:s:{1}:v other:key x",
    "EVALSHA 0123456789012345678901234567890123456789 1 other:key x",
    "INCRBY other:key 1",
    "XADD other:key * k 1",
    "XREAD COUNT 1 STREAMS lab:run:s:{changes} other:key 0-0 0-0",
    "SUBSCRIBE lab:run:s:wake other",
];

/// What the injector may not though a replica may.
const INJECTOR_MAY_NOT: [&str; 9] = [
    "SLOWLOG RESET",
    "SET lab:run:s:{1}:v x",
    "DEL lab:run:s:{1}:v",
    "EVAL script 1 lab:run:s:{1}:v",
    "PUBLISH lab:run:s:wake 1",
    "SUBSCRIBE lab:run:s:wake",
    "CLIENT KILL ID 7",
    "CLIENT TRACKING ON",
    "XADD lab:run:s:{changes} * k 1",
];

/// A Redis that has the file's users beside its own, whose connections may ask what they may.
async fn with_the_users_of_the_file() -> Option<PrivateRedis> {
    let redis = testing::redis(&[])?;
    let folder = tempfile::tempdir().unwrap();
    secrets::make(folder.path()).unwrap();
    let file = std::fs::read_to_string(folder.path().join(CACHE_USERS)).unwrap();
    assert!(file.starts_with("user default off\n"), "{file}");
    for line in file.lines().skip(1) {
        let rules: Vec<&str> = line.split_whitespace().skip(1).collect();
        command::<()>(&redis, &[&["ACL", "SETUSER"], &rules[..]].concat()).await.unwrap();
    }
    Some(redis)
}

/// Why a user may not do something; `None` where it may.
async fn denied(redis: &PrivateRedis, user: &str, what: &str) -> Option<String> {
    let words: Vec<&str> = ["ACL", "DRYRUN", user].into_iter().chain(what.split(' ')).collect();
    let said: String = command(redis, &words).await.unwrap_or_else(|e| panic!("{user}, {what}: {e}"));
    (said != "OK").then_some(said)
}

#[tokio::test]
async fn each_role_may_do_what_it_is_for_and_nothing_else() {
    let Some(redis) = with_the_users_of_the_file().await else { return };
    // Redis 7.0 and later.
    if command::<String>(&redis, &["ACL", "DRYRUN", "default", "PING"]).await.is_err() {
        return testing::skipped("no ACL DRYRUN in this Redis");
    }
    for (user, does, may_not) in [
        (REPLICA_USER, &REPLICA_DOES[..], &REPLICA_MAY_NOT[..]),
        (INJECTOR_USER, &INJECTOR_DOES[..], &INJECTOR_MAY_NOT[..]),
    ] {
        for what in does {
            assert_eq!(denied(&redis, user, what).await, None, "{user} needs {what}");
        }
        for what in NOBODY_MAY.iter().chain(may_not) {
            let said = denied(&redis, user, what).await.unwrap_or_else(|| panic!("{user} may {what}"));
            assert!(said.contains("no permissions"), "{user}, {what}: {said}");
        }
    }
    // Servers and Sentinels among themselves: of the lab's keys and messages they may nothing.
    for (user, does) in [(PEER_USER, &PEER_DOES[..]), (SENTINEL_USER, &SENTINEL_DOES[..])] {
        for what in does {
            assert_eq!(denied(&redis, user, what).await, None, "{user} needs {what}");
        }
        for what in REPLICA_DOES.iter().chain(&INJECTOR_DOES).filter(|what| what.contains("lab:")) {
            assert!(denied(&redis, user, what).await.is_some(), "{user} may {what}");
        }
    }
}

/// Every right of theirs has its row above.
#[test]
fn no_right_is_without_a_use() {
    for (may, does) in [
        (REPLICA_MAY, &REPLICA_DOES[..]),
        (INJECTOR_MAY, &INJECTOR_DOES[..]),
        (PEER_MAY, &PEER_DOES[..]),
        (SENTINEL_MAY, &SENTINEL_DOES[..]),
    ] {
        let rights: BTreeSet<String> =
            may.split(' ').filter_map(|word| word.strip_prefix('+')).map(str::to_owned).collect();
        let used = does.iter().map(|row| {
            let words: Vec<String> = row.split(' ').map(str::to_lowercase).collect();
            let in_two = ["client", "config", "latency", "slowlog", "cluster", "script"].contains(&words[0].as_str());
            if in_two { words[..2].join("|") } else { words[0].clone() }
        });
        assert_eq!(rights, used.collect());
    }
}
