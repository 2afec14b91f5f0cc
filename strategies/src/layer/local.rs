//! `local`: no shared cache at all. Each replica has a cache of its own, in its process, as many services do.
//!
//! It stands where the shared cache would: entries live for the TTL, and every layer around the cache works on it. Nothing of it is known
//! to the others: no lock of the fleet's can be kept there, and a write reaches the cache of its own replica only.

use std::sync::Arc;

use super::near::{BYTES, Bounds, Copies, ENTRIES, HeldCopy, LocalLayer};
use crate::kit::time::Mono;
use crate::port::entry::Entry;
use crate::port::key::Key;
use crate::port::{BoxFuture, Cache, CacheError, Clock, Event, EventSink, Level, Lookup, Removal, Stored, When};
use crate::spec::{Layer, LayerInfo, Slot};
use crate::stack::Ports;

/// Its row.
pub(crate) const LOCAL: LayerInfo = LayerInfo {
    name: "local",
    slot: Slot::Cache,
    summary: "no shared cache: each replica has its own, in its process",
    params: &[ENTRIES, BYTES],
    make: |args| {
        let bounds = Bounds { entries: args.count("entries")?, bytes: args.size("bytes")? };
        Ok(Layer::Local(LocalLayer { bounds }))
    },
};

/// A replica's own cache, in the place of the shared one.
pub(crate) fn own_cache(copies: &Arc<Copies>, ports: &Ports) -> Arc<dyn Cache> {
    let (clock, events) = (Arc::clone(&ports.clock), Arc::clone(&ports.events));
    Arc::new(OwnCache { copies: Arc::clone(copies), clock, events })
}

struct OwnCache {
    copies: Arc<Copies>,
    clock: Arc<dyn Clock>,
    events: Arc<dyn EventSink>,
}

impl OwnCache {
    fn held(&self, key: &Key) -> Option<HeldCopy> {
        self.copies.look_up(key).filter(|held| self.clock.mono() < held.until)
    }

    fn put(&self, key: &Key, entry: &Entry, when: When) -> Stored {
        let newer_is_there = self.held(key).is_some_and(|held| held.entry.version > entry.version);
        let stored = match when {
            // No lease can be held here, so none carries that token.
            When::Fenced(_) => Stored::Fenced,
            When::NotOlder if newer_is_there => Stored::Fenced,
            When::NotOlder | When::Always => Stored::Stored,
        };
        let now = self.clock.mono();
        if stored == Stored::Stored {
            let until: Mono = now.plus(entry.life.hard);
            self.copies.insert(key, HeldCopy { entry: entry.clone(), until });
        }
        let fresh_until = now.plus(entry.expiry().since(self.clock.wall()));
        let (key, fenced) = (key.clone(), when != When::Always);
        self.events.emit(Event::Put { key, fresh_until, version: entry.version, fenced, stored });
        stored
    }
}

impl Cache for OwnCache {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        let found = self.held(key).map_or(Lookup::Absent, |held| Lookup::Found(held.entry, Level::Near));
        Box::pin(std::future::ready(Ok(found)))
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        Box::pin(std::future::ready(Ok(Self::put(self, key, entry, when))))
    }

    fn remove<'a>(&'a self, key: &'a Key, _: Removal) -> BoxFuture<'a, Result<(), CacheError>> {
        self.copies.forget(key);
        Box::pin(std::future::ready(Ok(())))
    }
}
