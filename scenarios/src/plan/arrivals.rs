//! The arrivals of an open load.

use crate::plan::draw::{Purpose, PurposeDraws};
use crate::plan::{Op, Plan};
use crate::values::load::{Arrivals, LoadKind};
use crate::values::rate::Rate;

const NS_PER_S: f64 = 1e9;

/// One request of an open load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// When it is meant to be sent, nanoseconds after the start of the warm-up.
    pub at_ns: u64,
    /// The key, from 1.
    pub key: u32,
    /// The replica, from 0.
    pub replica: u32,
    /// What is done with the key.
    pub op: Op,
}

/// The arrivals of a plan, in the order of time.
#[derive(Debug, Clone)]
pub struct ArrivalIter<'p> {
    plan: &'p Plan,
    next: u64,
    /// Time of the arrival before; whole nanoseconds, so that a long run gathers no rounding.
    last_ns: u64,
    end_ns: u64,
    /// The rate, where it changes; and the sum of the gaps so far, in mean gaps.
    ramped: Option<(Rate, f64)>,
}

impl Plan {
    /// The requests of an open load, in the order of time, over warm-up and measured time. Empty for a closed load.
    #[must_use]
    pub fn arrivals(&self) -> ArrivalIter<'_> {
        ArrivalIter::new(self)
    }
}

impl<'p> ArrivalIter<'p> {
    fn new(plan: &'p Plan) -> Self {
        let end = plan.load.total().as_nanos();
        let ramped = match &plan.load.kind {
            LoadKind::Open { rate_per_s, ramps, .. } if !ramps.is_empty() => {
                Some((Rate::new(*rate_per_s, ramps, plan.load.warmup), 0.0))
            }
            _ => None,
        };
        Self { plan, next: 0, last_ns: 0, end_ns: u64::try_from(end).unwrap_or(u64::MAX), ramped }
    }
}

impl Iterator for ArrivalIter<'_> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        loop {
            let arrival = self.drawn()?;
            if self.plan.stagger.is_none_or(|stagger| stagger.in_use(arrival.key, arrival.at_ns)) {
                return Some(arrival);
            }
        }
    }
}

impl ArrivalIter<'_> {
    /// The next one, whether or not its key is in use already.
    fn drawn(&mut self) -> Option<Arrival> {
        let LoadKind::Open { rate_per_s, arrivals, .. } = &self.plan.load.kind else {
            return None;
        };
        let mean_ns = NS_PER_S / rate_per_s;
        // Exponential, in mean gaps.
        let gap = || -(1.0 - PurposeDraws::at(self.plan.seed, Purpose::Gap, 0, self.next).unit(0)).ln();
        let at_ns = match (arrivals, &mut self.ramped) {
            // From its number, not from the one before: equal gaps that are no whole nanoseconds must not drift.
            (Arrivals::Constant, None) => (self.next as f64 * mean_ns).round() as u64,
            (Arrivals::Poisson, None) => self.last_ns.saturating_add((gap() * mean_ns).round() as u64),
            (Arrivals::Constant, Some((rate, _))) => rate.when_ns(self.next as f64),
            (Arrivals::Poisson, Some((rate, sum))) => {
                *sum += gap();
                rate.when_ns(*sum)
            }
        };
        // A root's last bit may be off.
        let at_ns = at_ns.max(self.last_ns);
        if at_ns >= self.end_ns {
            return None;
        }
        let item = self.plan.item(0, self.next);
        self.last_ns = at_ns;
        self.next += 1;
        Some(Arrival { at_ns, key: item.key, replica: item.replica, op: item.op })
    }
}
