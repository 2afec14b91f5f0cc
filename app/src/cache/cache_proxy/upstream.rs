//! Where Redis is, if it is there now.
//!
//! The name of a container that is stopped cannot be resolved, and finding that out takes seconds; a client that connects
//! meanwhile must be turned away at once, as a host with nothing on that port would do. So somebody looks all the time.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::wire::address::shown;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// How long a connection to Redis may take to be made: the replicas' own patience with an operation.
const DIAL_BUDGET: Duration = Duration::from_millis(100);
/// How long its name may take to be resolved.
const RESOLVE_BUDGET: Duration = Duration::from_millis(500);
/// How often it is looked for while it is not there.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A Redis that may be absent.
pub(super) struct Upstream {
    pub(super) host: String,
    at: Mutex<Option<SocketAddr>>,
}

impl Upstream {
    /// Of a Redis URL.
    pub(super) fn of(url: &str) -> Result<Self, String> {
        let host = url.rsplit_once('@').map_or(url, |(_, host)| host);
        let host = host.strip_prefix("redis://").or_else(|| host.strip_prefix("rediss://")).unwrap_or(host);
        let host = host.split('/').next().unwrap_or_default();
        if !host.contains(':') {
            return Err(format!("{} is not of the form redis://USER:PASSWORD@HOST:PORT", shown(url)));
        }
        Ok(Self { host: host.to_owned(), at: Mutex::default() })
    }

    /// A connection; `None` where Redis is not there.
    pub(super) async fn dial(&self) -> Option<TcpStream> {
        let at = self.at()?;
        match timeout(DIAL_BUDGET, TcpStream::connect(at)).await {
            Ok(Ok(stream)) => Some(stream),
            _ => {
                self.set(None);
                None
            }
        }
    }

    /// It may be gone: a connection ended from its side.
    pub(super) fn doubt(&self) {
        self.set(None);
    }

    /// Looks for Redis whenever it is not there; never ends.
    pub(super) async fn keep_looking(&self) {
        loop {
            if self.at().is_none()
                && let Ok(Ok(mut found)) = timeout(RESOLVE_BUDGET, lookup_host(&self.host)).await
                && let Some(at) = found.next()
                && let Ok(Ok(_)) = timeout(DIAL_BUDGET, TcpStream::connect(at)).await
            {
                self.set(Some(at));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn at(&self) -> Option<SocketAddr> {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, at: Option<SocketAddr>) {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}
