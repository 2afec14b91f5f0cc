//! One raw HTTP/1 connection of a client to a server, made anew where it breaks.
//!
//! No pool, no redirect; bodies are bounded. A request that was lost with a kept connection before a byte of its answer
//! had come is sent once more, and counted; nothing else that may have reached the server is. What a server can do wrong
//! ends as a counted error with a kind, never as a panic.

use std::sync::Arc;
use std::time::Duration;

use app::wire::headers::{CONNECTION_HEADER, LED_HEADER, OVERAGE_HEADER, PART_HEADER, VERSION_HEADER, read_connection};
use app::wire::item::WrongBody;
use bytes::BytesMut;
use evidence::ErrorKind;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::header::{HOST, HeaderName, RETRY_AFTER};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Version};
use strategies::port::{Clock, Level};
use strategies::time::Mono;
use strategies::{ConnectionUse, Outcome};

use super::asks::Asks;
use super::cache_status::CACHE_STATUS;
use super::counted::{self, EndedIncrement};
use super::dial::{HttpLink, Unconnected, dial};
use super::page;
use super::probed::Probed;
use super::site::{Site, SiteKind};
use super::worker::WorkerContext;
use crate::load::record::{AcknowledgedWrite, Answer, SentWrite};

/// The largest body that is read.
const BODY_BYTES_MAX: usize = 8 << 20;

/// What a server answered, or how it failed to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reply {
    /// `None` where it was answered well, and nothing said how.
    outcome: Option<Outcome>,
    /// Whether a copy in the replica's process was the answer.
    near: bool,
    /// How it came by its connections to the cache, where it took any from a pool.
    connection: Option<ConnectionUse>,
    error: Option<ErrorKind>,
    flight: Option<String>,
    overage_us: u64,
    /// The item's version, where the body is one.
    version: Option<u64>,
    /// What `Retry-After` says, where it is in seconds.
    retry_after: Option<Duration>,
}

impl Reply {
    fn good(outcome: Option<Outcome>) -> Self {
        let (near, connection) = (false, None);
        Self { outcome, near, connection, error: None, flight: None, overage_us: 0, version: None, retry_after: None }
    }

    fn failed(kind: ErrorKind) -> Self {
        Self { outcome: Some(Outcome::Error), error: Some(kind), ..Self::good(None) }
    }
}

/// One attempt at a request.
pub(super) struct Attempt {
    pub(super) answer: Answer,
    pub(super) done: Mono,
    /// When its server says that it is worth asking again.
    pub(super) retry_after: Option<Duration>,
}

/// A write, and when it was over.
type EndedWrite = (SentWrite, Mono);

/// A connection to one server.
pub(super) struct Connection {
    site: Arc<Site>,
    timeout: Duration,
    kept: Option<HttpLink>,
    /// How often the request that is under way was sent again on a fresh connection.
    resent: u32,
    /// More about why there is no connection, for people.
    why: Option<String>,
}

/// An answer whose body was read to its end.
struct Whole {
    status: StatusCode,
    version: Version,
    headers: HeaderMap,
    body: BytesMut,
}

/// Why there is no answer.
struct Lost {
    kind: ErrorKind,
    /// A connection that had been kept ended without a byte of the answer.
    with_a_kept_connection: bool,
}

impl From<ErrorKind> for Lost {
    fn from(kind: ErrorKind) -> Self {
        Self { kind, with_a_kept_connection: false }
    }
}

impl Connection {
    pub(super) fn to(site: &Arc<Site>, timeout: Duration) -> Self {
        Self { site: Arc::clone(site), timeout, kept: None, resent: 0, why: None }
    }

    /// Connects where there is no connection that can be used. Must run inside a `LocalSet`.
    pub(super) async fn connect(&mut self) -> Result<(), ErrorKind> {
        self.link().await.map(drop)
    }

    /// The connection, and whether it was made just now.
    async fn link(&mut self) -> Result<(&mut HttpLink, bool), ErrorKind> {
        // A server may close a kept connection at any time; that is no error of anybody's.
        let kept = match self.kept.take() {
            Some(mut link) => link.sender.ready().await.is_ok().then_some(link),
            None => None,
        };
        let (link, fresh) = match kept {
            Some(link) => (link, false),
            None => match dial(&self.site).await {
                Ok(link) => (link, true),
                Err(Unconnected { kind, why }) => {
                    self.why = why;
                    return Err(kind);
                }
            },
        };
        Ok((self.kept.insert(link), fresh))
    }

    /// Asks for an item once, takes the times, and says when it was done.
    pub(super) async fn ask(&mut self, context: &WorkerContext, key: u32, t0: Mono) -> Attempt {
        let sent = context.drive.clock.mono();
        let reply = self.get(context, key).await;
        let done = context.drive.clock.mono();
        let answer = Answer {
            sent_ns: context.since(sent, t0),
            done_ns: context.since(done, t0),
            outcome: reply.outcome,
            near: reply.near,
            connection: reply.connection,
            error: reply.error,
            flight: reply.flight,
            version: reply.version.filter(|_| context.drive.writes),
            overage_us: reply.overage_us,
            moved_on: false,
            attempts: 1,
            unpaid: false,
            resent: self.resent,
        };
        Attempt { answer, done, retry_after: reply.retry_after }
    }

