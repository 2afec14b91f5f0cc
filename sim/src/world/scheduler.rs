//! The heart of a world: what is ready, what is due, and the clock that jumps between them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Context;

use strategies::rng::mix;

use super::agenda::{Agenda, Due, DueKind};
use super::sleepers::{Sleepers, Wakes};
use super::task::{Tasks, WakeTarget};

thread_local! {
    /// This thread's worlds, by number.
    static WORLDS: RefCell<Vec<Weak<Core>>> = const { RefCell::new(Vec::new()) };
}

/// Does something with a world of this thread, if it is still there.
pub(super) fn with_core<T>(world: u32, work: impl FnOnce(&Core) -> T) -> Option<T> {
    let core = WORLDS.try_with(|worlds| worlds.borrow().get(world as usize).and_then(Weak::upgrade)).ok()??;
    Some(work(&core))
}

pub(super) struct Core {
    pub(super) number: u32,
    pub(super) now: Arc<AtomicU64>,
    /// How much was asked for; it orders what is due at the same instant and tells what the world has cost, so it may wrap round.
    pub(super) sequence: Cell<u32>,
    pub(super) agenda: RefCell<Agenda>,
    pub(super) sleepers: RefCell<Sleepers>,
    pub(super) tasks: RefCell<Tasks>,
    pub(super) ready: RefCell<VecDeque<WakeTarget>>,
    /// Whether the main future is among those that are ready.
    pub(super) main_queued: Cell<bool>,
    /// What runs now, and the address of the waker that it was given.
    pub(super) running: Cell<(WakeTarget, *const ())>,
    /// Where the choice among those that are ready is drawn from; `None` for first come, first served.
    pub(super) choice: Cell<Option<u64>>,
    /// Frozen replicas, and which of their tasks are to run when they thaw.
    pub(super) frozen: RefCell<BTreeMap<u16, Vec<u32>>>,
    pub(super) any_frozen: Cell<bool>,
    /// Tasks that listen and are no work under way.
    pub(super) attending: Cell<usize>,
}

impl Core {
    /// A world at time zero, known on this thread by its number.
    pub(super) fn new(choice: Option<u64>) -> Rc<Self> {
        WORLDS.with(|worlds| {
            let mut worlds = worlds.borrow_mut();
            let core = Rc::new(Self {
                number: u32::try_from(worlds.len()).unwrap_or(u32::MAX),
                now: Arc::default(),
                sequence: Cell::new(0),
                agenda: RefCell::default(),
                sleepers: RefCell::default(),
                tasks: RefCell::default(),
                ready: RefCell::default(),
                main_queued: Cell::new(false),
                running: Cell::new((WakeTarget::Main, std::ptr::null())),
                choice: Cell::new(choice),
                frozen: RefCell::default(),
                any_frozen: Cell::new(false),
                attending: Cell::new(0),
            });
            worlds.push(Rc::downgrade(&core));
            core
        })
    }

    /// Notes that somebody is ready.
    pub(super) fn wake(&self, whom: WakeTarget) {
        let news = match whom {
            WakeTarget::Main => !self.main_queued.replace(true),
            WakeTarget::Task(slot) => self.tasks.borrow_mut().queue(slot),
            WakeTarget::Call(_) => true,
        };
        if news {
            self.ready.borrow_mut().push_back(whom);
        }
    }

    /// The next to run; the clock jumps where nobody is ready. `None` where nothing is due any more.
    pub(super) fn next(&self) -> Option<WakeTarget> {
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

    fn choose(&self, ready: &mut VecDeque<WakeTarget>) -> Option<WakeTarget> {
        let Some(state) = self.choice.get() else { return ready.pop_front() };
        let state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.choice.set(Some(state));
        // Even over the queue but for a bias below 2^-40 (Lemire, ACM TOMACS 29(1), 2019).
        let at = (u128::from(mix(state)) * ready.len() as u128) >> 64;
        ready.swap_remove_front(at as usize)
    }

    pub(super) fn run_task(&self, slot: u32) {
        if self.any_frozen.get() && self.parked(slot) {
            return;
        }
        let Some(mut running) = self.tasks.borrow_mut().take(slot) else { return };
        self.running.set((WakeTarget::Task(slot), running.waker.data()));
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
    fn advance(&self) -> Option<Option<WakeTarget>> {
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
            DueKind::Sleeper(number) => self.sleepers.borrow_mut().fire(number, due.sequence()),
            DueKind::Task(slot) => {
                let its = self.tasks.borrow_mut().end_alarm(slot, due.sequence());
                its.then_some(Wakes::Whom(WakeTarget::Task(slot)))
            }
            DueKind::Call(number) => Some(Wakes::Whom(WakeTarget::Call(number))),
        }
    }

    fn wakes(&self, wakes: Wakes) {
        match wakes {
            Wakes::Whom(whom) => self.wake(whom),
            Wakes::Waker(waker) => waker.wake(),
        }
    }

    /// The same where nobody else is ready: no need to queue.
    fn wakes_alone(&self, wakes: Wakes) -> Option<WakeTarget> {
        match wakes {
            Wakes::Whom(whom @ (WakeTarget::Task(_) | WakeTarget::Call(_))) => Some(whom),
            Wakes::Whom(WakeTarget::Main) => {
                self.wake(WakeTarget::Main);
                None
            }
            Wakes::Waker(waker) => {
                waker.wake();
                None
            }
        }
    }

    pub(super) fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Never 0, which marks a sleeper's place as free.
    pub(super) fn next_sequence(&self) -> u32 {
        let sequence = self.sequence.get().wrapping_add(1).max(1);
        self.sequence.set(sequence);
        sequence
    }
}
