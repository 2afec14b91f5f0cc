//! TTL jitter: keys that were written together do not expire together.
//!
//! On each put both lives become longer by one factor 1 + U(0, spread), or longer or shorter by 1 + U(−spread, spread). It does
//! nothing for a single hot key, which still has one expiry a cycle.

use std::sync::Arc;

use crate::kit::rng::Rng;
use crate::port::entry::Entry;
use crate::port::key::Key;
use crate::port::{BoxFuture, Cache, CacheError, Lookup, Removal, Stored, When};
use crate::spec::{CacheLayer, Layer, LayerInfo, ParamInfo, Range, Slot};
use crate::stack::Ports;

/// Its row.
pub(crate) const JITTER: LayerInfo = LayerInfo {
    name: "jitter",
    slot: Slot::Cache,
    summary: "on each put the TTL becomes T·(1 + U(0, spread)), or T·(1 + U(−spread, spread)) for ±spread",
    params: &[ParamInfo { name: "spread", default: "0.2", what: "", range: Range::Spread(10.0, 0.9) }],
    make: |args| {
        let (spread, symmetric) = args.spread("spread")?;
        Ok(Layer::Cache(Arc::new(Settings { spread, symmetric })))
    },
};

#[derive(Debug)]
struct Settings {
    spread: f64,
    /// Whether lives become shorter, too.
    symmetric: bool,
}

impl CacheLayer for Settings {
    fn around(&self, inner: Arc<dyn Cache>, ports: &Ports) -> Arc<dyn Cache> {
        Arc::new(Jitter { inner, spread: self.spread, symmetric: self.symmetric, rng: ports.rng.fork("jitter") })
    }

    fn stretch(&self) -> (f64, f64) {
        (if self.symmetric { 1.0 - self.spread } else { 1.0 }, 1.0 + self.spread)
    }
}

struct Jitter {
    inner: Arc<dyn Cache>,
    spread: f64,
    symmetric: bool,
    rng: Rng,
}

impl Cache for Jitter {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        self.inner.get(key)
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        let drawn = self.rng.next_unit();
        let drawn = if self.symmetric { 2.0 * drawn - 1.0 } else { drawn };
        let life = entry.life.scaled(1.0 + self.spread * drawn);
        Box::pin(async move {
            let jittered = Entry { life, ..entry.clone() };
            self.inner.put(key, &jittered, when).await
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, what: Removal) -> BoxFuture<'a, Result<(), CacheError>> {
        self.inner.remove(key, what)
    }
}
