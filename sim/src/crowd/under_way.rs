//! Requests that are under way, and which of them has waited long enough.

use std::collections::VecDeque;

/// A request that is under way.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Unique; 0 where the place is free.
    pub(super) serial: u64,
    pub(super) client: u32,
    pub(super) intended: u64,
    pub(super) key: u32,
    pub(super) replica: u16,
    /// The task that works on it, once it has arrived.
    pub(super) task: Option<u32>,
}

/// Requests that are under way.
#[derive(Default)]
pub(super) struct UnderWay {
    pub(super) places: Vec<Place>,
    free: Vec<u32>,
    serial: u64,
    /// (deadline, place, serial) in the order of time, since all clients are equally patient.
    deadlines: VecDeque<(u64, u32, u64)>,
    /// Whether the first deadline has a line in the agenda.
    watched: bool,
}

impl UnderWay {
    pub(super) fn is_empty(&self) -> bool {
        self.free.len() == self.places.len()
    }

    pub(super) fn add(&mut self, place: Place) -> u32 {
        self.serial += 1;
        let place = Place { serial: self.serial, ..place };
        match self.free.pop() {
            Some(number) => {
                self.places[number as usize] = place;
                number
            }
            None => {
                self.places.push(place);
                u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
            }
        }
    }

    pub(super) fn get(&self, number: u32) -> Option<Place> {
        self.places.get(number as usize).filter(|place| place.serial != 0).copied()
    }

    pub(super) fn remove(&mut self, number: u32) -> Place {
        let place = self.places[number as usize];
        self.places[number as usize].serial = 0;
        self.free.push(number);
        place
    }

    /// The places of a replica's requests.
    pub(super) fn of(&self, replica: u16) -> Vec<u32> {
        let here = |place: &Place| place.serial != 0 && place.replica == replica && place.task.is_some();
        (0..).zip(&self.places).filter(|(_, place)| here(place)).map(|(number, _)| number).collect()
    }

    /// Notes a deadline. True where it needs a line in the agenda.
    pub(super) fn watch(&mut self, deadline: u64, number: u32) -> bool {
        self.forget_answered();
        self.deadlines.push_back((deadline, number, self.places[number as usize].serial));
        !std::mem::replace(&mut self.watched, true)
    }

    /// Takes out the requests whose time is up.
    pub(super) fn late(&mut self, now: u64) -> Vec<u32> {
        let mut late = Vec::new();
        while let Some((deadline, number, serial)) = self.deadlines.front().copied()
            && (deadline <= now || self.is_over(number, serial))
        {
            self.deadlines.pop_front();
            if !self.is_over(number, serial) {
                late.push(number);
            }
        }
        late
    }

    /// The deadline to look at next; `None` where there is nothing to watch.
    pub(super) fn next_deadline(&mut self) -> Option<u64> {
        self.forget_answered();
        let next = self.deadlines.front().map(|(deadline, ..)| *deadline);
        self.watched = next.is_some();
        next
    }

    /// Most requests are answered in the order in which they were sent, or nearly so: the list stays short.
    fn forget_answered(&mut self) {
        while let Some((_, number, serial)) = self.deadlines.front().copied()
            && self.is_over(number, serial)
        {
            self.deadlines.pop_front();
        }
    }

    fn is_over(&self, number: u32, serial: u64) -> bool {
        self.places[number as usize].serial != serial
    }
}
