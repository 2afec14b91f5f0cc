//! A lease that is deleted, no matter which caller holds it: what the sabotage of a release asks the simulated cache for.

use strategies::Key;
use strategies::port::{BoxFuture, CacheError};
use strategies::sabotage::Seize;

use super::memory::MemoryCache;
use super::{CachePort, Effect};

impl MemoryCache {
    fn drop_lease(&self, key: &Key) {
        if let Some(token) = self.holder(key) {
            self.let_go(key, token);
        }
    }
}

impl Seize for MemoryCache {
    fn seize<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(async move {
            self.drop_lease(key);
            Ok(())
        })
    }
}

impl Seize for CachePort {
    fn seize<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<(), CacheError>> {
        let (of, key, replica) = (key, key.clone(), self.replica);
        Box::pin(self.write(false, (of, 0), move |server| {
            server.memory.drop_lease(&key);
            server.tell(replica, || Effect::Seized(key));
        }))
    }
}
