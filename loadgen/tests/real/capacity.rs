//! `capacity` on real replicas: each value is a run that is left to be looked at, and what the machine spoils is no limit.

use std::path::PathBuf;

use serde_json::Value;

use crate::common::{beside, only_run, record, run};

/// Equal gaps: a rate for a second is so many requests, so that the limit is known whatever the machine does.
#[test]
fn real_values_hold_by_their_own_records() {
    let _beside = beside();
    let results = tempfile::tempdir().unwrap();
    let load = [
        "--scenario",
        "hotkey-open",
        "--lab",
        "local",
        "--cache",
        "memory",
        "--strategy",
        "swr",
        "-d",
        "1s",
        "-w",
        "1s",
    ];
    let find = ["--find", "max load.rate where requests <= 150", "--from", "50/s", "--to", "200/s", "--repeats", "1"];
    let more = ["--arrival", "constant", "--set", "cache.ttl=1s", "--precision", "50%", "--quiet"];
    let output = ["-o", results.path().to_str().unwrap()];
    let said = run(&[&["capacity"][..], &load, &find, &more, &output].concat());
    let folder = only_run(results.path());
    let found: Value = serde_json::from_slice(&std::fs::read(folder.join("capacity.json")).unwrap()).unwrap();
    let answer = &found["strategies"][0];
    assert_eq!(said.code, Some(if answer["verdict"] == "not-known" { 4 } else { 0 }), "{}{}", said.out, said.err);
    assert_eq!(found["lab"], "local");
    let steps = answer["steps"].as_array().unwrap();
    let mut runs: Vec<PathBuf> =
        std::fs::read_dir(folder.join("runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(runs.len(), steps.len());
    runs.sort_by_key(|path| record(path).started_at);
    for (step, path) in steps.iter().zip(&runs) {
        let run = record(path);
        let strategy = &run.strategies[0];
        let expected = match strategy.valid {
            false => "not-known",
            true if strategy.requests <= 150 => "held",
            true => "failed",
        };
        assert_eq!(step["end"], expected, "{step}");
        let rate = format!("{} requests/s", step["value"].as_f64().unwrap());
        assert!(run.load.contains(&rate), "{rate} is not in {}", run.load);
        assert_eq!(step["because"].as_array().unwrap().is_empty(), strategy.valid, "{step}");
    }
    if answer["verdict"] == "between" {
        let (held, failed) = (answer["held"].as_f64().unwrap(), answer["failed"].as_f64().unwrap());
        assert!(held <= 151.0 && 149.0 < failed, "{answer}");
    }
}
