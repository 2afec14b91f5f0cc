//! What a run holds does not grow with its requests, nor with the origin's reads.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic here is a failed test")]
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use app::process::shutdown::Shutdown;
use clap::Parser as _;
use loadgen::cli::Cli;
use loadgen::cli::settings::Settings;
use loadgen::lab::simlab::SimLab;
use loadgen::load::measure::Floor;
use loadgen::load::record::{Answer, Collector, IssuedRequest};
use report::{HlogHeader, RunFolder};
use scenarios::{Op, Plan};
use strategies::Outcome;
use traces::law::TraceLaw;

const SECOND_NS: i64 = 1_000_000_000;

/// Records so many seconds of so many requests each, log and floor included, as a run does.
fn record(seconds: i64, per_second: i64) {
    let folder = tempfile::tempdir().unwrap();
    let files = RunFolder::at(folder.path()).strategy("naive").unwrap();
    let floor = Floor::new(10, Duration::from_millis(200), Duration::from_secs(5), Duration::ZERO);
    let collector = Collector::start(1, Some(floor)).unwrap();
    let header = HlogHeader { warmup_began: SystemTime::UNIX_EPOCH, t0_offset_ms: 0 };
    collector.begin(files.begin_latency(header).unwrap());
    collector.warm(BTreeMap::new());
    let mut recorder = collector.recorder(0);
    for n in 0..seconds * per_second {
        let intended_ns = n * (SECOND_NS / per_second);
        let asked = IssuedRequest { intended_ns, key: 1, hot: true, op: Op::Get, client: None };
        recorder.offer(&asked);
        let (outcome, error, flight) = (Some(Outcome::Hit), None, None);
        let (sent_ns, done_ns) = (intended_ns, intended_ns + 400_000);
        recorder.answer(
            &asked,
            Answer {
                near: false,
                connection: None,
                sent_ns,
                done_ns,
                outcome,
                error,
                flight,
                version: None,
                overage_us: 0,
                moved_on: false,
                resent: 0,
                attempts: 1,
                unpaid: false,
            },
        );
        if n % per_second == 0 {
            recorder.roll(intended_ns);
        }
    }
    recorder.finish(seconds - 1);
    let collected = collector.collected().unwrap().unwrap();
    assert_eq!(collected.sent, (seconds * per_second) as u64);
    assert_eq!(collected.floor.map(|floor| floor as i64), Some((10 * seconds - 1) / 52 + 1), "5.2 s apart");
    collected.log.unwrap().commit().unwrap();
}

/// Simulates a minute of `naive` at so many requests a second, of which a third read the origin, and goes through all that is
/// written of it. Returns the number of reads.
fn simulate_naive(per_second: u32) -> u64 {
    let rate = format!("load.rate={per_second}/s");
    let line = "loadgen --scenario hotkey-open --lab sim --quiet --strategy naive -w 1s -d 60s --set cache.ttl=100ms";
    let line =
        line.split(' ').chain(["--set", "origin.service_time=50ms", "--set", &rate, "--set", "origin.concurrency=256"]);
    let settings = Settings::of(&Cli::parse_from(line).run).unwrap();
    let plan = Arc::new(Plan::new(settings.seed, &settings.scenario, settings.replicas.into()));
    let (_stop, never) = Shutdown::pair();
    let folder = tempfile::tempdir().unwrap();
    let files = RunFolder::at(folder.path()).strategy("naive").unwrap();
    let trial = SimLab::new(&settings, plan, never).simulate(&settings.subjects[0], Some(&files), "").unwrap();
    let (mut events, mut reads) = (0_u64, 0_u64);
    let counted = |count: &mut u64| {
        *count += 1;
        Ok(())
    };
    trial.events.each(&mut |_| counted(&mut events)).unwrap();
    trial.origin.unwrap().each(&mut |_| counted(&mut reads)).unwrap();
    let strategy = trial.figures.strategy;
    assert!(strategy.valid, "{:?}", strategy.invalid_because);
    assert_eq!(strategy.ledgers.unwrap().origin_rows, reads);
    // Each read is a flight that is led, ends and is answered, and a put; phases are told, too.
    assert!(events > 4 * reads, "{events} events of {reads} reads");
    reads
}

/// The most memory that this process has had since it was last forgotten, MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// There is one memory: one test at a time, and what the one before had is forgotten.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    guard
}

