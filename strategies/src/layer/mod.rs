//! Layers around ports. Around the cache stand caches, so that all of them see every put; around the origin, and around a write, see
//! their rooms.

mod batch;
mod cache_breaker;
mod circuit;
pub(crate) mod connection;
mod copies;
mod copy_names;
mod jitter;
mod local;
mod meter;
pub(crate) mod near;
mod negative;
pub(crate) mod origin;
mod parts;
pub(crate) mod write;

pub(crate) use batch::{BATCH, BatchMode, BatchWay, Batching, gathering};
pub(crate) use cache_breaker::{CACHE_BREAKER, CacheBreakerLayer};
pub(crate) use connection::{Connecting, ConnectionLayer, ConnectionSpec, MULTIPLEXED, POOL, READ_FROM, TIMEOUTS};
pub use connection::{ConnectionUse, HoldFor, PoolCounters, PoolSettings};
pub(crate) use copies::COPIES;
pub(crate) use copy_names::{CopiesLayer, Names, OfBase, ToldOfBase};
pub(crate) use jitter::JITTER;
pub(crate) use local::{LOCAL, own_cache};
pub(crate) use meter::{Metered, Operations};
pub use near::NearCounters;
pub(crate) use near::{Copies, LocalLayer, NEAR, NearLayer};
pub(crate) use negative::NEGATIVE;
pub(crate) use parts::{PARTS, PartsLayer, PartsRead};
pub use write::Written;

/// The layer of docs/extending.md, as a reader of it would write it.
#[cfg(test)]
#[path = "../../../docs/extending/shrink.rs"]
mod shrink;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use futures_util::future::FutureExt;

    use super::shrink::SHRINK;
    use crate::kit::time::Wall;
    use crate::port::entry::{Entry, Life};
    use crate::port::key::Key;
    use crate::port::{Lookup, When};
    use crate::spec::{Layer, read_layer};
    use crate::stack::tests::Still;

    #[test]
    fn the_layer_of_the_guide_does_what_its_row_says() {
        let still = Arc::new(Still::default());
        let ports = still.ports();
        let Layer::Cache(layer) = read_layer(&SHRINK, "shrink(by=0.25)").unwrap() else { panic!("a cache layer") };
        assert_eq!(layer.stretch(), (0.75, 0.75));
        let refused = read_layer(&SHRINK, "shrink(1)").unwrap_err();
        assert!(refused.contains("shrink(by): found 1, which is out of range; by is fraction of the TTL"), "{refused}");
        let (key, life) = (Key::of_item(1), Life::new(Duration::from_secs(4), Duration::ZERO));
        let (read_at, stored_at, delta) = (Wall(0), Wall(0), Duration::ZERO);
        let entry = Entry { value: None, version: 1, read_at, stored_at, life, delta };
        let cache = layer.around(still.clone(), &ports);
        cache.put(&key, &entry, When::Always).now_or_never().unwrap().unwrap();
        let Some(Ok(Lookup::Found(found, _))) = cache.get(&key).now_or_never() else { panic!("an entry") };
        assert_eq!(found.life.soft, Duration::from_secs(3));
    }
}
