//! A strategy as its layers, validated.

use std::sync::Arc;
use std::time::Duration;

use super::layer::{Alone, CacheLayer, FillLayer, OriginLayer, PolicySpec, WriteEffect, WriteLayer};
use super::span::Span;
use crate::layer::{
    BatchMode, CacheBreakerLayer, ConnectionSpec, CopiesLayer, LocalLayer, NearLayer, PartsLayer, PoolSettings,
};
use crate::port::{Bus, Capabilities, ReadFrom};
use crate::stack::sabotage::BrokenInfo;

/// A validated composition of layers.
#[derive(Debug, Clone)]
pub struct Spec {
    pub(crate) name: String,
    pub(crate) canonical: String,
    pub(crate) policy: PolicySpec,
    /// How operations reach the shared cache.
    pub(crate) connection: ConnectionSpec,
    /// What stops asking a shared cache that does not do its work.
    pub(crate) cache_breaker: Option<CacheBreakerLayer>,
    /// Inner to outer.
    pub(crate) cache: Vec<Arc<dyn CacheLayer>>,
    /// Copies in the process, in front of the cache.
    pub(crate) near: Option<NearLayer>,
    /// A cache of each replica's own in the place of the shared one.
    pub(crate) local: Option<LocalLayer>,
    /// How requests for several items read them.
    pub(crate) batch: Option<BatchMode>,
    /// Several keys for each entry.
    pub(crate) parts: Option<PartsLayer>,
    /// Several entries of each key.
    pub(crate) copies: Option<CopiesLayer>,
    /// How it is wrong, where it is on purpose. All else in it is the right one's.
    pub(crate) broken: Option<&'static BrokenInfo>,
    /// Inner to outer: what works for the fleet stands inside what works for the process.
    pub(crate) fill: Vec<Arc<dyn FillLayer>>,
    /// Inner to outer: the limit stands inside the breaker.
    pub(crate) origin: Vec<Arc<dyn OriginLayer>>,
    /// `None` is `expire`.
    pub(crate) write: Option<Arc<dyn WriteLayer>>,
}

/// Equal are those that were typed alike, whichever budgets they were fitted to.
impl PartialEq for Spec {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.canonical) == (&other.name, &other.canonical)
    }
}

impl Spec {
    /// The same with a flaw, and labelled so.
    pub(super) fn with(mut self, broken: &'static BrokenInfo) -> Self {
        self.canonical = format!("WRONG ON PURPOSE ({}): {}", broken.reason, self.canonical);
        self.broken = Some(broken);
        self
    }

    /// How much of an item a request reads from the cache, above 0, at most 1; `None` where items have no parts.
    #[must_use]
    pub fn part(&self) -> Option<f64> {
        self.parts.map(PartsLayer::share)
    }

    /// What the user asked for, as typed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The full composition, with the parameters that differ from their defaults.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// What a write does to the cache.
    #[must_use]
    pub fn write_effect(&self) -> WriteEffect {
        self.write.as_ref().map_or(WriteEffect::Nothing, |layer| layer.effect())
    }

    /// Whether a fill never puts an older version over a newer one: where writes put theirs and one fills at a time in the fleet.
    pub(crate) fn orders_fills(&self) -> bool {
        let in_fleet = self.fill.iter().any(|layer| layer.reach() == Alone::InFleet);
        in_fleet && self.write_effect() == WriteEffect::Puts
    }

    /// Whether it keeps values in the replicas' processes.
    #[must_use]
    pub fn keeps_copies(&self) -> bool {
        let breaker = self.cache_breaker.is_some_and(|breaker| breaker.keeps_copies());
        self.near.is_some() || self.local.is_some() || breaker
    }

    /// Whether a key has one entry for the whole fleet, and so one expiry.
    #[must_use]
    pub fn has_one_entry(&self) -> bool {
        self.local.is_none() && self.copies.is_none()
    }

    /// How copies in its processes hear of changes, where they do.
    #[must_use]
    pub fn bus(&self) -> Option<Bus> {
        self.near.as_ref().and_then(|near| near.bus)
    }

    /// The pool from which its replicas take connections to the shared cache, where they do.
    #[must_use]
    pub fn pool(&self) -> Option<PoolSettings> {
        self.connection.pool
    }

    /// Whether its replicas share a cache.
    #[must_use]
    pub fn shares_a_cache(&self) -> bool {
        self.local.is_none()
    }

    /// What the shared cache must be able to do for it.
    #[must_use]
    pub fn needs(&self) -> Capabilities {
        let none = Capabilities {
            conditions: self.write_effect() == WriteEffect::Puts && self.local.is_none(),
            messages: self.near.as_ref().is_some_and(|near| near.bus.is_some()),
            one_place: self.near.as_ref().is_some_and(|near| near.bus.is_some_and(|bus| bus != Bus::PubSub)),
            replicas: self.connection.reads != ReadFrom::Primary && self.local.is_none(),
            ..Capabilities::NONE
        };
        if self.local.is_some() {
            return none;
        }
        self.fill.iter().fold(none, |all, layer| all.and(layer.needs()))
    }

    /// Whether any layer makes entries live longer (or, drawn anew for each, shorter) than the scenario's TTL says, so that no
    /// floor can be computed from it.
    #[must_use]
    pub fn lengthens_ttl(&self) -> bool {
        self.stretch() != (1.0, 1.0) || self.policy.soft != Span::Ttl(1.0)
    }

    /// The factor of each entry's lives under all cache layers: even over this interval, the shortest and the longest.
    pub(crate) fn stretch(&self) -> (f64, f64) {
        self.cache.iter().fold((1.0, 1.0), |(least, most), layer| {
            let (shorter, longer) = layer.stretch();
            (least + (shorter - 1.0), most + (longer - 1.0))
        })
    }

    /// How long "no such item" is remembered; zero where no layer says so.
    #[must_use]
    pub fn negative_life(&self) -> Duration {
        self.absent_life().unwrap_or_default()
    }

    /// How long "no such item" is stored; `None` where it is not.
    pub(crate) fn absent_life(&self) -> Option<Duration> {
        self.cache.iter().find_map(|layer| layer.absent_life())
    }

    /// How long an entry is fresh under this strategy on average, with all jitter.
    #[must_use]
    pub fn soft_life_mean(&self, ttl: Duration) -> Duration {
        let (least, most) = self.stretch();
        self.policy.life(ttl).scaled(f64::midpoint(least, most)).soft
    }

    /// How long an entry may be fresh under this strategy at most, with all jitter.
    #[must_use]
    pub fn soft_life_max(&self, ttl: Duration) -> Duration {
        self.policy.life(ttl).scaled(self.stretch().1).soft
    }

    /// The shortest time for which an entry is fresh under this strategy.
    #[must_use]
    pub fn shortest_life(&self, ttl: Duration) -> Duration {
        self.soft_life(ttl).mul_f64(self.stretch().0)
    }

    /// How long an entry is fresh under this strategy, before any jitter.
    #[must_use]
    pub fn soft_life(&self, ttl: Duration) -> Duration {
        self.policy.life(ttl).soft
    }
}
