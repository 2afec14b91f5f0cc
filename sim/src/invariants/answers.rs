//! Of answers: one each and in time (I7, I8), truthfully labelled (I6), and with the right value in it (I18, I11).

use std::collections::{BTreeMap, BTreeSet};

use scenarios::Trouble;
use strategies::port::{Event, FlightId, LeaderEnd};
use strategies::{Key, Outcome};

use super::checker::{Checker, CheckerVerdict, Known, MS, ms, nanos};
use super::fact::{End, Fact, FactKind};
use crate::origin::item;

/// What operations of the cache around a request's own budget may cost: its first read, and a last look for stale.
const AROUND: i64 = 250 * MS;

/// I7, I8 and P5: each request has exactly one end, within its budget.
#[derive(Default)]
pub(super) struct OneAnswer {
    asked: BTreeMap<u32, i64>,
    over: BTreeSet<u32>,
}

impl Checker for OneAnswer {
    fn name(&self) -> &'static str {
        "I7 one answer, in time"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        match &fact.what {
            FactKind::Asked { request, .. } => {
                self.asked.insert(*request, fact.at_ns);
                Ok(())
            }
            FactKind::Answered { request, end } => {
                if !self.over.insert(*request) {
                    return Err(format!("request {request} ended twice"));
                }
                let Some(asked) = self.asked.remove(request) else {
                    return Err(format!("request {request} ended and never began"));
                };
                let took = fact.at_ns - asked;
                match end {
                    End::Never => Err(format!("request {request} had no answer after {}", ms(took))),
                    End::Reset => {
                        let mut crashes = known.troubles.of(asked, fact.at_ns, |kind| kind == Trouble::Crash);
                        if crashes.any(|crash| crash.node == fact.node) {
                            return Ok(());
                        }
                        Err(format!("request {request} was dropped, and its replica had not died"))
                    }
                    End::Answer(_) | End::Count(_) => {
                        let frozen = known.troubles.frozen_ns(fact.node, asked, fact.at_ns);
                        let budget = nanos(known.terms.budgets.replica) + AROUND;
                        if took - frozen <= budget {
                            return Ok(());
                        }
                        Err(format!("request {request} took {}, its budget is {}", ms(took - frozen), ms(budget)))
                    }
                    End::Refused => {
                        let mut dead = known.troubles.of(fact.at_ns, fact.at_ns, |kind| kind == Trouble::Crash);
                        if dead.any(|crash| crash.node == fact.node) {
                            return Ok(());
                        }
                        Err(format!("request {request} was refused, and its replica was alive"))
                    }
                    End::Gone => Ok(()),
                }
            }
            FactKind::Over(_) if !self.asked.is_empty() => Err(format!("{} requests never ended", self.asked.len())),
            _ => Ok(()),
        }
    }
}

/// I6: what an answer says of itself is true.
#[derive(Default)]
pub(super) struct Labels {
    /// Flights that ended well.
    done: BTreeSet<FlightId>,
    claimed: BTreeSet<FlightId>,
}

