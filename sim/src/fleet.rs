//! The fleet: replicas that run one strategy over one cache and one origin, and what can be done to them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use evidence::ReplicaCounters;
use scenarios::Warm;
use strategies::counter::{CounterPorts, CounterSpec, CounterStack};
use strategies::port::{CacheError, Capabilities, Clock, CounterServer, EventSink};
use strategies::rng::Rng;
use strategies::time::Mono;
use strategies::{Budgets, ByItem, Cx, GetError, Key, Ports, Slots, Spec, Stack, WarmItem};

use crate::cache::link::{Link, LinkLatency};
use crate::cache::{CachePort, CacheServer, SimConnections};
use crate::origin::SimOrigin;
use crate::origin::port::OriginPort;
use crate::world::{Handle, VirtualClock, World};

/// Why a cache could not be filled before a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WarmError {
    /// The origin did not answer a read.
    #[error(transparent)]
    Read(#[from] GetError),
    /// The cache did not take an item.
    #[error("{put}{0}", put = Warm::PUT_FAILED)]
    Put(CacheError),
}

/// How long messages take in a world where nothing is wrong, one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latencies {
    /// Between a client and a replica, the replica's own work included.
    pub client: LinkLatency,
    /// Between a replica and the cache.
    pub cache: LinkLatency,
    /// Between a replica and the origin.
    pub origin: LinkLatency,
}

impl Latencies {
    /// Those of the local lab on loopback while it has nothing else to do: there a hit takes 0.16 ms with the memory cache
    /// and 0.22 ms with Redis (medians of service time, one client), and an origin read 0.2 ms more than its service time.
    ///
    /// Measured by `loadgen --scenario hotkey --strategy naive -c 1 --set load.think=5ms --set cache.ttl=60s -d 6s`, with
    /// `--cache memory` and with `--cache redis`, on two cores of an AMD EPYC (Linux 6.1, Redis 7.0.15). A busy machine's
    /// waiting is not in them.
    pub const LOOPBACK: Self = Self {
        client: LinkLatency::micros(60, 40),
        cache: LinkLatency::micros(20, 20),
        origin: LinkLatency::micros(80, 40),
    };
}

/// What a fleet is made of.
pub struct FleetSettings<'a> {
    /// The strategy.
    pub spec: &'a Spec,
    /// What counts, and how long its windows live, where the load counts.
    pub counter: Option<(&'a CounterSpec, Duration)>,
    /// The TTL of each item.
    pub ttls: ByItem<Duration>,
    /// How many replicas.
    pub replicas: u16,
    /// The seed of everything that is drawn.
    pub seed: u64,
    /// How long messages take.
    pub latencies: Latencies,
    /// How long things may take in a replica.
    pub budgets: Budgets,
    /// A replica's request slots.
    pub slots: Option<Slots>,
    /// Makes the sink of a replica's events, once for each of its lives.
    pub events: Box<dyn Fn(u16, Arc<VirtualClock>) -> Arc<dyn EventSink>>,
}

/// Replicas over a cache and an origin.
pub struct Fleet {
    pub(crate) world: Handle,
    /// The shared cache.
    pub cache: Arc<CacheServer>,
    /// The origin.
    pub origin: Arc<SimOrigin>,
    spec: Spec,
    counter: Option<(CounterSpec, Duration)>,
    ttls: ByItem<Duration>,
    root: Rng,
    pub(crate) latencies: Latencies,
    pub(crate) budgets: Budgets,
    slots: Option<Slots>,
    events: Box<dyn Fn(u16, Arc<VirtualClock>) -> Arc<dyn EventSink>>,
    replicas: Vec<SimReplica>,
}

/// One replica: what outlives its process, and the process.
pub struct SimReplica {
    /// Its clock.
    pub clock: Arc<VirtualClock>,
    /// Its link to the cache.
    pub cache_link: Arc<Link>,
    /// The link on which it hears of changes.
    pub listener_link: Arc<Link>,
    /// Its link to the origin.
    pub origin_link: Arc<Link>,
    lives: Cell<u32>,
    process: RefCell<Option<Process>>,
    /// What the lives that are over have counted; the most waiters among it.
    before: Cell<ReplicaCounters>,
    requests: Cell<u64>,
}

/// One life of a replica.
struct Process {
    stack: Rc<Stack>,
    counters: Option<Rc<CounterStack>>,
    port: Arc<CachePort>,
}

