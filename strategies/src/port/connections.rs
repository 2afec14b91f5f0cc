//! What operations on the shared cache go over: one connection that all share, or a pool of them.
//!
//! A pool's connection is somebody's alone until it is given back, and those who wait get it in the order in which they came. How long
//! anybody waits is not the port's business: a caller that has waited enough drops its wish.

use std::sync::Arc;
use std::time::Duration;

use super::{BoxFuture, Cache, Lease};
use crate::kit::line::{Entered, Line, Place};

/// How long steps on a connection may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// To connect.
    pub connect: Duration,
    /// From a command to its reply.
    pub reply: Duration,
}

impl ConnectionLimits {
    /// What holds where nothing is said.
    pub const USUAL: Self = Self { connect: Duration::from_millis(100), reply: Duration::from_millis(100) };
}

/// Which servers answer reads, where the keys of each have a primary and replicas that follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadFrom {
    /// The primary.
    #[default]
    Primary,
    /// One of its replicas: what that has not heard of yet it does not know.
    Replicas,
    /// The primary or a replica, each as often.
    Any,
}

/// What can be done over a connection.
#[derive(Clone)]
pub struct Connected {
    /// Entries.
    pub cache: Arc<dyn Cache>,
    /// Leases.
    pub lease: Arc<dyn Lease>,
}

/// Ways to the shared cache.
pub trait Connections: Send + Sync {
    /// One connection for all operations at a time.
    fn shared(&self, limits: ConnectionLimits, reads: ReadFrom) -> Connected;

    /// `size` connections, each for one caller at a time.
    fn pool(&self, size: u32, limits: ConnectionLimits, reads: ReadFrom) -> Arc<dyn CacheConnectionPool>;
}

/// Connections that callers take and give back.
pub trait CacheConnectionPool: Send + Sync {
    /// The next connection that is free, first come, first served. Where the future is dropped, nothing was taken.
    fn take(&self) -> BoxFuture<'_, TakenConnection>;
}

/// A connection that is its caller's alone. Dropped, it is given back.
pub struct TakenConnection {
    /// What can be done over it.
    pub connected: Connected,
    _place: Box<dyn Send + Sync>,
}

impl TakenConnection {
    /// A connection that is given back by dropping `place`.
    #[must_use]
    pub fn new(connected: Connected, place: Box<dyn Send + Sync>) -> Self {
        Self { connected, _place: place }
    }
}

/// Permits instead of connections, first come, first served: the pool of a cache to which nobody connects.
pub struct PermitPool {
    line: Line,
    connected: Connected,
}

impl PermitPool {
    /// `size` permits to use one and the same.
    #[must_use]
    pub fn new(size: u32, connected: Connected) -> Self {
        Self { line: Line::new(size, u32::MAX), connected }
    }

    fn taken(&self, place: Place) -> TakenConnection {
        TakenConnection::new(self.connected.clone(), Box::new(place))
    }
}

impl CacheConnectionPool for PermitPool {
    fn take(&self) -> BoxFuture<'_, TakenConnection> {
        Box::pin(async move {
            let told = match self.line.enter() {
                Entered::Now(place) => return self.taken(place),
                Entered::Waits(told) => told,
                // Nobody's line is that long.
                Entered::Full => return std::future::pending().await,
            };
            match told.await {
                Ok(place) => self.taken(place),
                // The line stands for as long as the pool does.
                Err(_) => std::future::pending().await,
            }
        })
    }
}

/// The ways to a cache in this process: nothing to connect to, so no limit holds, and a pool is of permits.
pub struct NoConnections(Connected);

impl NoConnections {
    /// Of what keeps both entries and leases.
    #[must_use]
    pub fn over<T: Cache + Lease + 'static>(both: Arc<T>) -> Arc<Self> {
        Arc::new(Self(Connected { cache: Arc::clone(&both) as _, lease: both }))
    }
}

impl Connections for NoConnections {
    fn shared(&self, _: ConnectionLimits, _: ReadFrom) -> Connected {
        self.0.clone()
    }

    fn pool(&self, size: u32, _: ConnectionLimits, _: ReadFrom) -> Arc<dyn CacheConnectionPool> {
        Arc::new(PermitPool::new(size, self.0.clone()))
    }
}
