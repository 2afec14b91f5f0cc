//! Counts of what replicas told of themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happened inside the replicas in the measured phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Events {
    /// Hits on which the policy decided to refresh early.
    pub early_refresh: u64,
    /// Background refreshes that led a flight to the origin.
    pub refresh_started: u64,
    /// Background refreshes that failed.
    pub refresh_failed: u64,
    /// Leaders that found their lock gone when they released it.
    pub lock_lost: u64,
    /// Times a lock layer fell back to in-process coalescing because the cache was lost.
    pub lock_fallback: u64,
    /// Requests that gave up waiting for somebody else's lock.
    pub lock_timeout: u64,
    /// Puts that were fenced off: a late holder's, which change nothing. Absent from older records.
    #[serde(default)]
    pub fenced: u64,
    /// Cached bytes that could not be decoded: each a miss.
    pub corrupt: u64,
    /// Cache operations that failed, any class.
    pub cache_errors: u64,
    /// Leaders that vanished (panicked, or were dropped) before they ended.
    pub leader_vanished: u64,
    /// Origin reads that a `limit` refused; `None` (and absent) where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_refused: Option<u64>,
    /// Origin reads that a `breaker` refused; `None` (and absent) where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker_refused: Option<u64>,
    /// Times that a replica's breaker opened; `None` (and absent) where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker_opened: Option<u64>,
    /// Times that a replica's breaker closed again; `None` (and absent) where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker_closed: Option<u64>,
    /// Times that a replica's breaker of the shared cache opened; `None` (and absent) where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_breaker_opened: Option<u64>,
    /// Times that it closed again, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_breaker_closed: Option<u64>,
}
