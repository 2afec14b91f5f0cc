//! Facts in words, a line each: when, where, and what happened. For people; programs compare the facts themselves.

use std::fmt;

use evidence::ReadEnd;
use strategies::port::{Acquired, Event, Released, Removal, Renewed, Stored, Token, When};
use strategies::time::Mono;
use strategies::units::duration_text;
use strategies::{GetError, Key, Served};

use super::checker::ms;
use super::fact::{End, Fact, FactKind};
use super::troubles::Active;
use crate::cache::Effect;
use crate::origin::Read;

impl Fact {
    /// When it happened: a read of the origin when it arrived there, and not when the ledger was read.
    #[must_use]
    pub fn when_ns(&self) -> i64 {
        match &self.what {
            FactKind::Read(read) => read.arrived.0.cast_signed(),
            _ => self.at_ns,
        }
    }

    /// The key that it is about, where it says so itself: a request's end does not.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        match &self.what {
            FactKind::Asked { key, .. } | FactKind::Committed { key, .. } | FactKind::Wrote { key, .. } => Some(key),
            FactKind::Read(read) => Some(&read.key),
            FactKind::Cache(
                Effect::Put(key, ..)
                | Effect::Removed(key, _)
                | Effect::Taken(key, ..)
                | Effect::Prolonged(key, ..)
                | Effect::LetGo(key, ..)
                | Effect::Seized(key)
                | Effect::Counted(key, ..),
            ) => Some(key),
            FactKind::Told(event) => event.key(),
            FactKind::Answered { .. }
            | FactKind::Sent { .. }
            | FactKind::Trouble(_)
            | FactKind::Kept(_)
            | FactKind::Over(_) => None,
        }
    }
}

/// `4.942503 s · replica 2 · key 2: lock 08363a9d is given, for 1s`
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>12} · ", at(self.when_ns()))?;
        match (self.node, &self.what) {
            (Some(node), _) => write!(f, "replica {node}"),
            (None, FactKind::Read(_)) => f.write_str("origin   "),
            (None, _) => f.write_str("all      "),
        }?;
        write!(f, " · {}", self.what)
    }
}

impl fmt::Display for FactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked { request, key, probe: false } => write!(f, "key {key}: request {request} comes"),
            Self::Asked { request, key, probe: true } => {
                write!(f, "key {key}: request {request} comes, now that everything has healed")
            }
            Self::Answered { request, end } => write!(f, "request {request} {end}"),
            Self::Committed { key, version } => write!(f, "key {key}: version {version} is committed"),
            Self::Wrote { key, version } => {
                write!(f, "key {key}: a client is told that version {version} is committed")
            }
            Self::Sent { first, retries } => write!(f, "clients sent {first} first attempts and {retries} retries"),
            Self::Told(event) => told(event, f),
            Self::Cache(effect) => took_effect(effect, f),
            Self::Trouble(Active { kind, from_ns, until_ns, .. }) if until_ns <= from_ns => {
                write!(f, "trouble: {}", kind.name())
            }
            Self::Trouble(Active { kind, until_ns, .. }) => {
                write!(f, "trouble: {}, until {} at most", kind.name(), at(*until_ns))
            }
            Self::Read(read) => in_ledger(read, f),
            Self::Kept(copies) => write!(f, "a replica had {copies} copies at most"),
            Self::Over(tasks) => write!(f, "everything is over; {tasks} tasks go on"),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(Ok(Served { value, version, outcome, age, flight, .. })) => {
                let age = ms(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX));
                let none = if value.is_some() { "" } else { ", no such item" };
                write!(f, "is answered: {}, version {version}{none}, stored {age} ago", outcome.name())?;
                flight.map_or(Ok(()), |flight| write!(f, ", by flight {flight}"))
            }
            Self::Answer(Err(GetError::Origin { error, flight })) => {
                write!(f, "failed: {error} (flight {flight})")
            }
            Self::Answer(Err(GetError::Refused { flight, .. })) => {
                write!(f, "failed: the origin was spared flight {flight}")
            }
            Self::Answer(Err(error)) => write!(f, "failed: {error}"),
            Self::Count(Ok(counted)) => write!(f, "is counted: the counter is at {}", counted.value),
            Self::Count(Err(error)) => write!(f, "is {error}"),
            Self::Gone => f.write_str("is over: its client went away"),
            Self::Reset => f.write_str("was dropped: its replica died over it"),
            Self::Refused => f.write_str("was refused: its replica was dead"),
            Self::Never => f.write_str("never had an answer"),
        }
    }
}

/// How a read stands in the origin's ledger.
pub(super) const fn stands(outcome: Option<ReadEnd>) -> &'static str {
    match outcome {
        None => "had not ended",
        Some(ReadEnd::Ok) => "ended well",
        Some(ReadEnd::Missing) => "found no such item",
        Some(ReadEnd::Rejected) => "was rejected, for want of room",
        Some(ReadEnd::Failed) => "failed",
        Some(ReadEnd::Abandoned) => "ended when nobody listened any more",
    }
}

