//! I14: every failure has a cause, and the evidence of it: of the strategy a time-out that was told, of the origin a row in
//! its ledger, of the cache or a replica the trouble that was made.

use std::collections::{BTreeMap, BTreeSet};

use evidence::ReadEnd;
use scenarios::Trouble;
use strategies::port::{Event, FlightId, LeaderEnd, OriginError};
use strategies::{GetError, Key};

use super::checker::{Checker, CheckerVerdict, Known, MS, nanos};
use super::fact::{End, Fact, FactKind};
use super::fact_text::stands;
use super::skew::TooOld;
use super::waits::Waits;
use crate::origin::Read;

/// How long a backlog at the origin may outlast its cause.
const AFTER: i64 = 10_000 * MS;
/// How long asking for a lock may take: two operations of the cache.
const ASKED: i64 = 200 * MS;
/// How long a read waits for its place where the origin was full.
const QUEUED: u64 = 50_000_000;

/// I14.
#[derive(Default)]
pub(super) struct Attributed {
    asked: BTreeMap<u32, (Key, i64)>,
    /// When a caller of a replica last gave up waiting for a key's lock.
    gave_up: BTreeMap<(Option<u16>, Key), i64>,
    /// Flights of callers that had given up waiting for a lock.
    late_readers: BTreeSet<FlightId>,
    /// When each flight began.
    led: BTreeMap<FlightId, i64>,
    /// Flights that failed: how, at which replica, and when.
    failed: BTreeMap<FlightId, (LeaderEnd, Option<u16>, i64)>,
    /// Flights that a layer refused.
    refused: BTreeSet<FlightId>,
    reads: BTreeMap<FlightId, Read>,
    too_old: TooOld,
    waits: Waits,
    /// What only a full origin can explain: from when, until when, and the sentence.
    open: Vec<(i64, i64, String)>,
}

fn how(end: Option<LeaderEnd>) -> &'static str {
    end.map_or("not failed", LeaderEnd::name)
}

/// What may keep a lock from being let go of, or an answer from coming: not a lost or emptied cache, for it has no locks and
/// each replica reads for itself; not one that refuses writes; no clock, and no damaged entry.
fn holds_up(kind: Trouble) -> bool {
    matches!(
        kind,
        Trouble::Crash
            | Trouble::Freeze
            | Trouble::RepliesLost
            | Trouble::CutThere
            | Trouble::CutBack
            | Trouble::CachePaused
            | Trouble::CacheSlow
            | Trouble::FailOver
            | Trouble::ServerLost
            | Trouble::SlotsMove
            | Trouble::Other
    ) || kind.origin_unwell()
}

impl Checker for Attributed {
    fn name(&self) -> &'static str {
        "I14 failures have causes"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        self.too_old.see(known, fact);
        self.waits.see(known, fact);
        match &fact.what {
            FactKind::Asked { request, key, .. } => drop(self.asked.insert(*request, (key.clone(), fact.at_ns))),
            FactKind::Told(Event::FlightLed { flight, key, .. }) => {
                self.led.insert(*flight, fact.at_ns);
                let gave_up = self.gave_up.get(&(fact.node, key.clone()));
                if gave_up.is_some_and(|at| fact.at_ns - at <= ASKED + known.slack()) {
                    self.late_readers.insert(*flight);
                }
            }
            FactKind::Told(Event::LockTimeout(key)) => {
                self.gave_up.insert((fact.node, key.clone()), fact.at_ns);
            }
            FactKind::Told(Event::FlightEnded { flight, end, .. }) => match end {
                LeaderEnd::OriginError | LeaderEnd::TimedOut => {
                    self.failed.insert(*flight, (*end, fact.node, fact.at_ns));
                }
                LeaderEnd::Refused => drop(self.refused.insert(*flight)),
                LeaderEnd::Done | LeaderEnd::LockLost | LeaderEnd::Vanished => {}
            },
            FactKind::Answered { request, end } => {
                let asked = self.asked.remove(request);
                if let (Some((key, asked)), End::Answer(Err(error))) = (asked, end) {
                    return self.answered(known, fact, (*request, key, asked), error);
                }
            }
            FactKind::Read(read) => drop(self.reads.insert(read.flight, read.clone())),
            FactKind::Over(_) => return self.over(known),
            _ => {}
        }
        Ok(())
    }
}

