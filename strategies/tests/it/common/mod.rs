//! A small fleet in virtual time: R replicas over one memory cache and one scripted origin.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of this")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use sim::{MemoryCache, VirtualClock, World};
use strategies::port::{
    Acquired, BoxFuture, Cache, CacheError, CacheErrorClass, Cause, Clock, Event, EventSink, FlightId, LeaderEnd,
    Lease, LoadCx, Loaded, Lookup, Message, Messages, Origin, OriginError, Released, Removal, Renewed, Stored, Token,
    Wake, When,
};
use strategies::rng::Rng;
use strategies::sabotage::Seize;
use strategies::{ConnectionUse, Cx, Entry, GetError, Key, Outcome, Ports, RunningStrategy, Served, Spec, Stack};

pub const TTL: Duration = Duration::from_secs(5);
pub const SERVICE: Duration = Duration::from_millis(200);

pub fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub fn key() -> Key {
    Key::of_item(1)
}

/// Collects one replica's events, and its waits for somebody else's lock.
#[derive(Default)]
pub struct Log(Mutex<Vec<Event>>, Mutex<Vec<Duration>>);

impl EventSink for Log {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }

    fn lock_waited(&self, waited: Duration) {
        self.1.lock().unwrap().push(waited);
    }
}

/// An origin that takes its time, and does what its script says for the n-th read.
pub struct ScriptedOrigin {
    clock: Arc<VirtualClock>,
    script: Mutex<Vec<Script>>,
    pub reads: Mutex<Vec<FlightId>>,
    version: AtomicU64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Script {
    Answer,
    Missing,
    Fail,
    Hang,
}

impl ScriptedOrigin {
    /// What the next reads do; those after them answer.
    pub fn next(&self, script: &[Script]) {
        *self.script.lock().unwrap() = script.to_vec();
    }

    pub fn count(&self) -> usize {
        self.reads.lock().unwrap().len()
    }
}

impl Origin for ScriptedOrigin {
    fn load<'a>(&'a self, key: &'a Key, cx: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        Box::pin(async move {
            self.reads.lock().unwrap().push(cx.flight);
            let next = {
                let mut script = self.script.lock().unwrap();
                if script.is_empty() { Script::Answer } else { script.remove(0) }
            };
            let read_at = self.clock.wall();
            let version = self.version.fetch_add(1, Ordering::Relaxed) + 1;
            if next == Script::Hang {
                std::future::pending::<()>().await;
            }
            self.clock.sleep(SERVICE).await;
            match next {
                Script::Fail => Err(OriginError::Failed("scripted".into())),
                Script::Missing => Ok(Loaded { value: None, version: 0, read_at }),
                _ => Ok(Loaded { value: Some(Bytes::from(format!("{key} v{version}"))), version, read_at }),
            }
        })
    }
    fn store<'a>(&'a self, _: &'a Key, _: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        Box::pin(async {
            let version = self.version.fetch_add(1, Ordering::Relaxed) + 1;
            Ok(Loaded { value: Some(Bytes::from_static(b"written")), version, read_at: Default::default() })
        })
    }
}

/// What goes wrong between a replica and the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Every operation fails, without effect.
    Down,
    /// Each command's first reply is lost, after the effect.
    AcquireReplyLost,
    ReleaseReplyLost,
    /// Reads find bytes that are no entry.
    Corrupt,
    /// Listeners hear nothing.
    MessagesLost,
}

/// The memory cache behind a round trip of 300 µs and a fault.
pub struct Link {
    inner: Arc<MemoryCache>,
    clock: Arc<VirtualClock>,
    fault: Mutex<Fault>,
    /// One way.
    latency: Mutex<Duration>,
}

impl Link {
    pub fn slow(&self, one_way: Duration) {
        *self.latency.lock().unwrap() = one_way;
    }

    pub fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    async fn cross<T>(&self, work: BoxFuture<'_, Result<T, CacheError>>) -> Result<T, CacheError> {
        if self.is(Fault::Down) {
            return Err(CacheError { class: CacheErrorClass::Down, message: "refused".into() });
        }
        let latency = *self.latency.lock().unwrap();
        self.clock.sleep(latency).await;
        let answer = work.await;
        self.clock.sleep(latency).await;
        answer
    }

    fn is(&self, fault: Fault) -> bool {
        *self.fault.lock().unwrap() == fault
    }

