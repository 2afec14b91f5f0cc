//! The arrivals of an open load.

use crate::draw::{Draws, Purpose};
use crate::load::{Arrivals, LoadKind};
use crate::plan::Plan;

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
}

/// The arrivals of a plan, in the order of time.
#[derive(Debug, Clone)]
pub struct ArrivalIter<'p> {
    plan: &'p Plan,
    next: u64,
    /// Time of the arrival before; whole nanoseconds, so that a long run gathers no rounding.
    last_ns: u64,
    end_ns: u64,
}

impl<'p> ArrivalIter<'p> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        let end = plan.load.total().as_nanos();
        Self { plan, next: 0, last_ns: 0, end_ns: u64::try_from(end).unwrap_or(u64::MAX) }
    }
}

impl Iterator for ArrivalIter<'_> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let LoadKind::Open { rate_per_s, arrivals } = &self.plan.load.kind else {
            return None;
        };
        let mean_ns = NS_PER_S / rate_per_s;
        let at_ns = match arrivals {
            // From its number, not from the one before: equal gaps that are no whole nanoseconds must not drift.
            Arrivals::Constant => (self.next as f64 * mean_ns).round() as u64,
            Arrivals::Poisson => {
                let u = Draws::at(self.plan.seed, Purpose::Gap, 0, self.next).unit(0);
                let gap = (-(1.0 - u).ln() * mean_ns).round() as u64;
                self.last_ns.saturating_add(gap)
            }
        };
        if at_ns >= self.end_ns {
            return None;
        }
        let item = self.plan.item(0, self.next);
        self.last_ns = at_ns;
        self.next += 1;
        Some(Arrival { at_ns, key: item.key, replica: item.replica })
    }
}
