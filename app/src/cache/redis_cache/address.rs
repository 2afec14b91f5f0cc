//! Where a Redis is, and what is needed to reach it: its URL, a password that is not in the URL, and what TLS wants.

use std::fmt;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _};
use tls::client::TlsClient;
use tls::files::{TlsFiles, TlsFlaw};

use crate::wire::address::shown;

/// Where a Redis is, and what is needed to reach it. It has secrets, and is shown without them.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisAddress {
    /// `redis://…`, `rediss://…` with TLS, or `redis+unix:///PATH`.
    pub url: String,
    /// The password, where it is not the URL's.
    pub password: Option<String>,
    /// What an encrypted connection needs.
    pub tls: TlsFiles,
    /// Of a cluster the URLs of further nodes, as many as are known, or of further Sentinels; of a server that stands alone none.
    pub others: Vec<String>,
    /// Where the URLs are Sentinels', the name by which they know the primary.
    pub watched_as: Option<String>,
}

/// Why an address cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressFlaw {
    /// It is no URL of a Redis.
    #[error("it is no Redis URL; write redis://HOST:PORT, rediss://HOST:PORT (TLS) or redis+unix:///PATH")]
    Url,
    /// Something at its end that the lab would not heed, by its name.
    #[error("{0:?} at its end means nothing to the lab; take it out")]
    Tail(String),
    /// A cluster's node, or a Sentinel, that is not reached by TCP, or by TLS.
    #[error(
        "of several each is redis://HOST:PORT: the lab reaches no cluster's node and no Sentinel by TLS or a socket's file"
    )]
    Node,
    /// Settings of TLS, and a URL without it.
    #[error("it has no TLS; write rediss://HOST:PORT, or leave the settings of TLS out")]
    NoTls,
    /// A setting of TLS that cannot be used.
    #[error("{0}; {remedy}", remedy = .0.remedy)]
    Tls(#[from] TlsFlaw),
}

impl RedisAddress {
    /// Whether connections are encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        scheme_and_rest(&self.url).0 == "rediss"
    }

    /// Whether there is a password, in the URL or beside it.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.read().is_ok_and(|(info, _)| info.redis_settings().password().is_some())
    }

    /// Checks that connections can be made with it, as far as that is seen from here: nothing is connected.
    ///
    /// # Errors
    /// What cannot be used, and why.
    pub fn check(&self) -> Result<(), AddressFlaw> {
        if !self.others.is_empty() || self.watched_as.is_some() {
            self.read_all()?;
        }
        self.read().map(drop)
    }

    /// Whether it is a cluster's.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        !self.others.is_empty() && self.watched_as.is_none()
    }

    /// Another node of the same cluster, `host:port` as the cluster names it, with whatever is needed to be let in.
    pub(super) fn of_node(&self, node: &str) -> Self {
        let (scheme, rest) = scheme_and_rest(&self.url);
        let user = rest.rsplit_once('@').map_or_else(String::new, |(user, _)| format!("{user}@"));
        let node = match node.rsplit_once(':') {
            Some((host, port)) if host.contains(':') => format!("[{host}]:{port}"),
            _ => node.to_owned(),
        };
        Self { url: format!("{scheme}://{user}{node}"), others: Vec::new(), ..self.clone() }
    }

    /// What connections to the servers that it names are made with, without TLS.
    ///
    /// # Errors
    /// What of it cannot be used.
    pub(crate) fn nodes(&self) -> Result<Vec<ConnectionInfo>, AddressFlaw> {
        Ok(self.read_all()?.into_iter().map(|(info, _)| info).collect())
    }

    /// What connections to a cluster's nodes are made with; empty where it is no cluster.
    pub(super) fn read_nodes(&self) -> Result<Vec<(ConnectionInfo, Option<TlsClient>)>, AddressFlaw> {
        if !self.is_cluster() {
            return Ok(Vec::new());
        }
        self.read_all()
    }

    /// The same of every URL, whatever it is of.
    pub(super) fn read_all(&self) -> Result<Vec<(ConnectionInfo, Option<TlsClient>)>, AddressFlaw> {
        let read = |url: &String| {
            let node = Self { url: url.clone(), others: Vec::new(), watched_as: None, ..self.clone() };
            let (info, tls) = node.read()?;
            match (info.addr(), tls) {
                (ConnectionAddr::Tcp(..), None) => Ok((info, None)),
                _ => Err(AddressFlaw::Node),
            }
        };
        std::iter::once(&self.url).chain(&self.others).map(read).collect()
    }

    /// What a connection is made with.
    pub(super) fn read(&self) -> Result<(ConnectionInfo, Option<TlsClient>), AddressFlaw> {
        // The library has a TLS of its own, which is not built in: it sees the same URL without.
        let (scheme, rest) = scheme_and_rest(&self.url);
        check_tail(&scheme, rest)?;
        let plain = match scheme.as_str() {
            "rediss" => format!("redis://{rest}"),
            scheme => format!("{scheme}://{rest}"),
        };
        let info = plain.into_connection_info().map_err(|_| AddressFlaw::Url)?;
        if !info.addr().is_supported() {
            return Err(AddressFlaw::Url);
        }
        let info = match &self.password {
            Some(password) => {
                let settings = info.redis_settings().clone().set_password(password);
                info.set_redis_settings(settings)
            }
            None => info,
        };
        match self.is_encrypted() {
            true => Ok((info, Some(TlsClient::new(&self.tls)?))),
            false if self.tls.is_empty() => Ok((info, None)),
            false => Err(AddressFlaw::NoTls),
        }
    }
}

