//! What a figure of the tables is: where it stands, when it is shown, and what its cell says. The figures are in `figures.rs`.

use crate::record::{Run, Strategy};
use crate::text::phrases;
use crate::text::sentences::{counts_differ, times_differ};

/// What a figure is, and so what noise it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FigureUnit {
    /// A number of reads or requests.
    Count,
    /// Milliseconds.
    Time,
    /// A share of the requests, 0 to 1.
    Share,
    /// A number for each request or expiry.
    Rate,
}

impl FigureUnit {
    /// Whether one run of each tells the two values apart.
    pub(crate) fn differ(self, one: f64, two: f64) -> bool {
        let apart = (one - two).abs();
        let tenth = apart > 0.1 * one.abs().max(two.abs());
        match self {
            Self::Count => counts_differ(one, two),
            Self::Time => times_differ(one, two),
            Self::Share => tenth && apart > 0.001,
            Self::Rate => tenth && apart > 0.05,
        }
    }
}

/// The headings over several figures of the page's table, in its order: which strategies came back is what a run with faults is
/// about, and the first columns are those that a narrow screen shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Faults,
    Levels,
    Pool,
    Traffic,
    Shards,
    Origin,
    Time,
    Requests,
    Writes,
    Counters,
    Cache,
}

impl Group {
    pub(crate) const ALL: [(Self, &'static str); 11] = [
        (Self::Faults, "Faults"),
        (Self::Levels, "Copies in the process"),
        (Self::Pool, "Connections"),
        (Self::Traffic, "Bytes"),
        (Self::Shards, "Cache servers"),
        (Self::Origin, "Origin reads"),
        (Self::Time, "Response time, ms"),
        (Self::Requests, "Requests"),
        (Self::Writes, "Writes"),
        (Self::Counters, "Counters"),
        (Self::Cache, "Cache ops"),
    ];
}

/// When a figure is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Always,
    /// Where items are read.
    Items,
    /// There, where there is a hot key.
    HotKey,
    /// Where theory has something to say.
    Theory,
    /// Where items were written.
    Writes,
    /// Where values are kept in the replicas' processes.
    Levels,
    /// There, where writers tell of changes.
    Told,
    /// Where connections to the shared cache come from a pool.
    Pool,
    /// Where values are large.
    Traffic,
    /// Where the cache is a cluster.
    Shards,
    /// Where a server took another's place.
    Takeovers,
    /// Where items have parts.
    Parts,
    /// Of a request for several items.
    Pages,
    /// Where something counted.
    Counters,
    /// There, where a limiter asked.
    Limited,
    /// Where something was done to the fleet.
    Faults,
    /// There, where the two rules of being well again say different things.
    TwoRules,
}

impl Shown {
    /// Whether it is, for these strategies of these runs.
    pub(crate) fn is<'a>(self, runs: &[&Run], strategies: impl Iterator<Item = &'a Strategy> + Clone) -> bool {
        match self {
            Self::Always => true,
            Self::Items => strategies.clone().any(|strategy| strategy.counters.is_none()),
            Self::HotKey => Self::Items.is(runs, strategies) && runs.iter().any(|run| run.hot_key.is_some()),
            Self::Theory => strategies.clone().any(|strategy| strategy.predicted.is_some()),
            Self::Counters => strategies.clone().any(|strategy| strategy.counters.is_some()),
            Self::Limited => {
                strategies.clone().any(|s| s.counters.as_ref().is_some_and(|counters| counters.let_through.is_some()))
            }
            Self::Told => strategies.clone().any(|s| s.levels.as_ref().is_some_and(|levels| levels.lost.is_some())),
            Self::Levels => strategies.clone().any(|strategy| strategy.levels.is_some()),
            Self::Traffic => strategies.clone().any(moves_much),
            Self::Shards => strategies.clone().any(|strategy| strategy.shards.is_some()),
            Self::Takeovers => strategies.clone().any(|strategy| strategy.takeovers.is_some()),
            Self::Pages => strategies
                .clone()
                .any(|s| s.traffic.as_ref().is_some_and(|traffic| traffic.round_trips_per_request.is_some())),
            Self::Parts => strategies.clone().any(|s| s.traffic.as_ref().is_some_and(|traffic| traffic.torn.is_some())),
            Self::Pool => strategies.clone().any(|strategy| strategy.pool.is_some()),
            Self::Writes => strategies.clone().any(|strategy| strategy.behind.is_some()),
            Self::Faults => strategies.clone().any(|strategy| strategy.recovery.is_some()),
            Self::TwoRules => phrases::two_rules(strategies),
        }
    }
}

