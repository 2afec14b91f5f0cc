//! How the lab itself fared while it measured: what says whether its figures may be believed, and is none of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the parts of the lab fared during the load, warm-up included. The parts are `generator`, `replica-0` …, `origin`, and
/// `cache`, as the first replica sees it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Conditions {
    /// The longest time, milliseconds, for which each part gave no sign of life. A healthy part gives one every 50 ms (the
    /// cache: as fast as it answers).
    pub silent_ms: BTreeMap<String, f64>,
    /// By how much, milliseconds, each part's wall clock was set against its monotonic one: the largest step,
    /// forwards or back, 0 where it was let alone.
    pub clock_step_ms: BTreeMap<String, f64>,
    /// How often the lab's own entry had gone from the cache; `None` where there is no cache of the lab's.
    pub sentinel_lost: Option<u64>,
    /// Messages between replicas (`wake=notify`) that could not be listened for or sent, so that waiters polled; `None` where
    /// there are no replicas.
    pub wakes_lost: Option<u64>,
    /// Times that the origin's rows were to get a new version and did not; `None` where it is not the lab's.
    pub writes_missed: Option<u64>,
    /// How far apart the processes that drove the run took t = 0 to be, milliseconds, with what is not known of it; absent where one
    /// process drove it, or none had a clock of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_spread_ms: Option<f64>,
}