impl Attributed {
    fn answered(&mut self, known: &Known, fact: &Fact, of: (u32, Key, i64), error: &GetError) -> CheckerVerdict {
        let ((request, key, asked), now) = (of, fact.at_ns);
        match error {
            GetError::LeadersVanished => {
                return Err(format!("request {request} failed, and no replica had died: {error}"));
            }
            GetError::Origin { error, flight } => {
                let end = self.failed.get(flight).map(|(end, ..)| *end);
                let timed_out = matches!(error, OriginError::TimedOut);
                return match end {
                    Some(LeaderEnd::TimedOut) if timed_out => Ok(()),
                    Some(LeaderEnd::OriginError) if !timed_out => Ok(()),
                    end => Err(format!(
                        "request {request} says of flight {flight} that {error}; the flight's end was: {}",
                        how(end)
                    )),
                };
            }
            // A limit refuses what it has no room for, and a breaker tells of what opened it: nothing need be wrong now.
            GetError::Refused { flight, .. } if self.refused.contains(flight) => return Ok(()),
            GetError::Refused { flight, .. } => {
                return Err(format!("request {request} says that flight {flight} was refused, and no layer did so"));
            }
            GetError::Shed { .. } => {
                let told = self.gave_up.get(&(fact.node, key.clone())).filter(|at| **at >= asked);
                let Some(gave_up) = told else {
                    return Err(format!("request {request} was shed, and nobody gave up waiting for {key}'s lock"));
                };
                if self.too_old.by_another(&key, fact.node, asked) || self.waits.in_vain(known, &key, asked, *gave_up) {
                    return Ok(());
                }
            }
            // A replica's slots are no strategy's, and no part of the log; nor is what its breaker of the cache refuses.
            GetError::Full | GetError::CacheSpared => return Ok(()),
            GetError::OutOfTime if self.waits.in_vain(known, &key, asked, now) => return Ok(()),
            GetError::OutOfTime => {}
        }
        let from = asked - AFTER - nanos(known.terms.promise.lock_life.unwrap_or_default());
        if !known.troubles.any(from, now, holds_up) {
            self.open.push((from, now, format!("request {request} failed and nothing was wrong: {error}")));
        }
        Ok(())
    }

    /// Whether a read was too late for its flight, which ended at `ended`, because its replica's limit kept it: by a margin of its
    /// own that is shorter than the read, and with every place taken all the while.
    fn kept_too_long(&self, known: &Known, read: &Read, ended: i64) -> bool {
        let (Some(places), Some(margin)) = (known.terms.promise.limit, known.terms.promise.margin) else {
            return false;
        };
        let (Some(led), Some(end)) = (self.led.get(&read.flight), read.end) else { return false };
        let (arrived, one) = (read.arrived.0.cast_signed(), MS + known.slack());
        let (took, waited) = (end.0.cast_signed() - arrived, arrived - led);
        // At once it would have ended in time.
        if took <= nanos(margin) || led + took > ended || waited <= one {
            return false;
        }
        let others = self.reads.values().filter(|other| other.replica == read.replica && other.flight != read.flight);
        let taken = others.map(|other| {
            let until = other.end.map_or(arrived, |end| end.0.cast_signed().min(arrived));
            (until - other.arrived.0.cast_signed().max(*led)).max(0)
        });
        // From one to the next a place is free for a moment.
        let (busy, handed_on) = taken.filter(|taken| *taken > 0).fold((0, 1), |(busy, n), taken| (busy + taken, n + 1));
        busy + handed_on * one >= i64::from(places) * waited
    }

