//! Baselines: what is held, what differs, what changed, and files that are none.
use std::collections::BTreeMap;

use report::compare::baseline::{Baseline, FigureChange, compare};
use report::record::{PerExpiry, Run, Strategy};
use report::{Document as _, figure, figures, parse_run};

fn run() -> Run {
    parse_run(include_bytes!("../fixtures/run-v1.json")).unwrap()
}

fn baseline(run: &Run) -> Baseline {
    Baseline::of(run, BTreeMap::from([("cache.ttl".into(), "5s".into()), ("load.clients".into(), "50".into())]))
}

fn with(change: impl FnOnce(&mut Strategy)) -> Baseline {
    let mut run = run();
    change(run.strategies.iter_mut().find(|s| s.name == "naive").unwrap());
    baseline(&run)
}

fn text(baseline: &Baseline) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("made/hotkey.sim.json");
    baseline.write(&path).unwrap();
    assert_eq!(Baseline::read(&path).unwrap(), *baseline, "it survives a round trip");
    std::fs::read_to_string(&path).unwrap()
}

#[test]
fn every_number_of_a_strategy_is_a_figure() {
    let run = run();
    let figures = figures(&run.strategies[0]);
    for path in ["requests", "origin.total", "origin.per_expiry.mean", "hot.outcomes.load", "latency_ms.p99_9"] {
        assert!(figures.contains_key(path), "{path} in {figures:?}");
    }
    for path in ["name", "spec", "folder", "valid", "invalid_because", "hot.key", "cut_after_s"] {
        assert!(!figures.contains_key(path), "{path}");
    }
    let mut blind = run.strategies[0].clone();
    blind.origin = None;
    let figures = report::figures(&blind);
    assert_eq!(figure(&figures, "origin.per_expiry.mean"), Some(None), "nothing is known of a part of the unknown");
    assert_eq!(figure(&figures, "origins.total"), None);
}

#[test]
fn a_baseline_reads_well_in_a_review() {
    let text = text(&baseline(&run()));
    assert!(text.starts_with("{\n  \"schema\": \"stampede.baseline/v1\",\n  \"scenario\": \"hotkey\""), "{text}");
    let figure = |line: &&str| line.starts_with("        \"");
    let lines: Vec<&str> = text.lines().filter(figure).collect();
    assert_eq!(lines.len(), baseline(&run()).figures(), "one figure a line");
    let naive: Vec<&str> = text.split("\"name\": \"naive\"").nth(1).unwrap().lines().filter(figure).collect();
    let first = naive.iter().position(|line| line.contains("unwitnessed")).unwrap();
    assert!(naive[..first].is_sorted(), "in the order of their names");
    for private in ["started_at", "command", "environment", "cpu", "clock", "version", "run\""] {
        assert!(!text.contains(private), "{private}");
    }
    assert!(text.ends_with("}\n"));
}

#[test]
fn what_changed_is_told_figure_by_figure() {
    let before = baseline(&run());
    assert_eq!(compare(&before, &before), Ok(Vec::new()));
    let after = with(|naive| {
        naive.origin.as_mut().unwrap().total += 1;
        naive.latency_ms.p99 = None;
        naive.error_kinds.insert("timeout".into(), 3);
    });
    let changes = compare(&before, &after).unwrap();
    let said = |c: &FigureChange| format!("{} {} {:?} {:?}", c.strategy, c.figure, c.from.is_some(), c.to.is_some());
    let said: Vec<String> = changes.iter().map(said).collect();
    assert_eq!(
        said,
        ["naive error_kinds.timeout true true", "naive latency_ms.p99 true false", "naive origin.total true true"]
    );
    assert_eq!(
        changes[0].from.as_ref().unwrap().as_u64(),
        Some(0),
        "a kind of error that was never seen was seen 0 times"
    );
    assert_eq!(compare(&after, &before).unwrap().len(), 3, "and the other way round");
}

#[test]
fn a_whole_that_becomes_known_is_a_change_of_its_parts() {
    let none = with(|naive| naive.origin.as_mut().unwrap().per_expiry = None);
    let some = with(|naive| {
        naive.origin.as_mut().unwrap().per_expiry =
            Some(PerExpiry { count: 12, mean: 49.0, p50: 49.0, max: 50, fullest_replica: None });
    });
    for (before, after) in [(&none, &some), (&some, &none)] {
        let changes = compare(before, after).unwrap();
        let names: Vec<&str> = changes.iter().map(|c| c.figure.as_str()).collect();
        let parts = ["count", "max", "mean", "p50"].map(|part| format!("origin.per_expiry.{part}"));
        assert_eq!(names, parts);
    }
}

