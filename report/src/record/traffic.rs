//! What went between the replicas and the shared cache.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Commands on entries and the entries' bytes as they lie in the cache, in the measured phase, of all replicas. Keys and what the protocol
/// puts around are not counted; nor are leases, messages and counters.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Traffic")]
pub struct TrafficFigures {
    /// Commands that read, wrote or removed entries.
    pub commands: u64,
    /// Bytes of entries that came from the cache.
    pub bytes_read: u64,
    /// Bytes of entries that went to it.
    pub bytes_written: u64,
    /// Commands, for each request; `None` where there was none.
    pub commands_per_request: Option<f64>,
    /// Bytes that came, for each request; `None` where there was none.
    pub read_per_request: Option<f64>,
    /// Bytes that went, for each request.
    pub written_per_request: Option<f64>,
    /// Round trips to the cache that a request for several items waited for, one after the other, those that others did for it left out; `None`
    /// where no layer orders their reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trips_per_request: Option<f64>,
    /// How much of an item an answer from the cache carries, 0 to 1; `None` where items have no parts.
    pub part: Option<f64>,
    /// Reads that found parts of an item of different versions, and were taken for misses; `None` where items have no parts.
    pub torn: Option<u64>,
}
