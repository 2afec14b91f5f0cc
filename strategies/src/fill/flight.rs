//! The flight's bookkeeping: a name for each origin read, and the certainty that each ends once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::port::key::Key;
use crate::port::{Cause, Event, EventSink, FlightId, LeaderEnd};

/// Names flights and tells of them.
pub(crate) struct Flights {
    incarnation: u64,
    led: AtomicU64,
    events: Arc<dyn EventSink>,
}

impl Flights {
    pub(crate) fn new(incarnation: u64, events: Arc<dyn EventSink>) -> Self {
        Self { incarnation, led: AtomicU64::new(0), events }
    }

    /// A name that no other flight of this life has.
    pub(crate) fn name(&self) -> FlightId {
        let number = self.led.fetch_add(1, Ordering::Relaxed) + 1;
        FlightId { incarnation: self.incarnation, number }
    }

    /// Begins a flight. What is returned must be told how it ended; dropped untold, it has vanished.
    pub(crate) fn lead(&self, key: &Key, cause: Cause) -> Leading {
        let flight = self.name();
        self.events.emit(Event::FlightLed { flight, key: key.clone(), cause });
        Leading { flight, key: key.clone(), events: Arc::clone(&self.events), ended: false }
    }
}

/// A flight in the air.
pub(crate) struct Leading {
    pub(crate) flight: FlightId,
    key: Key,
    events: Arc<dyn EventSink>,
    ended: bool,
}

impl Leading {
    pub(crate) fn end(mut self, end: LeaderEnd) {
        self.tell(end);
    }

    fn tell(&mut self, end: LeaderEnd) {
        self.ended = true;
        self.events.emit(Event::FlightEnded { flight: self.flight, key: self.key.clone(), end });
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        if !self.ended {
            self.tell(LeaderEnd::Vanished);
        }
    }
}
