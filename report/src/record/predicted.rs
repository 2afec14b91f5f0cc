//! What theory says of a strategy, as it is written down.
//!
//! A figure is a number or `null`, and each `null` has its reason beside it: a premise that fails.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What theory predicts of the hot key, to stand beside what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Predicted {
    /// Origin reads at an expiry, or at an early refresh; beside `origin.per_expiry.mean`.
    pub per_expiry: f64,
    /// Seconds from one such moment to the next, mean.
    pub cycle_s: Option<f64>,
    /// Origin reads of the hot key in the measured phase, mean; beside `hot.origin_total`.
    pub hot_origin_total: Option<f64>,
    /// Share of the hot key's requests in the measured phase that wait for the origin.
    pub wait_share: Option<f64>,
    /// Share of the hot key's requests in the measured phase that are answered with a stale value.
    pub stale_share: Option<f64>,
    /// The formula of `per_expiry`, in words; derived and sourced in `strategies/src/theory/`.
    pub formula: String,
}

/// A premise of theory that fails, and what is not predicted for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotPredicted {
    /// The premise's name, `no-events`; all of them are in docs/theory.md.
    pub premise: String,
    /// What is the case instead, as a clause.
    pub because: String,
    /// The fields of `predicted` that are `null` for it: all five where `predicted` itself is.
    pub figures: Vec<String>,
}
