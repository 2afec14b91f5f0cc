//! What a page is about: the strategies of one run, or of several runs side by side.
//!
//! Every section of the page walks over the same rows, so that a strategy has one name, one place and one colour in all of
//! them, and a page of several runs is the same page.

use crate::draw::HUES;
use crate::record::{Run, Strategy};
use crate::render::digest::Digest;
use crate::render::heat::COLUMNS_MAX;
use crate::text::names;

/// A run with the digests of its strategies' first runs, in the record's order.
pub(crate) struct DigestedRun {
    pub(crate) run: Run,
    /// The same with the medians of all blocks; the same altogether where there are no repeats.
    pub(crate) typical: Run,
    /// With its strategies' names as charts of several of them have them.
    pub(crate) shown: Run,
    pub(crate) digests: Vec<Digest>,
}

/// One strategy of one run.
pub(super) struct StrategyRow<'a> {
    pub(super) run: &'a Run,
    /// Which of the view's runs.
    pub(super) run_at: usize,
    /// What is judged: the medians of its runs.
    pub(super) strategy: &'a Strategy,
    /// What the charts show: its first run.
    pub(super) first: &'a Strategy,
    pub(super) digest: &'a Digest,
    /// What the page calls it: its name, and of several runs the run's letter.
    pub(super) name: String,
}

/// Everything that the page shows.
pub(super) struct View<'a> {
    pub(super) runs: Vec<&'a Run>,
    /// The runs with the medians of their blocks.
    pub(super) typical: Vec<&'a Run>,
    pub(super) rows: Vec<StrategyRow<'a>>,
}

impl<'a> View<'a> {
    pub(super) fn of(digested: &'a [DigestedRun]) -> Self {
        let runs: Vec<&Run> = digested.iter().map(|digested| &digested.run).collect();
        let several = runs.len() > 1;
        let mut rows: Vec<StrategyRow<'a>> = Vec::new();
        for (run_at, DigestedRun { run, typical, digests, .. }) in digested.iter().enumerate() {
            let names: Vec<&str> = typical.strategies.iter().map(|strategy| strategy.name.as_str()).collect();
            let mut names = names::distinct(&names, 60).into_iter();
            let both = run.strategies.iter().zip(&typical.strategies);
            for ((first, strategy), digest) in both.zip(digests) {
                let name = names.next().unwrap_or_default();
                let name = if several { format!("{name} · {}", letter(run_at)) } else { name };
                rows.push(StrategyRow { run, run_at, strategy, first, digest, name });
            }
        }
        if several {
            // The same strategy of all runs stands together, in the order of its first appearance.
            let names: Vec<&str> = runs.iter().flat_map(|run| &run.strategies).map(|s| s.name.as_str()).collect();
            rows.sort_by_key(|row| (names.iter().position(|name| *name == row.strategy.name), row.run_at));
        }
        Self { runs, typical: digested.iter().map(|digested| &digested.typical).collect(), rows }
    }

    /// The files of a run's folder that were not there, and should be.
    pub(super) fn missing(&self, run_at: usize) -> Vec<String> {
        let of = self.rows.iter().filter(|row| row.run_at == run_at);
        of.flat_map(|row| row.digest.missing.iter().map(|file| format!("{}/{file}", row.first.folder))).collect()
    }

    /// Whether several runs are shown side by side.
    pub(super) fn several(&self) -> bool {
        self.runs.len() > 1
    }

    /// How many blocks the run with the most of them has; 0 where each strategy ran once.
    pub(super) fn blocks(&self) -> usize {
        self.runs.iter().map(|run| run.blocks.len()).max().unwrap_or(0)
    }

