//! The control listener of a counting proxy: the origin's, without what a proxy cannot set at somebody else's service.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use evidence::{Heartbeat, OriginCounters, OriginRead, OriginWrite};
use strategies::port::Clock as _;

use super::book::Book;
use super::proxy::OriginProxy;
use crate::wire::auth::ControlToken;
use crate::wire::control::{Identity, StartOrigin};
use crate::wire::listener::{Timekeeper, guarded, routes};
use crate::wire::programs;
use crate::wire::refuse::Refuse;

type Proxy = State<Arc<OriginProxy>>;

pub(super) fn router(proxy: Arc<OriginProxy>, token: ControlToken) -> Router {
    let routes = routes()
        .route("/start", post(start))
        .route("/fault", post(fault))
        .route("/counters", get(counters))
        .route("/ledger", get(ledger))
        .route("/writes", get(writes));
    guarded(routes, proxy, token)
}

impl Timekeeper for OriginProxy {
    fn identity(&self) -> Identity {
        Identity::new(programs::ORIGIN_PROXY, self.incarnation, "")
    }

    fn now_ns(&self) -> u64 {
        self.clock.mono().0
    }

    fn heartbeat(&self) -> Heartbeat {
        self.heart.told(&self.clock)
    }
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
