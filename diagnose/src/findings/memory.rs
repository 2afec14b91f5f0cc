//! Memory: whether there is a limit, what happens at it, and what is wasted.

use super::hits::hit_ratio;
use super::persistence::forks;
use super::rule::{FaultSeen, FindingRule};
use super::words::{bytes, percent, seconds, share};
use crate::look::server::{KEYS_THAT_SAY_SOMETHING, ServerLook};
use crate::record::Severity;

/// So full that an ordinary peak fills it.
const NEARLY_FULL_SHARE: f64 = 0.9;
/// With fewer keys to choose from, a policy for keys with a TTL evicts the same few again and again, or nothing.
const FEW_WITH_TTL: f64 = 0.1;
/// Of the machine's memory: while a fork lives, what is written is there twice.
const RAM_WITH_FORKS: f64 = 0.75;
/// Of the machine's memory where nothing forks: buffers and the system want some, too.
const RAM_WITHOUT_FORKS: f64 = 0.95;
/// Fewer evictions say nothing.
const EVICTED_MIN: u64 = 1000;
/// Where most keys that go are evicted and few expire, it is the memory that decides how long a value lives, and not its TTL.
const EVICTED_SHARE: f64 = 0.5;
/// Below this an eviction hurts: what was evicted is asked for again.
const HITS_GOOD: f64 = 0.8;
/// What is wasted is wasted only above so many bytes: a small server has high ratios and loses nothing.
const WASTE_MIN: u64 = 100_000_000;
/// Resident against used: a third is lost.
const FRAGMENTED_RATIO: f64 = 1.5;

pub(super) const NO_MAXMEMORY: FindingRule = FindingRule {
    name: "no-maxmemory",
    severity: Severity::Warning,
    when: "maxmemory 0 on a cache: at least 100 keys, of which half have a TTL",
    why: "nothing bounds it: a peak, a slow expiry or keys without an end fill the machine, and the system kills it or swaps",
    remedy: "CONFIG SET maxmemory to at most 75 % of the machine's memory (50 % with snapshots and many writes), and an evicting policy",
    scenario: Some("--scenario cache-restart --lab sim"),
    rule: |look| {
        let none = limit(look)? == 0 && look.is_cache()?;
        let used = bytes(look.info.whole("used_memory")?);
        none.then(|| format!("it is used as a cache and has no maxmemory; {used} are used").into())
    },
};

pub(super) const NEARLY_FULL: FindingRule = FindingRule {
    name: "nearly-full",
    severity: Severity::Critical,
    when: "maxmemory-policy noeviction and at least 90 % of maxmemory used",
    why: "at the limit every write is refused with OOM: locks, fills and counters fail at once, and each miss goes to the origin",
    remedy: "raise maxmemory, remove keys, or CONFIG SET maxmemory-policy allkeys-lru where it is a cache",
    scenario: Some("--scenario cache-outage --lab sim"),
    rule: |look| {
        let full = fullness(look).filter(|full| *full >= NEARLY_FULL_SHARE)?;
        let limit = bytes(limit(look)?);
        (policy(look)? == "noeviction").then(|| {
            format!("{} of maxmemory ({limit}) are used, and nothing may be evicted (noeviction)", percent(full)).into()
        })
    },
};

pub(super) const NOTHING_TO_EVICT: FindingRule = FindingRule {
    name: "nothing-to-evict",
    severity: Severity::Warning,
    when: "a volatile-… policy, a maxmemory, at least 100 keys, and fewer than 10 % of them have a TTL; critical from 90 % of maxmemory on",
    why: "only keys with a TTL may be evicted, and there are hardly any: at the limit writes are refused as with noeviction",
    remedy: "CONFIG SET maxmemory-policy allkeys-lru (or allkeys-lfu), or give the keys TTLs",
    scenario: Some("--scenario cache-outage --lab sim"),
    rule: |look| {
        let policy = policy(look).filter(|policy| policy.starts_with("volatile"))?;
        let (keys, with_ttl) = look.keyspace().filter(|(keys, _)| *keys >= KEYS_THAT_SAY_SOMETHING)?;
        let few = share(with_ttl, keys) < FEW_WITH_TTL && limit(look)? > 0;
        let seen = FaultSeen::from(format!("maxmemory-policy {policy}, and {with_ttl} of {keys} keys have a TTL"));
        let full = fullness(look).is_some_and(|full| full >= NEARLY_FULL_SHARE);
        few.then(|| if full { seen.severity(Severity::Critical) } else { seen })
    },
};

