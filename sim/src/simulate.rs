//! One strategy's run in virtual time, from a cold start to the moment when nothing is under way any more.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use evidence::{OriginWrite, ReplicaCounters};
use scenarios::{Plan, Scenario};
use strategies::Spec;
use strategies::counter::CounterSpec;
use strategies::port::EventSink;
use strategies::time::Mono;

use crate::cache::CacheServer;
use crate::cache::memory::MemoryCache;
use crate::cache::work::ServerWork;
use crate::chaos::{Chaos, Happened};
use crate::crowd::{Crowd, Witness};
use crate::fleet::{Fleet, FleetSettings, Latencies, WarmError};
use crate::origin::ledger::ReadSink;
use crate::origin::{Read, SimOrigin};
use crate::world::{Handle, LAB, VirtualClock, World};

/// How often it is looked whether they have ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How often the servers of a cluster are looked at.
const SHARDS_EVERY: Duration = Duration::from_secs(1);
/// How often the lab is told of the time.
const TICK_EVERY: Duration = Duration::from_millis(250);
/// How often somebody is shown the cache who asks for it.
const SAMPLE_EVERY: Duration = Duration::from_millis(100);

/// What to simulate.
pub struct Simulation<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Its plan, for as many replicas.
    pub plan: Arc<Plan>,
    /// The strategy.
    pub spec: &'a Spec,
    /// What counts, where the load counts.
    pub counter: Option<&'a CounterSpec>,
    /// Shown the cache every 100 ms from the start of the warm-up to the end of the load, and when that is since t = 0 in nanoseconds.
    pub samples: Option<CacheSampler>,
    /// How many replicas.
    pub replicas: u16,
    /// The seed of everything that is drawn.
    pub seed: u64,
    /// How long messages take.
    pub latencies: Latencies,
    /// Makes the sink of a replica's events, once for each of its lives.
    pub events: Box<dyn Fn(u16, Arc<VirtualClock>) -> Arc<dyn EventSink>>,
    /// Takes the origin's reads once they are over, in the order of their arrival; `None` keeps them all.
    pub reads: Option<ReadSink>,
}

/// Shown the cache, and when.
pub type CacheSampler = Box<dyn FnMut(i64, &CacheServer)>;

/// By each second: when, nanoseconds since t = 0, and how many commands each server of a cluster had carried out by then.
pub type ShardCommands = Vec<(i64, Vec<u64>)>;

/// What a simulation left behind, beside what the witness has.
#[derive(Debug)]
pub struct SimulationResult {
    /// When the measured phase began.
    pub t0: Mono,
    /// When the load was over.
    pub ended: Mono,
    /// The origin's ledger, but for what [`Simulation::reads`] has taken.
    pub ledger: Vec<Read>,
    /// The origin's ledger of writes; times are virtual.
    pub writes: Vec<OriginWrite>,
    /// What the replicas counted between t = 0 and the end of the load.
    pub counters: ReplicaCounters,
    /// What the servers of a cluster had carried out; empty of a server that stands alone.
    pub shards: ShardCommands,
    /// The events that took effect.
    pub happened: Vec<Happened>,
    /// Tasks that had not ended in time after the load.
    pub not_quiet: usize,
}

/// Why there is nothing to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimulationError {
    /// The burst before t = 0 failed.
    #[error("the cache could not be warmed: {0}")]
    Warm(WarmError),
    /// Nothing could go on, and the run had not ended: a bug.
    #[error("the simulated world stood still before the run had ended: a bug")]
    StoodStill,
}

/// What is told a few times a second.
pub struct Tick<'a> {
    /// Nanoseconds since t = 0.
    pub now_ns: i64,
    /// When t = 0 is.
    pub t0: Mono,
    /// The origin.
    pub origin: &'a SimOrigin,
    /// What the simulation has cost so far: sleeps and calls that were asked for. The same for the same seed, on any machine.
    pub steps: u32,
}

