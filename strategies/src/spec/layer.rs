//! A layer: a row of the catalogue, and the value that its row makes of a term.
//!
//! A layer's own file has its row and its behaviour; the list of rows is [`LAYERS`](super::LAYERS). What a stack, a promise and
//! theory need of a layer they ask the value: none of them knows the layers by name.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use super::args::Args;
use super::param::ParamInfo;
use super::span::Span;
use crate::fill::{Fill, LockSettings};
use crate::layer::origin::LimitSettings;
use crate::layer::write::{ItemWriter, WriteDoor};
use crate::layer::{BatchMode, CacheBreakerLayer, ConnectionLayer, CopiesLayer, LocalLayer, NearLayer, PartsLayer};
use crate::policy::Early;
use crate::port::entry::Life;
use crate::port::{Cache, Capabilities, Origin};
use crate::stack::Ports;
use crate::stack::budgets::Budgets;

/// Where in the stack a layer works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Turns lookups into answers; each stack has exactly one.
    Policy,
    /// How operations reach the shared cache.
    Connection,
    /// A cache around the cache.
    Cache,
    /// A way to fill around a way to fill.
    Fill,
    /// An origin around the origin.
    Origin,
    /// What is done to the cache when an item is written; a stack has at most one.
    Write,
}

/// A layer's row in the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct LayerInfo {
    /// Its name in a SPEC.
    pub name: &'static str,
    /// Its slot.
    pub slot: Slot,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Its parameters; the first may be given without its name.
    pub params: &'static [ParamInfo],
    /// Makes the layer of a term's arguments.
    pub(crate) make: fn(&Args<'_>) -> Result<Layer, String>,
}

/// What a term became.
#[derive(Debug, Clone)]
pub(crate) enum Layer {
    Policy(PolicySpec),
    Connection(ConnectionLayer),
    Cache(Arc<dyn CacheLayer>),
    CacheBreaker(CacheBreakerLayer),
    Near(NearLayer),
    Local(LocalLayer),
    Copies(CopiesLayer),
    Parts(PartsLayer),
    Batch(BatchMode),
    Fill(Arc<dyn FillLayer>),
    Origin(Arc<dyn OriginLayer>),
    Write(Arc<dyn WriteLayer>),
    /// `bare`: says that nothing protects the fill.
    Bare,
}

/// The policy slot: when to refresh early × how long stale may be served.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PolicySpec {
    pub(crate) early: Early,
    pub(crate) soft: Span,
    pub(crate) stale: Span,
}

impl PolicySpec {
    pub(crate) fn life(&self, ttl: Duration) -> Life {
        Life::new(self.soft.of(ttl), self.stale.of(ttl))
    }
}

/// A layer around the cache.
pub(crate) trait CacheLayer: Debug + Send + Sync {
    /// The cache with this layer around it.
    fn around(&self, inner: Arc<dyn Cache>, ports: &Ports) -> Arc<dyn Cache>;

    /// The factor of each put's lives: drawn evenly from this interval, the shortest and the longest. (1, 1) changes nothing.
    fn stretch(&self) -> (f64, f64);

    /// How long "no such item" is stored, where this layer says so.
    fn absent_life(&self) -> Option<Duration> {
        None
    }
}

/// A layer around the fill.
pub(crate) trait FillLayer: Debug + Send + Sync {
    /// The fill with this layer around it; `shared` is the stack's view of the shared cache.
    fn around(&self, inner: Arc<dyn Fill>, shared: Arc<dyn Cache>, ports: &Ports, incarnation: u64) -> Arc<dyn Fill>;

    /// Whether one fills a key at a time in a process, in the fleet, or not at all. What works for the fleet stands inside what works for the process.
    fn reach(&self) -> Alone;

    /// What the shared cache must be able to do for it.
    fn needs(&self) -> Capabilities {
        let lock = self.lock();
        Capabilities {
            leases: lock.is_some(),
            conditions: lock.is_some(),
            messages: lock.is_some_and(|lock| lock.notify),
            ..Capabilities::NONE
        }
    }

    /// Its lock, where it has one.
    fn lock(&self) -> Option<LockSettings>;

    /// The same where whatever says `auto` follows these budgets.
    fn fitted(&self, budgets: &Budgets) -> Arc<dyn FillLayer>;
}

/// A layer around the origin.
pub(crate) trait OriginLayer: Debug + Send + Sync {
    /// The origin with this layer around it.
    fn around(&self, inner: Arc<dyn Origin>, ports: &Ports) -> Arc<dyn Origin>;

    /// How many reads it lets through at a time, and how late, where it limits them.
    fn limit(&self) -> Option<LimitSettings>;

    /// Its breaker, where it has one. It stands outside the limit: what it refuses takes no place in the limit's queue.
    fn breaker(&self) -> Option<BreakerPromise>;
}

/// A layer around a write.
pub(crate) trait WriteLayer: Debug + Send + Sync {
    /// The writer with this layer around it.
    fn around(&self, inner: Arc<dyn ItemWriter>, door: &WriteDoor) -> Arc<dyn ItemWriter>;

    /// What it does to the cache.
    fn effect(&self) -> WriteEffect;
}

/// What a write does to the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteEffect {
    /// Nothing: what it holds is old until its TTL is over.
    Nothing,
    /// It takes the entry away.
    Removes,
    /// It puts the new one there.
    Puts,
}

/// Where at most one reads the origin for a key at a time: a process, the fleet, or nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alone {
    /// Nobody is stopped.
    Nobody,
    /// Within one process.
    InProcess,
    /// Within the fleet, as long as the shared cache is well.
    InFleet,
}

/// What a breaker promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPromise {
    /// The longest that it stays open, jitter included.
    pub open_max: Duration,
    /// How many reads it lets through at a time while it is half open.
    pub trickle: u32,
}