    /// Asks for an item and judges the answer.
    async fn get(&mut self, context: &WorkerContext, key: u32) -> Reply {
        self.resent = 0;
        let (plan, missing) = (&context.drive.plan, context.drive.is_missing(key));
        let path = page::path(plan, &self.site, key);
        let asked = tokio::time::timeout(self.timeout, self.exchange(&path)).await;
        match asked.unwrap_or_else(|_| Err(ErrorKind::Timeout)) {
            Ok(Whole { status, headers, body, .. }) => {
                let reply = match self.site.kind {
                    SiteKind::Replica => replica(status, &headers, missing, || page::version(plan, &body, key)),
                    SiteKind::Foreign => foreign(&self.site.asks, status, &headers, missing),
                };
                Reply { retry_after: retry_after(&headers), ..reply }
            }
            Err(kind) => {
                // Whatever is left of that answer must not be taken for the next one's.
                self.kept = None;
                Reply::failed(kind)
            }
        }
    }

    /// Sends a request and reads its answer. On a kept connection a server's "closed for idleness" and a request can cross:
    /// then the request is sent once more (GET and HEAD are idempotent: RFC 9110, section 9.2.2). A server that can't be reached any
    /// more has not merely closed an idle connection, so there the loss stands.
    async fn exchange(&mut self, path: &str) -> Result<Whole, ErrorKind> {
        let method = self.site.asks.method.clone();
        let lost = match self.send(method.clone(), path).await {
            Ok(whole) => return Ok(whole),
            Err(lost) => lost,
        };
        self.kept = None;
        if !lost.with_a_kept_connection || self.connect().await.is_err() {
            return Err(lost.kind);
        }
        self.resent += 1;
        self.send(method, path).await.map_err(|lost| lost.kind)
    }

    async fn send(&mut self, method: Method, path: &str) -> Result<Whole, Lost> {
        let host = self.site.host.clone();
        let request = Request::builder().method(method).uri(path).header(HOST, host).body(Empty::new());
        let mut request = request.map_err(|_| ErrorKind::Request)?;
        if !self.site.asks.headers.is_empty() {
            request.headers_mut().extend(self.site.asks.headers.clone());
        }
        let (link, mut fresh) = self.link().await?;
        let mut before = link.heard.get();
        let mut answered = link.sender.try_send_request(request).await;
        // One that was given back was never sent: the connection had ended just then.
        if let Err(error) = &mut answered
            && let Some(request) = error.take_message()
        {
            self.kept = None;
            let (link, _) = self.link().await?;
            (before, fresh) = (link.heard.get(), true);
            answered = link.sender.try_send_request(request).await;
        }
        match answered {
            Ok(response) => Ok(read(response).await?),
            Err(error) if error.error().is_parse() => Err(ErrorKind::Protocol.into()),
            Err(_) => {
                let unanswered = self.kept.as_ref().is_some_and(|link| link.heard.get() == before);
                Err(Lost { kind: ErrorKind::Reset, with_a_kept_connection: unanswered && !fresh })
            }
        }
    }

    /// Writes an item once, takes the times, and says when it was done.
    pub(super) async fn put(&mut self, context: &WorkerContext, key: u32, t0: Mono) -> EndedWrite {
        let sent = context.drive.clock.mono();
        let path = self.site.path(key);
        let asked = tokio::time::timeout(self.timeout, self.send(Method::PUT, &path)).await;
        let answered = asked.unwrap_or_else(|_| Err(ErrorKind::Timeout.into()));
        let done = context.drive.clock.mono();
        if answered.is_err() {
            // Whatever is left of that answer must not be taken for the next one's.
            self.kept = None;
        }
        let answer = answered.map_err(|lost| lost.kind).and_then(|whole| acknowledged(whole.status, &whole.headers));
        (SentWrite { sent_ns: context.since(sent, t0), done_ns: context.since(done, t0), answer }, done)
    }

    /// Increments a counter once, takes the times, and says when it was done.
    pub(super) async fn count(&mut self, context: &WorkerContext, key: u32, t0: Mono) -> EndedIncrement {
        let sent = context.drive.clock.mono();
        // Only a replica counts.
        let path = format!("/counters/{key}");
        let asked = tokio::time::timeout(self.timeout, self.send(Method::POST, &path)).await;
        let answered = asked.unwrap_or_else(|_| Err(ErrorKind::Timeout.into()));
        let done = context.drive.clock.mono();
        if answered.is_err() {
            self.kept = None;
        }
        let told = counted::told(answered.map(|whole| (whole.status, whole.headers)).map_err(|lost| lost.kind));
        let (error, end) = match told {
            Ok(end) => (None, end),
            Err((kind, end)) => (Some(kind), end),
        };
        let answer = counted::answer(context.since(sent, t0), context.since(done, t0), error);
        EndedIncrement { answer, end, done }
    }

