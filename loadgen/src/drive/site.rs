//! Where requests go, and by whose words an answer is judged.

use std::net::SocketAddr;
use std::sync::{PoisonError, RwLock};

use hyper::header::HeaderValue;

/// The place in a target's URL that stands for the key.
pub const KEY: &str = "{key}";

/// One server that is asked.
#[derive(Debug)]
pub struct Site {
    address: RwLock<SocketAddr>,
    pub(super) host: HeaderValue,
    before: String,
    after: Option<String>,
    pub(super) kind: Kind,
}

/// What kind of server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One of the lab's replicas: every answer carries an outcome and a body that can be checked.
    Replica,
    /// Anything that speaks HTTP: outcomes where its `Cache-Status` tells them, bodies read and not checked.
    Foreign,
}

impl Site {
    /// A replica's data listener.
    #[must_use]
    pub fn replica(address: SocketAddr) -> Self {
        // Digits, dots, colons and brackets are all a header may hold.
        let host = HeaderValue::from_str(&address.to_string()).unwrap_or(HeaderValue::from_static("replica"));
        Self {
            address: RwLock::new(address),
            host,
            before: "/items/".into(),
            after: Some(String::new()),
            kind: Kind::Replica,
        }
    }

    /// Any server. `path` begins with a slash; [`KEY`] in it is replaced. `None` where host or path can't be sent.
    #[must_use]
    pub fn foreign(address: SocketAddr, host: &str, path: &str) -> Option<Self> {
        let host = HeaderValue::from_str(host).ok()?;
        let (before, after) = match path.split_once(KEY) {
            Some((before, after)) => (before.to_owned(), Some(after.to_owned())),
            None => (path.to_owned(), None),
        };
        let site = Self { address: RwLock::new(address), host, before, after, kind: Kind::Foreign };
        site.path(1).parse::<hyper::Uri>().is_ok().then_some(site)
    }

    /// Whether it is one of the lab's replicas, of which one answers as well as another.
    pub(super) fn is_replica(&self) -> bool {
        self.kind == Kind::Replica
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.address().ip().is_loopback()
    }

    /// Where it listens now.
    pub fn address(&self) -> SocketAddr {
        *self.address.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// It listens somewhere else from now on: a container that was started again.
    pub fn moved(&self, address: SocketAddr) {
        *self.address.write().unwrap_or_else(PoisonError::into_inner) = address;
    }

    /// The path that asks for a key.
    pub(super) fn path(&self, key: u32) -> String {
        match &self.after {
            Some(after) => format!("{}{key}{after}", self.before),
            None => self.before.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_goes_where_the_url_says() {
        let at: SocketAddr = "127.0.0.1:80".parse().unwrap();
        assert_eq!(Site::replica(at).path(7), "/items/7");
        for (path, asked) in [("/a/{key}?b=1", "/a/7?b=1"), ("/", "/"), ("/?q={key}", "/?q=7")] {
            assert_eq!(Site::foreign(at, "h", path).unwrap().path(7), asked);
        }
        assert!(Site::foreign(at, "h\n", "/").is_none());
        assert!(Site::foreign(at, "h", "/ /{key}").is_none());
        let site = Site::replica(at);
        site.moved("127.0.0.1:81".parse().unwrap());
        assert_eq!(site.address().port(), 81);
    }
}
