//! The slow thing behind the cache.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;

use super::BoxFuture;
use crate::kit::time::{Mono, Wall};
use crate::port::key::Key;

/// Names one origin read, fleet-wide: the replica's incarnation (drawn when it starts) and a running number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlightId {
    /// Which life of which replica.
    pub incarnation: u64,
    /// Counted from 1 within it.
    pub number: u64,
}

impl fmt::Display for FlightId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.incarnation, self.number)
    }
}

impl FromStr for FlightId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (incarnation, number) = text.split_once('-').ok_or(())?;
        Ok(Self {
            incarnation: u64::from_str_radix(incarnation, 16).map_err(|_| ())?,
            number: number.parse().map_err(|_| ())?,
        })
    }
}

/// What an origin read, or a write, is told about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadCx {
    /// Its name, which the origin writes into its ledger.
    pub flight: FlightId,
    /// The replica that asks.
    pub replica: u16,
    /// When the caller stops listening.
    pub deadline: Mono,
}

/// What an origin read, or a write, brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The item; `None` where the origin has no such item.
    pub value: Option<Bytes>,
    /// Its version: monotone per key.
    pub version: u64,
    /// When it began, on the caller's wall clock.
    pub read_at: Wall,
}

/// How an origin read failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// It answered with an error, or refused for want of room.
    #[error("the origin failed: {0}")]
    Failed(String),
    /// It did not answer before the deadline. The read may still be running there.
    #[error("the origin did not answer in time")]
    TimedOut,
    /// It could not be reached; no read was begun, as far as the caller can know.
    #[error("the origin cannot be reached: {0}")]
    Unreachable(String),
    /// It was not asked: a layer of the replica's own spared it this read.
    #[error("the origin is spared for now")]
    Refused {
        /// When it is worth asking again.
        retry_after: Duration,
    },
}

/// The origin.
pub trait Origin: Send + Sync {
    /// Reads an item.
    fn load<'a>(&'a self, key: &'a Key, cx: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>>;

    /// Gives an item a new value, and returns it with its version, higher than any before; no value where the origin has no such
    /// item. A read that begins after this has returned finds that version or a later one.
    fn store<'a>(&'a self, key: &'a Key, cx: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flight_id_survives_text() {
        let id = FlightId { incarnation: 0xAB, number: 17 };
        assert_eq!(id.to_string(), "00000000000000ab-17");
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "ab", "x-1", "1-x", "-"] {
            assert_eq!(bad.parse::<FlightId>(), Err(()), "{bad:?}");
        }
    }
}
