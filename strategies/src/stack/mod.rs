//! The stack builder: the one place where a SPEC becomes running layers, each in its slot.

pub(crate) mod budgets;
mod many;
pub(crate) mod parts;
mod ports;
mod reach;
pub mod sabotage;
pub(crate) mod slots;
#[cfg(test)]
pub(crate) mod tests;
mod views;

pub use ports::Ports;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::join_all;

use crate::fill::{Backoff, Cx, Flights, LoadFill, Prefetched};
use crate::kit::by_item::ByItem;
use crate::layer::write::{ItemWriter, StoreWriter, WriteDoor};
use crate::layer::{ConnectionUse, Copies, Metered, NearCounters, Operations, PoolCounters, Written};
use crate::policy::{Policy, Served};
use crate::port::entry::Life;
use crate::port::error::GetError;
use crate::port::key::Key;
use crate::port::lives::EntryLives;
use crate::port::{BoxFuture, CacheError, Cause, Clock, Removal, Spawn, When};
use crate::spec::{FillLayer, Spec};
use crate::stack::parts::Parts;
use crate::stack::reach::Reach;
use crate::stack::slots::Door;
use crate::stack::views::Views;

/// A strategy that is running in one replica.
pub trait RunningStrategy: Send + Sync {
    /// Answers one request.
    ///
    /// # Errors
    /// [`GetError`] where there is no answer to give; see its variants.
    fn get<'a>(&'a self, cx: Cx, key: &'a Key) -> BoxFuture<'a, Result<Served, GetError>>;
}

/// A strategy that this cache cannot carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{strategy} needs {lacks}, which this cache does not have: choose another strategy, or another cache")]
pub struct Unable {
    /// The composition.
    pub strategy: String,
    /// What is not there.
    pub lacks: &'static str,
}

/// How long puts before a run wait that the cache did not answer in time, before they are made again: what it still has to do gets done.
const WARM_PAUSES: [Duration; 3] = [Duration::from_millis(200), Duration::from_millis(500), Duration::from_secs(1)];

/// An item that a cache is warmed with.
#[derive(Debug, Clone)]
pub struct WarmItem {
    /// Its key.
    pub key: Key,
    /// What the origin said.
    pub item: Prefetched,
    /// Which part of its fresh life it has left, above 0, at most 1.
    pub life_left: f64,
}

/// A strategy's layers over a replica's ports.
pub struct Stack {
    policy: Policy,
    load: LoadFill,
    writer: Arc<dyn ItemWriter>,
    lives: EntryLives,
    operations: Arc<Operations>,
    copies: Arc<Copies>,
    /// What the breaker of the shared cache keeps, where it does.
    kept: Option<Arc<Copies>>,
    reach: Reach,
    door: Door,
    clock: Arc<dyn Clock>,
    spawn: Arc<dyn Spawn>,
}

