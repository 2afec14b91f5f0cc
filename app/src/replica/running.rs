//! A replica's state: what it is, and the strategy that it runs now.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use evidence::{CommandTimes, Heartbeat, ReplicaCounters};
use strategies::port::{Clock, Origin};
use strategies::rng::Rng;
use strategies::{Budgets, Ports, Spec, Stack};

use super::cache_watch::CacheWatch;
use super::counters::Counters;
use super::event_log::EventLog;
use super::held::HeldLeases;
use super::metrics::{Counting, ReplicaMetrics};
use crate::cache::cache_source::{CachePorts, CacheSource};
use crate::process::heartbeat::Heart;
use crate::process::runtime::{Counted, CountedSpawn, RealClock};
use crate::wire::control::StartReplica;

/// What a replica is made of.
pub struct ReplicaSettings {
    /// Its index in the fleet, from 0.
    pub index: u16,
    /// The shared cache.
    pub cache: Arc<dyn CacheSource>,
    /// The origin.
    pub origin: Arc<dyn Origin>,
    /// Its clock.
    pub clock: RealClock,
    /// What it uses, without secrets, for its identity.
    pub described: String,
}

/// The strategy of a replica that nobody reads.
const NOBODY_READS: &str = "plain + bare";

/// One replica.
pub struct Replica {
    pub(super) settings: ReplicaSettings,
    pub(super) incarnation: u64,
    pub(super) metrics: Arc<ReplicaMetrics>,
    pub(super) heart: Heart,
    running: Mutex<Option<Arc<Running>>>,
    requests_open: Arc<AtomicU64>,
    spawn: CountedSpawn,
}

/// A strategy that is running.
pub(super) struct Running {
    pub(super) stack: Stack,
    /// What counts, where the strategy does.
    pub(super) counters: Option<Counters>,
    pub(super) cache: CachePorts,
    pub(super) events: Arc<EventLog>,
    pub(super) held: Arc<HeldLeases>,
    /// Its index in the fleet.
    pub(super) index: u16,
    pub(super) budgets: Budgets,
    requests: AtomicU64,
    watch: Option<CacheWatch>,
}

impl Running {
    /// Takes a request's running number.
    pub(super) fn request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn cache_ops(&self) -> u64 {
        self.stack.cache_ops() + self.counters.as_ref().map_or(0, |counters| counters.stack.cache_ops())
    }
}

impl Replica {
    /// A replica that runs nothing yet.
    ///
    /// # Errors
    /// A sentence where the machine has no randomness for its incarnation, or a metric could not be made.
    pub fn new(settings: ReplicaSettings) -> Result<Arc<Self>, String> {
        Ok(Arc::new(Self {
            settings,
            incarnation: crate::wire::auth::entropy()?,
            metrics: Arc::new(ReplicaMetrics::new()?),
            heart: Heart::default(),
            running: Mutex::default(),
            requests_open: Arc::default(),
            spawn: CountedSpawn::default(),
        }))
    }

    /// Runs a strategy in a fresh namespace, in the place of what ran before. One that watches the cache does so on the current
    /// runtime.
    ///
    /// # Errors
    /// A sentence where the SPEC is none, or needs more than the cache can.
    pub fn start(&self, start: &StartReplica) -> Result<(), String> {
        self.start_on(start, String::new())
    }

