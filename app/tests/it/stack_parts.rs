//! The parts that only a stack of containers has: Redis' users, and the proxy before it, on a real Redis.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use app::cache::cache_proxy::{CacheProxy, ProxyListeners, run};
use app::cache::cache_source::{CachePorts, CacheSource};
use app::cache::redis_cache::{RedisAddress, RedisSource, ServerSample};
use app::process::config::redis_url;
use app::process::runtime::RealClock;
use app::process::secrets;
use app::process::shutdown::{Shutdown, Stop};
use app::testing;
use app::wire::auth::ControlToken;
use app::wire::control::{CacheDelay, ConfigureServer, Flushed, Holder, LockOf, Namespace};
use app::wire::control_client::ControlClient;

use crate::common::{eventually, listener};
use strategies::conformance::CacheSubject;
use strategies::counter::conformance::CounterSubject;
use strategies::port::{Acquired, CacheErrorClass, Clock, Lookup, Token, When};
use strategies::{Entry, Key, Life};

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A Redis on TCP with the stack's own users, and the folder of their secrets.
fn guarded_redis() -> Option<(app::cache::redis_server::PrivateRedis, u16, tempfile::TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    secrets::make(folder.path()).unwrap();
    let (users, port) = (folder.path().join(secrets::CACHE_USERS), free_port());
    let port_text = port.to_string();
    let redis = testing::redis(&["--aclfile", users.to_str().unwrap(), "--port", &port_text, "--bind", "127.0.0.1"])?;
    Some((redis, port, folder))
}

fn url(folder: &tempfile::TempDir, user: &str, password: &str, port: u16) -> String {
    let file = folder.path().join(password);
    redis_url(&format!("redis://{user}@127.0.0.1:{port}"), Some(&file)).unwrap()
}

pub(crate) struct Proxy {
    pub(crate) port: u16,
    pub(crate) control: ControlClient,
    _stop: Stop,
}

pub(crate) async fn proxy(redis: impl Into<RedisAddress>) -> Proxy {
    let ((data, data_url), (control, control_url)) = (listener().await, listener().await);
    let token = ControlToken::random().unwrap();
    let (stop, shutdown) = Shutdown::pair();
    let listeners = ProxyListeners { data, control: (control, token.clone()) };
    tokio::spawn(run(CacheProxy::new(redis).unwrap(), listeners, shutdown));
    let port = data_url.rsplit(':').next().unwrap().parse().unwrap();
    Proxy { port, control: ControlClient::new(&control_url, Some(token)), _stop: stop }
}

fn entry() -> Entry {
    let now = RealClock::start().wall();
    let (life, delta) = (Life::new(Duration::from_secs(60), Duration::from_secs(60)), Duration::from_millis(200));
    Entry { value: Some("a value".into()), version: 1, read_at: now, stored_at: now, life, delta }
}

#[tokio::test]
async fn a_replica_s_user_can_do_what_replicas_do_and_nothing_else() {
    let Some((_redis, port, folder)) = guarded_redis() else { return };
    let url = url(&folder, secrets::REPLICA_USER, secrets::REPLICA_PASSWORD, port);
    let CachePorts { cache, lease, wake, invalidations, seize, .. } =
        RedisSource::new(&url).unwrap().open("run:strategy");
    let clock = Arc::new(RealClock::start());
    CacheSubject { cache, lease, wake, invalidations, seize, clock, prefix: "contract".into() }.check_all().await;
    let counters = RedisSource::new(&url).unwrap().open("run:counters").counters;
    let clock = Arc::new(RealClock::start());
    CounterSubject { counters, clock, prefix: "contract".into(), increx: false }.check_all().await;
    let status = RedisSource::new(&url).unwrap().status().await.unwrap();
    assert!(status.server.starts_with("redis ") && !status.incarnation.is_empty());
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for (command, args) in [
        ("FLUSHALL", &[][..]),
        ("CONFIG", &["GET", "*"][..]),
        ("KEYS", &["*"]),
        ("GET", &["other:key"]),
        ("SET", &["other:key", "x"]),
        ("PUBLISH", &["other", "x"]),
        ("SHUTDOWN", &[]),
    ] {
        let refused = redis::cmd(command).arg(args).query_async::<redis::Value>(&mut connection).await;
        assert_eq!(refused.unwrap_err().code(), Some("NOPERM"), "{command}");
    }
    let nobody = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
    let mut nobody = nobody.get_multiplexed_async_connection().await.unwrap();
    let refused = redis::cmd("PING").query_async::<redis::Value>(&mut nobody).await;
    assert_eq!(refused.unwrap_err().code(), Some("NOAUTH"));
}

