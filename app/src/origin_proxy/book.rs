//! The proxy's ledger of one run: the lab's, with an end to it. What no longer fits is counted, and makes it unreadable: a ledger that
//! lacks reads would be a false witness.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use evidence::{OriginCounters, OriginRead, ReadEnd};
use strategies::port::Clock as _;

use crate::origin::Ledger;
use crate::process::runtime::RealClock;

/// Reads of one run at most.
pub(super) const READS_MAX: u64 = 1_000_000;

/// The ledger of one run.
#[derive(Default)]
pub(super) struct Book {
    ledger: Ledger,
    arrived: AtomicU64,
}

impl Book {
    /// A read arrives. It is under way until what is returned ends; where that is dropped before, its caller has gone.
    pub(super) fn arrive(self: &Arc<Self>, key: &str, clock: RealClock, asker: (&str, Option<u32>)) -> CountedRead {
        let fits = self.arrived.fetch_add(1, Ordering::Relaxed) < READS_MAX;
        let row = fits.then(|| self.ledger.arrive(key, asker.0, asker.1, clock.mono().0));
        CountedRead { book: Arc::clone(self), row, clock }
    }

    /// What there is.
    ///
    /// # Errors
    /// A sentence where not every read is in it.
    pub(super) fn whole(&self) -> Result<Vec<OriginRead>, String> {
        let arrived = self.arrived.load(Ordering::Relaxed);
        if arrived > READS_MAX {
            return Err(format!(
                "{arrived} reads arrived, and the ledger holds {READS_MAX}; make a shorter run, or ask for less"
            ));
        }
        Ok(self.ledger.snapshot())
    }

    pub(super) fn counters(&self) -> OriginCounters {
        OriginCounters { arrived: self.arrived.load(Ordering::Relaxed), ..self.ledger.counters() }
    }
}

/// A read under way.
pub(super) struct CountedRead {
    book: Arc<Book>,
    /// Its row; `None` where it has none, or has ended.
    row: Option<usize>,
    clock: RealClock,
}

impl CountedRead {
    /// It has ended. Only the first end counts.
    pub(super) fn end(&mut self, outcome: ReadEnd) {
        if let Some(row) = self.row.take() {
            self.book.ledger.end(row, outcome, self.clock.mono().0);
        }
    }
}

impl Drop for CountedRead {
    fn drop(&mut self) {
        self.end(ReadEnd::Abandoned);
    }
}
