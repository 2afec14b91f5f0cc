//! Requests that are under way, and which of them has waited long enough.

use std::collections::VecDeque;

use scenarios::Op;

/// A request that is under way.
#[derive(Clone, Copy)]
pub(super) struct RequestPlace {
    /// Unique; 0 where the place is free. Given by [`UnderWay::add`].
    pub(super) serial: u64,
    pub(super) client: u32,
    /// Which of its client's, or of the plan's.
    pub(super) n: u64,
    pub(super) intended: u64,
    /// When this attempt is sent; the first one then, when it was intended.
    pub(super) sent: u64,
    /// Which attempt, from 1.
    pub(super) attempt: u32,
    pub(super) key: u32,
    pub(super) op: Op,
    pub(super) replica: u16,
    /// How many dead replicas it has found before this one.
    pub(super) moved: u16,
    /// The task that works on it, once it has arrived.
    pub(super) task: Option<u32>,
}

impl RequestPlace {
    /// The first attempt at a request, sent when it was intended.
    pub(super) fn first(intended: u64) -> Self {
        Self {
            serial: 0,
            client: 0,
            n: 0,
            intended,
            sent: intended,
            attempt: 1,
            key: 0,
            op: Op::Get,
            replica: 0,
            moved: 0,
            task: None,
        }
    }
}

/// Requests that are under way.
#[derive(Default)]
pub(super) struct UnderWay {
    pub(super) places: Vec<RequestPlace>,
    free: Vec<u32>,
    serial: u64,
    /// (deadline, place, serial) in the order of time: see [`UnderWay::late`].
    listed: VecDeque<(u64, u32, u64)>,
    next_list: u64,
}

impl UnderWay {
    pub(super) fn is_empty(&self) -> bool {
        self.free.len() == self.places.len()
    }

    pub(super) fn add(&mut self, place: RequestPlace) -> u32 {
        self.serial += 1;
        let place = RequestPlace { serial: self.serial, ..place };
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

    pub(super) fn get(&self, number: u32) -> Option<RequestPlace> {
        self.places.get(number as usize).filter(|place| place.serial != 0).copied()
    }

    pub(super) fn remove(&mut self, number: u32) -> RequestPlace {
        let place = self.places[number as usize];
        self.places[number as usize].serial = 0;
        self.free.push(number);
        place
    }

    /// The places of a replica's requests.
    pub(super) fn of(&self, replica: u16) -> Vec<u32> {
        let here = |place: &RequestPlace| place.serial != 0 && place.replica == replica && place.task.is_some();
        (0..).zip(&self.places).filter(|(_, place)| here(place)).map(|(number, _)| number).collect()
    }

    /// The requests whose time is up, and when to look again.
    ///
    /// Once in a `timeout` it lists the requests under way. One that is not on the list was sent after it was made, and has
    /// its time until the next; so a request that is answered soon costs nothing here.
    pub(super) fn late(&mut self, now: u64, timeout: u64) -> (Vec<u32>, u64) {
        if now >= self.next_list {
            let open = (0..).zip(&self.places).filter(|(_, place)| place.serial != 0);
            let mut list: Vec<(u64, u32, u64)> =
                open.map(|(number, place)| (place.sent.saturating_add(timeout), number, place.serial)).collect();
            list.sort_unstable();
            // A request that is to be sent later than now stands on the last list, too.
            self.listed = list.into();
            self.next_list = now.saturating_add(timeout);
        }
        let mut late = Vec::new();
        while let Some((deadline, number, serial)) = self.listed.front().copied() {
            let open = self.places[number as usize].serial == serial;
            if open && deadline > now {
                return (late, deadline);
            }
            self.listed.pop_front();
            if open {
                late.push(number);
            }
        }
        (late, self.next_list)
    }
}
