//! Of a strategy that counts: what became of its increments, of all phases.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of increments. What each figure means exactly, and what the generator's clock cannot tell: docs/counters.md.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Counters")]
pub struct CounterFigures {
    /// Increments that were acknowledged.
    pub acknowledged: u64,
    /// Increments whose answer was lost: they may have been counted.
    pub unknown: u64,
    /// Increments that were not counted.
    pub refused: u64,
    /// Windows that were seen to begin; `None` where increments are acknowledged before they are sent, as of the next five.
    pub windows: Option<u64>,
    /// Increments that were acknowledged and that no window counts.
    pub lost: Option<u64>,
    /// Increments that windows count and that nobody sent.
    pub extra: Option<u64>,
    /// Times that a window's count began anew before the window could be over.
    pub resets: Option<u64>,
    /// Windows that counted on for longer than they may live.
    pub long_windows: Option<u64>,
    /// The most windows that began in one second, each key's first left out: what windows come to that end together.
    pub begun_max_per_second: Option<u64>,
    /// Keys whose counter had no end when the load ended; `None` where the server was not looked at, as of the next three.
    pub immortal_at_end: Option<u64>,
    /// The most such keys at a time.
    pub immortal_max: Option<u64>,
    /// Seconds between two entries of `immortal`.
    pub immortal_every_s: Option<f64>,
    /// Keys whose counter had no end, over time from t = 0 on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub immortal: Vec<u64>,
    /// Increments that the limit let through; `None` where nothing is limited, as of the next.
    pub let_through: Option<u64>,
    /// Of these, beyond the limit of their window.
    pub above_limit: Option<u64>,
}
