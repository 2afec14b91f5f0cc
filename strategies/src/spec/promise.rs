//! What a composition promises: the terms that a checker of invariants holds it to. Where a strategy is wrong on
//! purpose, they are those of the right one.

use std::time::Duration;

use super::{Alone, BreakerPromise, Spec, WriteEffect};
use crate::fill::{Hold, OnTimeout};
use crate::policy::{Early, RefreshMode};
use crate::port::Bus;
use crate::port::entry::Life;

/// What a composition promises for a scenario's TTL.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promise {
    /// Where one reads at a time.
    pub alone: Alone,
    /// Whether there is coalescing in the process (then in each process at most one reads, whatever the cache does).
    pub coalesces: bool,
    /// The last age at which an entry may be served, jitter included.
    pub hard: Duration,
    /// Whether an entry may be served past its soft life.
    pub serves_stale: bool,
    /// Whether a leader looks into the cache once more before it reads.
    pub rereads: bool,
    /// Whether a put is fenced by a lease.
    pub fenced: bool,
    /// How long a lock lives that nobody renews.
    pub lock_life: Option<Duration>,
    /// How long a holder may renew it.
    pub lock_age: Option<Duration>,
    /// How long a holder may work, from before it asked for the lock.
    pub lock_budget: Option<Duration>,
    /// How long losers of the lock wait.
    pub lock_wait: Option<Duration>,
    /// How often they look again.
    pub poll: Option<Duration>,
    /// Whether they are told when the lock is let go of.
    pub told: bool,
    /// XFetch's β, where refreshes follow its law in the background.
    pub beta: Option<f64>,
    /// How many origin reads a replica's limit lets through at a time.
    pub limit: Option<u32>,
    /// How much of a read's budget it keeps for the read, where the composition says so.
    pub margin: Option<Duration>,
    /// The replica's breaker.
    pub breaker: Option<BreakerPromise>,
    /// What is kept in the process, in front of the shared cache.
    pub copies: Option<CopyPromise>,
    /// Whether the replicas share a cache.
    pub shares_a_cache: bool,
    /// What a write does to the cache.
    pub write: WriteEffect,
    /// Whether a write takes away the lease of whatever is being loaded, so that another may read beside it: each that removes, and any
    /// of which it is not known whether it was committed.
    pub revokes: bool,
    /// Whether a request may read although somebody asked for something newer (`xfetch(mode=sync)`).
    pub computes_in_request: bool,
}

/// What copies in a process promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyPromise {
    /// How long one lives at most.
    pub life: Duration,
    /// How much longer it is served where the shared cache is lost.
    pub stale: Duration,
    /// How many there are at most.
    pub entries: u32,
    /// How a change is heard.
    pub bus: Option<Bus>,
}

impl Spec {
    /// The last age at which an entry of that life may be served.
    fn oldest(&self, life: Life) -> Duration {
        let stale = self.near.as_ref().map_or(Duration::ZERO, |near| near.stale);
        life.hard.max(life.soft.saturating_add(stale))
    }

    /// What it promises.
    #[must_use]
    pub fn promise(&self, ttl: Duration) -> Promise {
        let life = self.policy.life(ttl);
        let lock = self.fill.iter().find_map(|layer| layer.lock());
        let coalesces = self.fill.iter().any(|layer| layer.reach() == Alone::InProcess);
        let limit = self.origin.iter().find_map(|layer| layer.limit());
        // Losers that may read for themselves leave no promise; where that is wrong on purpose, the promise is the lock's.
        let kept = lock.is_some_and(|lock| lock.on_timeout != OnTimeout::Load || self.broken.is_some());
        let (beta, mode) = match self.policy.early {
            Early::XFetch { beta, mode } => (Some(beta), mode),
            Early::Never | Early::Ahead { .. } | Early::SoftWindow { .. } => (None, RefreshMode::Background),
        };
        let fenced = lock.is_some_and(|lock| matches!(lock.hold, Hold::Lease { .. }));
        Promise {
            alone: match (kept, coalesces) {
                (true, _) => Alone::InFleet,
                (false, true) => Alone::InProcess,
                (false, false) => Alone::Nobody,
            },
            coalesces,
            hard: self.oldest(life.scaled(self.stretch().1)),
            serves_stale: life.hard > life.soft || self.near.as_ref().is_some_and(|near| !near.stale.is_zero()),
            rereads: !self.fill.is_empty(),
            fenced,
            lock_life: lock.map(|lock| match lock.hold {
                Hold::Lock { life } | Hold::Lease { life, .. } => life,
            }),
            lock_age: lock.map(|lock| match lock.hold {
                Hold::Lock { life } => life,
                Hold::Lease { max_age, .. } => max_age,
            }),
            lock_budget: lock.map(|lock| lock.hold.budget()),
            lock_wait: lock.map(|lock| lock.wait),
            poll: lock.map(|lock| lock.poll),
            told: lock.is_some_and(|lock| lock.notify),
            beta: beta.filter(|_| mode == RefreshMode::Background),
            limit: limit.map(|limit| limit.concurrency),
            margin: limit.and_then(|limit| limit.margin),
            breaker: self.origin.iter().find_map(|layer| layer.breaker()),
            copies: self.near.as_ref().map(|near| CopyPromise {
                life: near.lives().1,
                stale: near.stale,
                entries: near.bounds.entries,
                bus: near.bus,
            }),
            shares_a_cache: self.shares_a_cache(),
            write: self.write_effect(),
            revokes: fenced && self.write_effect() != WriteEffect::Nothing,
            computes_in_request: mode == RefreshMode::Sync,
        }
    }
}