impl Checker for Labels {
    fn name(&self) -> &'static str {
        "I6 true labels"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        if let FactKind::Told(Event::FlightEnded { flight, end: LeaderEnd::Done, .. }) = &fact.what {
            self.done.insert(*flight);
        }
        let FactKind::Answered { request, end: End::Answer(Ok(served)) } = &fact.what else { return Ok(()) };
        let left = served.ttl_left_ns;
        // A value that was just read is fresh, but for clocks that are wrong, replicas that stand still, and leaders whose
        // farewell to a cache in trouble takes longer than the TTL.
        let late = known.troubles.any(i64::MIN, fact.at_ns, |kind| {
            kind.cache_unusable() || matches!(kind, Trouble::Freeze | Trouble::ClockJump | Trouble::ClockDrift)
        });
        match (served.outcome, served.flight) {
            (Outcome::Hit, None) if left > 0 => Ok(()),
            (Outcome::Hit, _) => Err(format!("request {request} is called a hit, {} past its TTL", ms(-left))),
            (Outcome::Stale, None) if left <= 0 && known.terms.promise.serves_stale => Ok(()),
            (Outcome::Stale, _) if left > 0 => Err(format!("request {request} is called stale and is fresh")),
            (Outcome::Stale, _) => Err(format!("request {request} is stale, and its strategy serves nothing stale")),
            (Outcome::Wait, None) | (Outcome::Load, Some(_)) if left <= 0 && !late => {
                Err(format!("request {request} waited and has a value that is {} past its TTL", ms(-left)))
            }
            (Outcome::Wait, None) => Ok(()),
            (Outcome::Load, Some(flight)) if !self.done.contains(&flight) => {
                Err(format!("request {request} claims flight {flight}, which did not end well"))
            }
            (Outcome::Load, Some(flight)) if !self.claimed.insert(flight) => {
                Err(format!("request {request} claims flight {flight}, and so did another"))
            }
            (Outcome::Load, Some(_)) => Ok(()),
            (outcome, Some(flight)) => {
                Err(format!("request {request} is called {} and claims flight {flight}", outcome.name()))
            }
            (outcome, None) => Err(format!("request {request} is called {} and claims no flight", outcome.name())),
        }
    }
}

/// I18 and I11: the value belongs to the key and the version, and the version is not one of the future.
#[derive(Default)]
pub(super) struct Values {
    asked: BTreeMap<u32, Key>,
    /// Of each key that was written: when, and the version that it has had since.
    commits: BTreeMap<Key, Vec<(i64, u64)>>,
}

impl Values {
    /// The version of a row at a moment.
    fn version(&self, known: &Known, key: &Key, at_ns: i64) -> u64 {
        let of_itself = known.terms.write_every.map_or(0, |every| at_ns.max(0) / nanos(every).max(1)).unsigned_abs();
        let written = self.commits.get(key).map_or(&[][..], Vec::as_slice);
        let by_then = written.partition_point(|(at, _)| *at <= at_ns);
        by_then.checked_sub(1).and_then(|last| written.get(last)).map_or(1 + of_itself, |(_, version)| *version)
    }
}

impl Checker for Values {
    fn name(&self) -> &'static str {
        "I18 right values"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        match &fact.what {
            FactKind::Asked { request, key, .. } => drop(self.asked.insert(*request, key.clone())),
            FactKind::Committed { key, version } => {
                self.commits.entry(key.clone()).or_default().push((fact.at_ns, *version));
            }
            _ => {}
        }
        let FactKind::Answered { request, end } = &fact.what else { return Ok(()) };
        let (Some(key), End::Answer(Ok(served))) = (self.asked.remove(request), end) else { return Ok(()) };
        let number = key.as_str().parse().unwrap_or(0);
        if served.value.as_deref() != Some(&item(number, served.version)[..]) {
            return Err(format!(
                "request {request} for {key} was answered with what is not its version {}",
                served.version
            ));
        }
        if served.version > self.version(known, &key, fact.at_ns) {
            return Err(format!("request {request} has version {}, which is not written yet", served.version));
        }
        // It was the row's at some time within hard life, and the load that brought it.
        let frozen = known.troubles.of(i64::MIN, fact.at_ns, |kind| kind == Trouble::Freeze);
        let frozen: i64 = frozen.map(|freeze| freeze.until_ns.min(fact.at_ns) - freeze.from_ns).sum();
        let oldest = nanos(known.terms.promise.hard)
            + nanos(known.terms.budgets.origin_read)
            + 2 * known.clocks()
            + frozen
            + AROUND;
        let then = (fact.at_ns - oldest - known.slack()).max(0);
        if served.version < self.version(known, &key, then) {
            let version = served.version;
            return Err(format!("request {request} has version {version}, which was not the row's for {}", ms(oldest)));
        }
        Ok(())
    }
}
