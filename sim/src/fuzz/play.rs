//! Plays a case: the world, its requests, its troubles, a time to heal, and the end.

use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use scenarios::{Law, OriginModel};
use strategies::counter::CounterSpec;
use strategies::port::{Event, EventSink};
use strategies::spec::WriteEffect;
use strategies::time::{Mono, nanos};
use strategies::{Budgets, Cx, Key, Spec, Stack, Written};

use super::aims::Aims;
use super::case::{Ask, Case, Fault, WriteAsk};
use super::rare::NamedCounts;
use super::subject::FuzzSubject;
use crate::cache::link::LinkLatency;
use crate::cache::memory::MemoryCache;
use crate::cache::work::ServerWork;
use crate::cache::{CacheServer, Effect};
use crate::fleet::{Fleet, FleetSettings, Latencies};
use crate::invariants::{End, Fact, FactKind, Judge, Terms, Violation};
use crate::origin::SimOrigin;
use crate::world::{Handle, NOBODY, VirtualClock, World};
use scenarios::Trouble;

const LATENCIES: Latencies = Latencies {
    client: LinkLatency::micros(0, 0),
    cache: LinkLatency::micros(20, 300),
    origin: LinkLatency::micros(100, 50),
};
/// A replica's budgets, as the labs' usual ones.
const BUDGETS: Budgets = Budgets::USUAL;
/// How long a client waits that does not go away.
const PATIENCE: Duration = Duration::from_secs(60);
/// A backlog at the origin is waited for until then, and no longer.
const BACKLOG: Mono = Mono(3_600_000_000_000);
/// Windows of a counter in a TTL, and how long one lives at least.
const WINDOWS: u32 = 20;
const SHORTEST: Duration = Duration::from_millis(20);
/// How long everything may take to come to rest after the last answer.
const REST: Duration = Duration::from_secs(60);

/// What became of a case.
#[derive(Debug)]
pub struct Played {
    /// The first invariant that broke.
    pub violation: Option<Violation>,
    /// How often faults took effect and rare events happened.
    pub counts: NamedCounts,
    /// How many facts there were.
    pub facts: u64,
    /// All of them, where that was asked for.
    pub log: Vec<Fact>,
    /// FNV-1a of all of them as text, where that was asked for.
    pub digest: u64,
}

/// The log: facts go to the judge as they come.
struct Log {
    world: Handle,
    judge: Judge,
    played: Played,
    keep: bool,
}

