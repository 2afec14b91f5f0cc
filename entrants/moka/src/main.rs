//! moka, a cache in the process; in `best` with the Redis behind it, which moka itself knows nothing of.
//!
//! defaults: `Cache::builder().time_to_live(…)`, `get` and `insert`. Three replicas are three caches, and every caller that
//!           finds nothing reads the origin.
//! best:     `try_get_with`, which "ensures that concurrent calls on the same not-existing entry are coalesced", its loader
//!           asks Redis first, and an `Expiry` gives each entry what is left of its TTL there, so that no answer is older.

#[path = "../../serve/serve.rs"]
mod serve;

use std::time::{Duration, Instant};

use moka::{Expiry, future::Cache};
use redis::AsyncCommands;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use serve::{Flaw, Value};

/// An entry lives here as long as it would in Redis.
struct WhatIsLeft;

impl Expiry<String, Value> for WhatIsLeft {
    fn expire_after_create(&self, _: &String, value: &Value, _: Instant) -> Option<Duration> {
        Some(value.left())
    }
}

/// Redis, then the origin. A Redis that fails is a miss: how it is asked is this entrant's own choice, not moka's.
async fn from_redis(id: String, mut redis: ConnectionManager) -> Result<Value, Flaw> {
    let key = format!("item-{id}");
    let stored: Option<String> = redis.get(&key).await.unwrap_or(None);
    if let Some(value) = stored.and_then(|text| serde_json::from_str(&text).ok()) {
        return Ok(value);
    }
    let value = serve::load(id).await?;
    let text = serde_json::to_string(&value).map_err(|e| Flaw::Library(e.to_string()))?;
    let _: Result<(), _> = redis.pset_ex(&key, text, serve::ttl().as_millis() as u64).await;
    Ok(value)
}

#[tokio::main]
async fn main() {
    let version = serve::version_of("moka", include_str!("../Cargo.lock"));
    if !serve::best() {
        let cache: Cache<String, Value> = Cache::builder().max_capacity(10_000).time_to_live(serve::ttl()).build();
        return serve::serve(version, move |id| {
            let cache = cache.clone();
            async move {
                if let Some(value) = cache.get(&id).await {
                    return Ok(value);
                }
                let value = serve::load(id.clone()).await?;
                cache.insert(id, value.clone()).await;
                Ok(value)
            }
        })
        .await;
    }
    let cache: Cache<String, Value> = Cache::builder().max_capacity(10_000).expire_after(WhatIsLeft).build();
    let client = redis::Client::open(serve::env("REDIS_URL", "redis://127.0.0.1:6379")).expect("a Redis URL");
    let patience = ConnectionManagerConfig::new().set_response_timeout(Some(Duration::from_secs(1)));
    let redis = client.get_connection_manager_with_config(patience).await.expect("a Redis");
    serve::serve(version, move |id| {
        let (cache, redis) = (cache.clone(), redis.clone());
        async move { cache.try_get_with(id.clone(), from_redis(id, redis)).await.map_err(|e| Flaw::clone(&e)) }
    })
    .await;
}
