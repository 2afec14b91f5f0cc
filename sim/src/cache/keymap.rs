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

    /// Shows each key, in no order that means anything: for what does not depend on it, as counting.
    pub(crate) fn each_key(&self, see: impl FnMut(&Key)) {
        self.0.keys().for_each(see);
    }

    /// Takes from another map what it has of some keys, and forgets what there was of them.
    pub(crate) fn take_of(&mut self, other: &Self, of: impl Fn(&Key) -> bool)
    where
        V: Clone,
    {
        self.0.retain(|key, _| !of(key));
        self.0.extend(other.0.iter().filter(|(key, _)| of(key)).map(|(key, value)| (key.clone(), value.clone())));
    }

    /// Keeps those of which `keep` says so. It sees them in no order that means anything, so it must not count them.
    pub(crate) fn keep(&mut self, keep: impl Fn(&V) -> bool) {
        self.0.retain(|_, value| keep(value));
    }
}
