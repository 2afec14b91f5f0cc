//! What may be said of two sets of runs: how large the difference is, how sure that is, and what to call it.
//!
//! The run is the sample, never the second or the request: seconds of one run share a machine, a cache and a herd. All
//! figures here are of logarithms of ratios, so that half and double are equally far from the same. Nothing is drawn at
//! random: intervals and p-values are exact, the same for the same numbers on every machine.
//!
//! | you have | effect | interval | p |
//! |---|---|---|---|
//! | pairs: both in each block of a run | [`median`] of the log-ratios | [`bootstrap_interval`] | [`sign_flip_p`] |
//! | two sets: a run against a stored one | [`shift`], Hodges and Lehmann | of the same | [`rank_sum_p`] |
//!
//! Of several metrics the p-values are those of [`holm`]; [`Call::of`] says what it comes to.

mod call;
mod median;
mod ranks;
mod signs;

pub use call::{ALPHA, Call, RUNS_MIN, Weighed};
pub use median::{bootstrap_interval, median};
pub use ranks::{Shift, rank_sum_p, shift};
pub use signs::sign_flip_p;

/// The p-values of several tests of which none may be a false alarm with a probability above the level of each: Holm's
/// step-down procedure (Holm, Scand. J. Statist. 6, 1979). In the order given; none above 1.
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut largest: f64 = 0.0;
    for (rank, at) in order.into_iter().enumerate() {
        largest = largest.max(p[at] * (p.len() - rank) as f64).min(1.0);
        adjusted[at] = largest;
    }
    adjusted
}

/// log(b/a) of two counts or times. Half of one is added to both, so that zero has a logarithm and no errors against no
/// errors is no difference (Haldane 1956, Anscombe 1956); `unit` is what counts as one.
#[must_use]
pub fn log_ratio(a: f64, b: f64, unit: f64) -> f64 {
    ((b + unit / 2.0) / (a + unit / 2.0)).ln()
}
