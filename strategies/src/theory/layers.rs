//! What of a strategy matters to theory.
//!
//! It is taken apart field by field: a slot or a knob that is added does not compile before it has a place here. What a layer
//! of a slot means to theory it says itself.

use std::time::Duration;

use crate::fill::Hold;
use crate::layer::{ConnectionSpec, HoldFor};
use crate::policy::Early;
use crate::port::ReadFrom;
use crate::spec::{Alone, LockSettings, PolicySpec, Spec};
use crate::stack::budgets::Budgets;

/// Which readers of the origin stand together: of them one reads at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Together {
    Nobody,
    Process,
    Fleet,
}

/// A strategy for theory. Times in seconds.
pub(super) struct Layers {
    pub(super) early: Early,
    /// The fresh life, before jitter.
    pub(super) soft: f64,
    /// S, before jitter.
    pub(super) stale: f64,
    /// Each put makes both longer, or shorter, by a factor even over this interval.
    pub(super) jitter: (f64, f64),
    pub(super) together: Together,
    pub(super) lock: Option<LockTimes>,
    /// Reads of a replica under way at once, at most.
    pub(super) limit: Option<u32>,
    /// Copies in the process.
    pub(super) near: bool,
    /// No cache is shared.
    pub(super) local: bool,
    /// Several entries of each key.
    pub(super) copies: bool,
    /// Replicas of the cache's servers answer reads.
    pub(super) behind: bool,
    /// Requests hold connections of a pool.
    pub(super) holds_connections: bool,
    /// Wrong on purpose.
    pub(super) flawed: bool,
}

/// A lock's times, seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct LockTimes {
    /// How long its holder may work.
    pub(super) budget: f64,
    /// How long a loser waits at most.
    pub(super) wait: f64,
    /// How long after the value has come a loser may look, at most.
    pub(super) look: f64,
}

impl Layers {
    pub(super) fn of(spec: &Spec, ttl: Duration, budgets: &Budgets) -> Self {
        // What "no such item" is stored for does not concern a key that exists.
        // Where items are written, nothing is predicted: see the premise `no-writes`.
        let Spec {
            name: _,
            canonical: _,
            policy,
            connection,
            // It does nothing where the cache does its work, and where that does not nothing is predicted.
            cache_breaker: _,
            // Requests for several items are none of theory's.
            batch: _,
            cache: _,
            // All of an item's parts end together.
            parts: _,
            near,
            local,
            copies,
            broken,
            fill,
            origin,
            write: _,
        } = spec;
        // A connection that is taken for one command is given back before anybody would notice.
        let ConnectionSpec { pool, limits: _, reads } = connection;
        let PolicySpec { early, soft, stale } = policy;
        let lock = fill.iter().find_map(|layer| layer.lock()).map(|lock| LockTimes::of(lock.fitted(budgets)));
        let coalesced = fill.iter().any(|layer| layer.reach() == Alone::InProcess);
        // A limit that refuses no read does nothing, and what its margin keeps away would be no read in time. A breaker opens
        // where reads fail, and where one does nothing is predicted.
        let limit = origin.iter().find_map(|layer| layer.limit()).map(|limit| limit.concurrency);
        Self {
            early: *early,
            soft: soft.of(ttl).as_secs_f64(),
            stale: stale.of(ttl).as_secs_f64(),
            jitter: spec.stretch(),
            together: match (&lock, coalesced) {
                (Some(_), _) => Together::Fleet,
                (None, true) => Together::Process,
                (None, false) => Together::Nobody,
            },
            lock,
            limit,
            near: near.is_some(),
            local: local.is_some(),
            copies: copies.is_some(),
            behind: *reads != ReadFrom::Primary,
            holds_connections: pool.is_some_and(|pool| pool.hold == HoldFor::Request),
            flawed: broken.is_some(),
        }
    }

    /// How long a loser of the lock may look too late, seconds.
    pub(super) fn look(&self) -> f64 {
        self.lock.map_or(0.0, |lock| lock.look)
    }
}

impl LockTimes {
    fn of(settings: LockSettings) -> Self {
        // What a loser gets that has waited for too long does not matter where nobody has to.
        let LockSettings { hold, poll, wait, on_timeout: _, notify, auto_hold: _, auto_wait: _ } = settings;
        let budget = match hold {
            Hold::Lock { .. } | Hold::Lease { .. } => hold.budget().as_secs_f64(),
        };
        Self { budget, wait: wait.as_secs_f64(), look: if notify { 0.0 } else { poll.as_secs_f64() } }
    }
}
