//! When each key of a load with `start = "staggered"` comes into use.

use crate::scenario::Scenario;
use crate::values::start::{Start, stagger_time};

/// Multiples of the golden ratio lie evenly between 0 and 1 however many there are (Weyl), in no order of the keys.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// Keys come into use over two TTLs, most of them in the middle: their density is a triangle.
///
/// A key that is read again every c seconds keeps the phase with which it came into use. Under this density, as wide as two TTLs, the
/// phases are even where c is the TTL or half of it, for its Fourier coefficient at 1/c is sinc²(TTL/c); in between they differ from
/// even by no more than an eighth (see the test). Under an even density of one TTL it would be sinc(TTL/c), half of the keys too many.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stagger {
    ns: f64,
}

impl Stagger {
    /// That of a scenario; `None` where its keys come into use together.
    pub(super) fn of(scenario: &Scenario) -> Option<Self> {
        (scenario.load.start() == Start::Staggered)
            .then(|| Self { ns: stagger_time(scenario.cache.ttl).as_nanos() as f64 })
    }

    /// Whether a key, from 1, is in use so many nanoseconds after the start of the warm-up.
    pub(super) fn in_use(self, key: u32, at_ns: u64) -> bool {
        let at = at_ns as f64;
        at >= self.ns || at >= self.ns * share((f64::from(key) * GOLDEN).fract())
    }

    /// The time over which they come.
    pub(super) fn nanos(self) -> u64 {
        self.ns as u64
    }
}

/// The quantile of the triangle over 0 to 1.
fn share(quantile: f64) -> f64 {
    if quantile < 0.5 { (quantile / 2.0).sqrt() } else { 1.0 - ((1.0 - quantile) / 2.0).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_a_triangle_and_their_phases_lie_evenly() {
        let stagger = Stagger { ns: 2e9 };
        let count = |keys: u32, at_s: f64| (1..=keys).filter(|key| stagger.in_use(*key, (at_s * 1e9) as u64)).count();
        // The triangle's distribution over 0 to 2 s: t²/2, then 1 − (2 − t)²/2.
        for (at_s, share) in [(0.0, 0.0), (0.5, 0.125), (1.0, 0.5), (1.5, 0.875), (2.0, 1.0)] {
            assert!((count(1000, at_s) as f64 - 1000.0 * share).abs() <= 3.0, "{at_s}: {}", count(1000, at_s));
        }
        // Modulo a TTL of 1 s each tenth has a tenth of the keys; modulo what early refreshes make of it, within an eighth of that.
        let due = |key: u32| 2.0 * share((f64::from(key) * GOLDEN).fract());
        for (cycle, most) in [(1.0, 0.03), (0.95, 0.125), (0.8, 0.125), (0.7, 0.125), (0.6, 0.125), (0.5, 0.03)] {
            let mut tenths = [0_u32; 10];
            (1..=10_000).for_each(|key| tenths[((due(key) / cycle).fract() * 10.0) as usize] += 1);
            for n in tenths {
                assert!((f64::from(n) / 1000.0 - 1.0).abs() <= most, "{cycle}: {tenths:?}");
            }
        }
    }
}
