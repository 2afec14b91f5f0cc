//! The names of the keys with the most rows, kept while the rows go by, in bounded memory.
//!
//! A key that is among the k most frequent at the end has, at its last row, as many rows as it ends with, which is no fewer than the k-th
//! had by then. So it is enough to keep a key's name when one of its rows makes it one of the k most frequent so far, in the place of the
//! least frequent of those.

use std::collections::BTreeMap;

/// Names of the most frequent keys so far, by number.
#[derive(Debug, Clone)]
pub(super) struct TopNames {
    size: usize,
    names: BTreeMap<u32, Box<[u8]>>,
    /// No key here has fewer rows, as it was last counted; it may be fewer than the fewest now.
    least: u32,
}

impl TopNames {
    pub(super) fn new(size: usize) -> Self {
        Self { size, names: BTreeMap::new(), least: 0 }
    }

    /// A key has one row more, and so many by now. `rows` has those of any number.
    pub(super) fn add(&mut self, number: u32, name: Box<[u8]>, count: u32, rows: impl Fn(u32) -> u32) {
        if self.size == 0 || (self.names.len() == self.size && count <= self.least) || self.names.contains_key(&number)
        {
            return;
        }
        if self.names.len() == self.size {
            let Some((least, which)) = self.names.keys().map(|other| (rows(*other), *other)).min() else { return };
            self.least = least;
            if count <= least {
                return;
            }
            self.names.remove(&which);
        }
        self.names.insert(number, name);
    }

    pub(super) fn take(&mut self, number: u32) -> Option<Box<[u8]>> {
        self.names.remove(&number)
    }
}
