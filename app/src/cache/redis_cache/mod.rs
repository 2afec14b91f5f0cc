//! The Redis adapter: the cache and lease ports over one multiplexed, reconnecting connection per replica.
//!
//! A dead Redis costs microseconds and not seconds: each command is the next try to connect (`link.rs`). No reply fills the memory
//! (`bounded.rs`).
//! Keys are `lab:<run>:<strategy>:{<key>}:v` and `…:l`, and `…:v:<number>` of an item's further parts: the braces keep all of them in one
//! cluster slot.

mod address;
mod bounded;
mod changes;
mod cluster;
mod connections;
mod costs;
mod counters;
mod cut;
mod driver;
mod error;
mod follow;
mod hand;
mod last_words;
mod link;
mod migrate;
mod one_server;
mod preflight;
mod scripts;
mod seize;
mod sentinels;
mod shards;
mod source;
mod stream;
mod topology;
mod versions;
mod wake;
mod watch;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use evidence::{CacheStatus, CommandTimes, RedirectCounts};
use redis::Cmd;
use redis::aio::ConnectionLike;
use strategies::counter::slot_of_key;
use strategies::port::{
    Acquired, BoxFuture, Bus, Cache, CacheError, CacheErrorClass, Capabilities, Connected, Lease, Level, Lookup,
    Released, Removal, Renewed, Stored, Token, Traffic, When,
};
use strategies::time::nanos;
use strategies::{Entry, Key};
use tokio::time::Instant;

use crate::cache::cache_source::{CachePorts, CacheSource, Refused};
use crate::cache::envelope;
pub use address::{AddressFlaw, RedisAddress};
use changes::RedisChanges;
use cluster::Nodes;
use connections::RedisConnections;
pub use costs::{ServerCosts, server_costs};
pub(crate) use error::sentence;
use error::{classify, is_wrong_type};
pub use hand::{ServerHand, WriteProbe};
pub(crate) use link::RedisLink;
pub(crate) use migrate::moving_at_once;
pub use migrate::{ClusterHand, SlotMove, SlotsMoved, SlotsToMove};
use scripts::{Script, Scripts};
pub use shards::{ClusterWatch, ShardSample};
pub use source::RedisSource;
use source::channel;
pub(crate) use topology::{KnownNode, read_all_nodes};
use versions::knows_increx;
use wake::RedisWake;
pub use watch::{ServerSample, ServerWatch};

/// How long the status may take, further attempts included.
const STATUS_BUDGET: Duration = Duration::from_secs(1);
/// How long there is between two attempts at it.
const STATUS_PAUSE: Duration = Duration::from_millis(20);
/// Redis forgets an entry this long after its hard life; the envelope's stamps decide before that.
const GRACE_MS: u64 = 1000;

/// What a Redis can do that calls itself so, with its version: `redis 7.0.15`.
#[must_use]
pub fn capabilities(server: &str) -> Capabilities {
    let cluster = server.contains("a cluster of");
    Capabilities { increx: knows_increx(server), one_place: !cluster, replicas: cluster, ..Capabilities::ONE_SERVER }
}

impl RedisSource {
    fn connections(&self, of: &Arc<RedisCache<RedisLink>>) -> RedisConnections {
        let of = Arc::clone(of);
        let over = Box::new(move |link| {
            let cache = Arc::new(of.on(link));
            Connected { cache: Arc::clone(&cache) as _, lease: cache }
        });
        RedisConnections { link: self.connection.clone(), over }
    }

    fn cache(&self, namespace: &str) -> RedisCache<RedisLink> {
        let over = RedisCache::over(self.connection.clone(), Arc::clone(&self.scripts), namespace);
        RedisCache { by_slot: self.connection.nodes().is_some(), ..over }
    }

    fn changes(&self, of: &RedisCache<RedisLink>) -> RedisChanges {
        let shared = Arc::new(of.on(self.connection.clone()));
        let over = Arc::clone(&shared);
        let over = Box::new(move |connection| -> Arc<dyn Cache> { Arc::new(over.on(connection)) });
        RedisChanges::new(self.connection.clone(), (shared, over), of.prefix.clone(), Arc::clone(&self.cut))
    }
}

impl CacheSource for RedisSource {
    fn open(&self, namespace: &str) -> CachePorts {
        self.hold(None);
        self.connection.nodes().into_iter().for_each(Nodes::begin_anew);
        let redis = Arc::new(self.cache(namespace));
        let wake = Arc::new(RedisWake::new(self.connection.clone(), channel(namespace)));
        let invalidations = Arc::new(self.changes(&redis));
        CachePorts {
            cache: redis.clone(),
            aside: Arc::new(self.cache(namespace)),
            lease: redis.clone(),
            connections: Arc::new(self.connections(&redis)),
            wake,
            invalidations,
            counters: redis.clone(),
            traffic: Some(Arc::clone(&redis.traffic)),
            seize: redis,
        }
    }

