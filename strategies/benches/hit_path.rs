//! What each preset adds to a hit: `cargo bench -p strategies --bench hit_path`. One `get` of a fresh entry on the memory
//! cache, so that what is left is the strategy: its layers, its events, its dice.

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt;
use sim::MemoryCache;
use strategies::port::{
    BoxFuture, Cache, Clock, Event, EventSink, LoadCx, Loaded, Origin, OriginError, Spawn, Stored, When,
};
use strategies::rng::Rng;
use strategies::spec::PRESETS;
use strategies::time::{Mono, Wall};
use strategies::{Cx, Entry, Key, Life, Outcome, Ports, RunningStrategy, Spec, Stack};

const TTL: Duration = Duration::from_secs(5);
const NOW: Wall = Wall(1_763_719_200_000_000_000);

/// A world in which time stands still and nothing but the cache is ever asked.
struct Still;

impl Clock for Still {
    fn mono(&self) -> Mono {
        Mono(0)
    }

    fn wall(&self) -> Wall {
        NOW
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

impl Spawn for Still {
    fn spawn(&self, _: BoxFuture<'static, ()>) {
        unreachable!("a hit on a fresh entry has no background");
    }

    fn attend(&self, _: BoxFuture<'static, ()>) {}
}

impl EventSink for Still {
    fn emit(&self, _: Event) {}
}

impl Origin for Still {
    fn load<'a>(&'a self, _: &'a Key, _: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        Box::pin(std::future::pending())
    }

    fn store<'a>(&'a self, _: &'a Key, _: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        Box::pin(std::future::pending())
    }
}

fn hit(c: &mut Criterion) {
    let mut group = c.benchmark_group("hit");
    for preset in PRESETS {
        let memory = Arc::new(MemoryCache::new(Arc::new(Still)));
        let ports = Ports {
            cache: memory.clone(),
            can: strategies::port::Capabilities::ONE_SERVER,
            lease: memory.clone(),
            connections: strategies::port::NoConnections::over(memory.clone()),
            wake: memory.clone(),
            invalidations: memory.clone(),
            seize: memory.clone(),
            origin: Arc::new(Still),
            clock: Arc::new(Still),
            spawn: Arc::new(Still),
            events: Arc::new(Still),
            rng: Arc::new(Rng::new(42)),
            budgets: strategies::Budgets::USUAL,
            slots: None,
        };
        let stack = Stack::build(&Spec::parse(preset.name).unwrap(), &ports, TTL, 1).unwrap();
        let key = Key::of_item(1);
        let entry = Entry {
            value: Some(Bytes::from(vec![b'x'; 256])),
            version: 1,
            read_at: NOW,
            stored_at: NOW,
            life: Life::new(TTL, TTL),
            delta: Duration::from_millis(200),
        };
        assert_eq!(memory.put(&key, &entry, When::Always).now_or_never(), Some(Ok(Stored::Stored)));
        let cx = Cx { request: 1, deadline: Mono(8_000_000_000), replica: 0 };
        let get = || stack.get(black_box(cx), black_box(&key)).now_or_never().unwrap().unwrap();
        assert_eq!(get().outcome, Outcome::Hit, "{}", preset.name);
        group.bench_function(preset.name, |bench| bench.iter(get));
    }
    group.finish();
}

criterion_group!(benches, hit);
criterion_main!(benches);
