//! Copies in the process that are kept where they must go, or without a bound.

use std::sync::Arc;

use futures_util::StreamExt as _;

use super::BrokenInfo;
use crate::layer::near::Bounds;
use crate::port::key::Key;
use crate::port::{BoxFuture, Bus, CacheError, Heard, Invalidations, Lookup, Messages};

/// A connection that was lost and stands again is taken for one that never was.
pub(super) const NO_FLUSH: BrokenInfo = BrokenInfo {
    name: "broken-tracking-no-flush",
    composition: "plain + near(ttl=60s, invalidate=tracking) + coalesce + lease + invalidate",
    reason: "what was written while the invalidation connection was down stays in the process until the copy's life is over",
    mistake: "client-side caching that subscribes again after a disconnection and keeps what it has",
    sabotage: |parts| parts.ports.invalidations = Arc::new(NeverLost(Arc::clone(&parts.ports.invalidations))),
};

/// A reply that an invalidation has overtaken is kept.
pub(super) const RACE: BrokenInfo = BrokenInfo {
    name: "broken-tracking-race",
    composition: "plain + near(ttl=60s, invalidate=tracking) + coalesce + lease + write-through",
    reason: "a reply from before a write is kept after its invalidation has come: nothing will take it away",
    mistake: "no pending marker: the map is filled by the reply and emptied by the push, in whatever order they come",
    sabotage: |parts| parts.near.iter_mut().for_each(|near| near.marks = false),
};

/// Nothing is ever thrown out.
pub(super) const NO_BOUND: BrokenInfo = BrokenInfo {
    name: "broken-near-no-bound",
    composition: "plain + near(entries=2) + coalesce",
    reason: "copies of keys that nobody asks for again are kept: memory grows with the number of keys",
    mistake: "a map for a cache, whose entries go when they are asked for after their end, and not before",
    sabotage: |parts| parts.near.iter_mut().for_each(|near| near.bounds = Bounds::NONE),
};

struct NeverLost(Arc<dyn Invalidations>);

impl Invalidations for NeverLost {
    fn hear(&self, bus: Bus) -> BoxFuture<'_, Option<Messages>> {
        Box::pin(async move {
            let messages = self.0.hear(bus).await?;
            let known: Messages = Box::pin(messages.filter(|heard| std::future::ready(*heard != Heard::Lost)));
            Some(known)
        })
    }

    fn tell<'a>(&'a self, bus: Bus, key: &'a Key) -> BoxFuture<'a, Result<(), CacheError>> {
        self.0.tell(bus, key)
    }

    fn tracked<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        self.0.tracked(key)
    }
}
