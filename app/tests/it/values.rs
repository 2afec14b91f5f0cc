//! What a value costs where it really lies: a Redis of its own is asked how long it is and what memory it takes.

use crate::common::fleet::{Fleet, command, outcome, places};
use crate::common::{Lab, get, settings, start};
use app::cache::redis_server::PrivateRedis;
use app::testing;
use app::wire::control::{GroupsWire, ItemsWire, SizesWire, StartOrigin, StartReplica};
use evidence::ReplicaEvents;
use strategies::port::Event;
use strategies::{Key, Outcome};

const BYTES: u32 = 420 << 10;
const SIZES: SizesWire = SizesWire::Constant { bytes: BYTES };

async fn asked(redis: &PrivateRedis, question: &[&str], key: &Key) -> u32 {
    let entry = places(key).0;
    command(redis, &[question, &[entry.as_str()]].concat()).await.unwrap()
}

#[tokio::test]
async fn a_value_is_in_redis_what_it_was_asked_to_be() {
    for (compressible, least, most) in [(0.0, BYTES, BYTES + 1024), (0.9, BYTES / 11, BYTES / 9)] {
        let Some(redis) = testing::redis(&[]) else { return };
        let start = StartOrigin { items: 3, sizes: SIZES.into(), compressible, ..settings(1, 4) };
        let fleet = Fleet::of("plain", &redis, 1, start).await;
        for number in 1..=3 {
            let key = Key::of_item(number);
            assert_eq!(outcome(&fleet.replicas[0].get(&key).await), Some(Outcome::Load));
            let hit = fleet.replicas[0].get(&key).await;
            assert_eq!(outcome(&hit), Some(Outcome::Hit));
            let value = hit.unwrap().value.unwrap();
            assert_eq!(app::wire::item::verify(&value, key.as_str()), Ok(1), "it comes out as it went in");
            assert!(value.len() >= BYTES as usize);
            let length = asked(&redis, &["STRLEN"], &key).await;
            assert!((least..=most).contains(&length), "{compressible} of it filler: {length} bytes");
            // Redis' allocator rounds up, to a quarter more at most.
            let memory = asked(&redis, &["MEMORY", "USAGE"], &key).await;
            assert!((length..=length / 4 * 5 + 1024).contains(&memory), "{memory} for {length} bytes");
        }
    }
}

/// Two gigabytes in rows of 420 KiB are the largest that a laptop would be asked for; a fiftieth of it is enough to see that every row
/// is another, and that the second strategy of a run gets the same ones.
#[tokio::test]
async fn every_item_has_a_value_of_its_own_and_keeps_it_from_one_start_to_the_next() {
    let start = StartOrigin { items: 100, sizes: SIZES.into(), ..settings(1, 4) };
    let lab = Lab::start(0, "naive", start.clone()).await;
    let mut first = Vec::new();
    for (round, seed) in [(1, start.seed), (2, start.seed), (3, start.seed + 1)] {
        lab.origin_control.post::<()>("/start", &StartOrigin { seed, ..start.clone() }).await.unwrap();
        let mut bodies = Vec::new();
        for number in [1, 2, 10, 99, 100] {
            let body = get(&format!("{}/items/{number}", lab.origin)).await.body;
            assert_eq!(
                app::wire::item::verify(body.as_bytes(), &number.to_string()),
                Ok(1),
                "round {round}, item {number}"
            );
            bodies.push(body);
        }
        assert!(bodies.windows(2).all(|pair| pair[0][80..] != pair[1][80..]));
        match round {
            1 => first = bodies,
            2 => assert_eq!(bodies, first, "the same rows"),
            _ => assert!(bodies.iter().zip(&first).all(|(one, other)| one != other), "another seed's"),
        }
    }
}

/// Told one by one, as of a trace's keys: more than a usual control message holds.
#[tokio::test]
async fn items_have_the_ttls_and_sizes_of_their_groups() {
    const ITEMS: u32 = 40_000;
    let listed = || GroupsWire::Listed((1..=ITEMS).map(|item| item % 2).collect());
    let others = vec![SizesWire::Constant { bytes: 5000 }];
    let sizes = ItemsWire { usual: SizesWire::Constant { bytes: 100 }, others, groups: listed() };
    let lab = Lab::start(1, "naive", StartOrigin { sizes, ..settings(1, 64) }).await;
    let ttls_ns = ItemsWire { usual: 5_000_000_000, others: vec![60_000_000_000], groups: listed() };
    let start = StartReplica { ttls_ns, ..start("naive") };
    lab.controls[0].post::<()>("/start", &start).await.unwrap();
    for (number, bytes) in [(1, 5000), (2, 100), (3, 5000), (10, 100)] {
        let body = get(&format!("{}/items/{number}", lab.replicas[0])).await.body;
        assert!((bytes..bytes + 100).contains(&body.len()), "item {number}: {} bytes", body.len());
    }
    let events: ReplicaEvents = lab.controls[0].get("/events").await.unwrap();
    let lives = events.events.iter().filter_map(|line| match &line.event {
        Event::Put { key, fresh_until, .. } => {
            Some((key.to_string(), (fresh_until.0 - line.mono_ns).div_ceil(1_000_000_000)))
        }
        _ => None,
    });
    let expected = [("1", 60), ("2", 5), ("3", 60), ("10", 5)].map(|(key, seconds)| (key.to_owned(), seconds));
    assert_eq!(lives.collect::<Vec<_>>(), expected);
}
