//! Of the origin: it never does more than it can, and refuses only then (I5), and its ledger is the replicas' (I17).

use std::collections::{BTreeMap, BTreeSet};

use evidence::ReadEnd;
use scenarios::Trouble;
use strategies::Key;
use strategies::port::{Event, FlightId, LeaderEnd};
use strategies::spec::Alone;

use super::checker::{Checker, CheckerVerdict, Known, MS};
use super::fact::{Fact, FactKind};
use super::fact_text::stands;
use super::flights::allowed;
use crate::origin::Read;

/// I5, by the origin's own ledger: at most W reads are served and Q wait; none is refused while there is room; and of one
/// key as many are asked for at once as the strategy allows. Reads whose asker had gone are not counted there.
#[derive(Default)]
pub(super) struct Bounded {
    reads: Vec<Read>,
    /// When each flight began: before its read arrived, and long before where it had to wait in its replica's `limit`.
    begun: BTreeMap<FlightId, i64>,
    /// Of each key those that were under way when the last one arrived: when their flights began.
    live: BTreeMap<Key, Vec<(Read, i64)>>,
}

/// How exactly a real ledger dates its rows: they are of one clock, and a place is handed over a moment before it says so.
const LEDGER: u64 = 5_000_000;

/// No pause lasts longer.
const PAUSE: i64 = 60_000 * MS;

fn stands_still(kind: Trouble) -> bool {
    matches!(kind, Trouble::OriginPaused | Trouble::Other)
}

/// How a read changes what is under way. At one instant ends come before beginnings: a place is handed over.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Ended,
    Waits,
    Moved,
    Refused,
}

impl Checker for Bounded {
    fn name(&self) -> &'static str {
        "I5 the origin's bounds"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        match &fact.what {
            FactKind::Told(Event::FlightLed { flight, .. }) => {
                self.begun.insert(*flight, fact.at_ns);
                Ok(())
            }
            FactKind::Read(read) => {
                self.reads.push(read.clone());
                self.one_key(known, read)
            }
            FactKind::Over(_) => self.places(known),
            _ => Ok(()),
        }
    }
}

impl Bounded {
    /// At most W served, Q waiting, and nobody refused before.
    fn places(&self, known: &Known) -> CheckerVerdict {
        let slack = known.slack().unsigned_abs().min(LEDGER);
        let mut changes = Vec::new();
        for read in &self.reads {
            if let (Some(ReadEnd::Rejected), Some(end)) = (read.outcome, read.end) {
                changes.push((end.0, Change::Refused));
            }
            let Some(start) = read.start else { continue };
            // While the origin stands still, reads come to its door and not into its queue.
            let came = read.arrived.0.cast_signed();
            let paused = known.troubles.of(came, came, stands_still);
            let came = paused.map(|pause| pause.until_ns).fold(came, i64::max).max(0).unsigned_abs().min(start.0);
            // A place is free a moment before the ledger says so.
            let end = read.end.map(|end| end.0.saturating_sub(slack).max(start.0));
            changes.push((came, Change::Waits));
            changes.push((start.0.max(came), Change::Moved));
            changes.extend(end.map(|end| (end, Change::Ended)));
        }
        changes.sort_unstable();
        let (mut running, mut waiting) = (0_usize, 0_usize);
        let (places, queue) = (known.terms.places, known.terms.queue);
        for (n, (at, change)) in changes.iter().enumerate() {
            match change {
                Change::Ended => running = running.saturating_sub(1),
                Change::Moved => (running, waiting) = (running + 1, waiting.saturating_sub(1)),
                Change::Waits => waiting += 1,
                Change::Refused => {
                    let ended = changes[..n].iter().rev().take_while(|(then, _)| then == at);
                    let ended = ended.filter(|(_, change)| *change == Change::Ended).count();
                    // Which reads of a pause were in the queue the ledger does not say.
                    let now = at.cast_signed();
                    let told = slack == 0 && !known.troubles.any(now - PAUSE, now, stands_still);
                    if told && running + waiting + ended < places + queue {
                        return Err(format!(
                            "a read was refused at {at} ns, with {running} served and {waiting} waiting"
                        ));
                    }
                }
            }
            if running > places {
                return Err(format!("{running} reads at once at {at} ns; the origin has {places} places"));
            }
            // A read that moves on at the same instant, or within the slack, has not waited.
            let soon = |&&(then, change): &&(u64, Change)| change == Change::Moved && then <= at + slack;
            let moves = changes[n..].iter().take_while(|(then, _)| *then <= at + slack).filter(soon).count();
            if waiting.saturating_sub(moves) > queue {
                return Err(format!("{waiting} reads wait at {at} ns; the origin's queue has {queue} places"));
            }
        }
        Ok(())
    }

