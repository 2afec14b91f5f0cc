//! `junit.xml` held to the real schema of Jenkins' xUnit plugin, and to what a run came to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use app::testing::needed;
use report::RunFolder;

use crate::common::{Said, only_run, record, run};

const SCENARIO: &str = r#"
summary = "one hot key"
strategies = ["naive", "singleflight", "swr"]
[load]
clients = 20
think = "120ms"
duration = "4s"
warmup = "1s"
[keys]
kind = "hot"
hot_share = 0.95
n = 10
[cache]
ttl = "1s"
[origin]
service_time = "100ms"
"#;

/// The schema, which `ci/junit.sh` brings.
fn schema() -> Option<PathBuf> {
    let there = Command::new("xmllint").arg("--version").output().is_ok_and(|output| output.status.success());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target/junit/junit-10.xsd");
    needed("junit", || (there && file.is_file()).then_some(file))
}

fn assert_valid(file: &Path) {
    let Some(schema) = schema() else { return };
    let output = Command::new("xmllint").args(["--noout", "--schema"]).arg(schema).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn simulated(thresholds: &str, more: &[&str]) -> (tempfile::TempDir, PathBuf, Said) {
    let folder = tempfile::tempdir().unwrap();
    let (file, results) = (folder.path().join("mine.toml"), folder.path().join("results"));
    fs::write(&file, format!("schema = 1\nname = \"mine\"{SCENARIO}{thresholds}")).unwrap();
    let args = ["--scenario", file.to_str().unwrap(), "--lab", "sim", "--quiet", "-o", results.to_str().unwrap()];
    let said = run(&[&args[..], more].concat());
    let at = only_run(&results);
    (folder, at, said)
}

const THRESHOLDS: &str = r#"
[[threshold]]
strategy = "naive"
metric = "origin.max_per_second"
at_most = 1.5
[[threshold]]
strategy = "naive"
metric = "origin.total"
at_least = 1
[[threshold]]
strategy = "swr"
metric = "errors"
at_most = 0
"#;

#[test]
fn a_missed_threshold_fails_and_an_unchecked_one_is_skipped() {
    let (_folder, at, said) = simulated(THRESHOLDS, &["--strategy", "naive,singleflight"]);
    assert_eq!(said.code, Some(99), "{}", said.err);
    let text = fs::read_to_string(at.join("junit.xml")).unwrap();
    let peak = record(&at).verdicts[0].measured.unwrap();
    for wanted in [
        "<testsuites tests=\"5\" failures=\"1\" errors=\"0\">".to_owned(),
        "<testsuite name=\"naive\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"0\"".to_owned(),
        format!("<failure message=\"origin.max_per_second is {peak}, wanted at most 1.5\"/>"),
        "<testcase classname=\"mine.swr\" name=\"errors at most 0\"><skipped message=\"not checked: the strategy was not run\"/>".to_owned(),
    ] {
        assert!(text.contains(&wanted), "{wanted} in {text}");
    }
    assert_valid(&at.join("junit.xml"));
    // Again from the records: the same bytes.
    fs::remove_file(at.join("junit.xml")).unwrap();
    assert_eq!(run(&["report", at.to_str().unwrap()]).code, Some(0));
    assert_eq!(fs::read_to_string(at.join("junit.xml")).unwrap(), text);
}

/// Wherever its thresholds stand in the scenario.
#[test]
fn a_strategy_that_was_not_run_is_one_suite() {
    let again = "[[threshold]]\nstrategy = \"naive\"\nmetric = \"errors\"\nat_most = 0\n";
    let (_folder, at, said) = simulated(&format!("{THRESHOLDS}{again}"), &["--strategy", "singleflight"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let text = fs::read_to_string(at.join("junit.xml")).unwrap();
    assert_eq!(text.matches("<testsuite name=\"naive\" tests=\"3\"").count(), 1, "{text}");
    assert!(text.contains("<testsuites tests=\"5\""), "{text}");
    assert_valid(&at.join("junit.xml"));
}

#[test]
fn of_an_invalid_run_no_threshold_is_met() {
    let (_folder, at, said) = simulated(THRESHOLDS, &["--strategy", "naive"]);
    assert_eq!(said.code, Some(99), "{}", said.err);
    let mut run_record = record(&at);
    run_record.strategies[0].valid = false;
    run_record.strategies[0].invalid_because = vec!["a \u{1}\u{1b}[31m <bad> \"cache\" & \u{fffe}".into()];
    (run_record.complete, run_record.scenario) = (false, "a<b>&\u{0}".into());
    RunFolder::at(&at).write_run(&run_record).unwrap();
    assert_eq!(run(&["report", at.to_str().unwrap()]).code, Some(0));
    let text = fs::read_to_string(at.join("junit.xml")).unwrap();
    assert!(text.contains("tests=\"5\" failures=\"0\" errors=\"2\""), "{text}");
    assert_eq!(text.matches("<skipped message=\"not judged: the run is invalid\"/>").count(), 2, "{text}");
    assert!(text.contains("<error message=\"INVALID") && text.contains("<error message=\"INTERRUPTED"), "{text}");
    assert!(text.contains("&lt;bad&gt; &quot;cache&quot; &amp;"), "{text}");
    assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{fffe}'), "{text:?}");
    assert_valid(&at.join("junit.xml"));
}

/// That the schema would notice.
#[test]
fn what_is_no_junit_is_refused_by_the_schema() {
    let Some(schema) = schema() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (_folder, at, _) = simulated("", &["--strategy", "naive"]);
    let good = fs::read_to_string(at.join("junit.xml")).unwrap();
    for bad in
        [good.replace(" errors=\"0\"", ""), good.replace("testcase", "case"), good.replace("system-out", "passed")]
    {
        let file = folder.path().join("bad.xml");
        fs::write(&file, &bad).unwrap();
        let output = Command::new("xmllint").args(["--noout", "--schema"]).arg(&schema).arg(file).output().unwrap();
        assert!(!output.status.success(), "{bad}");
    }
}
