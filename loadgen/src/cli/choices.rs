//! What an option may be one of.

use clap::ValueEnum;

/// Where a lab is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LabChoice {
    /// The containers where they are up and well, else local
    Auto,
    /// The containers of compose.yaml, which must be up
    Docker,
    /// Replicas, origin and cache on loopback
    Local,
    /// Everything simulated, in virtual time: exact, and in well under a second
    Sim,
}

/// Which shared cache the local lab has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CacheChoice {
    /// A private redis-server where one is installed, else memory
    Auto,
    /// A private redis-server
    Redis,
    /// A private cluster: three primaries with a replica each
    Cluster,
    /// A private redis-server with a standby, which three Sentinels watch
    Sentinel,
    /// The embedded memory cache
    Memory,
}

/// What makes the next request come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ArrivalChoice {
    /// A client's own answer
    Closed,
    /// The clock, with independent exponential gaps
    Poisson,
    /// The clock, with equal gaps
    Constant,
}
