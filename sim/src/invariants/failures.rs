//! Of failures: an error is neither kept nor asked for again at once (I13), a caller that waits for one that died is served
//! in time (P1), and all is well again when the troubles are over (P2, I9). Their causes are next door.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use scenarios::Trouble;
use strategies::port::{Acquired, BreakerState, Event, FlightId, LeaderEnd, OriginError, RefusedBy, Released, Renewed};
use strategies::{GetError, Key};

use super::checker::{Checker, CheckerVerdict, Known, MS, ms, nanos};
use super::fact::{End, Fact, FactKind};
use super::skew::TooOld;
use super::waits::Waits;
use crate::cache::Effect;

/// The shortest back-off, as `strategies` has it.
const BACK_OFF: i64 = 100 * MS;
/// The longest, and what a leader's farewell to a cache in trouble takes.
const KEPT: i64 = (200 + 500) * MS;

/// How long a trouble's backlog may be felt.
const BACKLOG: i64 = 10_000 * MS;

/// I13.
#[derive(Default)]
pub(super) struct BackOff {
    failed: BTreeMap<(u16, Key), (i64, u64)>,
    ended: BTreeMap<FlightId, i64>,
}

impl Checker for BackOff {
    fn name(&self) -> &'static str {
        "I13 back-off"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        let node = fact.node.unwrap_or(u16::MAX);
        match &fact.what {
            FactKind::Told(Event::FlightEnded { flight, key, end }) => {
                let of = (node, key.clone());
                match end {
                    LeaderEnd::OriginError | LeaderEnd::TimedOut | LeaderEnd::Refused => {
                        self.failed.insert(of, (fact.at_ns, flight.incarnation));
                        self.ended.insert(*flight, fact.at_ns);
                    }
                    LeaderEnd::Done => drop(self.failed.remove(&of)),
                    LeaderEnd::LockLost | LeaderEnd::Vanished => {}
                }
                Ok(())
            }
            FactKind::Told(Event::FlightLed { flight, key, .. }) => match self.failed.get(&(node, key.clone())) {
                Some((at, incarnation)) if *incarnation == flight.incarnation && fact.at_ns - at < BACK_OFF => {
                    Err(format!("flight {flight} for {key} began {} after a failed one", ms(fact.at_ns - at)))
                }
                _ => Ok(()),
            },
            FactKind::Answered { request, end: End::Answer(Err(GetError::Origin { flight, .. })) } => {
                // That it failed at all is I14's.
                let Some(ended) = self.ended.get(flight) else { return Ok(()) };
                let kept = fact.at_ns - ended - known.troubles.frozen_ns(fact.node, *ended, fact.at_ns);
                if kept <= KEPT {
                    return Ok(());
                }
                Err(format!("request {request} has an error that is {} old", ms(kept)))
            }
            _ => Ok(()),
        }
    }
}

/// How long after a dead holder's lock has ended somebody has taken over, a poll left out: two operations of a cache in trouble.
const TAKES_OVER: i64 = 500 * MS;
/// The poll of a waiter that does not poll at all.
const POLL: Duration = Duration::from_millis(250);

/// P1: a caller that waits for a key whose holder died is answered, or reads for itself, once the lock has ended. One that gave up
/// before that waits no more: it is shed, or has a read of its own.
#[derive(Default)]
pub(super) struct TakenOver {
    /// Who holds each key, and until when.
    held: BTreeMap<Key, (Option<u16>, i64)>,
    /// Keys whose holder died: when, and until when somebody has to have taken over.
    orphans: BTreeMap<Key, (i64, i64)>,
    /// Requests that wait: for what, where, and since when.
    waiting: BTreeMap<u32, (Key, Option<u16>, i64)>,
    /// Where each key is read: a write may have taken the lock away from a read that goes on, and its own process waits for that.
    reading: BTreeSet<(Option<u16>, Key)>,
}

