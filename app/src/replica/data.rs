//! The data routes: an answer, and in its headers how it was made.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use evidence::failure;
use serde::Deserialize;
use strategies::port::{Clock, Level};
use strategies::time::nanos;
use strategies::{ConnectionUse, Cx, GetError, Key, Outcome, Served, Stack, Written};

use super::count::count;
use super::running::{Replica, Running};
use crate::wire::headers::{
    CONNECTION_HEADER, LED_HEADER, OVERAGE_HEADER, PART_HEADER, VERSION_HEADER, connection_text,
};

/// Most items of a request.
const ITEMS_MAX: usize = 1000;
const NS_PER_S: i64 = 1_000_000_000;

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

pub(super) fn router(replica: Arc<Replica>) -> Router {
    Router::new()
        .route("/items", get(items))
        .route("/items/{id}", get(item).put(write))
        .route("/counters/{id}", post(count))
        .route("/healthz", get(|| async { "ok" }))
        .route("/metrics", get(scrape))
        .with_state(replica)
}

fn nothing_runs() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "no strategy runs here; start one at the control listener\n").into_response()
}

async fn item(State(replica): State<Arc<Replica>>, Path(id): Path<String>) -> Response {
    let Some(running) = replica.running() else { return nothing_runs() };
    let Ok(key) = Key::new(&id) else { return (StatusCode::NOT_FOUND, "no such item\n").into_response() };
    let open = replica.open_request();
    let begun = replica.settings.clock.mono();
    let deadline = begun.plus(running.budgets.replica);
    let cx = Cx { request: running.request(), deadline, replica: running.index };
    let (answer, connection) = Stack::serve(&running.stack, cx, &key).await;
    let outcome = answer.as_ref().map_or_else(|error| failure(error).1, |served| served.outcome);
    replica.metrics.answered(outcome, replica.settings.clock.mono().since(begun));
    let mut response = match answer {
        Ok(served) => good(&replica, &running, served),
        Err(error) => bad(&error),
    };
    tell_connection(&replica, &mut response, connection);
    drop(open);
    response
}

fn tell_connection(replica: &Replica, response: &mut Response, connection: Option<ConnectionUse>) {
    let Some(connection) = connection else { return };
    replica.metrics.took_a_connection(connection.wait);
    if let Ok(text) = HeaderValue::try_from(connection_text(&connection)) {
        response.headers_mut().insert(HeaderName::from_static(CONNECTION_HEADER), text);
    }
}

/// `?ids=1,2,3`.
#[derive(Deserialize)]
struct Asked {
    ids: String,
}

/// Several items by one request: `{"items":[…]}` in their order, `null` for one that does not exist. Its headers are those of the item
/// that was farthest away; where one has no answer, the request has none.
async fn items(State(replica): State<Arc<Replica>>, Query(asked): Query<Asked>) -> Response {
    let Some(running) = replica.running() else { return nothing_runs() };
    let keys: Result<Vec<Key>, _> = asked.ids.split(',').take(ITEMS_MAX + 1).map(Key::new).collect();
    let Some(keys) = keys.ok().filter(|keys: &Vec<Key>| keys.len() <= ITEMS_MAX) else {
        let allowed = format!("ids is a list of 1 to {ITEMS_MAX} items, as in /items?ids=1,2,3\n");
        return (StatusCode::BAD_REQUEST, allowed).into_response();
    };
    let open = replica.open_request();
    let begun = replica.settings.clock.mono();
    let deadline = begun.plus(running.budgets.replica);
    let cx = Cx { request: running.request(), deadline, replica: running.index };
    let (items, connection) = Stack::serve_many(&running.stack, cx, &keys).await;
    let answer = items.map(|items| (Served::of_many(&items), items));
    let outcome = answer
        .as_ref()
        .map_or_else(|error| failure(error).1, |(all, _)| all.as_ref().map_or(Outcome::Error, |all| all.outcome));
    replica.metrics.answered(outcome, replica.settings.clock.mono().since(begun));
    let mut response = match answer {
        Ok((Some(all), items)) => good(&replica, &running, Served { value: Some(page(&items)), ..all }),
        Ok((None, _)) => StatusCode::BAD_REQUEST.into_response(),
        Err(error) => bad(&error),
    };
    tell_connection(&replica, &mut response, connection);
    drop(open);
    response
}

