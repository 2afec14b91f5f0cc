//! A counting reverse proxy in front of somebody's own origin: it passes everything on, and keeps the lab's ledger of who reads which
//! item, and when. It has no places, no queue and no service time of its own; what it cannot know, its ledger does not say.

mod book;
mod control;
mod counted_body;
mod items;
mod pass;
mod proxy;
mod upstream;

use std::sync::Arc;

use hyper::service::service_fn;
use tokio::net::TcpListener;

use crate::process::shutdown::Shutdown;
use crate::wire::auth::ControlToken;
use crate::wire::serve::{serve, serve_http};
pub use items::Items;
pub use proxy::OriginProxy;
pub use upstream::CountedOrigin;

/// Its listeners.
pub struct OriginProxyListeners {
    /// What is passed on.
    pub data: TcpListener,
    /// The ledger, with the token that it asks for.
    pub control: (TcpListener, ControlToken),
}

/// Serves a proxy until `shutdown`.
pub async fn run(proxy: Arc<OriginProxy>, listeners: OriginProxyListeners, shutdown: Shutdown) {
    let (control, token) = listeners.control;
    let control = serve(control, control::router(Arc::clone(&proxy), token), shutdown.clone());
    let passing = Arc::clone(&proxy);
    let pass = service_fn(move |request| pass::pass(Arc::clone(&passing), request));
    let served = async { tokio::join!(serve_http(listeners.data, pass, shutdown), control) };
    tokio::select! {
        biased;
        _ = served => {}
        () = proxy.heart.keep_beating(&proxy.clock) => {}
    }
}
