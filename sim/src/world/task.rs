//! Tasks: futures that are under way, each with a replica that it belongs to and a waker that is made once.

use std::pin::Pin;
use std::task::Waker;

/// The replica of a task that belongs to none: the cache's, the origin's, the lab's own.
pub const NOBODY: u16 = u16::MAX;
/// The replica of the lab's own tasks, which end with the load.
pub(crate) const LAB: u16 = NOBODY - 1;

/// What a task does. It need not be `Send`: a world lives on one thread.
pub(super) type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Whom a wake-up is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WakeTarget {
    /// The future that `World::run` was given.
    Main,
    /// The task in that slot. A slot is used again, so a late wake-up may reach its next task, which looks and waits on.
    Task(u32),
    /// Not a task: the call of that number.
    Call(u32),
}

/// A place for a task.
struct Slot {
    /// Unique among tasks; 0 where the slot is free.
    id: u64,
    /// Both are taken out while the task runs.
    work: Option<Work>,
    waker: Option<Waker>,
    replica: u16,
    /// Whether it is among those that are ready.
    queued: bool,
    /// Which sleep of its own it is in: the sequence of its line in the agenda; 0 for none.
    alarm: u32,
}

/// The id of a task that was ended while it ran: it goes when it returns.
const ENDED: u64 = u64::MAX;

/// A task that is taken out of its slot to be run.
pub(super) struct RunningTask {
    slot: u32,
    pub(super) work: Work,
    pub(super) waker: Waker,
}

/// All tasks of a world.
#[derive(Default)]
pub(super) struct Tasks {
    slots: Vec<Slot>,
    free: Vec<u32>,
    made: u64,
}

impl Tasks {
    /// Tasks that have not ended.
    pub(super) fn count(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Takes a task in; it is ready at once. `waker` makes the waker of a slot that is new.
    pub(super) fn add(&mut self, replica: u16, work: Work, waker: impl FnOnce(WakeTarget) -> Waker) -> u32 {
        self.made += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            let number = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
            let waker = Some(waker(WakeTarget::Task(number)));
            self.slots.push(Slot { id: 0, work: None, waker, replica: NOBODY, queued: false, alarm: 0 });
            number
        });
        let place = &mut self.slots[slot as usize];
        (place.id, place.work, place.replica, place.queued) = (self.made, Some(work), replica, true);
        slot
    }

    /// Notes that a slot is to be run. False where there is nothing to run, or it is noted already.
    pub(super) fn queue(&mut self, slot: u32) -> bool {
        let place = &mut self.slots[slot as usize];
        let news = place.id != 0 && !place.queued;
        place.queued |= news;
        news
    }

    /// A task that runs goes to sleep. False where it has another sleep already.
    pub(super) fn set_alarm(&mut self, slot: u32, sequence: u32) -> bool {
        let alarm = &mut self.slots[slot as usize].alarm;
        let first = *alarm == 0;
        if first {
            *alarm = sequence;
        }
        first
    }

    /// Ends a task's sleep, if that is the one it is in.
    pub(super) fn end_alarm(&mut self, slot: u32, sequence: u32) -> bool {
        let alarm = &mut self.slots[slot as usize].alarm;
        let its = *alarm == sequence;
        if its {
            *alarm = 0;
        }
        its
    }

    /// The replica of a task that is ready.
    pub(super) fn replica(&self, slot: u32) -> u16 {
        self.slots[slot as usize].replica
    }

    /// Takes a task out to run it.
    pub(super) fn take(&mut self, slot: u32) -> Option<RunningTask> {
        let place = &mut self.slots[slot as usize];
        place.queued = false;
        let work = place.work.take()?;
        let waker = place.waker.take()?;
        Some(RunningTask { slot, work, waker })
    }

    /// Puts a task back that has run. What is returned is over and must be dropped by the caller, outside of any borrow.
    pub(super) fn put_back(&mut self, running: RunningTask, done: bool) -> Option<Work> {
        let RunningTask { slot, work, waker } = running;
        let place = &mut self.slots[slot as usize];
        place.waker = Some(waker);
        if done || place.id == ENDED {
            place.id = 0;
            self.free.push(slot);
            return Some(work);
        }
        place.work = Some(work);
        None
    }

    /// Ends the task of a slot; one that runs ends when it next waits. What is returned must be dropped by the caller,
    /// outside of any borrow.
    pub(super) fn end(&mut self, slot: u32) -> Option<Work> {
        let place = self.slots.get_mut(slot as usize).filter(|place| place.id != 0)?;
        match place.work.take() {
            Some(work) => {
                place.id = 0;
                self.free.push(slot);
                Some(work)
            }
            None => {
                place.id = ENDED;
                None
            }
        }
    }

    /// Ends every task of a replica, in the order of their slots.
    pub(super) fn end_all(&mut self, replica: u16) -> Vec<Work> {
        let doomed: Vec<u32> = (0..).zip(&self.slots).filter(|(_, s)| s.replica == replica).map(|(n, _)| n).collect();
        doomed.into_iter().filter_map(|slot| self.end(slot)).collect()
    }
}
