//! Fills: ways to get a value that is not in the cache, from "everybody reads" to "one reads for the whole fleet".
//!
//! A fill is load-and-store as *one* act: where a flight closes before its value is stored, a second leader starts in
//! the gap (measured: 24 loads instead of 12). And it says who did the work, [`Filled::Led`] or [`Filled::Joined`]: with
//! hidden coalescing 612 answers claimed 24 reads.

mod backoff;
mod bare;
mod coalesce;
mod flight;
mod hold;
mod load;
mod lock;
mod rows;

use std::time::Duration;

pub(crate) use backoff::Backoff;
pub(crate) use bare::BARE;
pub(crate) use coalesce::{COALESCE, Coalesce, FlightPlace, Flying, as_followers_see};
pub(crate) use flight::Flights;
pub use hold::LEASE_MARGIN;
pub(crate) use hold::{Hold, LockSettings, OnTimeout};
pub(crate) use load::LoadFill;
pub use load::Prefetched;
pub(crate) use lock::Lock;
pub(crate) use rows::{LEASE, LOCK};

use crate::kit::time::Mono;
use crate::port::entry::{Entry, Life, Stamp};
use crate::port::error::GetError;
use crate::port::key::Key;
use crate::port::{BoxFuture, FlightId, When};

/// The caller, and its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cx {
    /// The request's running number in its replica; 0 for background work.
    pub request: u64,
    /// The moment by which the asker must have an answer.
    pub deadline: Mono,
    /// The replica.
    pub replica: u16,
}

/// Whether the asker waits for somebody else's flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It needs an answer, and waits for one.
    Wait,
    /// It is a background refresh: it leads at once or not at all, and never polls or waits.
    Try,
}

/// What the asker wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// The entry that is to be replaced: only a later read is an answer. A refresh of an entry that is still fresh is a
    /// fill, too.
    pub newer_than: Option<Stamp>,
    /// Whether to wait.
    pub mode: Mode,
    /// The life to store with.
    pub life: Life,
    /// On which condition to store.
    pub when: When,
}

/// A fill that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filled {
    /// The asker's own flight read the origin.
    Led(Entry, FlightId),
    /// Somebody else's read is the answer.
    Joined(Entry),
    /// Somebody else is at it, and the asker would not wait. Only ever told to [`Mode::Try`].
    Busy {
        /// When there might be something to see.
        retry_in: Duration,
    },
}

/// A way to get a value that is not in the cache.
pub(crate) trait Fill: Send + Sync {
    /// Gets it, and stores it.
    fn fill<'a>(&'a self, cx: Cx, key: &'a Key, want: Want) -> BoxFuture<'a, Result<Filled, GetError>>;
}
