//! Errors that were answered, since start (from Redis 6.2 on).

use std::collections::BTreeMap;

use super::rule::{FaultSeen, FindingRule};
use super::words::{percent, seconds, share};
use crate::escape;
use crate::look::server::ServerLook;
use crate::record::Severity;

/// Fewer are an odd client, or somebody at a keyboard.
const MANY: u64 = 100;
/// Of all commands.
const MANY_SHARE: f64 = 0.01;
/// Writes that the server could not take.
const NO_WRITE: [&str; 4] = ["OOM", "MISCONF", "NOREPLICAS", "READONLY"];
/// A client that went to the wrong node of a cluster.
const REDIRECTED: [&str; 4] = ["MOVED", "ASK", "TRYAGAIN", "CROSSSLOT"];
/// What is nobody's mistake: a script that is loaded at the first use.
const ORDINARY: [&str; 1] = ["NOSCRIPT"];

pub(super) const WRITES_REFUSED: FindingRule = FindingRule {
    name: "writes-refused",
    severity: Severity::Critical,
    when: "an answer OOM, MISCONF or NOREPLICAS since start, or 100 READONLY (a warning)",
    why: "a cache that takes no writes is a cache of misses: every fill goes to the origin, and no lock can be taken",
    remedy: "OOM: maxmemory and its policy. MISCONF: its disk. NOREPLICAS: its replicas. READONLY: clients write to a replica",
    scenario: Some("--scenario cache-outage --lab sim"),
    rule: |look| {
        let refused = of(look, &NO_WRITE)?;
        let read_only = refused.get("READONLY").copied().unwrap_or(0);
        let others = refused.len() > usize::from(read_only > 0);
        let seen = FaultSeen::from(format!("writes were refused in {}: {}", up(look)?, list(&refused)));
        match (others, read_only) {
            (true, _) => Some(seen),
            (false, MANY..) => Some(seen.severity(Severity::Warning)),
            _ => None,
        }
    },
};

pub(super) const REDIRECTS: FindingRule = FindingRule {
    name: "redirects",
    severity: Severity::Warning,
    when: "at least 100 answers MOVED, ASK, TRYAGAIN or CROSSSLOT, and 1 % of all commands",
    why: "each costs a second round trip, or the command: clients do not keep the map of slots, or keys are moved all the time",
    remedy: "a client that knows clusters and keeps its map; after a move of slots they end by themselves",
    scenario: Some("--scenario deploy-local --lab sim"),
    rule: |look| {
        let redirected = of(look, &REDIRECTED)?;
        many(look, &redirected).map(|share| {
            format!(
                "{} of all commands were sent to the wrong node in {}: {}",
                percent(share),
                up(look).unwrap_or_default(),
                list(&redirected)
            )
            .into()
        })
    },
};

pub(super) const ERRORS: FindingRule = FindingRule {
    name: "errors",
    severity: Severity::Warning,
    when: "at least 100 other errors (NOSCRIPT left out), and 1 % of all commands",
    why: "somebody asks for what cannot be done, again and again; behind WRONGTYPE, WRONGPASS and NOPERM stands a broken deployment",
    remedy: "the first word says what it is; ACL LOG and the clients' logs say who it is",
    scenario: None,
    rule: |look| {
        let known = [&NO_WRITE[..], &REDIRECTED, &ORDINARY].concat();
        let mut others = look.info.errors()?;
        others.retain(|code, _| !known.contains(code));
        many(look, &others).map(|share| {
            format!(
                "{} of all commands ended in an error in {}: {}",
                percent(share),
                up(look).unwrap_or_default(),
                list(&others)
            )
            .into()
        })
    },
};

/// The errors of these kinds, where there are any.
fn of<'a>(look: &'a ServerLook, codes: &[&str]) -> Option<BTreeMap<&'a str, u64>> {
    let mut errors = look.info.errors()?;
    errors.retain(|code, count| *count > 0 && codes.contains(code));
    (!errors.is_empty()).then_some(errors)
}

/// Their share of all commands, where that is large.
fn many(look: &ServerLook, errors: &BTreeMap<&str, u64>) -> Option<f64> {
    let sum = errors.values().fold(0_u64, |sum, count| sum.saturating_add(*count));
    let share = share(sum, look.info.whole("total_commands_processed")?);
    (sum >= MANY && share >= MANY_SHARE).then_some(share.min(1.0))
}

/// The most frequent three, `OOM 12, ERR 3`.
fn list(errors: &BTreeMap<&str, u64>) -> String {
    let mut all: Vec<_> = errors.iter().collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let words = all.iter().take(3).map(|(code, count)| format!("{} {count}", escape::name(code.as_bytes())));
    words.collect::<Vec<_>>().join(", ")
}

fn up(look: &ServerLook) -> Option<String> {
    look.info.whole("uptime_in_seconds").map(seconds)
}
