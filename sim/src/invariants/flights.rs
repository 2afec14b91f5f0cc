//! Of flights: how many read one key at a time (I1, I5), whether a read was needed, and that each ends once (I9).

use std::collections::BTreeMap;

use strategies::Key;
use strategies::port::{Acquired, Cause, Event, FlightId, Stored};
use strategies::spec::Alone;

use super::{Checker, Fact, Kind, Known, MS, Verdict, What, ms, nanos};
use crate::cache::Effect;
use crate::world::EPOCH_NS;

/// How long a trouble with the cache is felt after its end: two operations of a leader, each asked twice.
const FELT: i64 = 500 * MS;

/// I1 and I5.
#[derive(Default)]
pub(super) struct OneReader(BTreeMap<Key, Vec<(FlightId, Option<u16>, i64)>>);

impl Checker for OneReader {
    fn name(&self) -> &'static str {
        "I1 one reader"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> Verdict {
        match &fact.what {
            What::Told(Event::FlightEnded { flight, key, .. }) => {
                if let Some(live) = self.0.get_mut(key) {
                    live.retain(|(other, ..)| other != flight);
                }
                Ok(())
            }
            What::Told(Event::FlightLed { cause: Cause::Demand | Cause::Refresh, flight, key }) => {
                let live = self.0.entry(key.clone()).or_default();
                live.push((*flight, fact.node, fact.at_ns));
                let here = live.iter().filter(|(_, node, _)| *node == fact.node).count();
                let promise = &known.terms.promise;
                if promise.coalesces && here > 1 {
                    return Err(format!("{here} flights for {key} in one process"));
                }
                if promise.alone != Alone::InFleet {
                    return Ok(());
                }
                let since = live.iter().map(|(.., since)| *since).min().unwrap_or(fact.at_ns);
                let from = since - nanos(promise.lock_life.unwrap_or_default()) - FELT;
                let taken_away = known.troubles.of(from, fact.at_ns, Kind::ends_leases).count();
                // Without the cache each replica reads for itself; and a lease that can't be renewed ends.
                let unusable = known.troubles.of(from, fact.at_ns, Kind::cache_unusable).count();
                let alone = if unusable > 0 { usize::from(known.terms.replicas) } else { 0 };
                let allowed = 1 + taken_away + alone + unusable;
                // What began within the clocks' uncertainty may have begun after the other's end.
                let certain = live.iter().filter(|(.., at)| fact.at_ns - at >= known.slack()).count() + 1;
                if certain.min(live.len()) <= allowed {
                    return Ok(());
                }
                Err(format!("{} flights for {key} at once; {allowed} may be", live.len()))
            }
            _ => Ok(()),
        }
    }
}

/// I1: who was given the lock after a fresh value was stored reads that, and not the origin.
#[derive(Default)]
pub(super) struct Needed {
    /// Since when, and until when, a key has a fresh entry.
    fresh: BTreeMap<Key, (i64, i64)>,
    /// When each replica was last given a key.
    given: BTreeMap<(Key, Option<u16>), i64>,
}

impl Checker for Needed {
    fn name(&self) -> &'static str {
        "I1 no needless read"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> Verdict {
        match &fact.what {
            What::Cache(Effect::Put(key, entry, _, Stored::Stored)) => {
                // It is fresh by its stamp, however late it arrived.
                let stamp = entry.stored_at.0.cast_signed().saturating_sub(EPOCH_NS.cast_signed());
                let until = stamp.min(fact.at_ns) + nanos(entry.life.soft) - 2 * known.clocks() - 5 * MS;
                self.fresh.insert(key.clone(), (fact.at_ns, until));
            }
            What::Cache(Effect::Removed(key)) => drop(self.fresh.remove(key)),
            What::Trouble(trouble) if trouble.kind.ends_leases() || trouble.kind == Kind::Corrupt => self.fresh.clear(),
            What::Cache(Effect::Taken(key, _, _, Acquired::Won)) => {
                self.given.insert((key.clone(), fact.node), fact.at_ns);
            }
            What::Told(Event::FlightLed { cause: Cause::Demand, flight, key }) => {
                let promise = &known.terms.promise;
                let given = self.given.get(&(key.clone(), fact.node));
                let (Some(given), Some((since, until))) = (given, self.fresh.get(key)) else { return Ok(()) };
                let asked = promise.rereads && promise.lock_life.is_some() && !promise.computes_in_request;
                let calm = !known.troubles.any(given - FELT, fact.at_ns, |kind| {
                    kind.cache_unusable() || kind.ends_leases() || kind == Kind::Crash
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
pub(super) struct Ends(BTreeMap<FlightId, bool>);

impl Checker for Ends {
    fn name(&self) -> &'static str {
        "I9 flights end"
    }

    fn see(&mut self, _: &Known, fact: &Fact) -> Verdict {
        match &fact.what {
            What::Told(Event::FlightLed { flight, .. }) => match self.0.insert(*flight, false) {
                None => Ok(()),
                Some(_) => Err(format!("flight {flight} began twice")),
            },
            What::Told(Event::FlightEnded { flight, .. }) => match self.0.insert(*flight, true) {
                Some(false) => Ok(()),
                Some(true) => Err(format!("flight {flight} ended twice")),
                None => Err(format!("flight {flight} ended and never began")),
            },
            What::Over(_) => match self.0.iter().find(|(_, ended)| !**ended) {
                Some((flight, _)) => Err(format!("flight {flight} never ended")),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}
