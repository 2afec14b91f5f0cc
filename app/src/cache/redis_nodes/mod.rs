//! Servers that stand in for one another: a cluster, or a server with a standby that Sentinels watch. Those of our own, and servers elsewhere that
//! are to become a cluster.

mod cluster;
mod elsewhere;
mod form;
mod node;
mod sentinel;

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::Signal;

pub use cluster::PrivateCluster;
pub use elsewhere::form_cluster;
pub use sentinel::PrivateSentinel;

use crate::cache::redis_cache::RedisAddress;
use crate::cache::redis_server::PrivateRedis;

/// Servers of our own of which one can take another's place. Dropping it ends them. Its methods wait for servers: call them where that may be.
pub struct PrivateNodes(Mutex<Nodes>);

enum Nodes {
    Cluster(PrivateCluster),
    Sentinel(PrivateSentinel),
}

impl From<PrivateCluster> for PrivateNodes {
    fn from(of: PrivateCluster) -> Self {
        Self(Mutex::new(Nodes::Cluster(of)))
    }
}

impl From<PrivateSentinel> for PrivateNodes {
    fn from(of: PrivateSentinel) -> Self {
        Self(Mutex::new(Nodes::Sentinel(of)))
    }
}

impl PrivateNodes {
    /// Where they are.
    #[must_use]
    pub fn address(&self) -> RedisAddress {
        match &*self.lock() {
            Nodes::Cluster(cluster) => cluster.address(),
            Nodes::Sentinel(sentinel) => sentinel.address(),
        }
    }

    /// Kills the primary that has a slot.
    ///
    /// # Errors
    /// A sentence where nobody knows it, or it is gone.
    pub fn kill_primary(&self, slot: u16) -> Result<(), String> {
        self.lock().primary_of(slot)?.signal(Signal::KILL)
    }

    /// Has the primary that has a slot stand still.
    ///
    /// # Errors
    /// A sentence where nobody knows it, or it is gone.
    pub fn stop_primary(&self, slot: u16) -> Result<(), String> {
        self.lock().primary_of(slot)?.signal(Signal::STOP)
    }

    /// Lets all that stand still go on.
    pub fn go_on(&self) {
        self.lock().each(|server| _ = server.signal(Signal::CONT));
    }

    /// Lets all go on, starts others for those that have ended, and waits until all agree.
    ///
    /// # Errors
    /// A sentence: what did not come about.
    pub fn mend(&self) -> Result<(), String> {
        self.go_on();
        match &mut *self.lock() {
            Nodes::Cluster(cluster) => cluster.mend(),
            Nodes::Sentinel(sentinel) => sentinel.mend(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Nodes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Nodes {
    fn primary_of(&self, slot: u16) -> Result<&PrivateRedis, String> {
        match self {
            Self::Cluster(cluster) => cluster.primary_of(slot),
            Self::Sentinel(sentinel) => sentinel.primary(),
        }
    }

    fn each(&self, act: impl Fn(&PrivateRedis)) {
        match self {
            Self::Cluster(cluster) => cluster.nodes().for_each(|(server, _)| act(server)),
            Self::Sentinel(sentinel) => sentinel.nodes().for_each(|(server, _)| act(server)),
        }
    }
}
