//! What the recorder adds to a request: `cargo bench -p loadgen --bench recorder`.

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use loadgen::load::record::{Answer, Collector, IssuedRequest};
use scenarios::Op;
use strategies::Outcome;

const PER_SECOND: i64 = 100_000;

/// A second of requests, decided on, answered and handed over.
fn a_second(c: &mut Criterion) {
    let mut group = c.benchmark_group("recorder");
    group.throughput(Throughput::Elements(PER_SECOND as u64));
    group.bench_function("a request", |bench| {
        let collector = Collector::start(1, None).unwrap();
        let mut recorder = collector.recorder(0);
        let mut second = 0;
        bench.iter(|| {
            let start = second * 1_000_000_000;
            for n in 0..PER_SECOND {
                let intended_ns = start + n * (1_000_000_000 / PER_SECOND);
                let asked = IssuedRequest {
                    intended_ns,
                    key: (n % 10) as u32 + 1,
                    hot: n % 10 == 0,
                    op: Op::Get,
                    client: None,
                };
                recorder.offer(&asked);
                let done_ns = intended_ns + 50_000 + n * 13 % 900_000;
                let outcome = Some(Outcome::Hit);
                let (error, flight) = (None, None);
                recorder.answer(
                    black_box(&asked),
                    Answer {
                        near: false,
                        connection: None,
                        sent_ns: intended_ns + 1_000,
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
            }
            second += 1;
            recorder.roll(second * 1_000_000_000);
        });
        recorder.finish(second);
        collector.collected().unwrap().unwrap();
    });
    group.finish();
}

criterion_group!(benches, a_second);
criterion_main!(benches);
