//! Counters that are begun, counted and given their end in several commands.

use super::rule::{FaultSeen, FindingRule};
use super::words::seconds;
use crate::look::monitor::SeveralSteps;
use crate::look::server::ServerLook;
use crate::record::Severity;

/// Fewer increments say nothing by their ratio to other commands.
const INCREMENTS_MIN: u64 = 1000;

const COUNTS: [&str; 4] = ["incr", "incrby", "decr", "decrby"];
/// Any of them may make it one act, or give the end afterwards.
const OTHERWISE: [&str; 12] = [
    "expire",
    "pexpire",
    "expireat",
    "pexpireat",
    "eval",
    "evalsha",
    "eval_ro",
    "fcall",
    "multi",
    "setnx",
    "setex",
    "psetex",
];

pub(super) const COUNTER_GAP: FindingRule = FindingRule {
    name: "counter-gap",
    severity: Severity::Warning,
    when: "with --monitor: a client did GET or SET and then INCR of one key, outside MULTI and scripts; without it a note, where at least 1000 INCR stand beside half as many GET and some SET, and nothing that would make it one act",
    why: "the key may end between the two: INCR then begins one without an end, and of two that found nothing one overwrites the other's count",
    remedy: "one act: a script that increments and sets the TTL where it is new, or SET k 0 EX T NX and INCR in one MULTI",
    scenario: Some("--scenario counters --lab sim"),
    rule: |look| {
        let Some(heard) = &look.heard else { return by_ratio(look) };
        Some(in_steps("GET or SET, then INCR", heard.get_then_incr.as_ref()?, heard.for_ms).into())
    },
};

fn by_ratio(look: &ServerLook) -> Option<FaultSeen> {
    let (counts, gets, sets) = (look.info.calls(&COUNTS), look.info.calls(&["get"]), look.info.calls(&["set"]));
    let looks_so = counts >= INCREMENTS_MIN && gets * 2 >= counts && sets > 0 && look.info.calls(&OTHERWISE) == 0;
    let up = seconds(look.info.whole("uptime_in_seconds")?);
    let found = format!(
        "{counts} INCR, {gets} GET and {sets} SET in {up}, and no script, MULTI or EXPIRE: --monitor 1s tells whether they are steps"
    );
    looks_so.then(|| FaultSeen::from(found).severity(Severity::Note))
}

pub(super) const EXPIRE_GAP: FindingRule = FindingRule {
    name: "expire-gap",
    severity: Severity::Note,
    when: "with --monitor: a client did INCR and then EXPIRE of one key, outside MULTI and scripts",
    why: "a client that is killed or cut off between the two leaves a counter without an end",
    remedy: "one act: a script, or MULTI around both",
    scenario: Some("--scenario counters --lab sim"),
    rule: |look| {
        let heard = look.heard.as_ref()?;
        Some(in_steps("INCR, then EXPIRE", heard.incr_then_expire.as_ref()?, heard.for_ms).into())
    },
};

fn in_steps(what: &str, steps: &SeveralSteps, for_ms: u64) -> String {
    format!("{what} of one key by one client: {} times in {for_ms} ms, for one \"{}\"", steps.times, steps.key)
}