    /// Whether no strategy has a ledger: nothing is then said of origin reads.
    pub(super) fn without_ledger(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| row.strategy.origin.is_none())
    }

    /// The longest measured phase, seconds, and at least one.
    pub(super) fn duration_s(&self) -> f64 {
        let longest = self.runs.iter().map(|run| run.duration_s).filter(|s| s.is_finite()).fold(1.0, f64::max);
        longest.min(1e9)
    }

    /// The time axis of every chart that has one.
    pub(super) fn columns(&self) -> Columns {
        let starts = self.rows.iter().flat_map(|row| row.measured().map(|bin| bin.start_ms.div_euclid(1000)));
        // A file that is not there, or lacks its end, hides nothing of the other.
        let counted = self.rows.iter().filter_map(|row| row.digest.heat.last_second().map(i64::from));
        let count = starts.chain(counted).max().map_or(1, |last| last.saturating_add(1)).max(1);
        let each = (count as u64).div_ceil(COLUMNS_MAX);
        let columns = (count as u64).div_ceil(each) as usize;
        Columns { each: each as i64, count: columns, until_s: self.duration_s() }
    }
}

impl StrategyRow<'_> {
    /// The rows of `seconds.csv` that lie in the measured phase.
    pub(super) fn measured(&self) -> impl Iterator<Item = &crate::record::BinRow> + Clone {
        self.digest.measured(self.run)
    }

    /// Whether its panels are drawn in its colour: what is invalid is grey.
    pub(super) fn class(&self, at: usize) -> String {
        let invalid = if self.strategy.valid { "" } else { " invalid" };
        let again = if at >= HUES { " again" } else { "" };
        format!("c{}{again}{invalid}", at % HUES)
    }
}

/// The name of a run among several: A, B … Z, then numbers.
pub(super) fn letter(at: usize) -> String {
    u8::try_from(at)
        .ok()
        .filter(|at| *at < 26)
        .map_or_else(|| (at + 1).to_string(), |at| char::from(b'A' + at).to_string())
}

/// Columns of time: a second each, or several where a run is too long for a screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Columns {
    /// Seconds a column.
    pub(super) each: i64,
    /// How many columns.
    pub(super) count: usize,
    /// Where the measured phase ends, seconds.
    pub(super) until_s: f64,
}

impl Columns {
    /// What `value` says of the seconds of each column, put together by `fold`; `None` where it says nothing.
    pub(super) fn fold(
        self,
        row: &StrategyRow<'_>,
        value: impl Fn(&crate::record::BinRow) -> Option<f64>,
        fold: fn(f64, f64) -> f64,
    ) -> Vec<Option<f64>> {
        let mut columns = vec![None; self.count];
        for bin in row.measured() {
            let column = usize::try_from(bin.start_ms.div_euclid(1000) / self.each).ok();
            if let (Some(column), Some(value)) =
                (column.and_then(|at| columns.get_mut(at)), value(bin).filter(|value| value.is_finite()))
            {
                *column = Some(column.map_or(value, |before| fold(before, value)));
            }
        }
        columns
    }

    /// The highest second of each column: no peak is lost.
    pub(super) fn highest(
        self,
        row: &StrategyRow<'_>,
        value: impl Fn(&crate::record::BinRow) -> Option<f64>,
    ) -> Vec<Option<f64>> {
        self.fold(row, value, f64::max)
    }

    /// The mean second of each column.
    pub(super) fn mean(
        self,
        row: &StrategyRow<'_>,
        value: impl Fn(&crate::record::BinRow) -> Option<f64>,
    ) -> Vec<Option<f64>> {
        let seconds = self.fold(row, |bin| value(bin).map(|_| 1.0), |one, two| one + two);
        let sums = self.fold(row, value, |one, two| one + two);
        sums.iter().zip(seconds).map(|(sum, seconds)| Some((*sum)? / seconds?)).collect()
    }

    /// Where a column begins, seconds.
    pub(super) fn start(self, at: usize) -> f64 {
        at as f64 * self.each as f64
    }

    /// What is said under a chart where a column is more than a second.
    pub(super) fn caveat(self, how: &str) -> String {
        if self.each == 1 { String::new() } else { format!(" Each column is {} s: {how}.", self.each) }
    }
}
