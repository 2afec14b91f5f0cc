//! A TCP proxy between replicas and Redis that can make every operation take longer, and the lab's hand on the Redis
//! behind it: remove the lab's own keys, see who holds a lock.
//!
//! It never parses what it passes on. Where Redis does not answer it closes its clients' connections at once, so that a
//! stopped Redis looks stopped and a paused one (which still accepts) looks paused.

mod control;
mod hand;
mod pipe;
mod proxy;
mod server;
mod upstream;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::process::shutdown::Shutdown;
use crate::wire::auth::ControlToken;
use crate::wire::serve::serve;
pub use proxy::CacheProxy;

/// Connections at most; more wait in the listener's backlog.
const CONNECTIONS_MAX: usize = 4096;

/// The proxy's listeners.
pub struct ProxyListeners {
    /// Redis' protocol, passed on.
    pub data: TcpListener,
    /// `/healthz` for everybody; faults with the token that it asks for.
    pub control: (TcpListener, ControlToken),
}

/// Serves a proxy until `shutdown`.
pub async fn run(proxy: Arc<CacheProxy>, listeners: ProxyListeners, shutdown: Shutdown) {
    let (control, token) = listeners.control;
    let health = Router::new().route("/healthz", get(|| async { "ok" }));
    let control = serve(control, health.merge(control::router(Arc::clone(&proxy), token)), shutdown.clone());
    tokio::join!(pass_on(proxy, listeners.data, shutdown), control);
}

async fn pass_on(proxy: Arc<CacheProxy>, listener: TcpListener, mut shutdown: Shutdown) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let looking = async {
        match &proxy.upstream {
            Some(upstream) => upstream.keep_looking().await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(looking);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        tokio::select! {
            biased;
            () = shutdown.wait() => break,
            () = &mut looking => {}
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            (accepted, place) = accepted => match accepted {
                Ok((client, _)) => {
                    let proxy = Arc::clone(&proxy);
                    connections.spawn(async move {
                        if let Some(upstream) = &proxy.upstream
                            && let Some(server) = upstream.dial().await
                            && pipe::join(client, server, &proxy).await
                        {
                            upstream.doubt();
                        }
                        drop(place);
                    });
                }
                // Out of descriptors, or a client that was gone at once: neither ends the service.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
        }
    }
}