#[tokio::test]
async fn the_proxy_passes_on_delays_flushes_its_namespace_only_and_knows_the_holder() {
    let Some((_redis, port, folder)) = guarded_redis() else { return };
    let proxy = proxy(url(&folder, secrets::INJECTOR_USER, secrets::INJECTOR_PASSWORD, port)).await;
    let through = url(&folder, secrets::REPLICA_USER, secrets::REPLICA_PASSWORD, proxy.port);
    let source = RedisSource::new(&through).unwrap();
    let (one, other) = (source.open("run:one"), source.open("run:other"));
    let (key, life) = (Key::of_item(1), Duration::from_secs(60));
    let put = async || one.cache.put(&key, &entry(), When::Always).await.is_ok();
    eventually("the proxy has found Redis", put).await;
    other.cache.put(&key, &entry(), When::Always).await.unwrap();
    assert!(matches!(one.cache.get(&key).await, Ok(Lookup::Found(..))));

    assert_eq!(one.lease.acquire(&key, Token(7), life).await, Ok(Acquired::Won));
    let of = |item| LockOf { namespace: "run:one".into(), item };
    let holder: Holder = proxy.control.post("/holder", &of(1)).await.unwrap();
    assert_eq!(holder.token, Some(Token(7).to_string()));
    let nobody: Holder = proxy.control.post("/holder", &of(2)).await.unwrap();
    assert_eq!(nobody.token, None);

    let delay = CacheDelay { added_ns: 50_000_000, share: 1.0, for_ns: 3_600_000_000_000 };
    proxy.control.post::<()>("/delay", &delay).await.unwrap();
    let asked = Instant::now();
    one.cache.get(&key).await.unwrap();
    assert!(asked.elapsed() >= Duration::from_millis(50), "{:?}", asked.elapsed());
    proxy.control.post::<()>("/delay", &CacheDelay { added_ns: 0, share: 1.0, for_ns: 0 }).await.unwrap();

    let namespace = |name: &str| Namespace { namespace: name.into() };
    let flushed: Flushed = proxy.control.post("/flush", &namespace("run:one")).await.unwrap();
    assert_eq!(flushed.removed, 2, "the entry and the lock");
    assert!(matches!(one.cache.get(&key).await, Ok(Lookup::Absent)));
    assert!(matches!(other.cache.get(&key).await, Ok(Lookup::Found(..))), "somebody else's keys stay");
    assert!(proxy.control.post::<Flushed>("/flush", &namespace("*")).await.is_err());
}

#[tokio::test]
async fn behind_the_proxy_a_redis_that_is_gone_looks_gone_and_one_that_is_back_is_found() {
    let Some((redis, port, folder)) = guarded_redis() else { return };
    let proxy = proxy(url(&folder, secrets::INJECTOR_USER, secrets::INJECTOR_PASSWORD, port)).await;
    let through = url(&folder, secrets::REPLICA_USER, secrets::REPLICA_PASSWORD, proxy.port);
    let cache = RedisSource::new(&through).unwrap().open("run:one").cache;
    let key = Key::of_item(1);
    eventually("the proxy has found Redis", async || cache.get(&key).await.is_ok()).await;
    drop(redis);
    eventually("operations fail", async || cache.get(&key).await.is_err()).await;
    eventually("they fail as those of a server that is gone", async || {
        cache.get(&key).await.is_err_and(|e| e.class == CacheErrorClass::Down)
    })
    .await;
    let users = folder.path().join(secrets::CACHE_USERS);
    let port = port.to_string();
    let again = testing::redis(&["--aclfile", users.to_str().unwrap(), "--port", &port, "--bind", "127.0.0.1"]);
    eventually("Redis is found again", async || cache.get(&key).await.is_ok()).await;
    drop(again);
}

