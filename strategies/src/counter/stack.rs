//! A counter strategy that is running in one replica.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::layer::{CountAnswer, CountError, CounterBase, Increment, Increments, LayerPorts, ToldCount};
use super::lives::Lives;
use super::meter::MeteredCounters;
use super::spec::CounterSpec;
use crate::fill::Cx;
use crate::kit::within::within;
use crate::port::key::Key;
use crate::port::{BoxFuture, Capabilities, Clock, CounterServer, EventSink, Spawn};
use crate::rng::Rng;

/// What a world hands over to one replica that counts.
#[derive(Clone)]
pub struct CounterPorts {
    /// Counters in the shared cache.
    pub counters: Arc<dyn CounterServer>,
    /// What the cache can.
    pub can: Capabilities,
    /// What the cache calls itself, with its version: `redis 7.0.15`.
    pub server: String,
    /// This replica's clock.
    pub clock: Arc<dyn Clock>,
    /// This replica's background.
    pub spawn: Arc<dyn Spawn>,
    /// Where this replica's events go.
    pub events: Arc<dyn EventSink>,
    /// This replica's randomness, from the run's seed and the replica's index.
    pub rng: Arc<Rng>,
}

/// A counter strategy that this cache cannot carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{strategy} needs {lacks}, and this cache is {server}: choose lua, which does the same, or another cache")]
pub struct CounterUnable {
    /// The composition.
    pub strategy: String,
    /// What is not there.
    pub lacks: &'static str,
    /// What the cache calls itself, with its version.
    pub server: String,
}

/// A counter strategy over a replica's ports.
pub struct CounterStack {
    outermost: Arc<dyn Increments>,
    clock: Arc<dyn Clock>,
    ops: Arc<AtomicU64>,
}

impl CounterStack {
    /// Builds a strategy whose windows live for `window`.
    ///
    /// # Errors
    /// [`CounterUnable`] where it needs more than the cache can.
    pub fn build(spec: &CounterSpec, ports: &CounterPorts, window: Duration) -> Result<Self, CounterUnable> {
        if let Some(lacks) = ports.can.lacks(spec.needs()) {
            let (strategy, server) = (spec.canonical().to_owned(), ports.server.clone());
            return Err(CounterUnable { strategy, lacks, server });
        }
        let ops = Arc::new(AtomicU64::new(0));
        let metered = MeteredCounters {
            inner: Arc::clone(&ports.counters),
            ops: Arc::clone(&ops),
            events: Arc::clone(&ports.events),
        };
        let (spread, symmetric) = spec.jitter;
        let lives = Lives { window, spread, symmetric, rng: ports.rng.fork("counter-jitter") };
        let based = Based { base: Arc::clone(&spec.base), server: Arc::new(metered), lives };
        let layer_ports = LayerPorts {
            clock: Arc::clone(&ports.clock),
            spawn: Arc::clone(&ports.spawn),
            rng: Arc::clone(&ports.rng),
            window,
        };
        let innermost: Arc<dyn Increments> = Arc::new(based);
        let outermost = spec.around.iter().fold(innermost, |inner, layer| layer.around(inner, &layer_ports));
        Ok(Self { outermost, clock: Arc::clone(&ports.clock), ops })
    }

    /// Increments once, within the request's time.
    ///
    /// # Errors
    /// [`CountError`]: whether it was counted all the same is with its variants.
    pub async fn count(&self, cx: Cx, key: &Key) -> Result<CountAnswer, CountError> {
        let counted = within(&*self.clock, cx.deadline, self.outermost.count(key, 1)).await;
        counted.unwrap_or(Err(CountError::OutOfTime))
    }

    /// Commands so far.
    #[must_use]
    pub fn cache_ops(&self) -> u64 {
        self.ops.load(Ordering::Relaxed)
    }
}

/// A base over the metered server.
struct Based {
    base: Arc<dyn CounterBase>,
    server: Arc<dyn CounterServer>,
    lives: Lives,
}

impl Increments for Based {
    fn count<'a>(&'a self, key: &'a Key, by: i64) -> BoxFuture<'a, Result<CountAnswer, CountError>> {
        Box::pin(async move {
            let increment = Increment { server: &*self.server, key, by, life: self.lives.draw() };
            let value = self.base.add(increment).await?;
            let value = u64::try_from(value).unwrap_or(0);
            Ok(CountAnswer { value, told: Some(ToldCount { part: 0, value }) })
        })
    }
}