impl Log {
    fn push(&mut self, node: Option<u16>, what: FactKind) {
        if self.played.violation.is_some() {
            return;
        }
        let fact = Fact { at_ns: self.world.now().0.cast_signed(), node, what };
        self.played.facts += 1;
        self.played.counts.see(&fact);
        if self.keep {
            let line = format!("{:.6} {} {:?}", fact.at_ns as f64 / 1e9, node.map_or(-1, i32::from), fact.what);
            for byte in line.bytes() {
                self.played.digest = (self.played.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
            }
        }
        self.played.violation = self.judge.see(&fact).err();
        if self.keep {
            self.played.log.push(fact);
        }
    }
}

type Shared = Arc<Mutex<Log>>;

fn lock(log: &Shared) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Sink(u16, Shared);

impl EventSink for Sink {
    fn emit(&self, event: Event) {
        lock(&self.1).push(Some(self.0), FactKind::Told(event));
    }
}

/// Plays a case under a strategy. `keep` keeps the log as text.
#[must_use]
pub fn play(case: &Case, subject: &FuzzSubject, keep: bool) -> Played {
    let world = World::seeded(case.seed);
    let Ok(idle) = Spec::parse("naive") else { unreachable!("it is a preset") };
    let (spec, counter) = match subject {
        FuzzSubject::Items(spec) => (&**spec, None),
        // Replicas have a strategy of items in any case; nobody asks it.
        FuzzSubject::Counters(counter) => (&idle, Some(counter)),
    };
    let case = &written(case, spec);
    let terms = Terms {
        promise: spec.promise(case.ttl),
        replicas: case.replicas,
        budgets: BUDGETS,
        places: case.places as usize,
        queue: case.queue as usize,
        write_every: case.write_every,
        clocks: clocks(case),
        slack: Duration::ZERO,
        retry_share: None,
        sees_cache: true,
    };
    let digest = 0xCBF2_9CE4_8422_2325;
    let played = Played { violation: None, counts: NamedCounts::default(), facts: 0, log: Vec::new(), digest };
    let judge = if counter.is_some() { Judge::of_counters(terms) } else { Judge::new(terms) };
    let log = Arc::new(Mutex::new(Log { world: world.handle(), judge, played, keep }));
    let aims = Aims::default();
    let fleet = fleet(&world, case, (spec, counter), &log, &aims);
    let heal = terms.promise.lock_life.unwrap_or_default() + Duration::from_secs(6);
    let stage = Stage { fleet, world: world.handle(), log: Arc::clone(&log), aims };
    let over = world.run(stage.run(case, heal, &world));
    if over.is_none() {
        let mut log = lock(&log);
        let at_ns = world.handle().now().0.cast_signed();
        let sentence = "the world stood still".into();
        let (invariant, fact, of_one_key) = ("I7 one answer, in time", 0, false);
        log.played.violation.get_or_insert(Violation { invariant, fact, at_ns, sentence, of_one_key });
    }
    drop(world);
    let mut log = lock(&log);
    let empty = Played { violation: None, counts: NamedCounts::default(), facts: 0, log: Vec::new(), digest: 0 };
    std::mem::replace(&mut log.played, empty)
}

/// The case as it is played: strategies that do nothing to the cache at a write have rows that change of themselves, and the others
/// have writers, and an origin with room for them.
fn written(case: &Case, spec: &Spec) -> Case {
    if spec.write_effect() == WriteEffect::Nothing {
        return Case { writes: Vec::new(), ..case.clone() };
    }
    Case { write_every: None, places: 256, queue: 1024, ..case.clone() }
}

/// How far wall clocks may be apart under a case's faults. A drift ends when everything heals, which is within a minute.
fn clocks(case: &Case) -> Duration {
    let apart = |fault: &Fault| match fault.kind {
        Trouble::ClockJump => fault.amount.unsigned_abs(),
        Trouble::ClockDrift => fault.amount.unsigned_abs().saturating_mul(60),
        _ => 0,
    };
    Duration::from_nanos(case.faults.iter().map(apart).sum())
}

/// Servers of a cluster.
const SHARDS: u32 = 3;

fn fleet(
    world: &World,
    case: &Case,
    (spec, counter): (&Spec, Option<&CounterSpec>),
    log: &Shared,
    aims: &Aims,
) -> Rc<Fleet> {
    let is_cluster = case.faults.iter().any(|fault| Trouble::OF_SHARDS.contains(&fault.kind));
    let work = if is_cluster { ServerWork::of_shards(SHARDS) } else { ServerWork::default() };
    let cache = CacheServer::busy(world.handle(), MemoryCache::new(world.clock(0)), work);
    let (told, aims) = (Arc::clone(log), aims.clone());
    cache.watch(Box::new(move |node, effect| {
        if let Effect::Counted(key, ..) = &effect {
            aims.hit(key, node);
        }
        lock(&told).push(Some(node), FactKind::Cache(effect));
    }));
    let model = OriginModel {
        service_time: Law::Constant(case.service),
        concurrency: case.places,
        queue: case.queue,
        write_time: None,
        write_every: case.write_every,
    };
    let origin = SimOrigin::new(world.handle(), &model, case.items, case.seed);
    let told = Arc::clone(log);
    origin.watch_commits(Box::new(move |key, version| {
        lock(&told).push(None, FactKind::Committed { key: key.clone(), version });
    }));
    let told = Arc::clone(log);
    let settings = FleetSettings {
        counter: counter.map(|spec| (spec, (case.ttl / WINDOWS).max(SHORTEST))),
        spec,
        ttls: case.ttl.into(),
        replicas: case.replicas,
        seed: case.seed,
        latencies: LATENCIES,
        budgets: BUDGETS,
        slots: None,
        events: Box::new(move |node, _: Arc<VirtualClock>| Arc::new(Sink(node, Arc::clone(&told)))),
    };
    Fleet::start(world, settings, cache, origin)
}

/// The parts of a case that is being played.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) fleet: Rc<Fleet>,
    pub(super) world: Handle,
    log: Shared,
    pub(super) aims: Aims,
}