impl Stack {
    /// Builds a strategy. `ttls` are the scenario's TTLs, `incarnation` names this life of this replica in its flights.
    ///
    /// # Errors
    /// [`Unable`] where it needs more than the cache can.
    pub fn build(
        spec: &Spec,
        ports: &Ports,
        ttls: impl Into<ByItem<Duration>>,
        incarnation: u64,
    ) -> Result<Self, Unable> {
        let ttls = ttls.into();
        if let Some(lacks) = ports.can.lacks(spec.needs()) {
            return Err(Unable { strategy: spec.canonical().to_owned(), lacks });
        }
        let spec = &spec.clone().fitted(&ports.budgets);
        let (reach, ports) = Reach::of(spec, ports);
        let operations = Arc::<Operations>::default();
        let Parts { mut ports, early, near, write, fill } = parts(spec, metered(&ports, &operations));
        let kept = spec.cache_breaker.as_ref().and_then(|breaker| breaker.guard(&mut ports));
        let Views { copies, shared, cache } = Views::of(spec, near.as_ref(), &mut ports);
        let flights = Arc::new(Flights::new(incarnation, Arc::clone(&ports.events)));
        let backoff = Arc::new(Backoff::new(Arc::clone(&ports.clock), ports.rng.fork("backoff")));
        let load = LoadFill {
            ports: ports.clone(),
            shared: Arc::clone(&shared),
            cache: Arc::clone(&cache),
            flights: Arc::clone(&flights),
            backoff,
            reread: !spec.fill.is_empty(),
            negative: spec.absent_life(),
            ordered: spec.orders_fills(),
        };
        // Warming a cache is not the strategy's doing, so its reads pass by the layers.
        let origin = spec.origin.iter().fold(Arc::clone(&ports.origin), |inner, layer| layer.around(inner, &ports));
        let guarded = LoadFill { ports: Ports { origin: Arc::clone(&origin), ..ports.clone() }, ..load.clone() };
        let fill = fill(guarded, &|innermost| {
            let around =
                |inner, layer: &Arc<dyn FillLayer>| layer.around(inner, Arc::clone(&shared), &ports, incarnation);
            spec.fill.iter().fold(innermost, around)
        });
        let fill = reach.connecting.held_for_fills(fill);
        let (door, clock, spawn) = (Door::new(ports.slots), Arc::clone(&ports.clock), Arc::clone(&ports.spawn));
        let waiters = Arc::clone(&door.waiters);
        let lives = EntryLives(ttls.map(|ttl| spec.policy.life(*ttl)));
        let removal = if spec.promise(ttls.usual).fenced { Removal::EntryAndLease } else { Removal::Entry };
        let written = WriteDoor {
            ports: ports.clone(),
            cache: Arc::clone(&cache),
            lives: lives.clone(),
            names: reach.names.clone(),
            bus: near.as_ref().and_then(|layer| layer.bus),
            copies: Arc::clone(&copies),
            removal,
        };
        let store: Arc<dyn ItemWriter> = Arc::new(StoreWriter { ports: ports.clone(), origin, flights });
        let writer = match write {
            Some(layer) => layer.around(store, &written),
            None => store,
        };
        let rng = ports.rng.fork("policy");
        let policy = Policy { ports, shared, cache, fill, early, lives: lives.clone(), rng, waiters };
        Ok(Self { policy, load, writer, lives, operations, copies, kept, reach, door, clock, spawn })
    }

    /// Reads an item from the origin to warm the cache with, in a flight of its own.
    ///
    /// # Errors
    /// [`GetError::Origin`] where the origin fails.
    pub async fn prefetch(&self, cx: Cx, key: &Key) -> Result<Prefetched, GetError> {
        Ok(self.load.prefetch(cx, key, Cause::Warm).await?.0)
    }

