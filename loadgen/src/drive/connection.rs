//! One raw HTTP/1 connection of a client to a server, made anew where it breaks.
//!
//! No pool, no redirect, no retry of anything that may have reached the server; bodies are bounded. What a server can do
//! wrong ends as a counted error with a kind, never as a panic.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, RETRY_AFTER};
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use strategies::Outcome;
use strategies::port::Clock;
use strategies::time::Mono;
use tokio::net::TcpStream;

use super::fleet::Bench;
use super::site::{Kind, Site};
use super::told::{self, Told};
use crate::record::Answer;

/// The largest body that is read.
const BODY_BYTES_MAX: usize = 8 << 20;
/// How long a connection may take to be made.
const CONNECT_BUDGET: Duration = Duration::from_secs(2);

/// What a server answered, or how it failed to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reply {
    /// `None` where it was answered well, and nothing said how.
    outcome: Option<Outcome>,
    error: Option<String>,
    flight: Option<String>,
    overage_us: u64,
    /// What `Retry-After` says, where it is in seconds.
    retry_after: Option<Duration>,
}

impl Reply {
    fn good(outcome: Option<Outcome>) -> Self {
        Self { outcome, error: None, flight: None, overage_us: 0, retry_after: None }
    }

    fn failed(kind: impl Into<String>) -> Self {
        Self { outcome: Some(Outcome::Error), error: Some(kind.into()), ..Self::good(None) }
    }
}

/// One attempt at a request.
pub(super) struct Attempt {
    pub(super) answer: Answer,
    pub(super) done: Mono,
    /// When its server says that it is worth asking again.
    pub(super) retry_after: Option<Duration>,
}

type Sender = SendRequest<Empty<Bytes>>;

/// A connection to one server.
pub(super) struct Connection {
    site: Arc<Site>,
    timeout: Duration,
    sender: Option<Sender>,
}

impl Connection {
    pub(super) fn to(site: &Arc<Site>, timeout: Duration) -> Self {
        Self { site: Arc::clone(site), timeout, sender: None }
    }

    /// Connects where there is no connection that can be used. Must run inside a `LocalSet`.
    pub(super) async fn connect(&mut self) -> Result<&mut Sender, String> {
        // A server may close a kept connection at any time; that is no error of anybody's.
        let kept = match self.sender.take() {
            Some(mut sender) => sender.ready().await.is_ok().then_some(sender),
            None => None,
        };
        let sender = match kept {
            Some(sender) => sender,
            None => dial(&self.site).await?,
        };
        Ok(self.sender.insert(sender))
    }

    /// Asks for an item once, takes the times, and says when it was done.
    pub(super) async fn ask(&mut self, bench: &Bench, key: u32, t0: Mono) -> Attempt {
        let sent = bench.drive.clock.mono();
        let reply = self.get(key, bench.drive.is_missing(key)).await;
        let done = bench.drive.clock.mono();
        let answer = Answer {
            sent_ns: bench.since(sent, t0),
            done_ns: bench.since(done, t0),
            outcome: reply.outcome,
            error: reply.error,
            flight: reply.flight,
            overage_us: reply.overage_us,
            moved_on: false,
            attempts: 1,
            unpaid: false,
        };
        Attempt { answer, done, retry_after: reply.retry_after }
    }

    /// Asks for an item and judges the answer.
    async fn get(&mut self, key: u32, missing: bool) -> Reply {
        let asked = tokio::time::timeout(self.timeout, self.exchange(key)).await;
        match asked.unwrap_or_else(|_| Err("timeout".into())) {
            Ok((status, headers, body)) => {
                let reply = match self.site.kind {
                    Kind::Replica => replica(status, &headers, &body, key, missing),
                    Kind::Foreign => foreign(status, &headers, missing),
                };
                Reply { retry_after: retry_after(&headers), ..reply }
            }
            Err(kind) => {
                // Whatever is left of that answer must not be taken for the next one's.
                self.sender = None;
                Reply::failed(kind)
            }
        }
    }

