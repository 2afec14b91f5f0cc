//! When keys end: many in one second, and some never.

use super::rule::{FaultSeen, FindingRule};
use super::words::{percent, seconds, share};
use crate::look::keys::KeyGroup;
use crate::record::Severity;

/// The length of the fullest second, in ms.
const SECOND_MS: u64 = 1000;
/// In the sample, below which chance alone makes full seconds.
const TOGETHER_SAMPLED: u64 = 50;
/// In the whole database: fewer reads at once do an origin no harm.
const TOGETHER_KEYS: u64 = 100;
/// Of the keys with a TTL.
const TOGETHER_SHARE: f64 = 0.01;
/// Against the seconds before it. Where keys are written at a steady rate, whatever their TTLs are, fewer end in a later second than
/// in an earlier one: a later second that is so much fuller was written in one burst.
const TOGETHER_TIMES: f64 = 5.0;
/// The largest burst that the scenario is given: what the lab can do in a moment.
const BURST_MAX: u64 = 100_000;
/// A pattern of fewer keys says nothing.
const GROUP_MIN: u64 = 20;
/// From this share of keys with a TTL on, those without one are a mistake.
const MISTAKE_SHARE: f64 = 0.5;
/// Below it down to here they may be: endless keys stay and the others go, so that in the end most are endless.
const DOUBT_SHARE: f64 = 0.1;

pub(super) const EXPIRE_TOGETHER: FindingRule = FindingRule {
    name: "expire-together",
    severity: Severity::Warning,
    when: "a second in which 1 % of the keys with a TTL end (at least 50 that were looked at and 100 in all), 5 times as many as in the mean second before it",
    why: "in that second all of them are misses at once: the origin gets as many reads as there are keys, and clients that ask for them wait",
    remedy: "spread the TTLs when writing: T + random(0 … T/5); refresh early or serve stale for what is asked for often",
    scenario: Some("--scenario bulk-warm --lab sim"),
    rule: |look| {
        let keys = look.keys.as_ref()?;
        let (at_ms, together) = cliff(&keys.ends_ms)?;
        let in_all = keys.scaled(together);
        let about = if keys.is_all { "" } else { "about " };
        let found = format!(
            "{about}{in_all} keys end in one second, {} from now ({} of those with a TTL; {})",
            seconds(at_ms / SECOND_MS),
            percent(share(together, keys.ends_ms.len() as u64)),
            keys.of_how_many()
        );
        let scenario = format!("--scenario bulk-warm --set keys.n={} --lab sim", in_all.min(BURST_MAX));
        (in_all >= TOGETHER_KEYS).then(|| FaultSeen::from(found).scenario(scenario))
    },
};

/// The fullest second that is no steady state's: when it begins, and how many keys end in it. `ends` ascend.
fn cliff(ends_ms: &[u64]) -> Option<(u64, u64)> {
    let mut best = None;
    let mut after = 0;
    for (before, begin) in ends_ms.iter().enumerate() {
        while ends_ms.get(after).is_some_and(|end| end.saturating_sub(*begin) < SECOND_MS) {
            after += 1;
        }
        let together = (after - before) as u64;
        let is_fuller = together as f64 * (*begin as f64 / SECOND_MS as f64) >= TOGETHER_TIMES * before as f64;
        let is_many = together >= TOGETHER_SAMPLED && share(together, ends_ms.len() as u64) >= TOGETHER_SHARE;
        if *begin >= SECOND_MS && is_fuller && is_many && best.is_none_or(|(_, most)| together > most) {
            best = Some((*begin, together));
        }
    }
    best
}

pub(super) const ENDLESS_KEYS: FindingRule = FindingRule {
    name: "endless-keys",
    severity: Severity::Warning,
    when: "keys without a TTL in a pattern of at least 20 of which half have one; a note where a tenth has",
    why: "they were to end and never will: a limiter's counter locks its user out for ever, a cached value stays old, memory fills",
    remedy: "write value and TTL in one command (SET … EX, a script, or MULTI); find them by SCAN and give them a TTL",
    scenario: Some("--scenario counters --lab sim"),
    rule: |look| {
        let keys = look.keys.as_ref()?;
        let is_mixed = |(_, group): &(&String, &KeyGroup)| {
            let with_ttl = share(group.with_ttl, group.keys);
            group.keys >= GROUP_MIN && group.with_ttl < group.keys && with_ttl >= DOUBT_SHARE
        };
        let mut mixed: Vec<_> = keys.groups.iter().filter(is_mixed).collect();
        mixed
            .sort_by_key(|(_, group)| (share(group.with_ttl, group.keys) < MISTAKE_SHARE, group.with_ttl < group.keys));
        let (pattern, group) = mixed.first()?;
        let is_mistake = share(group.with_ttl, group.keys) >= MISTAKE_SHARE;
        let endless = group.keys - group.with_ttl;
        let others = if mixed.len() > 1 { format!("; {} patterns more", mixed.len() - 1) } else { String::new() };
        let found = format!(
            "{endless} of {} keys \"{pattern}\" have no TTL, for one \"{}\" ({}{others})",
            group.keys,
            group.endless.as_deref().unwrap_or_default(),
            keys.of_how_many()
        );
        let seen = FaultSeen::from(found);
        Some(if is_mistake { seen } else { seen.severity(Severity::Note) })
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Ends of `n` keys, evenly over a TTL.
    fn steady(n: u64, ttl_ms: u64) -> Vec<u64> {
        (0..n).map(|at| at * ttl_ms / n).collect()
    }

    fn of(mut parts: Vec<Vec<u64>>) -> Option<(u64, u64)> {
        let mut all: Vec<u64> = parts.drain(..).flatten().collect();
        all.sort_unstable();
        cliff(&all)
    }

    #[test]
    fn a_burst_is_a_cliff_and_a_steady_rate_is_none() {
        for ttl_s in [1, 5, 60, 3600] {
            assert_eq!(of(vec![steady(10_000, ttl_s * 1000)]), None, "{ttl_s}");
        }
        // Two uses with TTLs far apart.
        assert_eq!(of(vec![steady(6000, 5000), steady(4000, 86_400_000)]), None);
        // A burst among them, and one that is all there is.
        assert_eq!(of(vec![steady(9000, 5000), vec![3_600_000; 1000]]), Some((3_600_000, 1000)));
        assert_eq!(of(vec![vec![3000; 100]]), Some((3000, 100)));
        // Spread over a fifth of an hour; too few; about to end.
        assert_eq!(of(vec![(0..10_000).map(|at| 3_600_000 + at * 72).collect()]), None);
        assert_eq!(of(vec![vec![3000; 49]]), None);
        assert_eq!(of(vec![vec![500; 1000]]), None);
        assert!(of(vec![vec![u64::MAX; 100]]).is_some(), "nothing overflows");
        assert_eq!(of(vec![]), None);
    }
}
