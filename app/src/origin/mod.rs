//! The origin: a deliberately slow service with a capacity, over a SQLite file, that keeps its own ledger.
//!
//! A read takes one of W places, runs the real SELECT on a pool connection and holds both for the service time; beyond W
//! at most `queue` reads wait, the rest are rejected and recorded. It runs to its end whether or not its caller is still
//! there: dropping a future does not stop the SQL in the real world either, and load that outlives its caller is what
//! feeds a collapse.

mod ledger;
mod meetings;
mod metrics;
mod places;
mod router;
mod service;
mod store;
mod value;

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;

use crate::process::shutdown::Shutdown;
use crate::wire::auth::ControlToken;
use crate::wire::serve::serve;
pub(crate) use ledger::Ledger;
pub use service::OriginService;
#[cfg(test)]
pub(crate) use value::ValueShape;

/// The origin's listeners: data, and control where it is wanted.
pub struct OriginListeners {
    /// `GET` and `PUT /items/{id}`, `/healthz`, `/metrics`.
    pub data: TcpListener,
    /// Ledger, faults, settings; with the token that it asks for.
    pub control: Option<(TcpListener, ControlToken)>,
}

/// Opens the origin over a SQLite file.
///
/// # Errors
/// A sentence with SQLite's own words where the file cannot be opened or is none of ours.
pub async fn open(database: &Path) -> Result<Arc<OriginService>, String> {
    let advice = "delete the file and start again, it is made anew";
    let store = store::Store::open(database).await;
    let store = store.map_err(|e| format!("the origin's database {}: {e}; {advice}", database.display()))?;
    Ok(Arc::new(OriginService::new(store, crate::wire::auth::entropy()?)?))
}

/// The origin's data routes, as a value.
pub fn data_router(service: Arc<OriginService>) -> Router {
    router::data(service)
}

/// The origin's control routes, as a value.
pub fn control_router(service: Arc<OriginService>, token: ControlToken) -> Router {
    router::control(service, token)
}

/// Serves the origin until `shutdown`.
pub async fn run(service: Arc<OriginService>, listeners: OriginListeners, shutdown: Shutdown) {
    let data = serve(listeners.data, data_router(Arc::clone(&service)), shutdown.clone());
    let control = async {
        if let Some((listener, token)) = listeners.control {
            serve(listener, control_router(Arc::clone(&service), token), shutdown.clone()).await;
        }
    };
    let served = async { tokio::join!(data, control) };
    tokio::select! {
        biased;
        _ = served => {}
        () = service.heart.keep_beating(&service.clock) => {}
    }
    service.close().await;
}
