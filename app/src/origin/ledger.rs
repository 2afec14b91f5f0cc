//! The origin's ledgers: the second witness of every read and of every write, written by nobody else.

use std::sync::{Mutex, MutexGuard, PoisonError};

use evidence::{OriginCounters, OriginRead, OriginWrite, ReadEnd};

/// Every read since the origin was started, in order of arrival.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Rows>);

#[derive(Default)]
struct Rows {
    rows: Vec<OriginRead>,
    writes: Vec<OriginWrite>,
    /// How many of both have not ended.
    open: u64,
}

impl Ledger {
    /// Writes down an arrival and returns its row's number.
    pub(crate) fn arrive(&self, key: &str, flight: &str, replica: Option<u32>, now_ns: u64) -> usize {
        let mut rows = self.rows();
        rows.open += 1;
        rows.rows.push(OriginRead {
            key: key.into(),
            flight: flight.into(),
            replica,
            arrived_ns: now_ns,
            start_ns: None,
            end_ns: None,
            outcome: None,
        });
        rows.rows.len() - 1
    }

    pub(crate) fn start(&self, row: usize, now_ns: u64) {
        if let Some(row) = self.rows().rows.get_mut(row) {
            row.start_ns = Some(now_ns);
        }
    }

    /// Writes down an end, and returns how the read stands in the ledger now.
    pub(crate) fn end(&self, row: usize, outcome: ReadEnd, now_ns: u64) -> ReadEnd {
        let mut rows = self.rows();
        let Rows { rows, open, .. } = &mut *rows;
        let Some(row) = rows.get_mut(row) else { return outcome };
        *open -= u64::from(row.end_ns.is_none());
        row.end_ns = Some(now_ns);
        // Once abandoned, always: the caller had gone before the read ended.
        *row.outcome.get_or_insert(outcome)
    }

    /// Nobody waits for this read any more. It is still running.
    pub(crate) fn abandon(&self, row: usize) {
        if let Some(row) = self.rows().rows.get_mut(row) {
            row.outcome.get_or_insert(ReadEnd::Abandoned);
        }
    }

    /// Writes down a write's arrival and returns its row's number.
    pub(crate) fn arrive_write(&self, key: &str, flight: &str, replica: Option<u32>, now_ns: u64) -> usize {
        let mut rows = self.rows();
        rows.open += 1;
        rows.writes.push(OriginWrite::arrived(key, flight, replica, now_ns));
        rows.writes.len() - 1
    }

    /// Writes something into a write's row.
    pub(crate) fn note(&self, row: usize, note: impl FnOnce(&mut OriginWrite)) {
        let mut rows = self.rows();
        let Rows { writes, open, .. } = &mut *rows;
        if let Some(write) = writes.get_mut(row) {
            let was_open = write.end_ns.is_none();
            note(write);
            *open -= u64::from(was_open && write.end_ns.is_some());
        }
    }

    pub(crate) fn writes(&self) -> Vec<OriginWrite> {
        self.rows().writes.clone()
    }

    pub(crate) fn snapshot(&self) -> Vec<OriginRead> {
        self.rows().rows.clone()
    }

    pub(crate) fn counters(&self) -> OriginCounters {
        let rows = self.rows();
        OriginCounters { arrived: rows.rows.len() as u64, in_flight: rows.open, writes_missed: 0 }
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