impl Checker for TakenOver {
    fn name(&self) -> &'static str {
        "P1 a dead holder is succeeded"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        let (now, life) = (fact.at_ns, nanos(known.terms.promise.lock_life.unwrap_or_default()));
        let poll = nanos(known.terms.promise.poll.unwrap_or(POLL).max(POLL)).saturating_add(TAKES_OVER);
        match &fact.what {
            FactKind::Asked { request, key, .. } => drop(self.waiting.insert(*request, (key.clone(), fact.node, now))),
            FactKind::Answered { request, .. } => drop(self.waiting.remove(request)),
            FactKind::Told(Event::LockTimeout(key)) => {
                let wait = nanos(known.terms.promise.lock_wait.unwrap_or_default());
                // With a caller all go that joined it in its process.
                let goes = |since: i64| known.terms.promise.coalesces || since.saturating_add(wait) <= now;
                self.waiting.retain(|_, (of, node, since)| of != key || *node != fact.node || !goes(*since));
            }
            FactKind::Cache(Effect::Taken(key, _, life, Acquired::Won)) => {
                self.held.insert(key.clone(), (fact.node, now.saturating_add(nanos(*life))));
            }
            FactKind::Cache(Effect::Prolonged(key, _, Renewed::Renewed)) => {
                self.held.insert(key.clone(), (fact.node, now.saturating_add(life)));
            }
            FactKind::Cache(Effect::LetGo(key, _, Released::Released) | Effect::Seized(key)) => {
                self.held.remove(key);
            }
            FactKind::Told(Event::FlightLed { key, .. }) => {
                self.orphans.remove(key);
                self.reading.insert((fact.node, key.clone()));
            }
            FactKind::Told(Event::FlightEnded { key, .. })
                if self.reading.remove(&(fact.node, key.clone())) && known.terms.promise.coalesces =>
            {
                self.orphans.remove(key);
            }
            FactKind::Told(Event::Put { key, .. }) => drop(self.orphans.remove(key)),
            // Another trouble may hold the successor up, or give the lock to somebody again.
            FactKind::Trouble(trouble) if trouble.kind != Trouble::Crash => self.orphans.clear(),
            FactKind::Trouble(trouble) => {
                let calm = !known.troubles.any(now - BACKLOG, now, |kind| kind != Trouble::Crash);
                let mine = self.held.iter().filter(|(_, (node, until))| *node == trouble.node && *until > now && calm);
                // A lock ends after the life that the strategy gives it, whatever its holder asked for.
                let due = |until: i64| until.min(now.saturating_add(life)).saturating_add(poll);
                self.orphans.extend(mine.map(|(key, (_, until))| (key.clone(), (now, due(*until)))));
                self.waiting.retain(|_, (_, node, _)| *node != trouble.node);
                self.reading.retain(|(node, _)| *node != trouble.node);
            }
            _ => {}
        }
        let Some((key, (died, due))) = self.orphans.iter().find(|(_, (_, due))| now > *due) else { return Ok(()) };
        let waits = |(of, node, since): &(Key, Option<u16>, i64)| {
            let joined = known.terms.promise.coalesces && self.reading.contains(&(*node, key.clone()));
            of == key && *since < due - poll && !joined
        };
        let waiting = self.waiting.iter().find(|(_, of)| waits(of)).map(|(request, (_, node, _))| (*request, *node));
        let (key, died, due) = (key.clone(), *died, *due);
        self.orphans.remove(&key);
        let Some((request, node)) = waiting else { return Ok(()) };
        let node = node.unwrap_or_default();
        Err(format!(
            "the holder of {key} died at {}, and by {} nobody had taken over, though request {request} waited at replica {node}",
            ms(died),
            ms(due)
        ))
    }
}

/// P2 and I9: once everything has healed every request has its value, and in the end nothing goes on.
#[derive(Default)]
pub(super) struct Heals {
    /// For what, and since when.
    probes: BTreeMap<u32, (Key, i64)>,
    too_old: TooOld,
    waits: Waits,
    /// When a caller of a replica last gave up waiting for a key's lock.
    gave_up: BTreeMap<(Option<u16>, Key), i64>,
    /// When a replica's limit last refused a read.
    limited: BTreeMap<Option<u16>, i64>,
    /// Replicas whose breaker is not closed.
    guarded: BTreeSet<Option<u16>>,
}

impl Checker for Heals {
    fn name(&self) -> &'static str {
        "P2 all is well again"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        self.too_old.see(known, fact);
        self.waits.see(known, fact);
        match &fact.what {
            FactKind::Told(Event::LockTimeout(key)) => {
                self.gave_up.insert((fact.node, key.clone()), fact.at_ns);
                Ok(())
            }
            FactKind::Told(Event::OriginSpared { by: RefusedBy::LimitFull | RefusedBy::LimitLate, .. }) => {
                self.limited.insert(fact.node, fact.at_ns);
                Ok(())
            }
            FactKind::Asked { request, key, probe: true } => {
                self.probes.insert(*request, (key.clone(), fact.at_ns));
                Ok(())
            }
            FactKind::Told(Event::Breaker(BreakerState::Closed)) => {
                self.guarded.remove(&fact.node);
                Ok(())
            }
            FactKind::Told(Event::Breaker(_)) => {
                self.guarded.insert(fact.node);
                Ok(())
            }
            FactKind::Answered { request, end } => match (self.probes.remove(request), end) {
                (None, _) | (_, End::Answer(Ok(_))) => Ok(()),
                // It comes back a trickle at a time; that it does is P4's.
                (_, End::Answer(Err(GetError::Refused { .. }))) if self.guarded.contains(&fact.node) => Ok(()),
                // Other probes have its places, and its queue is short.
                (Some((_, asked)), End::Answer(Err(GetError::Refused { .. })))
                    if self.limited.get(&fact.node).is_some_and(|at| *at >= asked) =>
                {
                    Ok(())
                }
                // Whether its limit let it go too late for its own margin is for I14 to say, when the ledger is there.
                (_, End::Answer(Err(GetError::Origin { error: OriginError::TimedOut, flight })))
                    if self.may_be_kept(known, *flight) =>
                {
                    Ok(())
                }
                // Clocks stay wrong.
                (Some((key, asked)), End::Answer(Err(GetError::Shed { .. })))
                    if self.too_old.by_another(&key, fact.node, asked)
                        || self.waited_in_vain(known, fact, &key, asked) =>
                {
                    Ok(())
                }
                (Some((key, asked)), End::Answer(Err(GetError::OutOfTime)))
                    if self.waits.in_vain(known, &key, asked, fact.at_ns) =>
                {
                    Ok(())
                }
                (Some((key, _)), end) => Err(format!("after everything had healed a request for {key} {end}")),
            },
            FactKind::Over(tasks) if *tasks > 0 => Err(format!("{tasks} tasks go on after the end")),
            _ => Ok(()),
        }
    }
}

impl Heals {
    fn may_be_kept(&self, known: &Known, flight: FlightId) -> bool {
        let promise = known.terms.promise;
        let full = promise.limit.is_some_and(|places| self.waits.beside(flight) >= places as usize);
        full && promise.margin.is_some()
    }

    fn waited_in_vain(&self, known: &Known, fact: &Fact, key: &Key, asked: i64) -> bool {
        let gave_up = self.gave_up.get(&(fact.node, key.clone())).filter(|at| **at >= asked);
        gave_up.is_some_and(|at| self.waits.in_vain(known, key, asked, *at))
    }
}