pub(super) const MAXMEMORY_NEAR_RAM: FindingRule = FindingRule {
    name: "maxmemory-near-ram",
    severity: Severity::Warning,
    when: "maxmemory above 75 % of the machine's memory where it forks (snapshots, append-only file, replicas), above 95 % where not",
    why: "while a fork lives, pages that are written are there twice: the machine runs out before maxmemory is reached",
    remedy: "lower maxmemory; half of the machine's memory is safe with snapshots and many writes",
    scenario: None,
    rule: |look| {
        let (limit, ram) = (limit(look)?, look.info.whole("total_system_memory").filter(|ram| *ram > 0)?);
        let forks = forks(look)?;
        let allowed = if forks { RAM_WITH_FORKS } else { RAM_WITHOUT_FORKS };
        let found = format!(
            "maxmemory is {} of the machine's {}{}",
            percent(share(limit, ram)),
            bytes(ram),
            if forks { ", and it forks" } else { "" }
        );
        (share(limit, ram) > allowed).then(|| found.into())
    },
};

pub(super) const EVICTS: FindingRule = FindingRule {
    name: "evicts",
    severity: Severity::Warning,
    when: "at least 1000 keys were evicted, more than expired, and fewer than 80 % of reads are hits",
    why: "memory, not the TTL, decides how long a value lives: what is asked for again was thrown away, and the origin reads it again",
    remedy: "more memory, smaller values, fewer keys that nobody asks for twice; allkeys-lfu keeps what is asked for often",
    scenario: Some("--scenario zipf --lab sim"),
    rule: |look| {
        let evicted = look.info.whole("evicted_keys").filter(|evicted| *evicted >= EVICTED_MIN)?;
        let expired = look.info.whole("expired_keys")?;
        let hits = hit_ratio(look).filter(|hits| *hits < HITS_GOOD)?;
        let up = seconds(look.info.whole("uptime_in_seconds")?);
        let found = format!(
            "{evicted} keys were evicted and {expired} expired in {up}, and {} of the reads are hits",
            percent(hits)
        );
        (share(evicted, evicted.saturating_add(expired)) > EVICTED_SHARE).then(|| found.into())
    },
};

pub(super) const FRAGMENTED: FindingRule = FindingRule {
    name: "fragmented",
    severity: Severity::Warning,
    when: "the allocator holds at least 1.5 times what is in use, and that is at least 100 MB more",
    why: "memory that nobody uses counts against the machine, and a fork copies its pages, too",
    remedy: "CONFIG SET activedefrag yes (where it was built with jemalloc), or restart it by way of a replica",
    scenario: None,
    rule: |look| {
        let (ratio, waste) = (look.info.real("allocator_frag_ratio")?, look.info.whole("allocator_frag_bytes")?);
        let found = format!("{} are lost to fragmentation (ratio {ratio:.2})", bytes(waste));
        (ratio >= FRAGMENTED_RATIO && waste >= WASTE_MIN).then(|| found.into())
    },
};

fn limit(look: &ServerLook) -> Option<u64> {
    look.setting_number("maxmemory", "maxmemory")
}

fn policy(look: &ServerLook) -> Option<String> {
    look.setting("maxmemory-policy", "maxmemory_policy").map(|policy| crate::escape::name(policy.as_bytes()))
}

/// How much of maxmemory is used, buffers of replicas left out, as the server counts it; `None` without a limit.
fn fullness(look: &ServerLook) -> Option<f64> {
    let limit = limit(look).filter(|limit| *limit > 0)?;
    let spared = look.info.whole("mem_not_counted_for_evict").unwrap_or(0);
    Some(share(look.info.whole("used_memory")?.saturating_sub(spared), limit))
}
