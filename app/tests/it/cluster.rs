//! The adapter on a cluster of three primaries with a replica each: the contract of every cache, what it can't, and redirections.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use app::cache::cache_source::{CachePorts, CacheSource};
use app::cache::redis_cache::{ClusterHand, ClusterWatch, RedisAddress, RedisSource, SlotsToMove};
use app::cache::redis_nodes::{PrivateNodes, PrivateSentinel};
use app::process::runtime::RealClock;
use app::process::secrets::REPLICA_MAY;
use app::testing;
use bytes::Bytes;
use strategies::conformance::CacheSubject;
use strategies::counter::conformance::CounterSubject;
use strategies::counter::slot_of;
use strategies::port::{Acquired, Bus, Cache, ConnectionLimits, CounterCommand, Lookup, ReadFrom, Token, When};
use strategies::time::Wall;
use strategies::{Entry, Key, Life};

#[tokio::test]
async fn a_cluster_keeps_the_contracts_of_caches_and_counters() {
    let Some(cluster) = testing::cluster() else { return };
    let source = RedisSource::new(cluster.address()).unwrap();
    let server = source.status().await.unwrap().server;
    assert!(server.ends_with(", a cluster of 3 primaries"), "{server}");
    assert!(!source.can_of(&server).one_place);
    let CachePorts { cache, lease, wake, invalidations, seize, counters, .. } = source.open("run:strategy");
    let clock = Arc::new(RealClock::start());
    let subject =
        CacheSubject { cache, lease, wake, invalidations, seize, clock: clock.clone(), prefix: "contract".into() };
    subject.check_all_over(&[Bus::PubSub]).await;
    CounterSubject { counters, clock, prefix: "contract".into(), increx: false }.check_all().await;
    let ready = source.preflight("run:preflight", vec![Bus::PubSub]).await;
    assert!(ready.is_ok(), "{ready:?}");
}

/// What a counter's transaction, a script and a plain command come to while their slot is on its way, and nothing is done twice.
#[tokio::test]
async fn a_slot_that_moves_loses_nothing_and_each_redirection_is_counted_with_its_time() {
    let Some(cluster) = testing::cluster() else { return };
    let source = RedisSource::new(cluster.address()).unwrap();
    let CachePorts { cache, lease, counters, .. } = source.open("run:strategy");
    let key = Key::of_item(1);
    let (hand, slot) = (ClusterHand::new(&cluster.address()).unwrap(), slot_of("1"));
    let moved = hand.plan(SlotsToMove::One(slot)).await.unwrap();
    let life = Duration::from_secs(60);
    let count = async |by| counters.command(&key, CounterCommand::Transaction(by, life)).await.unwrap();
    assert_eq!(count(1).await, Some(1));
    // Half-way: what is there stays there, and what is new goes to the other one.
    hand.begin(&moved).await.unwrap();
    assert_eq!(count(1).await, Some(2), "the counter is where it was");
    let entry = entry(7);
    cache.put(&key, &entry, When::Always).await.unwrap();
    assert!(matches!(cache.get(&key).await.unwrap(), Lookup::Found(found, _) if found.version == 7));
    assert_eq!(lease.acquire(&key, Token(5), life).await.unwrap(), Acquired::Won);
    let other = Key::of_item(1).part(1);
    assert_eq!(counters.command(&other, CounterCommand::Transaction(3, life)).await.unwrap(), Some(3));
    let asked = source.redirects().unwrap();
    assert!(asked.ask >= 4 && asked.moved == 0 && asked.try_again == 0, "{asked:?}");
    assert_eq!(hand.move_by_key(&moved).await.unwrap().slots, 1);
    assert_eq!(count(1).await, Some(3));
    assert!(matches!(cache.get(&key).await.unwrap(), Lookup::Found(found, _) if found.version == 7));
    assert_eq!(source.redirects().unwrap().moved, 1, "then the client knows");
    let times = source.command_times();
    let counts = [&times.plain, &times.moved, &times.ask].map(|of| of.values().sum::<u64>());
    assert!(counts[0] > 0 && counts[1] == 1 && counts[2] == asked.ask, "{counts:?} {asked:?}");
    // And back again, from half-way.
    let back = hand.plan(SlotsToMove::One(slot)).await.unwrap();
    hand.begin(&back).await.unwrap();
    let new = Key::of_item(1).part(2);
    cache.put(&new, &entry, When::Always).await.unwrap();
    assert!(source.redirects().unwrap().ask > asked.ask, "at the other one");
    hand.move_back(&back).await.unwrap();
    assert!(matches!(cache.get(&new).await.unwrap(), Lookup::Found(..)), "it came back");
    hand.move_back(&moved).await.unwrap();
    assert_eq!(count(1).await, Some(4));
    let cannot = cluster.cannot_move_at_once().unwrap();
    assert!(cannot.is_some_and(|server| server.starts_with("redis 7.")), "what Debian 12 has cannot");
}

