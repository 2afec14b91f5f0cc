//! What a strategy says of the copies in its processes.

use std::time::Duration;

use super::copies::Bounds;
use crate::port::Bus;

/// The layer.
#[derive(Debug, Clone)]
pub(crate) struct NearLayer {
    /// How long a copy lives.
    pub(crate) ttl: Duration,
    pub(crate) bounds: Bounds,
    /// How much its life may differ, and whether it becomes shorter, too.
    pub(super) jitter: (f64, bool),
    /// How long past its life it is served where the shared cache is lost.
    pub(crate) stale: Duration,
    /// How changes are heard.
    pub(crate) bus: Option<Bus>,
    /// Whether one reads the shared cache for a key at a time.
    pub(crate) coalesces: bool,
    /// Whether a read leaves a mark that a change takes away.
    pub(crate) marks: bool,
}

impl NearLayer {
    /// The shortest and the longest life of a copy.
    pub(crate) fn lives(&self) -> (Duration, Duration) {
        let (spread, both) = self.jitter;
        (self.ttl.mul_f64(if both { 1.0 - spread } else { 1.0 }), self.ttl.mul_f64(1.0 + spread))
    }
}

/// A cache of each replica's own in the place of the shared one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocalLayer {
    pub(crate) bounds: Bounds,
}
