//! What is judged of a look: a row a finding.
//!
//! A rule says nothing where what it needs was not seen, and nothing of a server that is kept well: a false alarm at night costs more
//! than a finding that comes a day later.

mod clients;
mod cluster;
mod counting;
mod ends;
mod errors;
mod heat;
mod hits;
mod memory;
mod persistence;
mod replication;
mod rule;
mod security;
mod size;
mod slow;
pub mod words;

use crate::look::server::ServerLook;
use crate::record::RedisFinding;

pub use rule::FindingRule;

/// All of them, in the order in which they are told within a severity.
pub const RULES: [FindingRule; 31] = [
    security::OPEN_TO_ALL,
    cluster::CLUSTER_BROKEN,
    persistence::SAVE_FAILED,
    memory::NEARLY_FULL,
    errors::WRITES_REFUSED,
    clients::CLIENTS_REFUSED,
    clients::CLIENTS_NEAR_LIMIT,
    replication::LINK_DOWN,
    replication::REPLICA_BEHIND,
    replication::REPLICA_WRITABLE,
    ends::EXPIRE_TOGETHER,
    ends::ENDLESS_KEYS,
    counting::COUNTER_GAP,
    counting::EXPIRE_GAP,
    memory::NO_MAXMEMORY,
    memory::NOTHING_TO_EVICT,
    memory::MAXMEMORY_NEAR_RAM,
    memory::EVICTS,
    memory::FRAGMENTED,
    persistence::AOF_ALWAYS,
    persistence::FSYNC_LATE,
    persistence::SLOW_FORK,
    persistence::NOTHING_KEPT,
    slow::SLOW_COMMANDS,
    slow::STOOD_STILL,
    slow::KEYS_CALLED,
    size::BIG_KEYS,
    size::FREED_AT_ONCE,
    heat::HOT_KEY,
    errors::REDIRECTS,
    errors::ERRORS,
];

/// What is wrong, in the order of the rules.
#[must_use]
pub fn judge(look: &ServerLook) -> Vec<RedisFinding> {
    RULES.iter().filter_map(|rule| rule.judge(look)).collect()
}
