//! Caches and leases that do not keep their contract, for the `broken-…` strategies and for nothing else.

use std::sync::Arc;
use std::time::Duration;

use crate::port::entry::Entry;
use crate::port::key::Key;
use crate::port::{Acquired, BoxFuture, Cache, CacheError, Lease, Lookup, Released, Renewed, Stored, Token, When};
use crate::spec::Flaw;

/// Nobody waits that long.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// A port with a flaw; a flaw of something else leaves it as it is.
pub(crate) struct Flawed<P: ?Sized> {
    pub(crate) inner: Arc<P>,
    pub(crate) flaw: Flaw,
}

/// [`Flaw::Unfenced`]: every put is unconditional.
impl Cache for Flawed<dyn Cache> {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        self.inner.get(key)
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        self.inner.put(key, entry, if self.flaw == Flaw::Unfenced { When::Always } else { when })
    }

    fn remove<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<(), CacheError>> {
        self.inner.remove(key)
    }
}

/// [`Flaw::NoTtl`]: nobody's lock ends by itself.
impl Lease for Flawed<dyn Lease> {
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
        self.inner.release(key, token)
    }
}
