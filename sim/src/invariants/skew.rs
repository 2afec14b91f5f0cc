//! Clocks that are apart by more than a TTL. What one replica stores is past its TTL at once for another whose clock is ahead:
//! a caller that waits there waits on, for a value that is fresh to it, and may give up. Ages are judged by the replica that asks,
//! so this is no fault of a strategy's.

use std::collections::BTreeMap;

use strategies::Key;
use strategies::port::Stored;

use super::checker::{Known, nanos};
use super::fact::{Fact, FactKind};
use crate::cache::Effect;
use crate::world::EPOCH_NS;

/// When each replica last stored a key with a stamp that may be past its TTL by another's clock.
#[derive(Default)]
pub(super) struct TooOld(BTreeMap<Key, BTreeMap<Option<u16>, i64>>);

impl TooOld {
    pub(super) fn see(&mut self, known: &Known, fact: &Fact) {
        let FactKind::Cache(Effect::Put(key, entry, _, Stored::Stored)) = &fact.what else { return };
        let stamp = entry.stored_at.0.cast_signed().saturating_sub(EPOCH_NS.cast_signed());
        let ahead = known.clocks();
        if ahead > 0 && fact.at_ns.saturating_sub(stamp).saturating_add(ahead) > nanos(entry.life.soft) {
            self.0.entry(key.clone()).or_default().insert(fact.node, fact.at_ns);
        }
    }

    /// Whether another replica has stored the key so since a moment.
    pub(super) fn by_another(&self, key: &Key, node: Option<u16>, since_ns: i64) -> bool {
        let mut stored = self.0.get(key).into_iter().flatten();
        stored.any(|(other, at)| *other != node && *at >= since_ns)
    }
}
