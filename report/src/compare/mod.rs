//! Comparisons by runs: strategies of one run with repeats against its first, and a run against another.
//!
//! Within a run each block is a pair: both strategies under one plan, minutes apart, in an order that a seed decided. Two
//! runs on different days are no pairs. Of single runs nothing is compared at all: one run has no spread.

pub mod baseline;
pub mod stats;

pub(crate) mod comparison_text;
mod noise;
mod typical;

pub use comparison_text::comparison_table;
pub use noise::{NOISE_SCHEMA, Noise, NoiseBand, NoiseFile, machine_class, read_noise};

use crate::compare::stats::{
    ALPHA, Call, RUNS_MIN, Weighed, bootstrap_interval, holm, log_ratio, median, rank_sum_p, shift, sign_flip_p,
};
use crate::record::{Comparison, Metric, Run, Strategy};

/// The level of intervals.
const LEVEL: f64 = 0.95;

/// Lives closer than this share are the same.
const SAME_LIFE: f64 = 0.001;

/// One metric, before its p-value is adjusted.
struct Tested {
    metric: Metric,
    from: f64,
    to: f64,
    effect: f64,
    interval: Option<(f64, f64)>,
    p: f64,
    runs: usize,
}

/// Every other strategy of a run against its first one, by blocks in which both runs are whole and valid. Nothing where
/// no strategy has repeats. `noise` says how far the same thing may differ from itself.
#[must_use]
pub fn within(run: &Run, noise: &Noise) -> Vec<Comparison> {
    let Some((first, others)) = run.strategies.split_first() else { return Vec::new() };
    if first.repeats.is_empty() {
        return Vec::new();
    }
    others.iter().flat_map(|other| paired(first, other, noise)).collect()
}

/// `new` against `base`, two strategies of one run with repeats, block by block.
#[must_use]
pub fn paired(base: &Strategy, new: &Strategy, noise: &Noise) -> Vec<Comparison> {
    let blocks: Vec<(&Strategy, &Strategy)> =
        base.runs().zip(new.runs()).filter(|(base, new)| counts(base) && counts(new)).collect();
    let tested = Metric::ALL.into_iter().filter_map(|metric| {
        let pairs: Vec<(f64, f64)> =
            blocks.iter().map(|(base, new)| Some((metric.of(base)?, metric.of(new)?))).collect::<Option<_>>()?;
        let ratios: Vec<f64> = pairs.iter().map(|(from, to)| log_ratio(*from, *to, metric.unit())).collect();
        Some(Tested {
            metric,
            from: median(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>())?,
            to: median(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>())?,
            effect: median(&ratios)?,
            interval: bootstrap_interval(&ratios, LEVEL),
            p: sign_flip_p(&ratios),
            runs: ratios.len(),
        })
    });
    judged((&base.name, base), new, tested.collect(), noise)
}

/// The runs of a strategy against those of the same strategy in another run, which are no pairs.
#[must_use]
pub fn unpaired(base: &Strategy, new: &Strategy, noise: &Noise) -> Vec<Comparison> {
    let tested = Metric::ALL.into_iter().filter_map(|metric| {
        let of = |strategy: &Strategy| -> Option<Vec<f64>> {
            strategy.runs().filter(|run| counts(run)).map(|run| metric.of(run)).collect()
        };
        let (from, to) = (of(base)?, of(new)?);
        let logs = |runs: &[f64]| -> Vec<f64> { runs.iter().map(|x| (x + metric.unit() / 2.0).ln()).collect() };
        let (was, is) = (logs(&from), logs(&to));
        let shift = shift(&was, &is, LEVEL)?;
        Some(Tested {
            metric,
            from: median(&from)?,
            to: median(&to)?,
            effect: shift.estimate,
            interval: shift.interval,
            p: rank_sum_p(&was, &is),
            runs: from.len().min(to.len()),
        })
    });
    judged(("BASE", base), new, tested.collect(), noise)
}

/// Whether the blocks of two strategies tell a figure of them apart: by the sign-flip test and the interval of the differences,
/// and by more than is assumed to be noise. `None` where there are fewer pairs than [`RUNS_MIN`].
pub(crate) fn apart(one: &Strategy, two: &Strategy, figure: impl Fn(&Strategy) -> Option<f64>) -> Option<bool> {
    let blocks = one.runs().zip(two.runs()).filter(|(one, two)| counts(one) && counts(two));
    let pairs: Vec<(f64, f64)> = blocks.filter_map(|(one, two)| Some((figure(one)?, figure(two)?))).collect();
    if pairs.len() < RUNS_MIN {
        return None;
    }
    let differences: Vec<f64> = pairs.iter().map(|(one, two)| two - one).collect();
    let (low, high) = bootstrap_interval(&differences, LEVEL)?;
    let of = |side: fn(&(f64, f64)) -> f64| median(&pairs.iter().map(side).collect::<Vec<_>>()).unwrap_or(0.0).abs();
    let noise = of(|pair| pair.0).max(of(|pair| pair.1)) * noise::ASSUMED;
    Some(sign_flip_p(&differences) <= ALPHA && (low > 0.0 || high < 0.0) && median(&differences)?.abs() > noise)
}

/// Whether a run may be compared: it is valid, and ran to its end.
fn counts(run: &Strategy) -> bool {
    run.valid && run.cut_after_s.is_none()
}

fn judged((against, base): (&str, &Strategy), new: &Strategy, tested: Vec<Tested>, noise: &Noise) -> Vec<Comparison> {
    let lives = base.life_s.zip(new.life_s).map(|(was, is)| is / was).filter(|lives| lives.is_finite());
    let adjusted = holm(&tested.iter().map(|one| one.p).collect::<Vec<_>>());
    let judge = |(one, p_holm): (Tested, f64)| {
        let Tested { metric, from, to, effect, interval, p, runs } = one;
        let (noise, noise_measured) = (noise.of(metric), noise.is_measured(metric));
        let verdict = Call::of(Weighed { effect, interval, p: p_holm, runs }, noise.ln_1p());
        Comparison {
            strategy: new.name.clone(),
            against: against.to_owned(),
            metric,
            runs: runs as u64,
            from,
            to,
            ratio: effect.exp(),
            interval: interval.map(|(low, high)| (low.exp(), high.exp())),
            p,
            p_holm,
            noise,
            noise_measured,
            verdict,
            lives: lives.filter(|lives| metric == Metric::OriginTotal && (lives - 1.0).abs() > SAME_LIFE),
        }
    };
    tested.into_iter().zip(adjusted).map(judge).collect()
}