/// Whether requests bring more of the cache's bytes along than their own headers are.
fn moves_much(strategy: &Strategy) -> bool {
    let read = strategy.traffic.as_ref().and_then(|traffic| traffic.read_per_request);
    read.is_some_and(|bytes| bytes >= 1024.0)
}

/// What a cell says.
pub(crate) struct Cell {
    /// The record's number; `None` where it is unknown.
    pub(crate) exact: Option<f64>,
    pub(crate) text: String,
    /// In small under it, on the page; may be empty.
    pub(crate) under: String,
}

/// Where a figure stands on the page, under which heading, and what the whole heading is, for a tooltip.
#[derive(Clone, Copy)]
pub(crate) struct OnPage {
    pub(crate) group: Group,
    pub(crate) head: &'static str,
    pub(crate) about: &'static str,
}

/// A figure.
#[derive(Clone, Copy)]
pub(crate) struct FigureRow {
    /// Its path in a strategy's record, or a word where it is made of several.
    pub(crate) path: &'static str,
    /// `None` where nobody is best at it.
    pub(crate) unit: Option<FigureUnit>,
    /// Its heading at the end of a run, in two lines.
    pub(crate) head: Option<(&'static str, &'static str)>,
    pub(crate) page: Option<OnPage>,
    pub(crate) shown: Shown,
    pub(crate) cell: fn(&Strategy) -> Cell,
    /// Whether it may be compared at all.
    pub(crate) compared: fn(&Strategy) -> bool,
    /// Whether it is an alarm.
    pub(crate) alarm: fn(&Strategy) -> bool,
}

pub(super) const fn figure(path: &'static str, unit: Option<FigureUnit>, cell: fn(&Strategy) -> Cell) -> FigureRow {
    let shown = Shown::Always;
    FigureRow { path, unit, head: None, page: None, shown, cell, compared: |_| true, alarm: |_| false }
}

impl FigureRow {
    pub(super) const fn head(self, over: &'static str, under: &'static str) -> Self {
        Self { head: Some((over, under)), ..self }
    }

    pub(super) const fn page(self, group: Group, head: &'static str, about: &'static str) -> Self {
        Self { page: Some(OnPage { group, head, about }), ..self }
    }

    pub(super) const fn only(self, shown: Shown) -> Self {
        Self { shown, ..self }
    }

    pub(super) const fn compared(self, compared: fn(&Strategy) -> bool) -> Self {
        Self { compared, ..self }
    }

    pub(super) const fn alarm(self, alarm: fn(&Strategy) -> bool) -> Self {
        Self { alarm, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_run_cannot_tell_apart_is_the_same() {
        assert!(FigureUnit::Count.differ(736.0, 111.0) && !FigureUnit::Count.differ(8.0, 7.0));
        assert!(FigureUnit::Time.differ(203.0, 2.2) && !FigureUnit::Time.differ(2.2, 1.5));
        assert!(FigureUnit::Share.differ(0.031, 0.004) && !FigureUnit::Share.differ(0.0004, 0.0));
        assert!(FigureUnit::Rate.differ(49.3, 1.0) && !FigureUnit::Rate.differ(1.02, 1.0));
    }
}