#[test]
fn thousands_of_requests_or_millions_take_the_same_memory() {
    let _guard = alone();
    record(60, 100);
    let few = peak_mib();
    record(60, 200_000);
    // Kept one by one, twelve million arrivals would be 180 MiB.
    let more = peak_mib().saturating_sub(few);
    assert!(more < 50, "{more} MiB more than {few} for 2000 times as many requests");
}

/// An hour that is made in a second: its maker waits for the collector, which is slower.
#[test]
fn seconds_that_are_made_faster_than_they_can_be_collected_do_not_pile_up() {
    let _guard = alone();
    record(60, 100);
    let few = peak_mib();
    record(3600, 100);
    let more = peak_mib().saturating_sub(few);
    // A second of histograms has half a MiB.
    assert!(more < 150, "{more} MiB more than {few} for an hour");
}

#[test]
fn the_reads_of_a_run_are_not_held() {
    let _guard = alone();
    let few_reads = simulate_naive(30);
    let few = peak_mib();
    let many_reads = simulate_naive(3000);
    assert!(many_reads > 40_000 && many_reads > 20 * few_reads, "{few_reads} and {many_reads} reads");
    // Held with their events, as lists of text, they were 1.1 KiB each: 50 MiB and more. What grows is a byte a flight, a few
    // numbers a read of the hot key, and what is under way at once.
    let more = peak_mib().saturating_sub(few);
    assert!(more < 25, "{more} MiB more than {few} for {many_reads} reads");
}

/// Simulates so many seconds of a trace of 5 000 requests a second.
fn replay(seconds: u64) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace.csv");
    let law = TraceLaw {
        keys: 1_000,
        exponent: 1.0,
        per_s: 5_000.0,
        rows: seconds * 5_000,
        write_share: 0.0,
        ttls: Vec::new(),
        sizes: Vec::new(),
        whole_seconds: false,
        seed: 7,
    };
    law.write_csv(&mut std::io::BufWriter::new(std::fs::File::create(&file).unwrap())).unwrap();
    let line = "loadgen --scenario hotkey-open --lab sim --quiet --strategy coalesce -w 1s --trace";
    let line = line.split(' ').chain([file.to_str().unwrap()]);
    let settings = Settings::of(&Cli::parse_from(line).run).unwrap();
    let plan = Arc::new(Plan::new(settings.seed, &settings.scenario, settings.replicas.into()));
    let (_stop, never) = Shutdown::pair();
    let trial = SimLab::new(&settings, plan, never).simulate(&settings.subjects[0], None, "").unwrap();
    let strategy = trial.figures.strategy;
    assert!(strategy.valid && strategy.requests > law.rows / 2, "{:?}", strategy.invalid_because);
}

#[test]
fn the_rows_of_a_trace_are_not_held() {
    let _guard = alone();
    replay(4);
    let few = peak_mib();
    replay(300);
    // A million and a half of them, held as the 24 bytes of a request, would be 34 MiB; as rows of the file 150.
    let more = peak_mib().saturating_sub(few);
    assert!(more < 20, "{more} MiB more than {few} for 75 times as many rows");
}

/// Where nobody writes rows of 100 ms none are kept: of a simulated day they would be 400 MiB, and advice makes two at a time.
#[test]
fn a_simulation_that_writes_nothing_keeps_no_rows_of_100_ms() {
    let line = "loadgen --scenario hotkey-open --lab sim --quiet --strategy coalesce -d 30s --set load.rate=5/s";
    let settings = Settings::of(&Cli::parse_from(line.split(' ')).run).unwrap();
    let plan = Arc::new(Plan::new(settings.seed, &settings.scenario, settings.replicas.into()));
    let (_stop, never) = Shutdown::pair();
    let folder = tempfile::tempdir().unwrap();
    let files = RunFolder::at(folder.path()).strategy("coalesce").unwrap();
    let lab = SimLab::new(&settings, plan, never);
    let [written, kept] = [Some(&files), None].map(|to| lab.simulate(&settings.subjects[0], to, "").unwrap().figures);
    assert_eq!((written.bins.len(), kept.bins.len()), (10 * written.seconds.len(), 0));
    assert_eq!((written.seconds, written.strategy), (kept.seconds, kept.strategy));
}
