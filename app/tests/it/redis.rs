//! The Redis adapter against a real Redis: the contract of every cache, and what goes wrong in real life.

use std::sync::Arc;
use std::time::Duration;

use app::cache::cache_source::{CachePorts, CacheSource};
use app::cache::redis_cache::{RedisCache, RedisConnection, RedisSource};
use app::cache::redis_server::PrivateRedis;
use app::process::runtime::RealClock;
use app::testing;
use bytes::Bytes;
use futures_util::StreamExt as _;
use strategies::conformance::CacheSubject;
use strategies::pool_conformance::ConnectionsSubject;
use strategies::port::{
    Acquired, CacheErrorClass, Clock, ConnectionLimits, Heard, Lookup, Messages, ReadFrom, Released, Stored, Token,
    When,
};
use strategies::{Entry, Key, Life};

use crate::common::eventually;

const MINUTE: Duration = Duration::from_secs(60);

async fn raw(redis: &PrivateRedis) -> redis::aio::MultiplexedConnection {
    redis::Client::open(redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
}

async fn command(redis: &PrivateRedis, words: &[&str]) -> redis::RedisResult<redis::Value> {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query_async(&mut raw(redis).await).await
}

fn open(redis: &PrivateRedis) -> CachePorts {
    RedisSource::new(redis.url()).unwrap().open("run:strategy")
}

fn entry(clock: &RealClock) -> Entry {
    Entry {
        value: Some(Bytes::from_static(b"value")),
        version: 1,
        read_at: clock.wall(),
        stored_at: clock.wall(),
        life: Life::new(MINUTE, MINUTE),
        delta: Duration::from_millis(200),
    }
}

#[tokio::test]
async fn redis_keeps_the_contract() {
    let Some(redis) = testing::redis(&[]) else { return };
    let CachePorts { cache, lease, wake, invalidations, seize, .. } = open(&redis);
    let clock = Arc::new(RealClock::start());
    CacheSubject { cache, lease, wake, invalidations, seize, clock, prefix: "contract".into() }.check_all().await;
}

#[tokio::test]
async fn connections_of_a_pool_are_real_ones_and_keep_the_contract() {
    let Some(redis) = testing::redis(&[]) else { return };
    let clock = Arc::new(RealClock::start());
    let connections = open(&redis).connections;
    let subject = ConnectionsSubject { connections: Arc::clone(&connections), clock, prefix: "contract".into() };
    subject.check_all().await;
    drop(subject);
    let mut asking = raw(&redis).await;
    let mut made = async || {
        let info: String = redis::cmd("INFO").arg("stats").query_async(&mut asking).await.unwrap();
        let field = info.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
        field.unwrap().trim().parse::<u32>().unwrap()
    };
    let before = made().await;
    let pool = connections.pool(5, ConnectionLimits::USUAL, ReadFrom::Primary);
    let mut taken = Vec::new();
    for _ in 0..5 {
        taken.push(pool.take().await);
    }
    assert_eq!(made().await, before, "each connects when it is first used");
    for one in &taken {
        assert_eq!(one.connected.cache.get(&Key::of_item(1)).await, Ok(Lookup::Absent));
    }
    assert_eq!(made().await, before + 5);
}

#[tokio::test]
async fn a_reply_is_waited_for_as_long_as_the_limits_say() {
    let Some(redis) = testing::redis(&[]) else { return };
    let limits = ConnectionLimits { reply: Duration::from_secs(5), ..ConnectionLimits::USUAL };
    let ports = open(&redis);
    let (usual, patient) = (ports.cache, ports.connections.shared(limits, ReadFrom::Primary).cache);
    for cache in [&usual, &patient] {
        assert_eq!(cache.get(&Key::of_item(1)).await, Ok(Lookup::Absent), "it is connected");
    }
    command(&redis, &["CLIENT", "PAUSE", "400", "ALL"]).await.unwrap();
    let key = Key::of_item(1);
    let (late, found) = tokio::join!(usual.get(&key), patient.get(&key));
    assert_eq!(late.unwrap_err().class, CacheErrorClass::Slow);
    assert_eq!(found, Ok(Lookup::Absent));
}

/// A cache and its leases over a connection of the crate's own, beside the messages of ours.
fn over<C: RedisConnection>(connection: C, redis: &PrivateRedis) -> CacheSubject {
    let cache = Arc::new(RedisCache::new(connection, "run:strategy"));
    let (lease, seize) = (cache.clone(), cache.clone());
    let clock = Arc::new(RealClock::start());
    let CachePorts { wake, invalidations, .. } = open(redis);
    CacheSubject { cache, lease, wake, invalidations, seize, clock, prefix: "contract".into() }
}

#[tokio::test]
async fn the_adapter_keeps_the_contract_over_any_connection_to_a_server() {
    let Some(redis) = testing::redis(&[]) else { return };
    over(raw(&redis).await, &redis).check_all().await;
}

/// A cluster of one node that has every slot: it refuses a command or a script whose keys are of two.
#[tokio::test]
async fn the_adapter_keeps_the_contract_over_a_connection_to_a_cluster() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let bus = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let clustered = ["--cluster-enabled", "yes", "--port", &port, "--cluster-port", &bus, "--bind", "127.0.0.1"];
    let Some(redis) = testing::redis(&clustered) else { return };
    command(&redis, &["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).await.unwrap();
    let client = redis::cluster::ClusterClient::new([format!("redis://127.0.0.1:{port}")]).unwrap();
    let connection = client.get_async_connection().await.unwrap();
    eventually("the cluster is up", async || {
        let info: redis::RedisResult<String> =
            redis::cmd("CLUSTER").arg("INFO").query_async(&mut raw(&redis).await).await;
        info.is_ok_and(|info| info.contains("cluster_state:ok"))
    })
    .await;
    over(connection, &redis).check_all().await;
}

/// What is said while the connection is down nobody hears: the loss must be told once it stands again, and not only when it broke.
#[tokio::test]
async fn a_subscriber_whose_connection_broke_is_told_of_the_loss_after_it_stands_again() {
    let Some(redis) = testing::redis(&[]) else { return };
    let (wake, key) = (open(&redis).wake, Key::of_item(1));
    let mut messages = wake.subscribe().await.unwrap();
    command(&redis, &["CLIENT", "KILL", "TYPE", "pubsub"]).await.unwrap();
    assert_eq!(messages.next().await, Some(Heard::Lost));
    assert!(wake.announce(&key).await, "into the gap, or just after it");
    let gone = async |messages: &mut Messages| tokio::time::timeout(MINUTE, messages.next()).await.unwrap();
    while gone(&mut messages).await != Some(Heard::Lost) {}
    assert!(wake.announce(&key).await);
    assert_eq!(gone(&mut messages).await, Some(Heard::About(key)));
}

#[tokio::test]
async fn keys_are_where_the_design_says_and_live_a_second_beyond_their_hard_life() {
    let Some(redis) = testing::redis(&[]) else { return };
    let (ports, clock, key) = (open(&redis), RealClock::start(), Key::of_item(7));
    ports.cache.put(&key, &entry(&clock), When::Always).await.unwrap();
    ports.lease.acquire(&key, Token(1), MINUTE).await.unwrap();
    let mut keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut raw(&redis).await).await.unwrap();
    keys.sort();
    assert_eq!(keys, ["lab:run:strategy:{7}:l", "lab:run:strategy:{7}:v"]);
    let pttl: i64 = redis::cmd("PTTL").arg(&keys[1]).query_async(&mut raw(&redis).await).await.unwrap();
    assert!((120_000..=121_000).contains(&pttl), "{pttl}");
}

#[tokio::test]
async fn a_wrong_type_a_cut_entry_and_a_foreign_one_are_corrupt_and_are_overwritten() {
    let Some(redis) = testing::redis(&[]) else { return };
    let (ports, clock, key) = (open(&redis), RealClock::start(), Key::of_item(1));
    let at = "lab:run:strategy:{1}:v";
    for words in [
        &["LPUSH", at, "x"][..],
        &["SET", at, "garbage"],
        &["SET", at, "SLAB\u{1}"],
        &["SET", at, "SLAB\u{2}\0\0\0\0\0\0\0\0rest"],
        &["SET", at, ""],
    ] {
        command(&redis, &["DEL", at]).await.unwrap();
        command(&redis, words).await.unwrap();
        assert_eq!(ports.cache.get(&key).await, Ok(Lookup::Corrupt), "{words:?}");
        ports.lease.acquire(&key, Token(5), MINUTE).await.unwrap();
        assert_eq!(
            ports.cache.put(&key, &entry(&clock), When::Fenced(Token(5))).await,
            Ok(Stored::Stored),
            "{words:?}"
        );
        assert!(matches!(ports.cache.get(&key).await, Ok(Lookup::Found(..))));
    }
}

#[tokio::test]
async fn scripts_come_back_after_a_flush() {
    let Some(redis) = testing::redis(&[]) else { return };
    let (ports, key) = (open(&redis), Key::of_item(1));
    for _ in 0..20 {
        command(&redis, &["SCRIPT", "FLUSH"]).await.unwrap();
        assert_eq!(ports.lease.acquire(&key, Token(1), MINUTE).await, Ok(Acquired::Won));
        command(&redis, &["SCRIPT", "FLUSH"]).await.unwrap();
        assert_eq!(ports.lease.release(&key, Token(1)).await, Ok(Released::Released));
    }
}

#[tokio::test]
async fn a_dead_redis_fails_fast_and_one_that_is_back_is_used_again() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let serve = || testing::redis(&["--port", &port, "--bind", "127.0.0.1"]);
    let Some(redis) = serve() else { return };
    let source = RedisSource::new(format!("redis://127.0.0.1:{port}")).unwrap();
    let (ports, key) = (source.open("run:strategy"), Key::of_item(1));
    assert_eq!(ports.cache.get(&key).await, Ok(Lookup::Absent));
    drop(redis);
    // By its defaults the client would take 9.45 s for each of these.
    let begun = std::time::Instant::now();
    for _ in 0..300 {
        assert_eq!(ports.cache.get(&key).await.unwrap_err().class, CacheErrorClass::Down);
    }
    assert!(begun.elapsed() < Duration::from_secs(9), "300 operations took {:?}", begun.elapsed());
    let Some(_again) = serve() else { return };
    let back = async { while ports.cache.get(&key).await.is_err() {} };
    assert!(tokio::time::timeout(Duration::from_secs(10), back).await.is_ok(), "never came back");
}

