//! What a cache holds for a key, and how its age is judged.
//!
//! The payload is opaque to every strategy. Ages are counted from `stored_at` on the wall clock of whoever asks, so that
//! a replica's skew shows; a stamp from the future counts as age zero.

use std::time::Duration;

use bytes::Bytes;

use crate::time::{Wall, nanos};

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

    /// Whether it answers somebody who wants a fresh entry, newer than one that he may hold already.
    #[must_use]
    pub fn answers(&self, newer_than: Option<Wall>, now: Wall) -> bool {
        self.freshness(now) == Freshness::Fresh && newer_than.is_none_or(|held| self.read_at > held)
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
        assert!(e.answers(Some(Wall(98 * S)), Wall(101 * S)));
        assert!(!e.answers(Some(Wall(99 * S)), Wall(101 * S)), "the same read is not newer");
        assert!(!e.answers(None, Wall(105 * S)), "stale is no answer");
    }

    #[test]
    fn one_factor_scales_both_lives() {
        let life = entry().life.scaled(1.5);
        assert_eq!(life.soft, Duration::from_millis(7500));
        assert_eq!(life.hard, Duration::from_secs(12));
    }
}