fn told(event: &Event, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match event {
        Event::FlightLed { flight, key, cause } => write!(f, "key {key}: flight {flight} begins ({})", cause.name()),
        Event::FlightEnded { flight, key, end } => write!(f, "key {key}: flight {flight} ended: {}", end.name()),
        Event::Answered(flight) => write!(f, "flight {flight} has answered its request"),
        Event::LockEnded { key, end } => write!(f, "key {key}: its holder's work is over: {}", end.name()),
        Event::Put { key, version, stored, .. } => {
            write!(f, "key {key}: the put of version {version} is acknowledged: {}", stored_words(*stored))
        }
        Event::Written { flight, key, version: Some(version) } => {
            write!(f, "key {key}: write {flight} is told to be committed as version {version}")
        }
        Event::Written { flight, key, version: None } => write!(f, "key {key}: write {flight} found no such item"),
        Event::WriteFailed { flight, key } => {
            write!(f, "key {key}: write {flight} failed, as far as its replica knows")
        }
        Event::Invalidated(key) => write!(f, "key {key}: the cache was told of a write"),
        Event::CacheNotTold(key) => write!(f, "key {key}: the cache could not be told of a write"),
        Event::EarlyRefresh(key) => write!(f, "key {key}: a hit, and an early refresh"),
        Event::RefreshFailed(key) => write!(f, "key {key}: a refresh in the background failed"),
        Event::LockTimeout(key) => write!(f, "key {key}: somebody gave up waiting for the lock"),
        Event::LockFallback(key) => write!(f, "key {key}: the cache does not answer; reads without the lock"),
        Event::WakeLost(key) => write!(f, "key {key}: no message can be heard or sent; waiters poll"),
        Event::Corrupt(key) => write!(f, "key {key}: what the cache has is no entry"),
        Event::OriginSpared { key, by } => write!(f, "key {key}: a read is refused: {}", by.name()),
        Event::Breaker(state) => write!(f, "the breaker is {}", state.name()),
        Event::CacheBreaker(state) => write!(f, "the breaker of the cache is {}", state.name()),
        Event::CacheFailed { op, class } => write!(f, "a cache operation failed: {op}, {}", class.name()),
    }
}

fn took_effect(effect: &Effect, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match effect {
        Effect::Put(key, entry, when, stored) => {
            write!(f, "key {key}: put of version {}, ", entry.version)?;
            match when {
                When::Always => f.write_str("unconditional"),
                When::NotOlder => f.write_str("unless a newer one is there"),
                When::Fenced(token) => write!(f, "under lock {}", short(*token)),
            }?;
            write!(f, ": {}", stored_words(*stored))
        }
        Effect::Removed(key, Removal::Entry) => write!(f, "key {key}: its entry is removed"),
        Effect::Removed(key, Removal::EntryAndLease) => write!(f, "key {key}: its entry and its lease are removed"),
        Effect::Taken(key, token, life, Acquired::Won) => {
            write!(f, "key {key}: lock {} is given, for {}", short(*token), duration_text(*life))
        }
        Effect::Taken(key, .., Acquired::Held) => write!(f, "key {key}: asks for the lock, somebody has it"),
        Effect::Prolonged(key, token, Renewed::Renewed) => write!(f, "key {key}: lock {} is renewed", short(*token)),
        Effect::Prolonged(key, token, Renewed::NotOwner) => {
            write!(f, "key {key}: lock {} is not renewed, it is lost", short(*token))
        }
        Effect::LetGo(key, token, Released::Released) => write!(f, "key {key}: lock {} is let go of", short(*token)),
        Effect::LetGo(key, token, Released::NotOwner) => {
            write!(f, "key {key}: lock {} is not let go of, it is lost", short(*token))
        }
        Effect::Seized(key) => write!(f, "key {key}: the lock is deleted, no matter who holds it"),
        Effect::Counted(key, command, None) => write!(f, "counter {key}: {command:?}; it was not there"),
        Effect::Counted(key, command, Some(held)) => {
            let end = if held.left.is_none() { ", without an end" } else { "" };
            write!(f, "counter {key}: {command:?}; it was {}{end}", held.value)
        }
    }
}

fn in_ledger(read: &Read, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Read { key, flight, replica, start, end, outcome, .. } = read;
    let time = |of: &Option<Mono>| of.map_or("never".into(), |Mono(ns)| at(ns.cast_signed()));
    write!(f, "key {key}: read for replica {replica}, flight {flight}, arrives; has its place at {}, ", time(start))?;
    write!(f, "ends at {}: {}", time(end), stands(*outcome))
}

const fn stored_words(stored: Stored) -> &'static str {
    match stored {
        Stored::Stored => "stored",
        Stored::Fenced => "fenced off",
    }
}

/// Enough of a token to tell it from the others of a log.
fn short(token: Token) -> String {
    format!("{:08x}", token.0 >> 96)
}

fn at(ns: i64) -> String {
    format!("{:.6} s", ns as f64 / 1e9)
}
