//! The proxy's control routes.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use evidence::StackCache;

use super::proxy::CacheProxy;
use crate::cache::redis_cache::{ServerSample, ShardSample};
use crate::wire::auth::ControlToken;
use crate::wire::control::{CacheDelay, ConfigureServer, Flushed, Holder, Identity, LockOf, Namespace};
use crate::wire::listener::guarded;
use crate::wire::programs;
use crate::wire::refuse::Refuse;

type Shared = State<Arc<CacheProxy>>;

/// The longest time for which a server is set up.
const CONFIGURED_MAX: Duration = Duration::from_secs(86_400);
/// The longest delay of an operation.
const ADDED_MAX: Duration = Duration::from_secs(60);

pub(super) fn router(proxy: Arc<CacheProxy>, token: ControlToken) -> Router {
    let routes = Router::new()
        .route("/identity", get(identity))
        .route("/delay", post(delay))
        .route("/flush", post(flush))
        .route("/holder", post(holder))
        .route("/server", get(server))
        .route("/shards", get(shards))
        .route("/configure", post(configure));
    guarded(routes, proxy, token)
}

async fn identity(State(proxy): Shared) -> Json<Identity> {
    Json(Identity::new(programs::CACHE_PROXY, proxy.incarnation, proxy.behind.words()))
}

async fn delay(State(proxy): Shared, Json(delay): Json<CacheDelay>) -> Result<(), Refuse> {
    let added = Duration::from_nanos(delay.added_ns);
    if added > ADDED_MAX {
        return Err(Refuse::bad(format!("a delay of {added:?}; at most {ADDED_MAX:?} is possible")));
    }
    if !(0.0..=1.0).contains(&delay.share) {
        return Err(Refuse::bad(format!("a share of {}; 0 to 1 is possible", delay.share)));
    }
    proxy.delay(added, delay.share, Duration::from_nanos(delay.for_ns));
    Ok(())
}

async fn flush(State(proxy): Shared, Json(of): Json<Namespace>) -> Result<Json<Flushed>, Refuse> {
    Ok(Json(Flushed { removed: proxy.hand.flush(&of.namespace).await.map_err(Refuse::failed)? }))
}

async fn holder(State(proxy): Shared, Json(of): Json<LockOf>) -> Result<Json<Holder>, Refuse> {
    Ok(Json(Holder { token: proxy.hand.holder(&of.namespace, of.item).await.map_err(Refuse::failed)? }))
}

async fn server(State(proxy): Shared) -> Result<Json<ServerSample>, Refuse> {
    proxy.server.ask().await.map(Json).map_err(Refuse::failed)
}

async fn shards(State(proxy): Shared) -> Result<Json<Vec<ShardSample>>, Refuse> {
    proxy.shards().await.map(Json).map_err(Refuse::failed)
}

async fn configure(State(proxy): Shared, Json(of): Json<ConfigureServer>) -> Result<(), Refuse> {
    if proxy.behind != StackCache::OneServer && !of.settings.is_empty() {
        let behind = proxy.behind.words();
        return Err(Refuse::bad(format!(
            "{behind} is behind this proxy: its servers are set up where they are started"
        )));
    }
    let length = Duration::from_nanos(of.for_ns).min(CONFIGURED_MAX);
    // On a task of its own: a caller that goes away leaves nothing set that is not set back.
    let configured = tokio::spawn(async move { proxy.server.configure(of.settings, length).await });
    configured.await.map_err(Refuse::failed)?.map_err(Refuse::failed)
}
