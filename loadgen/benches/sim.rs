//! Simulated requests through the product's own path (plan, clients, ports, strategy, recorder, ledgers, files):
//! `cargo bench -p loadgen --bench sim`. Prints processor time too, of all threads, because that is what a sweep pays.

#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs, reason = "a bench")]

use std::sync::Arc;

use app::process::shutdown::Shutdown;
use clap::Parser as _;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use loadgen::cli::Cli;
use loadgen::cli::settings::Settings;
use loadgen::lab::simlab::SimLab;
use report::RunFolder;
use scenarios::Plan;

/// Simulates one strategy of a scenario; returns how many requests were sent.
fn simulate_in(scenario: &str, args: &[&str]) -> u64 {
    let cli = Cli::parse_from([&["loadgen", "--scenario", scenario, "--lab", "sim", "--quiet"], args].concat());
    let settings = Settings::of(&cli.run).unwrap();
    let plan = Arc::new(Plan::new(settings.seed, &settings.scenario, settings.replicas.into()));
    let (_stop, never) = Shutdown::pair();
    let folder = tempfile::tempdir().unwrap();
    let files = RunFolder::at(folder.path()).strategy("bench").unwrap();
    let trial = SimLab::new(&settings, plan, never).simulate(&settings.subjects[0], Some(&files), "").unwrap();
    assert!(trial.figures.strategy.valid, "{:?}", trial.figures.strategy.invalid_because);
    // As a run does: what it leaves behind is written.
    files.stream_origin(|write| trial.origin.as_ref().map_or(Ok(()), |origin| origin.each(write))).unwrap();
    files.stream_events(|write| trial.events.each(write)).unwrap();
    trial.figures.seconds.iter().map(|second| second.sent).sum()
}

fn simulate(args: &[&str]) -> u64 {
    simulate_in("hotkey", args)
}

/// Processor time of this process so far, all threads, seconds. The system counts in hundredths.
fn processor_s() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

fn requests(c: &mut Criterion) {
    let mut group = c.benchmark_group("sim");
    group.sample_size(10);
    for strategy in ["naive", "singleflight", "best"] {
        let args = ["--strategy", strategy, "--set", "load.think=0ms", "-w", "1s", "-d", "10s"];
        let (before, sent) = (processor_s(), simulate(&args));
        let used = processor_s() - before;
        eprintln!(
            "{strategy}: {sent} requests in {used:.2} CPU-seconds, {:.2} million a CPU-second",
            sent as f64 / used / 1e6
        );
        group.throughput(Throughput::Elements(sent));
        group.bench_function(BenchmarkId::new("50 clients, no think time", strategy), |b| b.iter(|| simulate(&args)));
    }
    group.finish();
}

/// The cost of a request must not grow faster than the logarithm of the number of clients.
fn clients(c: &mut Criterion) {
    let mut group = c.benchmark_group("clients");
    group.sample_size(10);
    for (clients, think) in [("50", "10ms"), ("1000", "200ms"), ("20000", "4s"), ("400000", "80s")] {
        let think = format!("load.think={think}");
        let args = ["--strategy", "swr", "-c", clients, "--set", &think, "-w", "10s", "-d", "20s"];
        group.throughput(Throughput::Elements(simulate(&args)));
        group.bench_function(BenchmarkId::new("5000 requests a second", clients), |b| b.iter(|| simulate(&args)));
    }
    group.finish();
}

/// The cost of a request must not grow with the number of keys, but for the reads that more keys need, and cache misses.
fn keys(c: &mut Criterion) {
    let mut group = c.benchmark_group("keys");
    group.sample_size(10);
    for keys in ["1", "10000", "50000", "1000000"] {
        let keys_n = format!("keys.n={keys}");
        let mut args =
            vec!["--strategy", "best", "-w", "5s", "-d", "20s", "--set", "load.rate=25000/s", "--set", &keys_n];
        args.extend(["--set", "cache.ttl=60s", "--set", "origin.service_time=20ms", "--set", "keys.exponent=1.0"]);
        group.throughput(Throughput::Elements(simulate_in("zipf", &args)));
        group.bench_function(BenchmarkId::new("25000 requests a second", keys), |b| {
            b.iter(|| simulate_in("zipf", &args));
        });
    }
    group.finish();
}

criterion_group!(benches, requests, clients, keys);
criterion_main!(benches);