/// Runs it. `tick` is called a few times a second of virtual time, and says whether to go on.
///
/// # Errors
/// [`SimulationError`].
pub fn simulate<W: Witness + 'static>(
    simulation: Simulation<'_>,
    witness: &Rc<RefCell<W>>,
    tick: impl FnMut(Tick<'_>) -> bool + 'static,
) -> Result<SimulationResult, SimulationError> {
    let Simulation { scenario, plan, spec, counter, samples, replicas, seed, latencies, events, reads } = simulation;
    let world = World::seeded(seed);
    let work = ServerWork::new(&scenario.keys, scenario.cache.simulated);
    let cache = CacheServer::busy(world.handle(), MemoryCache::new(world.clock(0)), work);
    let origin = SimOrigin::sized(world.handle(), scenario, seed);
    if let Some(sink) = reads {
        origin.hand_over_to(sink);
    }
    let ttls = scenario.ttls();
    let (budgets, slots) = (scenario.budgets, scenario.slots);
    let counter = counter.zip(scenario.counting.map(|counting| counting.window));
    let settings = FleetSettings { spec, counter, ttls, replicas, seed, latencies, budgets, slots, events };
    let fleet = Fleet::start(&world, settings, cache, Arc::clone(&origin));
    let crowd = Crowd::new(&fleet, scenario, plan, seed, Rc::clone(witness));
    let chaos = Rc::new(Chaos::new(&fleet, &crowd, scenario));
    let run = run(&world, scenario, &fleet, &crowd, &chaos, (tick, samples));
    let done = world.run_with(run, |call| {
        if !chaos.on_call(call) {
            crowd.on_call(call);
        }
    });
    let mut simulated = done.ok_or(SimulationError::StoodStill)?.map_err(SimulationError::Warm)?;
    simulated.ledger = origin.take_ledger();
    simulated.writes = origin.take_writes();
    Ok(simulated)
}

async fn run<W: Witness + 'static>(
    world: &World,
    scenario: &Scenario,
    fleet: &Rc<Fleet>,
    crowd: &Rc<Crowd<W>>,
    chaos: &Rc<Chaos<W>>,
    (mut tick, samples): (impl FnMut(Tick<'_>) -> bool + 'static, Option<CacheSampler>),
) -> Result<SimulationResult, WarmError> {
    let (load, handle) = (&scenario.load, world.handle());
    let t0 = match scenario.warm {
        Some(kind) => {
            let (items, at_once) = (scenario.keys.ranks(), scenario.origin.concurrency);
            fleet.warm(kind, items, at_once, scenario.warm_budget()).await?
        }
        None => handle.now().plus(load.warmup),
    };
    let since_t0 = move |at: Mono| at.0.cast_signed().wrapping_sub(t0.0.cast_signed());

    let at_start = Rc::new(Cell::new(ReplicaCounters::default()));
    let (sleep, fleet_there, told) = (handle.sleep_until(t0), Rc::clone(fleet), Rc::clone(&at_start));
    handle.spawn(LAB, async move {
        sleep.await;
        told.set(fleet_there.counted());
        fleet_there.mark();
    });
    let happened = Rc::new(RefCell::new(Vec::new()));
    let (chaos, planned, told) = (Rc::clone(chaos), scenario.events.clone(), Rc::clone(&happened));
    handle.spawn(LAB, async move { chaos.play(&planned, t0, Rc::new(move |what| told.borrow_mut().push(what))).await });
    let (ticking, crowd_there, origin) = (handle.clone(), Rc::clone(crowd), Arc::clone(&fleet.origin));
    handle.spawn(LAB, async move {
        loop {
            ticking.sleep(TICK_EVERY).await;
            if !tick(Tick { now_ns: since_t0(ticking.now()), t0, origin: &origin, steps: ticking.steps() }) {
                return crowd_there.stop();
            }
        }
    });

    if let Some(mut sampler) = samples {
        let (sampling, cache) = (handle.clone(), Arc::clone(&fleet.cache));
        handle.spawn(LAB, async move {
            loop {
                sampling.sleep(SAMPLE_EVERY).await;
                sampler(since_t0(sampling.now()), &cache);
            }
        });
    }

    let shards = look_at_shards(&handle, &fleet.cache, t0);
    crowd.load(t0.minus(load.warmup), t0, load.duration).await;
    let ended = handle.now();
    handle.crash(LAB);
    let counters = fleet.counted().since(at_start.get());
    let budget = scenario.quiet_budget();
    while world.tasks() > 0 && handle.now().since(ended) < budget {
        handle.sleep(LOOK_EVERY).await;
    }
    let (happened, not_quiet, shards) = (happened.take(), world.tasks(), shards.take());
    Ok(SimulationResult { t0, ended, ledger: Vec::new(), writes: Vec::new(), counters, shards, happened, not_quiet })
}

/// Looks at a cluster's servers once a second, until the lab's own tasks end.
fn look_at_shards(handle: &Handle, cache: &Arc<CacheServer>, t0: Mono) -> Rc<RefCell<ShardCommands>> {
    let seen: Rc<RefCell<ShardCommands>> = Rc::default();
    if cache.work.commands().is_some() {
        let (sampling, cache, told) = (handle.clone(), Arc::clone(cache), Rc::clone(&seen));
        handle.spawn(LAB, async move {
            loop {
                let since_t0 = sampling.now().0.cast_signed().wrapping_sub(t0.0.cast_signed());
                told.borrow_mut().extend(cache.work.commands().map(|of| (since_t0, of)));
                sampling.sleep(SHARDS_EVERY).await;
            }
        });
    }
    seen
}
