//! A replica's view of virtual time: everybody's monotonic clock is right, and wall clocks are as wrong as one sets them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strategies::port::{BoxFuture, Clock};
use strategies::time::{Mono, Wall};

use super::Handle;

/// Where virtual wall clocks begin: 2026-01-01T00:00:00Z, so that a stamp looks like one.
pub const EPOCH_NS: u64 = 1_767_225_600_000_000_000;

const PER_BILLION: i128 = 1_000_000_000;

/// A replica's view of virtual time.
pub struct VirtualClock {
    handle: Handle,
    /// How far the wall clock is ahead of virtual time, as long as it has gone right.
    ahead: u64,
    /// Whether it has ever been set wrong: then `view` says how it stands.
    wrong: AtomicBool,
    view: Mutex<View>,
}

/// How a wall clock stands: it showed `wall` at `since`, and has gained `drift_ppb` nanoseconds a second from there.
#[derive(Clone, Copy)]
struct View {
    since: u64,
    wall: i128,
    drift_ppb: i64,
    frozen: bool,
}

impl View {
    fn at(&self, now: u64) -> i128 {
        if self.frozen {
            return self.wall;
        }
        let passed = i128::from(now.saturating_sub(self.since));
        self.wall + passed + passed * i128::from(self.drift_ppb) / PER_BILLION
    }

    /// The same view, seen from now on.
    fn from(&self, now: u64) -> Self {
        Self { since: now, wall: self.at(now), ..*self }
    }
}

impl VirtualClock {
    pub(super) fn new(handle: Handle, skew_ns: i64) -> Self {
        let ahead = EPOCH_NS.saturating_add_signed(skew_ns);
        let view = View { since: 0, wall: ahead.into(), drift_ppb: 0, frozen: false };
        Self { handle, ahead, wrong: AtomicBool::new(false), view: Mutex::new(view) }
    }

    /// The wall clock jumps by so much, back where it is negative.
    pub fn jump(&self, by_ns: i64) {
        self.change(|view| view.wall += i128::from(by_ns));
    }

    /// From now on the wall clock gains so many nanoseconds a second (a quartz drifts by up to 100 000 of them).
    pub fn drift(&self, ppb: i64) {
        self.change(|view| view.drift_ppb = ppb);
    }

    /// The wall clock stops.
    pub fn freeze(&self) {
        self.change(|view| view.frozen = true);
    }

    /// The wall clock goes on from where it stopped.
    pub fn thaw(&self) {
        self.change(|view| view.frozen = false);
    }

    fn change(&self, change: impl FnOnce(&mut View)) {
        let mut view = self.view();
        *view = view.from(self.handle.now().0);
        change(&mut view);
        self.wrong.store(true, Ordering::Relaxed);
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualClock {
    fn mono(&self) -> Mono {
        self.handle.now()
    }

    fn wall(&self) -> Wall {
        let now = self.handle.now().0;
        if !self.wrong.load(Ordering::Relaxed) {
            return Wall(self.ahead.saturating_add(now));
        }
        let wall = self.view().at(now);
        Wall(u64::try_from(wall.max(0)).unwrap_or(u64::MAX))
    }

    fn sleep(&self, d: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.handle.sleep(d))
    }
}
