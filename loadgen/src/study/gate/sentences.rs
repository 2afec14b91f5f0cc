//! What a gate says: everything that is equal in a line, everything that is not in a table.

use std::path::Path;

use report::compare::baseline::{Baseline, Difference, FigureChange, compare};
use report::text::escape::line;
use serde_json::Number;

use super::measured::{Check, CheckResult};
use crate::shell::command_line::quoted;
use crate::shell::exit::Failure;
use crate::shell::table::table;

/// Fields that are named where circumstances changed.
const FIELDS_MAX: usize = 20;

pub(super) fn equal(path: &Path, baseline: &Baseline) -> String {
    format!(
        "equal    {} in the {} lab: {} strategies, {} figures, as in {}\n",
        baseline.scenario,
        baseline.lab,
        baseline.strategies.len(),
        baseline.figures(),
        path.display()
    )
}

pub(super) fn changed(path: &Path, run: &Path, baseline: &Baseline, changes: &[FigureChange]) -> String {
    format!(
        "CHANGED  {} in the {} lab: {} of {} figures differ from {}\n\n{}\nIf that is what was meant, make it the baseline \
         and commit it: {}\n",
        baseline.scenario,
        baseline.lab,
        changes.len(),
        baseline.figures(),
        path.display(),
        change_table(changes),
        promote(path, run)
    )
}

/// The command that makes a run the baseline that it was held to.
pub(super) fn promote(baseline: &Path, run: &Path) -> String {
    let folder = match baseline.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => baseline,
    };
    let elsewhere = if folder == Path::new(crate::cli::BASELINES) {
        String::new()
    } else {
        format!(" --baseline-dir {}", quoted(&folder.to_string_lossy()))
    };
    format!("loadgen promote {}{elsewhere}", quoted(&run.to_string_lossy()))
}

pub(super) fn not_comparable(path: &Path, run: &Path, differences: &[Difference]) -> Failure {
    let remedy = promote(path, run);
    let (path, run) = (path.display(), run.display());
    let fields = if differences.len() == 1 { "field that differs" } else { "fields that differ" };
    Failure::not_comparable(format!(
        "not comparable · {run} against {path} · found {} {fields}, needed the same circumstances · run with \
         the baseline's, or make this run the baseline: {remedy}\n{}",
        differences.len(),
        difference_table(differences).trim_end()
    ))
}

/// Circumstances that differ, a line each.
pub(super) fn difference_table(differences: &[Difference]) -> String {
    let rows =
        differences.iter().map(|d| vec![d.field.clone(), format!("found {}", d.found), format!("needed {}", d.needed)]);
    table(&rows.collect::<Vec<_>>(), 0, |_| false)
}

/// The same, where neither is what the other should be.
pub(super) fn told_table(differences: &[Difference]) -> String {
    let rows =
        differences.iter().map(|d| vec![d.field.clone(), format!("BASE {}", d.needed), format!("NEW {}", d.found)]);
    table(&rows.collect::<Vec<_>>(), 0, |_| false)
}

/// What a gate of real runs says: each regression in a paragraph, then advice, then what was held in a line.
pub(super) fn measured(path: &Path, run: &Path, checks: &[Check], notes: &[String]) -> String {
    let of = |regression: bool| {
        checks.iter().filter_map(move |check| match &check.found {
            CheckResult::Regression(text) if regression => Some(text),
            CheckResult::Advice(text) if !regression => Some(text),
            _ => None,
        })
    };
    let (regressions, held) = (of(true).count(), checks.len());
    let mut text = match regressions {
        0 => format!("passed   {held} checks against {}\n", path.display()),
        1 => format!("REGRESSION  1 of {held} checks against {}\n", path.display()),
        more => format!("REGRESSION  {more} of {held} checks against {}\n", path.display()),
    };
    of(true).for_each(|said| text += &format!("\n{}\n", line(said)));
    of(false).for_each(|said| text += &format!("\nadvice: {} Times are hard with --strict-time.\n", line(said)));
    notes.iter().for_each(|note| text += &format!("\nnote: {}\n", line(note)));
    if regressions > 0 {
        text += &format!("\nIf that is what was meant, make it the baseline and commit it: {}\n", promote(path, run));
    }
    text
}

pub(super) fn promoted(path: &Path, before: Option<&Baseline>, now: &Baseline) -> String {
    let (strategies, figures) = (now.strategies.len(), now.figures());
    let mut text = format!("baseline {}: {strategies} strategies, {figures} figures\n", path.display());
    match before.map(|before| compare(before, now)) {
        None => text += "It is new here: commit it.\n",
        Some(Ok(changes)) if changes.is_empty() => text += "Nothing changed.\n",
        Some(Ok(changes)) => text += &format!("\n{}\nCommit it with the reason.\n", change_table(&changes)),
        Some(Err(differences)) => {
            let fields: Vec<&str> = differences.iter().map(|d| d.field.as_str()).take(FIELDS_MAX).collect();
            text += &format!("The circumstances changed: {}. Commit it with the reason.\n", fields.join(", "));
        }
    }
    text
}

fn change_table(changes: &[FigureChange]) -> String {
    let row = |change: &FigureChange| {
        let [from, to] = [&change.from, &change.to].map(|figure| shown(figure.as_ref()));
        vec![change.strategy.clone(), change.figure.clone(), from, to, relative(change)]
    };
    let header = ["strategy", "figure", "baseline", "run", "change"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(changes.iter().map(row)).collect();
    table(&rows, 1, |column| column >= 2)
}

fn shown(figure: Option<&Number>) -> String {
    figure.map_or_else(|| "unknown".to_owned(), Number::to_string)
}

/// By how much, where that can be said.
fn relative(change: &FigureChange) -> String {
    let number = |figure: &Option<Number>| figure.as_ref().and_then(Number::as_f64);
    match (number(&change.from), number(&change.to)) {
        (Some(from), Some(to)) if from != 0.0 => {
            let percent = (to - from) / from * 100.0;
            if percent.abs() < 1.0 { format!("{percent:+.3}%") } else { format!("{percent:+.1}%") }
        }
        _ => "–".to_owned(),
    }
}
