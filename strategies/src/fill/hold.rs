//! How a key is held for the fleet: the parameters of `lock` and `lease`.

use std::time::Duration;

use crate::port::{Token, When};
use crate::stack::budgets::Budgets;

/// A leader gives up this long before its lock ends, so that it never works on unlocked: a lock protects no read that takes
/// longer than its life less this.
pub const LEASE_MARGIN: Duration = Duration::from_millis(500);

/// How the key is held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Hold {
    /// The `lock` layer: for a fixed time, and the put is unconditional.
    Lock { life: Duration },
    /// The `lease` layer: for a short time, renewed at a third of it while the load runs, and the put is fenced. The
    /// holder gives up at `max_age`, or liveness would die with a load that hangs.
    Lease { life: Duration, max_age: Duration },
}

impl Hold {
    pub(super) fn life(self) -> Duration {
        match self {
            Self::Lock { life } | Self::Lease { life, .. } => life,
        }
    }

    /// How long a leader may work, from before it asked for the key.
    pub(crate) fn budget(self) -> Duration {
        match self {
            Self::Lock { life } => life.saturating_sub(LEASE_MARGIN),
            Self::Lease { max_age, .. } => max_age,
        }
    }

    /// On which condition the holder of a token stores.
    pub(super) fn fence(self, token: Token) -> When {
        match self {
            Self::Lease { .. } => When::Fenced(token),
            Self::Lock { .. } => When::Always,
        }
    }

    /// The condition of a put by a caller that read without holding the key: under a fence an old value must not come
    /// over a newer one on this way, either.
    pub(super) fn unheld(self) -> When {
        match self {
            Self::Lease { .. } => When::NotOlder,
            Self::Lock { .. } => When::Always,
        }
    }
}

/// What a caller gets that waited too long for somebody else's lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnTimeout {
    Shed,
    Load,
    Stale,
}

/// The parameters of `lock` and `lease`; see `loadgen list`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LockSettings {
    pub(crate) hold: Hold,
    /// How often losers look again, message or not.
    pub(crate) poll: Duration,
    pub(crate) wait: Duration,
    pub(crate) on_timeout: OnTimeout,
    /// Whether losers listen for the winner's message, and winners send one.
    pub(crate) notify: bool,
    /// Whether the time after which a holder gives up (a lock's life, a lease's `max_age`) follows the scenario's budgets.
    pub(crate) auto_hold: bool,
    /// Whether `wait` does.
    pub(crate) auto_wait: bool,
}

impl LockSettings {
    /// The same with these budgets for what follows them.
    pub(crate) fn fitted(mut self, budgets: &Budgets) -> Self {
        if self.auto_wait {
            self.wait = budgets.lock_wait;
        }
        match &mut self.hold {
            Hold::Lock { life } if self.auto_hold => *life = budgets.lock_life(),
            Hold::Lease { max_age, .. } if self.auto_hold => *max_age = budgets.lease_age(),
            Hold::Lock { .. } | Hold::Lease { .. } => {}
        }
        self
    }
}
