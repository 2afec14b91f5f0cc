//! Strategies over a real Redis and the real origin, with what a test must hold of each replica in its hands: the gate
//! behind its origin reads, its timers, its background.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::cache::cache_source::{CachePorts, CacheSource};
use app::cache::redis_cache::{RedisAddress, RedisSource};
use app::cache::redis_server::PrivateRedis;
use app::process::runtime::RealClock;
use app::wire::control::{FaultOrigin, StartOrigin};
use app::wire::origin_client::HttpOrigin;
use evidence::{OriginFault, OriginRead};
use strategies::port::{
    BoxFuture, Clock, Event, EventSink, LeaderEnd, LoadCx, Loaded, Origin, OriginError, Spawn, Stored,
};
use strategies::rng::Rng;
use strategies::time::{Mono, Wall};
use strategies::{Cx, GetError, Key, Outcome, Ports, RunningStrategy, Served, Spec, Stack};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

use super::{Lab, eventually};

/// Long enough that nothing expires in a test.
pub const TTL: Duration = Duration::from_secs(60);

/// One command to Redis, past everything that is tested.
pub async fn command<T: redis::FromRedisValue>(redis: &PrivateRedis, words: &[&str]) -> redis::RedisResult<T> {
    let client = redis::Client::open(redis.url()).unwrap();
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query_async(&mut client.get_multiplexed_async_connection().await.unwrap()).await
}

/// Where a key's entry and its lease lie.
pub fn places(key: &Key) -> (String, String) {
    (format!("lab:run:strategy:{{{key}}}:v"), format!("lab:run:strategy:{{{key}}}:l"))
}

/// The version that the entry in Redis says it has, read from its bytes.
pub async fn version_in(redis: &PrivateRedis, key: &Key) -> u64 {
    let bytes: Vec<u8> = command(redis, &["GETRANGE", &places(key).0, "5", "12"]).await.unwrap();
    u64::from_be_bytes(bytes.try_into().unwrap())
}

/// The origin as one replica sees it: an answer waits at the gate until the test opens it.
pub struct Gate {
    inner: HttpOrigin,
    closed: watch::Sender<bool>,
    held: Mutex<Vec<(Key, u64)>>,
}

impl Gate {
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    pub fn open(&self) {
        self.closed.send_replace(false);
    }

    /// Keys and versions of the answers that came to the closed gate.
    pub fn held(&self) -> Vec<(Key, u64)> {
        self.held.lock().unwrap().clone()
    }
}

impl Origin for Gate {
    fn load<'a>(&'a self, key: &'a Key, cx: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        Box::pin(async move {
            let answer = self.inner.load(key, cx).await;
            let mut closed = self.closed.subscribe();
            if *closed.borrow() {
                self.held.lock().unwrap().push((key.clone(), answer.as_ref().map_or(0, |loaded| loaded.version)));
            }
            let _ = closed.wait_for(|closed| !closed).await;
            answer
        })
    }

    fn store<'a>(&'a self, key: &'a Key, cx: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        self.inner.store(key, cx)
    }
}

/// The machine's clocks, with timers that do not fire while they are stopped: how a frozen process sees time.
pub struct Timers {
    real: RealClock,
    stopped: watch::Sender<bool>,
}

impl Clock for Timers {
    fn mono(&self) -> Mono {
        self.real.mono()
    }

    fn wall(&self) -> Wall {
        self.real.wall()
    }

    fn sleep(&self, d: Duration) -> BoxFuture<'static, ()> {
        let (slept, mut stopped) = (self.real.sleep(d), self.stopped.subscribe());
        Box::pin(async move {
            slept.await;
            let _ = stopped.wait_for(|stopped| !stopped).await;
        })
    }
}

/// Background work that a crash ends.
#[derive(Default)]
struct Tasks(Mutex<Vec<AbortHandle>>);

impl Spawn for Tasks {
    fn spawn(&self, work: BoxFuture<'static, ()>) {
        self.0.lock().unwrap().push(tokio::spawn(work).abort_handle());
    }

    fn attend(&self, work: BoxFuture<'static, ()>) {
        tokio::spawn(work);
    }
}

#[derive(Default)]
struct Log(Mutex<Vec<Event>>);

impl EventSink for Log {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

pub struct Replica {
    pub source: RedisSource,
    pub ports: CachePorts,
    pub gate: Arc<Gate>,
    pub stack: Arc<Stack>,
    timers: Arc<Timers>,
    tasks: Arc<Tasks>,
    log: Arc<Log>,
    index: u16,
}

impl Replica {
    /// Asks, on a task of its own.
    pub fn ask(&self, key: &Key) -> JoinHandle<Result<Served, GetError>> {
        let (stack, key, replica) = (self.stack.clone(), key.clone(), self.index);
        let deadline = self.timers.mono().plus(Duration::from_secs(8));
        tokio::spawn(async move { stack.get(Cx { request: 1, deadline, replica }, &key).await })
    }

    /// Writes the item, and returns the version that it then has.
    pub async fn write(&self, key: &Key) -> u64 {
        let deadline = self.timers.mono().plus(Duration::from_secs(8));
        self.stack.write(Cx { request: 1, deadline, replica: self.index }, key).await.unwrap().version.unwrap()
    }

