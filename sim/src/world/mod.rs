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
mod sleep;
mod task;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use strategies::port::Spawn;
use strategies::rng::mix;

use agenda::{Agenda, Due, What};
pub use clock::{EPOCH_NS, VirtualClock};
pub use handle::Handle;
pub(crate) use handle::Spawner;
pub use sleep::Sleep;
use sleep::{Sleepers, Wakes};
use task::{SlotWaker, Tasks, Whom, Work};

/// The replica of a task that belongs to none: the cache's, the origin's, the lab's own.
pub const NOBODY: u16 = u16::MAX;

thread_local! {
    /// This thread's worlds, by number.
    static WORLDS: RefCell<Vec<Weak<Core>>> = const { RefCell::new(Vec::new()) };
}

/// Does something with a world of this thread, if it is still there.
fn with_core<T>(world: u32, work: impl FnOnce(&Core) -> T) -> Option<T> {
    let core = WORLDS.try_with(|worlds| worlds.borrow().get(world as usize).and_then(Weak::upgrade)).ok()??;
    Some(work(&core))
}

/// One simulated world. Clones are the same world; with the last of them it ends, and its tasks are dropped.
#[derive(Clone)]
pub struct World(Rc<Core>);

struct Core {
    number: u32,
    now: Arc<AtomicU64>,
    /// How much was asked for; it orders what is due at the same instant and tells what the world has cost, so it may wrap round.
    sequence: Cell<u32>,
    agenda: RefCell<Agenda>,
    sleepers: RefCell<Sleepers>,
    tasks: RefCell<Tasks>,
    ready: RefCell<VecDeque<Whom>>,
    /// Whether the main future is among those that are ready.
    main_queued: Cell<bool>,
    /// What runs now, and the address of the waker that it was given.
    running: Cell<(Whom, *const ())>,
    /// Where the choice among those that are ready is drawn from; `None` for first come, first served.
    choice: Cell<Option<u64>>,
    /// Frozen replicas, and which of their tasks are to run when they thaw.
    frozen: RefCell<BTreeMap<u16, Vec<u32>>>,
    any_frozen: Cell<bool>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A world at time zero, in which tasks that are ready at the same instant run first come, first served.
    #[must_use]
    pub fn new() -> Self {
        Self::with_choice(None)
    }

    /// A world at time zero, in which the seed chooses among tasks that are ready at the same instant.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::with_choice(Some(mix(seed ^ 0x73696d)))
    }

    fn with_choice(choice: Option<u64>) -> Self {
        WORLDS.with(|worlds| {
            let mut worlds = worlds.borrow_mut();
            let core = Rc::new(Core {
                number: u32::try_from(worlds.len()).unwrap_or(u32::MAX),
                now: Arc::default(),
                sequence: Cell::new(0),
                agenda: RefCell::default(),
                sleepers: RefCell::default(),
                tasks: RefCell::default(),
                ready: RefCell::default(),
                main_queued: Cell::new(false),
                running: Cell::new((Whom::Main, std::ptr::null())),
                choice: Cell::new(choice),
                frozen: RefCell::default(),
                any_frozen: Cell::new(false),
            });
            worlds.push(Rc::downgrade(&core));
            Self(core)
        })
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
        self.0.tasks.borrow().count()
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
        let main_waker = Waker::from(Arc::new(SlotWaker { world: core.number, whom: Whom::Main }));
        core.wake(Whom::Main);
        loop {
            match core.next()? {
                Whom::Main => {
                    core.main_queued.set(false);
                    core.running.set((Whom::Main, main_waker.data()));
                    if let Poll::Ready(output) = main.as_mut().poll(&mut Context::from_waker(&main_waker)) {
                        return Some(output);
                    }
                }
                Whom::Task(slot) => core.run_task(slot),
                Whom::Call(number) => on_call(number),
            }
        }
    }
}

impl Core {
    /// Notes that somebody is ready.
    fn wake(&self, whom: Whom) {
        let news = match whom {
            Whom::Main => !self.main_queued.replace(true),
            Whom::Task(slot) => self.tasks.borrow_mut().queue(slot),
            Whom::Call(_) => true,
        };
        if news {
            self.ready.borrow_mut().push_back(whom);
        }
    }

