//! `broken-release-anybodys`: the lock is deleted, no matter which replica holds it.

use std::sync::Arc;
use std::time::Duration;

use super::Seize;
use crate::layer::Metered;
use crate::port::key::Key;
use crate::port::{Acquired, BoxFuture, CacheError, Lease, Released, Renewed, Token};

/// Leases whose release asks nobody.
pub(crate) struct ReleasesAnybodys {
    pub(crate) inner: Arc<dyn Lease>,
    pub(crate) seize: Arc<dyn Seize>,
}

impl Lease for ReleasesAnybodys {
    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        token: Token,
        life: Duration,
    ) -> BoxFuture<'a, Result<Acquired, CacheError>> {
        self.inner.acquire(key, token, life)
    }

    fn renew<'a>(&'a self, key: &'a Key, token: Token, life: Duration) -> BoxFuture<'a, Result<Renewed, CacheError>> {
        self.inner.renew(key, token, life)
    }

    fn release<'a>(&'a self, key: &'a Key, _: Token) -> BoxFuture<'a, Result<Released, CacheError>> {
        Box::pin(async move { self.seize.seize(key).await.map(|()| Released::Released) })
    }
}

impl Seize for Metered<dyn Seize> {
    fn seize<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(self.meter("seize", self.inner.seize(key)))
    }
}
