//! What the plan costs: `cargo bench -p scenarios --bench plan`. The generator asks for each request of it once.

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scenarios::{Plan, Scenario, shipped};

const ARRIVALS: usize = 10_000;

fn plan(name: &str, sets: &[(&str, &str)]) -> Plan {
    let (_, text) = shipped().iter().find(|(shipped, _)| *shipped == name).unwrap();
    let sets: Vec<_> = sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    Plan::new(42, &Scenario::parse(text, name, &sets).unwrap(), 3)
}

/// One request of a closed load: its key and its replica.
fn item(c: &mut Criterion) {
    let mut group = c.benchmark_group("item");
    for (name, plan) in [
        ("hot key", plan("hotkey", &[])),
        ("uniform", plan("bulk-warm", &[])),
        ("zipf 1.1 of 10000", plan("zipf", &[])),
        ("hot key, 5 % missing", plan("missing-keys", &[])),
    ] {
        let mut n = 0;
        group.bench_function(name, |bench| {
            bench.iter(|| {
                n += 1;
                plan.item(black_box(7), n, 0)
            });
        });
    }
    group.finish();
}

/// Requests of an open load, with their times.
fn arrivals(c: &mut Criterion) {
    let mut group = c.benchmark_group("arrival");
    group.throughput(Throughput::Elements(ARRIVALS as u64));
    for (name, plan) in [
        ("poisson", plan("hotkey-open", &[])),
        ("constant", plan("hotkey-open", &[("load.arrivals", "constant")])),
        ("poisson, ramp", plan("flash-sale", &[])),
        ("constant, ramp", plan("flash-sale", &[("load.arrivals", "constant")])),
        ("poisson, zipf", plan("zipf", &[])),
    ] {
        assert!(plan.arrivals().nth(ARRIVALS).is_some(), "{name}: the plan is shorter than what is measured");
        group.bench_function(name, |bench| bench.iter(|| black_box(&plan).arrivals().take(ARRIVALS).last()));
    }
    group.finish();
}

criterion_group!(benches, item, arrivals);
criterion_main!(benches);
