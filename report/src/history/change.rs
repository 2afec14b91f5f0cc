//! Since when: the last run from which on a figure is another one.
//!
//! In virtual time equal circumstances make equal figures, so any difference is a change. Of real runs it takes the tests of
//! `compare::stats`: the course is parted in two wherever both parts have enough runs, and the parting that the rank-sum test tells
//! apart best counts, with a p adjusted for the number of partings; then the same after it, until nothing is told apart any more.

use crate::compare::stats::{Call, RUNS_MIN, Weighed, holm, median, rank_sum_p, shift};

/// So many of the newest figures are looked at: the tests are exact, and their cost grows with the fourth power.
const FIGURES_MAX: usize = 60;
/// The level of intervals.
const LEVEL: f64 = 0.95;

/// What is known of the last change of a figure.
#[derive(Debug, Clone, PartialEq)]
pub enum LastChange {
    /// From this point on: what it was before, what it is since.
    Since {
        /// The point's place in its course.
        at: usize,
        /// The median before.
        from: f64,
        /// The median since.
        to: f64,
    },
    /// All of them are equal, or these runs tell none apart.
    NotSeen,
    /// Too few of them to say.
    TooFew,
}

/// The last change of a figure over a course, a slice of figures a run (one a block). `exact` where equal circumstances make equal
/// figures; `unit` is what counts as one of it (0 of a time), `noise` the share that is nobody's reason.
#[must_use]
pub fn last_change(points: &[&[f64]], exact: bool, unit: f64, noise: f64) -> LastChange {
    if points.len() < 2 || points.iter().any(|point| point.is_empty()) {
        return LastChange::TooFew;
    }
    if exact {
        let differ = points.windows(2).rposition(|pair| pair[0] != pair[1]);
        return differ.map_or(LastChange::NotSeen, |before| since(points, before, before + 1));
    }
    let mut begin = newest(points);
    if figures(&points[begin..]).len() < 2 * RUNS_MIN {
        return LastChange::TooFew;
    }
    let mut found = LastChange::NotSeen;
    while let Some(at) = best_parting(&points[begin..], unit, noise) {
        found = since(points, begin, begin + at);
        begin += at;
    }
    found
}

/// A change at a point, with the medians from `begin` to it and since.
fn since(points: &[&[f64]], begin: usize, at: usize) -> LastChange {
    let middle = |part: &[&[f64]]| median(&figures(part)).unwrap_or_default();
    LastChange::Since { at, from: middle(&points[begin..at]), to: middle(&points[at..]) }
}

fn figures(points: &[&[f64]]) -> Vec<f64> {
    points.iter().flat_map(|point| point.iter().copied()).collect()
}

/// From which point on there are at most [`FIGURES_MAX`] figures.
fn newest(points: &[&[f64]]) -> usize {
    let mut left = FIGURES_MAX;
    let fits = points.iter().rev().take_while(|point| {
        let fits = point.len() <= left;
        left = left.saturating_sub(point.len());
        fits
    });
    points.len() - fits.count()
}

/// Where the two parts are told apart best; `None` where they are nowhere.
fn best_parting(points: &[&[f64]], unit: f64, noise: f64) -> Option<usize> {
    let logs = |part: &[&[f64]]| -> Vec<f64> {
        figures(part).iter().map(|x| (x + unit / 2.0).max(f64::MIN_POSITIVE).ln()).collect()
    };
    let parts = (1..points.len()).map(|at| (at, logs(&points[..at]), logs(&points[at..])));
    let parts: Vec<_> = parts.filter(|(_, was, is)| was.len().min(is.len()) >= RUNS_MIN).collect();
    let adjusted = holm(&parts.iter().map(|(_, was, is)| rank_sum_p(was, is)).collect::<Vec<_>>());
    let called = parts.iter().zip(adjusted).filter_map(|((at, was, is), p)| {
        let shift = shift(was, is, LEVEL)?;
        let runs = was.len().min(is.len());
        let call = Call::of(Weighed { effect: shift.estimate, interval: shift.interval, p, runs }, noise.ln_1p());
        matches!(call, Call::Improved | Call::Regressed).then_some((*at, p, shift.estimate.abs()))
    });
    // Of partings that are as sure the one with the larger effect.
    let best = called.min_by(|a, b| a.1.total_cmp(&b.1).then(b.2.total_cmp(&a.2)));
    best.map(|(at, ..)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures around `level` that wobble by 3 %, the same every time.
    fn wobble(level: f64, from: u32, runs: u32) -> Vec<Vec<f64>> {
        let one = |at: u32| vec![level * (1.0 + 0.03 * f64::from(at * 7919 % 13) / 13.0)];
        (from..from + runs).map(one).collect()
    }

    fn of(points: &[Vec<f64>], exact: bool) -> LastChange {
        last_change(&points.iter().map(Vec::as_slice).collect::<Vec<_>>(), exact, 1.0, 0.02)
    }

    #[test]
    fn in_virtual_time_the_last_difference_is_the_change() {
        let points = [12.0, 12.0, 24.0, 24.0, 12.0, 12.0].map(|value| vec![value]);
        assert_eq!(of(&points, true), LastChange::Since { at: 4, from: 24.0, to: 12.0 });
        assert_eq!(of(&points[..2], true), LastChange::NotSeen);
        assert_eq!(of(&points[..1], true), LastChange::TooFew);
        assert_eq!(of(&[vec![1.0], vec![]], true), LastChange::TooFew, "not known");
    }

    #[test]
    fn real_runs_need_enough_of_them_and_the_later_of_two_changes_is_told() {
        assert_eq!(of(&wobble(100.0, 0, 11), false), LastChange::TooFew);
        assert_eq!(of(&wobble(100.0, 0, 30), false), LastChange::NotSeen);
        let one = [wobble(100.0, 0, 15), wobble(150.0, 15, 15)].concat();
        assert!(matches!(of(&one, false), LastChange::Since { at: 15, from, to } if from < 104.0 && to > 149.0));
        let two = [wobble(100.0, 0, 12), wobble(150.0, 12, 12), wobble(90.0, 24, 12)].concat();
        assert!(matches!(of(&two, false), LastChange::Since { at: 24, to, .. } if to < 94.0), "{:?}", of(&two, false));
        // Of one run that was slow nothing follows.
        let mut slow = wobble(100.0, 0, 30);
        slow[20] = vec![900.0];
        assert_eq!(of(&slow, false), LastChange::NotSeen);
    }

    #[test]
    fn a_long_course_is_looked_at_by_its_end() {
        let long = [wobble(100.0, 0, 300), wobble(150.0, 300, 20)].concat();
        assert!(matches!(of(&long, false), LastChange::Since { at: 300, .. }), "{:?}", of(&long, false));
    }
}
