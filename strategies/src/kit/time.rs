//! Moments on the two clocks of a replica.
//!
//! They are two types so that a deadline can never be compared with a stamp: `Mono` never jumps and means nothing to
//! another process; `Wall` is what replicas share, and may be skewed.

use std::time::Duration;

/// A moment on this process's monotonic clock, nanoseconds since an arbitrary start. For deadlines and durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Mono(pub u64);

/// A moment on a wall clock, nanoseconds since the Unix epoch. Only for stamps that other replicas read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Wall(pub u64);

/// A duration as whole nanoseconds, saturating at 584 years.
#[must_use]
pub fn nanos(d: Duration) -> u64 {
    u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)
}

impl Mono {
    /// The moment `d` later.
    #[must_use]
    pub fn plus(self, d: Duration) -> Self {
        Self(self.0.saturating_add(nanos(d)))
    }

    /// The moment `d` earlier, at the earliest the clock's start.
    #[must_use]
    pub fn minus(self, d: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(d)))
    }

    /// The time from `earlier` to here; zero where `earlier` is the later one.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Wall {
    /// The moment `d` later.
    #[must_use]
    pub fn plus(self, d: Duration) -> Self {
        Self(self.0.saturating_add(nanos(d)))
    }

    /// The time from `earlier` to here; zero where `earlier` is the later one, as it can be between skewed clocks.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The signed distance from `other` to here in nanoseconds, saturating.
    #[must_use]
    pub fn minus(self, other: Self) -> i64 {
        let d = i128::from(self.0) - i128::from(other.0);
        i64::try_from(d).unwrap_or(if d > 0 { i64::MAX } else { i64::MIN })
    }
}
