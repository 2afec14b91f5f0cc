//! Which strategies are best, and which can't be told apart: how far one run a strategy carries.
//!
//! One run is one sample, and a sample of one has no interval. So nothing is called better that is not further off than the
//! noise that one run is known to have: 10 % of the larger value, and for counts two standard deviations of the difference
//! of two Poisson counts, for times a millisecond, for shares a tenth of a percentage point. What lies within that of the
//! lowest value is as good as it. Of six blocks or more the test by pairs takes the place of this rule.

use super::view::{StrategyRow, View};
use crate::compare::apart;
use crate::record::Strategy;
use crate::text::columns::FigureUnit;
use crate::text::{phrases, truth};

/// The rule, for the page.
pub(super) const RULE: &str = "Green is the lowest figure and whatever one run can’t tell from it: less than 10 % apart, or \
    less than two standard deviations (counts), 1 ms (times), 0.1 points (shares); of six or more \
    repeats, whatever their blocks don’t tell from it (sign-flip test, p at most 0.05, and 2 % apart). Where that is all of them, \
    none is marked. Nor is a strategy that is invalid, wrong on purpose, counted wrong or failed 1 % of its requests, a percentile with \
    fewer than ten requests beyond it, or a maximum, which is one request’s luck.";

/// The rows that are best at something: empty where nobody is, or where all are alike.
pub(super) fn best(view: &View<'_>, unit: FigureUnit, value: impl Fn(&Strategy) -> Option<f64>) -> Vec<usize> {
    let known: Vec<(usize, f64)> = view
        .rows
        .iter()
        .enumerate()
        .filter(|(_, row)| eligible(row))
        .filter_map(|(at, row)| Some((at, value(row.strategy).filter(|value| value.is_finite())?)))
        .collect();
    let Some(lowest) = known.iter().map(|(_, value)| *value).reduce(f64::min) else { return Vec::new() };
    let first = known.iter().find(|(_, value)| *value == lowest).map_or(0, |(at, _)| *at);
    let alike = |(at, found): &&(usize, f64)| {
        let by_blocks = if *at == first { None } else { by_blocks(&view.rows[first], &view.rows[*at], &value) };
        !by_blocks.unwrap_or_else(|| unit.differ(*found, lowest))
    };
    let best: Vec<usize> = known.iter().filter(alike).map(|(at, _)| *at).collect();
    if best.len() == known.len() { Vec::new() } else { best }
}

/// Whether the blocks of a run tell two of its strategies apart; `None` where they are too few, or of different runs.
fn by_blocks(one: &StrategyRow<'_>, two: &StrategyRow<'_>, value: impl Fn(&Strategy) -> Option<f64>) -> Option<bool> {
    (one.run_at == two.run_at).then(|| apart(one.first, two.first, value)).flatten()
}

fn eligible(row: &StrategyRow<'_>) -> bool {
    row.strategy.valid
        && phrases::failed_share(row.strategy) < phrases::FAILED_MIN
        && !phrases::wrong_on_purpose(row.strategy)
        && !truth::counts_wrong(row.strategy)
}

/// What a strategy costs: its load on the origin, its p99 in milliseconds, its share of stale answers, and, of a cluster, the share of all
/// commands that its fullest node has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cost {
    pub(super) reads: f64,
    pub(super) p99_ms: f64,
    pub(super) stale: f64,
    pub(super) fullest: Option<f64>,
}

impl Cost {
    /// `None` where any of the first three is unknown, or rests on too few requests.
    pub(super) fn of(strategy: &Strategy) -> Option<Self> {
        let reads = strategy.origin.as_ref()?.total as f64;
        let (p99_ms, stale) =
            (strategy.latency_ms.p99.filter(|_| phrases::carries(strategy, 0.99))?, strategy.stale.share?);
        let fullest = strategy.shards.as_ref().and_then(|shards| shards.fullest_share);
        let all = [reads, p99_ms, stale, fullest.unwrap_or(0.0)];
        all.iter().all(|value| value.is_finite()).then_some(Self { reads, p99_ms, stale, fullest })
    }

    /// Clearly better at something, and clearly worse at nothing.
    pub(super) fn beats(self, other: Self) -> bool {
        let (fullest, others) = self.fullest.zip(other.fullest).unwrap_or((0.0, 0.0));
        let pairs = [
            (FigureUnit::Count, self.reads, other.reads),
            (FigureUnit::Time, self.p99_ms, other.p99_ms),
            (FigureUnit::Share, self.stale, other.stale),
            (FigureUnit::Share, fullest, others),
        ];
        let better = |(unit, one, two): &(FigureUnit, f64, f64)| one < two && unit.differ(*one, *two);
        let worse = |(unit, one, two): &(FigureUnit, f64, f64)| one > two && unit.differ(*one, *two);
        pairs.iter().any(better) && !pairs.iter().any(worse)
    }
}

/// Of each row whether it may be compared, what it costs, and which row beats it. Where none does, it is on the front.
pub(super) fn front(view: &View<'_>) -> Vec<Option<(Cost, Option<usize>)>> {
    let costs: Vec<Option<Cost>> =
        view.rows.iter().map(|row| Cost::of(row.strategy).filter(|_| eligible(row))).collect();
    let beaten = |cost: Cost, by: &Option<Cost>| by.is_some_and(|by| by.beats(cost));
    let unbeaten = |by: &Option<Cost>| by.is_some_and(|by| !costs.iter().any(|other| beaten(by, other)));
    // One on the front says most; noise can leave a strategy beaten by none of those.
    let beaten_by = |cost: Cost| {
        let of_front = costs.iter().position(|by| beaten(cost, by) && unbeaten(by));
        of_front.or_else(|| costs.iter().position(|by| beaten(cost, by)))
    };
    costs.iter().map(|cost| cost.map(|cost| (cost, beaten_by(cost)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_better_at_one_thing_and_worse_at_another_beats_nobody() {
        let cost = |reads, p99_ms, stale| Cost { reads, p99_ms, stale, fullest: None };
        let (naive, lock) = (cost(736.0, 203.0, 0.0), cost(111.0, 204.0, 0.0));
        let (swr, early) = (cost(111.0, 2.2, 0.044), cost(116.0, 1.5, 0.0));
        assert!(lock.beats(naive) && early.beats(lock) && early.beats(swr));
        assert!(!swr.beats(lock), "its answers are stale");
        assert!(!early.beats(early) && !naive.beats(lock));
        let (whole, spread) =
            (Cost { fullest: Some(0.96), ..lock }, Cost { fullest: Some(0.34), ..cost(111.0, 208.0, 0.0) });
        assert!(spread.beats(whole) && !whole.beats(spread), "one node's load is a cost, too");
        assert!(!Cost { p99_ms: 150.0, ..whole }.beats(spread));
    }
}
