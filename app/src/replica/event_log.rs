//! The replica's event log: its own ledger, stamped with its own clock, whichever world that is of.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strategies::port::{Clock, Event, Events, Stored};
use strategies::time::nanos;

use crate::control::{EventLine, ReplicaEvents};

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

#[derive(Clone)]
enum Logged {
    Strategy(Event),
    /// The answer of a request whose flight read the origin was handed to the server.
    Answered(String),
}

impl EventLog {
    /// An empty log that is stamped with `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, log: Mutex::default() }
    }

    /// A request whose own flight this was has its answer.
    pub fn answered(&self, flight: String) {
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

fn line(mono_ns: u64, logged: &Logged) -> EventLine {
    let mut line =
        EventLine { mono_ns, event: kind(logged).into(), key: None, flight: None, detail: None, soft_ns: None };
    match logged {
        Logged::Answered(flight) => line.flight = Some(flight.clone()),
        Logged::Strategy(event) => match event {
            Event::FlightLed { flight, key, cause } => {
                (line.flight, line.key) = (Some(flight.to_string()), Some(key.to_string()));
                line.detail = Some(cause.name().into());
            }
            Event::FlightEnded { flight, key, end } => {
                (line.flight, line.key) = (Some(flight.to_string()), Some(key.to_string()));
                line.detail = Some(end.name().into());
            }
            Event::LockEnded { key, end } => {
                (line.key, line.detail) = (Some(key.to_string()), Some(end.name().into()));
            }
            Event::Put { key, life, version, fenced, .. } => {
                (line.key, line.soft_ns) = (Some(key.to_string()), Some(nanos(life.soft)));
                let door = if *fenced { "fenced" } else { "open" };
                line.detail = Some(format!("version {version} {door}"));
            }
            Event::EarlyRefresh(key)
            | Event::RefreshFailed(key)
            | Event::LockTimeout(key)
            | Event::LockFallback(key)
            | Event::WakeLost(key)
            | Event::Corrupt(key) => line.key = Some(key.to_string()),
            Event::OriginSpared { key, by } => {
                (line.key, line.detail) = (Some(key.to_string()), Some(by.name().into()));
            }
            Event::Breaker(state) => line.detail = Some(state.name().into()),
            Event::CacheFailed { op, class } => line.detail = Some(format!("{op} {}", class.name())),
        },
    }
    line
}
