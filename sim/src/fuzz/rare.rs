//! How often each fault took effect, and how often something rare happened: a fuzzer that does not reach a state says
//! nothing about it.

use std::collections::BTreeMap;

use evidence::ReadEnd;
use strategies::port::{
    Acquired, BreakerState, CacheErrorClass, Event, LeaderEnd, RefusedBy, Released, Removal, Renewed, Stored, When,
};
use strategies::{GetError, Outcome};

use crate::cache::Effect;
use crate::invariants::{End, Fact, FactKind};

/// The rare events that are counted.
pub const RARE: [&str; 33] = [
    "take-over",
    "fenced-put",
    "late-open-put",
    "corrupt-miss",
    "refused-release",
    "refused-renewal",
    "back-off",
    "lock-fallback",
    "lock-timeout",
    "lock-lost",
    "leader-vanished",
    "load-timed-out",
    "origin-error",
    "origin-full",
    "op-refused",
    "op-timed-out",
    "op-out-of-memory",
    "refresh-failed",
    "early-refresh",
    "stale-served",
    "client-gone",
    "reset",
    "old-over-new",
    "limit-full",
    "limit-late",
    "breaker-refused",
    "breaker-opened",
    "breaker-half-open",
    "breaker-closed",
    "committed",
    "revoked",
    "not-told",
    "perhaps-counted",
];

/// Counts by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedCounts {
    /// Of faults that took effect and of rare events.
    pub of: BTreeMap<&'static str, u64>,
    /// Versions by key, for `old-over-new`, and whose lock ended without a word, for `take-over`.
    newest: BTreeMap<strategies::Key, u64>,
    held: BTreeMap<strategies::Key, bool>,
    failed: BTreeMap<strategies::port::FlightId, bool>,
}

impl NamedCounts {
    /// Counts one more.
    pub fn add(&mut self, name: &'static str) {
        *self.of.entry(name).or_default() += 1;
    }

    /// Adds another's counts.
    pub fn merge(&mut self, other: &Self) {
        for (name, count) in &other.of {
            *self.of.entry(name).or_default() += count;
        }
    }

    pub(super) fn see(&mut self, fact: &Fact) {
        let name = match &fact.what {
            FactKind::Trouble(trouble) => Some(trouble.kind.name()),
            FactKind::Cache(effect) => self.effect(effect),
            FactKind::Told(event) => told(event),
            FactKind::Answered { end, .. } => self.end(end),
            FactKind::Read(read) => (read.outcome == Some(ReadEnd::Rejected)).then_some("origin-full"),
            FactKind::Committed { .. } => Some("committed"),
            FactKind::Asked { .. }
            | FactKind::Wrote { .. }
            | FactKind::Sent { .. }
            | FactKind::Kept(_)
            | FactKind::Over(_) => None,
        };
        if let Some(name) = name {
            self.add(name);
        }
    }

    fn effect(&mut self, effect: &Effect) -> Option<&'static str> {
        match effect {
            Effect::Put(key, entry, _, Stored::Stored) => {
                let newest = self.newest.entry(key.clone()).or_default();
                let old = entry.version < *newest;
                *newest = entry.version;
                old.then_some("old-over-new")
            }
            Effect::Removed(key, Removal::EntryAndLease) => {
                self.held.insert(key.clone(), false).unwrap_or(false).then_some("revoked")
            }
            Effect::Put(.., When::NotOlder, Stored::Fenced) => Some("late-open-put"),
            Effect::Put(.., Stored::Fenced) => Some("fenced-put"),
            Effect::LetGo(.., Released::NotOwner) => Some("refused-release"),
            Effect::Prolonged(.., Renewed::NotOwner) => Some("refused-renewal"),
            Effect::LetGo(key, ..) | Effect::Seized(key) => {
                self.held.insert(key.clone(), false);
                None
            }
            // Given again although nobody let go: the one before is dead, frozen or cut off.
            Effect::Taken(key, _, _, Acquired::Won) => {
                self.held.insert(key.clone(), true).unwrap_or(false).then_some("take-over")
            }
            _ => None,
        }
    }

    fn end(&mut self, end: &End) -> Option<&'static str> {
        match end {
            End::Count(Err(error)) if error.is_unknown() => Some("perhaps-counted"),
            End::Gone => Some("client-gone"),
            End::Reset => Some("reset"),
            End::Answer(Ok(served)) if served.outcome == Outcome::Stale => Some("stale-served"),
            // The second with one flight's error: a follower's, or one that came while the key backed off.
            End::Answer(Err(GetError::Origin { flight, .. })) => {
                self.failed.insert(*flight, true).unwrap_or(false).then_some("back-off")
            }
            _ => None,
        }
    }
}

fn told(event: &Event) -> Option<&'static str> {
    match event {
        Event::Corrupt(_) => Some("corrupt-miss"),
        Event::LockFallback(_) => Some("lock-fallback"),
        Event::LockTimeout(_) => Some("lock-timeout"),
        Event::LockEnded { end: LeaderEnd::LockLost, .. } => Some("lock-lost"),
        Event::LockEnded { end: LeaderEnd::Vanished, .. } => Some("leader-vanished"),
        Event::FlightEnded { end: LeaderEnd::TimedOut, .. } => Some("load-timed-out"),
        Event::FlightEnded { end: LeaderEnd::OriginError, .. } => Some("origin-error"),
        Event::CacheFailed { class: CacheErrorClass::Down, .. } => Some("op-refused"),
        Event::CacheFailed { class: CacheErrorClass::Slow, .. } => Some("op-timed-out"),
        Event::CacheFailed { class: CacheErrorClass::Full, .. } => Some("op-out-of-memory"),
        Event::CacheNotTold(_) => Some("not-told"),
        Event::RefreshFailed(_) => Some("refresh-failed"),
        Event::EarlyRefresh(_) => Some("early-refresh"),
        Event::OriginSpared { by, .. } => Some(match by {
            RefusedBy::LimitFull => "limit-full",
            RefusedBy::LimitLate => "limit-late",
            RefusedBy::Breaker => "breaker-refused",
        }),
        Event::Breaker(state) => Some(match state {
            BreakerState::Open => "breaker-opened",
            BreakerState::HalfOpen => "breaker-half-open",
            BreakerState::Closed => "breaker-closed",
        }),
        _ => None,
    }
}