#[test]
fn the_tools_say_what_is_wrong() {
    let run = |args: &[&str]| {
        let lab = Command::new(env!("CARGO_BIN_EXE_lab")).args(args).stdin(Stdio::null()).output().unwrap();
        (lab.status.success(), String::from_utf8_lossy(&lab.stderr).into_owned())
    };
    for (args, words) in [
        (&["health", "127.0.0.1:1"][..], "127.0.0.1:1 does not answer"),
        (&["secrets", "/dev/null/x"], "the secret /dev/null/x"),
        (&["cache-proxy", "--redis", "redis://nowhere"], "redis://nowhere is not of the form redis://USER"),
        (&["cache-proxy", "--redis-password-file", "/nowhere/x"], "/nowhere/x"),
        (&["cache-proxy", "--listen", "127.0.0.1:0"], "--control and --token-file"),
    ] {
        let (well, said) = run(args);
        assert!(!well && said.contains(words) && !said.contains("panicked"), "{args:?}: {said}");
    }
}

#[tokio::test]
async fn the_proxy_asks_the_server_about_itself_and_sets_it_up_for_a_time() {
    let Some((_redis, port, folder)) = guarded_redis() else { return };
    let url = url(&folder, secrets::INJECTOR_USER, secrets::INJECTOR_PASSWORD, port);
    let client = redis::Client::open(url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let proxy = proxy(url).await;
    let sample: ServerSample = proxy.control.get("/server").await.unwrap();
    assert!(sample.used_bytes.is_some() && sample.slow == Some((0, 0)) && sample.events == Some(Vec::new()));
    let configure = async |settings: &[(&str, &str)], length: Duration| {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let set = ConfigureServer { settings, for_ns: length.as_nanos() as u64 };
        proxy.control.post::<()>("/configure", &set).await.map_err(|error| error.to_string())
    };
    let is = async |name: &str| {
        let ask = redis::cmd("CONFIG").arg("GET").arg(name).to_owned();
        let (_, value): (String, String) = ask.query_async(&mut client.clone()).await.unwrap();
        value
    };
    let long = Duration::from_secs(600);
    let (memory, policy) = (is("maxmemory").await, is("maxmemory-policy").await);
    configure(&[("maxmemory", "8388608"), ("maxmemory-policy", "allkeys-lfu")], long).await.unwrap();
    assert_eq!((is("maxmemory").await, is("maxmemory-policy").await), ("8388608".into(), "allkeys-lfu".into()));
    // Others take the place of those; what is not named is as it was.
    configure(&[("maxmemory", "9437184")], long).await.unwrap();
    assert_eq!((is("maxmemory").await, is("maxmemory-policy").await), ("9437184".into(), policy.clone()));
    // One that the server does not take: none is left.
    let refused = configure(&[("maxmemory", "10485760"), ("maxmemory-policy", "nonsense")], long).await.unwrap_err();
    assert!(refused.contains("maxmemory-policy: "), "{refused}");
    assert_eq!((is("maxmemory").await, is("maxmemory-policy").await), (memory.clone(), policy.clone()));
    for (name, value) in [("dir", "/tmp"), ("requirepass", "x"), ("save", &"1 1 ".repeat(60))] {
        let refused = configure(&[(name, value)], long).await.unwrap_err();
        assert!(refused.contains("is no setting that the lab makes"), "{refused}");
    }
    // The same again, and the server has lost it meanwhile, as one that was started anew; what it was before is still known.
    configure(&[("maxmemory", "8388608")], long).await.unwrap();
    let lose = redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg("1048576").to_owned();
    lose.query_async::<()>(&mut client.clone()).await.unwrap();
    configure(&[("maxmemory", "8388608")], long).await.unwrap();
    assert_eq!(is("maxmemory").await, "8388608");
    configure(&[], long).await.unwrap();
    assert_eq!(is("maxmemory").await, memory);
    configure(&[("maxmemory", "8388608")], Duration::from_millis(1)).await.unwrap();
    eventually("the time is over", async || is("maxmemory").await == memory).await;
}
