//! What a limit is told.

use std::time::Duration;

/// The parameters of `limit`; see `loadgen list`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LimitSettings {
    /// At least 1.
    pub(crate) concurrency: u32,
    pub(crate) queue: u32,
    /// `None` where it follows the reads' own times.
    pub(crate) margin: Option<Duration>,
}
