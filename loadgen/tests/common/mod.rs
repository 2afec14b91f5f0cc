//! The real binary, run as its user runs it.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "each binary uses its own part of this"
)]

pub mod page;
pub mod turns;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use report::record::{BinRow, OriginFigures, Run, Strategy};
use report::{RunFolder, StrategyFolder};
pub use turns::{alone, beside};

pub fn loadgen(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Containers that happen to be up on this machine are none of these tests' business.
    command.env("COMPOSE_PROJECT_NAME", "stampede-no-such-stack");
    command
}

pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

/// Runs to the end, and not beside a test that has the machine to itself. Where it does not end well, a test that fails shows what it said.
pub fn run(args: &[&str]) -> Said {
    let _turn = turns::somewhere();
    let said: Said = loadgen(args).output().unwrap().into();
    if said.code != Some(0) {
        eprintln!("loadgen {}: {:?}\n{}", args.join(" "), said.code, said.err);
    }
    said
}

/// The only run's folder under `results`.
pub fn only_run(results: &Path) -> PathBuf {
    let mut runs: Vec<PathBuf> = std::fs::read_dir(results).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs.remove(0)
}

pub fn record(run: &Path) -> Run {
    RunFolder::at(run).read_run().unwrap()
}

pub fn strategy<'a>(run: &'a Run, name: &str) -> &'a Strategy {
    run.strategies.iter().find(|s| s.name == name).unwrap_or_else(|| panic!("{name} is not in the record"))
}

/// What reached the origin, by its ledger.
pub fn origin_of(strategy: &Strategy) -> &OriginFigures {
    strategy.origin.as_ref().unwrap()
}

pub fn folder(run: &Path, name: &str) -> StrategyFolder {
    RunFolder::at(run).strategy(name).unwrap()
}

pub fn seconds(run: &Path, name: &str) -> Vec<BinRow> {
    folder(run, name).read_seconds().unwrap()
}

/// What comes of a run that no busy machine has spoiled, and its folder: at most four tries, the last two of them alone, and the very last
/// counts in any case.
pub fn unspoiled<T>(results: &Path, run: impl FnMut(&Path) -> T) -> (T, PathBuf) {
    tries(results, false, run)
}

/// The same where nobody else's load would do: of a world that is many programs.
pub fn unspoiled_alone<T>(results: &Path, run: impl FnMut(&Path) -> T) -> (T, PathBuf) {
    tries(results, true, run)
}

fn tries<T>(results: &Path, always_alone: bool, mut run: impl FnMut(&Path) -> T) -> (T, PathBuf) {
    const TRIES: u32 = 4;
    let mut at = 1;
    loop {
        let folder = results.join(format!("try-{at}"));
        let turn = if always_alone || at + 1 >= TRIES { alone() } else { beside() };
        let said = run(&folder);
        drop(turn);
        let path = only_run(&folder);
        if at == TRIES || !is_spoiled(&record(&path)) {
            return (said, path);
        }
        at += 1;
    }
}

/// Tries each case in a thread of its own, as far as their turns allow.
pub fn each<T: Send>(cases: impl IntoIterator<Item = T>, case: impl Fn(T) + Sync) {
    std::thread::scope(|threads| {
        for one in cases {
            threads.spawn(|| case(one));
        }
    });
}

/// Whether a run is invalid, and a machine that is busy with something else explains every reason: then its times say nothing.
fn is_spoiled(run: &Run) -> bool {
    let mut because = run.strategies.iter().flat_map(Strategy::runs).flat_map(|one| &one.invalid_because).peekable();
    because.peek().is_some() && because.all(|why| is_busy(why))
}

/// Whether a reason for which a run is invalid is that the machine was busy with something else.
fn is_busy(why: &str) -> bool {
    let late = ["stood still: ", "the clocks are known to ", "the generator was late by "];
    let failed = why.strip_prefix("the cache failed ").and_then(|rest| rest.split_once('('));
    let slow = failed.is_some_and(|(_, all)| all.trim_end_matches(')').split(", ").all(|one| one.ends_with(" slow")));
    slow || late.iter().any(|begins| why.starts_with(begins))
}

/// Whether nothing speaks against a strategy's counts: it is valid, or only a busy machine made it invalid, in every try.
pub fn sound(strategy: &Strategy) -> bool {
    let mut because = strategy.invalid_because.iter().peekable();
    strategy.valid || because.peek().is_some() && because.all(|why| is_busy(why))
}

/// That a run ended with one of these codes, or with 4 where only a busy machine made it invalid.
pub fn assert_ended(said: &Said, path: &Path, codes: &[i32]) {
    let ended = said.code.is_some_and(|code| codes.contains(&code));
    assert!(ended || said.code == Some(4) && is_spoiled(&record(path)), "{}\n{}", said.out, said.err);
}

/// Makes a simulated shard's file that of one which drove a real stack: its heart beat, and its t = 0 was so much later than the others'.
pub fn starts_after(file: &Path, after_ns: i64) {
    let text = std::fs::read_to_string(file).unwrap();
    let (before, rest) = text.split_once("{\"heartbeat\":").unwrap();
    let (between, rest) = rest.split_once("\"start\":").unwrap();
    let (between, rest) =
        (&between[between.find(",\"to_t0_ns\"").unwrap()..], &rest[rest.find(",\"stopped\"").unwrap()..]);
    let heart = "{\"longest_ns\":60000000,\"silences\":[],\"steps\":[],\"cache\":null}";
    let start = format!("{{\"after_ns\":{after_ns},\"uncertainty_ns\":200000}}");
    std::fs::write(file, format!("{before}{{\"heartbeat\":{heart}{between}\"start\":{start}{rest}")).unwrap();
}

pub fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Waits, without a time of its own, until a condition holds; a test's time-out ends one that never does.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if condition() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("never: {what}");
}