/// The old owner's last claim of a slot arrives at the new one after the move. Were its word the newer one, no node would have the slot.
#[tokio::test]
async fn slots_that_move_at_short_intervals_always_have_an_owner() {
    let Some(cluster) = testing::cluster() else { return };
    let hand = ClusterHand::new(&cluster.address()).unwrap();
    for turn in 0..60 {
        let slot = slot_of(["1", "2", "3"][turn % 3]);
        let moved = hand.plan(SlotsToMove::One(slot)).await.unwrap_or_else(|flaw| panic!("move {turn}: {flaw}"));
        hand.move_by_key(&moved).await.unwrap();
    }
}

/// Reads go where a layer wants them, and writes to the primary all the same.
#[tokio::test]
async fn replicas_answer_reads_where_they_are_asked() {
    let Some(cluster) = testing::cluster() else { return };
    let source = RedisSource::new(cluster.address()).unwrap();
    let connections = source.open("run:strategy").connections;
    let mut watch = ClusterWatch::new(&cluster.address()).unwrap();
    let keys: Vec<Key> = (1..=60).map(Key::of_item).collect();
    for (reads, at_replicas) in [(ReadFrom::Primary, 0..=0), (ReadFrom::Replicas, 60..=80), (ReadFrom::Any, 15..=50)] {
        let cache = connections.shared(ConnectionLimits::USUAL, reads).cache;
        for key in &keys {
            cache.put(key, &entry(1), When::Always).await.unwrap();
        }
        let mut answered = async || -> u64 {
            let nodes = watch.ask().await.unwrap();
            nodes.iter().filter(|node| !node.primary).map(|node| node.operations).sum()
        };
        let before = answered().await;
        for key in &keys {
            // A replica that has not heard of it yet is asked again.
            while !matches!(cache.get(key).await.unwrap(), Lookup::Found(found, _) if found.version == 1) {}
        }
        let after = answered().await - before;
        assert!(at_replicas.contains(&after), "{reads:?}: {after} of 60");
    }
    assert!(source.can().replicas);
}

/// Each slot's keys are a command of their own, and are counted as one.
#[tokio::test]
async fn a_read_of_many_keys_is_as_many_commands_as_they_have_slots() {
    let (Some(cluster), Some(redis)) = (testing::cluster(), testing::redis(&[])) else { return };
    let keys: Vec<Key> = (1..=60).map(Key::of_item).chain([Key::of_item(1).part(1)]).collect();
    let slots: BTreeSet<u16> = keys.iter().map(|key| slot_of(key.whole().0)).collect();
    for (address, commands) in [(cluster.address(), slots.len() as u64), (RedisAddress::from(redis.url()), 1)] {
        let CachePorts { cache, traffic, .. } = RedisSource::new(address).unwrap().open("run:strategy");
        assert_eq!(cache.get_many(&keys).await.unwrap().len(), 61);
        assert_eq!(traffic.unwrap().counters().commands, commands);
    }
}

/// The rights that docs/cluster.md names are enough for a replica, for reads from replicas, and for the watch of the nodes.
#[tokio::test]
async fn a_user_with_the_rights_that_are_said_to_do_may_do_all_of_it() {
    let Some(cluster) = testing::cluster() else { return };
    let rights = format!("on >pw {REPLICA_MAY} +cluster|nodes");
    for (node, _) in cluster.nodes() {
        let mut to = redis::Client::open(node.url()).unwrap().get_connection().unwrap();
        let mut rules = redis::cmd("ACL");
        rules.arg("SETUSER").arg("lab").arg(rights.split_whitespace().collect::<Vec<_>>());
        let () = rules.query(&mut to).unwrap();
    }
    let with_user = |url: &str| url.replacen("redis://", "redis://lab:pw@", 1);
    let open = cluster.address();
    let others = open.others.iter().map(|url| with_user(url)).collect();
    let address = RedisAddress { others, url: with_user(&open.url), ..open };
    let source = RedisSource::new(address.clone()).unwrap();
    let ready = source.preflight("run:preflight", vec![Bus::PubSub]).await;
    assert!(ready.is_ok(), "{ready:?}");
    let CachePorts { cache, connections, .. } = source.open("run:strategy");
    cache.put(&Key::of_item(1), &entry(1), When::Always).await.unwrap();
    let replicas = connections.shared(ConnectionLimits::USUAL, ReadFrom::Replicas).cache;
    assert!(replicas.get(&Key::of_item(1)).await.is_ok());
    assert_eq!(ClusterWatch::new(&address).unwrap().ask().await.unwrap().len(), 6);
}

