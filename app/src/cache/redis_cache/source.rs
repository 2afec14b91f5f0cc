//! A Redis server, and what it says about itself.

use std::sync::{Arc, Mutex, PoisonError};

use evidence::CacheStatus;
use redis::aio::PubSub;
use redis::from_redis_value;
use strategies::port::{CacheError, ConnectionLimits};

use super::address::{AddressFlaw, RedisAddress};
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

impl RedisSource {
    /// Prepares a connection to an address; it is made at the first command. Must be used on one runtime.
    ///
    /// # Errors
    /// What of the address cannot be used.
    pub fn new(to: impl Into<RedisAddress>) -> Result<Self, AddressFlaw> {
        let connection = RedisLink::new(&to.into(), ConnectionLimits::USUAL)?;
        Ok(Self { connection, scripts: Arc::new(Scripts::new()), cut: Arc::default(), held: Mutex::default() })
    }

    pub(super) fn hold(&self, subscription: Option<PubSub>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = subscription;
    }

    /// Asks the server about itself, once; of a cluster each primary.
    pub(super) async fn info(&self) -> Result<CacheStatus, CacheError> {
        let command = redis::cmd("INFO");
        let Some(nodes) = self.connection.nodes() else {
            let info: String = command.query_async(&mut self.connection.clone()).await.map_err(classify)?;
            let status = status(&info);
            let watched = if self.connection.is_watched() { ", watched by Sentinels" } else { "" };
            return Ok(CacheStatus { server: status.server + watched, ..status });
        };
        let answers = nodes.each_primary(command).await.map_err(classify)?;
        let infos: Vec<String> =
            answers.into_iter().map(from_redis_value).collect::<Result<_, _>>().map_err(|e| classify(e.into()))?;
        let all: Vec<CacheStatus> = infos.iter().map(|info| status(info)).collect();
        let mut lives: Vec<&str> = all.iter().map(|one| one.incarnation.as_str()).collect();
        lives.sort_unstable();
        let first = all.first().map_or_else(String::new, |one| one.server.clone());
        Ok(CacheStatus {
            server: format!("{first}, a cluster of {} primaries", all.len()),
            incarnation: lives.join(" "),
            evicted: all.iter().map(|one| one.evicted).sum(),
            places: all.iter().filter_map(|one| one.places).min(),
        })
    }
}

/// What INFO says.
fn status(info: &str) -> CacheStatus {
    let field = |name: &str| info.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let number = |name: &str| field(name).and_then(|n| n.parse::<u64>().ok());
    let clients = number("maxclients").zip(number("connected_clients"));
    CacheStatus {
        server: match field("valkey_version") {
            Some(version) => format!("valkey {version}"),
            None => format!("redis {}", field("redis_version").unwrap_or("of unknown version")),
        },
        incarnation: field("run_id").unwrap_or_default().to_owned(),
        evicted: number("evicted_keys").unwrap_or(0),
        places: clients.map(|(most, connected)| most.saturating_sub(connected)),
    }
}

pub(super) fn channel(namespace: &str) -> String {
    format!("lab:{namespace}:wake")
}
