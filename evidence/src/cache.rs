//! What a shared cache says of itself.

use serde::{Deserialize, Serialize};

/// What a shared cache says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheStatus {
    /// What it is: `redis 7.0.15`, `memory`.
    pub server: String,
    /// Which life of it: changes when it restarts.
    pub incarnation: String,
    /// Entries that it threw away for want of room, since it started.
    pub evicted: u64,
    /// Connections that it still takes; `None` where it does not tell.
    #[serde(default)]
    pub places: Option<u64>,
}