/// While a primary is gone its replica answers reads until the others have missed it; then all nodes refuse all commands, for not every slot is
/// served, until one has taken its place.
#[tokio::test]
async fn a_replica_answers_until_its_primary_is_missed_and_then_nobody_does() {
    let Some(cluster) = testing::cluster() else { return };
    let nodes = PrivateNodes::from(cluster);
    let source = RedisSource::new(nodes.address()).unwrap();
    let CachePorts { cache, connections, .. } = source.open("run:strategy");
    // The slots of `1` and `3` are two primaries'.
    let (key, other) = (Key::of_item(1), Key::of_item(3));
    let replicas = connections.shared(ConnectionLimits::USUAL, ReadFrom::Replicas).cache;
    for key in [&key, &other] {
        cache.put(key, &entry(1), When::Always).await.unwrap();
    }
    let found = async |key| matches!(replicas.get(key).await, Ok(Lookup::Found(..)));
    let begun = Instant::now();
    let until = async |key, wanted| {
        while found(key).await != wanted {
            assert!(begun.elapsed() < Duration::from_secs(60), "never {wanted}");
        }
    };
    until(&key, true).await;
    until(&other, true).await;
    nodes.kill_primary(slot_of("1")).unwrap();
    assert!(found(&key).await, "nobody has missed it yet");
    until(&other, false).await;
    until(&key, false).await;
    until(&key, true).await;
    until(&other, true).await;
}

fn entry(version: u64) -> Entry {
    let (minute, now) = (Duration::from_secs(60), Wall(0));
    let value = Some(Bytes::from_static(b"value"));
    Entry { value, version, read_at: now, stored_at: now, life: Life::new(minute, minute), delta: Duration::ZERO }
}

/// How often a put failed until one did not.
async fn again(cache: &dyn Cache, key: &Key, entry: &Entry) -> u32 {
    let (mut failed, begun) = (0, Instant::now());
    while cache.put(key, entry, When::Always).await.is_err() {
        failed += 1;
        assert!(begun.elapsed() < Duration::from_secs(60), "never again");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    failed
}

#[tokio::test]
async fn a_primary_that_sentinels_watch_keeps_the_contracts_and_is_found_again_after_it_died_or_stood_still() {
    let Some(sentinel) = testing::sentinel() else { return };
    let nodes = PrivateNodes::from(sentinel);
    let source = RedisSource::new(nodes.address()).unwrap();
    let server = source.status().await.unwrap().server;
    assert!(server.ends_with(", watched by Sentinels") && source.can_of(&server).one_place, "{server}");
    let CachePorts { cache, lease, wake, invalidations, seize, counters, .. } = source.open("run:strategy");
    let clock = Arc::new(RealClock::start());
    let subject = CacheSubject {
        cache: Arc::clone(&cache),
        lease,
        wake,
        invalidations,
        seize,
        clock: clock.clone(),
        prefix: "contract".into(),
    };
    subject.check_all().await;
    CounterSubject { counters, clock: clock.clone(), prefix: "contract".into(), increx: false }.check_all().await;
    let key = Key::of_item(1);
    for silent in [false, true] {
        let entry = entry(1);
        cache.put(&key, &entry, When::Always).await.unwrap();
        if silent {
            nodes.stop_primary(0).unwrap();
        } else {
            nodes.kill_primary(0).unwrap();
        }
        assert!(again(&*cache, &key, &entry).await > 3);
        nodes.mend().unwrap();
        again(&*cache, &key, &entry).await;
    }
    let unknown = RedisAddress { watched_as: Some("nobody".into()), ..nodes.address() };
    let refused = RedisSource::new(unknown).unwrap().preflight("run:preflight", Vec::new()).await.unwrap_err();
    let said = format!("{refused:?}");
    assert!(said.contains("the Sentinels watch no primary of that name"), "{said}");
}

/// What the server would say is asked of the server, not of a Sentinel, which knows no such user: it would refuse a cache that is well, and
/// read a password that is none of its own.
#[tokio::test]
async fn a_connection_that_was_lost_with_its_primary_is_no_reason_to_ask_a_sentinel_for_the_servers_words() {
    let Some(server) = testing::needed("redis", app::cache::redis_server::installed) else { return };
    let user = ["--user", "lab", "on", ">pw", "~*", "&*", "+@all"];
    let sentinel = PrivateSentinel::start(&server, Duration::from_secs(1), &user).unwrap();
    let nodes = PrivateNodes::from(sentinel);
    let with_user = |url: &String| url.replacen("redis://", "redis://lab:pw@", 1);
    let open = nodes.address();
    let address =
        RedisAddress { url: with_user(&open.url), others: open.others.iter().map(with_user).collect(), ..open };
    let (held, other) = (RedisSource::new(address.clone()).unwrap(), RedisSource::new(address).unwrap());
    held.preflight("run:preflight", Vec::new()).await.unwrap();
    nodes.kill_primary(0).unwrap();
    let begun = Instant::now();
    while other.status().await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody takes its place");
    }
    let ready = held.preflight("run:preflight", Vec::new()).await;
    assert!(ready.is_ok(), "{ready:?}");
}

#[tokio::test]
async fn one_node_of_a_cluster_is_enough_to_find_the_others() {
    let Some(cluster) = testing::cluster() else { return };
    let all = cluster.address();
    // The second is nobody's; a node that is gone must not keep the others from being found.
    let some = RedisAddress { others: vec!["redis://127.0.0.1:1".into()], ..all };
    let source = RedisSource::new(some).unwrap();
    let ready = source.preflight("run:preflight", Vec::new()).await;
    assert!(ready.is_ok(), "{ready:?}");
}
