//! Which locks this replica holds, for an event that is aimed at a lock's holder: a note of every token that its leases gave, over
//! whichever connection.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strategies::Key;
use strategies::port::{
    Acquired, BoxFuture, CacheConnectionPool, CacheError, Connected, ConnectionLimits, Connections, Lease, ReadFrom,
    Released, Renewed, TakenConnection, Token,
};

use crate::wire::control::HeldLocks;

/// The tokens of leases that were won and not released.
#[derive(Default)]
pub(super) struct HeldLeases {
    tokens: Mutex<BTreeMap<Key, Token>>,
}

impl HeldLeases {
    /// Leases, each noted here.
    pub(super) fn over(this: &Arc<Self>, leases: Arc<dyn Lease>) -> Arc<dyn Lease> {
        Arc::new(NotedLeases { leases, held: Arc::clone(this) })
    }

    /// Connections whose leases are noted here.
    pub(super) fn over_all(this: &Arc<Self>, inner: Arc<dyn Connections>) -> Arc<dyn Connections> {
        Arc::new(NotedConnections { inner, held: Arc::clone(this) })
    }

    /// What is held now, as far as this replica knows: one that has run out is held until it is released.
    pub(super) fn tokens(&self) -> HeldLocks {
        let tokens = self.held().iter().map(|(key, token)| (key.to_string(), token.to_string())).collect();
        HeldLocks { tokens }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<Key, Token>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct NotedLeases {
    leases: Arc<dyn Lease>,
    held: Arc<HeldLeases>,
}

struct NotedConnections {
    inner: Arc<dyn Connections>,
    held: Arc<HeldLeases>,
}

struct NotedPool {
    inner: Arc<dyn CacheConnectionPool>,
    held: Arc<HeldLeases>,
}

impl Connections for NotedConnections {
    fn shared(&self, limits: ConnectionLimits, reads: ReadFrom) -> Connected {
        let Connected { cache, lease } = self.inner.shared(limits, reads);
        Connected { cache, lease: HeldLeases::over(&self.held, lease) }
    }

    fn pool(&self, size: u32, limits: ConnectionLimits, reads: ReadFrom) -> Arc<dyn CacheConnectionPool> {
        Arc::new(NotedPool { inner: self.inner.pool(size, limits, reads), held: Arc::clone(&self.held) })
    }
}

impl CacheConnectionPool for NotedPool {
    fn take(&self) -> BoxFuture<'_, TakenConnection> {
        Box::pin(async {
            let mut taken = self.inner.take().await;
            taken.connected.lease = HeldLeases::over(&self.held, taken.connected.lease);
            taken
        })
    }
}

impl Lease for NotedLeases {
    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        token: Token,
        life: Duration,
    ) -> BoxFuture<'a, Result<Acquired, CacheError>> {
        Box::pin(async move {
            let acquired = self.leases.acquire(key, token, life).await?;
            if acquired == Acquired::Won {
                self.held.held().insert(key.clone(), token);
            }
            Ok(acquired)
        })
    }

    fn renew<'a>(&'a self, key: &'a Key, token: Token, life: Duration) -> BoxFuture<'a, Result<Renewed, CacheError>> {
        self.leases.renew(key, token, life)
    }

    fn release<'a>(&'a self, key: &'a Key, token: Token) -> BoxFuture<'a, Result<Released, CacheError>> {
        Box::pin(async move {
            {
                let mut held = self.held.held();
                if held.get(key) == Some(&token) {
                    held.remove(key);
                }
            }
            self.leases.release(key, token).await
        })
    }
}
