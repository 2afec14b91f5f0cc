//! What a strategy says of its connections to the shared cache.

use std::time::Duration;

use crate::port::{ConnectionLimits, ReadFrom};

/// One of the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ConnectionLayer {
    /// Over one connection that all share.
    Multiplexed,
    /// Over a pool's.
    Pool(PoolSettings),
    /// Each within these limits.
    Timeouts(ConnectionLimits),
    /// Reads by these servers.
    ReadFrom(ReadFrom),
}

/// How operations reach the shared cache. Where it says nothing, over the world's own connection.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct ConnectionSpec {
    pub(crate) pool: Option<PoolSettings>,
    pub(crate) limits: Option<ConnectionLimits>,
    pub(crate) reads: ReadFrom,
}

/// A pool, and how it is used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoolSettings {
    /// Connections of a replica.
    pub size: u32,
    /// How long an operation waits for one before it fails.
    pub wait: Duration,
    /// For how long one is taken.
    pub hold: HoldFor,
    /// Which share of them is for reads alone; `None` where reads and fills share all.
    pub split: Option<f64>,
}

/// For how long a connection is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldFor {
    /// For one command.
    Command,
    /// From a request's first command to its answer.
    Request,
}

impl PoolSettings {
    /// Connections for reads and for fills, where they are kept apart; at least one of each.
    pub(crate) fn parts(&self) -> Option<(u32, u32)> {
        let reads = (f64::from(self.size) * self.split?).round().clamp(1.0, f64::from(self.size - 1));
        Some((reads as u32, self.size - reads as u32))
    }
}
