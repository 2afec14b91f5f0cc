//! A connection to a Redis that stands alone, or connections to a cluster: what everything else here speaks through.

use std::sync::Arc;

use redis::aio::{AsyncPushSender, ConnectionLike, MultiplexedConnection, PubSub};
use redis::{Cmd, ConnectionAddr, ConnectionInfo, Pipeline, RedisFuture, RedisResult, Value};
use strategies::port::{ConnectionLimits, ReadFrom};
use tls::client::TlsClient;

use super::address::{AddressFlaw, RedisAddress};
use super::cluster::Nodes;
use super::driver::Driver;
use super::one_server::OneServer;
use super::sentinels::Sentinels;
use super::topology::read_nodes;

/// A connection, shared by its clones: to one server, or to a cluster.
#[derive(Clone)]
pub(crate) struct RedisLink(Way);

#[derive(Clone)]
enum Way {
    One(Arc<OneServer>),
    Cluster(Arc<Nodes>),
}

impl RedisLink {
    /// To an address; nothing is connected yet.
    ///
    /// # Errors
    /// What of the address cannot be used.
    pub(crate) fn new(to: &RedisAddress, limits: ConnectionLimits) -> Result<Self, AddressFlaw> {
        let one = |of| Arc::new(OneServer::new(of, limits));
        if let Some(name) = &to.watched_as {
            let infos: Vec<_> = to.read_all()?.into_iter().map(|(info, _)| info).collect();
            let sentinels = Arc::new(Sentinels::new(&infos, name));
            return Ok(Self(Way::One(Arc::new(OneServer::new(to.read()?, limits).watched(sentinels)))));
        }
        let nodes = to.read_nodes()?;
        Ok(Self(match nodes.is_empty() {
            true => Way::One(one(to.read()?)),
            false => {
                let seeds = nodes.into_iter().map(one).collect();
                Way::Cluster(Arc::new(Nodes::new(seeds, limits, Arc::default())))
            }
        }))
    }

    /// Another one to the same, of whose nodes these answer reads where it is a cluster; nothing is connected yet.
    pub(super) fn another(&self, limits: ConnectionLimits, reads: ReadFrom) -> Self {
        Self(match &self.0 {
            Way::One(one) => Way::One(Arc::new(one.another(limits))),
            Way::Cluster(nodes) => {
                let seeds = nodes.seeds.iter().map(|seed| Arc::new(seed.another(limits))).collect();
                Way::Cluster(Arc::new(Nodes::new(seeds, limits, Arc::clone(&nodes.redirects)).reading_from(reads)))
            }
        })
    }

    /// The cluster, where it is one.
    pub(super) fn nodes(&self) -> Option<&Nodes> {
        match &self.0 {
            Way::One(_) => None,
            Way::Cluster(nodes) => Some(nodes),
        }
    }

    /// Whether Sentinels say where it is.
    pub(super) fn is_watched(&self) -> bool {
        matches!(&self.0, Way::One(one) if one.is_watched())
    }

    /// The server, or the node of a cluster that is asked where any will do.
    pub(super) fn any(&self) -> Self {
        Self(Way::One(Arc::clone(match &self.0 {
            Way::One(one) => one,
            Way::Cluster(nodes) => nodes.any(),
        })))
    }

    /// Each server that has keys: of a cluster its primaries, as one of its nodes sees them.
    pub(crate) async fn each_server(&self) -> RedisResult<Vec<Self>> {
        let Way::Cluster(nodes) = &self.0 else { return Ok(vec![self.clone()]) };
        let ask = redis::cmd("CLUSTER").arg("NODES").to_owned();
        let mut said: RedisResult<String> = ask.query_async(&mut self.any()).await;
        for _ in 1..nodes.seeds.len() {
            if said.is_ok() {
                break;
            }
            nodes.next();
            said = ask.query_async(&mut self.any()).await;
        }
        let said = said?;
        let primaries = read_nodes(&said).into_iter().filter(|node| node.primary);
        Ok(primaries.filter_map(|node| nodes.named(&node.address)).map(|node| Self(Way::One(node))).collect())
    }

    fn server(&self) -> &OneServer {
        match &self.0 {
            Way::One(one) => one,
            Way::Cluster(nodes) => nodes.any(),
        }
    }

    pub(super) fn info(&self) -> &ConnectionInfo {
        self.server().info()
    }

    /// Where it is now; of a cluster, the node that is asked where any will do.
    pub(super) async fn address(&self) -> RedisResult<ConnectionAddr> {
        self.server().address().await
    }

    pub(super) fn tls(&self) -> Option<&TlsClient> {
        self.server().tls()
    }

    pub(super) fn limits(&self) -> ConnectionLimits {
        match &self.0 {
            Way::One(one) => one.limits(),
            Way::Cluster(nodes) => nodes.limits(),
        }
    }

    /// A connection of its own that hears messages: of a cluster those of all nodes, by any of them.
    pub(super) async fn listener(&self) -> RedisResult<PubSub> {
        self.noted(self.server().listener().await)
    }

    /// A connection of its own under RESP3, whose pushes are handed over as they come, and the task that drives it: with that it ends.
    pub(super) async fn changes(&self, push: impl AsyncPushSender) -> RedisResult<(MultiplexedConnection, Driver)> {
        self.noted(self.server().changes(push).await)
    }

    /// Of a cluster's node that cannot be reached another takes the place.
    fn noted<T>(&self, said: RedisResult<T>) -> RedisResult<T> {
        if let (Err(_), Way::Cluster(nodes)) = (&said, &self.0) {
            nodes.next();
        }
        said
    }
}

impl ConnectionLike for RedisLink {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match &self.0 {
            Way::One(one) => Box::pin(one.with(async move |connection| connection.send_packed_command(command).await)),
            Way::Cluster(nodes) => Box::pin(nodes.command(command)),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match &self.0 {
            Way::One(one) => Box::pin(one.with(async move |to| to.send_packed_commands(pipeline, offset, count).await)),
            Way::Cluster(nodes) => Box::pin(nodes.commands(pipeline, offset, count)),
        }
    }

    fn get_db(&self) -> i64 {
        self.info().redis_settings().db()
    }
}
