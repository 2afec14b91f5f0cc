//! The arrivals of an open load.

use crate::plan::Plan;
use crate::plan::draw::{Purpose, PurposeDraws};
use crate::values::load::{Arrivals, LoadKind};
use crate::values::op::Op;
use crate::values::rate::Rate;
use crate::values::recorded::RecordedRequest;

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
pub struct ArrivalIter<'p> {
    plan: &'p Plan,
    next: u64,
    source: ArrivalSource,
}

/// Where they come from.
enum ArrivalSource {
    /// Nowhere: clients wait for their answers.
    None,
    /// They are drawn.
    Drawn(Drawn),
    /// They were recorded.
    Recorded(Box<dyn Iterator<Item = RecordedRequest> + Send>),
}

/// Arrivals that are drawn.
struct Drawn {
    mean_ns: f64,
    arrivals: Arrivals,
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
        let source = match &self.load.kind {
            LoadKind::Closed { .. } => ArrivalSource::None,
            LoadKind::Open { rate_per_s, arrivals, ramps, .. } => {
                let end_ns = u64::try_from(self.load.total().as_nanos()).unwrap_or(u64::MAX);
                let ramped = (!ramps.is_empty()).then(|| (Rate::new(*rate_per_s, ramps, self.load.warmup), 0.0));
                let (mean_ns, arrivals) = (NS_PER_S / rate_per_s, *arrivals);
                ArrivalSource::Drawn(Drawn { mean_ns, arrivals, last_ns: 0, end_ns, ramped })
            }
            LoadKind::Trace(trace) => {
                trace.rows.as_ref().map_or(ArrivalSource::None, |trace| ArrivalSource::Recorded(trace.rows()))
            }
        };
        ArrivalIter { plan: self, next: 0, source }
    }
}

impl std::fmt::Debug for ArrivalIter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArrivalIter").field("next", &self.next).finish_non_exhaustive()
    }
}

impl Iterator for ArrivalIter<'_> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        loop {
            let arrival = self.any()?;
            if self.plan.stagger.is_none_or(|stagger| stagger.in_use(arrival.key, arrival.at_ns)) {
                return Some(arrival);
            }
        }
    }
}

impl ArrivalIter<'_> {
    /// The next one, whether or not its key is in use already.
    fn any(&mut self) -> Option<Arrival> {
        let arrival = match &mut self.source {
            ArrivalSource::None => return None,
            ArrivalSource::Drawn(drawn) => {
                let at_ns = drawn.moment(self.plan.seed, self.next)?;
                let item = self.plan.item(0, self.next, at_ns);
                Arrival { at_ns, key: item.key, replica: item.replica, op: item.op }
            }
            ArrivalSource::Recorded(rows) => {
                let RecordedRequest { at_ns, key, op } = rows.next()?;
                Arrival { at_ns, key, replica: (self.next % u64::from(self.plan.replicas)) as u32, op }
            }
        };
        self.next += 1;
        Some(arrival)
    }
}

impl Drawn {
    /// When the `n`th comes; `None` at the end.
    fn moment(&mut self, seed: u64, n: u64) -> Option<u64> {
        // Exponential, in mean gaps.
        let gap = || -(1.0 - PurposeDraws::at(seed, Purpose::Gap, 0, n).unit(0)).ln();
        let at_ns = match (self.arrivals, &mut self.ramped) {
            // From its number, not from the one before: equal gaps that are no whole nanoseconds must not drift.
            (Arrivals::Constant, None) => (n as f64 * self.mean_ns).round() as u64,
            (Arrivals::Poisson, None) => self.last_ns.saturating_add((gap() * self.mean_ns).round() as u64),
            (Arrivals::Constant, Some((rate, _))) => rate.when_ns(n as f64),
            (Arrivals::Poisson, Some((rate, sum))) => {
                *sum += gap();
                rate.when_ns(*sum)
            }
        };
        // A root's last bit may be off.
        self.last_ns = at_ns.max(self.last_ns);
        (self.last_ns < self.end_ns).then_some(self.last_ns)
    }
}
