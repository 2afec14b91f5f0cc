//! A connection is made: to the first of a server's addresses that takes it, and encrypted where it is to be.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use evidence::ErrorKind;
use http_body_util::Empty;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::counted_stream::CountedStream;
use super::lack;
use super::site::Site;
use super::wire::Wire;

/// How long a connection may take to be made, whatever the number of addresses that are tried.
const CONNECT_BUDGET: Duration = Duration::from_secs(2);

/// A connection that is up.
pub(super) struct HttpLink {
    pub(super) sender: SendRequest<Empty<Bytes>>,
    /// Bytes that the server has sent on it.
    pub(super) heard: Rc<Cell<u64>>,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unconnected {
    pub(super) kind: ErrorKind,
    /// More about it, for people.
    pub(super) why: Option<String>,
}

impl From<ErrorKind> for Unconnected {
    fn from(kind: ErrorKind) -> Self {
        Self { kind, why: None }
    }
}

/// Connects to the first of a site's addresses that takes the connection, beginning with the one that did last.
pub(super) async fn dial(site: &Site) -> Result<HttpLink, Unconnected> {
    let addresses = site.addresses();
    let each = CONNECT_BUDGET / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut last = Unconnected::from(ErrorKind::ConnectFailed);
    for address in addresses {
        let connected = async {
            let stream = TcpStream::connect(address).await.map_err(|e| lack::kind(&e).unwrap_or(unconnected(&e)))?;
            site.answered_at(address);
            let _ = stream.set_nodelay(true);
            wire(site, stream).await
        };
        let wire = match tokio::time::timeout(each, connected).await {
            Ok(Ok(wire)) => wire,
            // What the generator lacks it lacks for every address.
            Ok(Err(why)) if lack::in_words(&why.kind.to_string()).is_some() => return Err(why),
            Ok(Err(why)) => {
                last = why;
                continue;
            }
            Err(_) => {
                last = ErrorKind::ConnectTimeout.into();
                continue;
            }
        };
        let (stream, heard) = CountedStream::over(wire);
        // A request is one piece: to gather several takes longer.
        let shaken = http1::Builder::new().writev(false).handshake(TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(|_| ErrorKind::ConnectHandshake)?;
        tokio::task::spawn_local(async move {
            // A request that waits for an answer on it is told of its end; nothing else needs to know.
            let _ = connection.await;
        });
        return Ok(HttpLink { sender, heard });
    }
    Err(last)
}

#[cfg(feature = "labs")]
async fn wire(site: &Site, stream: TcpStream) -> Result<Wire, Unconnected> {
    let Some((client, host)) = &site.asks.tls else { return Ok(Wire::Plain(stream)) };
    let encrypted = client.connect(stream, host).await;
    let encrypted =
        encrypted.map_err(|e| Unconnected { kind: ErrorKind::ConnectHandshake, why: Some(e.to_string()) })?;
    Ok(Wire::Encrypted(Box::new(encrypted)))
}

#[cfg(not(feature = "labs"))]
#[allow(clippy::unused_async, reason = "as the other")]
async fn wire(_site: &Site, stream: TcpStream) -> Result<Wire, Unconnected> {
    Ok(Wire::Plain(stream))
}

fn unconnected(error: &std::io::Error) -> ErrorKind {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => ErrorKind::ConnectRefused,
        std::io::ErrorKind::ConnectionReset => ErrorKind::ConnectReset,
        _ => ErrorKind::ConnectFailed,
    }
}
