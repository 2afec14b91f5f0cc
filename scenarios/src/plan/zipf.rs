//! Zipf-distributed keys without a table: ten million keys cost no memory.
//!
//! Rejection-inversion (Hörmann, Derflinger, "Rejection-inversion to generate variates from monotone discrete
//! distributions", ACM TOMACS 6(3), 1996): invert the integral of the density's continuous hat, round to a whole rank,
//! and reject what falls between the hat and the histogram; on average fewer than 1.1 tries.

use crate::plan::draw::PurposeDraws;

/// Tries before giving up on an exact draw. Each fails with probability below a half, so it never comes to that; but a
/// loop needs an end that does not rest on floating point.
const TRIES_MAX: u64 = 64;

/// P(k) proportional to 1 / k^exponent, for k from 1 to n.
#[derive(Debug, Clone, Copy)]
pub(super) struct Zipf {
    n: f64,
    exponent: f64,
    /// H(1.5) − 1, the lower end of the inverted area.
    low: f64,
    /// H(n + 0.5), its upper end.
    high: f64,
    /// Ranks this close above the inverted point are accepted without looking further.
    sure: f64,
}

impl Zipf {
    /// `exponent` above 0, `n` at least 1.
    pub(super) fn new(n: u32, exponent: f64) -> Self {
        let n = f64::from(n);
        Self {
            n,
            exponent,
            low: integral(1.5, exponent) - 1.0,
            high: integral(n + 0.5, exponent),
            sure: 2.0 - inverse(integral(2.5, exponent) - density(2.0, exponent), exponent),
        }
    }

    pub(super) fn pick(&self, draws: PurposeDraws) -> u32 {
        let mut rank = 1.0;
        for index in 0..TRIES_MAX {
            let area = self.high + draws.unit(index) * (self.low - self.high);
            let x = inverse(area, self.exponent);
            rank = (x + 0.5).floor().clamp(1.0, self.n);
            let exact = || area >= integral(rank + 0.5, self.exponent) - density(rank, self.exponent);
            if rank - x <= self.sure || exact() {
                break;
            }
        }
        rank as u32
    }
}

/// h(x) = x^−s.
fn density(x: f64, exponent: f64) -> f64 {
    (-exponent * x.ln()).exp()
}

/// H(x) = (x^(1−s) − 1) / (1 − s), an integral of h; ln x where s = 1.
fn integral(x: f64, exponent: f64) -> f64 {
    let log = x.ln();
    expm1_over((1.0 - exponent) * log) * log
}

/// H⁻¹.
fn inverse(area: f64, exponent: f64) -> f64 {
    // Below −1 is rounding: the logarithm has no value there.
    let t = (area * (1.0 - exponent)).max(-1.0);
    (ln1p_over(t) * area).exp()
}

/// (eˣ − 1) / x, with its limit at 0.
fn expm1_over(x: f64) -> f64 {
    if x.abs() > 1e-8 { x.exp_m1() / x } else { 1.0 + x / 2.0 }
}

/// ln(1 + x) / x, with its limit at 0.
fn ln1p_over(x: f64) -> f64 {
    if x.abs() > 1e-8 { x.ln_1p() / x } else { 1.0 - x / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::draw::Purpose;

    #[test]
    fn ranks_come_as_often_as_the_law_says() {
        for exponent in [0.3, 0.99, 1.0, 1.3, 3.0] {
            let (n, draws) = (20_u32, 200_000_u32);
            let zipf = Zipf::new(n, exponent);
            let mut counts = vec![0_u32; n as usize + 1];
            for i in 0..draws {
                let rank = zipf.pick(PurposeDraws::at(3, Purpose::Key, 0, u64::from(i)));
                counts[rank as usize] += 1;
            }
            assert_eq!(counts[0], 0);
            let whole: f64 = (1..=n).map(|k| f64::from(k).powf(-exponent)).sum();
            for k in 1..=n {
                let p = f64::from(k).powf(-exponent) / whole;
                let expected = p * f64::from(draws);
                let five_sigma = 5.0 * (expected * (1.0 - p)).sqrt() + 1.0;
                let got = f64::from(counts[k as usize]);
                assert!((got - expected).abs() < five_sigma, "s {exponent}, rank {k}: {got}, expected {expected}");
            }
        }
    }

    #[test]
    fn the_extremes_stay_in_range() {
        for n in [1, 2, 10_000_000] {
            for exponent in [1e-9, 1.0, 10.0] {
                let zipf = Zipf::new(n, exponent);
                for i in 0..1000 {
                    let rank = zipf.pick(PurposeDraws::at(i, Purpose::Key, 0, 0));
                    assert!((1..=n).contains(&rank), "n {n}, s {exponent}: {rank}");
                }
            }
        }
    }
}
