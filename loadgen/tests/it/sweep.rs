//! `sweep` as its user runs it: its numbers are those of single runs, its goal is found, its bad input is refused.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use app::process::shutdown::Shutdown;

use crate::common::{loadgen, only_run, run, signal, strategy};
use clap::Parser as _;
use loadgen::cli::{Cli, Command};
use loadgen::shell::exit::Failure;
use loadgen::study::sweep::grid::Grid;
use loadgen::study::sweep::runner::run_all;
use report::record::Strategy;
use report::sweep::{Point, Sweep, SweepFolder};
use report::{figure, metrics};

pub(crate) fn sweep(args: &[&str]) -> (tempfile::TempDir, Sweep, String) {
    sweep_that_ends(0, args)
}

fn sweep_that_ends(code: i32, args: &[&str]) -> (tempfile::TempDir, Sweep, String) {
    let results = tempfile::tempdir().unwrap();
    let said = run(&[&["sweep", "-o", results.path().to_str().unwrap(), "--quiet"], args].concat());
    assert_eq!(said.code, Some(code), "{}{}", said.out, said.err);
    let record = SweepFolder::at(only_run(results.path())).read().unwrap();
    (results, record, said.out)
}

fn point<'a>(sweep: &'a Sweep, strategy: &str, values: &[&str]) -> &'a Point {
    sweep.points.iter().find(|point| point.strategy == strategy && point.values == values).unwrap()
}

fn rows(folder: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(folder.join("sweep.csv")).unwrap();
    // The odd pieces stand in quotes: their commas are none that part cells.
    let cells = |line: &str| {
        let pieces = line
            .split('"')
            .enumerate()
            .map(|(at, piece)| if at % 2 == 1 { piece.replace(',', ";") } else { piece.into() });
        pieces.collect::<String>().split(',').map(str::to_owned).collect::<Vec<_>>()
    };
    let mut lines = text.lines().map(cells);
    let head = lines.next().unwrap();
    lines.map(|line| head.iter().cloned().zip(line).collect()).collect()
}

#[test]
fn its_numbers_are_those_of_single_runs_with_the_same_seed_and_settings() {
    let args = ["--scenario", "hotkey", "-d", "10s", "-w", "1s", "--set", "load.think=80ms"];
    let vary =
        ["--vary", "xfetch.beta=0.5,2", "--vary", "cache.ttl=1s,2s", "--strategy", "xfetch,best", "--seeds", "2"];
    let (results, swept, _) = sweep(&[&args[..], &vary].concat());
    let folder = only_run(results.path());
    let rows = rows(&folder);
    assert_eq!((swept.points.len(), rows.len()), (8, 16));
    for (name, strategy_text, ttl, seed) in
        [("xfetch", "xfetch(beta=2)", "1s", 43), ("best", "best(beta=0.5)", "2s", 42)]
    {
        let alone = tempfile::tempdir().unwrap();
        let (output, ttl_set, seed_text) =
            (alone.path().to_str().unwrap(), format!("cache.ttl={ttl}"), seed.to_string());
        let own = ["--lab", "sim", "--quiet", "-o", output, "--strategy", strategy_text, "--set", &ttl_set, "--seed"];
        let said = run(&[&args[..], &own, &[&seed_text]].concat());
        assert_eq!(said.code, Some(0), "{}", said.err);
        let record = crate::common::record(&only_run(alone.path()));
        let single = metrics(strategy(&record, strategy_text));

        let beta = if name == "xfetch" { "2" } else { "0.5" };
        let point = point(&swept, name, &[beta, ttl]);
        assert_eq!((point.name.as_str(), point.runs, point.valid), (strategy_text, 2, true));
        let is_it = |row: &&BTreeMap<String, String>| {
            row["strategy"] == name && row["cache.ttl"] == ttl && row["xfetch.beta"] == beta && row["seed"] == seed_text
        };
        let row = rows.iter().find(is_it).unwrap();
        for metric in scenarios::METRICS {
            let alone = figure(&single, metric).flatten().map_or_else(String::new, ToString::to_string);
            assert_eq!(row[metric], alone, "{metric} of {strategy_text}");
        }
        let total: f64 = row["origin.total"].parse().unwrap();
        let spread = point.figures["origin.total"].unwrap();
        assert!(spread.min <= total && total <= spread.max && spread.min <= spread.mean && spread.mean <= spread.max);
    }
    assert!(folder.join("charts/heatmap-xfetch.png").is_file() && folder.join("charts/heatmap-best.svg").is_file());
    assert!(std::fs::read_to_string(folder.join("scenario.toml")).unwrap().contains("think = \"80ms\""));
    assert_eq!(swept.settings.get("cache.ttl"), None, "it is varied");
    assert_eq!(swept.settings["load.think"], "80ms");
}

