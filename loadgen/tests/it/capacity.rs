//! `capacity` as its user runs it: its limits are theory's, the same seed finds the same, what is not known is said to be so.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use strategies::theory::pool_waits;

use crate::common::{loadgen, only_run, run, signal};

/// The record, and what was said.
fn capacity(code: i32, args: &[&str]) -> (Value, String) {
    let results = tempfile::tempdir().unwrap();
    let said = run(&[&["capacity", "--quiet", "-o", results.path().to_str().unwrap()], args].concat());
    assert_eq!(said.code, Some(code), "{}{}", said.out, said.err);
    (record(&only_run(results.path())), said.out)
}

fn record(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("capacity.json")).unwrap()).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

/// A set of its own keys for each request: every one is a miss, and reads the origin.
const MISSES: [&str; 4] = ["--set", "keys.kind=uniform", "--set", "keys.n=10000000"];

/// W places of S each do W/S reads a second; above that the queue grows for as long as the run lasts.
#[test]
fn an_origin_that_every_request_reads_bears_its_places_over_its_service_time() {
    let find = ["--find", "max load.rate where latency.p99 <= 1s and errors.share <= 0.1%"];
    let origin = ["--set", "origin.service_time=50ms", "--set", "origin.concurrency=10"];
    let load = ["--scenario", "hotkey-open", "--strategy", "naive", "-d", "120s", "-w", "0s", "--repeats", "1"];
    let (found, said) =
        capacity(0, &[&load[..], &find, &origin, &MISSES, &["--from", "150/s", "--to", "300/s"]].concat());
    let answer = &found["strategies"][0];
    let (held, failed, limit) = (number(&answer["held"]), number(&answer["failed"]), 10.0 / 0.05);
    assert_eq!(answer["verdict"], "between", "{said}");
    assert!(held < failed && failed / held <= 1.021, "{held} to {failed}");
    assert!((held / limit - 1.0).abs() < 0.05 && (failed / limit - 1.0).abs() < 0.05, "{held} to {failed}");
    assert_eq!(answer["gave_way"][0]["metric"], "latency_ms.p99", "the queue grows long before anybody gives up");
    assert!(said.contains(" ms (wanted latency.p99 <= 1s)"), "{said}");
}

/// Each request holds one of five connections for an exponential time: M/M/5, whose 99th percentile of the wait Erlang's C gives.
#[test]
fn a_pool_bears_the_rate_at_which_erlangs_wait_reaches_the_bound() {
    let find = ["--find", "max load.rate where pool.wait_ms.p99 <= 100ms", "--from", "55/s", "--to", "80/s"];
    let origin = ["--set", "origin.service_time={ dist = \"exp\", mean = \"50ms\" }", "--set", "load.ramp=[]"];
    let strategy = ["--strategy", "plain + pool(size=5, wait=60s, hold=request) + bare", "--replicas", "1"];
    let load = ["--scenario", "pool-starvation", "-d", "1000s", "-w", "0s", "--repeats", "1"];
    let (found, said) = capacity(0, &[&load[..], &find, &origin, &strategy, &MISSES].concat());
    // The way to the origin and back is held, too (docs/connections.md).
    let held_for = Duration::from_micros(50_400);
    let waits = |rate: f64| pool_waits(5, rate * held_for.as_secs_f64(), held_for, 1.0);
    let bears = |rate: &f64| waits(*rate).is_some_and(|waits| waits.p99 <= Duration::from_millis(100));
    let theory = (550..1000).map(|tenth| f64::from(tenth) / 10.0).take_while(bears).last().unwrap();
    let answer = &found["strategies"][0];
    for end in ["held", "failed"] {
        assert!((number(&answer[end]) / theory - 1.0).abs() < 0.05, "{theory} by theory: {said}");
    }
}

