//! A scenario's thresholds against the record: the metric is a path into a strategy's part of `run.json`.

use report::record::{Strategy, Unchecked, Verdict};
use report::{figure, metrics};
use scenarios::{Bound, Threshold};

/// Judges each threshold of the strategies that ran.
#[must_use]
pub fn judge(thresholds: &[Threshold], strategies: &[Strategy]) -> Vec<Verdict> {
    let of = |name: &str| strategies.iter().find(|s| s.name == name);
    thresholds.iter().filter_map(|threshold| Some(verdict(threshold, of(&threshold.strategy)?))).collect()
}

/// How many thresholds were met and missed, and which could not be checked because their strategy was not run (`unchecked`). A miss
/// may come from what the command line changed (`overridden`, paths of the scenario).
#[must_use]
pub fn in_words(verdicts: &[Verdict], unchecked: &[Unchecked], overridden: &[String]) -> String {
    let missed = verdicts.iter().filter(|verdict| !verdict.met).count();
    let met = verdicts.len() - missed;
    let changed = match overridden {
        changed if missed > 0 && !changed.is_empty() => {
            format!("; they are for the scenario as its file has it, and this run changes {}", changed.join(", "))
        }
        _ => String::new(),
    };
    match (verdicts.is_empty(), unchecked) {
        (true, []) => String::new(),
        (_, []) => format!("checked  {met} thresholds met, {missed} missed{changed}\n"),
        (_, unchecked) => {
            let named = |one: &Unchecked| format!("{} of {}", one.metric, one.strategy);
            let (count, which) = (unchecked.len(), unchecked.iter().map(named).collect::<Vec<_>>().join(", "));
            format!(
                "checked  {met} thresholds met, {missed} missed{changed}, {count} NOT CHECKED, their strategy was not run: {which}\n"
            )
        }
    }
}

fn verdict(threshold: &Threshold, strategy: &Strategy) -> Verdict {
    let measured = lookup(strategy, &threshold.metric);
    let met = match threshold.bound {
        Bound::AtMost(limit) => measured.is_some_and(|m| m <= limit),
        Bound::AtLeast(limit) => measured.is_some_and(|m| m >= limit),
    };
    let Unchecked { strategy, metric, bound } = unchecked(threshold);
    Verdict { strategy, metric, bound, measured, met }
}

/// A threshold whose strategy is not run.
#[must_use]
pub fn unchecked(threshold: &Threshold) -> Unchecked {
    let bound = match threshold.bound {
        Bound::AtMost(limit) => format!("at most {limit}"),
        Bound::AtLeast(limit) => format!("at least {limit}"),
    };
    Unchecked { strategy: threshold.strategy.clone(), metric: threshold.metric.clone(), bound }
}

/// The number at a dotted path of a strategy's record; `None` where there is none, or it is unknown.
#[must_use]
pub fn lookup(strategy: &Strategy, path: &str) -> Option<f64> {
    figure(&metrics(strategy), path)??.as_f64()
}
