//! How a stack reaches the shared cache: by which names, over which connections, in which parts, how many at a time.

use std::sync::Arc;

use crate::layer::{Batching, Connecting, Names, OfBase, PartsRead, ToldOfBase};
use crate::spec::Spec;
use crate::stack::ports::Ports;

/// What lies under the meter: to the layers above it a key is one, wherever and in whatever pieces it lies.
pub(super) struct Reach {
    /// The names of keys in the cache.
    pub(super) names: Names,
    /// Its connections.
    pub(super) connecting: Connecting,
    /// The parts of items.
    pub(super) parts: PartsRead,
    /// How several items are read.
    pub(super) batching: Batching,
}

impl Reach {
    /// The reach of a strategy over a world's ports, and the ports as the stack has them.
    pub(super) fn of(spec: &Spec, ports: &Ports) -> (Self, Ports) {
        let (names, ports) = named(spec, ports);
        let (mut ports, connecting) = spec.connection.connect(&ports);
        let parts = spec.parts.map_or_else(PartsRead::default, |layer| layer.around(&mut ports));
        let batching = spec.batch.map_or_else(Batching::default, |mode| mode.around(&mut ports));
        (Self { names, connecting, parts, batching }, ports)
    }
}

/// The ports of a stack whose keys may have several names in the cache: the origin and whatever is told know the keys alone.
fn named(spec: &Spec, ports: &Ports) -> (Names, Ports) {
    let (names, mut ports) = (Names::new(spec.copies, &ports.rng), ports.clone());
    if names.differ() {
        ports.origin = Arc::new(OfBase(Arc::clone(&ports.origin)));
        ports.events = Arc::new(ToldOfBase(Arc::clone(&ports.events)));
    }
    (names, ports)
}
