//! Copies in a replica's process, over a real Redis: what is told of them, how a change takes them away, and what a lost connection does.

use std::time::Duration;

use app::cache::cache_source::CacheSource as _;
use app::testing;
use strategies::Key;
use strategies::port::Level;

use crate::common::fleet::{Fleet, Replica};
use crate::common::{Lab, eventually, get, settings};

pub(crate) const BUSES: [&str; 5] = ["pubsub", "streams", "streams, maxlen=2", "tracking", "tracking-default"];

pub(crate) fn spec(bus: &str) -> String {
    format!("plain + near(ttl=1h, invalidate={bus}) + coalesce + lease + invalidate")
}

/// What a replica answers from its own copy; `None` where it has none.
pub(crate) async fn near(replica: &Replica, key: &Key) -> Option<u64> {
    let served = replica.get(key).await.unwrap();
    (served.level == Level::Near).then_some(served.version)
}

#[tokio::test]
async fn an_answer_names_the_level_that_had_it() {
    let lab = Lab::start(1, "plain + near(ttl=1h) + coalesce", settings(1, 4)).await;
    let url = format!("{}/items/1", lab.replicas[0]);
    assert_eq!(get(&url).await.header("cache-status"), "lab; fwd=miss; stored");
    assert_eq!(get(&url).await.header("cache-status"), "lab-near; hit; ttl=4", "its own put left a copy");
    let lab = Lab::start(2, "plain + near(ttl=1h) + coalesce", settings(1, 4)).await;
    get(&format!("{}/items/1", lab.replicas[0])).await;
    let url = format!("{}/items/1", lab.replicas[1]);
    let said = [get(&url).await, get(&url).await].map(|answer| answer.header("cache-status").to_owned());
    assert_eq!(said, ["lab; hit; ttl=4", "lab-near; hit; ttl=4"]);
    let lab = Lab::start(1, "plain + local + coalesce", settings(1, 4)).await;
    let url = format!("{}/items/1", lab.replicas[0]);
    let said = [get(&url).await, get(&url).await].map(|answer| answer.header("cache-status").to_owned());
    assert_eq!(said, ["lab; fwd=miss; stored", "lab-near; hit; ttl=4"]);
}

#[tokio::test]
async fn a_write_takes_every_replicas_copy_away_however_it_is_heard() {
    let Some(redis) = testing::redis(&[]) else { return };
    for bus in BUSES {
        let fleet = Fleet::of(&spec(bus), &redis, 3, settings(1, 16)).await;
        let key = Key::of_item(3);
        let mut version = 0;
        for round in 0..3 {
            for replica in &fleet.replicas {
                eventually(&format!("{bus}: a copy, round {round}"), async || near(replica, &key).await.is_some())
                    .await;
            }
            version = fleet.replicas[round].write(&key).await;
            for replica in &fleet.replicas {
                let new = async || near(replica, &key).await.is_none_or(|found| found == version);
                eventually(&format!("{bus}: no copy is old, round {round}"), new).await;
            }
        }
        assert!(version >= 4, "{bus}: {version}");
        let heard = fleet.replicas[1].stack.near();
        assert!(heard.heard >= 2, "{bus}: {heard:?}");
    }
}

#[tokio::test]
async fn what_is_written_while_nothing_is_heard_is_right_when_the_connection_stands_again() {
    let Some(redis) = testing::redis(&[]) else { return };
    for (bus, flushes) in [("pubsub", true), ("streams", false), ("streams, maxlen=2", true), ("tracking", true)] {
        let fleet = Fleet::of(&spec(bus), &redis, 2, settings(1, 16)).await;
        let (writer, deaf) = (&fleet.replicas[0], &fleet.replicas[1]);
        let keys: Vec<Key> = (1..=5).map(Key::of_item).collect();
        for key in &keys {
            eventually(&format!("{bus}: a copy"), async || near(deaf, key).await.is_some()).await;
        }
        let before = deaf.stack.near();
        deaf.source.cut_changes(Duration::from_millis(1500)).await.unwrap();
        let mut written = Vec::new();
        for key in &keys {
            written.push(writer.write(key).await);
        }
        for (key, version) in keys.iter().zip(written) {
            let right = async || deaf.get(key).await.unwrap().version == version;
            eventually(&format!("{bus}: {key} is right again"), right).await;
        }
        assert_eq!(deaf.stack.near().flushed > before.flushed, flushes, "{bus}");
    }
}

/// A stream that is removed begins its numbers anew: a reader that has read as far must not take the new ones for what follows.
#[tokio::test]
async fn a_stream_that_is_removed_is_no_stream_that_goes_on_and_none_is_left_for_ever() {
    let Some(redis) = testing::redis(&[]) else { return };
    let client = redis::Client::open(redis.url()).unwrap();
    let mut raw = client.get_multiplexed_async_connection().await.unwrap();
    let fleet = Fleet::of(&spec("streams"), &redis, 2, settings(1, 16)).await;
    let (writer, reader) = (&fleet.replicas[0], &fleet.replicas[1]);
    let keys: Vec<Key> = (1..=3).map(Key::of_item).collect();
    for key in &keys {
        eventually("a copy", async || near(reader, key).await.is_some()).await;
    }
    writer.write(&keys[0]).await;
    eventually("the first change is heard", async || reader.stack.near().heard == 1).await;
    let life: i64 = redis::cmd("PTTL").arg("lab:run:strategy:{changes}").query_async(&mut raw).await.unwrap();
    assert!(life > 0, "{life}");
    let () = redis::cmd("DEL").arg("lab:run:strategy:{changes}").query_async(&mut raw).await.unwrap();
    // The first has the number of what was read, and the second the one after it.
    let written = [writer.write(&keys[1]).await, writer.write(&keys[2]).await];
    for (key, version) in keys[1..].iter().zip(written) {
        eventually(&format!("{key} is right"), async || reader.get(key).await.unwrap().version == version).await;
    }
    assert_eq!(reader.stack.near().flushed, 1);
}

/// A reply that a change has overtaken must not be kept: after any number of writes, every copy is of the last one.
#[tokio::test]
async fn no_copy_is_left_that_nothing_will_take_away() {
    let Some(redis) = testing::redis(&[]) else { return };
    for bus in BUSES {
        let fleet = Fleet::of(&spec(bus), &redis, 2, settings(0, 16)).await;
        let key = Key::of_item(1);
        for _ in 0..40 {
            let reads = || futures_util::future::join_all((0..12).map(|at| fleet.replicas[at % 2].get(&key)));
            let (_, version, _) = tokio::join!(reads(), fleet.replicas[0].write(&key), reads());
            for replica in &fleet.replicas {
                let right = async || replica.get(&key).await.unwrap().version == version;
                eventually(&format!("{bus}: version {version}"), right).await;
            }
        }
    }
}
