//! Connections to Redis as a strategy wants them: one that all operations share, or a pool of real ones.

use std::sync::Arc;

use deadpool::unmanaged::Pool;
use strategies::port::{
    BoxFuture, CacheConnectionPool, Connected, ConnectionLimits, Connections, ReadFrom, TakenConnection,
};

use super::link::RedisLink;

/// One namespace over connections of a replica's own. Each connects when it is first used, and again after it was lost.
pub(super) struct RedisConnections {
    /// The replica's first connection.
    pub(super) link: RedisLink,
    /// The namespace over another one.
    pub(super) over: Box<dyn Fn(RedisLink) -> Connected + Send + Sync>,
}

impl RedisConnections {
    fn another(&self, limits: ConnectionLimits, reads: ReadFrom) -> Connected {
        (self.over)(self.link.another(limits, reads))
    }
}

impl Connections for RedisConnections {
    fn shared(&self, limits: ConnectionLimits, reads: ReadFrom) -> Connected {
        self.another(limits, reads)
    }

    fn pool(&self, size: u32, limits: ConnectionLimits, reads: ReadFrom) -> Arc<dyn CacheConnectionPool> {
        let connections: Vec<Connected> = (0..size).map(|_| self.another(limits, reads)).collect();
        Arc::new(RedisPool(Pool::from(connections)))
    }
}

/// A pool that is served first come, first served (`tokio::sync::Semaphore`, under it).
struct RedisPool(Pool<Connected>);

impl CacheConnectionPool for RedisPool {
    fn take(&self) -> BoxFuture<'_, TakenConnection> {
        Box::pin(async move {
            match self.0.get().await {
                Ok(object) => TakenConnection::new(object.clone(), Box::new(object)),
                // Nobody closes it while it is here.
                Err(_) => std::future::pending().await,
            }
        })
    }
}
