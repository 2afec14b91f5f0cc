//! What every lab hands over of its world.

use std::sync::Arc;

use app::cache::redis_cache::RedisAddress;
use app::cache::redis_nodes::PrivateNodes;
use app::wire::control_client::ControlClient;

use super::docker::ContainerStack;
use super::server::AskedServer;
use super::shards::AskedCluster;
use crate::load::drive::Site;
use evidence::StackCache;

/// The proxy before a stack's cache, which is the lab's hand on it.
#[derive(Clone)]
pub struct StackProxy {
    /// Its control.
    pub control: ControlClient,
    /// What is behind it.
    pub cache: StackCache,
}

/// A world that is up.
#[derive(Clone)]
pub struct Endpoints {
    /// `local`, `docker` or `target`.
    pub lab: &'static str,
    /// Who is asked, by index.
    pub sites: Vec<Arc<Site>>,
    /// The replicas' control, by index; none of a target.
    pub replicas: Vec<ControlClient>,
    /// The origin's control; a target may have none that is ours.
    pub origin: Option<ControlClient>,
    /// Where the Redis is, where the generator reaches it itself.
    pub server: Option<RedisAddress>,
    /// How the cluster's nodes are asked, where the cache is one.
    pub cluster: Option<AskedCluster>,
    /// The servers behind the cache that stand in for one another, where the lab started them.
    pub nodes: Option<Arc<PrivateNodes>>,
    /// The proxy before a stack's cache.
    pub proxy: Option<StackProxy>,
    /// The containers, where an engine is asked for them.
    pub stack: Option<Arc<ContainerStack>>,
}

impl Endpoints {
    /// Those that are asked, and nothing else: what a process has of a world that another one sets up.
    pub(super) fn sites_alone(self) -> Self {
        Self {
            replicas: Vec::new(),
            origin: None,
            server: None,
            cluster: None,
            nodes: None,
            proxy: None,
            stack: None,
            ..self
        }
    }

    /// How the cache's server is asked about itself, where it can be.
    pub(super) fn asked_server(&self) -> Option<AskedServer> {
        let itself = self.server.clone().map(AskedServer::Itself);
        let alone = self.proxy.as_ref().filter(|proxy| proxy.cache != StackCache::Cluster);
        itself.or_else(|| alone.map(|proxy| AskedServer::ByProxy(proxy.control.clone())))
    }
}
