//! One raw HTTP/1 connection of a client to a server, made anew where it breaks.
//!
//! No pool, no redirect; bodies are bounded. A request that was lost with a kept connection before a byte of its answer
//! had come is sent once more, and counted; nothing else that may have reached the server is. What a server can do wrong
//! ends as a counted error with a kind, never as a panic.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use app::wire::headers::{CONNECTION_HEADER, LED_HEADER, OVERAGE_HEADER, PART_HEADER, VERSION_HEADER, read_connection};
use app::wire::item::WrongBody;
use bytes::{Bytes, BytesMut};
use evidence::ErrorKind;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, HeaderName, RETRY_AFTER};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use strategies::port::{Clock, Level};
use strategies::time::Mono;
use strategies::{ConnectionUse, Outcome};
use tokio::net::TcpStream;

use super::cache_status::{self, SaidOutcome};
use super::counted::{self, EndedIncrement};
use super::counted_stream::CountedStream;
use super::lack;
use super::page;
use super::site::{Site, SiteKind};
use super::worker::WorkerContext;
use crate::load::record::{AcknowledgedWrite, Answer, SentWrite};

/// As a name that is not read anew for each answer.
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
/// The largest body that is read.
const BODY_BYTES_MAX: usize = 8 << 20;
/// How long a connection may take to be made, whatever the number of addresses that are tried.
const CONNECT_BUDGET: Duration = Duration::from_secs(2);

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

type Sender = SendRequest<Empty<Bytes>>;

/// A connection to one server.
pub(super) struct Connection {
    site: Arc<Site>,
    timeout: Duration,
    kept: Option<Link>,
    /// How often the request that is under way was sent again on a fresh connection.
    resent: u32,
}

/// A connection that is up.
struct Link {
    sender: Sender,
    /// Bytes that the server has sent on it.
    heard: Rc<Cell<u64>>,
}

/// An answer whose body was read to its end.
type Whole = (StatusCode, HeaderMap, BytesMut);

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
        Self { site: Arc::clone(site), timeout, kept: None, resent: 0 }
    }

    /// Connects where there is no connection that can be used. Must run inside a `LocalSet`.
    pub(super) async fn connect(&mut self) -> Result<(), ErrorKind> {
        self.link().await.map(drop)
    }

    /// The connection, and whether it was made just now.
    async fn link(&mut self) -> Result<(&mut Link, bool), ErrorKind> {
        // A server may close a kept connection at any time; that is no error of anybody's.
        let kept = match self.kept.take() {
            Some(mut link) => link.sender.ready().await.is_ok().then_some(link),
            None => None,
        };
        let (link, fresh) = match kept {
            Some(link) => (link, false),
            None => (dial(&self.site).await?, true),
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
            Ok((status, headers, body)) => {
                let reply = match self.site.kind {
                    SiteKind::Replica => replica(status, &headers, missing, || page::version(plan, &body, key)),
                    SiteKind::Foreign => foreign(status, &headers, missing),
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
    /// then the request is sent once more (GET is idempotent: RFC 9110, section 9.2.2). A server that can't be reached any
    /// more has not merely closed an idle connection, so there the loss stands.
    async fn exchange(&mut self, path: &str) -> Result<Whole, ErrorKind> {
        let lost = match self.send(Method::GET, path).await {
            Ok(whole) => return Ok(whole),
            Err(lost) => lost,
        };
        self.kept = None;
        if !lost.with_a_kept_connection || self.connect().await.is_err() {
            return Err(lost.kind);
        }
        self.resent += 1;
        self.send(Method::GET, path).await.map_err(|lost| lost.kind)
    }

    async fn send(&mut self, method: Method, path: &str) -> Result<Whole, Lost> {
        let host = self.site.host.clone();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, host)
            .body(Empty::new())
            .map_err(|_| ErrorKind::Request)?;
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
        let answer = answered.map_err(|lost| lost.kind).and_then(|(status, headers, _)| acknowledged(status, &headers));
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
        let told = counted::told(answered.map(|(status, headers, _)| (status, headers)).map_err(|lost| lost.kind));
        let (error, end) = match told {
            Ok(end) => (None, end),
            Err((kind, end)) => (Some(kind), end),
        };
        let answer = counted::answer(context.since(sent, t0), context.since(done, t0), error);
        EndedIncrement { answer, end, done }
    }

    /// Asks once, for people: the status, and the cache that tells outcomes, if one does.
    pub(super) async fn probe(&mut self, key: u32) -> Result<(StatusCode, Option<String>), ErrorKind> {
        let path = self.site.path(key);
        let asked = tokio::time::timeout(self.timeout, self.exchange(&path)).await;
        let (status, headers, _) = asked.unwrap_or_else(|_| Err(ErrorKind::Timeout))?;
        Ok((status, told(&headers).map(|told| told.cache)))
    }
}

/// Connects to the first of a site's addresses that takes the connection, beginning with the one that did last.
async fn dial(site: &Site) -> Result<Link, ErrorKind> {
    let addresses = site.addresses();
    let each = CONNECT_BUDGET / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut last = ErrorKind::ConnectFailed;
    for address in addresses {
        let stream = match tokio::time::timeout(each, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(e)) => {
                // What the generator lacks it lacks for every address.
                if let Some(lacked) = lack::kind(&e) {
                    return Err(lacked);
                }
                last = unconnected(&e);
                continue;
            }
            Err(_) => {
                last = ErrorKind::ConnectTimeout;
                continue;
            }
        };
        site.answered_at(address);
        let _ = stream.set_nodelay(true);
        let (stream, heard) = CountedStream::over(stream);
        // A request is one piece: to gather several takes longer.
        let shaken = http1::Builder::new().writev(false).handshake(TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(|_| ErrorKind::ConnectHandshake)?;
        tokio::task::spawn_local(async move {
            // A request that waits for an answer on it is told of its end; nothing else needs to know.
            let _ = connection.await;
        });
        return Ok(Link { sender, heard });
    }
    Err(last)
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
    Ok((head.status, head.headers, bytes))
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

/// Anybody's answer: its status, and its `Cache-Status` where it has one. Only one of the lab's replicas can say that it
/// shed a request; anybody else's 503 is a failure like any other.
fn foreign(status: StatusCode, headers: &HeaderMap, missing: bool) -> Reply {
    let own = || headers.get(CACHE_STATUS).and_then(|v| v.to_str().ok()).and_then(Outcome::from_cache_status);
    match status {
        StatusCode::SERVICE_UNAVAILABLE if matches!(own(), Some((Outcome::Shed, _))) => {
            Reply::good(Some(Outcome::Shed))
        }
        status if status.is_success() || (missing && status == StatusCode::NOT_FOUND) => {
            Reply::good(told(headers).map(|told| told.outcome))
        }
        status => Reply::failed(ErrorKind::Http(status.as_u16())),
    }
}

/// Several lines of a list are one list (RFC 9110, section 5.3).
fn told(headers: &HeaderMap) -> Option<SaidOutcome> {
    let mut lines = headers.get_all(CACHE_STATUS).iter();
    let first = lines.next()?;
    let mut joined = first.as_bytes().to_vec();
    lines.for_each(|line| {
        joined.extend_from_slice(b", ");
        joined.extend_from_slice(line.as_bytes());
    });
    cache_status::read(&joined)
}

fn unconnected(error: &std::io::Error) -> ErrorKind {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => ErrorKind::ConnectRefused,
        std::io::ErrorKind::ConnectionReset => ErrorKind::ConnectReset,
        _ => ErrorKind::ConnectFailed,
    }
}