    fn cut_changes(&self, length: Duration) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move { self.cut.cut(&self.connection, length).await.map_err(|error| sentence(&error)) })
    }

    fn can(&self) -> Capabilities {
        let cluster = self.connection.nodes().is_some();
        Capabilities { one_place: !cluster, replicas: cluster, ..Capabilities::ONE_SERVER }
    }

    fn can_of(&self, server: &str) -> Capabilities {
        let Capabilities { one_place, replicas, .. } = self.can();
        Capabilities { one_place, replicas, ..capabilities(server) }
    }

    fn redirects(&self) -> Option<RedirectCounts> {
        self.connection.nodes().map(|nodes| nodes.redirects.counts())
    }

    fn command_times(&self) -> CommandTimes {
        self.connection.nodes().map(|nodes| nodes.redirects.times()).unwrap_or_default()
    }

    fn status(&self) -> BoxFuture<'_, Result<CacheStatus, String>> {
        Box::pin(async move {
            let deadline = Instant::now() + STATUS_BUDGET;
            loop {
                let error = match self.info().await {
                    Ok(status) => return Ok(status),
                    Err(error) => error,
                };
                // Nobody's request waits for this one: a busy machine gets more time for it than an operation's.
                let may_pass = matches!(error.class, CacheErrorClass::Slow | CacheErrorClass::Down);
                if !may_pass || Instant::now() >= deadline {
                    return Err(error.message);
                }
                tokio::time::sleep(STATUS_PAUSE).await;
            }
        })
    }

    fn preflight<'a>(&'a self, namespace: &'a str, buses: Vec<Bus>) -> BoxFuture<'a, Result<CacheStatus, Refused>> {
        Box::pin(preflight::preflight(self, namespace, buses))
    }
}

/// What a namespace needs of a connection: one server's, or a cluster's. Each command names its keys, and a key's entry and lease
/// are in one slot.
pub trait RedisConnection: ConnectionLike + Clone + Send + Sync + 'static {}

impl<T: ConnectionLike + Clone + Send + Sync + 'static> RedisConnection for T {}

/// One namespace in Redis.
pub struct RedisCache<C> {
    connection: C,
    scripts: Arc<Scripts>,
    prefix: String,
    traffic: Arc<Traffic>,
    /// Whether keys of several slots are several commands: a cluster's.
    by_slot: bool,
}

impl<C: RedisConnection> RedisCache<C> {
    /// The namespace `<run>:<strategy>` over any connection.
    #[must_use]
    pub fn new(connection: C, namespace: &str) -> Self {
        Self::over(connection, Arc::new(Scripts::new()), namespace)
    }

    fn over(connection: C, scripts: Arc<Scripts>, namespace: &str) -> Self {
        Self { connection, scripts, prefix: format!("lab:{namespace}:"), traffic: Arc::default(), by_slot: false }
    }

    /// The same namespace over another connection.
    fn on<D: RedisConnection>(&self, connection: D) -> RedisCache<D> {
        RedisCache {
            connection,
            scripts: Arc::clone(&self.scripts),
            prefix: self.prefix.clone(),
            traffic: Arc::clone(&self.traffic),
            by_slot: self.by_slot,
        }
    }

    fn value_key(&self, key: &Key) -> String {
        match key.whole() {
            (whole, None) => [&self.prefix, "{", whole, "}:v"].concat(),
            (whole, Some(part)) => [&self.prefix, "{", whole, "}:v:", part].concat(),
        }
    }

    /// The one lease of an item, whichever of its parts that is.
    fn lease_key(&self, key: &Key) -> String {
        [&self.prefix, "{", key.whole().0, "}:l"].concat()
    }

    /// What bytes that came are.
    fn found(&self, bytes: Option<Vec<u8>>) -> Lookup {
        let Some(bytes) = bytes else { return Lookup::Absent };
        self.traffic.came(bytes.len() as u64);
        envelope::decode(&bytes).map_or(Lookup::Corrupt, |entry| Lookup::Found(entry, Level::Shared))
    }

    /// Runs one of the yes-or-no scripts.
    async fn ask(&self, script: &Script, keys: &[String], args: &[Vec<u8>]) -> Result<bool, CacheError> {
        script.ask(&mut self.connection.clone(), keys, args).await.map_err(classify)
    }