impl Process {
    /// What it has counted in this life. Requests are counted by its replica.
    fn counted(&self) -> ReplicaCounters {
        ReplicaCounters {
            requests: 0,
            cache_ops: self.stack.cache_ops() + self.counters.as_ref().map_or(0, |counters| counters.cache_ops()),
            cache_reads: self.stack.cache_reads(),
            near: self.stack.near().into(),
            pool: self.stack.pool().into(),
            traffic: Some(self.port.traffic.counters().into()),
            redirects: None,
            torn: self.stack.torn_reads(),
            ordered: self.stack.round_trips().0,
            round_trips: self.stack.round_trips().1,
            in_flight: 0,
            peak_waiters: Some(self.stack.peak_waiters()),
        }
    }
}

impl Fleet {
    /// A fleet whose replicas run.
    #[must_use]
    pub fn start(
        world: &World,
        settings: FleetSettings<'_>,
        cache: Arc<CacheServer>,
        origin: Arc<SimOrigin>,
    ) -> Rc<Self> {
        let root = Rng::new(settings.seed);
        let link =
            |latency, name: &str, replica| Arc::new(Link::new(latency, &root.fork(&format!("{name}/{replica}"))));
        let replica = |number: u16| SimReplica {
            clock: world.clock(0),
            cache_link: link(settings.latencies.cache, "cache-link", number),
            listener_link: link(settings.latencies.cache, "listener-link", number),
            origin_link: link(settings.latencies.origin, "origin-link", number),
            lives: Cell::new(0),
            process: RefCell::new(None),
            before: Cell::default(),
            requests: Cell::new(0),
        };
        let fleet = Rc::new(Self {
            world: world.handle(),
            cache,
            origin,
            spec: settings.spec.clone(),
            counter: settings.counter.map(|(spec, window)| (spec.clone(), window)),
            ttls: settings.ttls,
            replicas: (0..settings.replicas).map(replica).collect(),
            root,
            latencies: settings.latencies,
            budgets: settings.budgets,
            slots: settings.slots,
            events: settings.events,
        });
        (0..settings.replicas).for_each(|number| fleet.boot(number));
        fleet
    }

    /// The replicas, by number.
    #[must_use]
    pub fn replicas(&self) -> &[SimReplica] {
        &self.replicas
    }

    /// Starts a replica's next life, with nothing in memory. One that is running is ended first.
    pub fn boot(&self, number: u16) {
        let Some(replica) = self.replicas.get(usize::from(number)) else { return };
        if replica.process.borrow().is_some() {
            self.kill(number);
        }
        let life = replica.lives.get() + 1;
        replica.lives.set(life);
        let port =
            CachePort::new(&self.cache, number, Arc::clone(&replica.cache_link), Arc::clone(&replica.listener_link));
        let origin = OriginPort::new(&self.origin, Arc::clone(&replica.clock), Arc::clone(&replica.origin_link));
        // The first life draws what a real replica of that number draws; each has a name of its own.
        let of_life = |name: &str| match life {
            1 => format!("{name}-{number}"),
            _ => format!("{name}-{number}/life-{life}"),
        };
        let ports = Ports {
            cache: port.clone(),
            // Each simulated server has a replica, whether anybody reads from it or not.
            can: Capabilities { replicas: true, ..Capabilities::ONE_SERVER },
            lease: port.clone(),
            connections: Arc::new(SimConnections(port.clone())),
            wake: port.clone(),
            invalidations: port.clone(),
            seize: port.clone(),
            origin,
            clock: replica.clock.clone(),
            spawn: Arc::new(crate::world::Spawner::new(self.world.clone(), number)),
            events: (self.events)(number, Arc::clone(&replica.clock)),
            rng: Arc::new(self.root.fork(&of_life("replica"))),
            budgets: self.budgets,
            slots: self.slots,
        };
        let incarnation = self.root.fork(&of_life("incarnation")).next_u64();
        let stack = Stack::build(&self.spec, &ports, self.ttls.clone(), incarnation);
        let stack =
            Rc::new(stack.unwrap_or_else(|unable| unreachable!("a simulated cache can do all of it: {unable}")));
        let counters = self.counter.as_ref().map(|(spec, window)| Rc::new(self.counting(spec, *window, &port, &ports)));
        *replica.process.borrow_mut() = Some(Process { stack, counters, port });
    }

