//! What TLS costs the shared cache: `cargo bench -p app --bench tls`. One Redis with a port for each, asked in turns: reads of a fresh
//! entry one after the other and sixteen at once, and a storm, in which the server ends every connection of three replicas.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a bench")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use app::cache::cache_source::CacheSource as _;
use app::cache::redis_cache::{RedisAddress, RedisSource};
use app::testing::{EncryptedRedis, free_port};
use futures_util::future::join_all;
use strategies::port::{Cache, CacheConnectionPool, ConnectionLimits, ReadFrom, TakenConnection, When};
use strategies::time::Wall;
use strategies::{Entry, Key, Life};

/// Turns that each way has; what is told is their median.
const TURNS: usize = 15;
/// Reads in one.
const READS: usize = 4000;
/// Reads that are under way at once, in the second table.
const AT_ONCE: usize = 16;
const REPLICAS: usize = 3;
/// Storms that each way has of each size.
const STORMS: usize = 5;
/// A storm that is not over by then is none that ends by itself.
const GIVEN_UP: Duration = Duration::from_secs(5);
/// Connections of each replica in a storm, and how long one may take to be made.
const SIZES: [(u32, Duration); 4] = [
    (1, ConnectionLimits::USUAL.connect),
    (20, ConnectionLimits::USUAL.connect),
    (100, ConnectionLimits::USUAL.connect),
    (100, Duration::from_secs(5)),
];

/// Of the connection that is measured: long enough that a busy machine does not end it.
const LIMITS: ConnectionLimits = ConnectionLimits { connect: Duration::from_secs(2), reply: Duration::from_secs(2) };

struct Way {
    name: &'static str,
    address: RedisAddress,
    /// Median of each turn's p50, p99 and processor times (ours, the server's) a read.
    one: Vec<[f64; 4]>,
    many: Vec<[f64; 4]>,
    storms: [Vec<[f64; 4]>; SIZES.len()],
}

/// Processor time of this thread, which does everything here, in microseconds.
fn ours_us() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e3
}

