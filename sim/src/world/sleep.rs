//! Sleeping: from a future to a line in the agenda, and back.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::agenda::{Due, DueKind};
use super::scheduler::{Core, with_core};
use super::sleepers::Wakes;
use super::task::WakeTarget;

/// Ends when virtual time reaches its moment.
pub struct Sleep {
    world: u32,
    when: u64,
    armed: Option<Armed>,
}

/// A sleep's line in the agenda: the task that it wakes, and its sequence.
#[derive(Clone, Copy)]
enum Armed {
    /// The task that sleeps, straight away.
    Task(u32, u32),
    /// The one that the sleeper's place names.
    Sleeper(u32, u32),
}

impl Sleep {
    pub(super) fn new(world: u32, when: u64) -> Self {
        Self { world, when, armed: None }
    }

    fn arm(&self, core: &Core, waker: &Waker) -> Armed {
        let sequence = core.next_sequence();
        let armed = match running(core, waker) {
            // The common case, without a place and a waker of its own.
            Some(WakeTarget::Task(slot)) if core.tasks.borrow_mut().set_alarm(slot, sequence) => {
                Armed::Task(slot, sequence)
            }
            whom => {
                let wakes = whom.map_or_else(|| Wakes::Waker(waker.clone()), Wakes::Whom);
                Armed::Sleeper(core.sleepers.borrow_mut().add(sequence, wakes), sequence)
            }
        };
        let what = match armed {
            Armed::Task(slot, _) => DueKind::Task(slot),
            Armed::Sleeper(number, _) => DueKind::Sleeper(number),
        };
        core.agenda.borrow_mut().push(Due::new(self.when, sequence, what));
        armed
    }

    /// Asked again before its time, perhaps by somebody else.
    fn arm_again(&self, core: &Core, armed: Armed, waker: &Waker) -> Armed {
        match (armed, running(core, waker)) {
            (Armed::Task(slot, _), Some(WakeTarget::Task(asking))) if slot == asking => armed,
            _ => {
                disarm(core, armed);
                self.arm(core, waker)
            }
        }
    }
}

/// What runs now, if the waker wakes just that: a task that polls its own sleep is woken by its number, and no waker is
/// cloned, and none called.
fn running(core: &Core, waker: &Waker) -> Option<WakeTarget> {
    let (whom, its_waker) = core.running.get();
    std::ptr::eq(its_waker, waker.data()).then_some(whom)
}

/// Only the sleeper goes; its line in the agenda is passed over.
fn disarm(core: &Core, armed: Armed) {
    match armed {
        Armed::Task(slot, sequence) => {
            core.tasks.borrow_mut().end_alarm(slot, sequence);
        }
        Armed::Sleeper(number, sequence) => {
            let over = core.sleepers.borrow_mut().fire(number, sequence);
            drop(over);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let armed = with_core(self.world, |core| {
            if core.now() >= self.when {
                return None;
            }
            Some(match self.armed {
                None => self.arm(core, cx.waker()),
                Some(armed) => self.arm_again(core, armed, cx.waker()),
            })
        });
        match armed {
            Some(None) => {
                self.armed = None;
                Poll::Ready(())
            }
            Some(armed) => {
                self.armed = armed;
                Poll::Pending
            }
            None => Poll::Pending, // its world is over
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(armed) = self.armed {
            with_core(self.world, |core| disarm(core, armed));
        }
    }
}