impl Stage {
    async fn run(self, case: &Case, heal: Duration, world: &World) {
        let mut parts: Vec<oneshot::Receiver<()>> = Vec::new();
        let mut part = |work: std::pin::Pin<Box<dyn Future<Output = ()>>>| {
            let (tell, told) = oneshot::channel();
            self.world.spawn(NOBODY, async move {
                work.await;
                let _ = tell.send(());
            });
            parts.push(told);
        };
        for fault in &case.faults {
            let (stage, fault) = (self.clone(), *fault);
            part(Box::pin(async move { stage.go_wrong(fault).await }));
        }
        for (request, ask) in (0..).zip(&case.asks) {
            let (stage, ask) = (self.clone(), *ask);
            part(Box::pin(async move { stage.ask(request, ask, false).await }));
        }
        for write in &case.writes {
            let (stage, write) = (self.clone(), *write);
            part(Box::pin(async move { stage.write(write).await }));
        }
        for part in parts {
            let _ = part.await;
        }
        // Clocks stay wrong, and go no more wrong than they are: a lock may live for an hour.
        self.fleet.replicas().iter().for_each(|replica| replica.clock.drift(0));
        self.world.sleep(heal).await;
        // What began while the origin was slow stays slow, and keeps its place.
        let origin = &self.fleet.origin;
        let backlog = || origin.is_writing() || origin.look(|reads| reads.iter().any(|read| read.end.is_none()));
        while backlog() && self.world.now() < BACKLOG {
            self.world.sleep(Duration::from_secs(1)).await;
        }
        let first = u32::try_from(case.asks.len()).unwrap_or(u32::MAX);
        let probes = (1..=case.items).flat_map(|item| (0..case.replicas).map(move |replica| (item, replica)));
        let now = self.world.now().0;
        // Not more at once than a small origin has room for.
        let apart = if case.places < 256 { nanos(case.service) } else { 1_000_000 };
        let probes = (first..).zip(probes).map(|(request, (item, replica))| {
            let at = now + u64::from(request - first) * apart;
            self.clone().ask(request, Ask { at, item, replica, gone: None }, true)
        });
        futures_util::future::join_all(probes).await;
        let end = self.world.now();
        while world.tasks() > 0 && self.world.now().since(end) < REST && lock(&self.log).played.violation.is_none() {
            self.world.sleep(Duration::from_millis(100)).await;
        }
        let tasks = world.tasks();
        for read in self.fleet.origin.take_ledger() {
            self.tell(None, FactKind::Read(read));
        }
        self.tell(None, FactKind::Kept(self.fleet.counted().near.entries_max));
        self.tell(None, FactKind::Over(tasks));
    }

    pub(super) fn tell(&self, node: Option<u16>, what: FactKind) {
        lock(&self.log).push(node, what);
    }

    /// One client: it asks, and waits or goes away.
    async fn ask(self, request: u32, ask: Ask, probe: bool) {
        self.world.sleep_until(Mono(ask.at)).await;
        let (key, node) = (Key::of_item(ask.item), Some(ask.replica));
        self.tell(node, FactKind::Asked { request, key: key.clone(), probe });
        let Some(stack) = self.fleet.stack(ask.replica) else {
            return self.tell(node, FactKind::Answered { request, end: End::Refused });
        };
        let counters = self.fleet.counters(ask.replica);
        let (tell, told) = oneshot::channel();
        let deadline = self.world.now().plus(BUDGETS.replica);
        let cx = Cx { request: request.into(), deadline, replica: ask.replica };
        let task = self.world.spawn(ask.replica, async move {
            let end = match counters {
                Some(counters) => End::Count(counters.count(cx, &key).await),
                None => End::Answer(Stack::serve(stack, cx, &key).await.0),
            };
            let _ = tell.send(end);
        });
        let patience = ask.gone.map_or(PATIENCE, Duration::from_nanos);
        let end = match select(told, self.world.sleep(patience)).await {
            Either::Left((Ok(end), _)) => end,
            Either::Left((Err(oneshot::Canceled), _)) => End::Reset,
            Either::Right(_) => {
                self.world.end(task);
                if ask.gone.is_some() { End::Gone } else { End::Never }
            }
        };
        self.tell(node, FactKind::Answered { request, end });
    }

    /// One writer: it waits for its answer, or until its replica dies.
    async fn write(self, write: WriteAsk) {
        self.world.sleep_until(Mono(write.at)).await;
        let Some(stack) = self.fleet.stack(write.replica) else { return };
        let (tell, told) = oneshot::channel();
        let deadline = self.world.now().plus(BUDGETS.replica);
        let cx = Cx { request: 0, deadline, replica: write.replica };
        let key = Key::of_item(write.item);
        let of_write = key.clone();
        self.world.spawn(write.replica, async move {
            let _ = tell.send(stack.write(cx, &of_write).await);
        });
        if let Ok(Ok(Written { version: Some(version), .. })) = told.await {
            self.tell(Some(write.replica), FactKind::Wrote { key, version });
        }
    }
}