    /// Writes prefetched items through the strategy's own put, so many at a time, each with that part of its fresh life left. A put that the
    /// cache did not answer in time is made again: connections that are only being made answer late, and so does a machine that is busy.
    ///
    /// # Errors
    /// Where the cache did not take one.
    pub async fn store_all(&self, items: Vec<WarmItem>, at_once: usize) -> Result<(), CacheError> {
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            let mut pauses = WARM_PAUSES.iter();
            let mut left = self.late_of(items.by_ref().take(at_once.max(1)).collect()).await?;
            while let Some((_, last)) = left.first() {
                self.clock.sleep(*pauses.next().ok_or_else(|| last.clone())?).await;
                left = self.late_of(left.into_iter().map(|(item, _)| item).collect()).await?;
            }
        }
        Ok(())
    }

    /// Puts all at once; those of them that the cache did not answer in time.
    async fn late_of(&self, items: Vec<WarmItem>) -> Result<Vec<(WarmItem, CacheError)>, CacheError> {
        let said = join_all(items.iter().map(|item| self.store(item))).await;
        let failed = items.into_iter().zip(said).filter_map(|(item, said)| Some((item, said.err()?)));
        failed.map(|(item, error)| if error.is_late() { Ok((item, error)) } else { Err(error) }).collect()
    }

    async fn store(&self, WarmItem { key, item, life_left }: &WarmItem) -> Result<(), CacheError> {
        let whole = self.lives.of(key);
        let Life { soft, hard } = whole;
        let life =
            if *life_left < 1.0 { Life::new(soft.mul_f64(*life_left), hard.saturating_sub(soft)) } else { whole };
        for name in self.reach.names.all(key) {
            self.load.store(&name, item.clone(), life, When::Always).await.1?;
        }
        Ok(())
    }

    /// Answers one request, as [`RunningStrategy::get`] does, in a future of its own kind: for a world that has many of them. And says
    /// how the request came by its connections to the shared cache, where it took any from a pool.
    pub async fn serve(
        stack: impl Deref<Target = Self>,
        cx: Cx,
        key: impl Deref<Target = Key>,
    ) -> (Result<Served, GetError>, Option<ConnectionUse>) {
        stack.reach.connecting.within(stack.answer(cx, &key)).await
    }

    /// Writes an item: gives it a new version at the origin, and does to the cache what the strategy does then. In the background, so
    /// that a client that goes away leaves nothing half done.
    ///
    /// # Errors
    /// [`GetError`] where it was not committed, as far as the replica knows.
    pub async fn write(&self, cx: Cx, key: &Key) -> Result<Written, GetError> {
        self.reach.connecting.within(self.carry_out(cx, key)).await.0
    }

    async fn carry_out(&self, cx: Cx, key: &Key) -> Result<Written, GetError> {
        let _slot = self.door.enter(&*self.clock, cx.deadline).await?;
        let (tell, told) = oneshot::channel();
        let (writer, key) = (Arc::clone(&self.writer), key.clone());
        self.spawn.spawn(Box::pin(async move {
            let _ = tell.send(writer.write(cx, &key).await.map(|item| item.written()));
        }));
        told.await.unwrap_or(Err(GetError::LeadersVanished))
    }

    /// In its slot, where there is a limit to them.
    async fn answer(&self, cx: Cx, key: &Key) -> Result<Served, GetError> {
        let name = self.reach.names.any(key);
        let key = name.as_ref().unwrap_or(key);
        if !self.door.is_limited() {
            return self.policy.get(cx, key).await;
        }
        let _slot = self.door.enter(&*self.clock, cx.deadline).await?;
        self.policy.get(cx, key).await
    }

    /// How many requests waited at a time, at most, for a slot or for a value that was not in the cache (their own read included),
    /// since the last [`Stack::mark`].
    #[must_use]
    pub fn peak_waiters(&self) -> u64 {
        self.door.waiters.peak()
    }

    /// From now on the peak of waiters is counted anew.
    pub fn mark(&self) {
        self.door.waiters.mark();
    }

    /// Cache and lease operations so far.
    #[must_use]
    pub fn cache_ops(&self) -> u64 {
        self.operations.all()
    }

    /// Of these, reads of entries in the shared cache.
    #[must_use]
    pub fn cache_reads(&self) -> u64 {
        self.operations.reads()
    }

    /// Reads that found parts of an item of different versions.
    #[must_use]
    pub fn torn_reads(&self) -> u64 {
        self.reach.parts.torn()
    }

    /// Requests for several items so far whose reads a layer orders, and the round trips to the shared cache that they waited for, one after the
    /// other; what others did for them is not counted.
    #[must_use]
    pub fn round_trips(&self) -> (u64, u64) {
        self.reach.batching.trips.as_ref().map_or((0, 0), |trips| trips.counted())
    }

    /// Whether what it answers from the cache is a part of the item only.
    #[must_use]
    pub fn answers_parts(&self) -> bool {
        self.reach.parts.some_only
    }

    /// What became of its pool of connections; nothing where it has none.
    #[must_use]
    pub fn pool(&self) -> PoolCounters {
        self.reach.connecting.counters()
    }

    /// What became of what the replica keeps in its process: its layer's copies and its breaker's together.
    #[must_use]
    pub fn near(&self) -> NearCounters {
        let kept = self.kept.as_ref().map_or_else(NearCounters::default, |kept| kept.counters());
        self.copies.counters().and(kept)
    }
}

impl RunningStrategy for Stack {
    fn get<'a>(&'a self, cx: Cx, key: &'a Key) -> BoxFuture<'a, Result<Served, GetError>> {
        Box::pin(async move { self.reach.connecting.within(self.answer(cx, key)).await.0 })
    }
}

/// A stack's parts, wrong where the strategy is so on purpose.
fn parts(spec: &Spec, ports: Ports) -> Parts {
    let mut parts = Parts {
        ports,
        early: spec.policy.early,
        near: spec.near.clone(),
        write: spec.write.clone(),
        fill: |load, around| around(Arc::new(load)),
    };
    if let Some(broken) = spec.broken {
        (broken.sabotage)(&mut parts);
    }
    parts
}

fn metered(ports: &Ports, ops: &Arc<Operations>) -> Ports {
    Ports {
        cache: Arc::new(Metered::new(Arc::clone(&ports.cache), ports, ops)),
        lease: Arc::new(Metered::new(Arc::clone(&ports.lease), ports, ops)),
        seize: Arc::new(Metered::new(Arc::clone(&ports.seize), ports, ops)),
        invalidations: Arc::new(Metered::new(Arc::clone(&ports.invalidations), ports, ops)),
        ..ports.clone()
    }
}
