//! Taking connections of a pool, and what is counted of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::Poll;

use futures_util::future::poll_fn;

use super::scope::Scope;
use super::{HoldFor, PoolSettings};
use crate::kit::time::{Mono, nanos};
use crate::kit::units::duration_text;
use crate::kit::within::within;
use crate::port::{CacheError, CacheErrorClass, Clock, Connected, ConnectionLimits, ConnectionPool, TakenConnection};
use crate::stack::Ports;

/// What became of a replica's pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolCounters {
    /// Connections that were taken.
    pub takes: u64,
    /// Waits that came to nothing.
    pub gave_up: u64,
    /// Connections that were given back.
    pub given_back: u64,
    /// For how long these had been taken, all together, nanoseconds.
    pub held_ns: u64,
    /// The squares of these times, summed, µs².
    pub held_us2: u64,
    /// Connections that are taken now.
    pub in_use: u32,
    /// Operations that wait for one now.
    pub waiting: u32,
}

/// What a connection is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Read,
    Fill,
}

/// A replica's pool, or the two parts of it.
pub(super) struct Taking {
    settings: PoolSettings,
    reads: Arc<dyn ConnectionPool>,
    fills: Arc<dyn ConnectionPool>,
    clock: Arc<dyn Clock>,
    gauge: Arc<Gauge>,
}

#[derive(Default)]
struct Gauge {
    in_use: AtomicU32,
    waiting: AtomicU32,
    takes: AtomicU64,
    gave_up: AtomicU64,
    held_ns: AtomicU64,
    held_us2: AtomicU64,
    given_back: AtomicU64,
}

impl Taking {
    pub(super) fn new(settings: PoolSettings, limits: ConnectionLimits, ports: &Ports) -> Self {
        let pool = |size| ports.connections.pool(size, limits);
        let (reads, fills) = match settings.parts() {
            Some((reads, fills)) => (pool(reads), pool(fills)),
            None => {
                let all = pool(settings.size);
                (Arc::clone(&all), all)
            }
        };
        Self { settings, reads, fills, clock: Arc::clone(&ports.clock), gauge: Arc::default() }
    }

    /// Whether a fill takes a connection before anything else.
    pub(super) fn holds_for_fills(&self) -> bool {
        self.settings.hold == HoldFor::Request && self.settings.split.is_some()
    }

    /// A connection for an operation: its request's own, where that holds one.
    pub(super) async fn connection(&self, side: Side) -> Result<Arc<Held>, CacheError> {
        let scope = Scope::current();
        if let Some(held) = scope.as_ref().and_then(|scope| scope.held()) {
            return Ok(held);
        }
        let taken = self.take(side, scope.as_deref()).await?;
        let holds = self.settings.hold == HoldFor::Request && (side == Side::Fill || self.settings.split.is_none());
        Ok(match scope {
            Some(scope) if holds => scope.hold(taken),
            _ => Arc::new(taken),
        })
    }

    async fn take(&self, side: Side, scope: Option<&Scope>) -> Result<Held, CacheError> {
        let gauge = &self.gauge;
        if let Some(scope) = scope {
            scope.finds(gauge.in_use.load(Relaxed), gauge.waiting.load(Relaxed));
        }
        let mut take = match side {
            Side::Read => self.reads.take(),
            Side::Fill => self.fills.take(),
        };
        if let Poll::Ready(taken) = poll_fn(|cx| Poll::Ready(take.as_mut().poll(cx))).await {
            return Ok(self.held(taken));
        }
        let begun = self.clock.mono();
        let waits = Waits::one(gauge);
        let taken = within(&*self.clock, begun.plus(self.settings.wait), take).await;
        drop(waits);
        if let Some(scope) = scope {
            scope.waited(self.clock.mono().since(begun));
        }
        let Some(taken) = taken else {
            gauge.gave_up.fetch_add(1, Relaxed);
            let wait = duration_text(self.settings.wait);
            let message = format!("no connection of the pool's {} came free within {wait}", self.settings.size);
            return Err(CacheError { class: CacheErrorClass::Exhausted, message });
        };
        Ok(self.held(taken))
    }

    fn held(&self, taken: TakenConnection) -> Held {
        self.gauge.takes.fetch_add(1, Relaxed);
        self.gauge.in_use.fetch_add(1, Relaxed);
        let (gauge, clock) = (Arc::clone(&self.gauge), Arc::clone(&self.clock));
        Held { since: clock.mono(), taken, gauge, clock }
    }

    pub(super) fn counters(&self) -> PoolCounters {
        let Gauge { takes, gave_up, given_back, held_ns, held_us2, in_use, waiting } = &*self.gauge;
        let read = |count: &AtomicU64| count.load(Relaxed);
        PoolCounters {
            takes: read(takes),
            gave_up: read(gave_up),
            held_ns: read(held_ns),
            held_us2: read(held_us2),
            given_back: read(given_back),
            in_use: in_use.load(Relaxed),
            waiting: waiting.load(Relaxed),
        }
    }
}

/// A connection that is taken, until this is dropped.
pub(super) struct Held {
    taken: TakenConnection,
    since: Mono,
    gauge: Arc<Gauge>,
    clock: Arc<dyn Clock>,
}

impl Held {
    pub(super) fn connected(&self) -> &Connected {
        &self.taken.connected
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let held = nanos(self.clock.mono().since(self.since));
        let square = (u128::from(held) * u128::from(held) / 1_000_000).min(u128::from(u64::MAX)) as u64;
        self.gauge.in_use.fetch_sub(1, Relaxed);
        self.gauge.held_ns.fetch_add(held, Relaxed);
        self.gauge.held_us2.fetch_add(square, Relaxed);
        self.gauge.given_back.fetch_add(1, Relaxed);
    }
}

/// One that waits.
struct Waits<'a>(&'a Gauge);

impl<'a> Waits<'a> {
    fn one(gauge: &'a Gauge) -> Self {
        gauge.waiting.fetch_add(1, Relaxed);
        Self(gauge)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Relaxed);
    }
}
