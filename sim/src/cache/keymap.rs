//! A map by key that costs the same whatever it holds, and that nobody can walk through.
//!
//! Where there are a million keys, a tree is twenty cache misses deep and a hash table one. Its order is not for anybody to
//! see (a run must be the same in ten years), so it is asked for a key, or told which entries to keep, and nothing else.

#![allow(clippy::disallowed_types, reason = "a fixed hasher, and no way to see the order")]

use std::collections::HashMap;

use foldhash::fast::FixedState;
use strategies::Key;

/// Values by key.
#[derive(Debug, Clone)]
pub(crate) struct KeyMap<V>(HashMap<Key, V, FixedState>);

impl<V> Default for KeyMap<V> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<V> KeyMap<V> {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&V> {
        self.0.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &Key) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: Key, value: V) {
        self.0.insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: &Key) -> Option<V> {
        self.0.remove(key)
    }

    /// Keeps those of which `keep` says so. It sees them in no order that means anything, so it must not count them.
    pub(crate) fn keep(&mut self, keep: impl Fn(&V) -> bool) {
        self.0.retain(|_, value| keep(value));
    }
}
