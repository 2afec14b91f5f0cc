//! How a request can fail.

use std::time::Duration;

use crate::port::{FlightId, OriginError};

/// A request without an answer. Cloned for every follower of the flight that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GetError {
    /// The strategy refuses (503). `stale_will_do` says that the caller may serve a value past its TTL instead.
    #[error("waited too long for somebody else's lock")]
    Shed {
        /// When it is worth asking again.
        retry_after: Duration,
        /// Whether a stale value is an answer, too (`on_timeout=stale`).
        stale_will_do: bool,
    },
    /// The origin failed (502) or was too slow (504).
    #[error("{error}")]
    Origin {
        /// What it said.
        error: OriginError,
        /// The flight that failed.
        flight: FlightId,
    },
    /// A layer spares the origin this read (503).
    #[error("the origin is spared for now")]
    Refused {
        /// When it is worth asking again.
        retry_after: Duration,
        /// The flight that was refused.
        flight: FlightId,
    },
    /// The breaker of the shared cache is open, and the strategy refuses meanwhile (503).
    #[error("the shared cache is spared for now")]
    CacheSpared,
    /// All of the replica's request slots are taken, and its line is full (503).
    #[error("the replica has no slot free, and its queue is full")]
    Full,
    /// The request's own budget is spent (504).
    #[error("no answer within the request's budget")]
    OutOfTime,
    /// The leader vanished, and so did those who took over from it (502).
    #[error("every leader for this key vanished")]
    LeadersVanished,
}

impl GetError {
    /// When it is worth asking again, as the client is told: whole seconds, and never "at once". `None` where it is not told.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Shed { retry_after, .. } | Self::Refused { retry_after, .. } => {
                Some(Duration::from_secs(retry_after.as_secs().max(1)))
            }
            Self::Full | Self::CacheSpared => Some(Duration::from_secs(1)),
            Self::Origin { .. } | Self::OutOfTime | Self::LeadersVanished => None,
        }
    }
}
