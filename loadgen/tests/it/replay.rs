//! Traces as loads, in virtual time: the arrivals are the file's, the counts are those of the law that it was made from, and what cannot
//! be replayed is refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use app::process::shutdown::Shutdown;
use clap::Parser as _;
use loadgen::cli::Cli;
use loadgen::cli::settings::Settings;
use loadgen::lab::simlab::SimLab;
use report::record::Run;
use scenarios::{Plan, Scenario};
use traces::forecast::HerdQuestion;
use traces::law::TraceLaw;
use traces::summary::{SummaryOptions, summarise};
use traces::{TraceOptions, TraceReader};

use crate::common::{Said, folder, only_run, origin_of, record, run, strategy};

/// A run of a scenario in virtual time, and its folder.
fn simulate(scenario: &str, more: &[&str], into: &Path) -> (Said, PathBuf) {
    let args = ["--scenario", scenario, "--lab", "sim", "--quiet", "-o", into.to_str().unwrap()];
    let said = run(&[&args[..], more].concat());
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    (said, only_run(into))
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// Requests of one figure of a strategy that must be the same where the requests are.
fn counts(run: &Run, name: &str) -> BTreeMap<&'static str, String> {
    let of = strategy(run, name);
    let origin = origin_of(of);
    BTreeMap::from([
        ("requests", of.requests.to_string()),
        ("outcomes", format!("{:?}", of.outcomes)),
        ("latency", format!("{:?}", of.latency_ms)),
        ("reads", origin.total.to_string()),
        ("peak", origin.max_per_second.to_string()),
        ("floor", format!("{:?}", origin.floor)),
    ])
}

/// Reads of a Zipf law's keys, nothing stated of them.
fn zipf(keys: u32, exponent: f64, per_s: f64, rows: u64) -> TraceLaw {
    let (ttls, sizes) = Default::default();
    TraceLaw { keys, exponent, per_s, rows, write_share: 0.0, ttls, sizes, whole_seconds: false, seed: 7 }
}

#[test]
fn requests_are_sent_when_the_trace_says_to_the_microsecond() {
    let at = tempfile::tempdir().unwrap();
    // Times of day, some alike, and a write now and then, for whose sake answers are written down.
    let rows: Vec<(u64, u64, bool)> =
        (0..3_000_u64).map(|n| (n * n % 700 + n * 1_313, n * n % 37, n % 50 == 7)).collect();
    let mut text = String::from("time_s,key,op\n");
    let mut rows: Vec<_> = rows;
    rows.sort_by_key(|(us, ..)| *us);
    for (us, key, writes) in &rows {
        let (s, us, op) = (86_400 + us / 1_000_000, us % 1_000_000, if *writes { "set" } else { "get" });
        writeln!(text, "{s}.{us:06},secret-{key},{op}").unwrap();
    }
    let file = written(at.path(), "trace.csv", &text);
    for (speed, per_us) in [("1", 1_000.0), ("4", 250.0)] {
        let more =
            ["--trace", &file, "--set", &format!("load.speed={speed}"), "-w", "0s", "--strategy", "plain + lock"];
        let (_, path) = simulate("hotkey-open", &more, &at.path().join(speed));
        let record = record(&path);
        let answers = std::fs::read_to_string(folder(&path, "plain-lock").path().join("answers.csv")).unwrap();
        let first = rows[0].0;
        let mut expected: Vec<(i64, bool)> =
            rows.iter().map(|(us, _, writes)| (((us - first) as f64 * per_us).round() as i64, *writes)).collect();
        let mut sent: Vec<(i64, bool)> = answers
            .lines()
            .skip(1)
            .map(|line| line.split(',').collect::<Vec<_>>())
            .map(|cells| (cells[0].parse().unwrap(), cells[3] == "write"))
            .collect();
        expected.sort_unstable();
        sent.sort_unstable();
        assert_eq!(sent.len(), rows.len(), "{:?}", record.strategies[0].errors);
        assert!(sent == expected, "at speed {speed}");
        // A key is a number; its name is in no record.
        for entry in walk(&path) {
            let bytes = std::fs::read(&entry).unwrap();
            assert!(!bytes.windows(7).any(|piece| piece == b"secret-"), "{}", entry.display());
        }
    }
}

