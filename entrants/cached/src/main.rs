//! cached, by its macros.
//!
//! defaults: `#[concurrent_cached]` on an `AsyncRedisCache`, as in its example `redis-async-tokio`. Its documentation: it "has
//!           no `sync_writes` equivalent; if you need the body to run at most once per key, serialize the call yourself".
//! best:     that function inside another with `#[cached(sync_writes = "by_key", expires = true)]`: "concurrent first calls for
//!           the same key run the body once", in the process, and an entry there ends with its TTL in Redis (`Expires`).

#[path = "../../serve/serve.rs"]
mod serve;

use cached::macros::{cached, concurrent_cached};
use cached::{AsyncRedisCache, Expires};
use serve::{Flaw, Value};

impl Expires for Value {
    fn is_expired(&self) -> bool {
        self.left().is_zero()
    }
}

#[concurrent_cached(
    map_error = r##"|e| Flaw::Library(format!("{e:?}"))"##,
    ty = "cached::AsyncRedisCache<String, Value>",
    create = r##" {
        AsyncRedisCache::builder("items")
            .ttl(serve::ttl())
            .connection_string(&serve::env("REDIS_URL", "redis://127.0.0.1:6379"))
            .connection_manager(true)
            .build()
            .await
            .expect("a Redis")
    } "##
)]
async fn shared(id: String) -> Result<Value, Flaw> {
    serve::load(id).await
}

#[cached(expires = true, sync_writes = "by_key")]
async fn near(id: String) -> Result<Value, Flaw> {
    shared(id).await
}

#[tokio::main]
async fn main() {
    let version = serve::version_of("cached", include_str!("../Cargo.lock"));
    if serve::best() { serve::serve(version, near).await } else { serve::serve(version, shared).await }
}
