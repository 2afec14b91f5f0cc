//! Of what spares the origin: a breaker comes back (P4), and clients' retries stay within their budget (I8).

use std::collections::BTreeMap;

use scenarios::Trouble;
use strategies::port::{BreakerState, Cause, Event, FlightId, LeaderEnd, RefusedBy};
use strategies::spec::BreakerPromise;

use super::checker::{Checker, CheckerVerdict, Known, ms, nanos};
use super::fact::{Fact, FactKind};

/// P4: a breaker opens, is half open and closes in that order; it refuses no longer than its cool-down and its jitter, while
/// it is open nobody reads, and while it is half open no more than its trickle, each replica for itself.
#[derive(Default)]
pub(super) struct Reopens(BTreeMap<Option<u16>, Seen>);

/// What is seen of a replica's breaker.
struct Seen {
    state: BreakerState,
    since: i64,
    /// Flights that are under way: when each was led, and whether the breaker was closed then.
    flying: BTreeMap<FlightId, (i64, bool)>,
}

impl Default for Seen {
    fn default() -> Self {
        Self { state: BreakerState::Closed, since: 0, flying: BTreeMap::new() }
    }
}

impl Checker for Reopens {
    fn name(&self) -> &'static str {
        "P4 a breaker comes back"
    }

    fn of_one_key(&self) -> bool {
        false
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        if let FactKind::Trouble(trouble) = &fact.what
            && trouble.kind == Trouble::Crash
        {
            self.0.remove(&trouble.node);
        }
        let (Some(promise), FactKind::Told(event)) = (known.terms.promise.breaker, &fact.what) else { return Ok(()) };
        let frozen = known.troubles.frozen_ns(fact.node, i64::MIN, fact.at_ns) > 0;
        self.0.entry(fact.node).or_default().see(known, promise, (fact.at_ns, frozen), event)
    }
}

impl Seen {
    fn see(
        &mut self,
        known: &Known,
        promise: BreakerPromise,
        (now, frozen): (i64, bool),
        event: &Event,
    ) -> CheckerVerdict {
        match event {
            Event::FlightLed { flight, cause: Cause::Demand | Cause::Refresh, .. } => {
                self.flying.insert(*flight, (now, self.state == BreakerState::Closed));
                return Ok(());
            }
            Event::FlightEnded { flight, end, .. } => {
                self.flying.remove(flight);
                if *end == LeaderEnd::Refused {
                    return Ok(());
                }
            }
            Event::OriginSpared { by: RefusedBy::Breaker, .. } => return self.refused(known, promise, now, frozen),
            Event::Breaker(state) => return self.changed(*state, now),
            _ => {}
        }
        // A flight that was led at this very moment is about to be refused.
        let after = |led: i64| now - led > known.slack();
        let through = self.flying.values().filter(|(led, closed)| !closed && after(*led)).count();
        let most = if self.state == BreakerState::HalfOpen { promise.trickle as usize } else { 0 };
        if self.state == BreakerState::Closed || through <= most {
            return Ok(());
        }
        Err(format!("{through} reads under way behind a breaker that is {}; {most} may be", self.state.name()))
    }

    fn refused(&self, known: &Known, promise: BreakerPromise, now: i64, frozen: bool) -> CheckerVerdict {
        let open = now - self.since;
        match self.state {
            BreakerState::Closed => Err("a breaker that is closed refused a read".into()),
            BreakerState::Open if open > nanos(promise.open_max) + known.slack() && !frozen => Err(format!(
                "a breaker refused a read {} after it had opened; at most {} may be",
                ms(open),
                ms(nanos(promise.open_max))
            )),
            BreakerState::Open | BreakerState::HalfOpen => Ok(()),
        }
    }

    fn changed(&mut self, state: BreakerState, now: i64) -> CheckerVerdict {
        let from = std::mem::replace(&mut self.state, state);
        self.since = now;
        // What is under way from now on was let through in the new state, or in one before the breaker had opened.
        if state == BreakerState::Open {
            self.flying.values_mut().for_each(|(_, closed)| *closed = true);
        }
        match (from, state) {
            (BreakerState::Closed | BreakerState::HalfOpen, BreakerState::Open)
            | (BreakerState::Open, BreakerState::HalfOpen)
            | (BreakerState::HalfOpen, BreakerState::Closed) => Ok(()),
            _ => Err(format!("a breaker went from {} to {}", from.name(), state.name())),
        }
    }
}

/// I8: of the attempts of any span there are at most `share` × first attempts + [`scenarios::RETRY_RESERVE`] retries. The
/// largest excess of any span that ends now is the largest of the one before, and this (Kadane).
#[derive(Default)]
pub(super) struct RetriesPaid {
    excess: f64,
}

impl Checker for RetriesPaid {
    fn name(&self) -> &'static str {
        "I8 retries within their budget"
    }

    fn of_one_key(&self) -> bool {
        false
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        let (Some(share), FactKind::Sent { first, retries }) = (known.terms.retry_share, &fact.what) else {
            return Ok(());
        };
        self.excess = (self.excess + *retries as f64 - share * *first as f64).max(0.0);
        // Sums of shares are not exact.
        if self.excess <= scenarios::RETRY_RESERVE + 1e-6 {
            return Ok(());
        }
        let (excess, reserve) = (self.excess, scenarios::RETRY_RESERVE);
        Err(format!("{excess:.1} retries more than {share} of the first attempts; {reserve} may be"))
    }
}
