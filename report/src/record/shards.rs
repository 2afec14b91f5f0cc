//! How the load lay on a cluster's nodes while a strategy was measured, from the rows of `shards.csv`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the load lay on a cluster's nodes in the measured phase: in those samples, a second apart, that lie in it wholly.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Shards")]
pub struct ShardFigures {
    /// Nodes that served slots as primaries, however briefly.
    pub primaries: u64,
    /// Replicas that answered reads.
    #[serde(default)]
    pub replicas: u64,
    /// Commands of clients on all of these, those of scripts included.
    pub operations: u64,
    /// The share of these that the busiest of them carried out, 0 to 1; `None` where there were none.
    pub fullest_share: Option<f64>,
    /// The most processor time that one of them took, cores on average.
    pub cpu_cores_max: Option<f64>,
    /// Redirections that the replicas were told: `MOVED`, `ASK` and `TRYAGAIN`. The nodes' own counts have those of other clients, too; `None` where an event ended
    /// a replica and its counts with it.
    pub told: Option<u64>,
    /// `MOVED` that all nodes answered.
    pub moved: u64,
    /// `ASK` that they answered.
    pub ask: u64,
    /// `TRYAGAIN` that they answered.
    pub try_again: u64,
}
