//! The origin's ledger: the second witness of every read, written by nobody else.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::control::{LedgerRow, OriginCounters, ReadOutcome};

/// Every read since the origin was started, in order of arrival.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Vec<LedgerRow>>);

impl Ledger {
    /// Writes down an arrival and returns its row's number.
    pub(super) fn arrive(&self, key: &str, flight: &str, replica: Option<u32>, now_ns: u64) -> usize {
        let mut rows = self.rows();
        rows.push(LedgerRow {
            key: key.to_owned(),
            flight: flight.to_owned(),
            replica,
            arrived_ns: now_ns,
            start_ns: None,
            end_ns: None,
            outcome: ReadOutcome::Open,
        });
        rows.len() - 1
    }

    pub(super) fn start(&self, row: usize, now_ns: u64) {
        if let Some(row) = self.rows().get_mut(row) {
            row.start_ns = Some(now_ns);
        }
    }

    /// Writes down an end, and returns how the read stands in the ledger now.
    pub(super) fn end(&self, row: usize, outcome: ReadOutcome, now_ns: u64) -> ReadOutcome {
        let mut rows = self.rows();
        let Some(row) = rows.get_mut(row) else { return outcome };
        row.end_ns = Some(now_ns);
        // Once abandoned, always: the caller had gone before the read ended.
        if row.outcome == ReadOutcome::Open {
            row.outcome = outcome;
        }
        row.outcome
    }

    /// Nobody waits for this read any more. It is still running.
    pub(super) fn abandon(&self, row: usize) {
        if let Some(row) = self.rows().get_mut(row)
            && row.outcome == ReadOutcome::Open
        {
            row.outcome = ReadOutcome::Abandoned;
        }
    }

    pub(super) fn snapshot(&self) -> Vec<LedgerRow> {
        self.rows().clone()
    }

    pub(super) fn counters(&self) -> OriginCounters {
        let rows = self.rows();
        let open = rows.iter().rev().filter(|r| r.end_ns.is_none()).count();
        OriginCounters { arrived: rows.len() as u64, in_flight: open as u64, writes_missed: 0 }
    }

    fn rows(&self) -> MutexGuard<'_, Vec<LedgerRow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
