//! How a part of the lab fared: whether its thread ran, its clocks were let alone, and its cache answered.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A silence is told one by one from this length on: two beats.
pub const LONG_SILENCE: Duration = Duration::from_millis(100);

/// `GET /heartbeat` of a replica or the origin: whether its thread ran and its clocks were let alone, since its strategy was
/// started. Times are of its monotonic clock.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The longest time without a beat, nanoseconds.
    pub longest_ns: u64,
    /// The times without a beat that were longer than [`LONG_SILENCE`]; the first thousand.
    pub silences: Vec<Silence>,
    /// How the wall clock moved against the monotonic one; the first thousand times.
    pub steps: Vec<ClockStep>,
    /// Of a replica that watches the cache: what it saw.
    #[serde(default)]
    pub cache: Option<CacheWatched>,
}

/// A time without a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// The last sign before it, nanoseconds.
    pub from_ns: u64,
    /// The first one after it, nanoseconds.
    pub to_ns: u64,
}

impl Silence {
    /// Its length, nanoseconds.
    #[must_use]
    pub const fn ns(&self) -> u64 {
        self.to_ns.saturating_sub(self.from_ns)
    }
}

/// A wall clock that was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockStep {
    /// When that was noticed.
    pub at_ns: u64,
    /// By how much, nanoseconds; negative where it was set back.
    pub by_ns: i64,
}

/// What a replica saw that kept an entry of the lab's own in the cache and asked for it all the time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CacheWatched {
    /// The longest time from a question to the next answer, nanoseconds.
    pub longest_ns: u64,
    /// The times without an answer that were longer than [`LONG_SILENCE`]; the first thousand.
    pub silences: Vec<Silence>,
    /// When the entry was found to be gone; the first thousand times.
    pub lost_ns: Vec<u64>,
}
