//! What a simulated run leaves behind one by one: its replicas' events and its origin's reads, a few bytes each, on tapes.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use evidence::{EventLine, OriginRead, ReadEnd};
use sim::{Read, VirtualClock};
use strategies::Key;
use strategies::port::{
    BreakerState, CacheErrorClass, Cause, Clock as _, Event, EventSink, FlightId, LeaderEnd, OPERATIONS, RefusedBy,
    Stored,
};
use strategies::time::Mono;

use crate::load::measure::{EventLines, Reads};
use crate::load::tape::Tape;

const EVENT: usize = 32;
const READ: usize = 48;
const NEVER: u64 = u64::MAX;

/// A run's tapes.
#[derive(Clone)]
pub(super) struct Tapes {
    events: Arc<Mutex<Tape<EVENT>>>,
    reads: Arc<Mutex<Tape<READ>>>,
    /// Any replica's: all monotonic clocks are right.
    clock: Arc<OnceLock<Arc<VirtualClock>>>,
}

impl Tapes {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            events: Arc::new(Mutex::new(Tape::new(folder))),
            reads: Arc::new(Mutex::new(Tape::new(folder))),
            clock: Arc::default(),
        }
    }

    /// The log of a replica's next life.
    pub(super) fn log(&self, replica: u16, clock: Arc<VirtualClock>) -> Arc<dyn EventSink> {
        let _ = self.clock.set(Arc::clone(&clock));
        Arc::new(Log { replica, clock, events: Arc::clone(&self.events) })
    }

    /// A replica hands over an answer whose flight it led.
    pub(super) fn answered(&self, replica: u16, flight: FlightId) {
        let now = self.clock.get().map_or(0, |clock| clock.mono().0);
        lock(&self.events).push(&pack(now, replica, &Event::Answered(flight)));
    }

    /// A read is over, or never will be.
    pub(super) fn read(&self, read: &Read) {
        lock(&self.reads).push(&pack_read(read));
    }

    /// What the replicas told, seen from t = 0.
    pub(super) fn lines(&self, t0_ns: u64) -> SimLines {
        SimLines { tapes: self.clone(), t0_ns }
    }

    /// What the origin saw.
    pub(super) fn reads(&self) -> SimReads {
        SimReads(self.clone())
    }
}

/// What the replicas told.
pub(super) struct SimLines {
    tapes: Tapes,
    t0_ns: u64,
}

impl EventLines for SimLines {
    fn each(&self, visit: &mut dyn FnMut(i64, u32, &EventLine) -> io::Result<()>) -> io::Result<()> {
        lock(&self.tapes.events).each(|record| {
            let Some((mono_ns, replica, event)) = unpack(record) else { return Ok(()) };
            visit(since_start(mono_ns) - since_start(self.t0_ns), replica.into(), &EventLine { mono_ns, event })
        })
    }
}

/// What the origin saw.
pub(super) struct SimReads(Tapes);

impl Reads for SimReads {
    fn each(&self, visit: &mut dyn FnMut(&OriginRead) -> io::Result<()>) -> io::Result<()> {
        lock(&self.0.reads).each(|record| visit(&unpack_read(record)))
    }
}

/// A replica's log.
struct Log {
    replica: u16,
    clock: Arc<VirtualClock>,
    events: Arc<Mutex<Tape<EVENT>>>,
}

