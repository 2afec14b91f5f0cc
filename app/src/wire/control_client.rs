//! The other end of the control protocol: a small JSON-over-HTTP client that carries the token.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::wire::address::shown;
use crate::wire::auth::ControlToken;
use crate::wire::control::Refusal;

/// How long one call may take where nothing else is said.
const CALL_BUDGET: Duration = Duration::from_secs(90);
/// The largest answer: a million events.
const ANSWER_BYTES_MAX: usize = 1 << 30;

/// A control listener at a base URL.
#[derive(Clone)]
pub struct ControlClient {
    // Shared by clones: each of them follows a program that moved.
    base: Arc<RwLock<String>>,
    token: Option<ControlToken>,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// A call that did not work: a sentence that names the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ControlError(String);

impl ControlClient {
    /// A client of `http://host:port`. Must be used on the runtime on which it makes its first call.
    #[must_use]
    pub fn new(base: &str, token: Option<ControlToken>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { base: Arc::new(RwLock::new(base.trim_end_matches('/').to_owned())), token, client }
    }

    /// The listener is somewhere else from now on, for every clone.
    pub fn moved(&self, base: &str) {
        base.trim_end_matches('/').clone_into(&mut self.base.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn base(&self) -> String {
        self.base.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// `GET path`, and its JSON.
    ///
    /// # Errors
    /// [`ControlError`] where nobody answers, or not with 200, or not with such JSON.
    pub async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, ControlError> {
        let answer = self.call(CALL_BUDGET, Method::GET, path, Bytes::new()).await?;
        serde_json::from_slice(&answer).map_err(|e| self.error(path, &format!("an answer that is none of ours: {e}")))
    }

    /// `POST path` with a JSON body; what comes back is read as JSON, an empty body as `null`.
    ///
    /// # Errors
    /// As [`ControlClient::get`].
    pub async fn post<A: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<A, ControlError> {
        self.post_within(CALL_BUDGET, path, body).await
    }

    /// The same for a call that may take `within`.
    ///
    /// # Errors
    /// As [`ControlClient::get`].
    pub async fn post_within<A: DeserializeOwned>(
        &self,
        budget: Duration,
        path: &str,
        body: &impl Serialize,
    ) -> Result<A, ControlError> {
        let body = serde_json::to_vec(body).map_err(|e| self.error(path, &e.to_string()))?;
        let answer = self.call(budget, Method::POST, path, body.into()).await?;
        let json = if answer.is_empty() { &b"null"[..] } else { &answer };
        serde_json::from_slice(json).map_err(|e| self.error(path, &format!("an answer that is none of ours: {e}")))
    }

    async fn call(&self, budget: Duration, method: Method, path: &str, body: Bytes) -> Result<Bytes, ControlError> {
        let (status, answer) = tokio::time::timeout(budget, self.send(method, path, body))
            .await
            .unwrap_or_else(|_| Err(self.error(path, &format!("no answer within {budget:?}"))))?;
        if status.is_success() {
            return Ok(answer);
        }
        let said = serde_json::from_slice::<Refusal>(&answer).map(|r| r.error).unwrap_or_default();
        Err(self.error(path, &if said.is_empty() { format!("HTTP {}", status.as_u16()) } else { said }))
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<(StatusCode, Bytes), ControlError> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base()));
        request = request.header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, token.bearer());
        }
        let request = request.body(Full::new(body)).map_err(|e| self.error(path, &e.to_string()))?;
        let lost = |connecting| if connecting { "it takes no connection" } else { "the connection was lost" };
        let response: Response<_> =
            self.client.request(request).await.map_err(|e| self.error(path, lost(e.is_connect())))?;
        let status = response.status();
        let answer = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        Ok((status, answer.map_err(|_| self.error(path, "its answer was cut off"))?.to_bytes()))
    }

    fn error(&self, path: &str, why: &str) -> ControlError {
        ControlError(format!("{}{path}: {why}", shown(&self.base())))
    }
}