    /// Whether a flight's time, which its holder counts from before it asks for the lock, was over at `ended` because a cache in trouble
    /// had taken of it what the read would have needed: a hold may be hardly longer than a read.
    fn began_late(&self, known: &Known, read: &Read, node: Option<u16>, ended: i64) -> bool {
        let (Some(budget), Some(led), Some(end)) =
            (known.terms.promise.lock_budget.map(nanos), self.led.get(&read.flight), read.end)
        else {
            return false;
        };
        let asked = ended.saturating_sub(budget);
        let at_once = end.0.saturating_sub(read.arrived.0).cast_signed() <= budget;
        let mut given = self.waits.given_within(&read.key, asked, (*led).min(asked + ASKED + known.slack()));
        let has_it = !known.terms.sees_cache || given.any(|(_, of)| of == node);
        at_once && has_it && known.troubles.at(node, asked, *led, Trouble::cache_unusable)
    }

    /// Whether a flight that ended at `ended` had what was left of its request's budget, which was hardly a read's time: its caller had
    /// waited for another's lock for as long as the composition says, and then read for itself.
    fn after_a_wait(&self, known: &Known, read: &Read, ended: i64) -> bool {
        let (Some(wait), Some(led)) = (known.terms.promise.lock_wait.map(nanos), self.led.get(&read.flight)) else {
            return false;
        };
        let gave_up = self.late_readers.contains(&read.flight);
        gave_up && ended - led + wait + ASKED + known.slack() >= nanos(known.terms.budgets.replica)
    }

    /// The origin's own ledger says why its reads failed, and whether it was full.
    fn over(&mut self, known: &Known) -> CheckerVerdict {
        for (flight, (end, node, at)) in &self.failed {
            let Some(read) = self.reads.get(flight) else {
                // Its time was over while it was on its way. With no time at all it should not have begun.
                let lasted = self.led.get(flight).map_or(0, |led| at - led);
                if *end == LeaderEnd::TimedOut && lasted > 0 && lasted <= MS + known.slack() {
                    continue;
                }
                // A replica that stood still may wake up with no time left to ask.
                if known.troubles.at(*node, i64::MIN, *at, |kind| matches!(kind, Trouble::Freeze | Trouble::Other)) {
                    continue;
                }
                return Err(format!("flight {flight} failed, and the origin never saw it"));
            };
            // Its answer may have been under way.
            let late = read.end.is_none_or(|end| end.0.cast_signed() + MS + known.slack() >= *at);
            let stood_still = known.troubles.frozen_ns(*node, read.arrived.0.cast_signed(), *at) > 0;
            let refused = matches!(read.outcome, Some(ReadEnd::Failed | ReadEnd::Rejected));
            let explained = match end {
                LeaderEnd::TimedOut => late || stood_still || read.outcome == Some(ReadEnd::Abandoned),
                _ => refused || known.troubles.any(i64::MIN, *at, |kind| kind == Trouble::Other),
            };
            if !explained {
                return Err(format!(
                    "flight {flight} ended so: {}, and its read at the origin {}",
                    end.name(),
                    stands(read.outcome)
                ));
            }
            let span = (read.arrived.0.cast_signed() - AFTER, *at);
            let unwell = known.troubles.any(span.0, span.1, |kind| kind.origin_unwell() || kind == Trouble::Freeze);
            let legal = *end == LeaderEnd::TimedOut
                && (self.kept_too_long(known, read, *at)
                    || self.began_late(known, read, *node, *at)
                    || self.after_a_wait(known, read, *at));
            if !unwell && !legal {
                self.open.push((
                    span.0,
                    span.1,
                    format!("flight {flight} failed ({}) and the origin was well", end.name()),
                ));
            }
        }
        let full = |from: i64, until: i64| {
            self.reads.values().any(|read| {
                let until_ns = read.start.or(read.end).map_or(u64::MAX, |at| at.0);
                let waited = until_ns.saturating_sub(read.arrived.0) > QUEUED;
                (waited || read.outcome == Some(ReadEnd::Rejected))
                    && read.arrived.0.cast_signed() <= until
                    && i64::try_from(until_ns).unwrap_or(i64::MAX) >= from
            })
        };
        match self.open.iter().find(|(from, until, _)| !full(*from, *until)) {
            Some((.., sentence)) => Err(sentence.clone()),
            None => Ok(()),
        }
    }
}
