//! Write layers: what a strategy does to the cache when an item is written. Each is a writer around a writer; the innermost gives the
//! item its new version at the origin.
//!
//! A write runs on [`Spawn`](crate::port::Spawn): once the origin may have committed it, the cache is told whether or not the client
//! still listens.

mod expire;
mod invalidate;
mod store;
mod through;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use expire::EXPIRE;
pub(crate) use invalidate::{INVALIDATE, Invalidate};
pub(crate) use store::StoreWriter;
pub(crate) use through::WRITE_THROUGH;

use crate::fill::Cx;
use crate::layer::{Copies, Names};
use crate::port::entry::Entry;
use crate::port::error::GetError;
use crate::port::key::Key;
use crate::port::lives::EntryLives;
use crate::port::{BoxFuture, Bus, Cache, Event, FlightId, Loaded, OriginError, Removal, When};
use crate::stack::Ports;

/// A write that the origin has committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The item's new version; `None` where the origin has no such item.
    pub version: Option<u64>,
    /// The write's name, which the origin's ledger of writes has, too.
    pub flight: FlightId,
}

/// An item as a write has left it at the origin.
#[derive(Debug, Clone)]
pub(crate) struct CommittedItem {
    pub(crate) loaded: Loaded,
    pub(crate) flight: FlightId,
    /// How long the write took at the origin.
    pub(crate) delta: Duration,
}

impl CommittedItem {
    /// What its client is told.
    pub(crate) fn written(&self) -> Written {
        Written { version: self.loaded.value.is_some().then_some(self.loaded.version), flight: self.flight }
    }
}

/// Writes an item.
pub(crate) trait ItemWriter: Send + Sync {
    /// Gives it a new version at the origin, and does what belongs to that.
    fn write<'a>(&'a self, cx: Cx, key: &'a Key) -> BoxFuture<'a, Result<CommittedItem, GetError>>;
}

/// What a write layer works on.
#[derive(Clone)]
pub(crate) struct WriteDoor {
    pub(crate) ports: Ports,
    /// What is told of a write: what all replicas share, and nearer copies around it.
    pub(crate) cache: Arc<dyn Cache>,
    /// The lives to store with.
    pub(crate) lives: EntryLives,
    /// The names that a key has in the cache.
    pub(crate) names: Names,
    /// On what the other replicas hear of a change; `None` where they do not.
    pub(crate) bus: Option<Bus>,
    /// What this replica keeps in its process.
    pub(crate) copies: Arc<Copies>,
    /// What a removal takes away. Where fills hold leases, theirs too: what is being loaded then cannot be stored any more.
    pub(crate) removal: Removal,
}

impl WriteDoor {
    /// Takes a key out of the cache, and tells whether that could be done.
    pub(crate) async fn forget(&self, key: &Key) {
        let mut told = true;
        for name in self.names.all(key) {
            told &= self.cache.remove(&name, self.removal).await.is_ok();
            told &= self.tell(&name).await;
        }
        self.ports.events.emit(if told { Event::Invalidated(key.clone()) } else { Event::CacheNotTold(key.clone()) });
    }

    /// Puts an item's new entry into the cache, never over a newer one.
    pub(crate) async fn put(&self, key: &Key, entry: &Entry) {
        let mut told = true;
        for name in self.names.all(key) {
            told &= self.cache.put(&name, entry, When::NotOlder).await.is_ok();
            told &= self.tell(&name).await;
        }
        if !told {
            self.ports.events.emit(Event::CacheNotTold(key.clone()));
        }
    }

    /// Tells the other replicas of a change, after the shared cache has it; whether that could be done.
    async fn tell(&self, key: &Key) -> bool {
        let Some(bus) = self.bus.filter(|bus| bus.is_told_by_writers()) else { return true };
        let told = self.ports.invalidations.tell(bus, key).await.is_ok();
        if told {
            self.copies.told();
        }
        told
    }
}

/// Whether a write that failed so may have been committed all the same.
pub(crate) fn may_be_committed(error: &GetError) -> bool {
    matches!(error, GetError::Origin { error: OriginError::TimedOut | OriginError::Failed(_), .. })
}
