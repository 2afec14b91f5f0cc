//! Of failures: each has a cause (I14), an error is neither kept nor asked for again at once (I13), and all is well again
//! when the troubles are over (P1, P2, I9).

use std::collections::BTreeMap;

use strategies::port::{Event, FlightId, LeaderEnd};
use strategies::{GetError, Key};

use super::{Checker, End, Fact, Kind, Known, MS, Verdict, What, ms, nanos};

/// How long a backlog at the origin may outlast its cause.
const AFTER: i64 = 10_000 * MS;

/// I14.
#[derive(Default)]
pub(super) struct Attributed(BTreeMap<u32, i64>);

impl Checker for Attributed {
    fn name(&self) -> &'static str {
        "I14 failures have causes"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> Verdict {
        if let What::Asked { request, .. } = &fact.what {
            self.0.insert(*request, fact.at_ns);
        }
        let What::Answered { request, end } = &fact.what else { return Ok(()) };
        let (Some(asked), End::Answer(Err(error))) = (self.0.remove(request), end) else { return Ok(()) };
        let lock = nanos(known.terms.promise.lock_life.unwrap_or_default());
        let harmful = |kind: Kind| !matches!(kind, Kind::Corrupt | Kind::ClockJump | Kind::ClockDrift);
        let excused = match error {
            GetError::LeadersVanished => false,
            GetError::Origin { .. } => {
                known.troubles.any(asked - AFTER, fact.at_ns, |kind| kind.origin_unwell() || kind == Kind::Freeze)
            }
            GetError::Shed { .. } | GetError::OutOfTime => {
                known.troubles.any(asked - AFTER - lock, fact.at_ns, harmful)
            }
        };
        if excused { Ok(()) } else { Err(format!("request {request} failed and nothing was wrong: {error}")) }
    }
}

/// The shortest back-off, as `strategies` has it.
const BACK_OFF: i64 = 100 * MS;
/// The longest, and what a leader's farewell to a cache in trouble takes.
const KEPT: i64 = (200 + 500) * MS;

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

    fn see(&mut self, known: &Known, fact: &Fact) -> Verdict {
        let node = fact.node.unwrap_or(u16::MAX);
        match &fact.what {
            What::Told(Event::FlightEnded { flight, key, end }) => {
                let of = (node, key.clone());
                match end {
                    LeaderEnd::OriginError | LeaderEnd::TimedOut => {
                        self.failed.insert(of, (fact.at_ns, flight.incarnation));
                        self.ended.insert(*flight, fact.at_ns);
                    }
                    LeaderEnd::Done => drop(self.failed.remove(&of)),
                    LeaderEnd::LockLost | LeaderEnd::Vanished => {}
                }
                Ok(())
            }
            What::Told(Event::FlightLed { flight, key, .. }) => match self.failed.get(&(node, key.clone())) {
                Some((at, incarnation)) if *incarnation == flight.incarnation && fact.at_ns - at < BACK_OFF => {
                    Err(format!("flight {flight} for {key} began {} after a failed one", ms(fact.at_ns - at)))
                }
                _ => Ok(()),
            },
            What::Answered { request, end: End::Answer(Err(GetError::Origin { flight, .. })) } => {
                let Some(ended) = self.ended.get(flight) else {
                    return Err(format!("request {request} has an error of flight {flight}, which did not fail"));
                };
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

/// P1, P2 and I9: once everything has healed every request has its value, and in the end nothing goes on.
#[derive(Default)]
pub(super) struct Heals(BTreeMap<u32, Key>);

impl Checker for Heals {
    fn name(&self) -> &'static str {
        "P1 all is well again"
    }

    fn see(&mut self, _: &Known, fact: &Fact) -> Verdict {
        match &fact.what {
            What::Asked { request, key, probe: true } => {
                self.0.insert(*request, key.clone());
                Ok(())
            }
            What::Answered { request, end } => match (self.0.remove(request), end) {
                (None, _) | (_, End::Answer(Ok(_))) => Ok(()),
                (Some(key), end) => Err(format!("after everything had healed a request for {key} ended so: {end:?}")),
            },
            What::Over(tasks) if *tasks > 0 => Err(format!("{tasks} tasks go on after the end")),
            _ => Ok(()),
        }
    }
}
