//! How many cycles begin in the measured time: a renewal process with a known beginning.
//!
//! The first request fills the cache at the beginning of the warm-up, so the first expiries come at known moments, and whether an
//! herd lies just before or just after t = 0 is no matter of chance. The k-th first read comes at a time of mean μ₁ + (k−1)c and variance
//! k·σ² (normal, by the central limit theorem); summed over k this is the expected number by then. It tends to t/c (Cox, Renewal Theory,
//! 1962), as soon as the moments have spread over a cycle.

use super::circumstances::{Circumstances, FilledBy, Gaps, Readers};
use super::cycle::Cycle;
use super::layers::{Layers, Together};
use super::refresh::Refresh;
use crate::policy::Early;

/// Cycles that are summed one by one.
const CYCLES_MAX: f64 = 4000.0;
/// Moments in a herd.
const STEPS: u32 = 12;

/// Means over the measured time.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    /// Origin reads.
    pub(super) reads: f64,
    pub(super) wait_share: f64,
    pub(super) stale_share: f64,
    /// The measured time in cycles.
    pub(super) cycles: f64,
}

impl Counts {
    pub(super) fn of(layers: &Layers, at: &Circumstances, cycle: &Cycle) -> Self {
        let measured = at.measured.as_secs_f64();
        let cycles = measured / cycle.mean_s;
        let (firsts, others) = match at.filled {
            // Of a closed loop's cycle without a lock it is only known how long it is, roughly.
            FilledBy::ByLoad(warmup) if knows_cycle(layers, cycle) => {
                let moments = Moments::of(layers, at, cycle);
                let in_time = |after: f64| {
                    let (from, to) = (warmup.as_secs_f64() - after, warmup.as_secs_f64() + measured - after);
                    moments.by(to) - moments.by(from)
                };
                let step = at.d() / f64::from(STEPS);
                let later: f64 = (0..STEPS).map(|n| in_time((f64::from(n) + 0.5) * step)).sum();
                (in_time(0.0), later / f64::from(STEPS))
            }
            FilledBy::ByLoad(_) | FilledBy::Otherwise => (cycles, cycles),
        };
        // Clients that wait do not ask.
        let asked = if cycle.clients_wait {
            at.r() * (measured - others * (at.d() + 1.0 / at.r())).max(0.0) + others * cycle.waits
        } else {
            at.r() * measured
        };
        Self {
            reads: firsts + others * (cycle.herd - 1.0),
            wait_share: others * cycle.waits / asked,
            stale_share: others * cycle.stales / asked,
            cycles,
        }
    }
}

/// Whether the length of a cycle is known: not where clients wait for each other's reads and nothing ends a herd.
pub(super) fn knows_cycle(layers: &Layers, cycle: &Cycle) -> bool {
    !cycle.clients_wait || layers.together == Together::Fleet
}

/// The moments of first reads, seconds after the beginning of the warm-up.
struct Moments {
    /// Mean and variance of the first one that follows the one that filled the cache.
    first: f64,
    first_variance: f64,
    cycle: f64,
    variance: f64,
}

impl Moments {
    fn of(layers: &Layers, at: &Circumstances, cycle: &Cycle) -> Self {
        // When the cache is filled: 1/r after the beginning, or with the first of equal gaps, which is at the beginning, that is for the key.
        let (mean, variance) = match at.readers {
            Readers::Open { gaps: Gaps::Poisson, .. } => (1.0 / at.r(), at.r().powi(-2)),
            Readers::Open { gaps: Gaps::Equal, .. } => ((1.0 - at.h()) / at.r(), (1.0 - at.h()) * at.r().powi(-2)),
            Readers::Closed { .. } => (0.0, 0.0),
        };
        // The herd of an empty cache is that of an expiry, whatever refreshes early afterwards.
        let cold = match layers.together {
            _ if cycle.clients_wait => cycle.last_s,
            Together::Fleet => 0.0,
            Together::Process => cycle.last_s.max(0.0),
            Together::Nobody => {
                let expired = Refresh { early: Early::Never, r: at.r(), d: at.d(), ttl: 0.0 };
                at.d() - (1.0 - (-expired.fired(at.d())).exp()) / at.r()
            }
        };
        let first = mean + cycle.mean_s - cycle.last_s + cold;
        Self { first, first_variance: variance + cycle.variance, cycle: cycle.mean_s, variance: cycle.variance }
    }

    /// How many have come by then, mean.
    fn by(&self, t: f64) -> f64 {
        let spread = |k: f64| (self.first_variance + k * self.variance).sqrt();
        let last = ((t - self.first) / self.cycle).max(0.0);
        let most = last + 6.0 * spread(last) / self.cycle + 2.0;
        if most > CYCLES_MAX {
            // From the first one on: t/c + (σ² + c²)/2c².
            let settled = (self.variance / (self.cycle * self.cycle) + 1.0) / 2.0;
            return (t - self.first) / self.cycle + settled;
        }
        (0..most as u32).map(|k| normal(t - self.first - f64::from(k) * self.cycle, spread(f64::from(k)))).sum()
    }
}

/// Φ(x/σ), to 10⁻⁷ (Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 7.1.26).
fn normal(x: f64, sigma: f64) -> f64 {
    if sigma <= 0.0 {
        return if x >= 0.0 { 1.0 } else { 0.0 };
    }
    let z = x / (sigma * std::f64::consts::SQRT_2);
    let t = 1.0 / (1.0 + 0.327_591_1 * z.abs());
    let series = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let tail = series.iter().fold(0.0, |sum, term| sum * t + term) * t * (-z * z).exp();
    if z >= 0.0 { 1.0 - tail / 2.0 } else { tail / 2.0 }
}
