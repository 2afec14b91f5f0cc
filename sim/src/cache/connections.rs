//! Connections of a simulated replica: all go over its link, and a pool is of permits to use it.

use std::sync::Arc;
use std::time::Duration;

use strategies::port::{CacheConnectionPool, Connected, ConnectionLimits, Connections, PermitPool, ReadFrom};

use super::CachePort;
use super::replica::NodeRole;

impl CachePort {
    /// The same connection, whose operations may take so long, and whose reads these servers answer.
    fn within(&self, budget: Duration, reads: ReadFrom) -> Arc<Self> {
        if reads != ReadFrom::Primary {
            self.server.memory.have_replicas();
        }
        Arc::new(Self { budget, reads, ..self.clone() })
    }

    /// Which of them the next read is for.
    pub(super) fn reads_at(&self) -> NodeRole {
        match self.reads {
            ReadFrom::Primary => NodeRole::Primary,
            ReadFrom::Replicas => NodeRole::Replica,
            ReadFrom::Any if self.server.draws.unit() < 0.5 => NodeRole::Replica,
            ReadFrom::Any => NodeRole::Primary,
        }
    }
}

/// Ways to the simulated server. Nothing has to connect, so of the limits only the reply's holds.
pub struct SimConnections(pub Arc<CachePort>);

impl Connections for SimConnections {
    fn shared(&self, limits: ConnectionLimits, reads: ReadFrom) -> Connected {
        let port = self.0.within(limits.reply, reads);
        Connected { cache: Arc::clone(&port) as _, lease: port }
    }

    fn pool(&self, size: u32, limits: ConnectionLimits, reads: ReadFrom) -> Arc<dyn CacheConnectionPool> {
        Arc::new(PermitPool::new(size, self.shared(limits, reads)))
    }
}
