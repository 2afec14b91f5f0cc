//! One write in the origin's ledger of writes.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::ReadEnd;

/// One write in the origin's ledger. Times in nanoseconds on the origin's monotonic clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginWrite {
    /// The key that was written.
    pub key: SmolStr,
    /// The write's name, as the asker told it; empty where it did not.
    pub flight: SmolStr,
    /// The replica, as it named itself.
    pub replica: Option<u32>,
    /// When it arrived.
    pub arrived_ns: u64,
    /// When it had its place; `None` where it never did.
    pub start_ns: Option<u64>,
    /// When its commit began: no read before that found the new version. `None` where none did.
    pub commit_began_ns: Option<u64>,
    /// When it was committed: every read from then on finds the new version, or a later one. `None` where it was not.
    pub committed_ns: Option<u64>,
    /// When it ended; `None` where it has not.
    pub end_ns: Option<u64>,
    /// The version that it made; `None` where it made none.
    pub version: Option<u64>,
    /// How it ended; `None` where it has not. An [abandoned](ReadEnd::Abandoned) one may have been committed.
    pub outcome: Option<ReadEnd>,
}

impl OriginWrite {
    /// One that has arrived.
    #[must_use]
    pub fn arrived(key: &str, flight: &str, replica: Option<u32>, arrived_ns: u64) -> Self {
        Self {
            key: key.into(),
            flight: flight.into(),
            replica,
            arrived_ns,
            start_ns: None,
            commit_began_ns: None,
            committed_ns: None,
            end_ns: None,
            version: None,
            outcome: None,
        }
    }

    /// It is over. Once abandoned, always: its caller had gone before it ended.
    pub fn end(&mut self, outcome: ReadEnd, now_ns: u64) {
        self.end_ns = Some(now_ns);
        self.outcome.get_or_insert(outcome);
    }

    /// Nobody waits for it any more, if it is not over.
    pub fn abandon(&mut self) {
        self.outcome.get_or_insert(ReadEnd::Abandoned);
    }

    /// How it stands, as `writes.csv` says it.
    #[must_use]
    pub const fn standing(&self) -> &'static str {
        match self.outcome {
            Some(end) => end.name(),
            None => "open",
        }
    }
}
