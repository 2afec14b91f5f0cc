//! One replica: an HTTP service that answers `GET /items/{id}` through whatever strategy it was told to run.

mod cache_watch;
mod control;
mod count;
mod counters;
mod data;
mod event_log;
mod held;
mod metrics;
mod running;

use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;

use crate::process::shutdown::Shutdown;
use crate::wire::auth::ControlToken;
use crate::wire::serve::serve;
pub use event_log::EventLog;
pub use running::{Replica, ReplicaSettings};

/// A replica's listeners: data, and control where it is wanted.
pub struct ReplicaListeners {
    /// `GET /items/{id}`, `/healthz`, `/metrics`.
    pub data: TcpListener,
    /// Start, counters, events; with the token that it asks for.
    pub control: Option<(TcpListener, ControlToken)>,
}

/// The data routes, as a value.
pub fn data_router(replica: Arc<Replica>) -> Router {
    data::router(replica)
}

/// The control routes, as a value.
pub fn control_router(replica: Arc<Replica>, token: ControlToken) -> Router {
    control::router(replica, token)
}

/// Serves a replica until `shutdown`.
pub async fn run(replica: Arc<Replica>, listeners: ReplicaListeners, shutdown: Shutdown) {
    let data = serve(listeners.data, data_router(Arc::clone(&replica)), shutdown.clone());
    let control = async {
        if let Some((listener, token)) = listeners.control {
            serve(listener, control_router(Arc::clone(&replica), token), shutdown.clone()).await;
        }
    };
    let served = async { tokio::join!(data, control) };
    tokio::select! {
        biased;
        _ = served => {}
        () = replica.heart.keep_beating(&replica.settings.clock) => {}
    }
}
