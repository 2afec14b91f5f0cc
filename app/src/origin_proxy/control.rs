//! The control listener of a counting proxy: the origin's, without what a proxy cannot set at somebody else's service.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use evidence::{Heartbeat, OriginCounters, OriginRead, OriginWrite};
use strategies::port::Clock as _;

use super::book::Book;
use super::proxy::OriginProxy;
use crate::CONTROL_BODY_MAX;
use crate::wire::admit::require_token;
use crate::wire::auth::ControlToken;
use crate::wire::control::{ClockReading, Identity, StartOrigin};
use crate::wire::programs;
use crate::wire::refuse::Refuse;

type Proxy = State<Arc<OriginProxy>>;

pub(super) fn router(proxy: Arc<OriginProxy>, token: ControlToken) -> Router {
    Router::new()
        .route("/identity", get(identity))
        .route("/clock", get(clock))
        .route("/heartbeat", get(heartbeat))
        .route("/start", post(start))
        .route("/fault", post(fault))
        .route("/counters", get(counters))
        .route("/ledger", get(ledger))
        .route("/writes", get(writes))
        .layer(DefaultBodyLimit::max(CONTROL_BODY_MAX))
        .layer(middleware::from_fn_with_state(token, require_token))
        .with_state(proxy)
}

async fn identity(State(proxy): Proxy) -> Json<Identity> {
    Json(Identity::new(programs::ORIGIN_PROXY, proxy.incarnation, ""))
}

async fn clock(State(proxy): Proxy) -> Json<ClockReading> {
    Json(ClockReading { mono_ns: proxy.clock.mono().0 })
}

async fn heartbeat(State(proxy): Proxy) -> Json<Heartbeat> {
    Json(proxy.heart.told(&proxy.clock))
}

/// Begins an empty ledger. Rows, places and service time are the upstream's own affair, whatever the call says of them.
async fn start(State(proxy): Proxy, Json(_): Json<StartOrigin>) {
    proxy.begin(Book::default());
}

async fn fault(State(_): Proxy) -> Refuse {
    Refuse::bad("this is a counting proxy: it makes nothing wrong at the service behind it".to_owned())
}

async fn counters(State(proxy): Proxy) -> Json<OriginCounters> {
    Json(proxy.book().map(|book| book.counters()).unwrap_or_default())
}

async fn ledger(State(proxy): Proxy) -> Result<Json<Vec<OriginRead>>, Refuse> {
    let whole = proxy.book().map_or(Ok(Vec::new()), |book| book.whole());
    whole.map(Json).map_err(Refuse::bad)
}

/// It knows no writes.
async fn writes(State(_): Proxy) -> Json<Vec<OriginWrite>> {
    Json(Vec::new())
}