#[tokio::test]
async fn failures_have_their_class() {
    let Some(redis) = testing::redis(&[]) else { return };
    let (ports, clock, key) = (open(&redis), RealClock::start(), Key::of_item(1));
    // Full: reads work, writes are refused, scripts too.
    command(&redis, &["CONFIG", "SET", "maxmemory", "1"]).await.unwrap();
    assert_eq!(ports.cache.put(&key, &entry(&clock), When::Always).await.unwrap_err().class, CacheErrorClass::Full);
    assert_eq!(ports.lease.acquire(&key, Token(1), MINUTE).await.unwrap_err().class, CacheErrorClass::Full);
    assert_eq!(ports.cache.get(&key).await, Ok(Lookup::Absent));
    command(&redis, &["CONFIG", "SET", "maxmemory", "0"]).await.unwrap();
    // Slow: no answer within the operation's budget.
    command(&redis, &["CLIENT", "PAUSE", "400", "ALL"]).await.unwrap();
    assert_eq!(ports.cache.get(&key).await.unwrap_err().class, CacheErrorClass::Slow);
    // Denied.
    let Some(locked) = testing::redis(&["--requirepass", "secret"]) else { return };
    assert_eq!(open(&locked).cache.get(&key).await.unwrap_err().class, CacheErrorClass::Denied);
    // Moved: a replica that takes no writes.
    let Some(replica) = testing::redis(&["--replicaof", "127.0.0.1 1"]) else { return };
    let put = open(&replica).cache.put(&key, &entry(&clock), When::Always).await;
    assert_eq!(put.unwrap_err().class, CacheErrorClass::Moved);
}

