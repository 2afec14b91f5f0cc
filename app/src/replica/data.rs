//! The data routes: an answer, and in its headers how it was made.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use evidence::failure;
use strategies::port::{Clock, Level};
use strategies::time::nanos;
use strategies::{Cx, GetError, Key, Outcome, Served, Stack, Written};

use super::count::count;
use super::running::{Replica, Running};
use crate::wire::headers::{CONNECTION_HEADER, LED_HEADER, OVERAGE_HEADER, VERSION_HEADER, connection_text};

const NS_PER_S: i64 = 1_000_000_000;

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

pub(super) fn router(replica: Arc<Replica>) -> Router {
    Router::new()
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
    if let Some(connection) = connection {
        replica.metrics.took_a_connection(connection.wait);
        if let Ok(text) = HeaderValue::try_from(connection_text(&connection)) {
            response.headers_mut().insert(HeaderName::from_static(CONNECTION_HEADER), text);
        }
    }
    drop(open);
    response
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
