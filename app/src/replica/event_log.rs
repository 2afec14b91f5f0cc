//! The replica's event log: its own ledger, stamped with its own clock, whichever world that is of.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use strategies::Key;
use strategies::port::{Clock, Event, Events, FlightId, Stored};

use crate::wire::control::{EventLine, ReplicaEvents};

/// Events that one strategy may leave behind; beyond that they are counted and dropped, and the run is invalid.
const EVENTS_MAX: usize = 1_000_000;

/// Collects events until the next strategy starts.
pub struct EventLog {
    clock: Arc<dyn Clock>,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    events: Vec<(u64, Logged)>,
    dropped: u64,
}

/// One entry of a replica's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logged {
    /// What its strategy told.
    Strategy(Event),
    /// The answer of a request whose flight read the origin was handed to the server.
    Answered(FlightId),
}

impl EventLog {
    /// An empty log that is stamped with `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, log: Mutex::default() }
    }

    /// A request whose own flight this was has its answer.
    pub fn answered(&self, flight: FlightId) {
        self.push(Logged::Answered(flight));
    }

    /// Everything so far, as it is told to the lab.
    #[must_use]
    pub fn lines(&self) -> ReplicaEvents {
        let log = self.log();
        ReplicaEvents { events: log.events.iter().map(|(at, e)| line(*at, e)).collect(), dropped: log.dropped }
    }

    fn push(&self, event: Logged) {
        let now = self.clock.mono().0;
        let mut log = self.log();
        if log.events.len() < EVENTS_MAX {
            log.events.push((now, event));
        } else {
            log.dropped += 1;
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Events for EventLog {
    fn emit(&self, event: Event) {
        self.push(Logged::Strategy(event));
    }
}

/// The `event` of `events.jsonl`.
fn kind(event: &Logged) -> &'static str {
    match event {
        Logged::Answered(_) => "answered",
        Logged::Strategy(event) => match event {
            Event::FlightLed { .. } => "flight-led",
            Event::FlightEnded { .. } => "flight-ended",
            Event::LockEnded { .. } => "lock-ended",
            Event::Put { stored: Stored::Stored, .. } => "stored",
            Event::Put { stored: Stored::Fenced, .. } => "fenced",
            Event::EarlyRefresh(_) => "early-refresh",
            Event::RefreshFailed(_) => "refresh-failed",
            Event::LockTimeout(_) => "lock-timeout",
            Event::LockFallback(_) => "lock-fallback",
            Event::WakeLost(_) => "wake-lost",
            Event::Corrupt(_) => "corrupt",
            Event::OriginSpared { .. } => "origin-spared",
            Event::Breaker(_) => "breaker",
            Event::CacheFailed { .. } => "cache-failed",
        },
    }
}

/// An entry as it is told to the lab.
#[must_use]
pub fn line(mono_ns: u64, logged: &Logged) -> EventLine {
    let event = SmolStr::new_static(kind(logged));
    let mut line = EventLine { mono_ns, event, key: None, flight: None, detail: None, fresh_until_ns: None };
    let name = |name| Some(SmolStr::new_static(name));
    match logged {
        Logged::Answered(flight) => line.flight = Some(flight.to_smolstr()),
        Logged::Strategy(event) => match event {
            Event::FlightLed { flight, key, cause } => {
                (line.flight, line.key) = (Some(flight.to_smolstr()), text(key));
                line.detail = name(cause.name());
            }
            Event::FlightEnded { flight, key, end } => {
                (line.flight, line.key) = (Some(flight.to_smolstr()), text(key));
                line.detail = name(end.name());
            }
            Event::LockEnded { key, end } => {
                (line.key, line.detail) = (text(key), name(end.name()));
            }
            Event::Put { key, fresh_until, version, fenced, .. } => {
                (line.key, line.fresh_until_ns) = (text(key), Some(fresh_until.0));
                let door = if *fenced { "fenced" } else { "open" };
                line.detail = Some(format_smolstr!("version {version} {door}"));
            }
            Event::EarlyRefresh(key)
            | Event::RefreshFailed(key)
            | Event::LockTimeout(key)
            | Event::LockFallback(key)
            | Event::WakeLost(key)
            | Event::Corrupt(key) => line.key = text(key),
            Event::OriginSpared { key, by } => {
                (line.key, line.detail) = (text(key), name(by.name()));
            }
            Event::Breaker(state) => line.detail = name(state.name()),
            Event::CacheFailed { op, class } => line.detail = Some(format_smolstr!("{op} {}", class.name())),
        },
    }
    line
}

fn text(key: &Key) -> Option<SmolStr> {
    Some(SmolStr::new(key.as_str()))
}
