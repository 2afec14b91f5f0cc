//! How the keys of an open load come into use.

use std::time::Duration;

/// TTLs over which keys come into use.
const STAGGER_TTLS: u32 = 2;

/// How the keys of an open load come into use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// All with the first request.
    #[default]
    Together,
    /// One after the other during the warm-up, over two TTLs: no request asks for a key before its time. Keys that all come
    /// into use at once are read together, expire together, and go on so; the keys of a system that has run for a while do not.
    Staggered,
}

pub(crate) const STARTS: [(&str, Start); 2] = [("together", Start::Together), ("staggered", Start::Staggered)];

/// How long it takes until all keys are in use.
pub(crate) fn stagger_time(ttl: Duration) -> Duration {
    ttl.saturating_mul(STAGGER_TTLS)
}
