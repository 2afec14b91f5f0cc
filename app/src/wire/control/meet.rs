//! What the parts of a run that several processes drive say to one another, through the origin.

use serde::{Deserialize, Serialize};

/// `POST /meet` on the origin: wait for the others of a meeting, and hear what each has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meet {
    /// Which meeting: each name is met under once.
    pub name: String,
    /// Which part asks, from 0.
    pub index: u32,
    /// How many parts there are.
    pub of: u32,
    /// What it says to all.
    pub says: String,
    /// How long it waits for those that are not there yet, nanoseconds.
    pub within_ns: u64,
}

/// The answer to [`Meet`], when all are there or the time is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Met {
    /// What each part said, by index; `None` of one that did not come.
    pub said: Vec<Option<String>>,
}

impl Met {
    /// The parts that did not come.
    #[must_use]
    pub fn missing(&self) -> Vec<u32> {
        (0..).zip(&self.said).filter(|(_, said)| said.is_none()).map(|(index, _)| index).collect()
    }
}
