//! What a gate leaves in the run's folder for machines: `gate/summary.md` for a job's summary, `gate/bench.json` for
//! trackers of figures over time, `gate/junit.xml` for test reports.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use report::compare::comparison_table;
use report::compare::stats::median;
use report::record::{Comparison, Metric, Run, Strategy};
use report::text::escape::{markdown, markdown_block, markdown_code};
use report::text::junit::{CaseEnd, JunitCase, JunitSuite, junit_xml};
use report::write_inside;
use serde_json::{Value, json};

use super::measured::{Check, CheckResult};
use crate::shell::exit::Failure;

/// Writes them; where they lie.
pub(super) fn write(
    run_folder: &Path,
    run: &Run,
    checks: &[Check],
    comparisons: &[Comparison],
    notes: &[String],
) -> Result<PathBuf, Failure> {
    let folder = run_folder.join("gate");
    let bench = serde_json::to_string_pretty(&bench(run)).map_err(Failure::failed)?;
    for (name, text) in [
        ("summary.md", summary(run, checks, comparisons, notes)),
        ("bench.json", bench + "\n"),
        ("junit.xml", junit(run, checks)),
    ] {
        write_inside(run_folder, &folder.join(name), |out| out.write_all(text.as_bytes())).map_err(Failure::failed)?;
    }
    Ok(folder)
}

/// Regressions first, then advice, then everything that is well.
fn summary(run: &Run, checks: &[Check], comparisons: &[Comparison], notes: &[String]) -> String {
    let regressions = checks.iter().filter(|check| matches!(check.found, CheckResult::Regression(_))).count();
    let verdict = match regressions {
        0 => "passed".to_owned(),
        1 => "**1 regression**".to_owned(),
        more => format!("**{more} regressions**"),
    };
    let mut out = format!("# Gate of {} in the {} lab: {verdict}\n\n", markdown(&run.scenario), markdown(&run.lab));
    for check in checks {
        let (head, text) = match &check.found {
            CheckResult::Regression(text) => ("REGRESSION", text),
            CheckResult::Advice(text) => ("advice", text),
            CheckResult::Well(_) => continue,
        };
        let _ = writeln!(out, "- **{head}**, {} of {}: {}", check.what, markdown_code(&check.strategy), markdown(text));
    }
    for note in notes {
        let _ = writeln!(out, "- {}", markdown(note));
    }
    let _ = writeln!(out, "\n| strategy | held | |\n|---|---|---|");
    for check in checks {
        let said = match &check.found {
            CheckResult::Well(figures) => format!("well: {}", markdown(figures)),
            CheckResult::Advice(_) => "advice".to_owned(),
            CheckResult::Regression(_) => "**REGRESSION**".to_owned(),
        };
        let _ = writeln!(out, "| {} | {} | {said} |", markdown_code(&check.strategy), check.what);
    }
    if !comparisons.is_empty() {
        let _ = writeln!(out, "\n{}", markdown_block("text", &comparison_table(comparisons)));
    }
    out
}

/// One entry a strategy and metric, as trackers read them: smaller is better.
fn bench(run: &Run) -> Value {
    let entry = |strategy: &Strategy, name: &str, unit: &str, values: Option<Vec<f64>>| {
        let values = values?;
        let (low, high) = values.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(*v), high.max(*v)));
        Some(json!({
            "name": format!("{}/{}/{}/{name}", run.scenario, run.lab, strategy.name),
            "unit": unit,
            "value": median(&values)?,
            "range": format!("{low} … {high}"),
        }))
    };
    let of = |strategy: &Strategy| {
        let runs = |metric: Metric| strategy.runs().map(|run| metric.of(run)).collect::<Option<Vec<f64>>>();
        let per_expiry = strategy.runs().map(|run| Some(run.origin.as_ref()?.per_expiry.as_ref()?.mean)).collect();
        [
            entry(strategy, "origin reads", "reads", runs(Metric::OriginTotal)),
            entry(strategy, "most reads a second", "reads/s", runs(Metric::OriginPeak)),
            entry(strategy, "reads an expiry", "reads", per_expiry),
            entry(strategy, "p99", "ms", runs(Metric::P99)),
            entry(strategy, "errors", "errors", runs(Metric::Errors)),
        ]
    };
    run.strategies.iter().flat_map(of).flatten().collect()
}

fn junit(run: &Run, checks: &[Check]) -> String {
    let case = |check: &Check| JunitCase {
        class: format!("{}.{}", run.scenario, check.strategy),
        name: check.what.clone(),
        end: match &check.found {
            CheckResult::Regression(text) => CaseEnd::Failed(text.clone()),
            CheckResult::Advice(text) | CheckResult::Well(text) => CaseEnd::Passed(text.clone()),
        },
    };
    let name = format!("stampede gate {} {}", run.scenario, run.lab);
    junit_xml(&run.started_at, &[JunitSuite { name, cases: checks.iter().map(case).collect() }])
}