/// Every file below a folder.
fn walk(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// The requests of a plan as a trace, and some more behind its end.
fn as_trace(more: &[&str]) -> String {
    let line = ["loadgen", "--lab", "sim", "--quiet"];
    let settings = Settings::of(&Cli::parse_from([&line[..], more].concat()).run).unwrap();
    let plan = Plan::new(settings.seed, &settings.scenario, settings.replicas.into());
    let mut text = String::new();
    for arrival in plan.arrivals() {
        let (s, ns) = (arrival.at_ns / 1_000_000_000, arrival.at_ns % 1_000_000_000);
        writeln!(text, "{s}.{ns:09},item-{}", arrival.key).unwrap();
    }
    text
}

#[test]
fn a_trace_of_a_load_has_the_counts_of_that_load() {
    let at = tempfile::tempdir().unwrap();
    let law = ["-r", "300/s", "--arrival", "constant", "-w", "5s"];
    let longer = [&["--scenario", "zipf", "-d", "16s"][..], &law].concat();
    let file = written(at.path(), "law.csv", &as_trace(&longer));
    let strategies = "naive,coalesce,singleflight";
    let (_, drawn) =
        simulate("zipf", &[&law[..], &["-d", "15s", "--strategy", strategies]].concat(), &at.path().join("law"));
    let traced = ["--trace", &file, "-w", "5s", "--set", "load.to=20s", "--strategy", strategies];
    let (_, traced) = simulate("zipf", &traced, &at.path().join("trace"));
    let (drawn, traced) = (record(&drawn), record(&traced));
    assert_eq!((drawn.duration_s, drawn.warmup_s), (traced.duration_s, traced.warmup_s));
    for name in strategies.split(',') {
        assert_eq!(counts(&traced, name), counts(&drawn, name), "{name}");
        assert!(strategy(&traced, name).requests > 4_000 && strategy(&traced, name).predicted.is_none(), "{name}");
    }
}

#[test]
fn the_herds_of_the_summary_are_those_that_the_simulation_shows() {
    let at = tempfile::tempdir().unwrap();
    let file = at.path().join("trace.csv");
    let law = zipf(2_000, 1.0, 400.0, 40_000);
    law.write_csv(&mut std::fs::File::create(&file).unwrap()).unwrap();
    let (service, ttl) = (Duration::from_millis(200), Some(Duration::from_secs(5)));
    let options = SummaryOptions { herds: Some(HerdQuestion { service, ttl }), ..SummaryOptions::default() };
    let mut reader = TraceReader::open(&file, &TraceOptions::default()).unwrap();
    let herds = summarise(&mut reader, &options).unwrap().herds.unwrap();
    let more = ["--trace", file.to_str().unwrap(), "-w", "0s", "--strategy", "naive,singleflight"];
    let (_, path) = simulate("hotkey-open", &more, &at.path().join("runs"));
    let run = record(&path);
    for (name, forecast) in [("naive", &herds.unprotected), ("singleflight", &herds.single_flight)] {
        let of = strategy(&run, name);
        assert_eq!((of.requests, of.valid, of.errors), (law.rows, true, 0), "{name}");
        let seen = origin_of(of).total;
        println!("{name}: {seen} reads, forecast {}", forecast.reads);
        assert!(
            (seen as f64 / forecast.reads as f64 - 1.0).abs() < 0.1,
            "{name}: {seen} reads, forecast {}",
            forecast.reads
        );
    }
}

#[test]
fn the_shards_of_a_replay_make_the_replay() {
    let at = tempfile::tempdir().unwrap();
    let text: String = (0..4_000)
        .map(|n| {
            format!("{}.{:03},k{},{}\n", n / 500, n % 500 * 2, n * n % 91, if n % 90 == 0 { "set" } else { "get" })
        })
        .collect();
    let file = written(at.path(), "trace.csv", &text);
    let more = [
        "--scenario",
        "hotkey-open",
        "--lab",
        "sim",
        "--quiet",
        "-w",
        "1s",
        "--trace",
        &file,
        "--strategy",
        "coalesce",
    ];
    let into = |name: &str| at.path().join(name);
    let (whole, parts, merged) = (into("whole"), into("parts"), into("merged"));
    assert_eq!(run(&[&more[..], &["-o", whole.to_str().unwrap()]].concat()).code, Some(0));
    for index in 0..3 {
        let part = format!("{index}/3");
        let said = run(&[&more[..], &["--shard", &part, "-o", parts.to_str().unwrap()]].concat());
        assert_eq!(said.code, Some(0), "{}", said.err);
    }
    let said = run(&["merge", "-o", merged.to_str().unwrap(), parts.to_str().unwrap()]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let [whole, merged] = [whole, merged].map(|at| record(&only_run(&at)));
    assert_eq!((merged.plan_hash, &merged.strategies), (whole.plan_hash, &whole.strategies));
    assert_eq!(whole.strategies[0].requests, 3_500 - 39);
    // Another trace in its place (under other names it would be the same one) is not merged with what was seen of this one.
    written(at.path(), "trace.csv", &text.replace("k1,", "k4,"));
    let said = run(&["merge", "-o", into("other").to_str().unwrap(), parts.to_str().unwrap()]);
    assert_eq!(said.code, Some(2), "{}", said.out);
    assert!(said.err.contains("another trace than the one that was replayed"), "{}", said.err);
}

#[test]
fn a_trace_that_changes_between_the_look_and_the_run_ends_the_run() {
    let at = tempfile::tempdir().unwrap();
    let text: String = (0..2_000).map(|n| format!("{}.{:03},k{}\n", n / 500, n % 500 * 2, n % 7)).collect();
    let file = written(at.path(), "trace.csv", &text);
    let line = [
        "loadgen",
        "--scenario",
        "hotkey-open",
        "--lab",
        "sim",
        "--quiet",
        "-w",
        "0s",
        "--strategy",
        "naive",
        "--trace",
        &file,
    ];
    let settings = Settings::of(&Cli::parse_from(line).run).unwrap();
    let plan = Arc::new(Plan::new(settings.seed, &settings.scenario, settings.replicas.into()));
    let (_stop, never) = Shutdown::pair();
    let lab = SimLab::new(&settings, plan, never);
    assert_eq!(lab.simulate(&settings.subjects[0], None, "").unwrap().figures.strategy.requests, 2_000);
    written(at.path(), "trace.csv", &text[..text.len() - 8]);
    let why = lab.simulate(&settings.subjects[0], None, "").err().unwrap().text;
    assert!(why.contains("the trace is not what it was before the run") && why.contains("run again"), "{why}");
}

/// What is advised, and whether it meets the goal, comes back, and by which strategy another family comes nearest.
fn advised(more: &[&str], into: &Path) -> (serde_json::Value, String) {
    let numbers =
        ["advise", "--ttl", "5s", "--service-time", "200ms", "--origin-capacity", "50/s", "--max-stale", "2s"];
    let said =
        run(&[&numbers[..], &["--quick", "--quiet", "--format", "json", "-o", into.to_str().unwrap()], more].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    let advice: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    (advice, only_run(into).join("scenario.toml").to_str().unwrap().to_owned())
}

#[test]
fn advice_for_a_trace_is_that_for_the_law_that_it_was_made_from() {
    let at = tempfile::tempdir().unwrap();
    let file = at.path().join("trace.csv");
    let law = zipf(100, 1.1, 100.0, 40_000);
    law.write_csv(&mut std::fs::File::create(&file).unwrap()).unwrap();
    let trace = file.to_str().unwrap();
    let (of_law, _) = advised(&["--rate", "100/s", "--keys", "zipf:100:1.1"], &at.path().join("law"));
    let (of_trace, scenario) = advised(&["--trace", trace], &at.path().join("trace"));
    for field in ["strategy", "family", "meets_goal"] {
        assert_eq!(of_trace["chosen"][field], of_law["chosen"][field], "{field}");
    }
    for field in ["goal_met", "comes_back", "layers", "goal"] {
        assert_eq!(of_trace[field], of_law[field], "{field}");
    }
    let figure =
        |advice: &serde_json::Value| advice["chosen"]["figures"]["origin.per_second"]["mean"].as_f64().unwrap();
    assert!((figure(&of_trace) / figure(&of_law) - 1.0).abs() < 0.1, "{} {}", figure(&of_trace), figure(&of_law));
    // The day is a scenario that runs by itself, on the trace's beginning.
    let text = std::fs::read_to_string(&scenario).unwrap();
    assert!(text.contains("start = \"staggered\"") && text.contains("ops = \"reads\""), "{text}");
    let said = run(&["--scenario", &scenario, "--lab", "sim", "--dry-run"]);
    assert_eq!(said.code, Some(0), "{}", said.err);

    let numbers = ["advise", "--service-time", "200ms", "--origin-capacity", "50/s", "--dry-run", "--trace", trace];
    for (more, words) in [
        (&["--ttl", "5m"][..], "too short a trace"),
        (&["--ttl", "5s", "--rate", "5/s"], "options that exclude each other"),
        (&["--ttl", "5s", "--from", "soon"], "--from"),
        (&["--ttl", "5s", "--key", "("], "no traffic to advise for"),
    ] {
        let said = run(&[&numbers[..], more].concat());
        assert_eq!(said.code, Some(2), "{words}: {}", said.err);
        assert!(said.err.contains(words), "{words:?} is not in {}", said.err);
    }
}

#[test]
fn what_cannot_be_replayed_is_refused_before_anything_runs() {
    let at = tempfile::tempdir().unwrap();
    let good = written(at.path(), "good.csv", "0,a\n1.5,b,set\n2.5,a\n");
    let writes = written(at.path(), "writes.csv", "0,a,set\n1,b,set\n");
    let unordered = written(at.path(), "unordered.csv", "9.5,a\n1.5,b\n0.5,c\n2.5,b\n");
    let folder = at.path().to_str().unwrap();
    let many: String = (0..1_500).map(|n| format!("{n}.5,a\n")).collect();
    let long = written(at.path(), "long.csv", &many);
    for (trace, more, words) in [
        (good.as_str(), &["-w", "1h"][..], "a trace that ends within the warm-up"),
        (&good, &["-d", "5s"], "options that exclude each other"),
        (&good, &["--set", "load.from=1h"], "no row lies between from and to"),
        (&good, &["--set", "load.key=("], "the trace cannot be replayed"),
        (&good, &["--set", "load.key=z"], "the trace cannot be replayed"),
        (&writes, &["--set", "load.ops=reads"], "none of its rows reads"),
        (&unordered, &[], "sort the file by time"),
        (&long, &["--set", "load.speed=0.01"], "too long a trace"),
        (folder, &[], "a folder, a pipe or a device, allowed a file"),
        ("/dev/null", &[], "a folder, a pipe or a device, allowed a file"),
        ("no-such-file.csv", &[], "name a file that can be read"),
    ] {
        let args = ["--scenario", "hotkey-open", "--lab", "sim", "-o", folder, "-w", "0s", "--trace", trace];
        let args: Vec<&str> =
            if more.contains(&"-w") { [&args[..6], &args[8..], more].concat() } else { [&args[..], more].concat() };
        let said = run(&args);
        assert_eq!(said.code, Some(2), "{words}: {}{}", said.out, said.err);
        assert!(said.err.contains(words), "{words:?} is not in {}", said.err);
    }
    // At a target nothing is written.
    let said =
        run(&["--scenario", "hotkey-open", "--target", "http://127.0.0.1:9/{key}", "--trace", &good, "-w", "0s"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(said.err.contains("--set load.ops=reads replays its reads alone"), "{}", said.err);
}

#[test]
fn a_record_is_read_where_its_trace_no_longer_is() {
    let at = tempfile::tempdir().unwrap();
    let text: String = (0..900).map(|n| format!("{}.{:03},k{},get,10,7\n", n / 100, n % 100 * 10, n % 5)).collect();
    let file = written(at.path(), "trace.csv", &text);
    let args =
        ["--scenario", "hotkey-open", "--lab", "sim", "-w", "1s", "--strategy", "singleflight", "--trace", &file];
    let said = run(&[&args[..], &["-o", at.path().join("runs").to_str().unwrap()]].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        said.err.contains("the trace's rows state TTLs from 7s to 7s, and every entry of this run has one of 5s"),
        "{}",
        said.err
    );
    let path = only_run(&at.path().join("runs"));
    std::fs::remove_file(&file).unwrap();
    let run_of = record(&path);
    assert_eq!(run_of.load, format!("replay of {file} (900 requests for 5 keys, 8991ms)"));
    let copy = std::fs::read_to_string(path.join("scenario.toml")).unwrap();
    let scenario = Scenario::parse(&copy, "scenario.toml", &[]).unwrap();
    assert_eq!(Plan::new(run_of.seed, &scenario, run_of.replicas).hash(), run_of.plan_hash);
    let at = path.to_str().unwrap();
    for again in [&["check", at][..], &["report", at]] {
        let said = run(again);
        assert_eq!(said.code, Some(0), "{again:?}: {}", said.err);
    }
}
