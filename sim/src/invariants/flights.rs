//! Of flights: how many read one key at a time (I1, I5), whether a read was needed, and that each ends once (I9).

use std::collections::{BTreeMap, BTreeSet};

use scenarios::Trouble;
use strategies::Key;
use strategies::port::{Acquired, Cause, Event, FlightId, Released, Removal, Stored, Token};
use strategies::spec::Alone;

use super::checker::{Checker, CheckerVerdict, Known, MS, ms, nanos};
use super::fact::{Fact, FactKind};
use crate::cache::Effect;
use crate::world::EPOCH_NS;

/// How long a trouble with the cache is felt after its end: two operations of a leader, each asked twice.
pub(super) const FELT: i64 = 500 * MS;

/// A flight that is under way.
struct Live {
    flight: FlightId,
    node: Option<u16>,
    begun: i64,
    /// Since when it holds the key; `None` where it reads without the lock.
    held: Option<i64>,
    /// Whether a write has taken its lock away since.
    revoked: bool,
    /// The lock that was counted for it, where it may as well be of those that could not ask for one: the log does not say.
    lent: Option<Given>,
}

/// A lock that was given, when, and whether a write has taken it away since.
type Given = (Token, i64, bool);

/// I1 and I5: where one may read at a time, one does; each lock that is given is good for one flight, and a flight that
/// reads beside it has lost its lock to a trouble that can take it away, or could not ask for one.
#[derive(Default)]
pub(super) struct OneReader {
    live: BTreeMap<Key, Vec<Live>>,
    /// Locks that were given and under which nobody has read yet.
    given: BTreeMap<(Key, Option<u16>), Vec<Given>>,
    /// Where somebody gave up asking for the lock since the last flight there began.
    without: BTreeSet<(Key, Option<u16>)>,
}

impl OneReader {
    /// A flight begins. The reply to a lock that was given may be late, and a flight without one begin and end before
    /// the one that it was given for: then the lock is lent to the first, and given back when that has ended.
    fn begins(&mut self, flight: FlightId, key: &Key, fact: &Fact) {
        let place = (key.clone(), fact.node);
        let lock = self.given.get_mut(&place).and_then(Vec::pop);
        let lent = lock.filter(|_| self.without.remove(&place));
        let held = lock.map(|(_, at, _)| at);
        let revoked = lock.is_some_and(|(_, _, revoked)| revoked);
        let live = Live { flight, node: fact.node, begun: fact.at_ns, held, revoked, lent };
        self.live.entry(key.clone()).or_default().push(live);
    }

    fn ends(&mut self, flight: FlightId, key: &Key) {
        let Some(live) = self.live.get_mut(key) else { return };
        let Some(at) = live.iter().position(|other| other.flight == flight) else { return };
        let ended = live.remove(at);
        if let Some(lock) = ended.lent {
            self.given.entry((key.clone(), ended.node)).or_default().push(lock);
        }
    }

    /// A write took away whatever lock there was of a key.
    fn revoke(&mut self, key: &Key) {
        self.given.iter_mut().filter(|((other, _), _)| other == key).for_each(|(_, given)| {
            given.iter_mut().for_each(|(_, _, revoked)| *revoked = true);
        });
        for live in self.live.get_mut(key).into_iter().flatten() {
            live.revoked = true;
            live.lent = live.lent.map(|(token, at, _)| (token, at, true));
        }
    }

    /// A lock that was let go is nobody's any more.
    fn let_go(&mut self, key: &Key, node: Option<u16>, token: Token) {
        if let Some(given) = self.given.get_mut(&(key.clone(), node)) {
            given.retain(|(other, ..)| *other != token);
        }
        for live in self.live.get_mut(key).into_iter().flatten() {
            live.lent = live.lent.filter(|(other, ..)| *other != token);
        }
    }
}