/// A URL's scheme, in small letters as it does not matter, and what follows `://`.
fn scheme_and_rest(url: &str) -> (String, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    (scheme.to_ascii_lowercase(), rest)
}

/// Refuses what the client library would read over: fragments, and parameters of another's.
fn check_tail(scheme: &str, rest: &str) -> Result<(), AddressFlaw> {
    const OF_SOCKETS: [&str; 4] = ["db", "user", "pass", "protocol"];
    let known = if matches!(scheme, "redis" | "rediss") { &OF_SOCKETS[3..] } else { &OF_SOCKETS[..] };
    let (rest, fragment) = rest.split_once('#').map_or((rest, None), |(rest, fragment)| (rest, Some(fragment)));
    if let Some(fragment) = fragment {
        return Err(AddressFlaw::Tail(format!("#{}", tail_shown(fragment))));
    }
    let Some((_, query)) = rest.split_once('?') else { return Ok(()) };
    // Names alone: a value may be a secret.
    let names = query.split('&').map(|part| part.split('=').next().unwrap_or_default());
    names.into_iter().find(|name| !known.contains(name)).map_or(Ok(()), |name| Err(AddressFlaw::Tail(tail_shown(name))))
}

/// Plain words of it, at most so many.
fn tail_shown(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).take(30).collect()
}

impl<T: AsRef<str>> From<T> for RedisAddress {
    fn from(url: T) -> Self {
        let (tls, others) = (TlsFiles::default(), Vec::new());
        Self { url: url.as_ref().to_owned(), password: None, tls, others, watched_as: None }
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secrets_and_refused_without_them() {
        let address = RedisAddress { password: Some("SECRET".into()), ..RedisAddress::from("rediss://me:SECRET@h:1") };
        assert_eq!(format!("{address:?}"), "rediss://…@h:1");
        for url in ["redis://h:SECRET", "SECRET", "redis://", "http://SECRET"] {
            let said = RedisAddress::from(url).check().unwrap_err().to_string();
            assert!(said.contains("redis://HOST:PORT") && !said.contains("SECRET"), "{said}");
        }
        for (url, tail) in [("rediss://h:1#insecure", "#insecure"), ("rediss://h:1?insecure=true", "insecure")] {
            assert_eq!(RedisAddress::from(url).check(), Err(AddressFlaw::Tail(tail.into())));
        }
        for url in
            ["REDIS://h:1", "redis://h:1?protocol=resp3", "redis+unix:///tmp/s?pass=x&user=y", "redis+unix:///s?db=1"]
        {
            assert_eq!(RedisAddress::from(url).check(), Ok(()), "{url}");
        }
        assert!(RedisAddress::from("REDISS://h:1").is_encrypted());
        for (seed, node, url) in [
            ("redis://h:1", "10.0.0.2:7000", "redis://10.0.0.2:7000"),
            ("redis://me:SECRET@h:1/0", "::1:7000", "redis://me:SECRET@[::1]:7000"),
        ] {
            assert_eq!(RedisAddress::from(seed).of_node(node).url, url);
        }
        let tls = TlsFiles { name: Some("cache.example".into()), ..TlsFiles::default() };
        let plain = RedisAddress { tls, ..RedisAddress::from("redis://h:1") };
        assert_eq!(plain.check(), Err(AddressFlaw::NoTls));
    }
}
