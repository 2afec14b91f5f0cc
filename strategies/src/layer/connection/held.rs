//! A connection that is taken, and what is counted of all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::kit::time::{Mono, nanos};
use crate::port::{Clock, Connected, TakenConnection};

/// What became of a replica's pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolCounters {
    /// Connections that were taken.
    pub takes: u64,
    /// WaitingOperation that came to nothing.
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

/// The counts of one pool.
#[derive(Default)]
pub(super) struct Gauge {
    in_use: AtomicU32,
    waiting: AtomicU32,
    takes: AtomicU64,
    gave_up: AtomicU64,
    held_ns: AtomicU64,
    held_us2: AtomicU64,
    given_back: AtomicU64,
}

impl Gauge {
    /// Somebody waited in vain.
    pub(super) fn gave_up(&self) {
        self.gave_up.fetch_add(1, Relaxed);
    }

    pub(super) fn counters(&self) -> PoolCounters {
        let Gauge { takes, gave_up, given_back, held_ns, held_us2, in_use, waiting } = self;
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
pub(super) struct HeldConnection {
    taken: TakenConnection,
    since: Mono,
    gauge: Arc<Gauge>,
    clock: Arc<dyn Clock>,
}

impl HeldConnection {
    pub(super) fn new(taken: TakenConnection, gauge: Arc<Gauge>, clock: Arc<dyn Clock>) -> Self {
        gauge.takes.fetch_add(1, Relaxed);
        gauge.in_use.fetch_add(1, Relaxed);
        Self { since: clock.mono(), taken, gauge, clock }
    }

    pub(super) fn connected(&self) -> &Connected {
        &self.taken.connected
    }
}

impl Drop for HeldConnection {
    fn drop(&mut self) {
        let held = nanos(self.clock.mono().since(self.since));
        let square = (u128::from(held) * u128::from(held) / 1_000_000).min(u128::from(u64::MAX)) as u64;
        self.gauge.in_use.fetch_sub(1, Relaxed);
        self.gauge.held_ns.fetch_add(held, Relaxed);
        self.gauge.held_us2.fetch_add(square, Relaxed);
        self.gauge.given_back.fetch_add(1, Relaxed);
    }
}

/// One that waits, until this is dropped.
pub(super) struct WaitingOperation<'a>(&'a Gauge);

impl<'a> WaitingOperation<'a> {
    pub(super) fn one(gauge: &'a Gauge) -> Self {
        gauge.waiting.fetch_add(1, Relaxed);
        Self(gauge)
    }
}

impl Drop for WaitingOperation<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Relaxed);
    }
}
