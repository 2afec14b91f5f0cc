//! `capacity.json`, schema `stampede.capacity/v1`: everything that the words say, for scripts. `docs/capacity.md` explains it.

use schemars::JsonSchema;
use serde::Serialize;

use super::ask::CapacityQuestion;
use super::bracket::{CapacityEnds, StepEnd, ends};
use crate::cli::settings::Subject;
use report::sweep::SweepCondition;

/// The schema that this build writes.
pub const CAPACITY_SCHEMA: &str = "stampede.capacity/v1";

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Capacity")]
pub struct CapacityRecord {
    /// Always [`CAPACITY_SCHEMA`].
    #[schemars(extend("const" = CAPACITY_SCHEMA))]
    pub schema: &'static str,
    /// The folder's own name.
    pub capacity: String,
    /// False where it was interrupted.
    pub complete: bool,
    /// The version of the lab.
    pub version: &'static str,
    /// When it began, RFC 3339, UTC.
    pub started_at: String,
    /// The command line that makes it again.
    pub command: String,
    /// The scenario's name.
    pub scenario: String,
    /// The lab that was asked for: `sim`, `local`, `docker` or `target`.
    pub lab: &'static str,
    /// What was sought, as typed.
    pub find: String,
    /// The field whose highest value was sought.
    pub field: String,
    /// The unit of its values: `/s`, `s`, `B`, or nothing.
    pub unit: &'static str,
    /// What must hold.
    pub conditions: Vec<SweepCondition>,
    /// The lowest value that might be tried.
    pub from: f64,
    /// The highest value that might be tried.
    pub to: f64,
    /// How far apart the two ends of an answer may be, as a share of the lower one.
    pub precision: f64,
    /// The seeds of each value's runs.
    pub seeds: Vec<u64>,
    /// How many of these runs must meet every condition.
    pub hold: u64,
    /// Each strategy's answer.
    pub strategies: Vec<CapacityAnswer>,
}

/// What a strategy bears.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Answer")]
pub struct CapacityAnswer {
    /// The strategy as it was named, or `target`.
    pub strategy: String,
    /// Its full composition.
    pub spec: String,
    /// What is known.
    pub verdict: CapacityVerdict,
    /// The highest value that held, of those below every value that did not; `null` where none did.
    pub held: Option<f64>,
    /// The lowest value that failed, where it is the lowest that did not hold; `null` where none did.
    pub failed: Option<f64>,
    /// The lowest value of which nothing is known, where it is the lowest that did not hold; `null` where there is none.
    pub not_known: Option<f64>,
    /// The highest value that held above one that failed; `null` where none was seen. Then no single load is the limit.
    pub held_again: Option<f64>,
    /// What gave way at `failed`, the furthest beyond its limit first.
    pub gave_way: Vec<CapacityMiss>,
    /// False where the search was interrupted: the two ends are further apart than they were to be.
    pub complete: bool,
    /// Every value that was tried, in the order tried.
    pub steps: Vec<CapacityStep>,
}

/// What is known of a strategy's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CapacityVerdict {
    /// It lies from `held` to `failed`.
    Between,
    /// It is `held` or more: nothing that was tried failed.
    AtLeast,
    /// It lies below `failed`: nothing that was tried held.
    LessThan,
    /// No run says.
    NotKnown,
}

/// A value that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Step")]
pub struct CapacityStep {
    /// The value, in the field's unit.
    pub value: f64,
    /// As `--set` takes it.
    pub text: String,
    /// What became of it.
    pub end: CapacityEnd,
    /// How many runs it had.
    pub runs: u64,
    /// Of these, valid and met every condition.
    pub held: u64,
    /// Of these, valid and missed a condition.
    pub failed: u64,
    /// Of each condition the figure that is furthest from what it wants, of the valid runs; `null` where one does not know it.
    pub worst: Vec<Option<f64>>,
    /// The conditions that valid runs missed.
    pub misses: Vec<CapacityMiss>,
    /// Why runs say nothing, one sentence each.
    pub because: Vec<String>,
}

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "End")]
pub enum CapacityEnd {
    /// Enough of its runs met every condition.
    Held,
    /// Too many of them missed one.
    Failed,
    /// Neither.
    NotKnown,
}