#[test]
fn a_goal_is_found_or_its_nearest_miss_is_said() {
    let args = ["--scenario", "hotkey", "-d", "12s", "-w", "5s", "--seeds", "2", "--vary", "cache.ttl=2s,5s"];
    let (_one, met, said) =
        sweep(&[&args[..], &["--goal", "min origin.total where latency.p99 <= 20ms and stale.share <= 1%"]].concat());
    let best = &met.points[met.ranking[0].point];
    assert!(met.ranking[0].meets, "{said}");
    assert_eq!((best.strategy.as_str(), best.values[0].as_str()), ("xfetch", "5s"), "{said}");
    assert!(met.ranking.iter().filter(|ranked| ranked.meets).all(|r| met.points[r.point].strategy == "xfetch"));
    assert!(said.contains(" of 10 settings meet it."), "{said}");
    assert!(
        said.contains("alone    loadgen --lab sim --scenario hotkey --strategy xfetch -d 12s -w 5s --set cache.ttl=5s")
    );
    assert_eq!(met.charted, ["origin.total", "latency_ms.p99", "stale.share", "origin.max_per_second"]);

    let args = ["--scenario", "hotkey", "-d", "5s", "-w", "0s", "--strategy", "swr", "--vary", "cache.ttl=1s,2s"];
    // Without a condition there is nothing to meet, and of equals none is the best.
    let (_two, _, said) = sweep(&[&args[..], &["--goal", "min errors"]].concat());
    assert!(said.contains("2 settings, the best first. 2 are equally best, at 0: in the grid's order."), "{said}");
    assert!(!said.contains("meet"), "{said}");

    let goal = ["--goal", "min errors where origin.total <= 2"];
    let (results, missed, said) = sweep_that_ends(99, &[&args[..], &goal].concat());
    assert!(missed.ranking.iter().all(|ranked| !ranked.meets));
    assert!(said.contains("NO SETTING MEETS IT, of 2. The nearest miss:"), "{said}");
    assert!(said.contains("The first of them misses: origin.total <= 2 (worst seed "), "{said}");
    let folder = only_run(results.path());
    assert!(folder.join("charts/curves.png").is_file());
    let drawn = std::fs::read(folder.join("charts/curves.svg")).unwrap();
    std::fs::remove_dir_all(folder.join("charts")).unwrap();
    assert_eq!(run(&["report", folder.to_str().unwrap()]).code, Some(0));
    assert_eq!(std::fs::read(folder.join("charts/curves.svg")).unwrap(), drawn, "drawn from the record alone");
}

#[test]
fn what_cannot_be_swept_is_refused_before_anything_runs() {
    let base = ["sweep", "--scenario", "hotkey"];
    let cases: [(&[&str], &[&str]); 22] = [
        (&[], &["--vary <KNOB=VALUES>"]),
        (&["--vary", "xfetch.bta=1"], &["unknown knob `xfetch.bta`, did you mean `xfetch.beta`?"]),
        (&["--vary", "cache.ttl=5"], &["--vary cache.ttl=5", "needs a unit"]),
        (&["--vary", "cache.ttl=1s,0s"], &["--vary cache.ttl=0s", "out of range"]),
        (&["--vary", "xfetch.beta=0..1:0.5"], &["--vary xfetch.beta=0", "out of range", "above 0, at most 100"]),
        (&["--vary", "lock.poll=1..5:1"], &["--vary lock.poll=1", "needs a unit"]),
        (&["--vary", "swr.soft=1s..9s:1s"], &["fresh for longer than the TTL", "swr(soft=6s)"]),
        (&["--vary", "cache.ttl=1s", "--vary", "cache.ttl=2s"], &["the same field twice", "a second --vary"]),
        (&["--vary", "cache.ttl=1s,2s", "--set", "cache.ttl=2s"], &["the same field twice", "--set cache.ttl=2s"]),
        (&["--vary", "load.duration=1s,2s", "-d", "2s"], &["the same field twice", "found -d for it"]),
        (
            &["--vary", "xfetch.beta=1,2", "--strategy", "naive,xfetch"],
            &["a strategy without this knob", "found naive (plain)"],
        ),
        (&["--vary", "lease.life=1s,2s"], &["a strategy without this knob", "name one with --strategy"]),
        (&["--vary", "xfetch.beta=1,2", "--vary", "swr.stale=1s,2s"], &["a strategy without this knob"]),
        (
            &["--vary", "cache.ttl=1s..900s:1s", "--vary", "load.clients=1..100:1"],
            &["too many runs", "5 strategies × 900 of cache.ttl × 100 of load.clients × 5 seeds = 2250000"],
        ),
        (&["--vary", "cache.ttl=1s,2s", "--lab", "local"], &["a sweep in real time", "found local, allowed sim"]),
        (&["--vary", "cache.ttl=1s,2s", "--redis", "redis://127.0.0.1:1"], &["--redis with --lab sim"]),
        (&["--vary", "cache.ttl=1s,2s", "--seeds", "0"], &["--seeds"]),
        (&["--vary", "cache.ttl=1s,2s", "--points", "4/4"], &["--points", "found part 4 of 4"]),
        (&["--vary", "cache.ttl=1s,2s", "--seed", "18446744073709551615"], &["the last seed is too large"]),
        (
            &["--vary", "cache.ttl=1s,2s", "--goal", "min origin.totel"],
            &["--goal, character 5", "did you mean `origin.total`?"],
        ),
        (&["--vary", "keys.kind=uniform", "--goal", "min hot.origin_total"], &["the metric is about the hot key"]),
        (&["--vary", "cache.ttl=1s,2s", "-o", "/dev/null/x"], &["cannot make the results folder"]),
    ];
    for (args, words) in cases {
        let said = run(&[&base[..], args].concat());
        assert_eq!(said.code, Some(2), "{args:?}: {}{}", said.out, said.err);
        for word in words {
            assert!(said.err.contains(word), "{args:?}: {word:?} in {}", said.err);
        }
    }
    let dry = run(&[&base[..], &["--vary", "xfetch.beta=1,2", "--dry-run", "--seeds", "3"]].concat());
    assert_eq!((dry.code, dry.out.as_str()), (Some(0), ""));
    for word in ["for      xfetch", "not for  naive, singleflight, swr, jitter", "6 runs: 2 settings × 3 seeds"] {
        assert!(dry.err.contains(word), "{}", dry.err);
    }
}

