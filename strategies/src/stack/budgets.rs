//! Budgets: how long a replica gives what it waits for, from the outside in.
//!
//! They are the scenario's, for they follow from how long the origin takes: a read that takes 49 s has to be waited for.
//! Whatever of a strategy's own times says `auto` follows from them.

use std::time::Duration;

/// How long things may take in a replica. The client's patience is its own: `load.timeout` of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// A request, from its arrival on; a leader's work and a background refresh, too.
    pub replica: Duration,
    /// One read of the origin, its queue included.
    pub origin_read: Duration,
    /// How long somebody waits for another's lock, where the strategy does not say.
    pub lock_wait: Duration,
}

impl Budgets {
    /// Those of an origin that answers in a second or two.
    pub const USUAL: Self = Self {
        replica: Duration::from_secs(8),
        origin_read: Duration::from_secs(5),
        lock_wait: Duration::from_secs(5),
    };

    /// How long a `lock` lives whose strategy does not say: twice a read's budget.
    #[must_use]
    pub fn lock_life(&self) -> Duration {
        self.origin_read.saturating_mul(2)
    }

    /// How long the holder of a `lease` may renew it where its strategy does not say: six times a read's budget.
    #[must_use]
    pub fn lease_age(&self) -> Duration {
        self.origin_read.saturating_mul(6)
    }
}

impl Default for Budgets {
    fn default() -> Self {
        Self::USUAL
    }
}
