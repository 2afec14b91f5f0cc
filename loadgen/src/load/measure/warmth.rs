//! Whether the cache was warm at t = 0: by hits at the end of the warm-up, where hits were to be expected.
//!
//! A key that is asked for twice an hour, or whose read takes as long as the whole warm-up, has no hits to show, however well its
//! cache works. So what came is set against what a cache that does nothing wrong would have answered from what it has: where
//! that is too little to tell, nothing is said.

use std::collections::BTreeMap;
use std::time::Duration;

use report::record::BinRow;
use strategies::ByItem;
use strategies::time::nanos;

use crate::load::record::KeySample;

/// Requests at the end of a warm-up that show whether the cache is warm; a second of them at least.
const REQUESTS_TO_WARM: u64 = 100;
/// Hits that must have been expected of them before their absence says something.
const HITS_EXPECTED: u64 = 5;

/// Counts, while the warm-up goes on, the hits that a cache without flaw would have had at least. Its memory is a number a key and
/// one a second.
#[derive(Debug, Clone, PartialEq)]
pub struct Warmth {
    /// The last key that exists.
    items: u32,
    read_ns: i64,
    life_ns: ByItem<i64>,
    /// When each key's last load began.
    last_load: BTreeMap<u32, i64>,
    /// By the second's first millisecond.
    expected: BTreeMap<i64, u64>,
}

impl Warmth {
    /// Of a cache of items 1 to `items`, whose reads take `read` at most and whose entries live so long at least.
    #[must_use]
    pub fn new(items: u32, read: Duration, lives: impl Into<ByItem<Duration>>) -> Self {
        let since = |length| i64::try_from(nanos(length)).unwrap_or(i64::MAX);
        let (last_load, expected) = (BTreeMap::new(), BTreeMap::new());
        Self { items, read_ns: since(read), life_ns: lives.into().map(|life| since(*life)), last_load, expected }
    }

    /// Takes the arrivals of a second before t = 0: (intended, key) in order of time, all after those of earlier calls.
    pub fn arrive(&mut self, start_ms: i64, arrivals: &[KeySample]) {
        let mut hits = 0;
        for (at, key) in arrivals.iter().filter(|(_, key)| *key <= self.items) {
            let age = self.last_load.get(key).map(|begun| at - begun).filter(|age| age < self.life_ns.of(*key));
            match age {
                Some(age) => hits += u64::from(age >= self.read_ns),
                None => drop(self.last_load.insert(*key, *at)),
            }
        }
        self.expected.insert(start_ms, hits);
    }

    /// Answers out of the cache (fresh or stale) in the last seconds before t = 0: in the last one, and where fewer than a hundred
    /// requests were sent in it, in as many more as have a hundred. `None` where there were none and too few were to be expected.
    #[must_use]
    pub fn hits(&self, seconds: &[BinRow]) -> Option<u64> {
        let (mut hits, mut sent, mut expected) = (0, 0, 0);
        for row in seconds.iter().rev().filter(|row| row.start_ms < 0) {
            hits += row.hit + row.stale;
            sent += row.sent;
            expected += self.expected.get(&row.start_ms).copied().unwrap_or(0);
            if sent >= REQUESTS_TO_WARM {
                break;
            }
        }
        (hits > 0 || expected >= HITS_EXPECTED).then_some(hits)
    }
}