    async fn exchange(&mut self, key: u32) -> Result<(StatusCode, HeaderMap, BytesMut), String> {
        let (path, host) = (self.site.path(key), self.site.host.clone());
        let request = Request::get(path).header(HOST, host).body(Empty::new()).map_err(|_| "request")?;
        let mut answered = self.connect().await?.try_send_request(request).await;
        // One that was given back was never sent: the connection had ended just then.
        if let Err(error) = &mut answered
            && let Some(request) = error.take_message()
        {
            self.sender = None;
            answered = self.connect().await?.try_send_request(request).await;
        }
        match answered {
            Ok(response) => read(response).await,
            Err(error) if error.error().is_parse() => Err("protocol".into()),
            Err(_) => Err("reset".into()),
        }
    }

    /// Asks once, for people: the status, and the cache that tells outcomes, if one does.
    pub(super) async fn probe(&mut self, key: u32) -> Result<(StatusCode, Option<String>), String> {
        let asked = tokio::time::timeout(self.timeout, self.exchange(key)).await;
        let (status, headers, _) = asked.unwrap_or_else(|_| Err("timeout".into()))?;
        Ok((status, told(&headers).map(|told| told.cache)))
    }
}

async fn dial(site: &Site) -> Result<Sender, String> {
    let stream = match tokio::time::timeout(CONNECT_BUDGET, TcpStream::connect(site.address())).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(e)) => return Err(format!("connect-{}", kind(&e))),
        Err(_) => return Err("connect-timeout".into()),
    };
    let _ = stream.set_nodelay(true);
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|_| "connect-handshake")?;
    tokio::task::spawn_local(async move {
        // Whoever waits for an answer on it is told of its end; nobody else needs to know.
        let _ = connection.await;
    });
    Ok(sender)
}

async fn read(response: Response<Incoming>) -> Result<(StatusCode, HeaderMap, BytesMut), String> {
    let (head, mut body) = response.into_parts();
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| "body-cut")?;
        if let Some(data) = frame.data_ref() {
            if bytes.len() + data.len() > BODY_BYTES_MAX {
                return Err("body-too-large".into());
            }
            bytes.extend_from_slice(data);
        }
    }
    Ok((head.status, head.headers, bytes))
}

/// A replica's answer: it says how it was made, and carries the item that was asked for.
fn replica(status: StatusCode, headers: &HeaderMap, body: &[u8], key: u32, missing: bool) -> Reply {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let outcome = text("cache-status").and_then(Outcome::from_cache_status);
    let error = match (status, outcome) {
        (StatusCode::OK, Some(_)) => app::item::verify(body, &key.to_string()).err().map(|_| "wrong-body".to_owned()),
        (StatusCode::NOT_FOUND, Some(_)) if missing => None,
        (StatusCode::SERVICE_UNAVAILABLE, Some(Outcome::Shed)) => None,
        (StatusCode::OK | StatusCode::NOT_FOUND, None) => Some("no-cache-status".into()),
        (status, _) => Some(http(status)),
    };
    let overage_us = text(app::replica::OVERAGE_HEADER).and_then(|v| v.parse().ok()).unwrap_or(0);
    Reply {
        outcome: if error.is_some() { Some(Outcome::Error) } else { outcome },
        error,
        flight: text(app::replica::LED_HEADER).map(str::to_owned),
        overage_us,
        retry_after: None,
    }
}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3); its other form, a date, is not read.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// Anybody's answer: its status, and its `Cache-Status` where it has one.
fn foreign(status: StatusCode, headers: &HeaderMap, missing: bool) -> Reply {
    match status {
        StatusCode::SERVICE_UNAVAILABLE => Reply::good(Some(Outcome::Shed)),
        status if status.is_success() || (missing && status == StatusCode::NOT_FOUND) => {
            Reply::good(told(headers).map(|told| told.outcome))
        }
        status => Reply::failed(http(status)),
    }
}

/// Several lines of a list are one list (RFC 9110, section 5.3).
fn told(headers: &HeaderMap) -> Option<Told> {
    let mut lines = headers.get_all("cache-status").iter();
    let first = lines.next()?;
    let mut joined = first.as_bytes().to_vec();
    lines.for_each(|line| {
        joined.extend_from_slice(b", ");
        joined.extend_from_slice(line.as_bytes());
    });
    told::read(&joined)
}

fn http(status: StatusCode) -> String {
    format!("http-{}", status.as_u16())
}

fn kind(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "refused",
        std::io::ErrorKind::ConnectionReset => "reset",
        std::io::ErrorKind::AddrNotAvailable => "no-ports",
        _ => "failed",
    }
}
