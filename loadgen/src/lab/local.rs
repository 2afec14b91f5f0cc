//! The local lab: replicas, origin and cache in this process and on loopback, each on a thread of its own with a
//! current-thread runtime, so that one does not wait for another's work.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use app::cache::cache_source::{CachePorts, CacheSource};
use app::cache::redis_cache::{RedisAddress, RedisSource};
use app::cache::redis_nodes::{PrivateCluster, PrivateNodes, PrivateSentinel};
use app::cache::redis_server::PrivateRedis;
use app::origin::{self, OriginListeners};
use app::process::guard::Guarded;
use app::process::runtime::RealClock;
use app::process::shutdown::{Shutdown, Stop};
use app::replica::{self, Replica, ReplicaListeners, ReplicaSettings};
use app::wire::auth::ControlToken;
use app::wire::control_client::ControlClient;
use app::wire::origin_client::HttpOrigin;
use evidence::CacheStatus;
use scenarios::MigrationWay;
use sim::MemoryCache;
use strategies::port::BoxFuture;
use tokio::net::TcpListener;

use super::Endpoints;
use super::shards::AskedCluster;
use crate::cli::CacheChoice;
use crate::cli::settings::Settings;
use crate::load::drive::Site;
use crate::shell::exit::Failure;

/// A local lab that is up. Dropping it takes everything down.
pub struct LocalLab {
    /// Where the origin's data listener is, for those who ask it past the replicas.
    pub origin: SocketAddr,
    stop: Option<Stop>,
    threads: Vec<JoinHandle<()>>,
    // Dropped after the threads have ended.
    _redis: PrivateServers,
    _database: Guarded,
}

/// Primaries of a private cluster; each has a replica.
const PRIMARIES: u16 = 3;
/// From how many milliseconds on a private server tells of what took it long.
const LATENCY_EVENTS_FROM_MS: u32 = 5;

