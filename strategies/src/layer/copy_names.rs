//! The names of a key's copies, and the key that each of them stands for.

use std::sync::Arc;

use crate::counter::{SLOTS, slot_of};
use crate::kit::rng::{Rng, mix};
use crate::port::key::Key;
use crate::port::{BoxFuture, Event, EventSink, LoadCx, Loaded, Origin, OriginError};

/// The layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CopiesLayer {
    pub(crate) n: u32,
    pub(super) tags: CopyTags,
}

/// What a copy's name ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CopyTags {
    /// Something drawn.
    Random,
    /// Its number. CRC16 is linear: names that differ in their last figure have slots that differ by the same for every key.
    Counted,
    /// Whatever puts it in its own part of the slots.
    Even,
}

impl CopiesLayer {
    /// The name of one of a key's copies, from 0.
    fn name(self, key: &Key, number: u32) -> Key {
        let named = |salt: Option<u32>| {
            let salt = salt.map(|salt| format!("-{salt}")).unwrap_or_default();
            key.copy(number, &salt)
        };
        match self.tags {
            CopyTags::Counted => return named(None),
            CopyTags::Random => {
                let of_key = key.as_str().bytes().fold(0, |all, byte| mix(all ^ u64::from(byte)));
                return named(Some((mix(of_key ^ u64::from(number)) & 0xFFFF) as u32));
            }
            CopyTags::Even => {}
        }
        // Of as many names as there are copies about one lies in each copy's part; after a hundred times as many none is missing.
        let part = |key: &Key| u64::from(slot_of(key.as_str())) * u64::from(self.n) / u64::from(SLOTS);
        let names = (0..100 * self.n).map(|salt| named(Some(salt)));
        names.into_iter().find(|name| part(name) == u64::from(number)).unwrap_or_else(|| named(None))
    }
}

/// The names of keys in the cache: their own, or those of copies.
#[derive(Clone)]
pub(crate) struct Names(Option<(CopiesLayer, Arc<Rng>)>);

impl Names {
    pub(crate) fn new(layer: Option<CopiesLayer>, rng: &Rng) -> Self {
        Self(layer.map(|layer| (layer, Arc::new(rng.fork("copies")))))
    }

    /// Whether keys have names of copies.
    pub(crate) fn differ(&self) -> bool {
        self.0.is_some()
    }

    /// The name that one request reads; `None` where it is the key's own.
    pub(crate) fn any(&self, key: &Key) -> Option<Key> {
        let (layer, rng) = self.0.as_ref()?;
        let number = (u128::from(rng.next_u64()) * u128::from(layer.n)) >> 64;
        Some(layer.name(key, number as u32))
    }

    /// Every name.
    pub(crate) fn all(&self, key: &Key) -> Vec<Key> {
        let copies = |(layer, _): &(CopiesLayer, _)| (0..layer.n).map(|number| layer.name(key, number)).collect();
        self.0.as_ref().map_or_else(|| vec![key.clone()], copies)
    }
}

/// An origin that is asked for copies, and reads what they are copies of.
pub(crate) struct OfBase(pub(crate) Arc<dyn Origin>);

impl Origin for OfBase {
    fn load<'a>(&'a self, key: &'a Key, cx: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        Box::pin(async move { self.0.load(&key.base(), cx).await })
    }

    fn store<'a>(&'a self, key: &'a Key, cx: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        self.0.store(key, cx)
    }
}

/// Events of copies, told of the keys that they are copies of.
pub(crate) struct ToldOfBase(pub(crate) Arc<dyn EventSink>);

impl EventSink for ToldOfBase {
    fn emit(&self, event: Event) {
        self.0.emit(event.of_key(Key::base));
    }

    fn lock_waited(&self, waited: std::time::Duration) {
        self.0.lock_waited(waited);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_copy_has_a_name_of_its_own_which_leads_back_to_the_key() {
        let key = Key::new("user:7").unwrap();
        for tags in [CopyTags::Random, CopyTags::Counted, CopyTags::Even] {
            let layer = CopiesLayer { n: 10, tags };
            let names = Names::new(Some(layer), &Rng::new(1));
            let mut all = names.all(&key);
            assert!(all.iter().all(|name| name.base() == key), "{all:?}");
            assert!((0..100).all(|_| all.contains(&names.any(&key).unwrap())));
            let parts: Vec<u32> =
                all.iter().map(|name| u32::from(slot_of(name.as_str())) * 10 / u32::from(SLOTS)).collect();
            assert_eq!(tags == CopyTags::Even, parts == (0..10).collect::<Vec<_>>(), "{parts:?}");
            all.dedup();
            assert_eq!(all.len(), 10);
        }
        assert_eq!((key.base(), Names::new(None, &Rng::new(1)).all(&key)), (key.clone(), vec![key]));
    }

    /// The share of the fullest of so many shards, for each of a thousand keys.
    fn fullest_of_keys(layer: CopiesLayer, shards: u32) -> Vec<f64> {
        let of_key = |item| {
            let names = Names::new(Some(layer), &Rng::new(1)).all(&Key::of_item(item));
            let mut on = vec![0_u32; shards as usize];
            for name in &names {
                on[(u32::from(slot_of(name.as_str())) * shards / u32::from(SLOTS)) as usize] += 1;
            }
            f64::from(on.into_iter().max().unwrap()) / f64::from(layer.n)
        };
        (1..=1000).map(of_key).collect()
    }

    fn mean(of: &[f64]) -> f64 {
        of.iter().sum::<f64>() / of.len() as f64
    }

    #[test]
    fn names_that_are_drawn_fall_on_shards_as_balls_into_bins() {
        for (shards, n, percent) in
            [(3, 10, 49.0), (6, 6, 40.0), (6, 10, 34.0), (6, 30, 27.0), (6, 100, 22.0), (10, 6, 34.0), (10, 10, 28.0)]
                .into_iter()
                .chain([(10, 30, 20.0), (10, 100, 15.0)])
        {
            let theory = 100.0 * crate::counter::theory::fullest(n, shards) / f64::from(n);
            assert!((theory - percent).abs() < 1.0, "{n} on {shards}: {theory}");
            let found = 100.0 * mean(&fullest_of_keys(CopiesLayer { n, tags: CopyTags::Random }, shards));
            assert!((found - theory).abs() < 2.0, "{n} on {shards}: {found}, {theory} by theory");
        }
    }

    #[test]
    fn names_that_count_have_one_pattern_for_all_keys() {
        for (shards, n, share) in [(6, 3, 1.0 / 3.0), (6, 10, 0.3), (10, 10, 0.3)] {
            let found = fullest_of_keys(CopiesLayer { n, tags: CopyTags::Counted }, shards);
            assert!(found.iter().all(|found| (found - share).abs() < 1e-9), "{n} on {shards}: {}", mean(&found));
        }
    }
}
