//! Values in a row: where they are not known, and the percentiles of a histogram as a curve.

use hdrhistogram::Histogram;

use super::scale::Ticks;

/// So many strategies have a hue of their own; later ones share them, and are marked as the second round.
pub(crate) const HUES: usize = 7;
/// So many services of containers have one; later ones share the last.
pub(crate) const SERVICE_HUES: usize = 4;
/// Steps to a decade of 1/(1−p).
pub(crate) const SPECTRUM_STEPS: usize = 60;

/// A place, and the value there; `None` where it is not known.
pub(crate) type DrawnPoint<T = f64> = (f64, Option<T>);

/// The stretches of a series that are known.
pub(crate) fn unbroken<T: Copy>(points: &[DrawnPoint<T>]) -> impl Iterator<Item = Vec<(f64, T)>> {
    let stretches = points.split(|(_, value)| value.is_none());
    let known = stretches.map(|stretch| stretch.iter().filter_map(|(x, value)| Some((*x, (*value)?))).collect());
    known.filter(|stretch: &Vec<_>| !stretch.is_empty())
}

/// The last value of a series that is known.
pub(crate) fn last_of<T: Copy>(points: &[DrawnPoint<T>]) -> Option<T> {
    points.iter().rev().find_map(|(_, value)| *value)
}

/// Percentiles of a histogram of nanoseconds, from p0 to the one that a single request still makes.
pub(crate) fn percentiles_of(histogram: &Histogram<u64>) -> Vec<(f64, f64)> {
    let decades = (histogram.len() as f64).log10();
    let steps = (decades * SPECTRUM_STEPS as f64).ceil() as usize;
    let at = |step: usize| (step as f64 / SPECTRUM_STEPS as f64).min(decades);
    let value = |x: f64| histogram.value_at_quantile(1.0 - 10_f64.powf(-x)) as f64 / 1e6;
    (0..=steps).map(|step| (at(step), value(at(step)))).collect()
}

/// Ticks at 0 %, 50 %, 90 %, 99 % …
pub(crate) fn percentile_ticks(decades: f64) -> Ticks {
    let mut ticks = vec![(0.0, "0 %".to_owned()), (2_f64.log10(), "50 %".to_owned())];
    for nines in 1..=decades.floor() as i32 {
        let decimals = (nines - 2).max(0) as usize;
        ticks.push((f64::from(nines), format!("{:.decimals$} %", 100.0 - 100.0 / 10_f64.powi(nines))));
    }
    ticks
}