    /// The next to run; the clock jumps where nobody is ready. `None` where nothing is due any more.
    fn next(&self) -> Option<Whom> {
        loop {
            let mut ready = self.ready.borrow_mut();
            match ready.len() {
                0 => {
                    drop(ready);
                    if let Some(whom) = self.advance()? {
                        return Some(whom);
                    }
                }
                1 => return ready.pop_front(),
                _ => return self.choose(&mut ready),
            }
        }
    }

    fn choose(&self, ready: &mut VecDeque<Whom>) -> Option<Whom> {
        let Some(state) = self.choice.get() else { return ready.pop_front() };
        let state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.choice.set(Some(state));
        // Even over the queue but for a bias below 2^-40 (Lemire, ACM TOMACS 29(1), 2019).
        let at = (u128::from(mix(state)) * ready.len() as u128) >> 64;
        ready.swap_remove_front(at as usize)
    }

    fn run_task(&self, slot: u32) {
        if self.any_frozen.get() && self.parked(slot) {
            return;
        }
        let Some(mut running) = self.tasks.borrow_mut().take(slot) else { return };
        self.running.set((Whom::Task(slot), running.waker.data()));
        let done = running.work.as_mut().poll(&mut Context::from_waker(&running.waker)).is_ready();
        let over = self.tasks.borrow_mut().put_back(running, done);
        drop(over);
    }

    /// Whether a task stands still because its replica does. It runs when that thaws.
    fn parked(&self, slot: u32) -> bool {
        let replica = self.tasks.borrow().replica(slot);
        let mut frozen = self.frozen.borrow_mut();
        let Some(waiting) = frozen.get_mut(&replica) else { return false };
        waiting.push(slot);
        true
    }

    /// Jumps to what is due next. Where that is one alone, it is returned; where several are due at that instant, they
    /// are ready from now on.
    fn advance(&self) -> Option<Option<Whom>> {
        loop {
            let (due, next) = {
                let mut agenda = self.agenda.borrow_mut();
                let due = agenda.pop()?;
                (due, agenda.pop_at(due.when))
            };
            // A sleep that was dropped leaves its line behind: not a reason to move the clock.
            match (self.fire(due), next) {
                (None, None) => {}
                (Some(wakes), None) => {
                    self.now.store(due.when, Ordering::Relaxed);
                    return Some(self.wakes_alone(wakes));
                }
                (first, Some(next)) => {
                    let before = self.now.swap(due.when, Ordering::Relaxed);
                    let mut any = first.map(|wakes| self.wakes(wakes)).is_some();
                    let mut next = Some(next);
                    while let Some(due) = next {
                        any |= self.fire(due).map(|wakes| self.wakes(wakes)).is_some();
                        next = self.agenda.borrow_mut().pop_at(due.when);
                    }
                    if any {
                        return Some(None);
                    }
                    self.now.store(before, Ordering::Relaxed);
                }
            }
        }
    }

    /// The task that something due wakes; `None` where it was dropped.
    fn fire(&self, due: Due) -> Option<Wakes> {
        match due.what() {
            What::Sleeper(number) => self.sleepers.borrow_mut().fire(number, due.sequence()),
            What::Task(slot) => {
                let its = self.tasks.borrow_mut().end_alarm(slot, due.sequence());
                its.then_some(Wakes::Whom(Whom::Task(slot)))
            }
            What::Call(number) => Some(Wakes::Whom(Whom::Call(number))),
        }
    }

    fn wakes(&self, wakes: Wakes) {
        match wakes {
            Wakes::Whom(whom) => self.wake(whom),
            Wakes::Waker(waker) => waker.wake(),
        }
    }

    /// The same where nobody else is ready: no need to queue.
    fn wakes_alone(&self, wakes: Wakes) -> Option<Whom> {
        match wakes {
            Wakes::Whom(whom @ (Whom::Task(_) | Whom::Call(_))) => Some(whom),
            Wakes::Whom(Whom::Main) => {
                self.wake(Whom::Main);
                None
            }
            Wakes::Waker(waker) => {
                waker.wake();
                None
            }
        }
    }

    fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Never 0, which marks a sleeper's place as free.
    fn next_sequence(&self) -> u32 {
        let sequence = self.sequence.get().wrapping_add(1).max(1);
        self.sequence.set(sequence);
        sequence
    }

    fn spawn(&self, replica: u16, work: Work) -> u32 {
        let slot = self.tasks.borrow_mut().add(self.number, replica, work);
        self.ready.borrow_mut().push_back(Whom::Task(slot));
        slot
    }
}
