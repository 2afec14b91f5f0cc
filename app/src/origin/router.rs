//! The origin over HTTP: data for anything that speaks HTTP, control for the lab.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use evidence::{Heartbeat, OriginCounters, OriginRead, OriginWrite};
use strategies::Key;
use strategies::port::Clock;

use super::service::{OriginService, ReadError};
use super::store::StoredItem;
use crate::START_BODY_MAX;
use crate::wire::auth::ControlToken;
use crate::wire::control::{FaultOrigin, Identity, Meet, Met, StartOrigin};
use crate::wire::headers::{VERSION_HEADER, asker};
use crate::wire::item;
use crate::wire::listener::{Timekeeper, guarded, routes};
use crate::wire::programs;
use crate::wire::refuse::Refuse;

type Service = State<Arc<OriginService>>;

pub(super) fn data(service: Arc<OriginService>) -> Router {
    Router::new()
        .route("/items/{id}", get(read).put(write))
        .route("/healthz", get(|| async { "ok" }))
        .route("/metrics", get(scrape))
        .with_state(service)
}

pub(super) fn control(service: Arc<OriginService>, token: ControlToken) -> Router {
    let routes = routes()
        .route("/start", post(start).layer(DefaultBodyLimit::max(START_BODY_MAX)))
        .route("/fault", post(fault))
        .route("/meet", post(meet))
        .route("/counters", get(counters))
        .route("/ledger", get(ledger))
        .route("/writes", get(writes));
    guarded(routes, service, token)
}

async fn read(State(service): Service, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let Ok(key) = Key::new(&id) else { return StatusCode::NOT_FOUND.into_response() };
    let (flight, replica) = asker(&headers);
    answer(&key, service.read(key.as_str(), flight, replica).await)
}

/// Gives an item a new version, and answers with it.
async fn write(State(service): Service, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let Ok(key) = Key::new(&id) else { return StatusCode::NOT_FOUND.into_response() };
    let (flight, replica) = asker(&headers);
    answer(&key, service.write(key.as_str(), flight, replica).await)
}

fn answer(key: &Key, item: Result<Option<StoredItem>, ReadError>) -> Response {
    match item {
        Ok(Some(found)) => {
            let version = (HeaderName::from_static(VERSION_HEADER), found.version.to_string());
            let json = (header::CONTENT_TYPE, "application/json".to_owned());
            ([version, json], item::body(key.as_str(), found.version, &found.value)).into_response()
        }
        Ok(None) => (StatusCode::NOT_FOUND, "no such item\n").into_response(),
        Err(error) => refused(error),
    }
}

fn refused(error: ReadError) -> Response {
    match error {
        ReadError::Full => (StatusCode::SERVICE_UNAVAILABLE, "no place, and the queue is full\n").into_response(),
        ReadError::Failed(why) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{why}\n")).into_response(),
    }
}

async fn scrape(State(service): Service) -> Response {
    service.metrics()
}

impl Timekeeper for OriginService {
    fn identity(&self) -> Identity {
        Identity::new(programs::ORIGIN, self.incarnation, "")
    }

    fn now_ns(&self) -> u64 {
        self.clock.mono().0
    }

    fn heartbeat(&self) -> Heartbeat {
        self.heart.told(&self.clock)
    }
}

async fn start(State(service): Service, Json(start): Json<StartOrigin>) -> Result<(), Refuse> {
    service.start(start).await.map_err(Refuse::bad)
}

async fn fault(State(service): Service, Json(fault): Json<FaultOrigin>) -> Result<(), Refuse> {
    service.inject(fault).map_err(Refuse::bad)
}

async fn meet(State(service): Service, Json(part): Json<Meet>) -> Result<Json<Met>, Refuse> {
    service.meetings.meet(&part).await.map(Json).map_err(Refuse::bad)
}

async fn counters(State(service): Service) -> Json<OriginCounters> {
    Json(service.counters())
}

async fn ledger(State(service): Service) -> Json<Vec<OriginRead>> {
    Json(service.ledger())
}

async fn writes(State(service): Service) -> Json<Vec<OriginWrite>> {
    Json(service.writes())
}