    /// Once: the reply is lost.
    fn lose<T>(&self, fault: Fault, answer: Result<T, CacheError>) -> Result<T, CacheError> {
        if self.is(fault) {
            self.set(Fault::None);
            return Err(CacheError { class: CacheErrorClass::Slow, message: "no reply".into() });
        }
        answer
    }
}

impl Cache for Link {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        Box::pin(async move {
            let found = self.cross(self.inner.get(key)).await;
            if self.is(Fault::Corrupt) { Ok(Lookup::Corrupt) } else { found }
        })
    }
    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        Box::pin(async move {
            if self.is(Fault::Corrupt) {
                self.set(Fault::None); // overwritten
            }
            self.cross(self.inner.put(key, entry, when)).await
        })
    }
    fn remove<'a>(&'a self, key: &'a Key, what: Removal) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(self.cross(self.inner.remove(key, what)))
    }
}

impl Lease for Link {
    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        token: Token,
        life: Duration,
    ) -> BoxFuture<'a, Result<Acquired, CacheError>> {
        Box::pin(async move {
            let answer = self.cross(self.inner.acquire(key, token, life)).await;
            self.lose(Fault::AcquireReplyLost, answer)
        })
    }
    fn renew<'a>(&'a self, key: &'a Key, token: Token, life: Duration) -> BoxFuture<'a, Result<Renewed, CacheError>> {
        Box::pin(self.cross(self.inner.renew(key, token, life)))
    }
    fn release<'a>(&'a self, key: &'a Key, token: Token) -> BoxFuture<'a, Result<Released, CacheError>> {
        Box::pin(async move {
            let answer = self.cross(self.inner.release(key, token)).await;
            self.lose(Fault::ReleaseReplyLost, answer)
        })
    }
}

impl Seize for Link {
    fn seize<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(self.cross(self.inner.seize(key)))
    }
}

impl Wake for Link {
    fn listen<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Option<Message>> {
        Box::pin(async move { if self.is(Fault::MessagesLost) { None } else { self.inner.listen(key).await } })
    }
    fn subscribe(&self) -> BoxFuture<'_, Option<Messages>> {
        self.inner.subscribe()
    }
    fn announce<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, bool> {
        self.inner.announce(key)
    }
}

/// One replica.
pub struct Replica {
    pub stack: Arc<Stack>,
    pub link: Arc<Link>,
    log: Arc<Log>,
    index: u16,
    clock: Arc<VirtualClock>,
}

/// A fleet.
pub struct Fleet {
    pub world: World,
    pub memory: Arc<MemoryCache>,
    pub origin: Arc<ScriptedOrigin>,
    pub replicas: Vec<Replica>,
}

impl Fleet {
    /// How long an operation on the cache takes, there and back.
    pub const CACHE_OPERATION: Duration = Duration::from_micros(300);

    pub fn new(spec: &str, replicas: u16) -> Self {
        let world = World::new();
        let clock = world.clock(0);
        let memory = Arc::new(MemoryCache::new(clock.clone()));
        let origin = Arc::new(ScriptedOrigin {
            clock: clock.clone(),
            script: Mutex::default(),
            reads: Mutex::default(),
            version: AtomicU64::new(0),
        });
        let spec = Spec::parse(spec).unwrap();
        let root = Rng::new(42);
        let replica = |index: u16| {
            let log = Arc::new(Log::default());
            let link = Arc::new(Link {
                inner: memory.clone(),
                clock: clock.clone(),
                fault: Mutex::new(Fault::None),
                latency: Mutex::new(Self::CACHE_OPERATION / 2),
            });
            let ports = Ports {
                cache: link.clone(),
                can: strategies::port::Capabilities::ONE_SERVER,
                lease: link.clone(),
                connections: strategies::port::NoConnections::over(link.clone()),
                wake: link.clone(),
                invalidations: link.inner.clone(),
                seize: link.clone(),
                origin: origin.clone(),
                clock: clock.clone(),
                spawn: world.spawner(index),
                events: log.clone(),
                rng: Arc::new(root.fork(&format!("replica-{index}"))),
                budgets: strategies::Budgets::USUAL,
                slots: None,
            };
            let stack = Arc::new(Stack::build(&spec, &ports, TTL, u64::from(index) + 1).unwrap());
            Replica { stack, link, log, index, clock: clock.clone() }
        };
        Self { replicas: (0..replicas).map(replica).collect(), world, memory, origin }
    }