#[test]
fn ctrl_c_keeps_what_is_finished() {
    let results = tempfile::tempdir().unwrap();
    let output = results.path().to_str().unwrap();
    // Far more than anybody waits for: 40 settings, 1000 seeds.
    let args = [
        "sweep",
        "--scenario",
        "hotkey",
        "-d",
        "5s",
        "-w",
        "0s",
        "--strategy",
        "naive",
        "--seeds",
        "1000",
        "-o",
        output,
    ];
    let mut child = loadgen(&[&args[..], &["--vary", "cache.ttl=1s..40s:1s"]].concat()).spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.ends_with(" of 40000 runs\n") {
        line.clear();
        assert!(err.read_line(&mut line).unwrap() > 0, "it ended before its first run");
    }
    signal(&child, "INT");
    let mut rest = String::new();
    err.read_to_string(&mut rest).unwrap();
    let said = child.wait_with_output().unwrap();
    assert_eq!(said.status.code(), Some(130), "{rest}");
    let folder = only_run(results.path());
    let record = SweepFolder::at(&folder).read().unwrap();
    let runs: u32 = record.points.iter().map(|point| point.runs).sum();
    assert!(!record.complete && runs > 0, "{runs} runs");
    assert_eq!(rows(&folder).len(), runs as usize);
    let (most, least) = (record.points.iter().map(|p| p.runs).max(), record.points.iter().map(|p| p.runs).min());
    assert!(most.unwrap() - least.unwrap() <= 2, "the whole grid with fewer seeds: {least:?} to {most:?}");
    assert!(String::from_utf8_lossy(&said.stdout).contains("INCOMPLETE: "));
    assert!(folder.join("charts/curves.png").is_file());
    let drawn = std::fs::read_to_string(folder.join("charts/curves.svg")).unwrap();
    assert!(drawn.contains(&format!("INCOMPLETE: {runs} of 40000 runs")) && !drawn.contains("1000 seeds"));
}

fn grid(args: &[&str]) -> Grid {
    let cli = Cli::parse_from([&["loadgen", "sweep", "--scenario", "hotkey"], args].concat());
    let Some(Command::Sweep(args)) = cli.command else { panic!("not a sweep") };
    Grid::of(&args).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Any record: that of a reference run.
fn some_record() -> Strategy {
    let run = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../results/reference/hotkey");
    report::RunFolder::at(run).read_run().unwrap().strategies.remove(0)
}

#[test]
fn every_point_is_run_with_every_seed_and_the_first_failure_ends_it() {
    let grid = grid(&["--vary", "cache.ttl=1s,2s,3s", "--strategy", "naive,swr", "--seeds", "4", "--seed", "7"]);
    let (_word, never) = Shutdown::pair();
    let told = Mutex::new(Vec::new());
    let finished = run_all(
        &grid,
        |settings, _| {
            told.lock().unwrap().push((settings.subjects[0].name.clone(), settings.scenario.cache.ttl, settings.seed));
            Ok(some_record())
        },
        &never,
        true,
    );
    assert_eq!((finished.count(), finished.failure), (24, None));
    let mut told = told.into_inner().unwrap();
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 24);
    assert!(told.iter().all(|(.., seed)| (7..=10).contains(seed)));

    let failing = |settings: &loadgen::cli::settings::Settings, _: &Shutdown| {
        if settings.seed == 8 { Err(Failure::failed("no luck")) } else { Ok(some_record()) }
    };
    let finished = run_all(&grid, failing, &never, true);
    assert_eq!(finished.failure.as_ref().unwrap().text, "error: no luck");
    assert!(finished.count() >= 5 && finished.count() < 24, "{} runs", finished.count());

    let panicking =
        |_: &loadgen::cli::settings::Settings, _: &Shutdown| -> Result<Strategy, Failure> { panic!("as asked") };
    let finished = run_all(&grid, panicking, &never, true);
    assert!(finished.failure.unwrap().text.contains("a simulation panicked"), "a panic is a failure");

    let (word, told) = Shutdown::pair();
    word.stop();
    assert_eq!(run_all(&grid, |_, _| Ok(some_record()), &told, true).count(), 0);
}