    pub async fn get(&self, key: &Key) -> Result<Served, GetError> {
        self.ask(key).await.unwrap()
    }

    /// The replica stands still at its next origin answer, and none of its timers fires.
    pub fn freeze(&self) {
        self.gate.close();
        self.timers.stopped.send_replace(true);
    }

    /// It goes on.
    pub fn thaw(&self) {
        self.gate.open();
        self.timers.stopped.send_replace(false);
    }

    /// Its work is dropped where it stands.
    pub fn crash(&self) {
        self.tasks.0.lock().unwrap().iter().for_each(AbortHandle::abort);
    }

    /// Whether all its work has ended.
    pub fn is_idle(&self) -> bool {
        self.tasks.0.lock().unwrap().iter().all(AbortHandle::is_finished)
    }

    pub fn events(&self) -> Vec<Event> {
        self.log.0.lock().unwrap().clone()
    }

    pub fn count(&self, which: impl Fn(&Event) -> bool) -> usize {
        self.events().iter().filter(|e| which(e)).count()
    }

    pub fn fenced(&self) -> usize {
        self.count(|e| matches!(e, Event::Put { stored: Stored::Fenced, .. }))
    }

    pub fn lock_ends(&self) -> Vec<LeaderEnd> {
        let end = |e| if let Event::LockEnded { end, .. } = e { Some(end) } else { None };
        self.events().into_iter().filter_map(end).collect()
    }

    pub fn flight_ends(&self) -> Vec<LeaderEnd> {
        let end = |e| if let Event::FlightEnded { end, .. } = e { Some(end) } else { None };
        self.events().into_iter().filter_map(end).collect()
    }

    /// Failed cache operations and fall-backs: what a healthy Redis must not cause.
    pub fn troubles(&self) -> Vec<Event> {
        let trouble =
            |e: &Event| matches!(e, Event::CacheFailed { .. } | Event::LockFallback(_) | Event::LockTimeout(_));
        self.events().into_iter().filter(trouble).collect()
    }
}

pub struct Fleet {
    pub lab: Lab,
    pub replicas: Vec<Replica>,
}

impl Fleet {
    /// One replica for each address of a Redis, all in one namespace, over one origin.
    pub async fn start<A: Clone + Into<RedisAddress>>(spec: &str, addresses: &[A], origin: StartOrigin) -> Self {
        let lab = Lab::start(0, "", origin).await;
        let spec = Spec::parse(spec).unwrap();
        let replica = |(index, address): (u16, &A)| {
            let real = RealClock::start();
            let source = RedisSource::new(address.clone()).unwrap();
            let ports = source.open("run:strategy");
            let gate = Arc::new(Gate {
                inner: HttpOrigin::new(&lab.origin, real).unwrap(),
                closed: watch::channel(false).0,
                held: Mutex::default(),
            });
            let timers = Arc::new(Timers { real, stopped: watch::channel(false).0 });
            let (tasks, log) = (Arc::new(Tasks::default()), Arc::new(Log::default()));
            let stack = Stack::build(
                &spec,
                &Ports {
                    cache: ports.cache.clone(),
                    can: strategies::port::Capabilities::ONE_SERVER,
                    lease: ports.lease.clone(),
                    connections: ports.connections.clone(),
                    wake: ports.wake.clone(),
                    invalidations: ports.invalidations.clone(),
                    seize: ports.seize.clone(),
                    origin: gate.clone(),
                    clock: timers.clone(),
                    spawn: tasks.clone(),
                    events: log.clone(),
                    rng: Arc::new(Rng::new(42).fork(&format!("replica-{index}"))),
                    budgets: strategies::Budgets::USUAL,
                    slots: None,
                },
                TTL,
                u64::from(index) + 1,
            )
            .unwrap();
            Replica { source, ports, gate, stack: Arc::new(stack), timers, tasks, log, index }
        };
        let replicas = (0..).zip(addresses).map(replica).collect();
        Self { lab, replicas }
    }

    /// A fleet of `replicas` straight at a Redis.
    pub async fn of(spec: &str, redis: &PrivateRedis, replicas: usize, origin: StartOrigin) -> Self {
        Self::start(spec, &vec![redis.url(); replicas], origin).await
    }

    /// The origin's ledger.
    pub async fn ledger(&self) -> Vec<OriginRead> {
        self.lab.origin_control.get("/ledger").await.unwrap()
    }

    /// From now on the origin fails every read, or none.
    pub async fn origin_fails(&self, fails: bool) {
        let fault = FaultOrigin { kind: OriginFault::Fail, for_ns: if fails { 60_000_000_000 } else { 0 } };
        self.lab.origin_control.post::<()>("/fault", &fault).await.unwrap();
    }

    pub async fn quiet(&self) {
        eventually("all work has ended", async || self.replicas.iter().all(Replica::is_idle)).await;
    }
}

pub fn outcome(answer: &Result<Served, GetError>) -> Option<Outcome> {
    answer.as_ref().ok().map(|served| served.outcome)
}
