//! Of a run in which a strategy keeps values in the replicas' processes: which level of the cache answered, and what became of the copies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The levels of the cache in the measured phase.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Levels")]
pub struct LevelFigures {
    /// Requests that were answered from a copy in their replica's process.
    pub near: u64,
    /// These as a share of all requests; `None` where answers did not say how they were made.
    pub near_share: Option<f64>,
    /// Reads of the shared cache by all replicas, those of leaders that look again and of callers that wait included. `None` where an
    /// event ended a replica, for its counts ended with it; so are the figures below.
    pub shared_reads: Option<u64>,
    /// The same a second.
    pub shared_reads_per_s: Option<f64>,
    /// What theory predicts of that, `R / (L + 1/r_p)`; `None` where it does not (docs/near.md).
    pub shared_reads_by_theory: Option<f64>,
    /// Changes that writers told the other replicas of.
    pub told: Option<u64>,
    /// Changes that replicas heard of, summed.
    pub heard: Option<u64>,
    /// Changes that were told and not heard, summed over the replicas; `None` where the server tells and not the writer.
    pub lost: Option<u64>,
    /// Times that a replica threw away all of its copies, because changes may have been missed.
    pub flushed: Option<u64>,
    /// Replies of the shared cache that a change overtook. They are not kept; where that is the mistake, they are.
    pub overtaken: Option<u64>,
    /// Copies that went for want of room.
    pub evicted: Option<u64>,
    /// The most copies in one replica at a time, warm-up included.
    pub entries_max: Option<u64>,
    /// The most bytes in one replica at a time, as the layer counts them, warm-up included.
    pub bytes_max: Option<u64>,
}