impl EventSink for Log {
    fn emit(&self, event: Event) {
        lock(&self.events).push(&pack(self.clock.mono().0, self.replica, &event));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An event as it lies on the tape: when (8 bytes), by which replica (2), which kind (1), its detail (1), its key's number (4), and
/// two numbers (8 each): a flight, or a put's version and the end of its freshness. A write's flight has half of the second, its version
/// the other: a run has no 2³² flights, and no key so many versions.
fn pack(at: u64, replica: u16, event: &Event) -> [u8; EVENT] {
    let item = |key: &Key| key.item().unwrap_or(0);
    let (kind, detail, key, one, two) = match event {
        Event::Answered(flight) => (0, 0, 0, flight.incarnation, flight.number),
        Event::FlightLed { flight, key, cause } => {
            (1, of(&Cause::ALL, cause), item(key), flight.incarnation, flight.number)
        }
        Event::FlightEnded { flight, key, end } => {
            (2, of(&LeaderEnd::ALL, end), item(key), flight.incarnation, flight.number)
        }
        Event::LockEnded { key, end } => (3, of(&LeaderEnd::ALL, end), item(key), 0, 0),
        Event::Put { key, fresh_until, version, fenced, stored } => {
            let detail = u8::from(*fenced) | u8::from(*stored == Stored::Stored) << 1;
            (4, detail, item(key), *version, fresh_until.0)
        }
        Event::EarlyRefresh(key) => (5, 0, item(key), 0, 0),
        Event::RefreshFailed(key) => (6, 0, item(key), 0, 0),
        Event::LockTimeout(key) => (7, 0, item(key), 0, 0),
        Event::LockFallback(key) => (8, 0, item(key), 0, 0),
        Event::Corrupt(key) => (9, 0, item(key), 0, 0),
        Event::WakeLost(key) => (13, 0, item(key), 0, 0),
        Event::Written { flight, key, version } => {
            (14, 0, item(key), flight.incarnation, flight.number << 32 | version.unwrap_or(0))
        }
        Event::WriteFailed { flight, key } => (15, 0, item(key), flight.incarnation, flight.number),
        Event::Invalidated(key) => (16, 0, item(key), 0, 0),
        Event::CacheNotTold(key) => (17, 0, item(key), 0, 0),
        Event::OriginSpared { key, by } => (10, of(&RefusedBy::ALL, by), item(key), 0, 0),
        Event::Breaker(state) => (11, of(&BreakerState::ALL, state), 0, 0, 0),
        Event::CacheBreaker(state) => (18, of(&BreakerState::ALL, state), 0, 0, 0),
        Event::CacheFailed { op, class } => {
            (12, of(&CacheErrorClass::ALL, class), 0, u64::from(of(&OPERATIONS, op)), 0)
        }
    };
    let mut record = [0; EVENT];
    record[..8].copy_from_slice(&at.to_le_bytes());
    record[8..10].copy_from_slice(&replica.to_le_bytes());
    (record[10], record[11]) = (kind, detail);
    record[12..16].copy_from_slice(&key.to_le_bytes());
    record[16..24].copy_from_slice(&one.to_le_bytes());
    record[24..].copy_from_slice(&two.to_le_bytes());
    record
}

fn unpack(record: &[u8; EVENT]) -> Option<(u64, u16, Event)> {
    let (one, two) = (word(record, 16), word(record, 24));
    let key = Key::of_item(u32::from_le_bytes([record[12], record[13], record[14], record[15]]));
    let flight = FlightId { incarnation: one, number: two };
    let detail = usize::from(record[11]);
    let event = match record[10] {
        0 => Event::Answered(flight),
        1 => Event::FlightLed { flight, key, cause: *Cause::ALL.get(detail)? },
        2 => Event::FlightEnded { flight, key, end: *LeaderEnd::ALL.get(detail)? },
        3 => Event::LockEnded { key, end: *LeaderEnd::ALL.get(detail)? },
        4 => Event::Put {
            key,
            fresh_until: Mono(two),
            version: one,
            fenced: detail & 1 != 0,
            stored: if detail & 2 != 0 { Stored::Stored } else { Stored::Fenced },
        },
        5 => Event::EarlyRefresh(key),
        6 => Event::RefreshFailed(key),
        7 => Event::LockTimeout(key),
        8 => Event::LockFallback(key),
        9 => Event::Corrupt(key),
        10 => Event::OriginSpared { key, by: *RefusedBy::ALL.get(detail)? },
        11 => Event::Breaker(*BreakerState::ALL.get(detail)?),
        12 => {
            let op = OPERATIONS.get(usize::try_from(one).ok()?)?;
            Event::CacheFailed { op, class: *CacheErrorClass::ALL.get(detail)? }
        }
        13 => Event::WakeLost(key),
        14 => {
            let (flight, version) = (FlightId { number: two >> 32, ..flight }, two & u64::from(u32::MAX));
            Event::Written { flight, key, version: (version > 0).then_some(version) }
        }
        15 => Event::WriteFailed { flight, key },
        16 => Event::Invalidated(key),
        17 => Event::CacheNotTold(key),
        18 => Event::CacheBreaker(*BreakerState::ALL.get(detail)?),
        _ => return None,
    };
    Some((word(record, 0), u16::from_le_bytes([record[8], record[9]]), event))
}

/// Where it stands in the list of all.
fn of<T: PartialEq>(all: &[T], one: &T) -> u8 {
    all.iter().position(|other| other == one).and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
}

fn word(record: &[u8], at: usize) -> u64 {
    record[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// A read as it lies on the tape: its flight (16 bytes), arrival, start and end (8 each), key (4), replica (2), outcome (1).
fn pack_read(read: &Read) -> [u8; READ] {
    let mut record = [0; READ];
    let ns = |at: Option<strategies::time::Mono>| at.map_or(NEVER, |at| at.0);
    let words = [read.flight.incarnation, read.flight.number, read.arrived.0, ns(read.start), ns(read.end)];
    for (place, word) in record.chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    record[40..44].copy_from_slice(&read.key.item().unwrap_or(0).to_le_bytes());
    record[44..46].copy_from_slice(&read.replica.to_le_bytes());
    record[46] = read.outcome.map_or(0, |end| 1 + of(&ReadEnd::ALL, &end));
    record
}

fn unpack_read(record: &[u8; READ]) -> OriginRead {
    let flight = FlightId { incarnation: word(record, 0), number: word(record, 8) };
    let maybe = |ns: u64| (ns != NEVER).then_some(ns);
    let key = u32::from_le_bytes([record[40], record[41], record[42], record[43]]);
    OriginRead {
        key: smol_str::ToSmolStr::to_smolstr(&key),
        flight: smol_str::ToSmolStr::to_smolstr(&flight),
        replica: Some(u16::from_le_bytes([record[44], record[45]]).into()),
        arrived_ns: word(record, 16),
        start_ns: maybe(word(record, 24)),
        end_ns: maybe(word(record, 32)),
        outcome: usize::from(record[46]).checked_sub(1).and_then(|end| ReadEnd::ALL.get(end).copied()),
    }
}

/// A read that is not over, as the ledger of the real origin would show it.
pub(super) fn row(read: &Read) -> OriginRead {
    unpack_read(&pack_read(read))
}

pub(super) fn since_start(ns: u64) -> i64 {
    i64::try_from(ns).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_comes_back_as_it_was() {
        for event in Event::samples() {
            assert_eq!(unpack(&pack(99, 299, &event)), Some((99, 299, event)));
        }
    }
}
