//! A single-threaded executor in virtual time: tasks run in the order of (virtual time, sequence), and when none can run
//! the clock jumps to the next timer. Nanosecond resolution; no real clock, no entropy, no thread anywhere.
//!
//! The paused clocks of the general runtimes are a millisecond coarse and turn orders round within a tick
//! (measured: sleeps of 900, 100, 500 and 300 µs fire in that order), so they cannot judge a race.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use strategies::port::{BoxFuture, Clock, Spawn};
use strategies::time::{Mono, Wall, nanos};

/// Where virtual wall clocks begin: 2026-01-01T00:00:00Z, so that a stamp looks like one.
const EPOCH_NS: u64 = 1_767_225_600_000_000_000;

/// One simulated world. Clones are the same world.
#[derive(Clone, Default)]
pub struct World(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    now: u64,
    sequence: u64,
    /// (when, sequence) → whom to wake; the sequence makes equal times first come, first served.
    timers: BinaryHeap<Reverse<(u64, u64)>>,
    sleepers: BTreeMap<u64, Waker>,
    ready: VecDeque<u64>,
    tasks: BTreeMap<u64, Task>,
    /// Frozen replicas, and which of their tasks are to run when they thaw.
    frozen: BTreeMap<u16, Vec<u64>>,
}

struct Task {
    /// Taken out while it runs.
    work: Option<BoxFuture<'static, ()>>,
    replica: u16,
}

/// Task number of the future that [`World::run`] was given.
const MAIN: u64 = 0;

impl World {
    /// A world at time zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// This world's clock as one replica sees it, `skew_ns` ahead of the others' wall clocks.
    #[must_use]
    pub fn clock(&self, skew_ns: i64) -> Arc<VirtualClock> {
        Arc::new(VirtualClock { world: self.clone(), skew_ns })
    }

    /// The background of one replica.
    #[must_use]
    pub fn spawner(&self, replica: u16) -> Arc<dyn Spawn> {
        Arc::new(Spawner { world: self.clone(), replica })
    }

    /// A moment `d` from now.
    pub fn sleep(&self, d: Duration) -> Sleep {
        let mut state = self.state();
        let when = state.now.saturating_add(nanos(d));
        state.sequence += 1;
        Sleep { world: Arc::downgrade(&self.0), when, id: state.sequence, armed: false }
    }

    /// Drops every task of a replica where it stands, as a crash does.
    pub fn crash(&self, replica: u16) {
        let mut doomed = Vec::new();
        {
            let mut state = self.state();
            let ids: Vec<u64> = state.tasks.iter().filter(|(_, t)| t.replica == replica).map(|(id, _)| *id).collect();
            for id in ids {
                doomed.extend(state.tasks.remove(&id));
            }
        }
        // Dropped outside the lock: what a task held may wake others.
        drop(doomed);
    }

    /// Stops a replica's background tasks where they stand, as a stopped process or a paused machine does. Time goes on.
    pub fn freeze(&self, replica: u16) {
        self.state().frozen.entry(replica).or_default();
    }

    /// Lets a frozen replica go on; what would have woken its tasks meanwhile wakes them now.
    pub fn thaw(&self, replica: u16) {
        let mut state = self.state();
        let waiting = state.frozen.remove(&replica).unwrap_or_default();
        state.ready.extend(waiting);
    }

