//! Connections of a simulated replica: all go over its link, and a pool is of permits to use it.

use std::sync::Arc;

use strategies::port::{CacheConnectionPool, Connected, ConnectionLimits, Connections, PermitPool};

use super::CachePort;

/// Ways to the simulated server. Nothing has to connect, so of the limits only the reply's holds.
pub struct SimConnections(pub Arc<CachePort>);

impl Connections for SimConnections {
    fn shared(&self, limits: ConnectionLimits) -> Connected {
        let port = self.0.within(limits.reply);
        Connected { cache: Arc::clone(&port) as _, lease: port }
    }

    fn pool(&self, size: u32, limits: ConnectionLimits) -> Arc<dyn CacheConnectionPool> {
        Arc::new(PermitPool::new(size, self.shared(limits)))
    }
}
