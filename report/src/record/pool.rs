//! Of a strategy whose replicas take connections to the shared cache from a pool: how long requests waited for them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Latency;

/// The pools of the replicas in the measured phase. What requests found is what each saw when it first asked for a connection, in its own
/// replica.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Pool")]
pub struct PoolFigures {
    /// Requests that asked for a connection and were answered.
    pub asked: u64,
    /// Of these, those that had to wait for one.
    pub waited: u64,
    /// These as a share; `None` where none asked.
    pub waited_share: Option<f64>,
    /// Of those that waited, the ones that were not for the hot key; `None` where there is none.
    pub waited_elsewhere: Option<u64>,
    /// How long requests waited for connections, all operations of each together, those that did not wait included.
    pub wait_ms: Latency,
    /// How many connections were in use, on average over what requests found.
    pub in_use_mean: Option<f64>,
    /// The most that a request found in use.
    pub in_use_max: u64,
    /// The most operations that a request found waiting.
    pub waiting_max: u64,
    /// Connections that replicas took. `None` where an event ended a replica, for its counts ended with it; so are the figures below.
    pub taken: Option<u64>,
    /// Operations that waited in vain, and failed.
    pub gave_up: Option<u64>,
    /// For how long a connection was taken, on average.
    pub held_ms_mean: Option<f64>,
    /// The squared coefficient of variation of that time: 0 where all are alike, 1 where they are exponential.
    pub held_variation: Option<f64>,
    /// Connections that are in use on average in a replica, were there enough: taken a second × time held (Little's law).
    pub offered: Option<f64>,
    /// The share that waits by theory with that load (Erlang's C); `None` where theory says nothing (docs/connections.md).
    pub waited_share_by_theory: Option<f64>,
    /// The 99th percentile of the wait by theory with that load and that variation, likewise.
    pub wait_p99_ms_by_theory: Option<f64>,
}
