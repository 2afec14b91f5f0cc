//! What the cache's server did of its own while a strategy was measured, from the rows of `cache.csv`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The server in the measured phase, by its own word.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Server")]
pub struct ServerFigures {
    /// How often it was asked.
    pub samples: u64,
    /// The longest time between two of its answers, milliseconds: nothing is known more exactly than that.
    pub between_ms_max: Option<f64>,
    /// The most memory that it used, bytes.
    pub used_bytes: Option<u64>,
    /// Share of the keys looked up that were found.
    pub hit_ratio: Option<f64>,
    /// Entries that it threw out for want of memory.
    pub evicted: u64,
    /// Entries that ended by their time.
    pub expired: u64,
    /// Forks; `None` where it does not tell.
    pub forks: Option<u64>,
    /// The longest of them, milliseconds; `None` where there was none.
    pub fork_ms_max: Option<f64>,
    /// Snapshots that were begun.
    pub saves: u64,
    /// Times that it began to write its append-only file anew.
    pub rewrites: u64,
    /// Writes to that file that waited for an fsync; `None` without one.
    pub delayed_fsyncs: Option<u64>,
    /// Commands that were slow by its own word; `None` where that may not be asked.
    pub slow_commands: Option<u64>,
    /// Its own latency events: the longest of each kind, milliseconds.
    pub latency_ms_max: BTreeMap<String, f64>,
    /// How many of the slowest requests (one in a thousand) are known one by one; `None` where there were too many to keep.
    pub slowest: Option<u64>,
    /// Of these, the share that was under way within 100 ms of anything that it did: of all marks.
    pub slowest_near_share: Option<f64>,
    /// The share of the time that lies within 100 ms of a mark.
    pub near_share: Option<f64>,
    /// What `slowest_near_share` would be by chance: of requests that take as long as these and begin at any moment. More than the share
    /// of the time, for one that takes long meets a mark more easily. Absent from older records.
    #[serde(default)]
    pub near_by_chance: Option<f64>,
    /// The same by what it did: `fork`, `rewrite-begin`, `rewrite-end`, `save-begin`, `save-end`, `evictions`, `expiries`, `slow`, `latency:fork` …
    pub by_mark: BTreeMap<String, MarkFigures>,
}

/// One kind of mark.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Mark")]
pub struct MarkFigures {
    /// How often it was marked.
    pub count: u64,
    /// The share of the slowest requests that were under way within 100 ms of it; `None` where they are not known.
    pub slowest_near_share: Option<f64>,
    /// The share of the time that lies within 100 ms of it.
    pub near_share: Option<f64>,
    /// What `slowest_near_share` would be by chance, likewise.
    #[serde(default)]
    pub near_by_chance: Option<f64>,
}
