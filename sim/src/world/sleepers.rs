//! Everybody who sleeps, and whom the end of a sleep wakes.

use std::task::Waker;

use super::task::WakeTarget;

/// What is woken.
pub(super) enum Wakes {
    /// A task, a call, or the main future.
    Whom(WakeTarget),
    /// The owner of that waker: a future that is polled through another's hands.
    Waker(Waker),
}

/// All sleeping tasks.
#[derive(Default)]
pub(super) struct Sleepers {
    places: Vec<(u32, Option<Wakes>)>,
    free: Vec<u32>,
}

impl Sleepers {
    pub(super) fn add(&mut self, sequence: u32, wakes: Wakes) -> u32 {
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

    /// Takes out the task that a sleep wakes; `None` where it was dropped.
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