#[tokio::test]
async fn the_status_names_server_and_life() {
    let Some(redis) = testing::redis(&[]) else { return };
    let status = RedisSource::new(redis.url()).unwrap().status().await.unwrap();
    assert!(status.server.starts_with("redis ") && status.incarnation.len() == 40, "{status:?}");
    assert_eq!(status.evicted, 0);
}

#[test]
fn a_url_that_is_none_is_refused_with_the_form() {
    for url in ["", "localhost", "http://localhost", "redis://"] {
        if let Err(said) = RedisSource::new(url) {
            assert!(said.to_string().contains("redis://HOST:PORT"), "{url}: {said}");
        } else {
            panic!("{url:?} was taken");
        }
    }
}

#[test]
fn a_private_server_ends_with_its_owner_and_leaves_nothing() {
    let Some(redis) = testing::redis(&[]) else { return };
    let (pid, folder) = (redis.pid().unwrap(), redis.url().replace("redis+unix://", "").replace("/socket", ""));
    assert!(std::path::Path::new(&format!("/proc/{pid}")).exists());
    drop(redis);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    assert!(!std::path::Path::new(&folder).exists());
}

/// A server that answers a GET with bytes without an end, and how many it could send before it was turned away.
fn endless(head: &'static str) -> (String, std::thread::JoinHandle<usize>) {
    use std::io::{Read as _, Write as _};
    const GIVES_UP_AT: usize = 1 << 30;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 4096];
        loop {
            let read = stream.read(&mut buffer).unwrap();
            let asked = String::from_utf8_lossy(&buffer[..read]).into_owned();
            stream.write_all("+OK\r\n".repeat(asked.matches("SETINFO").count()).as_bytes()).unwrap();
            if asked.contains("GET\r\n") {
                break;
            }
        }
        let (mut sent, flood) = (0, vec![b'x'; 1 << 20]);
        let _ = stream.write_all(head.as_bytes());
        while sent < GIVES_UP_AT && stream.write_all(&flood).is_ok() {
            sent += flood.len();
        }
        sent
    });
    (url, serving)
}

#[tokio::test]
async fn a_reply_without_an_end_ends_the_connection_and_not_the_memory() {
    for head in ["$1099511627776\r\n", "$500000000\r\n", "+", "*1000000000\r\n"] {
        let (url, serving) = endless(head);
        let ports = RedisSource::new(&url).unwrap().open("run:endless");
        let key = Key::of_item(1);
        assert!(ports.cache.get(&key).await.is_err(), "{head:?}");
        // The connection is read by a task of its own, no matter what waits for the reply.
        let sent = tokio::task::spawn_blocking(|| serving.join().unwrap()).await.unwrap();
        assert!(sent <= 96 << 20, "{head:?}: {sent} bytes were taken");
        drop(ports);
    }
}
