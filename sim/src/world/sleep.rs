//! Sleeping: from a future to a line in the agenda, and back.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::agenda::{Due, What};
use super::task::Whom;
use super::{Core, with_core};

/// Ends when virtual time reaches its moment.
pub struct Sleep {
    world: u32,
    when: u64,
    armed: Option<Armed>,
}

/// A sleep's line in the agenda.
#[derive(Clone, Copy)]
struct Armed {
    sleeper: u32,
    sequence: u32,
}

/// Who is woken.
pub(super) enum Wakes {
    /// The one who slept, straight away.
    Whom(Whom),
    /// Whoever that waker belongs to: a future that is polled through another's hands.
    Waker(Waker),
}

/// Everybody who sleeps.
#[derive(Default)]
pub(super) struct Sleepers {
    places: Vec<(u32, Option<Wakes>)>,
    free: Vec<u32>,
}

impl Sleepers {
    fn add(&mut self, sequence: u32, wakes: Wakes) -> u32 {
        match self.free.pop() {
            Some(number) => {
                self.places[number as usize] = (sequence, Some(wakes));
                number
            }
            None => {
                self.places.push((sequence, Some(wakes)));
                u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
            }
        }
    }

    /// Takes out whom a sleep wakes; `None` where it was dropped.
    pub(super) fn fire(&mut self, number: u32, sequence: u32) -> Option<Wakes> {
        let place = &mut self.places[number as usize];
        if place.0 != sequence {
            return None;
        }
        place.0 = 0;
        self.free.push(number);
        place.1.take()
    }
}

impl Sleep {
    pub(super) fn new(world: u32, when: u64) -> Self {
        Self { world, when, armed: None }
    }

    fn arm(&self, core: &Core, waker: &Waker) -> Armed {
        let sequence = core.next_sequence();
        let sleeper = core.sleepers.borrow_mut().add(sequence, wakes(core, waker));
        core.agenda.borrow_mut().push(Due::new(self.when, sequence, What::Sleeper(sleeper)));
        Armed { sleeper, sequence }
    }
}

/// A task that polls its own sleep is woken by its number: no waker is cloned, and none called.
fn wakes(core: &Core, waker: &Waker) -> Wakes {
    let (whom, its_waker) = core.running.get();
    if std::ptr::eq(its_waker, waker.data()) { Wakes::Whom(whom) } else { Wakes::Waker(waker.clone()) }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let armed = with_core(self.world, |core| {
            if core.now() >= self.when {
                return None;
            }
            let Some(armed) = self.armed else { return Some(self.arm(core, cx.waker())) };
            let wakes = wakes(core, cx.waker());
            let before = core.sleepers.borrow_mut().places[armed.sleeper as usize].1.replace(wakes);
            drop(before);
            Some(armed)
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
        if let Some(Armed { sleeper, sequence }) = self.armed {
            // Only the sleeper goes; its line in the agenda is passed over.
            let over = with_core(self.world, |core| core.sleepers.borrow_mut().fire(sleeper, sequence));
            drop(over);
        }
    }
}
