//! Seeded randomness, value-stable for ever.
//!
//! It is our own because a plan hash or a simulated run must mean the same in ten years, and the general crates do not
//! promise that of their generators. SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) passes BigCrush and its state is a
//! counter, so a shared generator needs one atomic addition and no lock. Nothing here may ever draw from the machine.

use std::sync::atomic::{AtomicU64, Ordering};

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64's finaliser: a bijection of 64 bits in which each input bit moves each output bit.
#[must_use]
pub const fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// 64 random bits as a number in [0, 1), with 53 bits of it used.
#[must_use]
pub fn unit(bits: u64) -> f64 {
    // 2^-53: the spacing of the doubles just below 1.
    (bits >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// A seeded stream of random numbers that can be forked by label.
///
/// A fork depends on the parent's *seed* and the label only, never on how much was drawn, so that adding a layer or
/// a draw never shifts another's stream.
#[derive(Debug)]
pub struct Rng {
    seed: u64,
    state: AtomicU64,
}

impl Rng {
    /// The root stream of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, state: AtomicU64::new(mix(seed)) }
    }

    /// The stream named `label` under this one: `rng.fork("jitter/replica-2")`.
    #[must_use]
    pub fn fork(&self, label: &str) -> Self {
        let mut h = mix(self.seed ^ GOLDEN);
        for byte in label.bytes() {
            h = mix(h ^ u64::from(byte)).wrapping_add(GOLDEN);
        }
        Self::new(h)
    }

    /// The next 64 bits.
    pub fn next_u64(&self) -> u64 {
        let state = self.state.fetch_add(GOLDEN, Ordering::Relaxed);
        mix(state.wrapping_add(GOLDEN))
    }

    /// The next number in [0, 1).
    pub fn next_unit(&self) -> f64 {
        unit(self.next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_of_a_seed_never_changes() {
        let rng = Rng::new(42);
        let drawn: Vec<u64> = (0..3).map(|_| rng.next_u64()).collect();
        // Pinned: a change here changes every plan hash and every simulated run.
        assert_eq!(drawn, PINNED);
    }

    const PINNED: [u64; 3] = [10_996_452_266_160_306_281, 2_958_219_263_312_191_191, 3_069_497_704_473_277_141];

    #[test]
    fn a_fork_depends_on_seed_and_label_alone() {
        let (a, b) = (Rng::new(7), Rng::new(7));
        b.next_u64();
        assert_eq!(a.fork("jitter").next_u64(), b.fork("jitter").next_u64());
        assert_ne!(a.fork("jitter").next_u64(), a.fork("xfetch").next_u64());
        assert_ne!(a.fork("jitter").next_u64(), Rng::new(8).fork("jitter").next_u64());
    }

    #[test]
    fn units_fill_the_interval_evenly() {
        let rng = Rng::new(1);
        let n = 100_000;
        let draws: Vec<f64> = (0..n).map(|_| rng.next_unit()).collect();
        assert!(draws.iter().all(|u| (0.0..1.0).contains(u)));
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        assert!((mean - 0.5).abs() < 0.005, "mean {mean}");
    }
}
