//! Logs written by hand: what the checkers of invariants say of them.

use std::time::Duration;

use bytes::Bytes;
use evidence::ReadEnd;
use scenarios::Trouble;
use sim::invariants::{Active, End, Fact, FactKind, Judge, Terms};
use sim::{Effect, Read};
use strategies::port::{Acquired, Cause, Event, FlightId, LeaderEnd, Released, Removal, Renewed, Stored, Token, When};
use strategies::time::{Mono, Wall};
use strategies::{Entry, GetError, Key, Life, Outcome, Served, Spec};

pub const MS: i64 = 1_000_000;
/// Where virtual wall clocks begin.
const EPOCH_MS: u64 = 1_767_225_600_000;

pub fn key() -> Key {
    Key::of_item(1)
}

/// The n-th flight of a replica.
pub fn flight(node: u16, n: u64) -> FlightId {
    FlightId { incarnation: u64::from(node), number: n }
}

pub fn fact(ms: i64, node: u16, what: FactKind) -> Fact {
    Fact { at_ns: ms * MS, node: Some(node), what }
}

pub fn asked(ms: i64, node: u16, request: u32) -> Fact {
    fact(ms, node, FactKind::Asked { request, key: key(), probe: false })
}

pub fn answered(ms: i64, node: u16, request: u32, end: End) -> Fact {
    fact(ms, node, FactKind::Answered { request, end })
}

pub fn value(version: u64) -> Option<Bytes> {
    let mut bytes = 1_u32.to_be_bytes().to_vec();
    bytes.extend(version.to_be_bytes());
    Some(bytes.into())
}

/// An answer of version 1 with so much of its TTL left.
pub fn served(outcome: Outcome, ttl_left_ms: i64, flight: Option<FlightId>) -> Served {
    let (age, ttl_left_ns) = (Duration::from_millis(10), ttl_left_ms * MS);
    let level = strategies::port::Level::Shared;
    Served { value: value(1), version: 1, outcome, level, age, ttl_left_ns, flight }
}

pub fn ok(served: Served) -> End {
    End::Answer(Ok(served))
}

pub fn err(error: GetError) -> End {
    End::Answer(Err(error))
}

pub fn shed() -> End {
    err(GetError::Shed { retry_after: Duration::from_secs(1), stale_will_do: false })
}

pub fn told(ms: i64, node: u16, event: Event) -> Fact {
    fact(ms, node, FactKind::Told(event))
}

pub fn led(ms: i64, node: u16, n: u64) -> Fact {
    told(ms, node, Event::FlightLed { flight: flight(node, n), key: key(), cause: Cause::Demand })
}

pub fn ended(ms: i64, node: u16, n: u64, end: LeaderEnd) -> Fact {
    told(ms, node, Event::FlightEnded { flight: flight(node, n), key: key(), end })
}

fn cache(ms: i64, node: u16, effect: Effect) -> Fact {
    fact(ms, node, FactKind::Cache(effect))
}

/// A lock is given for ten seconds.
pub fn taken(ms: i64, node: u16, token: u128) -> Fact {
    cache(ms, node, Effect::Taken(key(), Token(token), Duration::from_secs(10), Acquired::Won))
}

pub fn prolonged(ms: i64, node: u16, token: u128) -> Fact {
    cache(ms, node, Effect::Prolonged(key(), Token(token), Renewed::Renewed))
}

pub fn let_go(ms: i64, node: u16, token: u128) -> Fact {
    cache(ms, node, Effect::LetGo(key(), Token(token), Released::Released))
}

pub fn seized(ms: i64, node: u16) -> Fact {
    cache(ms, node, Effect::Seized(key()))
}

pub fn removed(ms: i64, node: u16) -> Fact {
    cache(ms, node, Effect::Removed(key(), Removal::Entry))
}

/// A version is stored, fresh for five seconds and then no more; 200 ms were needed to read it.
pub fn put(ms: i64, node: u16, version: u64) -> Fact {
    let at = Wall((EPOCH_MS + ms.unsigned_abs()) * 1_000_000);
    let life = Life::new(Duration::from_secs(5), Duration::ZERO);
    let delta = Duration::from_millis(200);
    let entry = Entry { value: value(version), version, read_at: at, stored_at: at, life, delta };
    cache(ms, node, Effect::Put(key(), entry, When::Always, Stored::Stored))
}

pub fn trouble(ms: i64, node: Option<u16>, kind: Trouble, length_ms: i64) -> Fact {
    let (from_ns, until_ns) = (ms * MS, (ms + length_ms) * MS);
    Fact { at_ns: from_ns, node, what: FactKind::Trouble(Active { kind, node, from_ns, until_ns }) }
}

/// A row of the origin's ledger: served from `start` to `end`, or never where there is no start.
pub fn read(node: u16, n: u64, arrived: u64, start: Option<u64>, end: u64, outcome: ReadEnd) -> Fact {
    let at = |ms: u64| Mono(ms * 1_000_000);
    let read = Read {
        key: key(),
        flight: flight(node, n),
        replica: node,
        arrived: at(arrived),
        start: start.map(at),
        end: Some(at(end)),
        outcome: Some(outcome),
    };
    Fact { at_ns: 100_000 * MS, node: None, what: FactKind::Read(read) }
}

/// A read that ended well.
pub fn good(node: u16, n: u64, start: u64, end: u64) -> Fact {
    read(node, n, start, Some(start), end, ReadEnd::Ok)
}

pub fn over(tasks: usize) -> Fact {
    Fact { at_ns: 100_000 * MS, node: None, what: FactKind::Over(tasks) }
}

/// The terms of a strategy in a small fleet whose clocks are right.
pub fn terms(spec: &str) -> Terms {
    Terms {
        promise: Spec::parse(spec).unwrap().promise(Duration::from_secs(5)),
        replicas: 3,
        budgets: strategies::Budgets::USUAL,
        places: 2,
        queue: 1,
        write_every: Some(Duration::from_secs(1)),
        clocks: Duration::ZERO,
        slack: Duration::ZERO,
        retry_share: Some(0.5),
        sees_cache: true,
    }
}

/// What is said of a log: nothing, or which invariant it breaks and how.
pub fn said(spec: &str, facts: &[Fact]) -> String {
    said_by(terms(spec), facts)
}

/// The same by other terms.
pub fn said_by(terms: Terms, facts: &[Fact]) -> String {
    let mut judge = Judge::new(terms);
    let broken = facts.iter().find_map(|fact| judge.see(fact).err());
    broken.map(|violation| violation.to_string()).unwrap_or_default()
}

/// The log that does not break it, the one that does, and what is said of that.
#[track_caller]
pub fn tells(spec: &str, good: &[Fact], broken: &[Fact], words: &str) {
    assert_eq!(said(spec, good), "", "the good log under {spec}");
    let said = said(spec, broken);
    assert!(said.contains(words), "under {spec}: expected {words:?}, found {said:?}");
}

/// A log with more at its end.
pub fn and(facts: &[Fact], more: impl IntoIterator<Item = Fact>) -> Vec<Fact> {
    facts.iter().cloned().chain(more).collect()
}

pub const DONE: LeaderEnd = LeaderEnd::Done;
