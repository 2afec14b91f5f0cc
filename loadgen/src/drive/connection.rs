//! One raw HTTP/1 connection of a client to a replica, made anew where it breaks.
//!
//! No pool, no redirect, no retry of anything that may have reached the server; bodies are bounded. What a server can do
//! wrong ends as a counted error with a kind, never as a panic.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HOST;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use strategies::Outcome;
use strategies::port::Clock;
use strategies::time::Mono;
use tokio::net::TcpStream;

use super::fleet::Bench;
use crate::record::Answer;

/// The largest body that is read.
const BODY_BYTES_MAX: usize = 8 << 20;
/// How long a connection may take to be made.
const CONNECT_BUDGET: Duration = Duration::from_secs(2);

/// What a server answered, or how it failed to.
struct Reply {
    outcome: Outcome,
    error: Option<String>,
    flight: Option<String>,
    overage_us: u64,
}

impl Reply {
    fn failed(kind: impl Into<String>) -> Self {
        Self { outcome: Outcome::Error, error: Some(kind.into()), flight: None, overage_us: 0 }
    }
}

/// A connection to one address.
pub(super) struct Connection {
    address: SocketAddr,
    host: String,
    timeout: Duration,
    sender: Option<SendRequest<Empty<Bytes>>>,
}

impl Connection {
    pub(super) fn to(address: SocketAddr, timeout: Duration) -> Self {
        Self { address, host: address.to_string(), timeout, sender: None }
    }

    /// Connects where there is no connection that can be used. Must run inside a `LocalSet`.
    pub(super) async fn connect(&mut self) -> Result<(), String> {
        if let Some(sender) = &mut self.sender {
            // A server may close a kept connection at any time; that is no error of anybody's.
            if sender.ready().await.is_ok() {
                return Ok(());
            }
        }
        self.sender = None;
        let connecting = tokio::time::timeout(CONNECT_BUDGET, TcpStream::connect(self.address));
        let stream = match connecting.await {
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
        self.sender = Some(sender);
        Ok(())
    }

    /// Asks for an item, takes the times, and says when it was done.
    pub(super) async fn ask(&mut self, bench: &Bench, key: u32, t0: Mono) -> (Answer, Mono) {
        let sent = bench.drive.clock.mono();
        let reply = self.get(&key.to_string()).await;
        let done = bench.drive.clock.mono();
        let answer = Answer {
            sent_ns: bench.since(sent, t0),
            done_ns: bench.since(done, t0),
            outcome: reply.outcome,
            error: reply.error,
            flight: reply.flight,
            overage_us: reply.overage_us,
        };
        (answer, done)
    }

    /// Asks for an item and checks that the answer is that item.
    async fn get(&mut self, key: &str) -> Reply {
        match tokio::time::timeout(self.timeout, self.exchange(key)).await {
            Ok(reply) => {
                if reply.error.as_deref().is_some_and(|kind| !kind.starts_with("http-")) {
                    self.sender = None;
                }
                reply
            }
            Err(_) => {
                self.sender = None;
                Reply::failed("timeout")
            }
        }
    }

    async fn exchange(&mut self, key: &str) -> Reply {
        if let Err(kind) = self.connect().await {
            return Reply::failed(kind);
        }
        let Some(sender) = &mut self.sender else { return Reply::failed("connect") };
        let request = Request::get(format!("/items/{key}")).header(HOST, &self.host).body(Empty::new());
        let Ok(request) = request else { return Reply::failed("request") };
        match sender.send_request(request).await {
            Ok(response) => read(response, key).await,
            Err(e) if e.is_parse() => Reply::failed("protocol"),
            Err(_) => Reply::failed("reset"),
        }
    }
}

async fn read(response: Response<Incoming>, key: &str) -> Reply {
    let (head, mut body) = response.into_parts();
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Reply::failed("body-cut") };
        if let Some(data) = frame.data_ref() {
            if bytes.len() + data.len() > BODY_BYTES_MAX {
                return Reply::failed("body-too-large");
            }
            bytes.extend_from_slice(data);
        }
    }
    judge(head.status, &head.headers, &bytes, key)
}

/// From status, headers and body to an outcome.
fn judge(status: StatusCode, headers: &HeaderMap, body: &[u8], key: &str) -> Reply {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let outcome = text("cache-status").and_then(Outcome::from_cache_status);
    let flight = text(app::replica::LED_HEADER).map(str::to_owned);
    let overage_us = text(app::replica::OVERAGE_HEADER).and_then(|v| v.parse().ok()).unwrap_or(0);
    let error = match (status, outcome) {
        (StatusCode::OK, Some(_)) => app::item::verify(body, key).err().map(|_| "wrong-body".to_owned()),
        (StatusCode::NOT_FOUND, Some(_)) => None,
        (StatusCode::SERVICE_UNAVAILABLE, Some(Outcome::Shed)) => None,
        (StatusCode::OK | StatusCode::NOT_FOUND, None) => Some("no-cache-status".into()),
        (status, _) => Some(format!("http-{}", status.as_u16())),
    };
    let outcome = if error.is_some() { Outcome::Error } else { outcome.unwrap_or(Outcome::Error) };
    Reply { outcome, error, flight, overage_us }
}

fn kind(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "refused",
        std::io::ErrorKind::ConnectionReset => "reset",
        std::io::ErrorKind::AddrNotAvailable => "no-ports",
        _ => "failed",
    }
}
