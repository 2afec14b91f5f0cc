//! `junit.xml`: test cases as CI systems read them, by the schema of Jenkins' xUnit plugin (junit-10.xsd).
//!
//! A strategy is a suite. Its first case is whether the run counts at all; each threshold is another one.

use std::fmt::Write as _;

use crate::record::{Run, Strategy, Unchecked, Verdict};
use crate::text::escape::html;
use crate::text::phrases::{self, reasons};
use crate::text::sentences::{interruption, unknown_because};

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseEnd {
    /// Well, and what was found.
    Passed(String),
    /// What was wanted was not there.
    Failed(String),
    /// Nothing can be said, for the run itself failed.
    Broken(String),
    /// It was not checked, and why.
    Skipped(String),
}

/// A test case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JunitCase {
    /// What it is a case of: `hotkey.singleflight`.
    pub class: String,
    /// What was checked.
    pub name: String,
    /// How it ended.
    pub end: CaseEnd,
}

/// A suite of test cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JunitSuite {
    /// What it is called.
    pub name: String,
    /// Its cases, in order.
    pub cases: Vec<JunitCase>,
}

/// What became of a run, as test suites: whether each strategy's numbers count, and what became of its thresholds.
#[must_use]
pub fn junit_of(run: &Run) -> String {
    let typical = run.typical();
    let mut suites: Vec<JunitSuite> = typical.strategies.iter().map(|strategy| suite(run, strategy)).collect();
    let mut absent: Vec<&str> = run.unchecked.iter().map(|one| one.strategy.as_str()).collect();
    absent.sort_unstable();
    absent.dedup();
    let named =
        |name: &str| run.unchecked.iter().filter(|one| one.strategy == name).map(|one| unchecked(run, one)).collect();
    suites.extend(absent.iter().map(|name| JunitSuite { name: (*name).to_owned(), cases: named(name) }));
    if !run.complete {
        let class = run.scenario.clone();
        let end = CaseEnd::Broken(interruption(run));
        let cases = vec![JunitCase { class, name: "ran to its end".into(), end }];
        suites.push(JunitSuite { name: run.scenario.clone(), cases });
    }
    junit_xml(&run.started_at, &suites)
}

fn suite(run: &Run, strategy: &Strategy) -> JunitSuite {
    let counts = if strategy.valid {
        CaseEnd::Passed(format!("every check of the run passed; {}", phrases::setting(run)))
    } else {
        CaseEnd::Broken(format!("INVALID – do not use the numbers: {}", reasons(strategy)))
    };
    let valid = JunitCase { class: class(run, &strategy.name), name: "is valid".into(), end: counts };
    let verdicts = run.verdicts.iter().filter(|verdict| verdict.strategy == strategy.name);
    let cases = std::iter::once(valid).chain(verdicts.map(|verdict| threshold(run, strategy, verdict))).collect();
    JunitSuite { name: strategy.name.clone(), cases }
}

fn threshold(run: &Run, strategy: &Strategy, verdict: &Verdict) -> JunitCase {
    let measured = verdict.measured.map_or_else(|| unknown_because(run, verdict), |value| value.to_string());
    let said = format!("{} is {measured}, wanted {}", verdict.metric, verdict.bound);
    let end = match (strategy.valid, verdict.met) {
        (false, _) => CaseEnd::Skipped("not judged: the run is invalid".into()),
        (true, true) => CaseEnd::Passed(said),
        (true, false) => CaseEnd::Failed(said),
    };
    JunitCase { class: class(run, &verdict.strategy), name: format!("{} {}", verdict.metric, verdict.bound), end }
}

fn unchecked(run: &Run, one: &Unchecked) -> JunitCase {
    let end = CaseEnd::Skipped("not checked: the strategy was not run".into());
    JunitCase { class: class(run, &one.strategy), name: format!("{} {}", one.metric, one.bound), end }
}

fn class(run: &Run, strategy: &str) -> String {
    format!("{}.{strategy}", run.scenario)
}

/// Suites as XML. Characters that XML does not allow are replaced.
#[must_use]
pub fn junit_xml(started_at: &str, suites: &[JunitSuite]) -> String {
    let all: Vec<&JunitCase> = suites.iter().flat_map(|suite| &suite.cases).collect();
    let [tests, failures, errors, _] = counts(&all);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n"
    );
    for suite in suites {
        let [tests, failures, errors, skipped] = counts(&suite.cases.iter().collect::<Vec<_>>());
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" timestamp=\"{}\">",
            html(&suite.name),
            html(started_at)
        );
        suite.cases.iter().for_each(|case| write_case(&mut out, case));
        out.push_str("  </testsuite>\n");
    }
    out + "</testsuites>\n"
}

/// How many cases there are, and how many of them failed, are broken, and were skipped.
fn counts(cases: &[&JunitCase]) -> [usize; 4] {
    let of = |is: fn(&CaseEnd) -> bool| cases.iter().filter(|case| is(&case.end)).count();
    [
        cases.len(),
        of(|end| matches!(end, CaseEnd::Failed(_))),
        of(|end| matches!(end, CaseEnd::Broken(_))),
        of(|end| matches!(end, CaseEnd::Skipped(_))),
    ]
}

fn write_case(out: &mut String, case: &JunitCase) {
    let (class, name) = (html(&case.class), html(&case.name));
    let end = match &case.end {
        CaseEnd::Passed(text) => format!("<system-out>{}</system-out>", html(text)),
        CaseEnd::Failed(text) => format!("<failure message=\"{}\"/>", html(text)),
        CaseEnd::Broken(text) => format!("<error message=\"{}\"/>", html(text)),
        CaseEnd::Skipped(text) => format!("<skipped message=\"{}\"/>", html(text)),
    };
    let _ = writeln!(out, "    <testcase classname=\"{class}\" name=\"{name}\">{end}</testcase>");
}
