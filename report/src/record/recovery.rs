//! How long what was done to a fleet hurt, and what clients that try again made of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long a scenario's events hurt, by the seconds of `seconds.csv`. A second is in trouble where a request failed, was
/// shed or waited too long, or where too many waited for the origin; docs/faults.md has the rule.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recovery {
    /// Seconds in trouble, from the first event on.
    pub troubled_s: u64,
    /// Seconds from the end of the last event to the end of the last trouble, 0 where it had ended before; `None` where the
    /// run ended in trouble, or before the last event was over.
    pub after_s: Option<f64>,
    /// Whether it recovered: in the end as many requests are answered well as before the first event (99 %; of a closed load
    /// 90 % of the rate), and the origin is read hardly more than before, or than it must be (docs/metastable.md has the rule).
    /// `None` where too little was measured before or after the events to say, and in older records.
    #[serde(default)]
    pub recovered: Option<bool>,
    /// Where it did: seconds from the end of the last event until it answered so well to the end, by windows of 10 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered_after_s: Option<f64>,
}

/// What clients that try again came to, in the measured phase. A request is counted once, as its last attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Retries {
    /// Attempts of all requests: what the replicas were asked.
    pub attempts: u64,
    /// Requests that were tried more than once.
    pub retried: u64,
    /// Of these, answered well in the end.
    pub saved: u64,
    /// Requests that failed, or were shed, because the clients' budget had no more retries.
    pub refused_by_budget: u64,
}
