//! What theory predicts of counters that expire.
//!
//! Symbols: r increments of a key a second (Poisson), RTT the time between a program's two commands, x = r·RTT, T the window. Where no other
//! source is named the formulas are derived here: after an expiry two streams of rate r compete at the server, the INCRs whose first command
//! saw the old window (for one RTT), and new first commands (GET, or SET NX).

/// The probability that an expiry leaves a key without an end, under `get-set-incr` and `set-nx-incr`: that the first command after it is
/// an INCR that was under way. ∫₀^RTT r·e^(−r·τ)·e^(−r·τ) dτ = **(1 − e^(−2x))/2**.
#[must_use]
pub fn immortal_per_expiry(x: f64) -> f64 {
    -(-2.0 * x).exp_m1() / 2.0
}

/// The mean number of expiries until a key has no end, the last one included: geometric, **1 / P**. Infinite where x is 0.
#[must_use]
pub fn expiries_until_immortal(x: f64) -> f64 {
    1.0 / immortal_per_expiry(x)
}

/// The mean number of SETs that an expiry brings under `get-set-incr`: **1**, whatever x is. Those who see nothing come at rate r until the
/// key is there: while INCRs are under way a mean of 1 − e^(−x), and afterwards, where none came first, 1 more.
pub const SETS_PER_EXPIRY: f64 = 1.0;

/// The mean number of SETs that overwrite what others have counted, an expiry, under `get-set-incr`: **1 − e^(−x)**. Of
/// [`SETS_PER_EXPIRY`] the one does not that makes the key, which is so where no INCR was under way: with probability e^(−x).
#[must_use]
pub fn resets_per_expiry(x: f64) -> f64 {
    SETS_PER_EXPIRY - (-x).exp()
}

/// The mean number of SETs that find a key that has never been there (no INCR is under way): **1 + x**.
#[must_use]
pub fn sets_on_a_cold_key(x: f64) -> f64 {
    1.0 + x
}

/// The mean number of increments that are acknowledged and lost at an expiry under `get-set-incr`: **(x + P)/2**, with P of
/// [`immortal_per_expiry`]. Where there is a SET (N ≥ 1 of them) everything before the last one is lost: the K INCRs that were under way and
/// N − 1 SETs. E\[(K + N − 1)·1{N ≥ 1}\] with E\[N\] = 1 and E\[K·1{N = 0}\] = P + x/2 − P/2.
#[must_use]
pub fn lost_per_expiry(x: f64) -> f64 {
    f64::midpoint(x, immortal_per_expiry(x))
}

/// The probability that of n balls in so many bins, each bin as likely, no bin has more than `most`: bin by bin, what is left goes into the
/// next with probability 1/(bins left).
///
/// Exact (Feller, An Introduction to Probability Theory and Its Applications, vol. 1, II.5: the occupancy problem).
#[must_use]
pub fn none_above(n: u32, bins: u32, most: u32) -> f64 {
    if u64::from(bins) * u64::from(most) < u64::from(n) {
        return 0.0;
    }
    // The probability of each number of balls that are still to be thrown, no bin so far being too full.
    let mut left = vec![0.0; n as usize + 1];
    left[n as usize] = 1.0;
    for bin in (2..=bins).rev() {
        let p = 1.0 / f64::from(bin);
        let mut after = vec![0.0; n as usize + 1];
        for (balls, weight) in left.iter().enumerate().filter(|(_, weight)| **weight > 1e-300) {
            // Binomial(balls, p): from 0 upwards, each by the one before it.
            let mut chance = (balls as f64 * (-p).ln_1p()).exp();
            for taken in 0..=balls.min(most as usize) {
                after[balls - taken] += weight * chance;
                chance *= (balls - taken) as f64 / (taken + 1) as f64 * p / (1.0 - p);
            }
        }
        left = after;
    }
    left.iter().take(most as usize + 1).sum()
}

