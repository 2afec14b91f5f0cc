//! How far a replica is behind its primary on loopback: `cargo bench -p app --bench replica_lag`. One client of a private cluster writes, and asks the
//! replica as soon as the primary has answered, until it finds what was written.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a bench")]

use std::time::{Duration, Instant};

use app::cache::cache_source::CacheSource as _;
use app::cache::redis_cache::RedisSource;
use app::testing;
use bytes::Bytes;
use strategies::port::{ConnectionLimits, Lookup, ReadFrom, When};
use strategies::time::Wall;
use strategies::{Entry, Key, Life};

const WRITES: u64 = 5000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let Some(cluster) = testing::cluster() else { return };
    let connections = RedisSource::new(cluster.address()).unwrap().open("bench:lag").connections;
    let limits = ConnectionLimits { reply: Duration::from_secs(2), ..ConnectionLimits::USUAL };
    let [primary, replica] =
        [ReadFrom::Primary, ReadFrom::Replicas].map(|reads| connections.shared(limits, reads).cache);
    let (mut first, mut waits) = (0, Vec::new());
    for version in 1..=WRITES {
        let (now, minute) = (Wall(0), Duration::from_secs(60));
        let value = Some(Bytes::from_static(b"value"));
        let life = Life::new(minute, minute);
        let entry = Entry { value, version, read_at: now, stored_at: now, life, delta: Duration::ZERO };
        let key = Key::of_item(version as u32 % 100);
        primary.put(&key, &entry, When::Always).await.unwrap();
        let (begun, mut asked) = (Instant::now(), 0_u32);
        loop {
            asked += 1;
            let found = replica.get(&key).await.unwrap();
            if matches!(found, Lookup::Found(found, _) if found.version == version) {
                break;
            }
        }
        first += u64::from(asked == 1);
        waits.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    waits.sort_by(f64::total_cmp);
    let at = |share: f64| waits[(waits.len() as f64 * share) as usize];
    println!("found by the first question: {first} of {WRITES}");
    println!("until it was found: p50 {:.3} ms, p99 {:.3} ms, p99.9 {:.3} ms", at(0.5), at(0.99), at(0.999));
}
