//! scratch
#![allow(clippy::all, clippy::disallowed_types, clippy::disallowed_methods, missing_docs)]
#[path = "../tests/common/mod.rs"]
mod common;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let clients = args.get(1).map_or("50", |s| s);
    let think = args.get(2).map_or("0ms", |s| s);
    let duration = args.get(3).map_or("20s", |s| s);
    let spec = args.get(4).map_or("naive", |s| s);
    let replicas: u16 = args.get(5).map_or(3, |s| s.parse().unwrap());
    let scenario = common::hotkey(&[
        ("load.clients", clients),
        ("load.think", think),
        ("load.duration", duration),
        ("load.warmup", "5s"),
    ]);
    let begun = std::time::Instant::now();
    let tally = common::simulated(&scenario, spec, replicas, 42);
    let wall = begun.elapsed();
    let all = tally.answered;
    let cpu: u64 = std::fs::read_to_string("/proc/self/schedstat").unwrap().split(' ').next().unwrap().parse().unwrap();
    println!(
        "{} requests, {} reads, {:?}: {:.0} per s, {:.0} ns each, cpu {:.0} ns each",
        all,
        tally.ledger.len(),
        wall,
        all as f64 / wall.as_secs_f64(),
        wall.as_nanos() as f64 / all as f64,
        cpu as f64 / all as f64
    );
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", status.lines().find(|l| l.starts_with("VmHWM")).unwrap());
}