#[test]
fn other_circumstances_are_named_field_by_field_and_no_figure_is_compared() {
    let before = baseline(&run());
    let mut after = with(|naive| {
        naive.spec = "plain(stale=5s)".into();
        naive.requests += 1;
    });
    after.seed = 43;
    after.replicas = 5;
    after.lab = "sim2".into();
    after.plan_hash = "beef".into();
    after.settings.insert("cache.ttl".into(), "10s".into());
    after.settings.insert("event.1.do".into(), "flush".into());
    after.settings.remove("load.clients");
    after.strategies.pop();
    let differences = compare(&before, &after).unwrap_err();
    let fields: Vec<String> =
        differences.iter().map(|d| format!("{}: {} for {}", d.field, d.found, d.needed)).collect();
    let expected = [
        format!("lab: sim2 for {}", before.lab),
        format!("replicas: 5 for {}", before.replicas),
        "seed: 43 for 42".into(),
        "cache.ttl: 10s for 5s".into(),
        "event.1.do: flush for nothing".into(),
        "load.clients: nothing for 50".into(),
        format!("plan_hash: beef for {}", before.plan_hash),
    ];
    assert_eq!(fields[..7], expected);
    assert_eq!(fields[7], "strategy naive: plain(stale=5s) for plain");
    let gone = &before.strategies.last().unwrap();
    assert_eq!(fields[8], format!("strategy {}: nothing for {}", gone.name, gone.spec));
    assert_eq!(fields.len(), 9);
}

#[test]
fn a_figure_that_only_one_side_has_ever_heard_of_is_not_passed_over() {
    let before = baseline(&run());
    let mut older = before.clone();
    older.strategies[0].figures.remove("unsent");
    for (baseline, run, found) in [(&older, &before, "a figure"), (&before, &older, "no such figure")] {
        let differences = compare(baseline, run).unwrap_err();
        assert_eq!(differences.len(), 1, "{differences:?}");
        assert!(differences[0].field.starts_with("unsent of "), "{differences:?}");
        assert_eq!(differences[0].found, found);
    }
}

#[test]
fn each_way_to_be_no_baseline_has_its_own_message() {
    let good = text(&baseline(&run()));
    let check = |text: &str, wanted: &str| {
        let said = Baseline::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(said.contains(wanted), "{said:?} should contain {wanted:?}");
    };
    check("", "the file is empty; make it again: loadgen promote RUN");
    check(&good[..good.len() / 2], &format!("ends early at byte {}", good.len() / 2));
    let merged = good.replacen("  \"seed\"", "<<<<<<< HEAD\n  \"seed\"", 1);
    check(&merged, "line 6 is a conflict marker of git (<<<<<<<)");
    check(&good.replace("baseline/v1", "baseline/v9"), "\"stampede.baseline/v9\" is newer than this build");
    check(include_str!("../fixtures/run-v1.json"), "\"stampede.run/v1\" where \"stampede.baseline/v1\" is expected");
    check("{}", "has no \"schema\" at its top");
    check("[1]", "line 1");
    check(&good.replace("\"seed\": 42,", ""), "missing field `seed`");
    check(&good.replacen("\"errors\":", "\"requests\": 7,\n        \"errors\":", 1), "\"requests\" is there twice");
    check(
        &good.replacen("\"cache.ttl\": \"5s\",", "\"cache.ttl\": \"5s\", \"cache.ttl\": \"9s\",", 1),
        "is there twice",
    );
    check(&good.replacen("\"requests\": ", "\"requests\": -", 1), "figures.requests: found -");
    let none = good.split_inclusive('\n').map(|line| match line.split_once("\"requests\": ") {
        Some((start, _)) => format!("{start}\"requests\": 0,\n"),
        None => line.to_owned(),
    });
    check(&none.collect::<String>(), "has no requests");
    check(&good.replacen("\"latency_ms.p50\": ", "\"latency_ms.p50\": -", 1), "figures.latency_ms.p50: found -");
    let empty = Baseline { strategies: Vec::new(), ..baseline(&run()) };
    let dir = tempfile::tempdir().unwrap();
    let error = empty.write(&dir.path().join("x.json")).unwrap_err().to_string();
    assert!(error.contains("it has no strategy"), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "and nothing is written");
}