impl Checker for OneReader {
    fn name(&self) -> &'static str {
        "I1 one reader"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        match &fact.what {
            FactKind::Cache(Effect::Taken(key, token, _, Acquired::Won)) => {
                let given = self.given.entry((key.clone(), fact.node)).or_default();
                // Asked again because the first reply was lost, it is the same lock.
                if !given.iter().any(|(other, ..)| other == token) {
                    given.push((*token, fact.at_ns, false));
                }
            }
            FactKind::Cache(Effect::Removed(key, Removal::EntryAndLease)) => self.revoke(key),
            // Records have no locks: it was taken away between the two.
            FactKind::Told(Event::Written { key, .. } | Event::WriteFailed { key, .. } | Event::Invalidated(key))
                if known.terms.promise.revokes && !known.terms.sees_cache =>
            {
                self.revoke(key);
            }
            FactKind::Cache(Effect::LetGo(key, token, Released::Released | Released::NotOwner)) => {
                self.let_go(key, fact.node, *token);
            }
            FactKind::Trouble(trouble) if trouble.kind == Trouble::Crash => {
                self.given.retain(|(_, node), _| *node != trouble.node);
                self.without.retain(|(_, node)| *node != trouble.node);
            }
            FactKind::Told(Event::LockFallback(key) | Event::LockTimeout(key)) => {
                self.without.insert((key.clone(), fact.node));
            }
            FactKind::Told(Event::FlightEnded { flight, key, .. }) => self.ends(*flight, key),
            FactKind::Told(Event::FlightLed { cause: Cause::Demand | Cause::Refresh, flight, key }) => {
                self.begins(*flight, key, fact);
                return among(known, key, self.live.get(key).map_or(&[], Vec::as_slice));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether so many may read a key; the last has just begun.
fn among(known: &Known, key: &Key, live: &[Live]) -> CheckerVerdict {
    let Some((last, others)) = live.split_last() else { return Ok(()) };
    let (promise, now) = (&known.terms.promise, last.begun);
    let here = live.iter().filter(|other| other.node == last.node).count();
    if promise.coalesces && here > 1 {
        return Err(format!("{here} flights for {key} in one process"));
    }
    if promise.alone != Alone::InFleet {
        return Ok(());
    }
    if !known.terms.sees_cache {
        return counted(known, key, live);
    }
    let Some(_) = last.held else {
        let without = |kind: Trouble| kind.cache_unusable() || kind == Trouble::Freeze;
        if !known.troubles.at(last.node, now - FELT, now, without) {
            return Err(format!("flight {} for {key} has no lock, and nothing kept it from asking", last.flight));
        }
        return match others.iter().find(|other| other.held.is_none() && other.node == last.node) {
            Some(other) => Err(format!("flights {} and {} for {key}, both without a lock", other.flight, last.flight)),
            None => Ok(()),
        };
    };
    // Of those with a lock all but one have lost theirs to something that takes locks away.
    let lost = |kind: Trouble| kind.ends_leases() || kind.cache_unusable();
    let keeps = |live: &&Live| {
        !live.revoked && live.held.is_some_and(|since| !known.troubles.at(live.node, since - FELT, now, lost))
    };
    match others.iter().find(keeps) {
        Some(other) if keeps(&last) => {
            Err(format!("flights {} and {} for {key}, each with its lock", other.flight, last.flight))
        }
        _ => Ok(()),
    }
}

/// The same by counting, where the log does not have the locks.
fn counted(known: &Known, key: &Key, live: &[Live]) -> CheckerVerdict {
    let Some(last) = live.last() else { return Ok(()) };
    let since = live.iter().map(|other| other.begun).min().unwrap_or(last.begun);
    let allowed = allowed(known, since, last.begun);
    // What began within the clocks' uncertainty may have begun after the other's end.
    let may_go_on = |other: &&Live| !other.revoked && last.begun - other.begun >= known.slack();
    let certain = live.iter().filter(may_go_on).count() + 1;
    if certain.min(live.len()) <= allowed {
        return Ok(());
    }
    Err(format!("{} flights for {key} at once; {allowed} may be", live.len()))
}

/// How many may read one key under a lock, by what has gone wrong: one more for each trouble that takes a lock away, and
/// without the cache each replica for itself.
pub(super) fn allowed(known: &Known, since: i64, now: i64) -> usize {
    let from = since - nanos(known.terms.promise.lock_life.unwrap_or_default()) - FELT;
    let taken_away = known.troubles.of(from, now, Trouble::ends_leases).count();
    let unusable = known.troubles.of(from, now, Trouble::cache_unusable).count();
    let alone = if unusable > 0 { usize::from(known.terms.replicas) } else { 0 };
    1 + taken_away + alone + unusable
}

/// I1: a caller that was given the lock after a fresh value was stored reads that, and not the origin.
#[derive(Default)]
pub(super) struct Needed {
    /// Since when, and until when, a key has a fresh entry.
    fresh: BTreeMap<Key, (i64, i64)>,
    /// The version that each part of an item has, but its first; `None` for one that was removed. A read between the commands of a put or a
    /// removal finds parts that are missing, or do not belong together.
    parts: BTreeMap<String, BTreeMap<Key, Option<u64>>>,
    /// The newest version of each key that was put: an older one that comes late is no answer to a caller that has seen that.
    newest: BTreeMap<Key, u64>,
    /// When each replica was last given a key.
    given: BTreeMap<(Key, Option<u16>), i64>,
}

impl Needed {
    fn part_has(&mut self, part: &Key, version: Option<u64>) {
        self.parts.entry(part.whole().0.to_owned()).or_default().insert(part.clone(), version);
    }

    fn is_in_one_piece(&self, key: &Key) -> bool {
        let newest = self.newest.get(key);
        self.parts.get(key.as_str()).is_none_or(|parts| parts.values().all(|version| version.as_ref() == newest))
    }
}

impl Checker for Needed {
    fn name(&self) -> &'static str {
        "I1 no needless read"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        match &fact.what {
            FactKind::Cache(Effect::Put(key, entry, _, Stored::Stored)) if key.whole().1.is_some() => {
                self.part_has(key, Some(entry.version));
            }
            FactKind::Cache(Effect::Removed(key, _)) if key.whole().1.is_some() => self.part_has(key, None),
            FactKind::Cache(Effect::Put(key, entry, _, Stored::Stored)) => {
                let newest = self.newest.entry(key.clone()).or_default();
                if entry.version < *newest {
                    self.fresh.remove(key);
                    return Ok(());
                }
                *newest = entry.version;
                // It is fresh by its stamp, however late it arrived.
                let stamp = entry.stored_at.0.cast_signed().saturating_sub(EPOCH_NS.cast_signed());
                let until = stamp.min(fact.at_ns) + nanos(entry.life.soft) - 2 * known.clocks() - 5 * MS;
                self.fresh.insert(key.clone(), (fact.at_ns, until));
            }
            FactKind::Cache(Effect::Removed(key, _)) => drop(self.fresh.remove(key)),
            FactKind::Trouble(trouble) if trouble.kind.ends_leases() || trouble.kind == Trouble::Corrupt => {
                self.fresh.clear()
            }
            FactKind::Cache(Effect::Taken(key, _, _, Acquired::Won)) => {
                self.given.insert((key.clone(), fact.node), fact.at_ns);
            }
            FactKind::Told(Event::FlightLed { cause: Cause::Demand, flight, key }) => {
                let promise = &known.terms.promise;
                let given = self.given.get(&(key.clone(), fact.node));
                let (Some(given), Some((since, until))) = (given, self.fresh.get(key)) else { return Ok(()) };
                let asked = promise.rereads && promise.lock_life.is_some() && !promise.computes_in_request;
                let asked = asked && self.is_in_one_piece(key);
                let calm = !known.troubles.any(given - FELT, fact.at_ns, |kind| {
                    kind.cache_unusable() || kind.ends_leases() || kind == Trouble::Crash
                });
                let at_once = fact.at_ns - given < MS;
                if asked && calm && at_once && since < given && fact.at_ns < *until {
                    let ago = ms(given - since);
                    return Err(format!(
                        "flight {flight} for {key} began; a fresh value lay there for {ago} when it was let in"
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// I9 and I17: each flight that was led ends, once.
#[derive(Default)]
pub(super) struct FlightsEnd(BTreeMap<FlightId, bool>);

impl Checker for FlightsEnd {
    fn name(&self) -> &'static str {
        "I9 flights end"
    }

    fn see(&mut self, _: &Known, fact: &Fact) -> CheckerVerdict {
        match &fact.what {
            FactKind::Told(Event::FlightLed { flight, .. }) => match self.0.insert(*flight, false) {
                None => Ok(()),
                Some(_) => Err(format!("flight {flight} began twice")),
            },
            FactKind::Told(Event::FlightEnded { flight, .. }) => match self.0.insert(*flight, true) {
                Some(false) => Ok(()),
                Some(true) => Err(format!("flight {flight} ended twice")),
                None => Err(format!("flight {flight} ended and never began")),
            },
            FactKind::Over(_) => match self.0.iter().find(|(_, ended)| !**ended) {
                Some((flight, _)) => Err(format!("flight {flight} never ended")),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}
