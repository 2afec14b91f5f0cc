//! What a strategy runs on.

use std::sync::Arc;

use crate::kit::rng::Rng;
use crate::port::{Cache, Capabilities, Clock, Connections, EventSink, Invalidations, Lease, Origin, Spawn, Wake};
use crate::stack::budgets::Budgets;
use crate::stack::sabotage::Seize;
use crate::stack::slots::Slots;

/// What a world hands over to one replica.
#[derive(Clone)]
pub struct Ports {
    /// The shared cache.
    pub cache: Arc<dyn Cache>,
    /// What it can do beyond keeping entries.
    pub can: Capabilities,
    /// Leases in the shared cache.
    pub lease: Arc<dyn Lease>,
    /// Ways to the shared cache of a strategy's own choice, for entries and leases.
    pub connections: Arc<dyn Connections>,
    /// The origin.
    pub origin: Arc<dyn Origin>,
    /// This replica's clock.
    pub clock: Arc<dyn Clock>,
    /// This replica's background.
    pub spawn: Arc<dyn Spawn>,
    /// Messages between replicas about keys.
    pub wake: Arc<dyn Wake>,
    /// How copies in this replica learn that a key has changed.
    pub invalidations: Arc<dyn Invalidations>,
    /// Leases that anybody may delete, for a strategy that is wrong on purpose.
    pub seize: Arc<dyn Seize>,
    /// Where this replica's events go.
    pub events: Arc<dyn EventSink>,
    /// This replica's randomness, from the run's seed and the replica's index.
    pub rng: Arc<Rng>,
    /// How long things may take.
    pub budgets: Budgets,
    /// How many requests it works on at a time; `None` where there is no limit.
    pub slots: Option<Slots>,
}
