//! What a replica adds to a hit, HTTP parsing and sockets apart: `cargo bench -p app --bench answer`. One `GET /items/1`
//! of a fresh entry on the memory cache, through the data router: routing, the strategy, headers, counting.

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use app::cache::cache_source::{CachePorts, CacheSource};
use app::process::runtime::RealClock;
use app::replica::{Replica, ReplicaSettings, data_router};
use app::wire::control::StartReplica;
use app::wire::origin_client::HttpOrigin;
use axum::body::Body;
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use evidence::CacheStatus;
use hyper::Request;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use sim::MemoryCache;
use strategies::port::{BoxFuture, Cache, Clock, When};
use strategies::{Entry, Key, Life};

struct Memory(Arc<MemoryCache>);

impl CacheSource for Memory {
    fn open(&self, _: &str) -> CachePorts {
        CachePorts {
            cache: self.0.clone(),
            aside: self.0.clone(),
            lease: self.0.clone(),
            connections: strategies::port::NoConnections::over(self.0.clone()),
            wake: self.0.clone(),
            invalidations: self.0.clone(),
            counters: self.0.clone(),
            traffic: None,
            seize: self.0.clone(),
        }
    }

    fn cut_changes(&self, _: Duration) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(std::future::pending())
    }

    fn status(&self) -> BoxFuture<'_, Result<CacheStatus, String>> {
        Box::pin(std::future::pending())
    }
}

fn hit(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _entered = runtime.enter();
    let clock = RealClock::start();
    let memory = Arc::new(MemoryCache::new(Arc::new(clock)));
    let life = Duration::from_secs(3600);
    let (read_at, stored_at) = (clock.wall(), clock.wall());
    let (value, life) = (Some(Bytes::from(vec![b'x'; 256])), Life::new(life, life));
    let entry = Entry { value, version: 1, read_at, stored_at, life, delta: Duration::from_millis(200) };
    runtime.block_on(memory.put(&Key::of_item(1), &entry, When::Always)).unwrap();
    let origin = Arc::new(HttpOrigin::new("http://127.0.0.1:9", clock).unwrap());
    let cache = Arc::new(Memory(memory));
    let replica = Replica::new(ReplicaSettings { index: 0, cache, origin, clock, described: String::new() }).unwrap();
    let (namespace, strategy) = ("bench:naive".into(), "naive".into());
    replica
        .start(&StartReplica {
            namespace,
            strategy,
            ttls_ns: 3_600_000_000_000.into(),
            window_ns: None,
            seed: 1,
            budgets: Default::default(),
            slots: None,
            index: None,
            watches_cache: false,
        })
        .unwrap();
    let router = TowerToHyperService::new(data_router(replica));
    let get = |path: &'static str| {
        let answer = router.call(Request::get(path).body(Body::empty()).unwrap());
        black_box(runtime.block_on(answer).unwrap())
    };
    assert_eq!(get("/items/1").headers()["cache-status"].to_str().unwrap().split(';').nth(1), Some(" hit"));
    let mut group = c.benchmark_group("answer");
    group.bench_function("healthz", |bench| bench.iter(|| get("/healthz")));
    group.bench_function("hit", |bench| bench.iter(|| get("/items/1")));
    group.bench_function("metrics", |bench| bench.iter(|| get("/metrics")));
    group.finish();
}

criterion_group!(benches, hit);
criterion_main!(benches);