    /// Runs a script of the test's in this world.
    pub fn run<T>(&self, script: impl Future<Output = T>) -> T {
        self.world.run(script).expect("a deadlock: nothing can run, and the test has not ended")
    }

    pub async fn sleep(&self, d: Duration) {
        self.world.sleep(d).await;
    }

    /// `n` requests at the same instant, spread over the replicas; their answers in order.
    pub async fn herd(&self, n: usize) -> Vec<Result<Served, GetError>> {
        let requests = (0..n).map(|i| self.replicas[i % self.replicas.len()].get());
        futures_util::future::join_all(requests).await
    }

    /// The cache loses the item, and keeps its leases.
    pub async fn memory_forget(&self) {
        self.memory.remove(&key(), Removal::Entry).await.unwrap();
    }

    /// All events of all replicas.
    pub fn events(&self) -> Vec<Event> {
        self.replicas.iter().flat_map(|r| r.log.0.lock().unwrap().clone()).collect()
    }

    /// How long callers of all replicas waited for somebody else's lock.
    pub fn lock_waits(&self) -> Vec<Duration> {
        self.replicas.iter().flat_map(|r| r.log.1.lock().unwrap().clone()).collect()
    }

    pub fn count(&self, which: impl Fn(&Event) -> bool) -> usize {
        self.events().iter().filter(|e| which(e)).count()
    }

    /// How the flights to the origin ended.
    pub fn flight_ends(&self) -> Vec<LeaderEnd> {
        let end = |e: Event| if let Event::FlightEnded { end, .. } = e { Some(end) } else { None };
        self.events().into_iter().filter_map(end).collect()
    }

    /// How the lock's leaders ended.
    pub fn lock_ends(&self) -> Vec<LeaderEnd> {
        let end = |e: Event| if let Event::LockEnded { end, .. } = e { Some(end) } else { None };
        self.events().into_iter().filter_map(end).collect()
    }

    /// The two witnesses: every flight that a replica led is a read that the origin saw, and each ended once.
    pub fn assert_ledgers_agree(&self) {
        let events = self.events();
        let of = |which: fn(&Event) -> Option<FlightId>| {
            let mut flights: Vec<FlightId> = events.iter().filter_map(which).collect();
            flights.sort();
            flights
        };
        let led = of(|e| if let Event::FlightLed { flight, .. } = e { Some(*flight) } else { None });
        let ended = of(|e| if let Event::FlightEnded { flight, .. } = e { Some(*flight) } else { None });
        let mut seen = self.origin.reads.lock().unwrap().clone();
        seen.sort();
        assert_eq!(led, seen, "flights led against reads seen");
        assert_eq!(led, ended, "each flight ends once");
    }

    pub fn refreshes(&self) -> usize {
        self.count(|e| matches!(e, Event::FlightLed { cause: Cause::Refresh, .. }))
    }
}

impl Replica {
    pub fn get(&self) -> impl Future<Output = Result<Served, GetError>> + Send + 'static {
        let (stack, index) = (self.stack.clone(), self.index);
        let deadline = self.clock.mono().plus(Duration::from_secs(8));
        async move { stack.get(Cx { request: 1, deadline, replica: index }, &key()).await }
    }
}

impl Replica {
    /// Answers a request for any item, and says how it came by its connections.
    pub fn serve(
        &self,
        key: Key,
    ) -> impl Future<Output = (Result<Served, GetError>, Option<ConnectionUse>)> + Send + 'static {
        let (stack, index) = (self.stack.clone(), self.index);
        let deadline = self.clock.mono().plus(Duration::from_secs(8));
        async move { Stack::serve(stack, Cx { request: 1, deadline, replica: index }, &key).await }
    }
}

impl Replica {
    /// Writes an item.
    pub async fn write(&self, key: Key) {
        let deadline = self.clock.mono().plus(Duration::from_secs(8));
        self.stack.write(Cx { request: 1, deadline, replica: self.index }, &key).await.unwrap();
    }
}

/// How many answers have each outcome: hit, stale, wait, load; and how many failed.
pub fn tally(answers: &[Result<Served, GetError>]) -> [usize; 5] {
    let of = |o: Outcome| answers.iter().filter(|a| a.as_ref().is_ok_and(|s| s.outcome == o)).count();
    let failed = answers.iter().filter(|a| a.is_err()).count();
    [of(Outcome::Hit), of(Outcome::Stale), of(Outcome::Wait), of(Outcome::Load), failed]
}
