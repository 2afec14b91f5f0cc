//! Events: what is done to the cache, the origin or a replica while a run is measured.
//!
//! The values only; how they are written in a file is in `event/text.rs`, and who does them is the lab's business.

mod text;

use std::fmt;
use std::time::Duration;

/// One thing that is done at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When, after t = 0 (the start of the measured time) and before its end.
    pub at: Duration,
    /// What.
    pub action: Action,
}

/// What is done. A `length` is how long it lasts, after which the lab undoes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    /// The entry of one key ends now; of every key, if there is none.
    Expire {
        /// The key, from 1.
        key: Option<u32>,
    },
    /// The cache loses all it holds, locks included.
    Flush,
    /// Origin reads take `factor` times their service time.
    OriginSlow {
        /// Above 1.
        factor: f64,
        /// How long.
        length: Duration,
    },
    /// Origin reads fail at once.
    OriginFail {
        /// How long.
        length: Duration,
    },
    /// The origin accepts reads and answers none.
    OriginPause {
        /// How long.
        length: Duration,
    },
    /// The cache is gone: connections are refused, and what it held is lost.
    CacheStop {
        /// How long.
        length: Duration,
    },
    /// The cache holds its connections and answers nothing.
    CachePause {
        /// How long.
        length: Duration,
    },
    /// The cache stops and starts again at once, empty.
    CacheRestart,
    /// Every cache operation takes longer.
    CacheLatency {
        /// By how much.
        added: Duration,
        /// How long.
        length: Duration,
    },
    /// The link between a replica, or every replica, and the cache is cut.
    NetworkCut {
        /// Whose link; every replica's, if there is none.
        target: Option<Target>,
        /// How long.
        length: Duration,
    },
    /// A replica dies without a word, and stays dead until it is restarted.
    ReplicaKill {
        /// Which.
        target: Target,
    },
    /// A replica stands still and does not know it.
    ReplicaPause {
        /// Which.
        target: Target,
        /// How long.
        length: Duration,
    },
    /// A replica is started anew: a new incarnation, with nothing in memory.
    ReplicaRestart {
        /// Which.
        target: Target,
    },
}

/// A replica that an event is aimed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// `replica-2`: the replica of that number, from 0, as in a plan's items.
    Replica(u32),
    /// `lock-holder`: the replica that holds the hot key's lock or leads its flight when the event comes; replica 0 if
    /// none does.
    LockHolder,
}

impl Action {
    /// How long it lasts; `None` where it happens at once.
    #[must_use]
    pub fn length(&self) -> Option<Duration> {
        match self {
            Self::OriginSlow { length, .. }
            | Self::OriginFail { length }
            | Self::OriginPause { length }
            | Self::CacheStop { length }
            | Self::CachePause { length }
            | Self::CacheLatency { length, .. }
            | Self::NetworkCut { length, .. }
            | Self::ReplicaPause { length, .. } => Some(*length),
            Self::Expire { .. }
            | Self::Flush
            | Self::CacheRestart
            | Self::ReplicaKill { .. }
            | Self::ReplicaRestart { .. } => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replica(number) => write!(f, "replica-{number}"),
            Self::LockHolder => f.write_str("lock-holder"),
        }
    }
}
