//! `gate` and `promote`: a run against a baseline that is kept in the repository.
//!
//! Simulated runs are exact: every figure must be what it was. Runs of the real labs need statistics, and are refused here.

use std::path::{Path, PathBuf};

use report::{Baseline, Change, RunFolder};
use serde_json::Value;

use crate::exit::{Exit, Failure};
use crate::say;

/// Changes that are shown; more say no more.
const SHOWN_MAX: usize = 40;

/// Holds a run against a baseline.
///
/// # Errors
/// [`Failure`] where there is no baseline, it is of something else, or the run is not to be believed.
pub fn gate(baseline: &Path, run: &Path) -> Result<Exit, Failure> {
    if !baseline.exists() {
        return Err(Failure::no_baseline(format!(
            "no baseline · --baseline {} · found no such file · make one: loadgen promote {}",
            baseline.display(),
            run.display()
        )));
    }
    let then = Baseline::read(baseline)
        .map_err(|why| Failure::no_baseline(format!("an unusable baseline · {why} · promote a run in its place")))?;
    let now = of_run(run)?;
    if let Some(why) = then.differs_in_kind(&now) {
        return Err(Failure::no_baseline(format!(
            "not comparable · {} and {} · {why} · run what the baseline ran, or promote this run",
            baseline.display(),
            run.display()
        )));
    }
    let changes = then.changes(&now);
    let (count, of) = (then.count(), then.strategies.len());
    if changes.is_empty() {
        say::out(&format!("equal: {count} figures of {of} strategies are what {} says\n", baseline.display()))?;
        return Ok(Exit::Ok);
    }
    say::out(&changed(&changes, &then, baseline, run))?;
    Ok(Exit::Regression)
}

/// Makes a run the baseline of its scenario and lab, in `folder`.
///
/// # Errors
/// [`Failure`] where the run is not to be believed, or the file cannot be written.
pub fn promote(run: &Path, folder: &Path) -> Result<Exit, Failure> {
    let baseline = of_run(run)?;
    let path: PathBuf = folder.join(format!("{}.{}.json", baseline.scenario, baseline.lab));
    // What stood there may be unusable, or of something else; that is what promoting is for.
    let before = Baseline::read(&path).ok().filter(|before| before.differs_in_kind(&baseline).is_none());
    baseline.write(&path).map_err(Failure::failed)?;
    let changes = before.as_ref().map(|before| before.changes(&baseline));
    let said = match changes {
        None => format!("new: {} figures\n", baseline.count()),
        Some(changes) if changes.is_empty() => "nothing changed\n".to_owned(),
        Some(changes) => format!("{} figures changed; `git diff` shows them\n", changes.len()),
    };
    say::out(&format!("{}: {said}", path.display()))?;
    Ok(Exit::Ok)
}

/// A run's figures, if they are to be believed and can be compared exactly.
fn of_run(path: &Path) -> Result<Baseline, Failure> {
    let path = if path.is_file() { path.parent().unwrap_or(path) } else { path };
    let folder = RunFolder::at(path);
    let run = folder.read_run().map_err(Failure::usage)?;
    if run.lab != "sim" {
        return Err(Failure::no_baseline(format!(
            "not comparable · {} · found a run of the {} lab, whose figures vary; only simulated runs are exact · run it \
             with --lab sim",
            path.display(),
            run.lab
        )));
    }
    let invalid = run.strategies.iter().find(|strategy| !strategy.valid);
    if let Some(strategy) = invalid {
        let why = strategy.invalid_because.first().map_or("", String::as_str);
        return Err(Failure::invalid(format!("an invalid run · {} · {}: {why}", path.display(), strategy.name)));
    }
    if !run.complete {
        return Err(Failure::invalid(format!("an interrupted run · {} · run it to its end", path.display())));
    }
    let scenario = folder.read_scenario().map_err(Failure::usage)?;
    Ok(Baseline::of(&run, &scenario))
}

fn changed(changes: &[Change], then: &Baseline, baseline: &Path, run: &Path) -> String {
    let rows: Vec<[String; 5]> = changes.iter().map(row).collect();
    let header = ["strategy", "figure", "was", "is", "difference"].map(str::to_owned);
    let shown: Vec<&[String; 5]> = std::iter::once(&header).chain(rows.iter().take(SHOWN_MAX)).collect();
    let width = |column: usize| shown.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let mut text = format!("CHANGED: {} of {} figures of {}\n\n", changes.len(), then.count(), baseline.display());
    for row in shown {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 | 1 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        text += &format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    if rows.len() > SHOWN_MAX {
        text += &format!("  … and {} more\n", rows.len() - SHOWN_MAX);
    }
    text + &format!("\nIf that is meant: loadgen promote {}\n", run.display())
}

fn row(change: &Change) -> [String; 5] {
    let said = |value: &Option<Value>| match value {
        None => "–".to_owned(),
        Some(Value::Null) => "unknown".to_owned(),
        Some(Value::String(text)) => text.chars().take(40).collect(),
        Some(value) => value.to_string(),
    };
    let number = |value: &Option<Value>| value.as_ref().and_then(Value::as_f64);
    let difference = number(&change.from).zip(number(&change.to)).map(|(from, to)| {
        let by = to - from;
        let share = if from == 0.0 { String::new() } else { format!(" ({:+.1} %)", by / from * 100.0) };
        format!("{by:+}{share}")
    });
    let Change { strategy, figure, from, to } = change;
    [strategy.clone(), figure.clone(), said(from), said(to), difference.unwrap_or_default()]
}
