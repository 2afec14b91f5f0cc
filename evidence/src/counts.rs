//! What replicas and origin count.

use serde::{Deserialize, Serialize};

/// `GET /counters` of a replica, since its strategy was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReplicaCounters {
    /// Requests taken.
    pub requests: u64,
    /// Cache and lease operations.
    pub cache_ops: u64,
    /// Requests and background tasks that have not ended.
    pub in_flight: u64,
    /// The most requests that waited at a time since the last `POST /mark`; `None` where that is not known.
    #[serde(default)]
    pub peak_waiters: Option<u64>,
}

/// `GET /counters` of the origin, since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OriginCounters {
    /// Reads that arrived.
    pub arrived: u64,
    /// Reads that have not ended, queue included.
    pub in_flight: u64,
    /// Times that the rows were to get a new version and the database refused.
    #[serde(default)]
    pub writes_missed: u64,
}
