//! A Redis server, and what it says about itself.

use std::sync::{Arc, Mutex, PoisonError};

use evidence::CacheStatus;
use redis::aio::PubSub;
use strategies::port::{CacheError, ConnectionLimits};

use super::cut::Cut;
use super::error::classify;
use super::link::RedisLink;
use super::scripts::Scripts;

/// A Redis server as a source of cache namespaces.
pub struct RedisSource {
    pub(super) connection: RedisLink,
    pub(super) scripts: Arc<Scripts>,
    pub(super) cut: Arc<Cut>,
    /// The preflight's subscription, until a strategy has its own: so all replicas' connections are there at once.
    held: Mutex<Option<PubSub>>,
}

/// Checks that a URL is one that this build can use, without connecting.
///
/// # Errors
/// A sentence where it is not.
pub fn check_url(url: &str) -> Result<(), String> {
    RedisLink::new(url, ConnectionLimits::USUAL).map(|_| ()).map_err(wrong_url)
}

fn wrong_url(why: &str) -> String {
    format!("{why}; write redis://HOST:PORT or redis+unix:///PATH")
}

impl RedisSource {
    /// Prepares a connection to `url` (`redis://…`, `redis+unix:///path`); it is made at the first command. Must be
    /// used on one runtime.
    ///
    /// # Errors
    /// A sentence where the URL is none.
    pub fn new(url: &str) -> Result<Self, String> {
        let connection = RedisLink::new(url, ConnectionLimits::USUAL).map_err(wrong_url)?;
        Ok(Self { connection, scripts: Arc::new(Scripts::new()), cut: Arc::default(), held: Mutex::default() })
    }

    pub(super) fn hold(&self, subscription: Option<PubSub>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = subscription;
    }

    /// Asks the server about itself, once.
    pub(super) async fn info(&self) -> Result<CacheStatus, CacheError> {
        let info: String = redis::cmd("INFO").query_async(&mut self.connection.clone()).await.map_err(classify)?;
        let field = |name: &str| info.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
        Ok(CacheStatus {
            server: match field("valkey_version") {
                Some(version) => format!("valkey {version}"),
                None => format!("redis {}", field("redis_version").unwrap_or("of unknown version")),
            },
            incarnation: field("run_id").unwrap_or_default().to_owned(),
            evicted: field("evicted_keys").and_then(|n| n.parse().ok()).unwrap_or(0),
        })
    }
}

pub(super) fn channel(namespace: &str) -> String {
    format!("lab:{namespace}:wake")
}
