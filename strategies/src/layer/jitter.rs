//! TTL jitter: keys that were written together do not expire together.
//!
//! On each put both lives become longer by one factor 1 + U(0, spread), or longer or shorter by 1 + U(−spread, spread). It does
//! nothing for a single hot key, which still has one expiry a cycle.

use std::sync::Arc;

use crate::entry::Entry;
use crate::key::Key;
use crate::port::{BoxFuture, Cache, CacheError, Lookup, Stored, When};
use crate::rng::Rng;

pub(crate) struct Jitter {
    pub(crate) inner: Arc<dyn Cache>,
    pub(crate) spread: f64,
    /// Whether lives become shorter, too.
    pub(crate) symmetric: bool,
    pub(crate) rng: Rng,
}

impl Cache for Jitter {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        self.inner.get(key)
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        let drawn = self.rng.next_unit();
        let drawn = if self.symmetric { 2.0 * drawn - 1.0 } else { drawn };
        let life = entry.life.scaled(1.0 + self.spread * drawn);
        Box::pin(async move {
            let jittered = Entry { life, ..entry.clone() };
            self.inner.put(key, &jittered, when).await
        })
    }

    fn remove<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<(), CacheError>> {
        self.inner.remove(key)
    }
}
