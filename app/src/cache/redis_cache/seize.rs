//! A lease that is deleted, no matter which caller holds it: what the sabotage of a release asks Redis for.

use strategies::Key;
use strategies::port::{BoxFuture, CacheError};
use strategies::sabotage::Seize;

use super::error::classify;
use super::{RedisCache, RedisConnection};

impl<C: RedisConnection> Seize for RedisCache<C> {
    fn seize<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(async move {
            let command = redis::cmd("DEL").arg(self.lease_key(key)).to_owned();
            command.query_async(&mut self.connection.clone()).await.map_err(classify)
        })
    }
}
