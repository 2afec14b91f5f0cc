//! Whether a second that comes from a file can be one: what is counted and added up from it must not overflow, and no key may be asked to
//! have a place that the scenario has no key for.

use std::ops::RangeInclusive;

use super::second::Second;

/// The most that a count of a second may be.
const COUNT_MAX: u64 = 1 << 40;
/// The longest time, nanoseconds: about 36 years.
const NS_MAX: i64 = 1 << 60;

/// What a second of a run can have.
#[derive(Debug, Clone)]
pub struct SecondBounds {
    /// Its number.
    pub numbers: RangeInclusive<i64>,
    /// Its keys.
    pub last_key: u32,
}

impl SecondBounds {
    /// What is wrong with it.
    #[must_use]
    pub fn nonsense(&self, second: &Second) -> Option<String> {
        let number = second.number;
        if !self.numbers.contains(&number) {
            let (first, last) = (self.numbers.start(), self.numbers.end());
            return Some(format!("second {number}, allowed {first} to {last}"));
        }
        let key = self.keys(second).find(|key| !(1..=self.last_key).contains(key));
        if let Some(key) = key {
            return Some(format!("key {key} in second {number}, allowed 1 to {}", self.last_key));
        }
        let count = counts(second).find(|count| *count > COUNT_MAX);
        if let Some(count) = count {
            return Some(format!("a count of {count} in second {number}, allowed {COUNT_MAX}"));
        }
        let ns = times(second).find(|ns| ns.unsigned_abs() > NS_MAX.unsigned_abs());
        ns.map(|ns| format!("a time of {ns} ns in second {number}, allowed {NS_MAX}"))
    }

    fn keys<'a>(&self, second: &'a Second) -> impl Iterator<Item = u32> + 'a {
        let arrivals = second.arrivals.iter().map(|(_, key)| *key);
        let versions = second.versions.seen.iter().map(|seen| seen.key);
        let writes = second.versions.writes.iter().map(|(.., key)| *key);
        arrivals.chain(versions).chain(writes).chain(second.increments.iter().map(|seen| seen.key))
    }
}

/// Every count that is added to others.
fn counts(second: &Second) -> impl Iterator<Item = u64> + '_ {
    let bins = second
        .bins
        .iter()
        .flat_map(|bin| [bin.offered, bin.sent, bin.near, bin.retries].into_iter().chain(bin.outcomes));
    let (pool, tries, writes) = (&second.pool, &second.tries, &second.versions.count);
    let pool = [pool.asked, pool.waited, pool.waited_elsewhere, pool.in_use_sum];
    let tries = [tries.retried, tries.saved, tries.unpaid, second.moved_on, second.resent];
    let writes = [writes.planned, writes.unsent, writes.acknowledged, writes.failed, writes.unknown];
    bins.chain(second.hot_outcomes)
        .chain(second.errors.values().copied())
        .chain(second.versions.count.error_kinds.values().copied())
        .chain(pool)
        .chain(tries)
        .chain(writes)
        .chain(second.times.iter().map(|times| times.count()))
}

/// Every moment that is compared with others.
fn times(second: &Second) -> impl Iterator<Item = i64> + '_ {
    let writes = second.versions.writes.iter().flat_map(|(write, at, _)| [write.sent_ns, write.done_ns, *at]);
    let increments = second.increments.iter().flat_map(|seen| [seen.sent_ns, seen.done_ns]);
    let slowest = second.slowest.iter().flat_map(|of| of.all());
    let arrivals = second.arrivals.iter().map(|(at, _)| *at);
    arrivals.chain(second.versions.seen.iter().map(|seen| seen.began_ns)).chain(writes).chain(increments).chain(slowest)
}