    /// The same on a cache that calls itself so.
    ///
    /// # Errors
    /// As [`Replica::start`].
    pub(super) fn start_on(&self, start: &StartReplica, server: String) -> Result<(), String> {
        // Nobody reads where something counts.
        let text = start.window_ns.map_or(start.strategy.as_str(), |_| NOBODY_READS);
        let spec = Spec::parse(text).map_err(|e| e.to_string())?;
        let cache = self.settings.cache.open(&start.namespace);
        let events = Arc::new(EventLog::new(Arc::new(self.settings.clock)));
        let held = Arc::<HeldLeases>::default();
        let index = start.index.unwrap_or(self.settings.index);
        let ports = Ports {
            cache: Arc::clone(&cache.cache),
            can: self.settings.cache.can_of(&server),
            lease: HeldLeases::over(&held, Arc::clone(&cache.lease)),
            connections: HeldLeases::over_all(&held, Arc::clone(&cache.connections)),
            wake: Arc::clone(&cache.wake),
            invalidations: Arc::clone(&cache.invalidations),
            seize: Arc::clone(&cache.seize),
            origin: Arc::clone(&self.settings.origin),
            clock: Arc::new(self.settings.clock),
            spawn: Arc::new(self.spawn.clone()),
            events: Arc::new(Counting { metrics: Arc::clone(&self.metrics), log: Arc::clone(&events) }),
            rng: Arc::new(Rng::new(start.seed).fork(&format!("replica-{index}"))),
            budgets: start.budgets.into(),
            slots: start.slots.map(Into::into),
        };
        let ttls = start.ttls_ns.read(|ns| Duration::from_nanos(*ns));
        let ttl = ttls.usual;
        let stack = Stack::build(&spec, &ports, ttls, self.incarnation).map_err(|e| e.to_string())?;
        let counting = |window| {
            let server = (Arc::clone(&cache.counters), server);
            Counters::over(&start.strategy, Duration::from_nanos(window), server, &ports)
        };
        let counters = start.window_ns.map(counting).transpose()?;
        let strategy = counters.as_ref().map_or(spec.canonical(), Counters::canonical).to_owned();
        let budgets = ports.budgets;
        let watch = start.watches_cache.then(|| CacheWatch::begin(Arc::clone(&cache.aside), self.settings.clock));
        let running =
            Running { stack, counters, cache, events, held, index, budgets, requests: AtomicU64::new(0), watch };
        self.heart.restart(&self.settings.clock);
        let before = self.running.lock().unwrap_or_else(PoisonError::into_inner).replace(Arc::new(running));
        let operations = before.map_or(0, |before| before.cache_ops());
        self.metrics.started(&strategy, index, ttl, operations);
        Ok(())
    }

    pub(super) fn running(&self) -> Option<Arc<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts a request as open until what is returned is dropped.
    pub(super) fn open_request(&self) -> Counted {
        Counted::one(&self.requests_open)
    }

    pub(super) fn requests_open(&self) -> u64 {
        self.requests_open.load(Ordering::Acquire)
    }

    pub(super) fn background_tasks(&self) -> u64 {
        self.spawn.running()
    }

    pub(super) fn now_ns(&self) -> u64 {
        self.settings.clock.mono().0
    }

    pub(super) fn heartbeat(&self) -> Heartbeat {
        let cache = self.running().and_then(|running| Some(running.watch.as_ref()?.told()));
        Heartbeat { cache, ..self.heart.told(&self.settings.clock) }
    }

    /// How long commands to a cluster took since the replica's start; nothing where the cache is none.
    pub(super) fn command_times(&self) -> CommandTimes {
        self.settings.cache.command_times()
    }

    pub(super) fn counters(&self) -> ReplicaCounters {
        let in_flight = self.requests_open() + self.background_tasks();
        self.running().map_or(ReplicaCounters { in_flight, ..ReplicaCounters::default() }, |running| ReplicaCounters {
            requests: running.requests.load(Ordering::Relaxed),
            cache_reads: running.stack.cache_reads(),
            near: running.stack.near().into(),
            pool: running.stack.pool().into(),
            traffic: running.cache.traffic.as_ref().map(|traffic| traffic.counters().into()),
            redirects: self.settings.cache.redirects(),
            torn: running.stack.torn_reads(),
            ordered: running.stack.round_trips().0,
            round_trips: running.stack.round_trips().1,
            cache_ops: running.cache_ops(),
            in_flight,
            peak_waiters: Some(running.stack.peak_waiters()),
        })
    }
}