/// The mean number of balls in the fullest of so many bins: Σ P(fullest > m). For n sub-keys on S shards by hash, and for n windows that
/// begin together and end in so many seconds.
#[must_use]
pub fn fullest(n: u32, bins: u32) -> f64 {
    let above = |most: u32| 1.0 - none_above(n, bins, most);
    let mean = (0..n).map(above).take_while(|above| *above > 1e-12).sum();
    if n == 0 { 0.0 } else { mean }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counter::{SLOTS, slot_of};
    use crate::rng::Rng;

    #[test]
    fn the_figures_of_the_design() {
        let percent = |x| (100.0 * immortal_per_expiry(x)).round();
        assert_eq!([0.01, 0.1, 0.5, 1.0, 2.0].map(percent), [1.0, 9.0, 32.0, 43.0, 49.0]);
        let tenths = |x| (10.0 * expiries_until_immortal(x)).round() / 10.0;
        assert_eq!([0.01, 0.1, 0.5, 1.0].map(tenths), [101.0, 11.0, 3.2, 2.3]);
        assert!((fullest(10, 6) / 10.0 - 0.34).abs() < 0.01, "{}", fullest(10, 6));
        assert!((fullest(100, 6) / 100.0 - 0.22).abs() < 0.01, "{}", fullest(100, 6));
        let at_least = |m: u32| 100.0 * (1.0 - none_above(1000, 300, m - 1));
        for (m, percent) in [(9, 89.0), (10, 51.0), (11, 19.0)] {
            assert!((at_least(m) - percent).abs() < 1.5, "P(≥ {m}) = {} %", at_least(m));
        }
    }

    #[test]
    fn few_balls_by_hand() {
        assert_eq!((none_above(0, 5, 0), none_above(3, 1, 2), none_above(3, 1, 3)), (1.0, 0.0, 1.0));
        assert!((none_above(2, 2, 1) - 0.5).abs() < 1e-12 && (none_above(3, 3, 1) - 6.0 / 27.0).abs() < 1e-12);
        assert!((fullest(2, 2) - 1.5).abs() < 1e-12 && (fullest(1, 7) - 1.0).abs() < 1e-12);
    }

    /// Balls are thrown 2 000 times; the slots are those of real keys.
    #[test]
    fn the_fullest_shard_and_second_are_those_of_real_hashes_and_draws() {
        let near = |what: &str, found: &[f64], expected: f64| {
            let n = found.len() as f64;
            let mean = found.iter().sum::<f64>() / n;
            let error = (found.iter().map(|f| (f - mean).powi(2)).sum::<f64>() / n / (n - 1.0)).sqrt();
            assert!((mean - expected).abs() <= 3.0 * error, "{what}: {mean} ± {error}, by theory {expected}");
        };
        let fullest_of = |n: u32, shards: u32, name: &dyn Fn(u32) -> String| {
            let mut counts = vec![0_u32; shards as usize];
            for sub in 0..n {
                let slot = u32::from(slot_of(&name(sub)));
                counts[(slot * shards / u32::from(SLOTS)) as usize] += 1;
            }
            f64::from(*counts.iter().max().unwrap())
        };
        for (n, shards) in [(10_u32, 3_u32), (10, 6), (100, 6)] {
            let unlike: Vec<f64> = (0..2000)
                .map(|item| {
                    fullest_of(n, shards, &|sub| format!("{:x}", crate::rng::mix(item * 1000 + u64::from(sub))))
                })
                .collect();
            near(&format!("{n} on {shards}"), &unlike, fullest(n, shards));
            // CRC-16 is linear, so names that differ in their last digits fall more evenly than balls: never worse.
            let alike: Vec<f64> = (0..2000).map(|item| fullest_of(n, shards, &|sub| format!("{item}:{sub}"))).collect();
            let mean = alike.iter().sum::<f64>() / 2000.0;
            assert!(mean <= fullest(n, shards), "{n} on {shards}: {mean}");
        }
        let rng = Rng::new(5);
        let of_seconds = |_| {
            let mut seconds = [0_u32; 300];
            (0..1000).for_each(|_| seconds[(rng.next_unit() * 300.0) as usize] += 1);
            f64::from(*seconds.iter().max().unwrap())
        };
        near("a second", &(0..2000).map(of_seconds).collect::<Vec<_>>(), fullest(1000, 300));
    }
}