    /// What counts in a replica whose ports are these.
    fn counting(&self, spec: &CounterSpec, window: Duration, port: &Arc<CachePort>, ports: &Ports) -> CounterStack {
        let ports = CounterPorts {
            counters: Arc::clone(port) as Arc<dyn CounterServer>,
            can: ports.can,
            server: "the simulated cache".into(),
            clock: Arc::clone(&ports.clock),
            spawn: Arc::clone(&ports.spawn),
            events: Arc::clone(&ports.events),
            rng: Arc::clone(&ports.rng),
        };
        let stack = CounterStack::build(spec, &ports, window);
        stack.unwrap_or_else(|unable| unreachable!("a simulated cache can do all of it: {unable}"))
    }

    /// Ends a replica's life without a word: every task of it is dropped at the await where it stands.
    pub fn kill(&self, number: u16) {
        let Some(replica) = self.replicas.get(usize::from(number)) else { return };
        if let Some(process) = replica.process.take() {
            replica.before.set(replica.before.get().and(process.counted()));
            self.world.crash(number);
            self.world.thaw(number);
        }
    }

    /// The strategy of a replica that is alive.
    #[must_use]
    pub fn stack(&self, number: u16) -> Option<Rc<Stack>> {
        self.replicas.get(usize::from(number))?.process.borrow().as_ref().map(|process| Rc::clone(&process.stack))
    }

    /// What counts in a replica that is alive, where the load counts.
    pub(crate) fn counters(&self, number: u16) -> Option<Rc<CounterStack>> {
        self.replicas.get(usize::from(number))?.process.borrow().as_ref()?.counters.clone()
    }

    /// The cache connection of a replica that is alive.
    #[must_use]
    pub fn port(&self, number: u16) -> Option<Arc<CachePort>> {
        self.replicas.get(usize::from(number))?.process.borrow().as_ref().map(|process| Arc::clone(&process.port))
    }

    /// What all replicas have counted so far, earlier lives included. The most that waited in one at a time is that since [`Fleet::mark`].
    #[must_use]
    pub fn counted(&self) -> ReplicaCounters {
        let of = |replica: &SimReplica| {
            let now = replica.process.borrow().as_ref().map(Process::counted).unwrap_or_default();
            let requests = replica.requests.get();
            replica.before.get().and(ReplicaCounters { requests, ..now })
        };
        let all = self.replicas.iter().map(of).fold(ReplicaCounters::default(), ReplicaCounters::and);
        let is_cluster = self.cache.work.commands().is_some();
        ReplicaCounters { redirects: is_cluster.then(|| self.cache.redirects.counts()), ..all }
    }

    /// From now on the peak of waiters is counted anew.
    pub fn mark(&self) {
        for replica in &self.replicas {
            replica.before.set(ReplicaCounters { peak_waiters: None, ..replica.before.get() });
            if let Some(process) = replica.process.borrow().as_ref() {
                process.stack.mark();
            }
        }
    }

    /// A replica takes a request: its running number.
    pub(crate) fn took_request(&self, number: u16) -> u64 {
        let Some(replica) = self.replicas.get(usize::from(number)) else { return 0 };
        replica.requests.set(replica.requests.get() + 1);
        replica.requests.get()
    }

    /// Replica 0 reads every item first, within `budget`, and then puts them all in one burst, as the real one does. Returns
    /// when the last put was acknowledged.
    ///
    /// # Errors
    /// Where the origin fails a read, or the cache does not take a put.
    pub async fn warm(&self, kind: Warm, items: u32, at_once: u32, budget: Duration) -> Result<Mono, WarmError> {
        let stack = self.stack(0).ok_or(GetError::LeadersVanished)?;
        let clock = &self.replicas[0].clock;
        let cx = Cx { request: 0, deadline: clock.mono().plus(budget), replica: 0 };
        let mut read = Vec::new();
        for chunk in (1..=items).collect::<Vec<_>>().chunks(at_once.max(1) as usize) {
            let reads = chunk.iter().map(|&number| {
                let (stack, key) = (&stack, Key::of_item(number));
                async move {
                    let item = stack.prefetch(cx, &key).await?;
                    Ok::<_, GetError>(WarmItem { key, item, life_left: kind.life_left(number) })
                }
            });
            read.extend(futures_util::future::try_join_all(reads).await?);
        }
        stack.store_all(read, Warm::PUTS_AT_ONCE).await.map_err(WarmError::Put)?;
        Ok(clock.mono())
    }
}
