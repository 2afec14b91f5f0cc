//! Somebody's own origin, and how it is reached: over TCP, or TLS on it.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tls::client::TlsClient;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

/// How long a connection may take to be made, and how long TLS on it.
const CONNECT_BUDGET: Duration = Duration::from_secs(5);

/// An origin that requests are passed on to.
#[derive(Debug, Clone)]
pub struct CountedOrigin {
    /// Its host and port.
    pub authority: String,
    /// With `https://`: what encrypts the connections.
    pub tls: Option<TlsClient>,
}

impl CountedOrigin {
    pub(super) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

/// Makes connections to it.
#[derive(Clone)]
pub(super) struct Connector {
    tcp: HttpConnector,
    tls: Option<TlsClient>,
}

impl Connector {
    pub(super) fn to(upstream: &CountedOrigin) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_BUDGET));
        tcp.enforce_http(false);
        Self { tcp, tls: upstream.tls.clone() }
    }
}

pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Connection for Box<dyn Stream> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

type OriginLink = Result<TokioIo<Box<dyn Stream>>, Box<dyn Error + Send + Sync>>;

impl Service<Uri> for Connector {
    type Response = TokioIo<Box<dyn Stream>>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = OriginLink> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let (connecting, tls) = (self.tcp.call(to.clone()), self.tls.clone());
        Box::pin(async move {
            let stream = connecting.await?.into_inner();
            let Some(tls) = tls else { return Ok(TokioIo::new(Box::new(stream) as Box<dyn Stream>)) };
            let encrypted = tokio::time::timeout(CONNECT_BUDGET, tls.connect(stream, to.host().unwrap_or_default()));
            let encrypted = encrypted.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
            Ok(TokioIo::new(Box::new(encrypted) as Box<dyn Stream>))
        })
    }
}