    /// Runs a script on a key's lease, with a life where it sets one.
    async fn ask_lease(
        &self,
        script: &Script,
        key: &Key,
        token: Token,
        life: Option<Duration>,
    ) -> Result<bool, CacheError> {
        let args = [Some(token.to_string()), life.map(|life| millis(life).to_string())];
        let args: Vec<Vec<u8>> = args.into_iter().flatten().map(String::into_bytes).collect();
        self.ask(script, &[self.lease_key(key)], &args).await
    }
}

/// A life in the whole milliseconds that Redis counts in; at least one.
fn millis(life: Duration) -> u64 {
    (nanos(life) / 1_000_000).max(1)
}

impl<C: RedisConnection> Cache for RedisCache<C> {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        Box::pin(async move {
            let key = self.value_key(key);
            // On every request's path: with room for just that.
            let mut command = Cmd::with_capacity(2, "GET".len() + key.len());
            command.arg("GET").arg(key);
            self.traffic.sent(0);
            match command.query_async(&mut self.connection.clone()).await {
                Ok(bytes) => Ok(self.found(bytes)),
                Err(error) if is_wrong_type(&error) => Ok(Lookup::Corrupt),
                Err(error) => Err(classify(error)),
            }
        })
    }

    /// A key of a foreign type is one that is not there: `MGET` says no more of it.
    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Lookup>, CacheError>> {
        Box::pin(async move {
            let keys: Vec<String> = keys.iter().map(|key| self.value_key(key)).collect();
            let slots = || keys.iter().map(|key| slot_of_key(key.as_bytes())).collect::<BTreeSet<u16>>().len() as u64;
            self.traffic.asked(if self.by_slot { slots() } else { 1 });
            let command = redis::cmd("MGET").arg(&keys).to_owned();
            let found: Vec<Option<Vec<u8>>> =
                command.query_async(&mut self.connection.clone()).await.map_err(classify)?;
            Ok(found.into_iter().map(|bytes| self.found(bytes)).collect())
        })
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        Box::pin(async move {
            let bytes = envelope::encode(entry);
            self.traffic.sent(bytes.len() as u64);
            let life_ms = millis(entry.life.hard).saturating_add(GRACE_MS);
            let stored = match when {
                When::Always => {
                    let command =
                        redis::cmd("SET").arg(self.value_key(key)).arg(bytes).arg("PX").arg(life_ms).to_owned();
                    let () = command.query_async(&mut self.connection.clone()).await.map_err(classify)?;
                    true
                }
                When::NotOlder | When::Fenced(_) => {
                    // No token, no question: see the script.
                    let token = match when {
                        When::Fenced(token) => token.to_string(),
                        When::Always | When::NotOlder => String::new(),
                    };
                    let version = entry.version.to_be_bytes().to_vec();
                    let args = [token.into_bytes(), version, bytes, life_ms.to_string().into_bytes()];
                    self.ask(&self.scripts.fenced_put, &[self.value_key(key), self.lease_key(key)], &args).await?
                }
            };
            Ok(if stored { Stored::Stored } else { Stored::Fenced })
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, what: Removal) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(async move {
            self.traffic.sent(0);
            let mut command = redis::cmd("DEL").arg(self.value_key(key)).to_owned();
            // One command, so that there is no moment between the two; their keys lie in one slot.
            if what == Removal::EntryAndLease {
                command.arg(self.lease_key(key));
            }
            command.query_async(&mut self.connection.clone()).await.map_err(classify)
        })
    }
}

impl<C: RedisConnection> Lease for RedisCache<C> {
    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        token: Token,
        life: Duration,
    ) -> BoxFuture<'a, Result<Acquired, CacheError>> {
        Box::pin(async move {
            let won = self.ask_lease(&self.scripts.acquire, key, token, Some(life)).await?;
            Ok(if won { Acquired::Won } else { Acquired::Held })
        })
    }

    fn renew<'a>(&'a self, key: &'a Key, token: Token, life: Duration) -> BoxFuture<'a, Result<Renewed, CacheError>> {
        Box::pin(async move {
            let renewed = self.ask_lease(&self.scripts.renew, key, token, Some(life)).await?;
            Ok(if renewed { Renewed::Renewed } else { Renewed::NotOwner })
        })
    }

    fn release<'a>(&'a self, key: &'a Key, token: Token) -> BoxFuture<'a, Result<Released, CacheError>> {
        Box::pin(async move {
            let released = self.ask_lease(&self.scripts.release, key, token, None).await?;
            Ok(if released { Released::Released } else { Released::NotOwner })
        })
    }
}
