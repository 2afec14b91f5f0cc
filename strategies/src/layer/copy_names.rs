//! The names of a key's copies, and the key that each of them stands for.

use std::sync::Arc;

use crate::counter::{SLOTS, slot_of};
use crate::kit::rng::Rng;
use crate::port::key::Key;
use crate::port::{BoxFuture, Event, EventSink, LoadCx, Loaded, Origin, OriginError};

/// What stands between a key and the number of its copy.
const MARK: &str = ":copy-";

/// The layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CopiesLayer {
    pub(crate) n: u32,
    pub(super) even: bool,
}

impl CopiesLayer {
    /// The name of one of a key's copies, from 0.
    fn name(self, key: &Key, number: u32) -> Key {
        let named = |salt: Option<u32>| {
            let salt = salt.map(|salt| format!("-{salt}")).unwrap_or_default();
            // A key too long for a suffix keeps its name: it has one copy.
            Key::new(&format!("{key}{MARK}{number}{salt}")).unwrap_or_else(|_| key.clone())
        };
        if !self.even {
            return named(None);
        }
        // Of as many names as there are copies about one lies in each copy's part; after a hundred times as many none is missing.
        let part = |key: &Key| u64::from(slot_of(key.as_str())) * u64::from(self.n) / u64::from(SLOTS);
        let names = (0..100 * self.n).map(|salt| named(Some(salt)));
        names.into_iter().find(|name| part(name) == u64::from(number)).unwrap_or_else(|| named(None))
    }
}

/// The key that a copy's name stands for.
pub(crate) fn base(key: &Key) -> Key {
    let base = key.as_str().rsplit_once(MARK).and_then(|(base, _)| Key::new(base).ok());
    base.unwrap_or_else(|| key.clone())
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
        Box::pin(async move { self.0.load(&base(key), cx).await })
    }

    fn store<'a>(&'a self, key: &'a Key, cx: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        self.0.store(key, cx)
    }
}

/// Events of copies, told of the keys that they are copies of.
pub(crate) struct ToldOfBase(pub(crate) Arc<dyn EventSink>);

impl EventSink for ToldOfBase {
    fn emit(&self, event: Event) {
        self.0.emit(event.of_key(base));
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
        for even in [false, true] {
            let layer = CopiesLayer { n: 10, even };
            let names = Names::new(Some(layer), &Rng::new(1));
            let mut all = names.all(&key);
            assert!(all.iter().all(|name| base(name) == key), "{all:?}");
            assert!((0..100).all(|_| all.contains(&names.any(&key).unwrap())));
            let parts: Vec<u32> =
                all.iter().map(|name| u32::from(slot_of(name.as_str())) * 10 / u32::from(SLOTS)).collect();
            assert_eq!(even, parts == (0..10).collect::<Vec<_>>(), "{parts:?}");
            all.dedup();
            assert_eq!(all.len(), 10);
        }
        assert_eq!((base(&key), Names::new(None, &Rng::new(1)).all(&key)), (key.clone(), vec![key]));
    }
}
