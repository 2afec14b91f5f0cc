//! One read in the origin's ledger.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// One read in the origin's ledger. Times on the origin's monotonic clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginRead {
    /// The key that was asked for.
    pub key: SmolStr,
    /// The flight, as the asker named it; empty where it did not.
    pub flight: SmolStr,
    /// The replica, as it named itself.
    pub replica: Option<u32>,
    /// When it arrived.
    pub arrived_ns: u64,
    /// When it had its place and its connection; `None` where it never did.
    pub start_ns: Option<u64>,
    /// When it ended; `None` where it has not.
    pub end_ns: Option<u64>,
    /// How it ended; `None` where it has not.
    pub outcome: Option<ReadEnd>,
}

impl OriginRead {
    /// How it stands, as `origin.csv` says it.
    #[must_use]
    pub const fn standing(&self) -> &'static str {
        match self.outcome {
            Some(end) => end.name(),
            None => "open",
        }
    }
}

/// How an origin read ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadEnd {
    /// With the item.
    Ok,
    /// There is no such item.
    Missing,
    /// No place and no room in the queue.
    Rejected,
    /// With an error (a fault, or SQLite's own).
    Failed,
    /// It ran to its end, and nobody was listening any more.
    Abandoned,
}

impl ReadEnd {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Ok, Self::Missing, Self::Rejected, Self::Failed, Self::Abandoned];

    /// The name in `origin.csv`, where a read that has not ended is `open`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.name() == name)
    }
}
