//! A threshold's verdict, or that there is none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A scenario's threshold and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The strategy it holds for.
    pub strategy: String,
    /// The path into the strategy's record, `origin.max_per_second`.
    pub metric: String,
    /// `at most 15` or `at least 40`.
    pub bound: String,
    /// What was measured; `None` where it is unknown, which misses the threshold.
    pub measured: Option<f64>,
    /// Whether the threshold was met.
    pub met: bool,
}

/// A scenario's threshold that nothing was held to, for its strategy was not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unchecked {
    /// The strategy it holds for.
    pub strategy: String,
    /// The path into the strategy's record, `origin.max_per_second`.
    pub metric: String,
    /// `at most 15` or `at least 40`.
    pub bound: String,
}
