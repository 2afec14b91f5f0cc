//! One key that has much of the load.

use super::rule::{FaultSeen, FindingRule};
use super::words::{percent, share};
use crate::look::server::ServerLook;
use crate::record::Severity;

/// The counter of an LFU policy, at its default lfu-log-factor of 10: some fifty thousand reads, lately.
const COUNTER: u64 = 100;
/// Of the commands that name a key: then one core of one node does a fifth of everything, however many nodes there are.
const HEARD_SHARE: f64 = 0.2;
/// Fewer commands say nothing.
const HEARD_MIN: u64 = 200;
/// Of the key, a second: less is no load.
const HEARD_A_SECOND: u64 = 100;

pub(super) const HOT_KEY: FindingRule = FindingRule {
    name: "hot-key",
    severity: Severity::Warning,
    when: "with --monitor: one key in 20 % of at least 200 commands, and 100 times a second; without it a note, where an LFU policy's counter of a key is at least 100",
    why: "one key is one node's work whatever the cluster's size, and its expiry is the largest herd that there is",
    remedy: "copies in the clients' processes for a second, several copies of the key, a refresh before it ends",
    scenario: Some("--scenario near-hot --lab sim"),
    rule: |look| by_ear(look).or_else(|| by_counter(look)),
};

fn by_ear(look: &ServerLook) -> Option<FaultSeen> {
    let heard = look.heard.as_ref().filter(|heard| heard.with_key >= HEARD_MIN)?;
    let (key, times) = heard.hottest.as_ref()?;
    let of = share(*times, heard.with_key);
    let found = format!(
        "{} of {} commands that name a key name \"{key}\" (heard for {} ms)",
        percent(of),
        heard.with_key,
        heard.for_ms
    );
    let a_second = times.saturating_mul(1000) / heard.for_ms.max(1);
    (of >= HEARD_SHARE && a_second >= HEARD_A_SECOND).then(|| found.into())
}

fn by_counter(look: &ServerLook) -> Option<FaultSeen> {
    let keys = look.keys.as_ref()?;
    let hottest = keys.hottest.as_ref()?.first().filter(|one| one.counter >= COUNTER)?;
    let found = format!(
        "\"{}\" is the hottest of the keys looked at, its counter at {} of 255 ({})",
        hottest.name,
        hottest.counter,
        keys.of_how_many()
    );
    Some(FaultSeen::from(found).severity(Severity::Note))
}
