//! The origin port over HTTP: pooled connections, a limit on what is read, and the flight's name in every request.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use strategies::Key;
use strategies::port::{BoxFuture, Clock, LoadCx, Loaded, Origin, OriginError};

use crate::cache::envelope::PAYLOAD_BYTES_MAX;
use crate::process::runtime::RealClock;
use crate::wire::address::shown;
use crate::wire::headers::{FLIGHT_HEADER, REPLICA_HEADER, VERSION_HEADER};

/// The origin at a base URL, `http://host:port`.
pub struct HttpOrigin {
    base: String,
    client: Client<HttpConnector, Empty<Bytes>>,
    clock: RealClock,
}

impl HttpOrigin {
    /// Prepares a client; connections are made as they are needed.
    ///
    /// # Errors
    /// A sentence where the URL is none, or not `http`.
    pub fn new(base: &str, clock: RealClock) -> Result<Self, String> {
        let base = base.trim_end_matches('/').to_owned();
        let uri: Uri = base.parse().map_err(|e| format!("the origin's URL {}: {e}", shown(&base)))?;
        if uri.scheme_str() != Some("http") || uri.authority().is_none() {
            return Err(format!("the origin's URL {} is not of the form http://HOST:PORT", shown(&base)));
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(1024).build(connector);
        Ok(Self { base, client, clock })
    }

    /// Asks for an item in one way or another: status, version, body.
    async fn ask(
        &self,
        method: Method,
        key: &Key,
        cx: LoadCx,
    ) -> Result<(StatusCode, Option<u64>, Bytes), OriginError> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/items/{key}", self.base))
            .header(FLIGHT_HEADER, cx.flight.to_string())
            .header(REPLICA_HEADER, cx.replica)
            .body(Empty::new())
            .map_err(|e| OriginError::Failed(e.to_string()))?;
        let response = self.client.request(request).await.map_err(|e| {
            let connecting = e.is_connect();
            let why = chain(&e);
            if connecting { OriginError::Unreachable(why) } else { OriginError::Failed(why) }
        })?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, PAYLOAD_BYTES_MAX).collect().await;
        let body = body.map_err(|e| OriginError::Failed(e.to_string()))?.to_bytes();
        let version = head.headers.get(VERSION_HEADER).and_then(|v| v.to_str().ok()?.parse().ok());
        Ok((head.status, version, body))
    }

    /// Reads or writes an item: both answer with it.
    async fn item(&self, method: Method, key: &Key, cx: LoadCx) -> Result<Loaded, OriginError> {
        let read_at = self.clock.wall();
        match self.ask(method, key, cx).await? {
            (StatusCode::OK, version, body) => Ok(Loaded { value: Some(body), version: told(version)?, read_at }),
            (StatusCode::NOT_FOUND, ..) => Ok(Loaded { value: None, version: 0, read_at }),
            (status, ..) => Err(OriginError::Failed(format!("HTTP {status}"))),
        }
    }
}

fn told(version: Option<u64>) -> Result<u64, OriginError> {
    version.ok_or_else(|| OriginError::Failed(format!("no {VERSION_HEADER} header")))
}

impl Origin for HttpOrigin {
    fn load<'a>(&'a self, key: &'a Key, cx: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        Box::pin(self.item(Method::GET, key, cx))
    }

    fn store<'a>(&'a self, key: &'a Key, cx: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        Box::pin(self.item(Method::PUT, key, cx))
    }
}

/// An error with its causes: hyper's own text alone says "client error (Connect)".
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
