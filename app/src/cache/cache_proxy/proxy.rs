//! One proxy: what is behind it, and by how much it delays.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use evidence::StackCache;
use strategies::port::Clock;
use strategies::rng::Rng;
use strategies::time::Mono;

use super::hand::Hand;
use super::server::BehindProxy;
use super::upstream::Upstream;
use crate::cache::redis_cache::{ClusterWatch, RedisAddress, ShardSample};
use crate::process::runtime::RealClock;

/// One proxy. Servers that stand in for one another say where they are, and replicas go there themselves: for them it is the lab's hand alone,
/// and has no upstream.
pub struct CacheProxy {
    pub(super) incarnation: u64,
    clock: RealClock,
    pub(super) upstream: Option<Upstream>,
    pub(super) hand: Hand,
    pub(super) server: Arc<BehindProxy>,
    pub(super) behind: StackCache,
    nodes: tokio::sync::Mutex<ClusterWatch>,
    added: Mutex<(Duration, f64, Mono)>,
    rng: Rng,
}

impl CacheProxy {
    /// A proxy to `redis://user:password@host:port`: the user is the injector's. With `rediss://` its hand speaks TLS; what it passes
    /// on it does not read in any case, so that replicas' TLS is between them and Redis. Must be called on the runtime that will serve it.
    ///
    /// # Errors
    /// A sentence where the URL is none, or has no host and port, or where its TLS cannot be used.
    pub fn new(to: impl Into<RedisAddress>) -> Result<Arc<Self>, String> {
        let to = to.into();
        let behind = match (to.is_cluster(), &to.watched_as) {
            (true, _) => StackCache::Cluster,
            (false, Some(_)) => StackCache::Sentinel,
            (false, None) => StackCache::OneServer,
        };
        let upstream = (behind == StackCache::OneServer).then(|| Upstream::of(&to.url)).transpose()?;
        Ok(Arc::new(Self {
            incarnation: crate::wire::auth::entropy()?,
            clock: RealClock::start(),
            upstream,
            hand: Hand::new(&to).map_err(|flaw| flaw.to_string())?,
            server: Arc::new(BehindProxy::new(&to).map_err(|flaw| flaw.to_string())?),
            behind,
            nodes: tokio::sync::Mutex::new(ClusterWatch::new(&to).map_err(|flaw| flaw.to_string())?),
            added: Mutex::new((Duration::ZERO, 1.0, Mono(0))),
            rng: Rng::new(crate::wire::auth::entropy()?),
        }))
    }

    /// What each node of the cluster did.
    pub(super) async fn shards(&self) -> Result<Vec<ShardSample>, String> {
        self.nodes.lock().await.ask().await
    }

    /// Makes that share of what is sent to Redis from now on arrive `added` later, for `length`; and whatever follows it on its connection.
    pub(super) fn delay(&self, added: Duration, share: f64, length: Duration) {
        *self.added.lock().unwrap_or_else(PoisonError::into_inner) = (added, share, self.clock.mono().plus(length));
    }

    /// By how much an operation is delayed now.
    pub(super) fn added(&self) -> Duration {
        let (added, share, until) = *self.added.lock().unwrap_or_else(PoisonError::into_inner);
        let is_on = !added.is_zero() && self.clock.mono() < until;
        if is_on && (share >= 1.0 || self.rng.next_unit() < share) { added } else { Duration::ZERO }
    }
}
