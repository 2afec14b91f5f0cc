//! What a strategy says of the breaker of its shared cache, and the ports with that around them.

use std::sync::Arc;
use std::time::Duration;

use super::guard::Guard;
use super::guarded::{Fallback, GuardedCache, GuardedLease};
use crate::layer::circuit::{CircuitSettings, TripRule};
use crate::layer::near::{Bounds, Copies};
use crate::stack::Ports;

/// The layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CacheBreakerLayer {
    pub(super) rule: BreakerRule,
    /// From when on a call is slow.
    pub(super) slow: Duration,
    /// Slow calls in a row, calls that must have ended, or slow calls that have not come back.
    pub(super) n: u32,
    /// Of the calls that ended within [`WINDOW`].
    pub(super) share: f64,
    pub(super) open: Duration,
    pub(super) then: BreakerThen,
}

/// What opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BreakerRule {
    /// `n` slow calls one after the other.
    Consecutive,
    /// A share of slow calls.
    Rate,
    /// `n` calls that have not come back within `slow`.
    InFlight,
}

/// What becomes of a request while it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BreakerThen {
    /// The last value that this process has seen, past its TTL where it was fresh when the breaker opened; refreshed in the background.
    Stale,
    /// As when the cache is lost: it reads the origin.
    Origin,
    /// A cache of the process's own.
    Local,
    /// A 503.
    Shed,
}

/// Over which calls are counted for `rule=rate`.
const WINDOW: Duration = Duration::from_secs(1);
/// Calls at a time while it is half open, and how many of them must end well.
const TRICKLE: u32 = 1;
const SUCCESSES: u32 = 3;
/// How many values a process keeps for the time when it is open.
const KEPT: Bounds = Bounds { entries: 10_000, bytes: 64 << 20 };

impl CacheBreakerLayer {
    /// Whether it keeps values in the process.
    pub(crate) fn keeps_copies(&self) -> bool {
        matches!(self.then, BreakerThen::Stale | BreakerThen::Local)
    }

    /// The ports with a breaker around cache and leases; and what that keeps, where it does.
    pub(crate) fn guard(&self, ports: &mut Ports) -> Option<Arc<Copies>> {
        let rule = match self.rule {
            BreakerRule::Consecutive => TripRule::Run(self.n),
            BreakerRule::Rate => TripRule::Share { share: self.share, samples: self.n, window: WINDOW },
            BreakerRule::InFlight => TripRule::Told,
        };
        let circuit = CircuitSettings { rule, cool_down: self.open, trickle: TRICKLE, successes: SUCCESSES };
        let in_flight = (self.rule == BreakerRule::InFlight).then_some(self.n);
        let guard = Arc::new(Guard::new(circuit, self.slow, in_flight, ports));
        let kept = self.keeps_copies().then(|| Arc::new(Copies::new(KEPT, false)));
        let fallback = match (&kept, self.then) {
            (Some(copies), then) => Fallback::Kept { copies: Arc::clone(copies), past_ttl: then == BreakerThen::Stale },
            (None, BreakerThen::Shed) => Fallback::Shed,
            (None, _) => Fallback::Lost,
        };
        let (cache, lease, clock) = (Arc::clone(&ports.cache), Arc::clone(&ports.lease), Arc::clone(&ports.clock));
        ports.cache = Arc::new(GuardedCache { inner: cache, guard: Arc::clone(&guard), fallback, clock });
        ports.lease = Arc::new(GuardedLease { inner: lease, guard });
        kept
    }
}
