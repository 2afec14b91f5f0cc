//! The route of a replica that counts.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use strategies::counter::{CountAnswer, ToldCount};
use strategies::port::Clock;
use strategies::{Cx, Key};

use super::running::Replica;
use crate::wire::headers::COUNT_HEADER;

/// `POST /counters/{id}`: increments it. The answer has its value, and what the server said of which sub-key. 503: it was not counted;
/// 504: nobody knows.
pub(super) async fn count(State(replica): State<Arc<Replica>>, Path(id): Path<String>) -> Response {
    let running = replica.running();
    let Some((running, counters)) = running.as_ref().and_then(|r| Some((r, r.counters.as_ref()?))) else {
        return (StatusCode::SERVICE_UNAVAILABLE, "nothing counts here; start a counter strategy\n").into_response();
    };
    let Ok(key) = Key::new(&id) else { return (StatusCode::NOT_FOUND, "no such counter\n").into_response() };
    let _open = replica.open_request();
    let deadline = replica.settings.clock.mono().plus(running.budgets.replica);
    let cx = Cx { request: running.request(), deadline, replica: running.index };
    match counters.stack.count(cx, &key).await {
        Ok(answer) => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            // Digits and spaces.
            if let Ok(said) = HeaderValue::from_str(&said(&answer)) {
                response.headers_mut().insert(HeaderName::from_static(COUNT_HEADER), said);
            }
            response
        }
        Err(error) => {
            let unknown = error.is_unknown();
            let status = if unknown { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::SERVICE_UNAVAILABLE };
            (status, format!("{error}\n")).into_response()
        }
    }
}

/// An answer in its header: its value, and where the server was asked the sub-key and its value.
fn said(answer: &CountAnswer) -> String {
    match answer.told {
        Some(ToldCount { part, value }) => format!("{} {part} {value}", answer.value),
        None => answer.value.to_string(),
    }
}
