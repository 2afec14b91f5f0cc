//! A caller that waits for another's read may wait in vain, by the composition's own numbers: a wait that is shorter than the read, a poll that
//! is longer than the entry lives. Neither is held against a strategy, where the log shows it: the read was under way all the while, or
//! the value had come and was past its TTL when it could be looked at.

use std::collections::BTreeMap;

use scenarios::Trouble;
use strategies::Key;
use strategies::port::{Acquired, Event, FlightId, Stored};
use strategies::spec::WriteEffect;

use super::checker::{Known, MS, nanos};
use super::fact::{Fact, FactKind};
use crate::cache::Effect;

/// What taking the lock, looking once more, storing and letting go take before and after a read: operations of a cache that is well.
const AROUND: i64 = 20 * MS;

/// Reads under way, and what was stored, by key.
#[derive(Default)]
pub(super) struct Waits {
    /// From when to when each key was read; the end is `i64::MAX` where it is not over. In the order of beginnings.
    reads: BTreeMap<Key, Vec<(i64, i64, FlightId)>>,
    /// When each key's lock was given, and to which replica: its holder is about to read.
    given: BTreeMap<Key, Vec<(i64, Option<u16>)>>,
    /// When each key was last stored with a life that is over before a waiter looks again.
    brief: BTreeMap<Key, i64>,
    /// When each key was last stored; and of what the cache has lost since, when it was stored and when it was lost.
    stored: BTreeMap<Key, i64>,
    gone: BTreeMap<Key, (i64, i64)>,
    /// When a write last took each key out of the cache: a caller that waited for it waits on, for the next read of it.
    removed: BTreeMap<Key, i64>,
    /// When a put last failed.
    lost: Option<i64>,
    /// When a put of each key was last fenced off.
    fenced: BTreeMap<Key, i64>,
}

impl Waits {
    pub(super) fn see(&mut self, known: &Known, fact: &Fact) {
        match &fact.what {
            FactKind::Told(Event::FlightLed { flight, key, .. }) => {
                self.reads.entry(key.clone()).or_default().push((fact.at_ns, i64::MAX, *flight));
            }
            FactKind::Told(Event::FlightEnded { flight, key, .. }) => {
                let reads = self.reads.get_mut(key).into_iter().flatten().rev();
                if let Some(read) = reads.into_iter().find(|(.., of)| of == flight) {
                    read.1 = fact.at_ns;
                }
            }
            FactKind::Cache(Effect::Removed(key, _)) if known.terms.promise.write == WriteEffect::Removes => {
                self.removed.insert(key.clone(), fact.at_ns);
            }
            FactKind::Told(Event::CacheFailed { op: "put", .. }) => self.lost = Some(fact.at_ns),
            FactKind::Cache(Effect::Taken(key, _, _, Acquired::Won)) => {
                self.given.entry(key.clone()).or_default().push((fact.at_ns, fact.node));
            }
            FactKind::Cache(Effect::Put(key, _, _, Stored::Fenced)) => {
                self.fenced.insert(key.clone(), fact.at_ns);
            }
            FactKind::Trouble(trouble)
                if matches!(
                    trouble.kind,
                    Trouble::CacheEmptied | Trouble::CacheLost | Trouble::ServerLost | Trouble::Corrupt
                ) =>
            {
                let lost = std::mem::take(&mut self.stored);
                self.gone.extend(lost.into_iter().map(|(key, stored)| (key, (stored, fact.at_ns))));
            }
            FactKind::Cache(Effect::Put(key, entry, _, Stored::Stored)) => {
                self.stored.insert(key.clone(), fact.at_ns);
                let poll = nanos(known.terms.promise.poll.unwrap_or_default());
                if nanos(entry.life.soft) <= poll.saturating_add(AROUND) {
                    self.brief.insert(key.clone(), fact.at_ns);
                }
            }
            _ => {}
        }
    }

