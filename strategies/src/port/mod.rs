//! The ports: everything that a strategy may touch of the world.
//!
//! A world (the local lab, the containers, virtual time) hands them over; layers rewrite them; a policy turns them into
//! answers. They are trait objects with boxed futures because a stack is chosen from data at start, and a virtual call
//! costs tens of nanoseconds against a Redis round trip. No method stands here without a caller.

#[cfg(feature = "conformance")]
pub mod conformance;
pub(crate) mod entry;
pub(crate) mod error;
pub(crate) mod key;
pub(crate) mod lives;
pub(crate) mod outcome;
#[cfg(feature = "conformance")]
pub mod pool_conformance;

mod cache;
mod cache_error;
mod capabilities;
mod connections;
mod counters;
mod event;
mod invalidations;
mod lease;
mod origin;
mod recorded;
mod runtime;
mod subscribers;
mod traffic;
mod wake;

use std::pin::Pin;

pub use cache::{Cache, Level, Lookup, Removal, Stored, When};
pub use cache_error::{CacheError, CacheErrorClass};
pub use capabilities::Capabilities;
pub use connections::{
    CacheConnectionPool, Connected, ConnectionLimits, Connections, NoConnections, PermitPool, ReadFrom, TakenConnection,
};
pub use counters::{CounterCommand, CounterServer, HeldCounter};
pub use event::{BreakerState, Cause, Event, EventSink, LeaderEnd, OPERATIONS, RefusedBy};
pub use invalidations::{Bus, Invalidations};
pub use lease::{Acquired, Lease, Released, Renewed, Token};
pub use origin::{FlightId, LoadCx, Loaded, Origin, OriginError};
pub use recorded::Texts;
pub use runtime::{Clock, Spawn};
pub use subscribers::Subscribers;
pub use traffic::{Traffic, TrafficCounters};
pub use wake::{Heard, Message, Messages, Wake};

/// The future that a port returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