    /// Tasks that have not ended.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.state().tasks.len()
    }

    /// Runs `main` to its end, and everything that was spawned as far as virtual time takes it. `None` where nothing
    /// can run any more and `main` has not ended: a deadlock.
    pub fn run<T>(&self, main: impl Future<Output = T>) -> Option<T> {
        let mut main = pin!(main);
        self.state().ready.push_back(MAIN);
        loop {
            let next = self.state().ready.pop_front();
            match next {
                Some(MAIN) => {
                    let waker = self.waker(MAIN);
                    if let Poll::Ready(output) = main.as_mut().poll(&mut Context::from_waker(&waker)) {
                        return Some(output);
                    }
                }
                Some(id) => self.poll(id),
                None => self.advance()?,
            }
        }
    }

    fn poll(&self, id: u64) {
        let Some(mut work) = self.runnable(id) else { return };
        let waker = self.waker(id);
        let done = work.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        let mut state = self.state();
        if done {
            state.tasks.remove(&id);
        } else if let Some(task) = state.tasks.get_mut(&id) {
            task.work = Some(work);
        }
    }

    /// A task's work, unless it has ended or its replica is frozen.
    fn runnable(&self, id: u64) -> Option<BoxFuture<'static, ()>> {
        let mut state = self.state();
        let replica = state.tasks.get(&id)?.replica;
        if let Some(waiting) = state.frozen.get_mut(&replica) {
            waiting.push(id);
            return None;
        }
        state.tasks.get_mut(&id)?.work.take()
    }

    /// Jumps to the next timer and wakes its sleeper.
    fn advance(&self) -> Option<()> {
        let waker = {
            let mut state = self.state();
            let Reverse((when, id)) = state.timers.pop()?;
            // A sleep that was dropped leaves its timer behind: not a reason to move the clock.
            let waker = state.sleepers.remove(&id);
            if waker.is_some() {
                state.now = when;
            }
            waker
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        Some(())
    }

    fn waker(&self, id: u64) -> Waker {
        Waker::from(Arc::new(TaskWaker { world: Arc::downgrade(&self.0), id }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct TaskWaker {
    world: Weak<Shared>,
    id: u64,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        if let Some(world) = self.world.upgrade() {
            world.state().ready.push_back(self.id);
        }
    }
}

struct Spawner {
    world: World,
    replica: u16,
}

impl Spawn for Spawner {
    fn spawn(&self, work: BoxFuture<'static, ()>) {
        let mut state = self.world.state();
        state.sequence += 1;
        let id = state.sequence;
        state.tasks.insert(id, Task { work: Some(work), replica: self.replica });
        state.ready.push_back(id);
    }
}

/// A replica's view of virtual time.
pub struct VirtualClock {
    world: World,
    skew_ns: i64,
}

impl Clock for VirtualClock {
    fn mono(&self) -> Mono {
        Mono(self.world.state().now)
    }

    fn wall(&self) -> Wall {
        Wall((EPOCH_NS + self.world.state().now).saturating_add_signed(self.skew_ns))
    }

    fn sleep(&self, d: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.world.sleep(d))
    }
}

/// Ends when virtual time reaches its moment.
pub struct Sleep {
    world: Weak<Shared>,
    when: u64,
    id: u64,
    armed: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(world) = self.world.upgrade() else { return Poll::Pending };
        let mut state = world.state();
        if state.now >= self.when {
            return Poll::Ready(());
        }
        if !self.armed {
            state.timers.push(Reverse((self.when, self.id)));
            self.armed = true;
        }
        state.sleepers.insert(self.id, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if self.armed
            && let Some(world) = self.world.upgrade()
        {
            // Only the sleeper goes; its timer fires into nothing.
            let waker = world.state().sleepers.remove(&self.id);
            drop(waker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeps_end_in_the_order_of_time_then_of_asking() {
        let world = World::new();
        let order = Arc::new(Mutex::new(Vec::new()));
        for micros in [900_u64, 100, 500, 300, 100] {
            let (clock, order) = (world.clock(0), Arc::clone(&order));
            world.spawner(0).spawn(Box::pin(async move {
                clock.sleep(Duration::from_micros(micros)).await;
                order.lock().unwrap().push((micros, clock.mono().0));
            }));
        }
        world.run(world.sleep(Duration::from_millis(1)));
        let at = |micros: u64| (micros, micros * 1000);
        assert_eq!(*order.lock().unwrap(), [at(100), at(100), at(300), at(500), at(900)]);
        assert_eq!(world.tasks(), 0);
    }

    #[test]
    fn a_dropped_sleep_does_not_move_the_clock() {
        let world = World::new();
        let clock = world.clock(0);
        world.run(async {
            let long = clock.sleep(Duration::from_secs(100));
            let short = clock.sleep(Duration::from_secs(1));
            futures_util::future::select(long, short).await;
        });
        let end = world.run(async { clock.mono() });
        assert_eq!(end, Some(Mono(1_000_000_000)));
        assert_eq!(world.run(std::future::pending::<()>()), None, "nothing left to wait for");
        assert_eq!(clock.mono(), Mono(1_000_000_000));
    }

    #[test]
    fn a_crash_drops_the_replicas_tasks_and_no_others() {
        let world = World::new();
        let told = Arc::new(Mutex::new(Vec::new()));
        for replica in [0, 1] {
            let (sleep, told) = (world.sleep(Duration::from_secs(1)), Arc::clone(&told));
            world.spawner(replica).spawn(Box::pin(async move {
                sleep.await;
                told.lock().unwrap().push(replica);
            }));
        }
        world.crash(0);
        world.run(world.sleep(Duration::from_secs(2)));
        assert_eq!(*told.lock().unwrap(), [1]);
    }

    #[test]
    fn a_frozen_replica_goes_on_where_it_stood_when_it_thaws() {
        let world = World::new();
        let told = Arc::new(Mutex::new(Vec::new()));
        for replica in [0, 1] {
            let (clock, told) = (world.clock(0), Arc::clone(&told));
            world.spawner(replica).spawn(Box::pin(async move {
                clock.sleep(Duration::from_secs(1)).await;
                told.lock().unwrap().push((replica, clock.mono().0 / 1_000_000_000));
            }));
        }
        world.run(async {
            world.freeze(0);
            world.sleep(Duration::from_secs(5)).await;
            world.thaw(0);
            world.sleep(Duration::from_secs(1)).await;
        });
        assert_eq!(*told.lock().unwrap(), [(1, 1), (0, 5)]);
    }

    #[test]
    fn skew_shows_on_the_wall_and_never_on_the_monotonic_clock() {
        let world = World::new();
        let (true_clock, skewed) = (world.clock(0), world.clock(-5_000_000));
        assert_eq!(true_clock.mono(), skewed.mono());
        assert_eq!(true_clock.wall().minus(skewed.wall()), 5_000_000);
    }
}
