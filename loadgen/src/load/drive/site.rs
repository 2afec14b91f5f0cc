//! Where requests go, and by whose words an answer is judged.

use std::net::SocketAddr;
use std::sync::{PoisonError, RwLock};

use hyper::header::HeaderValue;

use super::asks::Asks;
use super::outcome_words::ToldStaleness;

/// The place in a target's URL that stands for the key.
pub const KEY: &str = "{key}";

/// One server that is asked.
#[derive(Debug)]
pub struct Site {
    /// Where it may listen, in the order in which they are tried; never empty.
    addresses: RwLock<Vec<SocketAddr>>,
    pub(super) host: HeaderValue,
    /// The path that is asked for, cut wherever the key goes.
    path: Vec<String>,
    pub(super) kind: SiteKind,
    /// By which method, with which headers, and how.
    pub(super) asks: Asks,
}

/// What kind of server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SiteKind {
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
            addresses: RwLock::new(vec![address]),
            host,
            path: cut(&format!("/items/{KEY}")),
            kind: SiteKind::Replica,
            asks: Asks::default(),
        }
    }

    /// Any server, at the first of its addresses that takes a connection. `path` begins with a slash; every [`KEY`] in it is
    /// replaced. `None` where host or path can't be sent.
    #[must_use]
    pub fn foreign(addresses: Vec<SocketAddr>, host: &str, path: &str) -> Option<Self> {
        let host = HeaderValue::from_str(host).ok().filter(|_| !addresses.is_empty())?;
        let site = Self {
            addresses: RwLock::new(addresses),
            host,
            path: cut(path),
            kind: SiteKind::Foreign,
            asks: Asks::default(),
        };
        site.path(1).parse::<hyper::Uri>().is_ok().then_some(site)
    }

    /// The same server, asked so.
    #[must_use]
    pub fn asking(self, asks: Asks) -> Self {
        Self { asks, ..self }
    }

    /// The header whose word says how an answer was made, where one is named.
    #[must_use]
    pub fn outcome_header(&self) -> Option<&str> {
        self.asks.outcome.as_ref().map(|header| header.name())
    }

    /// What its answers can say of their staleness.
    #[must_use]
    pub fn staleness(&self) -> ToldStaleness {
        self.asks.outcome.as_ref().map(|header| header.staleness()).unwrap_or_default()
    }

    /// Unknown words of its outcome header.
    #[must_use]
    pub fn unknown_words(&self) -> Vec<String> {
        self.asks.outcome.as_ref().map(|header| header.unknown()).unwrap_or_default()
    }

    /// Whether it is one of the lab's replicas, of which one answers as well as another.
    pub(super) fn is_replica(&self) -> bool {
        self.kind == SiteKind::Replica
    }

    /// Whether it is on this machine, whichever of its addresses is taken.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.addresses().iter().all(|address| address.ip().is_loopback())
    }

    /// Where it listens, as far as is known now.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.addresses().first().copied()
    }

    /// Where it may listen, in the order in which they are tried.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.addresses.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// It took a connection at `address`: that is tried first from now on.
    pub(super) fn answered_at(&self, address: SocketAddr) {
        let first = |addresses: &[SocketAddr]| addresses.first() == Some(&address);
        if first(&self.addresses.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut addresses = self.addresses.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = addresses.iter().position(|other| *other == address) {
            addresses[..=at].rotate_right(1);
        }
    }

    /// It listens somewhere else from now on: a container that was started again.
    pub fn moved(&self, address: SocketAddr) {
        *self.addresses.write().unwrap_or_else(PoisonError::into_inner) = vec![address];
    }

    /// The path that asks for a key.
    pub(super) fn path(&self, key: u32) -> String {
        self.path.join(&*key.to_string())
    }
}

fn cut(path: &str) -> Vec<String> {
    path.split(KEY).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_goes_wherever_the_url_says() {
        let at: SocketAddr = "127.0.0.1:80".parse().unwrap();
        assert_eq!(Site::replica(at).path(7), "/items/7");
        for (path, asked) in [
            ("/a/{key}?b=1", "/a/7?b=1"),
            ("/", "/"),
            ("/?q={key}", "/?q=7"),
            ("/{key}/of/{key}?id={key}", "/7/of/7?id=7"),
        ] {
            assert_eq!(Site::foreign(vec![at], "h", path).unwrap().path(7), asked);
        }
        assert!(Site::foreign(vec![at], "h\n", "/").is_none());
        assert!(Site::foreign(vec![at], "h", "/ /{key}").is_none());
        assert!(Site::foreign(vec![], "h", "/{key}").is_none());
    }

    #[test]
    fn the_address_that_took_a_connection_is_tried_first_from_then_on() {
        let [one, two, three] = [1, 2, 3].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let site = Site::foreign(vec![one, two, three], "h", "/{key}").unwrap();
        site.answered_at(two);
        assert_eq!(site.addresses(), [two, one, three]);
        site.answered_at(two);
        assert_eq!(site.addresses(), [two, one, three]);
        site.answered_at(three);
        assert_eq!(site.addresses(), [three, two, one]);
        site.moved(one);
        assert_eq!(site.addresses(), [one]);
    }
}
