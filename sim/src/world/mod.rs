//! A single-threaded executor in virtual time: what is ready runs, and when nothing is, the clock jumps to what is due
//! next. Nanosecond resolution; no real clock, no entropy, no thread anywhere.
//!
//! The paused clocks of the general runtimes are a millisecond coarse and turn orders round within a tick
//! (measured: sleeps of 900, 100, 500 and 300 µs fire in that order), so they cannot judge a race.
//!
//! A world lives on the thread that made it, one or many to a thread, and no two share anything. Its parts hold
//! [`Handle`]s, which may be sent anywhere and are worth nothing on another thread or after the world's end.

mod agenda;
mod clock;
mod handle;
mod scheduler;
mod sleep;
mod sleepers;
mod task;
#[cfg(test)]
mod tests;
mod waker;

use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use strategies::port::Spawn;
use strategies::rng::mix;

pub use clock::{EPOCH_NS, VirtualClock};
pub use handle::Handle;
pub(crate) use handle::Spawner;
use scheduler::Core;
pub use sleep::Sleep;
pub(crate) use task::LAB;
pub use task::NOBODY;
use task::WakeTarget;
use waker::waker_of;

/// One simulated world. Clones are the same world; with the last of them it ends, and its tasks are dropped.
#[derive(Clone)]
pub struct World(Rc<Core>);

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A world at time zero, in which tasks that are ready at the same instant run first come, first served.
    #[must_use]
    pub fn new() -> Self {
        Self(Core::new(None))
    }

    /// A world at time zero, in which the seed chooses among tasks that are ready at the same instant.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Core::new(Some(mix(seed ^ 0x73696d))))
    }

    /// What the world's parts hold of it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle { world: self.0.number, now: Arc::clone(&self.0.now) }
    }

    /// This world's clock as one replica sees it, `skew_ns` ahead of the others' wall clocks.
    #[must_use]
    pub fn clock(&self, skew_ns: i64) -> Arc<VirtualClock> {
        Arc::new(VirtualClock::new(self.handle(), skew_ns))
    }

    /// The background of one replica.
    #[must_use]
    pub fn spawner(&self, replica: u16) -> Arc<dyn Spawn> {
        Arc::new(Spawner::new(self.handle(), replica))
    }

    /// A moment `d` from now.
    #[must_use]
    pub fn sleep(&self, d: Duration) -> Sleep {
        self.handle().sleep(d)
    }

    /// Drops every task of a replica where it stands, as a crash does.
    pub fn crash(&self, replica: u16) {
        self.handle().crash(replica);
    }

    /// Stops a replica's tasks where they stand, as a stopped process or a paused machine does. Time goes on.
    pub fn freeze(&self, replica: u16) {
        self.handle().freeze(replica);
    }

    /// Lets a frozen replica go on; what would have woken its tasks meanwhile wakes them now.
    pub fn thaw(&self, replica: u16) {
        self.handle().thaw(replica);
    }

    /// Tasks that have not ended.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.0.tasks.borrow().count().saturating_sub(self.0.attending.get())
    }

    /// Runs `main` to its end, and everything that was spawned as far as virtual time takes it. `None` where nothing
    /// can run any more and `main` has not ended: a deadlock.
    pub fn run<T>(&self, main: impl Future<Output = T>) -> Option<T> {
        self.run_with(main, |_| {})
    }

    /// The same, with what is done for each call that is due ([`Handle::call_at`]).
    pub fn run_with<T>(&self, main: impl Future<Output = T>, mut on_call: impl FnMut(u32)) -> Option<T> {
        let mut main = pin!(main);
        let core = &*self.0;
        let main_waker = waker_of(core.number, WakeTarget::Main);
        core.wake(WakeTarget::Main);
        loop {
            match core.next()? {
                WakeTarget::Main => {
                    core.main_queued.set(false);
                    core.running.set((WakeTarget::Main, main_waker.data()));
                    if let Poll::Ready(output) = main.as_mut().poll(&mut Context::from_waker(&main_waker)) {
                        return Some(output);
                    }
                }
                WakeTarget::Task(slot) => core.run_task(slot),
                WakeTarget::Call(number) => on_call(number),
            }
        }
    }
}
