//! What can be wrong with the origin, in any lab.

use serde::{Deserialize, Serialize};

/// What is wrong with the origin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OriginFault {
    /// Service times of reads that begin are so many times longer.
    Slow(f64),
    /// Every read fails at once.
    Fail,
    /// Reads arrive and are not begun until it is over.
    Pause,
}