/// The body of several items.
fn page(items: &[Served]) -> Bytes {
    let mut body =
        Vec::with_capacity(16 + items.iter().map(|item| item.value.as_ref().map_or(4, Bytes::len) + 1).sum::<usize>());
    body.extend_from_slice(b"{\"items\":[");
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        body.extend_from_slice(item.value.as_deref().unwrap_or(b"null"));
    }
    body.extend_from_slice(b"]}");
    body.into()
}

/// Gives an item a new value, and does to the cache what the strategy does then. The answer has the new version.
async fn write(State(replica): State<Arc<Replica>>, Path(id): Path<String>) -> Response {
    let Some(running) = replica.running() else { return nothing_runs() };
    let Ok(key) = Key::new(&id) else { return (StatusCode::NOT_FOUND, "no such item\n").into_response() };
    let _open = replica.open_request();
    let deadline = replica.settings.clock.mono().plus(running.budgets.replica);
    let cx = Cx { request: running.request(), deadline, replica: running.index };
    let Written { version, flight } = match running.stack.write(cx, &key).await {
        Ok(written) => written,
        Err(error) => return bad(&error),
    };
    let mut response = match version {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => (StatusCode::NOT_FOUND, "no such item\n").into_response(),
    };
    let headers = response.headers_mut();
    if let Some(version) = version {
        headers.insert(HeaderName::from_static(VERSION_HEADER), HeaderValue::from(version));
    }
    if let Ok(flight) = HeaderValue::from_str(&flight.to_string()) {
        headers.insert(HeaderName::from_static(LED_HEADER), flight);
    }
    response
}

fn good(replica: &Replica, running: &Running, served: Served) -> Response {
    let status = status_header(served.outcome, served.level, served.ttl_left_ns.div_euclid(NS_PER_S));
    let age = HeaderValue::from(served.age.as_secs());
    let mut response = match served.value {
        Some(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        None => (StatusCode::NOT_FOUND, "no such item\n").into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_STATUS, status);
    headers.insert(header::AGE, age);
    if running.stack.answers_parts() {
        headers.insert(HeaderName::from_static(PART_HEADER), HeaderValue::from_static("1"));
        headers.insert(HeaderName::from_static(VERSION_HEADER), HeaderValue::from(served.version));
    }
    if served.outcome == Outcome::Stale {
        let overage = Duration::from_nanos(served.ttl_left_ns.min(0).unsigned_abs());
        replica.metrics.stale_by(overage);
        let overage_us = nanos(overage) / 1000;
        headers.insert(HeaderName::from_static(OVERAGE_HEADER), HeaderValue::from(overage_us));
    }
    if let Some(flight) = served.flight
        && let Ok(value) = HeaderValue::from_str(&flight.to_string())
    {
        headers.insert(HeaderName::from_static(LED_HEADER), value);
        running.events.answered(flight);
    }
    response
}

fn bad(error: &GetError) -> Response {
    let (status, outcome) = failure(error);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, format!("{error}\n")).into_response();
    response.headers_mut().insert(CACHE_STATUS, status_header(outcome, Level::Shared, 0));
    if let Some(retry_after) = error.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after.as_secs()));
    }
    response
}

fn status_header(outcome: Outcome, level: Level, ttl_s: i64) -> HeaderValue {
    // The text is ASCII by construction; were it not, the answer would go without the header and be counted as unknown.
    HeaderValue::from_str(&outcome.cache_status(level, ttl_s)).unwrap_or(HeaderValue::from_static(""))
}

async fn scrape(State(replica): State<Arc<Replica>>) -> Response {
    let cache_operations = replica.counters().cache_ops;
    let pool = replica.running().map(|running| running.stack.pool()).unwrap_or_default();
    replica.metrics.text(replica.requests_open(), replica.background_tasks(), cache_operations, pool)
}