async fn say(of: &EncryptedRedis, words: &[&str]) -> redis::Value {
    let client = redis::Client::open(of.server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await.unwrap()
}

/// Processor time of the server, in microseconds.
async fn servers_us(of: &EncryptedRedis) -> f64 {
    let info: String = redis::from_redis_value(say(of, &["INFO", "cpu"]).await).unwrap();
    let field = |name: &str| info.lines().find_map(|l| l.strip_prefix(name)?.trim().parse::<f64>().ok()).unwrap();
    (field("used_cpu_user:") + field("used_cpu_sys:")) * 1e6
}

fn entry() -> Entry {
    let life = Life::new(Duration::from_secs(600), Duration::from_secs(600));
    let value = Some(vec![b'x'; 256].into());
    Entry { value, version: 1, read_at: Wall(0), stored_at: Wall(0), life, delta: Duration::ZERO }
}

/// `READS` reads, `at_once` under way: p50, p99 (µs), and processor times a read (µs).
async fn reads(of: &EncryptedRedis, cache: &Arc<dyn Cache>, at_once: usize) -> [f64; 4] {
    let key = Key::of_item(1);
    // The storm before has ended its connection.
    while cache.get(&key).await.is_err() {}
    for _ in 0..50 {
        cache.get(&key).await.unwrap();
    }
    let (server, own) = (servers_us(of).await, ours_us());
    let lane = async || {
        let mut times = Vec::with_capacity(READS / at_once);
        for _ in 0..READS / at_once {
            let asked = Instant::now();
            cache.get(&key).await.unwrap();
            times.push(asked.elapsed().as_secs_f64() * 1e6);
        }
        times
    };
    let mut times: Vec<f64> = join_all((0..at_once).map(|_| lane())).await.concat();
    let (own, server) = (ours_us() - own, servers_us(of).await - server);
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    [at(0.5), at(0.99), own / times.len() as f64, server / times.len() as f64]
}

/// All connections ask until they are answered: milliseconds until the last was, reads that failed, and processor times a connection
/// (µs).
async fn answered(of: &EncryptedRedis, taken: &[TakenConnection]) -> [f64; 4] {
    let (server, own, begun) = (servers_us(of).await, ours_us(), Instant::now());
    let key = Key::of_item(1);
    let until = |one: &TakenConnection| {
        let (cache, key) = (Arc::clone(&one.connected.cache), key.clone());
        async move {
            let mut failed = 0.0;
            while begun.elapsed() < GIVEN_UP && cache.get(&key).await.is_err() {
                failed += 1.0;
            }
            failed
        }
    };
    let failed: f64 = join_all(taken.iter().map(until)).await.iter().sum();
    let took = begun.elapsed().as_secs_f64() * 1e3;
    let count = taken.len() as f64;
    [took, failed / count, (ours_us() - own) / count, (servers_us(of).await - server) / count]
}

/// The server ends all connections of three replicas at once.
async fn storm(of: &EncryptedRedis, address: &RedisAddress, (pool, connect): (u32, Duration)) -> [f64; 4] {
    let limits = ConnectionLimits { connect, reply: LIMITS.reply };
    let sources: Vec<RedisSource> = (0..REPLICAS).map(|_| RedisSource::new(address.clone()).unwrap()).collect();
    let pools: Vec<Arc<dyn CacheConnectionPool>> = sources
        .iter()
        .map(|source| source.open("bench:tls").connections.pool(pool, limits, ReadFrom::Primary))
        .collect();
    let mut taken = Vec::new();
    for one in &pools {
        for _ in 0..pool {
            taken.push(one.take().await);
        }
    }
    // One after the other, as they come about in the course of a day.
    for one in &taken {
        while one.connected.cache.get(&Key::of_item(1)).await.is_err() {}
    }
    say(of, &["CLIENT", "KILL", "TYPE", "normal"]).await;
    answered(of, &taken).await
}

fn median<const N: usize>(turns: &[[f64; N]]) -> [f64; N] {
    std::array::from_fn(|at| {
        let mut all: Vec<f64> = turns.iter().map(|turn| turn[at]).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    })
}

fn table(title: &str, ways: &[Way], of: impl Fn(&Way) -> [f64; 4]) {
    println!("\n| {title} | p50 | p99 | processor time a read, replica | server |\n|---|---|---|---|---|");
    for way in ways {
        let [p50, p99, own, server] = of(way);
        println!("| {} | {p50:.0} µs | {p99:.0} µs | {own:.1} µs | {server:.1} µs |", way.name);
    }
}

fn storms(ways: &[Way]) {
    let costs = "failed reads a connection | processor time a connection, replica | server";
    println!("\n| connections ended at once | | until the last is answered | {costs} |");
    println!("|---|---|---|---|---|---|");
    for (at, (pool, connect)) in SIZES.iter().enumerate() {
        for way in ways {
            let [took, failed, own, server] = median(&way.storms[at]);
            let (all, name) = (*pool as usize * REPLICAS, way.name);
            let given_up = took >= GIVEN_UP.as_secs_f64() * 1e3;
            let over = if given_up { format!("not within {GIVEN_UP:?}") } else { format!("{took:.0} ms") };
            let name = format!("{all}, each may take {connect:?} | {name}");
            println!("| {name} | {over} | {failed:.1} | {own:.0} µs | {server:.0} µs |");
        }
    }
}

fn main() {
    let port = free_port();
    let Some(redis) = EncryptedRedis::start(&["--port", &port.to_string()]) else { return };
    let way = |name, address| Way { name, address, one: vec![], many: vec![], storms: Default::default() };
    let mut ways = [
        way("`redis://`", RedisAddress::from(format!("redis://127.0.0.1:{port}"))),
        way("`rediss://`", redis.address()),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let caches: Vec<Arc<dyn Cache>> = ways
            .iter()
            .map(|way| {
                RedisSource::new(way.address.clone())
                    .unwrap()
                    .open("bench:tls")
                    .connections
                    .shared(LIMITS, ReadFrom::Primary)
                    .cache
            })
            .collect();
        caches[0].put(&Key::of_item(1), &entry(), When::Always).await.unwrap();
        for turn in 0..TURNS {
            for at in 0..ways.len() {
                let at = (at + turn) % ways.len();
                let one = reads(&redis, &caches[at], 1).await;
                let many = reads(&redis, &caches[at], AT_ONCE).await;
                ways[at].one.push(one);
                ways[at].many.push(many);
            }
        }
        for (size, at) in (0..STORMS).flat_map(|_| (0..SIZES.len()).flat_map(|size| [(size, 0), (size, 1)])) {
            let storm = storm(&redis, &ways[at].address, SIZES[size]).await;
            ways[at].storms[size].push(storm);
        }
    });
    table("one after the other", &ways, |way| median(&way.one));
    table(&format!("{AT_ONCE} at once"), &ways, |way| median(&way.many));
    storms(&ways);
}
