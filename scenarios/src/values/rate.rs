//! The rate of an open load as a function of time, its integral, and the integral's inverse.
//!
//! Arrivals at a rate λ(t) are arrivals at rate 1 on a clock that runs by Λ(t) = ∫λ: the n-th is at Λ⁻¹(sₙ), with sₙ the
//! n-th of a Poisson process of rate 1 (Çinlar, "Introduction to Stochastic Processes", 1975, ch. 4.7; Law and Kelton,
//! "Simulation Modeling and Analysis", ch. 8.6.2), or n itself for even spacing. λ is piecewise linear here, so Λ is
//! piecewise quadratic and its inverse is exact: nothing is thinned, and no draw is thrown away.

use std::time::Duration;

use crate::values::ramp::Ramp;
use strategies::time::nanos;

const NS_PER_S: f64 = 1e9;

/// A rate over time, from the start of the warm-up.
#[derive(Debug, Clone)]
pub(crate) struct Rate {
    /// In the order of time, without gaps; never empty.
    pieces: Vec<Piece>,
}

/// A stretch of time in which the rate is linear.
#[derive(Debug, Clone, Copy)]
struct Piece {
    begin_ns: u64,
    /// Seconds; the last piece never ends.
    length_s: f64,
    from_per_s: f64,
    to_per_s: f64,
    /// Λ where it begins.
    before: f64,
}

impl Rate {
    /// `first_per_s` from the start of a warm-up of this length, and the ramps after it.
    pub(crate) fn new(first_per_s: f64, ramps: &[Ramp], warmup: Duration) -> Self {
        let mut rate = Self { pieces: Vec::new() };
        let (mut now_ns, mut now_per_s) = (0, first_per_s);
        for ramp in ramps {
            let (begin_ns, end_ns) = (nanos(warmup.saturating_add(ramp.at)), nanos(warmup.saturating_add(ramp.end())));
            rate.add(now_ns, begin_ns, now_per_s, now_per_s);
            rate.add(begin_ns, end_ns, now_per_s, ramp.to_per_s);
            (now_ns, now_per_s) = (end_ns, ramp.to_per_s);
        }
        rate.add(now_ns, u64::MAX, now_per_s, now_per_s);
        rate
    }

    fn add(&mut self, begin_ns: u64, end_ns: u64, from_per_s: f64, to_per_s: f64) {
        if begin_ns < end_ns {
            let before = self.pieces.last().map_or(0.0, |last| last.before + last.expected(last.length_s));
            let length_s = if end_ns == u64::MAX { f64::INFINITY } else { (end_ns - begin_ns) as f64 / NS_PER_S };
            self.pieces.push(Piece { begin_ns, length_s, from_per_s, to_per_s, before });
        }
    }

    /// Λ(t): how many arrivals are expected in the first `time`.
    pub(crate) fn expected(&self, time: Duration) -> f64 {
        let time_ns = nanos(time);
        let begun = self.pieces.iter().take_while(|piece| piece.begin_ns <= time_ns).last();
        begun.map_or(0.0, |piece| piece.before + piece.expected((time_ns - piece.begin_ns) as f64 / NS_PER_S))
    }

    /// Λ⁻¹: when `count` arrivals are expected to have come, nanoseconds, rounded to the nearest.
    pub(crate) fn when_ns(&self, count: f64) -> u64 {
        let begun = self.pieces.partition_point(|piece| piece.before <= count);
        let piece = begun.checked_sub(1).and_then(|last| self.pieces.get(last));
        piece.map_or(0, |piece| {
            piece.begin_ns.saturating_add((piece.when_s(count - piece.before) * NS_PER_S).round() as u64)
        })
    }
}

impl Piece {
    /// Change of the rate, 1/s².
    fn slope(&self) -> f64 {
        (self.to_per_s - self.from_per_s) / self.length_s
    }

    /// Arrivals that are expected in its first `time_s` seconds.
    fn expected(&self, time_s: f64) -> f64 {
        (self.from_per_s + self.slope() * time_s / 2.0) * time_s
    }

    /// The time after which `count` are expected: the root of slope/2·t² + from·t = count, in the form that neither
    /// cancels where the slope is small nor divides by it (Press et al., "Numerical Recipes", 3rd ed., ch. 5.6).
    fn when_s(&self, count: f64) -> f64 {
        let at_end = (self.from_per_s * self.from_per_s + 2.0 * self.slope() * count).max(0.0).sqrt();
        (2.0 * count / (self.from_per_s + at_end)).min(self.length_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn ramp(at_s: u32, to_per_s: f64, over_s: u32) -> Ramp {
        Ramp { at: S * at_s, to_per_s, over: S * over_s }
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found}, expected {expected}");
    }

    #[test]
    fn the_integral_is_that_of_the_trapezes() {
        // 5 s at 50, up to 2000 in 20 s, 10 s there, a jump to 100, 5 s there, and down to 0.5 in 2 s.
        let rate = Rate::new(50.0, &[ramp(0, 2000.0, 20), ramp(30, 100.0, 0), ramp(35, 0.5, 2)], S * 5);
        for (at_s, expected) in [
            (0, 0.0),
            (5, 250.0),
            (15, 250.0 + 10.0 * (50.0 + 1025.0) / 2.0),
            (25, 250.0 + 20_500.0),
            (35, 250.0 + 20_500.0 + 20_000.0),
            (40, 41_250.0),
            (42, 41_250.0 + 100.5),
            (1042, 41_350.5 + 500.0),
        ] {
            near(rate.expected(S * at_s), expected);
        }
    }

    #[test]
    fn the_inverse_turns_the_integral_back() {
        let steep = [ramp(1, 1e6, 1), ramp(2, 0.001, 10), ramp(20, 1e6, 0), ramp(25, 3.0, 86_000)];
        for ramps in [&[][..], &[ramp(0, 2000.0, 20)], &[ramp(0, 50.0, 20)], &[ramp(7, 50.000_000_1, 3600)], &steep] {
            let rate = Rate::new(50.0, ramps, S * 5);
            let mut before = 0;
            for step in 0..20_000_u32 {
                let time = Duration::from_millis(u64::from(step) * 4321);
                let count = rate.expected(time);
                let back = rate.when_ns(count);
                assert!(back >= before, "{ramps:?}: {back} after {before}");
                before = back;
                // As exact as a count of 64 bits can tell: its last place, in arrivals.
                let off = (rate.expected(Duration::from_nanos(back)) - count).abs();
                assert!(off <= 4.0 * f64::EPSILON * count + 1e-3, "{ramps:?} at {time:?}: {off} arrivals off");
            }
        }
    }

    #[test]
    fn a_jump_has_no_length() {
        let rate = Rate::new(10.0, &[ramp(1, 1000.0, 0)], Duration::ZERO);
        assert_eq!(rate.when_ns(5.0), 500_000_000);
        assert_eq!(rate.when_ns(10.0), 1_000_000_000);
        assert_eq!(rate.when_ns(11.0), 1_001_000_000);
    }
}
