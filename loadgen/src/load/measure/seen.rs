//! What was seen of a run one by one, wherever it lies: in lists that a real lab's programs have sent, or on a simulation's tapes.
//!
//! It is gone through as often as it takes and never held as a whole by those who look at it.

use std::io;

use evidence::{EventLine, OriginRead, ReplicaEvents};

/// What the replicas told.
pub trait EventLines {
    /// Shows every event: nanoseconds since t = 0, the replica, and the event. In order of time; of one moment, a replica's own in
    /// the order in which it told them.
    ///
    /// # Errors
    /// Where they cannot be read back, and what `visit` says.
    fn each(&self, visit: &mut dyn FnMut(i64, u32, &EventLine) -> io::Result<()>) -> io::Result<()>;
}

/// What the origin saw, in order of arrival.
pub trait Reads {
    /// Shows every read, on the origin's own clock.
    ///
    /// # Errors
    /// As [`EventLines::each`].
    fn each(&self, visit: &mut dyn FnMut(&OriginRead) -> io::Result<()>) -> io::Result<()>;
}

/// The lists that replicas have sent, and where each one's clock stands: added to its readings it gives nanoseconds since t = 0.
pub struct LineLists {
    lists: Vec<(ReplicaEvents, i64)>,
    /// (when, replica, which of its): in order.
    order: Vec<(i64, u32, u32)>,
}

impl LineLists {
    /// Puts them in order.
    #[must_use]
    pub fn new(lists: Vec<(ReplicaEvents, i64)>) -> Self {
        let mut order = Vec::with_capacity(lists.iter().map(|(list, _)| list.events.len()).sum());
        for (replica, (list, offset_ns)) in (0_u32..).zip(&lists) {
            let at = |line: &EventLine| i64::try_from(line.mono_ns).unwrap_or(i64::MAX).saturating_add(*offset_ns);
            order.extend((0..).zip(&list.events).map(|(number, line)| (at(line), replica, number)));
        }
        order.sort_unstable();
        Self { lists, order }
    }
}

impl EventLines for LineLists {
    fn each(&self, visit: &mut dyn FnMut(i64, u32, &EventLine) -> io::Result<()>) -> io::Result<()> {
        self.order.iter().try_for_each(|(at, replica, number)| {
            let list = self.lists.get(*replica as usize).map(|(list, _)| &list.events);
            list.and_then(|list| list.get(*number as usize)).map_or(Ok(()), |line| visit(*at, *replica, line))
        })
    }
}

/// The ledger that an origin has sent.
pub struct ReadList(Vec<OriginRead>);

impl ReadList {
    /// Puts it in order.
    #[must_use]
    pub fn new(mut rows: Vec<OriginRead>) -> Self {
        rows.sort_by_key(|row| row.arrived_ns);
        Self(rows)
    }
}

impl Reads for ReadList {
    fn each(&self, visit: &mut dyn FnMut(&OriginRead) -> io::Result<()>) -> io::Result<()> {
        self.0.iter().try_for_each(visit)
    }
}
