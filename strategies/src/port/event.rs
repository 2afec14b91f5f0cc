//! What a strategy tells about itself: the raw material of the ledgers and of `events.jsonl`.

use std::time::Duration;

use super::{CacheErrorClass, FlightId, Stored};
use crate::kit::time::Mono;
use crate::port::key::Key;

/// Why a flight was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A request needs the answer.
    Demand,
    /// A background refresh.
    Refresh,
    /// The cache is being warmed before the load.
    Warm,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Demand, Self::Refresh, Self::Warm];

    /// The name in records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Demand => "demand",
            Self::Refresh => "refresh",
            Self::Warm => "warm",
        }
    }
}

/// The ways in which a leader can end, and what each means for its followers (the callers, in this process or another,
/// that wait for the same key).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaderEnd {
    /// It has the value. Followers in its process get it from the flight; those elsewhere read it from the cache (where
    /// the put failed they find the lock free at their next poll, and one of them leads).
    Done,
    /// The origin failed. Followers in its process get the same error, once. The lock is released at once, so one of the
    /// followers elsewhere leads at its next poll.
    OriginError,
    /// Its deadline passed before the origin answered. As [`LeaderEnd::OriginError`], with a time-out for an error. The
    /// read may still be running at the origin.
    TimedOut,
    /// It has the value, but its lock was gone when it let go: expired, evicted, or taken over. Followers get the value all
    /// the same; somebody else may have read the origin, too.
    LockLost,
    /// A layer of its own replica's refused the read, so the origin never saw it. As [`LeaderEnd::OriginError`], with a refusal
    /// (503) for an error.
    Refused,
    /// It was dropped or panicked. Followers in its process start over, and one of them leads. A lock that it held ends
    /// with its lease; then one of the followers elsewhere leads.
    Vanished,
}

impl LeaderEnd {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Done, Self::OriginError, Self::TimedOut, Self::LockLost, Self::Refused, Self::Vanished];

    /// The name in records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::OriginError => "origin-error",
            Self::TimedOut => "timed-out",
            Self::LockLost => "lock-lost",
            Self::Refused => "refused",
            Self::Vanished => "vanished",
        }
    }
}

/// Which layer spared the origin a read, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedBy {
    /// `limit`: its queue was full.
    LimitFull,
    /// `limit`: too little of the read's budget was left when its turn came, or before.
    LimitLate,
    /// `breaker`: it was open, or half open with its trickle under way.
    Breaker,
}

impl RefusedBy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::LimitFull, Self::LimitLate, Self::Breaker];

    /// The name in records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LimitFull => "limit-full",
            Self::LimitLate => "limit-late",
            Self::Breaker => "breaker",
        }
    }
}

/// What a breaker became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// It refuses everything until its cool-down is over.
    Open,
    /// It lets a trickle through.
    HalfOpen,
    /// It lets everything through.
    Closed,
}

impl BreakerState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::HalfOpen, Self::Closed];

    /// The name in records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::HalfOpen => "half-open",
            Self::Closed => "closed",
        }
    }
}

/// Every cache operation that can fail, by name: of entries and leases, and of counters ([`super::CounterCommand::NAMES`]).
pub const OPERATIONS: [&str; 16] = [
    "get",
    "put",
    "remove",
    "acquire",
    "renew",
    "release",
    "seize",
    "tell",
    "read-counter",
    "set-counter",
    "set-new",
    "add",
    "expire",
    "transaction",
    "script",
    "increx",
];

/// Something that happened inside a strategy. The sink stamps it with its own clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A flight to the origin began.
    FlightLed {
        /// Its name.
        flight: FlightId,
        /// Its key.
        key: Key,
        /// Why.
        cause: Cause,
    },
    /// A flight ended. Every flight that was led ends exactly once.
    FlightEnded {
        /// Its name.
        flight: FlightId,
        /// Its key.
        key: Key,
        /// How.
        end: LeaderEnd,
    },
    /// The answer of a request whose own flight this was has been handed to the server. A replica tells it, no strategy does.
    Answered(FlightId),
    /// A lock's leader ended, its release included.
    LockEnded {
        /// The key.
        key: Key,
        /// How.
        end: LeaderEnd,
    },
    /// The origin has committed a write.
    Written {
        /// Its name.
        flight: FlightId,
        /// Its key.
        key: Key,
        /// The version that it made; `None` where there is no such item.
        version: Option<u64>,
    },
    /// A write failed, as far as its replica knows; the origin may have committed it all the same.
    WriteFailed {
        /// Its name.
        flight: FlightId,
        /// Its key.
        key: Key,
    },
    /// A write took its key out of the cache.
    Invalidated(Key),
    /// The cache could not be told of a write: what it holds of the key is wrong until its life is over.
    CacheNotTold(Key),
    /// An entry was written (or fenced off).
    Put {
        /// The key.
        key: Key,
        /// Until when it is fresh, on the writer's monotonic clock: its stamp and life (jitter included) against the wall clock.
        fresh_until: Mono,
        /// The origin's version of it.
        version: u64,
        /// Whether the put had a condition: a lease's token, or that nothing newer is there.
        fenced: bool,
        /// Whether it is there.
        stored: Stored,
    },
    /// A hit on which the policy decided to refresh early.
    EarlyRefresh(Key),
    /// A background refresh failed; the entry that it was to replace stays.
    RefreshFailed(Key),
    /// A caller gave up waiting for somebody else's lock.
    LockTimeout(Key),
    /// The cache is lost: a lock layer coalesces in its own process instead.
    LockFallback(Key),
    /// Nobody could listen for a message about the key, or it was not taken: waiters poll instead.
    WakeLost(Key),
    /// The cache held something that is no entry.
    Corrupt(Key),
    /// A layer refused an origin read.
    OriginSpared {
        /// The key.
        key: Key,
        /// Which, and why.
        by: RefusedBy,
    },
    /// The replica's breaker became this.
    Breaker(BreakerState),
    /// The replica's breaker of the shared cache became this.
    CacheBreaker(BreakerState),
    /// A cache operation failed.
    CacheFailed {
        /// One of [`OPERATIONS`].
        op: &'static str,
        /// The class of the failure.
        class: CacheErrorClass,
    },
}

/// Takes events. Must not block, and must not call back.
pub trait EventSink: Send + Sync {
    /// Takes one.
    fn emit(&self, event: Event);

    /// A caller's wait for somebody else's lock is over, whatever ended it. A figure and no event: every loser of every
    /// herd has one, and no log keeps them.
    fn lock_waited(&self, _waited: Duration) {}
}
