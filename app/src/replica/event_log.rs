//! The replica's event log: its own ledger, stamped with its own clock, whichever world that is of.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strategies::port::{Clock, Event, EventSink, FlightId};

use evidence::{EventLine, ReplicaEvents};

/// Events that one strategy may leave behind; beyond that they are counted and dropped, and the run is invalid.
const EVENTS_MAX: usize = 1_000_000;

/// Collects events until the next strategy starts.
pub struct EventLog {
    clock: Arc<dyn Clock>,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    events: Vec<EventLine>,
    dropped: u64,
}

impl EventLog {
    /// An empty log that is stamped with `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, log: Mutex::default() }
    }

    /// A request whose own flight this was has its answer.
    pub fn answered(&self, flight: FlightId) {
        self.emit(Event::Answered(flight));
    }

    /// Everything so far, as it is told to the lab.
    #[must_use]
    pub fn lines(&self) -> ReplicaEvents {
        let log = self.log();
        ReplicaEvents { events: log.events.clone(), dropped: log.dropped }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for EventLog {
    fn emit(&self, event: Event) {
        let mono_ns = self.clock.mono().0;
        let mut log = self.log();
        if log.events.len() < EVENTS_MAX {
            log.events.push(EventLine { mono_ns, event });
        } else {
            log.dropped += 1;
        }
    }
}