/// What the lab started to be the cache. Dropping it ends it.
enum PrivateServers {
    None,
    One(#[expect(dead_code, reason = "dropped with the lab")] PrivateRedis),
    /// The lab's events act on them.
    Several(Arc<PrivateNodes>),
}

/// Which cache the replicas use.
#[derive(Clone)]
enum Cache {
    Redis(RedisAddress),
    Memory(Arc<Memory>),
}

impl LocalLab {
    /// Brings the lab up, and says where everything is and how the cache was chosen. Must be called on the runtime that
    /// will talk to its control listeners.
    ///
    /// # Errors
    /// [`Failure`] that says which part did not come up, and why.
    pub fn start(settings: &Settings) -> Result<(Self, Endpoints, String), Failure> {
        let (cache, redis, cache_note) = choose_cache(settings)?;
        let database = Guarded::new("stampede-origin-", |_| Vec::<&str>::new()).map_err(Failure::failed)?;
        let (stop, shutdown) = Shutdown::pair();
        let token = ControlToken::random().map_err(Failure::failed)?;
        let mut threads = Vec::new();
        let (origin_data, origin_control) = {
            let (token, shutdown, file) = (token.clone(), shutdown.clone(), database.folder().join("origin.sqlite"));
            on_thread("origin", &mut threads, move |tell| serve_origin(file, token, shutdown, tell))?
        };
        let (mut sites, mut replicas) = (Vec::new(), Vec::new());
        for index in 0..settings.replicas {
            let (token_there, shutdown, cache) = (token.clone(), shutdown.clone(), cache.clone());
            let (data, control) = on_thread(&format!("replica-{index}"), &mut threads, move |tell| {
                serve_replica(index, cache, format!("http://{origin_data}"), token_there, shutdown, tell)
            })?;
            sites.push(Arc::new(Site::replica(data)));
            replicas.push(ControlClient::new(&format!("http://{control}"), Some(token.clone())));
        }
        let origin = Some(ControlClient::new(&format!("http://{origin_control}"), Some(token)));
        let (server, cluster) = match &cache {
            Cache::Redis(address) if address.is_cluster() => (None, Some(AskedCluster::Itself(address.clone()))),
            Cache::Redis(address) => (Some(address.clone()), None),
            Cache::Memory(_) => (None, None),
        };
        let nodes = match &redis {
            PrivateServers::Several(nodes) => Some(Arc::clone(nodes)),
            PrivateServers::None | PrivateServers::One(_) => None,
        };
        let endpoints =
            Endpoints { lab: "local", sites, replicas, origin, server, cluster, nodes, proxy: None, stack: None };
        let lab = Self { origin: origin_data, stop: Some(stop), threads, _redis: redis, _database: database };
        Ok((lab, endpoints, cache_note))
    }
}

impl Drop for LocalLab {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.stop();
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn choose_cache(settings: &Settings) -> Result<(Cache, PrivateServers, String), Failure> {
    if let Some(given) = &settings.redis {
        return Ok((
            Cache::Redis(given.address.clone()),
            PrivateServers::None,
            format!("the Redis at {}", given.shown()),
        ));
    }
    let program = settings.server_program();
    let memory = |why: &str| Ok((Cache::Memory(Arc::default()), PrivateServers::None, why.to_owned()));
    match (settings.cache, program) {
        (CacheChoice::Memory, _) => memory("asked for"),
        (CacheChoice::Auto, None) => memory("auto: no redis-server is installed"),
        (CacheChoice::Redis | CacheChoice::Cluster | CacheChoice::Sentinel, None) => Err(Failure::failed(
            "no redis-server is installed · --cache · found none on the PATH · install redis-server, give --redis URL, \
             or use --cache memory",
        )),
        (choice @ (CacheChoice::Cluster | CacheChoice::Sentinel), Some(server)) => {
            let is_cluster = choice == CacheChoice::Cluster;
            let nodes = Arc::new(own_nodes(settings, &server, is_cluster)?);
            let what = if is_cluster { "a private cluster of" } else { "under Sentinel, a private" };
            let note = format!("{what} {}", name_of(&server));
            Ok((Cache::Redis(nodes.address()), PrivateServers::Several(nodes), note))
        }
        (choice, Some(server)) => {
            let redis = own_server(settings, &server)?;
            let note = if choice == CacheChoice::Auto { "auto" } else { "asked for" };
            let note = format!("a private {}, {note}", name_of(&server));
            Ok((Cache::Redis(redis.url().into()), PrivateServers::One(redis), note))
        }
    }
}

fn name_of(program: &Path) -> String {
    let name = program.file_name().map(|name| name.to_string_lossy());
    name.map_or_else(|| "server".into(), |name| report::text::escape::line(&name))
}

/// Starts a cluster of our own, or a server with a standby and Sentinels; each server is set up as the scenario says.
fn own_nodes(settings: &Settings, program: &Path, is_cluster: bool) -> Result<PrivateNodes, Failure> {
    let redis = &settings.scenario.cache.redis;
    let set = redis.arguments();
    let set: Vec<&str> = set.iter().map(String::as_str).collect();
    let started: Result<PrivateNodes, String> = match is_cluster {
        true => match PrivateCluster::start(program, PRIMARIES, redis.node_timeout(), &set) {
            Ok(cluster) => return check_moves(settings, &cluster).map(|()| cluster.into()),
            Err(why) => Err(why),
        },
        false => PrivateSentinel::start(program, redis.down_after(), &set).map(PrivateNodes::from),
    };
    started.map_err(|why| {
        Failure::failed(format!(
            "the private {} does not start · {} · found: {} · on a busy machine run again; another version may not know a setting \
             of [cache.redis]",
            if is_cluster { "cluster" } else { "server with its Sentinels" },
            report::text::escape::line(&program.display().to_string()),
            report::text::escape::line(&why)
        ))
    })
}

/// Refuses slots that are to move all at once where the servers cannot do that.
fn check_moves(settings: &Settings, cluster: &PrivateCluster) -> Result<(), Failure> {
    let at_once = settings.scenario.events.iter().find(|event| event.action.how == MigrationWay::Atomic);
    let (Some(event), Some(server)) = (at_once, cluster.cannot_move_at_once().map_err(Failure::failed)?) else {
        return Ok(());
    };
    Err(Failure::usage(format!(
        "slots that this server can't move all at once · [[event]] how = \"atomic\" at {:?} · found {server}, allowed Valkey from 9.0 and Redis \
         from 8.4 on · name such a server with --redis-server, or move them key by key: --set event.how=legacy",
        event.at
    )))
}

/// Starts a server of our own, set up as the scenario says; what the lab sets goes before that, and the last word counts.
fn own_server(settings: &Settings, program: &Path) -> Result<PrivateRedis, Failure> {
    let threshold = LATENCY_EVENTS_FROM_MS.to_string();
    let ours = ["--latency-monitor-threshold", &threshold].map(str::to_owned);
    let all: Vec<String> = ours.into_iter().chain(settings.scenario.cache.redis.arguments()).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    PrivateRedis::start(program, &all).map_err(|why| {
        let set: Vec<String> = settings.scenario.cache.redis.in_words().into_keys().collect();
        let set = if set.is_empty() { "nothing".to_owned() } else { set.join(", ") };
        let program = report::text::escape::line(&program.display().to_string());
        Failure::failed(format!(
            "the private server does not start · {program}, [cache.redis] sets {set} · found: {} · another version may not know a \
             setting: take it out, or name another server with --redis-server",
            report::text::escape::line(&why)
        ))
    })
}

type Addresses = (SocketAddr, SocketAddr);
type Tell = mpsc::Sender<Result<Addresses, String>>;

/// Runs a service on a thread and a runtime of its own, and waits until it has told its addresses.
fn on_thread<F>(
    name: &str,
    threads: &mut Vec<JoinHandle<()>>,
    serve: impl FnOnce(Tell) -> F + Send + 'static,
) -> Result<Addresses, Failure>
where
    F: Future<Output = Result<(), String>>,
{
    let (tell, told) = mpsc::channel();
    let run = move || {
        let failed = tell.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let ended = runtime.map_err(|e| e.to_string()).and_then(|runtime| runtime.block_on(serve(tell)));
        if let Err(why) = ended {
            let _ = failed.send(Err(why));
        }
    };
    let thread = std::thread::Builder::new().name(name.into()).spawn(run);
    threads.push(thread.map_err(|e| Failure::failed(format!("no thread for {name}: {e}")))?);
    let told = told.recv().unwrap_or_else(|_| Err("it ended before it was up".into()));
    told.map_err(|why| Failure::failed(format!("the local lab's {name} did not come up: {why}")))
}

async fn listeners(tell: &Tell) -> Result<(TcpListener, TcpListener), String> {
    let bind = async || TcpListener::bind("127.0.0.1:0").await.map_err(|e| format!("cannot listen on loopback: {e}"));
    let (data, control) = (bind().await?, bind().await?);
    let address = |l: &TcpListener| l.local_addr().map_err(|e| e.to_string());
    let _ = tell.send(Ok((address(&data)?, address(&control)?)));
    Ok((data, control))
}

async fn serve_origin(file: PathBuf, token: ControlToken, shutdown: Shutdown, tell: Tell) -> Result<(), String> {
    let service = origin::open(&file).await?;
    let (data, control) = listeners(&tell).await?;
    origin::run(service, OriginListeners { data, control: Some((control, token)) }, shutdown).await;
    Ok(())
}

async fn serve_replica(
    index: u16,
    cache: Cache,
    origin: String,
    token: ControlToken,
    shutdown: Shutdown,
    tell: Tell,
) -> Result<(), String> {
    let clock = RealClock::start();
    let cache: Arc<dyn CacheSource> = match cache {
        Cache::Redis(address) => Arc::new(RedisSource::new(address).map_err(|flaw| flaw.to_string())?),
        Cache::Memory(memory) => memory,
    };
    let origin = Arc::new(HttpOrigin::new(&origin, clock)?);
    let replica = Replica::new(ReplicaSettings { index, cache, origin, clock, described: String::new() })?;
    let (data, control) = listeners(&tell).await?;
    replica::run(replica, ReplicaListeners { data, control: Some((control, token)) }, shutdown).await;
    Ok(())
}

/// Memory caches by namespace, shared by the replicas of this process.
#[derive(Default)]
struct Memory(Mutex<BTreeMap<String, Arc<MemoryCache>>>);

impl CacheSource for Memory {
    fn open(&self, namespace: &str) -> CachePorts {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(MemoryCache::new(Arc::new(RealClock::start())));
        let memory = Arc::clone(open.entry(namespace.to_owned()).or_insert_with(fresh));
        CachePorts {
            cache: memory.clone(),
            aside: memory.clone(),
            lease: memory.clone(),
            connections: strategies::port::NoConnections::over(memory.clone()),
            wake: memory.clone(),
            invalidations: memory.clone(),
            counters: memory.clone(),
            traffic: None,
            seize: memory,
        }
    }

    fn cut_changes(&self, length: Duration) -> BoxFuture<'_, Result<(), String>> {
        // All replicas hear by the same part of the process; the first that is told cuts off all.
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for memory in open.values().map(Arc::clone) {
            tokio::spawn(async move { memory.cut_changes(length).await });
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn status(&self) -> BoxFuture<'_, Result<CacheStatus, String>> {
        let status = CacheStatus { server: "memory".into(), incarnation: String::new(), evicted: 0, places: None };
        Box::pin(std::future::ready(Ok(status)))
    }
}
