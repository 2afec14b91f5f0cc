//! Snapshots and the append-only file: whether they work, and what they cost those who wait.

use super::rule::{FaultSeen, FindingRule};
use super::words::seconds;
use crate::look::server::ServerLook;
use crate::record::Severity;

/// Everybody waits for a fork, so it is judged as a pause: half of what a client of the lab gives one cache operation (100 ms).
const FORK_US: u64 = 50_000;
/// Late fsyncs an hour: an odd one is a busy disk, one an hour is a disk that is too slow.
const LATE_FSYNCS_AN_HOUR: f64 = 1.0;
/// Keys without an end that would be missed: fewer may be rebuilt by hand.
const KEYS_TO_LOSE: u64 = 1000;

pub(super) const SAVE_FAILED: FindingRule = FindingRule {
    name: "save-failed",
    severity: Severity::Critical,
    when: "the last snapshot, rewrite or write of the append-only file ended with an error",
    why: "what a restart would bring back is old, and grows older; with stop-writes-on-bgsave-error every write is refused meanwhile",
    remedy: "look into the server's log; free or mend its disk; BGSAVE, and look again",
    scenario: Some("--scenario cache-outage --lab sim"),
    rule: save_failed,
};

fn save_failed(look: &ServerLook) -> Option<FaultSeen> {
    let all = [
        ("rdb_last_bgsave_status", "the last snapshot failed"),
        ("aof_last_write_status", "the append-only file cannot be written"),
        ("aof_last_bgrewrite_status", "the last rewrite of the append-only file failed"),
    ];
    let failed: Vec<&str> =
        all.iter().filter(|(field, _)| look.info.text(field) == Some("err")).map(|(_, words)| *words).collect();
    if failed.is_empty() {
        return None;
    }
    let stops = look.config.is_on("stop-writes-on-bgsave-error") == Some(true) && saves(look) == Some(true);
    let stops = if stops { ", and writes are refused until one works" } else { "" };
    Some(format!("{}{stops}", failed.join("; ")).into())
}

pub(super) const AOF_ALWAYS: FindingRule = FindingRule {
    name: "aof-always",
    severity: Severity::Warning,
    when: "appendonly yes and appendfsync always",
    why: "every write waits for the disk, and every read for the write before it: the disk's worst moment is everybody's",
    remedy: "CONFIG SET appendfsync everysec, unless a second of writes must never be lost",
    scenario: None,
    rule: |look| {
        let always = look.config.text("appendfsync")? == "always" && keeps_log(look)?;
        always.then(|| "the append-only file is flushed to disk at every write (appendfsync always)".to_owned().into())
    },
};

pub(super) const FSYNC_LATE: FindingRule = FindingRule {
    name: "fsync-late",
    severity: Severity::Warning,
    when: "aof_delayed_fsync at least once an hour since start",
    why: "the disk does not keep up with the append-only file: writes are held back for up to two seconds, and two may be lost",
    remedy: "a faster or a quieter disk; no-appendfsync-on-rewrite yes where rewrites are the cause; smaller values",
    scenario: Some("--scenario cache-blackhole --lab sim"),
    rule: |look| {
        let late = look.info.whole("aof_delayed_fsync").filter(|late| *late > 0)?;
        let up_s = look.info.whole("uptime_in_seconds")?;
        let an_hour = late as f64 * 3600.0 / up_s.max(1) as f64;
        let found = format!("{late} fsyncs of the append-only file came late in {}", seconds(up_s));
        (an_hour >= LATE_FSYNCS_AN_HOUR).then(|| found.into())
    },
};

pub(super) const SLOW_FORK: FindingRule = FindingRule {
    name: "slow-fork",
    severity: Severity::Warning,
    when: "latest_fork_usec of at least 50 ms",
    why: "nobody is answered while the server forks, for each snapshot, each rewrite and each replica's full copy",
    remedy: "less data a server; fewer save points; transparent huge pages off; persistence on a replica instead",
    scenario: Some("--scenario cache-blackhole --lab sim"),
    rule: |look| {
        let fork_us = look.info.whole("latest_fork_usec").filter(|us| *us >= FORK_US)?;
        Some(format!("the last fork stopped the server for {} ms", fork_us / 1000).into())
    },
};

pub(super) const NOTHING_KEPT: FindingRule = FindingRule {
    name: "nothing-kept",
    severity: Severity::Warning,
    when: "no snapshots, no append-only file, no replica, nothing is evicted at will, and at least 1000 keys and half of all have no TTL",
    why: "keys without an end look like data, and a restart loses all of them",
    remedy: "appendonly yes, or save points, or a replica; or give the keys TTLs where they are a cache's",
    scenario: Some("--scenario cache-restart --lab sim"),
    rule: |look| {
        let (keys, with_ttl) = look.keyspace()?;
        let endless = keys - with_ttl;
        let policy = look.setting("maxmemory-policy", "maxmemory_policy")?;
        let kept = keeps_log(look)? || saves(look)? || look.info.whole("connected_slaves")? > 0;
        let is_replica = look.info.text("role")? == "slave";
        let matters = endless >= KEYS_TO_LOSE && endless * 2 >= keys && !policy.starts_with("allkeys");
        let found = format!("{endless} of {keys} keys have no TTL, and nothing keeps them over a restart");
        (matters && !kept && !is_replica).then(|| found.into())
    },
};

/// Whether there is an append-only file.
fn keeps_log(look: &ServerLook) -> Option<bool> {
    look.config.is_on("appendonly").or_else(|| Some(look.info.text("aof_enabled")? == "1"))
}

/// Whether snapshots are made.
pub(super) fn saves(look: &ServerLook) -> Option<bool> {
    Some(!look.config.text("save")?.is_empty())
}

/// Whether the server forks by itself: for snapshots, rewrites, or full copies.
pub(super) fn forks(look: &ServerLook) -> Option<bool> {
    Some(saves(look)? || keeps_log(look)? || look.info.whole("connected_slaves")? > 0)
}
