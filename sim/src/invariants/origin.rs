//! Of the origin: it never does more than it can (I5), and its ledger is the replicas' (I17).

use std::collections::{BTreeMap, BTreeSet};

use strategies::Key;
use strategies::port::{Event, FlightId, LeaderEnd};

use super::{Checker, Fact, Known, Verdict, What};
use crate::origin::ReadEnd;

/// I5: at most W reads are served and Q wait.
#[derive(Default)]
pub(super) struct Bounded(Vec<(u64, i8)>);

impl Checker for Bounded {
    fn name(&self) -> &'static str {
        "I5 the origin's places"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> Verdict {
        match &fact.what {
            What::Read(read) => {
                if let Some((start, end)) = read.start.zip(read.end) {
                    let end = end.0.saturating_sub(known.slack().unsigned_abs()).max(start.0);
                    self.0.extend([(start.0, 1), (end, -1)]);
                }
                Ok(())
            }
            What::Over(_) => {
                // At the same instant ends come before starts: a place is handed over.
                self.0.sort_unstable();
                let mut running = 0_i64;
                for (at, change) in &self.0 {
                    running += i64::from(*change);
                    if running > i64::try_from(known.terms.places).unwrap_or(i64::MAX) {
                        let places = known.terms.places;
                        return Err(format!("{running} reads at once at {at} ns; the origin has {places} places"));
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// I17: the origin saw each flight at most once, for its key and from its replica; and each that ended well.
#[derive(Default)]
pub(super) struct Ledgers {
    led: BTreeMap<FlightId, (Key, Option<u16>)>,
    done: BTreeSet<FlightId>,
    seen: BTreeSet<FlightId>,
}

impl Checker for Ledgers {
    fn name(&self) -> &'static str {
        "I17 two ledgers"
    }

    fn see(&mut self, _: &Known, fact: &Fact) -> Verdict {
        match &fact.what {
            What::Told(Event::FlightLed { flight, key, .. }) => {
                self.led.insert(*flight, (key.clone(), fact.node));
                Ok(())
            }
            What::Told(Event::FlightEnded { flight, end: LeaderEnd::Done, .. }) => {
                self.done.insert(*flight);
                Ok(())
            }
            What::Read(read) => {
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
                if self.done.contains(&flight) && !matches!(read.outcome, Some(ReadEnd::Ok | ReadEnd::Missing)) {
                    return Err(format!("flight {flight} ended well, and at the origin so: {:?}", read.outcome));
                }
                Ok(())
            }
            What::Over(_) => match self.done.difference(&self.seen).next() {
                Some(flight) => Err(format!("flight {flight} ended well, and the origin never saw it")),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}
