//! Plays a case: the world, its requests, its troubles, a time to heal, and the end.

use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use evidence::OriginFault;
use futures_channel::oneshot;
use futures_util::future::{Either, select};
use scenarios::{Law, OriginModel};
use strategies::port::{Event, EventSink};
use strategies::time::{Mono, nanos};
use strategies::{Budgets, Cx, Key, Spec, Stack};

use super::case::{AIM, Ask, Case, Fault, FaultTarget};
use super::rare::NamedCounts;
use crate::cache::CacheServer;
use crate::cache::link::LinkLatency;
use crate::cache::memory::MemoryCache;
use crate::fleet::{Fleet, FleetSettings, Latencies};
use crate::invariants::{Active, End, Fact, FactKind, Judge, Terms, Violation};
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
/// Longer than any case.
const FOR_EVER: Duration = Duration::from_secs(366 * 24 * 3600);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_micros(3700);
/// A backlog at the origin is waited for until then, and no longer.
const BACKLOG: Mono = Mono(3_600_000_000_000);
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
pub fn play(case: &Case, spec: &Spec, keep: bool) -> Played {
    let world = World::seeded(case.seed);
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
    let log = Arc::new(Mutex::new(Log { world: world.handle(), judge: Judge::new(terms), played, keep }));
    let fleet = fleet(&world, case, spec, &log);
    let heal = terms.promise.lock_life.unwrap_or_default() + Duration::from_secs(6);
    let stage = Stage { fleet, world: world.handle(), log: Arc::clone(&log) };
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

/// How far wall clocks may be apart under a case's faults. A drift ends when everything heals, which is within a minute.
fn clocks(case: &Case) -> Duration {
    let apart = |fault: &Fault| match fault.kind {
        Trouble::ClockJump => fault.amount.unsigned_abs(),
        Trouble::ClockDrift => fault.amount.unsigned_abs().saturating_mul(60),
        _ => 0,
    };
    Duration::from_nanos(case.faults.iter().map(apart).sum())
}

fn fleet(world: &World, case: &Case, spec: &Spec, log: &Shared) -> Rc<Fleet> {
    let cache = CacheServer::new(world.handle(), MemoryCache::new(world.clock(0)));
    let told = Arc::clone(log);
    cache.watch(Box::new(move |node, effect| lock(&told).push(Some(node), FactKind::Cache(effect))));
    let model = OriginModel {
        service_time: Law::Constant(case.service),
        concurrency: case.places,
        queue: case.queue,
        write_every: case.write_every,
    };
    let origin = SimOrigin::new(world.handle(), &model, case.items, case.seed);
    let told = Arc::clone(log);
    let settings = FleetSettings {
        spec,
        ttl: case.ttl,
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
struct Stage {
    fleet: Rc<Fleet>,
    world: Handle,
    log: Shared,
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
        for part in parts {
            let _ = part.await;
        }
        // Clocks stay wrong, and go no more wrong than they are: a lock may live for an hour.
        self.fleet.replicas().iter().for_each(|replica| replica.clock.drift(0));
        self.world.sleep(heal).await;
        // What began while the origin was slow stays slow, and keeps its place.
        let backlog = || self.fleet.origin.look(|reads| reads.iter().any(|read| read.end.is_none()));
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
        self.tell(None, FactKind::Over(tasks));
    }

    fn tell(&self, node: Option<u16>, what: FactKind) {
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
        let (tell, told) = oneshot::channel();
        let deadline = self.world.now().plus(BUDGETS.replica);
        let cx = Cx { request: request.into(), deadline, replica: ask.replica };
        let task = self.world.spawn(ask.replica, async move {
            let _ = tell.send(Stack::serve(stack, cx, &key).await);
        });
        let patience = ask.gone.map_or(PATIENCE, Duration::from_nanos);
        let end = match select(told, self.world.sleep(patience)).await {
            Either::Left((Ok(answer), _)) => End::Answer(answer),
            Either::Left((Err(oneshot::Canceled), _)) => End::Reset,
            Either::Right(_) => {
                self.world.end(task);
                if ask.gone.is_some() { End::Gone } else { End::Never }
            }
        };
        self.tell(node, FactKind::Answered { request, end });
    }

    /// The replica that a fault hits, once there is one.
    async fn aim(&self, whom: FaultTarget) -> u16 {
        let item = match whom {
            FaultTarget::Replica(number) => return number,
            FaultTarget::Holder(item) => Key::of_item(item),
        };
        let begun = self.world.now();
        loop {
            let holder = self.fleet.cache.holder(&item).or_else(|| self.fleet.origin.reader(&item));
            if let Some(holder) = holder {
                return holder;
            }
            if self.world.now().since(begun) > AIM {
                return 0;
            }
            self.world.sleep(LOOK_EVERY).await;
        }
    }

    /// Makes something go wrong, and returns when that is over.
    async fn go_wrong(self, fault: Fault) {
        self.world.sleep_until(Mono(fault.at)).await;
        let node = self.aim(fault.whom).await;
        let Some(replica) = self.fleet.replicas().get(usize::from(node)) else { return };
        let (length, cache) = (Duration::from_nanos(fault.length), &self.fleet.cache);
        if fault.kind == Trouble::FailOver {
            let past = cache.memory().snapshot();
            self.world.sleep(length).await;
            self.troubled(fault.kind, None, Duration::ZERO);
            return cache.fail_over(&past);
        }
        let until = self.world.now().plus(length);
        // Told before it takes effect: what follows from it comes after it in the log.
        if fault.kind.is_of_one_replica() {
            self.at_replica(fault, node, replica, until).await;
        } else {
            self.at_all(fault);
        }
        self.world.sleep_until(until).await;
    }

    /// What hits one replica.
    async fn at_replica(&self, fault: Fault, node: u16, replica: &crate::fleet::SimReplica, until: Mono) {
        let length = Duration::from_nanos(fault.length);
        let troubled = |length| self.troubled(fault.kind, Some(node), length);
        match fault.kind {
            Trouble::Crash if self.fleet.stack(node).is_some() => {
                troubled(length);
                self.fleet.kill(node);
                self.world.sleep_until(until).await;
                self.fleet.boot(node);
            }
            Trouble::Freeze => {
                troubled(length);
                self.world.freeze(node);
                self.world.sleep_until(until).await;
                self.world.thaw(node);
            }
            Trouble::RepliesLost => {
                troubled(Duration::from_secs(60));
                let lose = |replies| self.fleet.port(node).into_iter().for_each(|port| port.lose_replies(replies));
                lose(u32::try_from(fault.amount).unwrap_or(1));
                self.world.sleep_until(until).await;
                lose(0);
            }
            Trouble::CutThere => {
                troubled(length);
                replica.cache_link.there.cut(until);
            }
            Trouble::CutBack => {
                troubled(length);
                replica.cache_link.back.cut(until);
            }
            Trouble::ClockJump => {
                troubled(FOR_EVER);
                replica.clock.jump(fault.amount);
            }
            Trouble::ClockDrift => {
                troubled(FOR_EVER);
                replica.clock.drift(fault.amount);
            }
            _ => {}
        }
    }

    /// What hits the cache or the origin, and so every replica.
    fn at_all(&self, fault: Fault) {
        let (length, cache, origin) = (Duration::from_nanos(fault.length), &self.fleet.cache, &self.fleet.origin);
        let troubled = |length| self.troubled(fault.kind, None, length);
        match fault.kind {
            Trouble::CacheEmptied => {
                troubled(Duration::ZERO);
                cache.memory().clear();
            }
            Trouble::CacheLost => {
                troubled(length);
                cache.stop(length);
            }
            Trouble::CachePaused => {
                troubled(length);
                cache.pause(length);
            }
            Trouble::CacheSlow => {
                troubled(length);
                cache.slow(Duration::from_nanos(fault.amount.unsigned_abs()), length);
            }
            Trouble::CacheRefuses => {
                troubled(length);
                cache.refuse_writes(length);
            }
            Trouble::OriginSlow => {
                troubled(length + Duration::from_nanos(nanos(length)));
                origin.trouble(OriginFault::Slow(fault.amount as f64), length);
            }
            Trouble::OriginFails => {
                troubled(length);
                origin.trouble(OriginFault::Fail, length);
            }
            Trouble::OriginPaused => {
                troubled(length);
                origin.trouble(OriginFault::Pause, length);
            }
            Trouble::Corrupt => {
                let item = match fault.whom {
                    FaultTarget::Holder(item) => item,
                    FaultTarget::Replica(_) => 1,
                };
                if cache.memory().spoil(&Key::of_item(item)) {
                    troubled(Duration::ZERO);
                }
            }
            _ => {}
        }
    }

    fn troubled(&self, kind: Trouble, node: Option<u16>, length: Duration) {
        let from = self.world.now();
        let (from_ns, until_ns) = (from.0.cast_signed(), from.plus(length).0.cast_signed());
        self.tell(node, FactKind::Trouble(Active { kind, node, from_ns, until_ns }));
    }
}
