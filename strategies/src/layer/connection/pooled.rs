//! The shared cache and its leases over connections of a pool.

use std::sync::Arc;
use std::time::Duration;

use super::taking::{Side, Taking};
use crate::fill::{Cx, Fill, Filled, Want};
use crate::port::entry::Entry;
use crate::port::error::GetError;
use crate::port::key::Key;
use crate::port::{
    Acquired, BoxFuture, Cache, CacheError, Lease, Lookup, Released, Removal, Renewed, Stored, Token, When,
};

/// Operations that each take a connection.
pub(super) struct Pooled(pub(super) Arc<Taking>);

impl Cache for Pooled {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        Box::pin(async move { self.0.connection(Side::Read).await?.connected().cache.get(key).await })
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Lookup>, CacheError>> {
        Box::pin(async move { self.0.connection(Side::Read).await?.connected().cache.get_many(keys).await })
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        Box::pin(async move { self.0.connection(Side::Fill).await?.connected().cache.put(key, entry, when).await })
    }

    fn remove<'a>(&'a self, key: &'a Key, what: Removal) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(async move { self.0.connection(Side::Fill).await?.connected().cache.remove(key, what).await })
    }
}

impl Lease for Pooled {
    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        token: Token,
        life: Duration,
    ) -> BoxFuture<'a, Result<Acquired, CacheError>> {
        Box::pin(async move { self.0.connection(Side::Fill).await?.connected().lease.acquire(key, token, life).await })
    }

    fn renew<'a>(&'a self, key: &'a Key, token: Token, life: Duration) -> BoxFuture<'a, Result<Renewed, CacheError>> {
        Box::pin(async move { self.0.connection(Side::Fill).await?.connected().lease.renew(key, token, life).await })
    }

    fn release<'a>(&'a self, key: &'a Key, token: Token) -> BoxFuture<'a, Result<Released, CacheError>> {
        Box::pin(async move { self.0.connection(Side::Fill).await?.connected().lease.release(key, token).await })
    }
}

/// A fill whose request holds one of the connections for fills while it lasts.
pub(super) struct HeldForFills(pub(super) Arc<dyn Fill>, pub(super) Arc<Taking>);

impl Fill for HeldForFills {
    fn fill<'a>(&'a self, cx: Cx, key: &'a Key, want: Want) -> BoxFuture<'a, Result<Filled, GetError>> {
        Box::pin(async move {
            // Without one it goes on all the same: the cache is lost to it, and the origin is not.
            let _ = self.1.connection(Side::Fill).await;
            self.0.fill(cx, key, want).await
        })
    }
}
