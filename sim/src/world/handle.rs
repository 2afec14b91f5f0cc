//! What a world's parts hold of it, and the background of a replica.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use strategies::port::{BoxFuture, Spawn};
use strategies::time::{Mono, nanos};

use super::agenda::{Due, DueKind};
use super::scheduler::with_core;
use super::sleep::Sleep;
use super::task::{WakeTarget, Work};
use super::waker::waker_of;

/// What a world's parts hold of it: its time, and a way to be woken.
#[derive(Clone)]
pub struct Handle {
    pub(super) world: u32,
    pub(super) now: Arc<AtomicU64>,
}

impl Handle {
    /// Now.
    #[must_use]
    pub fn now(&self) -> Mono {
        Mono(self.now.load(Ordering::Relaxed))
    }

    /// A moment `d` from now.
    #[must_use]
    pub fn sleep(&self, d: Duration) -> Sleep {
        self.sleep_until(Mono(self.now().0.saturating_add(nanos(d))))
    }

    /// That moment.
    #[must_use]
    pub fn sleep_until(&self, when: Mono) -> Sleep {
        Sleep::new(self.world, when.0)
    }

    /// Starts a task of a replica ([`NOBODY`](crate::NOBODY) where it is none's), and returns its number for [`Handle::end`].
    pub fn spawn(&self, replica: u16, work: impl Future<Output = ()> + 'static) -> u32 {
        self.start(replica, Box::pin(work))
    }

    fn start(&self, replica: u16, work: Work) -> u32 {
        let task = self.add(replica, work);
        with_core(self.world, |core| core.ready.borrow_mut().push_back(WakeTarget::Task(task)));
        task
    }

    /// Starts a task that is not run before [`Handle::run`].
    pub(crate) fn spawn_idle(&self, replica: u16, work: impl Future<Output = ()> + 'static) -> u32 {
        self.add(replica, Box::pin(work))
    }

    fn add(&self, replica: u16, work: Work) -> u32 {
        let waker = |whom| waker_of(self.world, whom);
        with_core(self.world, |core| core.tasks.borrow_mut().add(replica, work, waker)).unwrap_or(u32::MAX)
    }

    /// Runs a task now, to its next await. Only for a caller that is no task itself, as a call is.
    pub(crate) fn run(&self, task: u32) {
        with_core(self.world, |core| core.run_task(task));
    }

    /// Drops a task where it stands. Only for a task that has not ended: its number is used again.
    pub fn end(&self, task: u32) {
        let over = with_core(self.world, |core| core.tasks.borrow_mut().end(task));
        drop(over);
    }

    /// Has the call of that number (below 2^31) made at `when`: cheaper than a task where there are a million of them.
    pub fn call_at(&self, when: Mono, number: u32) {
        with_core(self.world, |core| {
            let when = when.0.max(core.now());
            let due = Due::new(when, core.next_sequence(), DueKind::Call(number));
            core.agenda.borrow_mut().push(due);
        });
    }

    /// How many sleeps and calls were asked for so far: what the world has cost. Wraps round at 2^32.
    pub(crate) fn steps(&self) -> u32 {
        with_core(self.world, |core| core.sequence.get()).unwrap_or(0)
    }

    /// Drops every task of a replica where it stands, as a crash does.
    pub fn crash(&self, replica: u16) {
        // Dropped outside of every borrow: what a task held may wake others.
        let doomed = with_core(self.world, |core| core.tasks.borrow_mut().end_all(replica));
        drop(doomed);
    }

    /// Stops a replica's tasks where they stand.
    pub fn freeze(&self, replica: u16) {
        with_core(self.world, |core| {
            core.frozen.borrow_mut().entry(replica).or_default();
            core.any_frozen.set(true);
        });
    }

    /// Lets a frozen replica go on; what would have woken its tasks meanwhile wakes them now.
    pub fn thaw(&self, replica: u16) {
        with_core(self.world, |core| {
            let waiting = core.frozen.borrow_mut().remove(&replica).unwrap_or_default();
            core.any_frozen.set(!core.frozen.borrow().is_empty());
            // They are noted as ready since before they were parked.
            core.ready.borrow_mut().extend(waiting.into_iter().map(WakeTarget::Task));
        });
    }
}

/// The background of one replica.
pub(crate) struct Spawner {
    handle: Handle,
    replica: u16,
}

impl Spawner {
    pub(crate) fn new(handle: Handle, replica: u16) -> Self {
        Self { handle, replica }
    }
}

impl Spawn for Spawner {
    fn spawn(&self, work: BoxFuture<'static, ()>) {
        self.handle.start(self.replica, work);
    }

    fn attend(&self, work: BoxFuture<'static, ()>) {
        let attending = Attending::new(self.handle.world);
        self.handle.spawn(self.replica, async move {
            let _attending = attending;
            work.await;
        });
    }
}

/// A task that listens, for as long as it is there: no work under way.
struct Attending(u32);

impl Attending {
    fn new(world: u32) -> Self {
        with_core(world, |core| core.attending.set(core.attending.get() + 1));
        Self(world)
    }
}

impl Drop for Attending {
    fn drop(&mut self) {
        with_core(self.0, |core| core.attending.set(core.attending.get().saturating_sub(1)));
    }
}
