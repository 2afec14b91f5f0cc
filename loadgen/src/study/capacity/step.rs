//! One value: its runs, and what they come to.

use app::process::shutdown::Shutdown;
use report::record::Strategy;

use super::ask::CapacityQuestion;
use super::bracket::StepEnd;
use super::record::{CapacityMiss, CapacityStep};
use crate::cli::settings::{Settings, Subject};
use crate::run;
use crate::shell::exit::Failure;
use crate::study::sweep::goal::GoalCondition;
use crate::study::sweep::rank::beyond;
use crate::study::sweep::simulate;
use crate::study::thresholds::lookup;

/// Reasons that are kept of a value.
const REASONS_MAX: usize = 3;

impl CapacityQuestion {
    /// Tries a value; `None` where that was interrupted, for a part of its runs says nothing.
    ///
    /// # Errors
    /// [`Failure`] where a run fails.
    pub async fn step(
        &self,
        subject: &Subject,
        value: f64,
        stop: &Shutdown,
    ) -> Result<Option<(StepEnd, CapacityStep)>, Failure> {
        let settings = (0..self.runs).map(|run| self.settings(subject, value, run)).collect::<Result<Vec<_>, _>>()?;
        let runs = if self.base.simulated {
            let stop = stop.clone();
            let simulated = tokio::task::spawn_blocking(move || all_simulated(&settings, &stop)).await;
            simulated.unwrap_or_else(|_| Err(Failure::failed("a simulation panicked: a bug")))?
        } else {
            one_after_the_other(settings, stop).await?
        };
        let whole = runs.len() == usize::from(self.runs) && !stop.is_said();
        Ok(whole.then(|| self.judge(value, &runs)))
    }

    fn judge(&self, value: f64, runs: &[Strategy]) -> (StepEnd, CapacityStep) {
        let conditions = &self.sought.conditions;
        let ends: Vec<StepEnd> = runs.iter().map(|run| end_of(conditions, run)).collect();
        let count = |end: StepEnd| ends.iter().filter(|one| **one == end).count();
        let (held, failed) = (count(StepEnd::Held), count(StepEnd::Failed));
        let end = match usize::from(self.hold) {
            hold if held >= hold => StepEnd::Held,
            hold if failed > runs.len() - hold.min(runs.len()) => StepEnd::Failed,
            _ => StepEnd::NotKnown,
        };
        let valid: Vec<&Strategy> = runs.iter().filter(|run| run.valid).collect();
        let step = CapacityStep {
            value,
            text: self.text(value),
            end: end.into(),
            runs: runs.len() as u64,
            held: held as u64,
            failed: failed as u64,
            worst: conditions.iter().map(|condition| worst(condition, &valid)).collect(),
            misses: misses(conditions, &valid),
            because: reasons(conditions, runs),
        };
        (end, step)
    }
}

/// All runs of a value, as many at a time as there are cores; those that were cut are none.
fn all_simulated(settings: &[Settings], stop: &Shutdown) -> Result<Vec<Strategy>, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut runs = Vec::new();
    for together in settings.chunks(cores) {
        let ended: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = together.iter().map(|one| scope.spawn(|| simulate(one, stop))).collect();
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
        });
        for one in ended {
            runs.push(one.unwrap_or_else(|_| Err(Failure::failed("a simulation panicked: a bug")))?);
        }
        if stop.is_said() {
            break;
        }
    }
    runs.retain(|run| run.cut_after_s.is_none());
    Ok(runs)
}

/// All runs of a value in a real lab, or of a target; each leaves its folder.
async fn one_after_the_other(settings: Vec<Settings>, stop: &Shutdown) -> Result<Vec<Strategy>, Failure> {
    let mut runs = Vec::new();
    for one in settings {
        if stop.is_said() {
            break;
        }
        let (record, _) = run::record_until(one, stop.clone()).await?;
        runs.extend(record.strategies.into_iter().next().filter(|_| record.complete));
    }
    Ok(runs)
}

/// An invalid run says nothing, and neither does one of which a figure is not known that might have missed.
fn end_of(conditions: &[GoalCondition], run: &Strategy) -> StepEnd {
    if !run.valid {
        return StepEnd::NotKnown;
    }
    let holds: Vec<Option<bool>> = conditions
        .iter()
        .map(|condition| Some(condition.comparison.holds(lookup(run, condition.metric)?, condition.limit)))
        .collect();
    match holds {
        holds if holds.contains(&Some(false)) => StepEnd::Failed,
        holds if holds.contains(&None) => StepEnd::NotKnown,
        _ => StepEnd::Held,
    }
}

/// The value of a figure that is furthest from what its condition wants, of the valid runs; `None` where it is not known in one.
fn worst(condition: &GoalCondition, valid: &[&Strategy]) -> Option<f64> {
    let values: Vec<f64> = valid.iter().map(|run| lookup(run, condition.metric)).collect::<Option<_>>()?;
    let furthest = if condition.comparison.wants_less() { f64::max } else { f64::min };
    values.into_iter().reduce(furthest)
}

/// The conditions that a valid run missed, the one that was missed by most first.
fn misses(conditions: &[GoalCondition], valid: &[&Strategy]) -> Vec<CapacityMiss> {
    let miss = |condition: &GoalCondition| {
        let known = valid.iter().filter_map(|run| lookup(run, condition.metric));
        let missed: Vec<f64> = known.filter(|value| !condition.comparison.holds(*value, condition.limit)).collect();
        let furthest = if condition.comparison.wants_less() { f64::max } else { f64::min };
        Some(CapacityMiss {
            condition: condition.text.clone(),
            metric: condition.metric.into(),
            limit: condition.limit,
            runs: missed.len() as u64,
            worst: missed.into_iter().reduce(furthest)?,
        })
    };
    let mut misses: Vec<CapacityMiss> = conditions.iter().filter_map(miss).collect();
    misses.sort_by(|one, two| beyond(two.worst, two.limit).total_cmp(&beyond(one.worst, one.limit)));
    misses
}

/// Why runs say nothing, each reason once.
fn reasons(conditions: &[GoalCondition], runs: &[Strategy]) -> Vec<String> {
    let unknown = |run: &Strategy| {
        let unknown = conditions.iter().filter(|condition| lookup(run, condition.metric).is_none());
        unknown.map(|condition| format!("{} is not known", condition.metric)).collect::<Vec<_>>()
    };
    let of = |run: &Strategy| if run.valid { unknown(run) } else { run.invalid_because.clone() };
    let mut once: Vec<String> = Vec::new();
    for reason in runs.iter().flat_map(of) {
        if !once.contains(&reason) {
            once.push(reason);
        }
    }
    once.truncate(REASONS_MAX);
    once
}
