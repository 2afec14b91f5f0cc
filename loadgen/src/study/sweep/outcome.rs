//! From finished runs to the record of the sweep.

use std::collections::BTreeMap;

use report::record::Strategy;
use report::sweep::{self as record, RunRow, SWEEP_SCHEMA, Spread, Sweep, SweepFolder};
use report::{Figures, ReportError, figure, metrics};
use scenarios::METRICS;

use super::goal::Goal;
use super::grid::{Grid, GridPoint};
use super::knob::{Knob, Turns};
use super::rank::rank;
use super::runner::Finished;
use crate::shell::command_line::command_without;
use crate::shell::names::Utc;
use crate::shell::part::PartOf;

/// Shown where a goal says nothing of them.
const CHARTED: [&str; 4] = ["origin.total", "origin.max_per_second", "latency_ms.p99", "stale.share"];
/// Panels of a chart that can be looked at.
const CHARTED_MAX: usize = 4;

/// What a sweep is called, and when it began.
pub struct SweepIdentity {
    /// The folder's name.
    pub name: String,
    /// When it began.
    pub began: Utc,
}

/// The record.
#[must_use]
pub fn record(identity: &SweepIdentity, grid: &Grid, goal: Option<&Goal>, finished: &Finished) -> Sweep {
    let base = &grid.base;
    let points: Vec<record::Point> =
        grid.points.iter().zip(&finished.runs).map(|(point, runs)| point_of(grid, point, runs)).collect();
    let mut settings = grid.points.first().map_or(base, |point| &point.settings).scenario.settings();
    settings.retain(|field, _| {
        !grid.knobs.iter().any(|knob| knob.turns == Turns::Scenario && is_set_by(field, &knob.name))
    });
    Sweep {
        schema: SWEEP_SCHEMA.into(),
        sweep: identity.name.clone(),
        complete: finished.count() == grid.runs(),
        version: env!("CARGO_PKG_VERSION").into(),
        started_at: identity.began.rfc3339(),
        command: base.command.clone(),
        scenario: base.scenario.name.clone(),
        summary: base.scenario.summary.clone(),
        lab: "sim".into(),
        replicas: base.replicas.into(),
        settings,
        seeds: grid.seeds.clone(),
        knobs: grid.knobs.iter().map(knob_of).collect(),
        left_out: grid.left_out.clone(),
        charted: charted(goal),
        goal: goal.map(goal_of),
        ranking: goal.map(|goal| rank(goal, &points)).unwrap_or_default(),
        points,
        part: grid.part.map(|PartOf { index, of }| record::SweepPart {
            index,
            of,
            build: app::BUILD.into(),
            whole: command_without(&["--points", "-o", "--output"]),
        }),
    }
}

/// Writes `sweep.csv`: every run that was finished.
///
/// # Errors
/// [`ReportError`].
pub fn write_rows(folder: &SweepFolder, sweep: &Sweep, finished: &Finished) -> Result<(), ReportError> {
    let rows = sweep.points.iter().zip(&finished.runs).flat_map(|(point, runs)| {
        let seeds = sweep.seeds.iter().zip(runs).filter_map(|(seed, run)| Some((*seed, run.as_ref()?)));
        seeds.map(move |(seed, run)| RunRow {
            strategy: (&point.strategy, &point.spec),
            values: &point.values,
            seed,
            valid: run.valid,
            figures: metrics(run),
        })
    });
    let knobs: Vec<String> = sweep.knobs.iter().map(|knob| knob.name.clone()).collect();
    folder.write_rows(&knobs, &METRICS, rows)
}

/// Whether a field of the resolved scenario (`event.1.for`) is one that a knob (`event.for`) turns.
fn is_set_by(field: &str, knob: &str) -> bool {
    let of_event = |knob: &str| Some(field.strip_prefix("event.")?.split_once('.')?.1 == knob.strip_prefix("event.")?);
    field == knob || of_event(knob).unwrap_or(false)
}

fn charted(goal: Option<&Goal>) -> Vec<String> {
    let mut charted = goal.map(Goal::metrics).unwrap_or_default();
    charted.extend(CHARTED);
    let mut once: Vec<String> = Vec::new();
    for metric in charted.into_iter().map(str::to_owned) {
        if !once.contains(&metric) {
            once.push(metric);
        }
    }
    once.truncate(CHARTED_MAX);
    once
}

fn knob_of(knob: &Knob) -> record::SweptKnob {
    let value = |value: &super::values::TypedValue| record::SweptValue {
        text: value.text.clone(),
        number: value.number.map(|(number, _)| number),
    };
    record::SweptKnob {
        name: knob.name.clone(),
        unit: knob.unit().map(str::to_owned),
        values: knob.values.iter().map(value).collect(),
    }
}

fn goal_of(goal: &Goal) -> record::SweepGoal {
    let condition = |condition: &super::goal::GoalCondition| record::SweepCondition {
        text: condition.text.clone(),
        metric: condition.metric.into(),
        comparison: condition.comparison.to_string(),
        limit: condition.limit,
    };
    record::SweepGoal {
        text: goal.text.clone(),
        direction: if goal.most { "max" } else { "min" }.into(),
        metric: goal.metric.into(),
        conditions: goal.conditions.iter().map(condition).collect(),
    }
}

fn point_of(grid: &Grid, point: &GridPoint, runs: &[Option<Strategy>]) -> record::Point {
    let runs: Vec<&Strategy> = runs.iter().flatten().collect();
    let (name, spec) = point.subject().map_or_else(Default::default, |s| (s.name.clone(), s.composition.clone()));
    let reasons = runs.iter().flat_map(|run| &run.invalid_because);
    let mut invalid_because: Vec<String> = Vec::new();
    for reason in reasons {
        if !invalid_because.contains(reason) {
            invalid_because.push(reason.clone());
        }
    }
    record::Point {
        strategy: point.strategy.clone(),
        name,
        spec,
        values: grid.knobs.iter().zip(&point.at).map(|(knob, value)| knob.values[*value].text.clone()).collect(),
        runs: u32::try_from(runs.len()).unwrap_or(u32::MAX),
        valid: !runs.is_empty() && runs.iter().all(|run| run.valid),
        invalid_because,
        figures: spreads(&runs.iter().map(|run| metrics(run)).collect::<Vec<_>>()),
    }
}

/// Every metric over the runs; unknown where it is in any of them, or there are none.
pub(crate) fn spreads(runs: &[Figures]) -> BTreeMap<String, Option<Spread>> {
    let of = |metric: &str| {
        let values = runs.iter().map(|figures| figure(figures, metric)?.and_then(serde_json::Number::as_f64));
        let values: Vec<f64> = values.collect::<Option<_>>()?;
        let (min, max) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        // A mean of many digits says no more than six of them; and it must lie between its ends.
        (!values.is_empty()).then(|| Spread { mean: ((mean * 1e6).round() / 1e6).clamp(min, max), min, max })
    };
    METRICS.iter().map(|metric| ((*metric).to_owned(), of(metric))).collect()
}