    /// Of one key no more at once than the strategy allows. What excuses a second reader is what went wrong before its flight
    /// began: by the time that its read has come through a `limit` all may be well again.
    fn one_key(&mut self, known: &Known, read: &Read) -> CheckerVerdict {
        let promise = &known.terms.promise;
        if promise.alone == Alone::Nobody || read.outcome == Some(ReadEnd::Abandoned) {
            return Ok(());
        }
        let slack = known.slack().unsigned_abs().min(LEDGER);
        let (key, arrived) = (&read.key, read.arrived.0);
        let live = self.live.entry(key.clone()).or_default();
        live.retain(|(other, _)| other.end.is_some_and(|end| end.0.saturating_sub(slack) > arrived));
        // Of a replica that died nobody tells when its flights began.
        let begun = self.begun.get(&read.flight).copied().unwrap_or(arrived.cast_signed());
        live.push((read.clone(), begun));
        let here = live.iter().filter(|(other, _)| other.replica == read.replica).count();
        let (first, last) = live.iter().fold((begun, begun), |(first, last), (_, at)| (first.min(*at), last.max(*at)));
        let most = match promise.alone {
            // Each write lets one more in.
            Alone::InFleet if known.terms.promise.revokes => usize::MAX,
            Alone::InFleet => allowed(known, first, last + known.slack()),
            Alone::InProcess | Alone::Nobody => usize::from(known.terms.replicas),
        };
        if live.len() > most || (promise.coalesces && here > 1) {
            let (all, at) = (live.len(), arrived as f64 / 1e9);
            return Err(format!(
                "the origin read key {key} {all} times at once at {at:.6} s, {here} times for one replica; {most} may be"
            ));
        }
        Ok(())
    }
}

/// I17: the origin saw each flight at most once, for its key and from its replica; and each that ended well.
#[derive(Default)]
pub(super) struct LedgersAgree {
    led: BTreeMap<FlightId, (Key, Option<u16>)>,
    done: BTreeSet<FlightId>,
    refused: BTreeSet<FlightId>,
    seen: BTreeSet<FlightId>,
}

impl Checker for LedgersAgree {
    fn name(&self) -> &'static str {
        "I17 two ledgers"
    }

    fn see(&mut self, _: &Known, fact: &Fact) -> CheckerVerdict {
        match &fact.what {
            FactKind::Told(Event::FlightLed { flight, key, .. }) => {
                self.led.insert(*flight, (key.clone(), fact.node));
                Ok(())
            }
            FactKind::Told(Event::FlightEnded { flight, end: LeaderEnd::Done, .. }) => {
                self.done.insert(*flight);
                Ok(())
            }
            FactKind::Told(Event::FlightEnded { flight, end: LeaderEnd::Refused, .. }) => {
                self.refused.insert(*flight);
                Ok(())
            }
            FactKind::Read(read) => {
                let flight = read.flight;
                if !self.seen.insert(flight) {
                    return Err(format!("the origin saw flight {flight} twice"));
                }
                let Some((key, node)) = self.led.get(&flight) else {
                    return Err(format!("the origin saw flight {flight}, which nobody led"));
                };
                if *key != read.key || *node != Some(read.replica) {
                    return Err(format!("the origin saw flight {flight} for {} from {}", read.key, read.replica));
                }
                if self.refused.contains(&flight) {
                    return Err(format!("the origin saw flight {flight}, which a layer had refused"));
                }
                if self.done.contains(&flight) && !matches!(read.outcome, Some(ReadEnd::Ok | ReadEnd::Missing)) {
                    return Err(format!("flight {flight} ended well, and its read {}", stands(read.outcome)));
                }
                Ok(())
            }
            FactKind::Over(_) => match self.done.difference(&self.seen).next() {
                Some(flight) => Err(format!("flight {flight} ended well, and the origin never saw it")),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}