#[test]
fn a_value_holds_by_the_rule_that_is_said_and_the_same_seed_finds_the_same() {
    let find = ["--find", "max load.rate where latency.p99 <= 260ms and errors.share <= 1%"];
    let origin = ["--set", "origin.concurrency=4", "--set", "origin.service_time={ dist = \"exp\", mean = \"50ms\" }"];
    let load = ["--scenario", "hotkey-open", "--strategy", "naive", "-d", "5s", "-w", "0s", "--repeats", "3"];
    let args = |hold: &'static str| [&load[..], &find, &origin, &MISSES, &["--from", "5/s", "--hold", hold]].concat();
    let limits: Vec<f64> = ["1", "3"]
        .map(|hold| {
            let (found, said) = capacity(0, &args(hold));
            let needed: u64 = hold.parse().unwrap();
            assert_eq!((found["hold"].as_u64(), &found["seeds"]), (Some(needed), &serde_json::json!([42, 43, 44])));
            let rule = if hold == "3" { "where all 3 runs meet every condition" } else { "where 1 of 3 runs" };
            assert!(said.contains(rule), "{said}");
            for step in found["strategies"][0]["steps"].as_array().unwrap() {
                let (held, failed) = (step["held"].as_u64().unwrap(), step["failed"].as_u64().unwrap());
                let end = if held >= needed { "held" } else { "failed" };
                assert_eq!((held + failed, step["end"].as_str()), (3, Some(end)), "{step}");
                assert_eq!(step["misses"].as_array().unwrap().is_empty(), failed == 0, "{step}");
            }
            let again = capacity(0, &args(hold)).0;
            assert_eq!(again["strategies"], found["strategies"], "the same seeds");
            number(&found["strategies"][0]["held"])
        })
        .into();
    assert!(limits[0] >= limits[1], "one of three holds where all do: {limits:?}");
}

