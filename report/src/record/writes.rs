//! Of a strategy whose items are written while they are read: what the writes came to, and staleness by the truth.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::latency::Latency;

/// Writes of the measured phase.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Writes")]
pub struct WriteFigures {
    /// Writes that were sent.
    pub sent: u64,
    /// Planned writes that the generator could not send.
    pub unsent: u64,
    /// Of those sent, acknowledged by a replica.
    pub acknowledged: u64,
    /// Of those sent, failed, and not committed.
    pub failed: u64,
    /// Of those sent, without an answer that says: they may have been committed.
    pub unknown: u64,
    /// The failed and the unknown ones by kind, `timeout`, `http-502` …
    pub error_kinds: BTreeMap<String, u64>,
    /// Commits in the origin's ledger of writes that arrived in this phase.
    pub committed: u64,
    /// From the intended send to the acknowledgement, milliseconds.
    pub latency_ms: Latency,
    /// Puts that stored an older version than one that the cache had been told of: by a put, or by a removal after its commit.
    pub wrong_sets: u64,
    /// Writes of which the cache could not be told.
    pub not_told: u64,
    /// Keys of which that was so, in all phases: what the cache held of them stayed wrong until its life was over, or the next write.
    pub keys_left_wrong: u64,
}

/// Staleness by the truth, in the measured phase: an answer is behind a commit where the origin had committed a newer version when its
/// request was sent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct BehindCommit {
    /// Answers with an item.
    pub answers: u64,
    /// Of these, behind a commit.
    pub stale: u64,
    /// Of these, sent so near to a commit that the clocks cannot tell.
    pub unknown: u64,
    /// Those behind a commit as a share of those that are known; `None` where none is.
    pub share: Option<f64>,
    /// How long since the commit that made the value old, milliseconds, of the answers behind one.
    pub age_ms: Latency,
    /// The longest time for which every answer for a key was behind a commit: from the first such commit to the last such answer,
    /// milliseconds; 0 where none was, `None` where of none it is known.
    pub wrong_ms_max: Option<f64>,
    /// Answers that were older than what the same client had written before; `None` where no client both writes and reads.
    pub own_writes_missed: Option<u64>,
    /// Answers that were older than what the same client had read or written before; `None` where requests come from nobody in
    /// particular.
    pub went_back: Option<u64>,
}
