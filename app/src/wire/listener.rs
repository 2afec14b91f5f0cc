//! What the control listeners of the lab's programs have in common: the token, the bound on a body, and the routes of those that keep time.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::routing::get;
use axum::{Json, Router, middleware};
use evidence::Heartbeat;

use super::admit::require_token;
use super::auth::ControlToken;
use super::control::{ClockReading, Identity};
use crate::CONTROL_BODY_MAX;

/// A program whose times are a run's.
pub(crate) trait Timekeeper: Send + Sync + 'static {
    fn identity(&self) -> Identity;
    /// Its monotonic clock, nanoseconds.
    fn now_ns(&self) -> u64;
    fn heartbeat(&self) -> Heartbeat;
}

/// Which program it is, its clock, and whether it stood still.
pub(crate) fn routes<T: Timekeeper>() -> Router<Arc<T>> {
    Router::new()
        .route("/identity", get(async |State(of): State<Arc<T>>| Json(of.identity())))
        .route("/clock", get(async |State(of): State<Arc<T>>| Json(ClockReading { mono_ns: of.now_ns() })))
        .route("/heartbeat", get(async |State(of): State<Arc<T>>| Json(of.heartbeat())))
}

/// A control listener's routes, for a caller with the token.
pub(crate) fn guarded<S: Send + Sync + 'static>(routes: Router<Arc<S>>, of: Arc<S>, token: ControlToken) -> Router {
    routes
        .layer(DefaultBodyLimit::max(CONTROL_BODY_MAX))
        .layer(middleware::from_fn_with_state(token, require_token))
        .with_state(of)
}
