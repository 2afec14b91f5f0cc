//! Leases that do not keep their contract, for the `broken-…` strategies and for nothing else.

use std::sync::Arc;
use std::time::Duration;

use crate::key::Key;
use crate::port::{Acquired, BoxFuture, CacheError, Lease, Released, Renewed, Token};
use crate::spec::Flaw;

/// Nobody waits that long.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// A lease with a flaw ([`Flaw::NoTtl`], [`Flaw::ReleasesAnybodys`]); any other flaw leaves it as it is.
pub(crate) struct Flawed {
    pub(crate) inner: Arc<dyn Lease>,
    pub(crate) flaw: Flaw,
}

impl Lease for Flawed {
    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        token: Token,
        life: Duration,
    ) -> BoxFuture<'a, Result<Acquired, CacheError>> {
        self.inner.acquire(key, token, if self.flaw == Flaw::NoTtl { FOR_EVER } else { life })
    }

    fn renew<'a>(&'a self, key: &'a Key, token: Token, life: Duration) -> BoxFuture<'a, Result<Renewed, CacheError>> {
        self.inner.renew(key, token, life)
    }

    fn release<'a>(&'a self, key: &'a Key, token: Token) -> BoxFuture<'a, Result<Released, CacheError>> {
        if self.flaw != Flaw::ReleasesAnybodys {
            return self.inner.release(key, token);
        }
        Box::pin(async move { self.inner.seize(key).await.map(|()| Released::Released) })
    }

    fn seize<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<(), CacheError>> {
        self.inner.seize(key)
    }
}
