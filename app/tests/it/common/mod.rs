//! An origin and replicas on real loopback sockets, over the memory cache.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of this")]

pub mod fleet;
pub mod proxy;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::cache::cache_source::{CachePorts, CacheSource};
use app::origin::{self, OriginListeners};
use app::process::runtime::RealClock;
use app::process::shutdown::{Shutdown, Stop};
use app::replica::{self, Replica, ReplicaListeners, ReplicaSettings};
use app::wire::auth::ControlToken;
use app::wire::control::{LawWire, SizesWire, StartOrigin, StartReplica};
use app::wire::control_client::ControlClient;
use app::wire::origin_client::HttpOrigin;
use bytes::Bytes;
use evidence::CacheStatus;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use sim::MemoryCache;
use strategies::port::BoxFuture;
use tokio::net::TcpListener;

pub struct Memory(Mutex<BTreeMap<String, Arc<MemoryCache>>>);

impl CacheSource for Memory {
    fn open(&self, namespace: &str) -> CachePorts {
        let mut open = self.0.lock().unwrap();
        let fresh = || Arc::new(MemoryCache::new(Arc::new(RealClock::start())));
        let memory = open.entry(namespace.into()).or_insert_with(fresh).clone();
        CachePorts {
            cache: memory.clone(),
            aside: memory.clone(),
            lease: memory.clone(),
            connections: strategies::port::NoConnections::over(memory.clone()),
            wake: memory.clone(),
            invalidations: memory.clone(),
            counters: memory.clone(),
            traffic: None,
            seize: memory,
        }
    }
    fn cut_changes(&self, _: Duration) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { Err("nothing here can be cut".into()) })
    }

    fn status(&self) -> BoxFuture<'_, Result<CacheStatus, String>> {
        let status = CacheStatus { server: "memory".into(), incarnation: String::new(), evicted: 0, places: None };
        Box::pin(async { Ok(status) })
    }
}

pub struct Lab {
    pub origin: String,
    pub origin_control: ControlClient,
    pub replicas: Vec<String>,
    pub controls: Vec<ControlClient>,
    pub control_urls: Vec<String>,
    pub stop: Stop,
    _database: tempfile::TempDir,
}

pub async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// Ten items, a service time of `service_ms`, `concurrency` places and as many in the queue.
pub fn settings(service_ms: u64, concurrency: u32) -> StartOrigin {
    StartOrigin {
        items: 10,
        sizes: SizesWire::Constant { bytes: 256 }.into(),
        compressible: 0.0,
        concurrency,
        queue: concurrency,
        service_time: LawWire::Constant { ns: service_ms * 1_000_000 },
        seed: 1,
        write_time: None,
        write_every_ns: None,
    }
}

/// A strategy whose entries are fresh for five seconds.
pub fn start(strategy: &str) -> StartReplica {
    StartReplica {
        namespace: "run:strategy".into(),
        strategy: strategy.into(),
        ttls_ns: 5_000_000_000.into(),
        window_ns: None,
        seed: 1,
        budgets: Default::default(),
        slots: None,
        index: None,
        watches_cache: false,
    }
}

impl Lab {
    pub async fn start(replicas: u16, strategy: &str, origin: StartOrigin) -> Self {
        let (stop, shutdown) = Shutdown::pair();
        let token = ControlToken::random().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let service = origin::open(&folder.path().join("origin.sqlite")).await.unwrap();
        let ((data, origin_url), (control, control_url)) = (listener().await, listener().await);
        let listeners = OriginListeners { data, control: Some((control, token.clone())) };
        tokio::spawn(origin::run(service, listeners, shutdown.clone()));
        let origin_control = ControlClient::new(&control_url, Some(token.clone()));
        origin_control.post::<()>("/start", &origin).await.unwrap();
        let memory = Arc::new(Memory(Mutex::default()));
        let mut lab = Self {
            origin: origin_url.clone(),
            origin_control,
            replicas: Vec::new(),
            controls: Vec::new(),
            control_urls: Vec::new(),
            stop,
            _database: folder,
        };
        for index in 0..replicas {
            let clock = RealClock::start();
            let origin = Arc::new(HttpOrigin::new(&origin_url, clock).unwrap());
            let replica =
                Replica::new(ReplicaSettings { index, cache: memory.clone(), origin, clock, described: String::new() })
                    .unwrap();
            let ((data, url), (control, control_url)) = (listener().await, listener().await);
            let listeners = ReplicaListeners { data, control: Some((control, token.clone())) };
            tokio::spawn(replica::run(replica, listeners, shutdown.clone()));
            let client = ControlClient::new(&control_url, Some(token.clone()));
            client.post::<()>("/start", &start(strategy)).await.unwrap();
            lab.replicas.push(url);
            lab.controls.push(client);
            lab.control_urls.push(control_url);
        }
        lab
    }
}

pub struct Answer {
    pub status: u16,
    pub headers: hyper::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

pub async fn get(url: &str) -> Answer {
    request(Request::get(url).body(Empty::new()).unwrap()).await
}

pub async fn request(request: Request<Empty<Bytes>>) -> Answer {
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let response: Response<_> = client.request(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
    Answer { status: head.status.as_u16(), headers: head.headers, body }
}

/// Asks until it is so; a test that would wait for ever fails after ten seconds.
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(std::time::Duration::from_secs(10), asking).await.is_ok(), "never: {what}");
}
