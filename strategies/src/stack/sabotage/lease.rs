//! Leases that do not keep their contract.

use std::sync::Arc;
use std::time::Duration;

use super::{BrokenInfo, Seize};
use crate::layer::Metered;
use crate::port::key::Key;
use crate::port::{Acquired, BoxFuture, CacheError, Lease, Released, Renewed, Token};

/// The lock is deleted, no matter which replica holds it.
pub(super) const RELEASES_ANYBODYS: BrokenInfo = BrokenInfo {
    name: "broken-release-anybodys",
    composition: "plain + lock",
    reason: "a slow holder deletes its successor's lock, and a third one starts beside them",
    mistake: "DEL lock in a finally block without comparing the owner, as in both articles",
    sabotage: |parts| {
        let (inner, seize) = (Arc::clone(&parts.ports.lease), Some(Arc::clone(&parts.ports.seize)));
        parts.ports.lease = Arc::new(Wrong { inner, life: None, seize });
    },
};

/// The lock never ends by itself.
pub(super) const NO_TTL: BrokenInfo = BrokenInfo {
    name: "broken-lock-no-ttl",
    composition: "plain + lock",
    reason: "a holder that dies leaves a lock that nobody can take: every later request is shed",
    mistake: "SETNX without EX, or EX in a second command that never comes",
    sabotage: |parts| {
        let inner = Arc::clone(&parts.ports.lease);
        parts.ports.lease = Arc::new(Wrong { inner, life: Some(FOR_EVER), seize: None });
    },
};

/// Nobody waits that long.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

struct Wrong {
    inner: Arc<dyn Lease>,
    /// In the place of the life that is asked for.
    life: Option<Duration>,
    /// In the place of a release that compares.
    seize: Option<Arc<dyn Seize>>,
}

impl Lease for Wrong {
    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        token: Token,
        life: Duration,
    ) -> BoxFuture<'a, Result<Acquired, CacheError>> {
        self.inner.acquire(key, token, self.life.unwrap_or(life))
    }

    fn renew<'a>(&'a self, key: &'a Key, token: Token, life: Duration) -> BoxFuture<'a, Result<Renewed, CacheError>> {
        self.inner.renew(key, token, life)
    }

    fn release<'a>(&'a self, key: &'a Key, token: Token) -> BoxFuture<'a, Result<Released, CacheError>> {
        let Some(seize) = &self.seize else { return self.inner.release(key, token) };
        Box::pin(async move { seize.seize(key).await.map(|()| Released::Released) })
    }
}

impl Seize for Metered<dyn Seize> {
    fn seize<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(self.meter("seize", self.inner.seize(key)))
    }
}