    /// When a key's lock was given within a span of time, and to which replica.
    pub(super) fn given_within(&self, key: &Key, from: i64, to: i64) -> impl Iterator<Item = (i64, Option<u16>)> {
        let given = self.given.get(key).into_iter().flatten().rev().copied();
        given.skip_while(move |(at, _)| *at > to).take_while(move |(at, _)| *at >= from)
    }

    /// How many other flights of its replica were under way beside one.
    pub(super) fn beside(&self, flight: FlightId) -> usize {
        let flights = || self.reads.values().flatten();
        let Some((begun, over, _)) = flights().find(|(.., of)| *of == flight) else { return 0 };
        let at_once = |(from, until, of): &&(i64, i64, FlightId)| {
            of.incarnation == flight.incarnation && *of != flight && from < over && until > begun
        };
        flights().filter(at_once).count()
    }

    /// Whether somebody read the key for all of a wait that ended at that moment, or, since the waiter asked, stored what was past its
    /// TTL before he looked, or a write took it away, or could not store what he would have found in his only look, or the cache had lost it
    /// by then. What the cache had for no longer than a poll he need not have seen, either.
    pub(super) fn in_vain(&self, known: &Known, key: &Key, asked_ns: i64, ended_ns: i64) -> bool {
        // No request waits longer than its own budget.
        let budget = nanos(known.terms.budgets.replica);
        let longest_wait = nanos(known.terms.promise.lock_wait.unwrap_or_default());
        let wait = longest_wait.min(budget);
        // A request may have joined one of its own process that waits since before it came.
        let asked_ns = asked_ns.min(ended_ns.saturating_sub(wait));
        if [&self.brief, &self.removed].iter().any(|when| when.get(key).is_some_and(|at| *at >= asked_ns)) {
            return true;
        }
        let poll = nanos(known.terms.promise.poll.unwrap_or_default());
        let gone = self.gone.get(key).copied();
        let looks_once = wait <= poll;
        let not_found = [self.lost, self.fenced.get(key).copied(), gone.map(|(stored, _)| stored)];
        if looks_once && not_found.into_iter().flatten().any(|at| at >= asked_ns) {
            return true;
        }
        let around = AROUND + known.slack();
        let from = ended_ns.saturating_sub(wait);
        let longest = budget.saturating_mul(2);
        let reads = self.reads.get(key).into_iter().flatten().rev();
        let near = reads.take_while(|(begun, ..)| *begun >= from.saturating_sub(longest));
        // A waiter that is not told that a read is over looks at its next poll; and when its wait is over, but not when its request's time is.
        let looks = if known.terms.promise.told || longest_wait <= budget { 0 } else { poll };
        let seen = near.map(|(begun, over, _)| (*begun, over.saturating_add(looks)));
        let within = seen.filter(|(begun, over)| *begun <= ended_ns && *over >= from - around);
        let mut spans: Vec<(i64, i64)> = within.map(|(begun, over)| (begun.max(from), over.min(ended_ns))).collect();
        let given = self.given_within(key, from - around, ended_ns).map(|(at, _)| at);
        spans.extend(given.map(|at| (at.max(from), (at + around).min(ended_ns))));
        let unseen = gone.filter(|(stored, lost)| lost - stored <= poll && *stored <= ended_ns);
        spans.extend(unseen.map(|(stored, _)| (stored.max(from), stored.saturating_add(poll).min(ended_ns))));
        // A holder that lost its lock has nothing to let go of, so that waiters are not told: they look again at their next poll.
        let not_told = self.fenced.get(key).copied().map(|at| (at.max(from), at.saturating_add(poll).min(ended_ns)));
        spans.extend(not_told.filter(|(begun, over)| begun <= over));
        spans.sort_unstable();
        let (covered, _) = spans.iter().fold((0, from), |(covered, until), (begun, over)| {
            (covered + (over - begun.max(&until)).max(0), until.max(*over))
        });
        !spans.is_empty() && ended_ns - from - covered <= around
    }
}
