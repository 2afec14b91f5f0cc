//! The meter: innermost around the world's cache and leases, it counts operations and tells of puts, failures and
//! corrupt entries. It stands under every other layer, so it sees what the cache sees (jittered lives, for one).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::port::entry::Entry;
use crate::port::key::Key;
use crate::port::{
    Acquired, BoxFuture, Bus, Cache, CacheError, Clock, Event, EventSink, Invalidations, Lease, Lookup, Messages,
    Released, Removal, Renewed, Stored, Token, When,
};
use crate::stack::Ports;

/// How many operations a replica asked of the shared cache.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    reads: AtomicU64,
    others: AtomicU64,
}

impl Operations {
    /// Reads of entries.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// All of them.
    pub(crate) fn all(&self) -> u64 {
        self.reads() + self.others.load(Ordering::Relaxed)
    }

    /// One more that is no read of an entry.
    pub(crate) fn other(&self) {
        self.others.fetch_add(1, Ordering::Relaxed);
    }
}

/// A metered port.
pub(crate) struct Metered<P: ?Sized> {
    pub(crate) inner: Arc<P>,
    ops: Arc<Operations>,
    events: Arc<dyn EventSink>,
    clock: Arc<dyn Clock>,
}

impl<P: ?Sized> Metered<P> {
    /// One that counts into `ops`.
    pub(crate) fn new(inner: Arc<P>, ports: &Ports, ops: &Arc<Operations>) -> Self {
        let (events, clock) = (Arc::clone(&ports.events), Arc::clone(&ports.clock));
        Self { inner, ops: Arc::clone(ops), events, clock }
    }

    /// What a read found, and what is told of it.
    fn told_of(&self, key: &Key, found: Result<Lookup, CacheError>) -> Result<Lookup, CacheError> {
        match &found {
            Ok(Lookup::Corrupt) => self.events.emit(Event::Corrupt(key.clone())),
            Ok(_) => {}
            Err(error) => self.events.emit(Event::CacheFailed { op: "get", class: error.class }),
        }
        found
    }

    /// Counts one operation and its failure.
    pub(crate) async fn meter<T>(
        &self,
        op: &'static str,
        work: BoxFuture<'_, Result<T, CacheError>>,
    ) -> Result<T, CacheError> {
        self.ops.other();
        let answer = work.await;
        if let Err(error) = &answer {
            self.events.emit(Event::CacheFailed { op, class: error.class });
        }
        answer
    }
}

impl Cache for Metered<dyn Cache> {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        // Not by way of `meter`: this is on every request's path.
        Box::pin(async move {
            self.ops.reads.fetch_add(1, Ordering::Relaxed);
            let found = self.inner.get(key).await;
            self.told_of(key, found)
        })
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        Box::pin(async move {
            let fenced = when != When::Always;
            let stored = self.meter("put", self.inner.put(key, entry, when)).await?;
            // In this order, so that what comes between the two makes the end too early, never too late.
            let now = self.clock.mono();
            let fresh_until = now.plus(entry.expiry().since(self.clock.wall()));
            self.events.emit(Event::Put { key: key.clone(), fresh_until, version: entry.version, fenced, stored });
            Ok(stored)
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, what: Removal) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(self.meter("remove", self.inner.remove(key, what)))
    }
}

impl Lease for Metered<dyn Lease> {
    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        token: Token,
        life: Duration,
    ) -> BoxFuture<'a, Result<Acquired, CacheError>> {
        Box::pin(self.meter("acquire", self.inner.acquire(key, token, life)))
    }

    fn renew<'a>(&'a self, key: &'a Key, token: Token, life: Duration) -> BoxFuture<'a, Result<Renewed, CacheError>> {
        Box::pin(self.meter("renew", self.inner.renew(key, token, life)))
    }

    fn release<'a>(&'a self, key: &'a Key, token: Token) -> BoxFuture<'a, Result<Released, CacheError>> {
        Box::pin(self.meter("release", self.inner.release(key, token)))
    }
}

impl Invalidations for Metered<dyn Invalidations> {
    fn hear(&self, bus: Bus) -> BoxFuture<'_, Option<Messages>> {
        self.inner.hear(bus)
    }

    fn tell<'a>(&'a self, bus: Bus, key: &'a Key) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(self.meter("tell", self.inner.tell(bus, key)))
    }

    fn tracked<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        Box::pin(async move {
            self.ops.reads.fetch_add(1, Ordering::Relaxed);
            self.told_of(key, self.inner.tracked(key).await)
        })
    }
}
