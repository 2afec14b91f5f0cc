//! Negative caching: that an item does not exist is stored, too, for a time of its own. The fill asks for that time.

use std::sync::Arc;
use std::time::Duration;

use crate::port::Cache;
use crate::spec::{CacheLayer, Layer, LayerInfo, ParamInfo, Range, Slot};
use crate::stack::Ports;

/// Its row.
pub(crate) const NEGATIVE: LayerInfo = LayerInfo {
    name: "negative",
    slot: Slot::Cache,
    summary: "stores that an item does not exist, too, for a time of its own",
    params: &[ParamInfo {
        name: "ttl",
        default: "1s",
        what: "for how long",
        range: Range::Time(Duration::from_millis(1), Duration::from_secs(3600)),
    }],
    make: |args| Ok(Layer::Cache(Arc::new(Settings { ttl: args.duration("ttl")? }))),
};

#[derive(Debug)]
struct Settings {
    ttl: Duration,
}

impl CacheLayer for Settings {
    fn around(&self, inner: Arc<dyn Cache>, _ports: &Ports) -> Arc<dyn Cache> {
        inner
    }

    fn stretch(&self) -> (f64, f64) {
        (1.0, 1.0)
    }

    fn absent_life(&self) -> Option<Duration> {
        Some(self.ttl)
    }
}
