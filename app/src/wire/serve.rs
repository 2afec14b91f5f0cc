//! Serving a router on a listener: hyper's HTTP/1 with limits on everything that a client could drag out, and a shutdown
//! that lets answers finish.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::process::shutdown::Shutdown;

/// Connections that may be open at once; more wait in the listener's backlog.
const CONNECTIONS_MAX: usize = 20_000;
/// How long a client may take over its request's head, idle time on a kept connection included.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);
/// The largest head of a request.
const HEADER_BYTES_MAX: usize = 16 << 10;
/// How long open requests may take to end after the shutdown was asked for.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until `shutdown`, then lets open requests finish for at most ten seconds.
pub async fn serve(listener: TcpListener, router: Router, shutdown: Shutdown) {
    serve_http(listener, TowerToHyperService::new(router), shutdown).await;
}

/// The same of any service.
pub(crate) async fn serve_http<S, B>(listener: TcpListener, service: S, mut shutdown: Shutdown)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = shutdown.wait() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = accept(&listener, &places) => {
                let (stream, place) = accepted;
                let (service, shutdown) = (service.clone(), shutdown.clone());
                connections.spawn(async move {
                    connection(stream, service, shutdown).await;
                    drop(place);
                });
            }
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    // A connection that is not done by then is cut off: JoinSet aborts on drop.
    let _ = tokio::time::timeout(DRAIN, all_ended).await;
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, Option<tokio::sync::OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there is always a permit in the end.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            // Out of descriptors, or a client that was gone at once: neither ends the service.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection<S, B>(stream: TcpStream, service: S, mut shutdown: Shutdown)
where
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        biased;
        // A connection's own error (reset, bad request) concerns that client alone.
        _ = connection.as_mut() => {}
        () = shutdown.wait() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