#[test]
fn bounds_and_what_is_not_known_are_no_limits() {
    let load =
        ["--scenario", "hotkey-open", "-d", "3s", "-w", "0s", "--repeats", "1", "--from", "50/s", "--to", "100/s"];
    let find = ["--find", "max load.rate where latency.p99 <= 50ms", "--strategy", "swr,naive"];
    let (found, said) = capacity(0, &[&load[..], &find].concat());
    let verdicts = [0, 1].map(|at| found["strategies"][at]["verdict"].clone());
    // Both wait for the first load of the empty cache; one request in fifty does, at least.
    assert_eq!(verdicts, ["less-than", "less-than"], "{said}");
    for words in ["less than 50/s", "it fails at the lower bound; lower --from", "Add errors.share and shed.share"] {
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
    let find = ["--find", "max load.rate where errors.share <= 50%", "--strategy", "swr"];
    let (_, said) = capacity(0, &[&load[..], &find].concat());
    assert!(said.contains("at least 100/s") && said.contains("raise --to"), "{said}");
    // No event, so nobody knows how long one hurt.
    let find = ["--find", "max load.rate where recovery.after_s <= 1", "--strategy", "swr"];
    let (found, said) = capacity(4, &[&load[..], &find].concat());
    assert_eq!(found["strategies"][0]["verdict"], "not-known");
    assert!(said.contains("that is no limit of the strategy: recovery.after_s is not known"), "{said}");
}

#[test]
fn what_is_no_question_is_refused_before_anything_runs() {
    let base = ["capacity", "--scenario", "hotkey-open", "-o", "/dev/null/x"];
    let p99 = "max load.rate where latency.p99 <= 50ms";
    let cases: [(&[&str], &[&str]); 23] = [
        (&[], &["--find <max FIELD where …>"]),
        (&["--find", ""], &["--find, character 1", "found the end, allowed max"]),
        (&["--find", "min load.rate where errors <= 0"], &["found `min`, allowed max"]),
        (&["--find", "max load.rat where errors <= 0"], &["unknown field `load.rat`, did you mean `load.rate`?"]),
        (&["--find", "max load.rate"], &["nothing that must hold", "where and a condition"]),
        (&["--find", "max load.rate where latency.p99 <= 50"], &["`latency.p99` needs a unit", "write 50ms"]),
        (&["--find", "max load.rate where erors.share <= 1%"], &["did you mean `errors.share`?"]),
        (
            &["--find", "max load.rate where errors.share <= 1%", "-r", "5/s"],
            &["the same field twice", "found -r for it"],
        ),
        (&["--find", p99, "--set", "load.rate=5/s"], &["the same field twice", "--set load.rate=5/s"]),
        (&["--find", p99, "--from", "fast"], &["no number · --from fast", "write it as 400/s"]),
        (&["--find", p99, "--from", "0/s"], &["allowed a number above 0"]),
        (&["--find", p99, "--to", "5s"], &["another unit than the field's · --to", "found \"s\""]),
        (&["--find", p99, "--from", "9/s", "--to", "5/s"], &["bounds in the wrong order · --from 9/s --to 5/s"]),
        (&["--find", p99, "--to", "2000000/s"], &["--to 2000000/s", "out of range"]),
        (&["--find", p99, "--precision", "0"], &["no precision · --precision 0", "allowed 0.1% to 50%"]),
        (&["--find", p99, "--hold", "4"], &["more runs must hold than there are", "allowed 1 to 3"]),
        (&["--find", p99, "--seed", "18446744073709551615"], &["the last seed is too large"]),
        (&["--find", p99, "--shard", "0/2"], &["a shard of what is no run"]),
        (&["--find", p99, "--live"], &["a page of many runs"]),
        (&["--find", "max keys.kind where errors <= 0"], &["nothing to begin with", "write --from and --to"]),
        (&["--find", "max load.clients where errors <= 0"], &["nothing to begin with"]),
        (&["--find", p99, "--redis", "redis://127.0.0.1:1"], &["--redis with --lab sim"]),
        (&["--find", p99], &["cannot make the results folder"]),
    ];
    for (args, words) in cases {
        let said = run(&[&base[..], args].concat());
        assert_eq!(said.code, Some(2), "{args:?}: {}{}", said.out, said.err);
        for word in words {
            assert!(said.err.contains(word), "{args:?}: {word:?} in {}", said.err);
        }
    }
    let ramps = ["capacity", "--scenario", "flash-sale", "--find", p99];
    assert!(run(&ramps).err.contains("a rate that ramps change"), "a rate that is not the run's");
    let dry = run(&[&base[..], &["--find", p99, "--dry-run"]].concat());
    assert_eq!((dry.code, dry.out.as_str()), (Some(0), ""));
    assert!(dry.err.contains("between  6.25/s and 25600/s, to 2%"), "{}", dry.err);
}

#[test]
fn ctrl_c_keeps_what_was_found() {
    let results = tempfile::tempdir().unwrap();
    // Far more than anybody waits for.
    let args = ["capacity", "--scenario", "hotkey-open", "--strategy", "swr", "-d", "1h", "--repeats", "1"];
    let find = ["--find", "max load.rate where errors.share <= 1%", "--from", "1/s", "--to", "100000/s"];
    let start = ["--set", "load.arrivals=constant", "-o", results.path().to_str().unwrap()];
    let mut child = loadgen(&[&args[..], &find, &start].concat()).spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("load.rate=") || !line.ends_with("held\n") {
        line.clear();
        assert!(err.read_line(&mut line).unwrap() > 0, "it ended before its first value");
    }
    signal(&child, "INT");
    let mut rest = String::new();
    err.read_to_string(&mut rest).unwrap();
    let said = child.wait_with_output().unwrap();
    assert_eq!(said.status.code(), Some(130), "{rest}");
    let found = record(&only_run(results.path()));
    let answer = &found["strategies"][0];
    assert_eq!((&found["complete"], &answer["complete"]), (&Value::Bool(false), &Value::Bool(false)));
    assert_eq!(answer["verdict"], "at-least", "what is known stays true");
    assert!(String::from_utf8_lossy(&said.stdout).contains("INCOMPLETE: it was interrupted"), "{rest}");
}
