//! `shrink`: every entry lives a fixed fraction shorter than the TTL says.

use std::sync::Arc;

use crate::port::entry::Entry;
use crate::port::key::Key;
use crate::port::{BoxFuture, Cache, CacheError, Lookup, Removal, Stored, When};
use crate::spec::{CacheLayer, Layer, LayerInfo, ParamInfo, Range, Slot};
use crate::stack::Ports;

/// Its row.
pub(crate) const SHRINK: LayerInfo = LayerInfo {
    name: "shrink",
    slot: Slot::Cache,
    summary: "on each put the TTL becomes T·(1 − by)",
    params: &[ParamInfo { name: "by", default: "0.1", what: "fraction of the TTL", range: Range::Below(1.0) }],
    make: |args| Ok(Layer::Cache(Arc::new(Settings { by: args.number("by")? }))),
};

#[derive(Debug)]
struct Settings {
    by: f64,
}

impl CacheLayer for Settings {
    fn around(&self, inner: Arc<dyn Cache>, _ports: &Ports) -> Arc<dyn Cache> {
        Arc::new(Shrink { inner, factor: 1.0 - self.by })
    }

    fn stretch(&self) -> (f64, f64) {
        (1.0 - self.by, 1.0 - self.by)
    }
}

struct Shrink {
    inner: Arc<dyn Cache>,
    factor: f64,
}

impl Cache for Shrink {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        self.inner.get(key)
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        Box::pin(async move {
            let shorter = Entry { life: entry.life.scaled(self.factor), ..entry.clone() };
            self.inner.put(key, &shorter, when).await
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, what: Removal) -> BoxFuture<'a, Result<(), CacheError>> {
        self.inner.remove(key, what)
    }
}
