//! What an entry's way into Redis and out of it costs here: `cargo bench -p app --bench envelope`.

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench")]

use std::hint::black_box;
use std::time::Duration;

use app::cache::envelope::{decode, encode};
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use strategies::rng::Rng;
use strategies::time::Wall;
use strategies::{Entry, Life};

fn entry(value: Option<Vec<u8>>) -> Entry {
    let stored_at = Wall(1_763_719_200_000_000_000);
    Entry {
        value: value.map(Bytes::from),
        version: 7,
        read_at: Wall(stored_at.0 - 200_000_000),
        stored_at,
        life: Life::new(Duration::from_secs(5), Duration::from_secs(5)),
        delta: Duration::from_millis(200),
    }
}

/// An item as the origin sends it: its value is one letter, again and again.
fn item(bytes: usize) -> Vec<u8> {
    format!("{{\"id\":\"1\",\"version\":7,\"value\":\"{}\"}}", "x".repeat(bytes)).into_bytes()
}

/// Bytes that do not get shorter.
fn noise(bytes: usize) -> Vec<u8> {
    let rng = Rng::new(42);
    (0..bytes).map(|_| (rng.next_u64() >> 56) as u8).collect()
}

fn envelope(c: &mut Criterion) {
    let mut group = c.benchmark_group("envelope");
    for (name, value) in [
        ("no item", None),
        ("256 B", Some(item(256))),
        ("4 KiB, compressed", Some(item(4096))),
        ("4 KiB, incompressible", Some(noise(4096))),
    ] {
        let entry = entry(value);
        let bytes = encode(&entry);
        assert_eq!(decode(&bytes), Ok(entry.clone()));
        group.bench_function(format!("encode {name}"), |bench| bench.iter(|| encode(black_box(&entry))));
        group.bench_function(format!("decode {name}"), |bench| bench.iter(|| decode(black_box(&bytes))));
    }
    group.finish();
}

criterion_group!(benches, envelope);
criterion_main!(benches);