    /// Asks once, for people.
    pub(super) async fn probe(&mut self, key: u32) -> Result<Probed, ErrorKind> {
        let path = self.site.path(key);
        let asked = tokio::time::timeout(self.timeout, self.exchange(&path)).await;
        let Whole { status, version, headers, body } = asked.unwrap_or_else(|_| Err(ErrorKind::Timeout))?;
        Ok(Probed::of(&self.site, (status, version), &headers, body.len()))
    }

    /// More about why there was no connection.
    pub(super) fn why(&mut self) -> Option<String> {
        self.why.take()
    }
}

async fn read(response: Response<Incoming>) -> Result<Whole, ErrorKind> {
    let (head, mut body) = response.into_parts();
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ErrorKind::BodyCut)?;
        if let Some(data) = frame.data_ref() {
            if bytes.len() + data.len() > BODY_BYTES_MAX {
                return Err(ErrorKind::BodyTooLarge);
            }
            bytes.extend_from_slice(data);
        }
    }
    Ok(Whole { status: head.status, version: head.version, headers: head.headers, body: bytes })
}

/// A replica's answer to a write.
fn acknowledged(status: StatusCode, headers: &HeaderMap) -> Result<AcknowledgedWrite, ErrorKind> {
    let text = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let version = text(const { HeaderName::from_static(VERSION_HEADER) }).and_then(|v| v.parse().ok());
    let flight = text(const { HeaderName::from_static(LED_HEADER) }).and_then(|v| v.parse().ok());
    match version {
        Some(version) if status.is_success() => Ok(AcknowledgedWrite { version, flight }),
        // It says yes, and not what it did.
        None if status.is_success() => Err(ErrorKind::Protocol),
        _ => Err(ErrorKind::Http(status.as_u16())),
    }
}

/// A replica's answer: it says how it was made, and carries the item that was asked for.
fn replica(
    status: StatusCode,
    headers: &HeaderMap,
    missing: bool,
    item: impl FnOnce() -> Result<Option<u64>, WrongBody>,
) -> Reply {
    let text = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let said = text(CACHE_STATUS).and_then(Outcome::from_cache_status);
    let (outcome, level) = (said.map(|(outcome, _)| outcome), said.map(|(_, level)| level));
    let mut version = None;
    let error = match (status, outcome) {
        // A part of an item does not say whose it is.
        (StatusCode::OK, Some(_)) if headers.contains_key(PART_HEADER) => {
            version = text(const { HeaderName::from_static(VERSION_HEADER) }).and_then(|v| v.parse().ok());
            version.is_none().then_some(ErrorKind::WrongBody)
        }
        (StatusCode::OK, Some(_)) => match item() {
            Ok(found) => {
                version = found;
                None
            }
            Err(_) => Some(ErrorKind::WrongBody),
        },
        (StatusCode::NOT_FOUND, Some(_)) if missing => None,
        (StatusCode::SERVICE_UNAVAILABLE, Some(Outcome::Shed)) => None,
        (StatusCode::OK | StatusCode::NOT_FOUND, None) => Some(ErrorKind::NoCacheStatus),
        (status, _) => Some(ErrorKind::Http(status.as_u16())),
    };
    let overage_us = text(const { HeaderName::from_static(OVERAGE_HEADER) }).and_then(|v| v.parse().ok()).unwrap_or(0);
    Reply {
        outcome: if error.is_some() { Some(Outcome::Error) } else { outcome },
        near: error.is_none() && level == Some(Level::Near),
        connection: text(const { HeaderName::from_static(CONNECTION_HEADER) }).and_then(read_connection),
        error,
        flight: text(const { HeaderName::from_static(LED_HEADER) }).map(str::to_owned),
        overage_us,
        version,
        retry_after: None,
    }
}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3); its other form, a date, is not read.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// Anybody's answer: its status, and what its headers tell of how it was made. Only one of the lab's replicas can say that it
/// shed a request; anybody else's 503 is a failure like any other.
fn foreign(asks: &Asks, status: StatusCode, headers: &HeaderMap, missing: bool) -> Reply {
    let own = || headers.get(CACHE_STATUS).and_then(|v| v.to_str().ok()).and_then(Outcome::from_cache_status);
    match status {
        StatusCode::SERVICE_UNAVAILABLE if matches!(own(), Some((Outcome::Shed, _))) => {
            Reply::good(Some(Outcome::Shed))
        }
        status if status.is_success() || (missing && status == StatusCode::NOT_FOUND) => {
            Reply::good(asks.told(headers).map(|told| told.outcome))
        }
        status => Reply::failed(ErrorKind::Http(status.as_u16())),
    }
}
