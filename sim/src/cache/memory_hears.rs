//! The cache in memory as one that tells of changes.

use std::time::Duration;

use strategies::Key;
use strategies::port::{BoxFuture, Bus, Cache as _, CacheError, Invalidations, Lookup, Messages};

use super::memory::MemoryCache;

impl MemoryCache {
    /// Nobody hears of changes for a time; then everybody is told that some may have been missed.
    pub async fn cut_changes(&self, length: Duration) {
        self.changes.cut(true);
        self.clock.sleep(length).await;
        self.changes.cut(false);
    }
}

impl Invalidations for MemoryCache {
    fn hear(&self, bus: Bus) -> BoxFuture<'_, Option<Messages>> {
        Box::pin(async move { Some(self.changes.of(bus).subscribe()) })
    }

    fn tell<'a>(&'a self, bus: Bus, key: &'a Key) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(async move {
            self.changes.told(bus, key);
            Ok(())
        })
    }

    fn tracked<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        self.get(key)
    }
}
