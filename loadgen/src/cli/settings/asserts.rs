//! `--assert 'METRIC <= VALUE'`: thresholds of the command line, each for every strategy that runs.

use scenarios::{Bound, Scenario, Threshold};

use crate::shell::exit::Failure;
use crate::study::sweep::goal::{GoalCondition, Relation};

/// Asserts at most.
const ASSERTS_MAX: usize = 100;

/// Reads them, each as a threshold of every one of `strategies`.
///
/// # Errors
/// [`Failure`] that shows the first that is none.
pub(super) fn read(typed: &[String], strategies: &[&str], scenario: &Scenario) -> Result<Vec<Threshold>, Failure> {
    if typed.len() > ASSERTS_MAX {
        let found = typed.len();
        return Err(Failure::usage(format!(
            "too many assertions · --assert · found {found}, allowed {ASSERTS_MAX} · put them into a scenario's file, as [[threshold]]"
        )));
    }
    let mut thresholds = Vec::new();
    for text in typed {
        let condition = GoalCondition::parse(text, scenario.keys.hot_key().is_some(), "--assert");
        let GoalCondition { metric, comparison, limit, text } = condition.map_err(Failure::usage)?;
        let bound = match comparison {
            Relation::AtMost => Bound::AtMost(limit),
            Relation::AtLeast => Bound::AtLeast(limit),
            Relation::Below | Relation::Above => {
                return Err(Failure::usage(format!(
                    "a bound that a threshold cannot have · --assert {text:?} · found {comparison}, allowed <= and >= · write one of them"
                )));
            }
        };
        let of = |name: &&str| Threshold { strategy: (*name).to_owned(), metric: metric.to_owned(), bound };
        thresholds.extend(strategies.iter().map(of));
    }
    Ok(thresholds)
}
