//! Moments at which nobody was answered: slow commands, and whatever else the server wrote down.

use super::rule::FindingRule;
use super::words::seconds;
use crate::look::server::ServerLook;
use crate::record::Severity;

/// Everybody waits for it: a tenth of what a client of the lab gives one cache operation.
const SLOW_US: u64 = 10_000;
/// So many of them within an hour are a habit.
const SLOW_TIMES: usize = 5;
/// One of these is enough: a client of the lab gives up on one cache operation after 100 ms.
const VERY_SLOW_US: u64 = 100_000;
const HOUR_S: i64 = 3600;
/// What is older has been seen by somebody.
const DAY_S: i64 = 24 * HOUR_S;
/// As `VERY_SLOW_US`, in ms.
const STILL_MS: u64 = 100;
/// KEYS that somebody typed by hand is no habit.
const KEYS_CALLS: u64 = 10;
/// One of this length is enough, in microseconds.
const KEYS_US: f64 = 10_000.0;

pub(super) const SLOW_COMMANDS: FindingRule = FindingRule {
    name: "slow-commands",
    severity: Severity::Warning,
    when: "in the slow log: 5 commands of 10 ms within the last hour, or one of 100 ms within the last day",
    why: "one command runs at a time, so that everybody waits for it, and clients run into their time limits together",
    remedy: "SLOWLOG GET says what was in them; SCAN instead of KEYS, HSCAN instead of HGETALL, UNLINK instead of DEL, shorter scripts",
    scenario: Some("--scenario cache-blackhole --lab sim"),
    rule: |look| {
        let now = look.now_s?;
        let within = |age: i64, us: u64| {
            look.slow.iter().flatten().filter(move |one| now.saturating_sub(one.at_s) <= age && one.took_us >= us)
        };
        let (often, very) = (within(HOUR_S, SLOW_US).count(), within(DAY_S, VERY_SLOW_US).count());
        let worst = within(DAY_S, SLOW_US).max_by_key(|one| one.took_us)?;
        let found = format!(
            "{} slow commands in the last day, the slowest {} with {} ms, {} ago",
            within(DAY_S, SLOW_US).count(),
            worst.name,
            worst.took_us / 1000,
            seconds(now.saturating_sub(worst.at_s).try_into().unwrap_or(0))
        );
        (often >= SLOW_TIMES || very > 0).then(|| found.into())
    },
};

pub(super) const STOOD_STILL: FindingRule = FindingRule {
    name: "stood-still",
    severity: Severity::Warning,
    when: "LATENCY LATEST has an event of the last day with a maximum of at least 100 ms",
    why: "nobody was answered meanwhile; clients with shorter time limits took the cache for dead",
    remedy: "LATENCY DOCTOR says what helps with this kind of event; LATENCY RESET begins anew",
    scenario: Some("--scenario cache-blackhole --lab sim"),
    rule: |look| {
        let is_recent = |at: i64| look.now_s.is_none_or(|now| now.saturating_sub(at) <= DAY_S);
        let events = look.latency.iter().flatten().filter(|event| is_recent(event.at_s) && event.max_ms >= STILL_MS);
        let words: Vec<String> = events.map(|event| format!("{} up to {} ms", event.kind, event.max_ms)).collect();
        (!words.is_empty()).then(|| format!("it stood still: {}", words.join(", ")).into())
    },
};

pub(super) const KEYS_CALLED: FindingRule = FindingRule {
    name: "keys-called",
    severity: Severity::Warning,
    when: "KEYS was called 10 times since start, or takes 10 ms a call",
    why: "it walks over every key while everybody waits, and takes the longer the more there are",
    remedy: "SCAN, or a set of what is looked for; take the right away: ACL SETUSER USER -keys",
    scenario: Some("--scenario cache-blackhole --lab sim"),
    rule: |look: &ServerLook| {
        let (calls, us) = look.info.command("keys").filter(|(calls, _)| *calls > 0)?;
        let found = format!("KEYS was called {calls} times since start, {:.1} ms each", us / 1000.0);
        (calls >= KEYS_CALLS || us >= KEYS_US).then(|| found.into())
    },
};
