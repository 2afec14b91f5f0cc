//! What a cache holds for a key, and how its age is judged.
//!
//! The payload is opaque to every strategy. Ages are counted from `stored_at` on the asking replica's wall clock, so that
//! a replica's skew shows; a stamp from the future counts as age zero.

use std::cmp::Ordering;
use std::time::Duration;

use bytes::Bytes;

use crate::kit::time::{Wall, nanos};

/// How long an entry may be served: fresh until `soft`, stale until `hard`, both counted from the moment of storing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// The TTL: until this age an answer is fresh.
    pub soft: Duration,
    /// The last age at which it may be served at all; never shorter than `soft`.
    pub hard: Duration,
}

impl Life {
    /// A life of `soft` fresh and `stale` more.
    #[must_use]
    pub fn new(soft: Duration, stale: Duration) -> Self {
        Self { soft, hard: soft.saturating_add(stale) }
    }

    /// Both lives longer (or shorter) by one factor, which must be finite and not negative.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        let scale = |d: Duration| Duration::from_nanos((nanos(d) as f64 * factor) as u64);
        Self { soft: scale(self.soft), hard: scale(self.hard) }
    }
}

/// One cached item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The payload; `None` says that the origin has no such item.
    pub value: Option<Bytes>,
    /// The origin's version of the item: monotone per key.
    pub version: u64,
    /// When the origin read began, on the leader's wall clock.
    pub read_at: Wall,
    /// When the entry was stored, on the leader's wall clock.
    pub stored_at: Wall,
    /// How long it may be served.
    pub life: Life,
    /// δ: how long the origin read took.
    pub delta: Duration,
}

/// What tells one read of an item from another, for a caller that holds an entry and wants a newer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The origin's version of the item.
    pub version: u64,
    /// When the origin read began, on the leader's wall clock.
    pub read_at: Wall,
}

impl Stamp {
    /// Whether it is of a later read than `held`, as far as anybody can tell.
    ///
    /// Versions order writes, but two reads of one version differ only by a wall clock, and a clock that was set back
    /// stamps the later one earlier. So another read of the same version counts as later: it says the same as the held
    /// one. Of an older version the clock decides; a missing item has version 0, and may have been there before.
    #[must_use]
    pub fn is_after(self, held: Self) -> bool {
        match self.version.cmp(&held.version) {
            Ordering::Greater => true,
            Ordering::Equal => self.read_at != held.read_at,
            Ordering::Less => self.read_at > held.read_at,
        }
    }
}

/// An entry's state at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Younger than its soft life.
    Fresh,
    /// Past its soft life, within its hard life.
    Stale,
    /// Past its hard life: never to be served.
    Expired,
}

impl Entry {
    /// Time since it was stored; zero for a stamp from the future.
    #[must_use]
    pub fn age(&self, now: Wall) -> Duration {
        now.since(self.stored_at)
    }

    /// Whether it may be served at `now`, and as what.
    #[must_use]
    pub fn freshness(&self, now: Wall) -> Freshness {
        let age = self.age(now);
        if age < self.life.soft {
            Freshness::Fresh
        } else if age < self.life.hard {
            Freshness::Stale
        } else {
            Freshness::Expired
        }
    }

    /// When it stops being fresh.
    #[must_use]
    pub fn expiry(&self) -> Wall {
        self.stored_at.plus(self.life.soft)
    }

    /// Nanoseconds until it stops being fresh; negative once it has.
    #[must_use]
    pub fn ttl_left(&self, now: Wall) -> i64 {
        self.expiry().minus(now)
    }

    /// Which read of the item it holds.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        Stamp { version: self.version, read_at: self.read_at }
    }

    /// Whether it answers somebody who wants a fresh entry, of a later read than one that he may hold already.
    #[must_use]
    pub fn answers(&self, newer_than: Option<Stamp>, now: Wall) -> bool {
        self.freshness(now) == Freshness::Fresh && newer_than.is_none_or(|held| self.stamp().is_after(held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn entry() -> Entry {
        Entry {
            value: Some(Bytes::from_static(b"v")),
            version: 1,
            read_at: Wall(99 * S),
            stored_at: Wall(100 * S),
            life: Life::new(Duration::from_secs(5), Duration::from_secs(3)),
            delta: Duration::from_secs(1),
        }
    }

    #[test]
    fn age_decides_freshness_at_each_edge() {
        let e = entry();
        for (now, expected) in [
            (90 * S, Freshness::Fresh), // a stamp from the future is age zero
            (105 * S - 1, Freshness::Fresh),
            (105 * S, Freshness::Stale),
            (108 * S - 1, Freshness::Stale),
            (108 * S, Freshness::Expired),
        ] {
            assert_eq!(e.freshness(Wall(now)), expected, "at {now}");
        }
        assert_eq!(e.ttl_left(Wall(107 * S)), -2 * S as i64);
    }

    #[test]
    fn only_a_fresh_and_newer_entry_answers() {
        let e = entry();
        assert!(e.answers(None, Wall(101 * S)));
        assert!(!e.answers(None, Wall(105 * S)), "stale is no answer");
        for (version, read_at, expected) in [
            (1, 98, true),
            (1, 99, false),  // the same read is not newer
            (1, 100, true),  // a clock was set back between the two reads
            (0, 100, true),  // a newer version, whatever the clocks say
            (2, 100, false), // an old value that was written late
            (2, 98, true),   // an item that is no more has version 0
        ] {
            let held = Stamp { version, read_at: Wall(read_at * S) };
            assert_eq!(e.answers(Some(held), Wall(101 * S)), expected, "held {held:?}");
        }
    }

    #[test]
    fn one_factor_scales_both_lives() {
        let life = entry().life.scaled(1.5);
        assert_eq!(life.soft, Duration::from_millis(7500));
        assert_eq!(life.hard, Duration::from_secs(12));
    }
}