impl From<StepEnd> for CapacityEnd {
    fn from(end: StepEnd) -> Self {
        match end {
            StepEnd::Held => Self::Held,
            StepEnd::Failed => Self::Failed,
            StepEnd::NotKnown => Self::NotKnown,
        }
    }
}

/// A condition that was missed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Miss")]
pub struct CapacityMiss {
    /// As typed.
    pub condition: String,
    /// On which figure.
    pub metric: String,
    /// The limit, in the figure's own unit.
    pub limit: f64,
    /// How many runs missed it.
    pub runs: u64,
    /// The figure of the run that missed it by most.
    pub worst: f64,
}

impl CapacityAnswer {
    /// The answer that these steps give; `complete` says whether the search came to its end.
    #[must_use]
    pub fn of(subject: &Subject, steps: Vec<(StepEnd, CapacityStep)>, complete: bool) -> Self {
        let tried: Vec<(f64, StepEnd)> = steps.iter().map(|(end, step)| (step.value, *end)).collect();
        let CapacityEnds { held, above } = ends(&tried);
        let above = |wanted: StepEnd| above.filter(|(_, end)| *end == wanted).map(|(value, _)| value);
        let (failed, not_known) = (above(StepEnd::Failed), above(StepEnd::NotKnown));
        let verdict = match (held, failed) {
            (Some(_), Some(_)) => CapacityVerdict::Between,
            (Some(_), None) => CapacityVerdict::AtLeast,
            (None, Some(_)) => CapacityVerdict::LessThan,
            (None, None) => CapacityVerdict::NotKnown,
        };
        let lowest = tried.iter().filter(|(_, end)| *end == StepEnd::Failed).map(|(value, _)| *value).reduce(f64::min);
        let again = tried.iter().filter(|(value, end)| *end == StepEnd::Held && lowest.is_some_and(|low| *value > low));
        let at = failed.and_then(|failed| steps.iter().find(|(_, step)| step.value == failed));
        Self {
            strategy: subject.name.clone(),
            spec: subject.composition.clone(),
            verdict,
            held,
            failed,
            not_known,
            held_again: again.map(|(value, _)| *value).reduce(f64::max),
            gave_way: at.map(|(_, step)| step.misses.clone()).unwrap_or_default(),
            complete,
            steps: steps.into_iter().map(|(_, step)| step).collect(),
        }
    }
}

/// The record of these answers.
#[must_use]
pub fn record(
    question: &CapacityQuestion,
    (name, started_at): (String, String),
    strategies: Vec<CapacityAnswer>,
) -> CapacityRecord {
    let CapacityQuestion { base, sought, bracket, runs, hold, .. } = question;
    let condition = |condition: &crate::study::sweep::goal::GoalCondition| SweepCondition {
        text: condition.text.clone(),
        metric: condition.metric.into(),
        comparison: condition.comparison.to_string(),
        limit: condition.limit,
    };
    CapacityRecord {
        schema: CAPACITY_SCHEMA,
        capacity: name,
        complete: strategies.len() == base.subjects.len() && strategies.iter().all(|answer| answer.complete),
        version: env!("CARGO_PKG_VERSION"),
        started_at,
        command: base.command.clone(),
        scenario: base.scenario.name.clone(),
        lab: question.lab(),
        find: sought.text.clone(),
        field: sought.path.clone(),
        unit: bracket.scale.dimension.unit(),
        conditions: sought.conditions.iter().map(condition).collect(),
        from: bracket.from,
        to: bracket.to,
        precision: bracket.precision,
        seeds: (0..*runs).map(|run| base.seed.saturating_add(run.into())).collect(),
        hold: u64::from(*hold),
        strategies,
    }
}
