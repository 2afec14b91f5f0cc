//! Locks and leases on a real Redis, over the real origin, in real time: the twins of what `strategies/tests/it/leases.rs`
//! does in virtual time. Nothing here sleeps; what takes its time is asked for until it is so.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::common::fleet::{Fleet, command, outcome, places, version_in};
use crate::common::proxy::{Loss, Proxy};
use crate::common::{eventually, settings};
use app::testing;
use app::wire::control::StartOrigin;
use futures_util::future::join_all;
use strategies::port::{CacheErrorClass, Event, LeaderEnd, Removal};
use strategies::{Key, Outcome};

/// How many holders are frozen, each with a key of its own, at once.
const ROUNDS: u32 = 50;

/// Fifty holders are frozen in their loads, past their leases; another replica takes each key over and loads a newer
/// version, and then the first ones wake up and write. Returns (late puts that were fenced off, old values over new).
async fn freeze_the_holders(spec: &str) -> Option<(usize, usize)> {
    let redis = testing::redis(&[])?;
    let origin = StartOrigin { items: ROUNDS, write_every_ns: Some(20_000_000), ..settings(1, 64) };
    let fleet = Fleet::of(spec, &redis, 2, origin).await;
    let [frozen, other] = &fleet.replicas[..] else { panic!("two replicas") };
    let keys: Vec<Key> = (1..=ROUNDS).map(Key::of_item).collect();

    frozen.freeze();
    let late: Vec<_> = keys.iter().map(|key| frozen.ask(key)).collect();
    eventually("every holder has its old version in hand", async || frozen.gate.held().len() == keys.len()).await;
    eventually("every lease has ended", async || {
        command::<Vec<String>>(&redis, &["KEYS", "*:l"]).await.unwrap().is_empty()
    })
    .await;

    let old = frozen.gate.held();
    let mut newer = Vec::new();
    for key in &keys {
        let served = other.get(key).await.unwrap();
        assert_eq!(served.outcome, Outcome::Load, "{spec}: it took over");
        let (_, held) = old.iter().find(|(of, _)| of == key).unwrap();
        assert!(served.version > *held, "{spec}: the item has changed meanwhile");
        assert_eq!(version_in(&redis, key).await, served.version);
        newer.push(served.version);
    }

    frozen.thaw();
    for answer in join_all(late).await {
        assert_eq!(outcome(&answer.unwrap()), Some(Outcome::Load), "{spec}: its own client has an answer");
    }
    fleet.quiet().await;
    assert_eq!(frozen.lock_ends(), vec![LeaderEnd::LockLost; keys.len()], "{spec}");
    let mut regressions = 0;
    for (key, newer) in keys.iter().zip(newer) {
        regressions += usize::from(version_in(&redis, key).await < newer);
    }
    Some((frozen.fenced(), regressions))
}

#[tokio::test]
async fn a_late_put_is_fenced_off() {
    let Some(counted) = freeze_the_holders("plain + lease").await else { return };
    assert_eq!(counted, (50, 0), "late puts fenced, old values over new");
}

#[tokio::test]
async fn without_the_fence_the_old_value_wins() {
    for spec in ["broken-unfenced-lease", "plain + lock(lease=2s)"] {
        let Some(counted) = freeze_the_holders(spec).await else { return };
        assert_eq!(counted, (0, 50), "{spec}: late puts fenced, old values over new");
    }
}

#[tokio::test]
async fn a_late_put_without_the_lease_never_goes_over_a_newer_version() {
    for (spec, fenced) in [("lease", 1), ("lock", 0)] {
        let Some(redis) = testing::redis(&[]) else { return };
        let origin = StartOrigin { write_every_ns: Some(20_000_000), ..settings(1, 4) };
        let fleet = Fleet::of(&format!("plain + {spec}(wait=0s, on_timeout=load)"), &redis, 3, origin).await;
        let [late, other, holder] = &fleet.replicas[..] else { panic!("three replicas") };
        let key = Key::of_item(1);
        [holder, late].iter().for_each(|replica| replica.gate.close());
        let held = holder.ask(&key);
        eventually("the holder is at it", async || holder.gate.held().len() == 1).await;
        let without = late.ask(&key);
        eventually("another one reads without the lease", async || late.gate.held().len() == 1).await;
        let (_, old) = late.gate.held()[0];
        holder.gate.open();
        assert_eq!(outcome(&held.await.unwrap()), Some(Outcome::Load), "{spec}");

        let mut newer = 0;
        eventually("the item has changed", async || {
            other.ports.cache.remove(&key, Removal::Entry).await.unwrap();
            newer = other.get(&key).await.unwrap().version;
            newer > old
        })
        .await;
        late.gate.open();
        assert_eq!(outcome(&without.await.unwrap()), Some(Outcome::Load), "{spec}: its own client has an answer");
        fleet.quiet().await;
        assert_eq!(late.fenced(), fenced, "{spec}");
        assert_eq!(version_in(&redis, &key).await, if fenced == 1 { newer } else { old }, "{spec}");
    }
}

#[tokio::test]
async fn scripts_that_are_flushed_all_the_time_cost_no_error_and_no_second_flight() {
    for spec in ["plain + lock(poll=20ms)", "plain + lease(poll=20ms)", "plain + coalesce + lease(wake=notify)"] {
        let Some(redis) = testing::redis(&[]) else { return };
        let fleet = Fleet::of(spec, &redis, 3, StartOrigin { items: 100, ..settings(2, 64) }).await;
        let over = Arc::new(AtomicBool::new(false));
        let flushing = std::thread::spawn({
            let (over, client) = (over.clone(), redis::Client::open(redis.url()).unwrap());
            move || {
                let mut connection = client.get_connection().unwrap();
                let mut flushes = 0_u32;
                while !over.load(Ordering::Relaxed) {
                    redis::cmd("SCRIPT").arg("FLUSH").exec(&mut connection).unwrap();
                    flushes += 1;
                }
                flushes
            }
        });
        // Few at once: each flush stops the server for a moment, and an operation has 100 ms.
        for keys in (1..=100).collect::<Vec<u32>>().chunks(4) {
            let keys: Vec<Key> = keys.iter().copied().map(Key::of_item).collect();
            let asking = keys.iter().flat_map(|key| fleet.replicas.iter().map(move |replica| replica.ask(key)));
            for answer in join_all(asking.collect::<Vec<_>>()).await {
                assert!(answer.as_ref().unwrap().is_ok(), "{spec}: {answer:?}");
            }
        }
        fleet.quiet().await;
        over.store(true, Ordering::Relaxed);
        let flushes = flushing.join().unwrap();
        assert!(flushes > 200, "{spec}: {flushes} flushes");
        for replica in &fleet.replicas {
            assert_eq!(replica.troubles(), [], "{spec}");
            assert!(replica.lock_ends().iter().all(|end| *end == LeaderEnd::Done), "{spec}");
        }
        let mut reads: BTreeMap<String, u32> = BTreeMap::new();
        fleet.ledger().await.into_iter().for_each(|row| *reads.entry(row.key.to_string()).or_default() += 1);
        assert!(reads.len() == 100 && reads.values().all(|n| *n == 1), "{spec}: {reads:?}");
    }
}

#[tokio::test]
async fn a_reply_lost_after_its_effect_does_not_look_like_somebody_elses_lock() {
    // Taken for somebody else's, it would be waited for in vain: it does not end within the hour.
    for spec in ["plain + lock(lease=1h, wait=1s)", "plain + lease(life=1h, wait=1s)"] {
        for (loss, class) in [(Loss::Cut, CacheErrorClass::Down), (Loss::Late, CacheErrorClass::Slow)] {
            let Some(redis) = testing::redis(&[]) else { return };
            let proxy = Proxy::to(&redis).await;
            let fleet = Fleet::start(spec, &[proxy.url()], settings(1, 4)).await;
            let replica = &fleet.replicas[0];
            let (first, second) = (Key::of_item(1), Key::of_item(2));
            // So that the server has the scripts, and each costs one command.
            assert_eq!(outcome(&replica.get(&first).await), Some(Outcome::Load));
            proxy.lose(loss, &places(&second).1);
            let answer = replica.get(&second).await;
            assert_eq!(outcome(&answer), Some(Outcome::Load), "{spec}, {loss:?}: {answer:?}");
            assert_eq!(proxy.lost(), 1, "{spec}, {loss:?}");
            assert_eq!(replica.troubles(), [Event::CacheFailed { op: "acquire", class }], "{spec}, {loss:?}");
            assert_eq!(replica.lock_ends(), [LeaderEnd::Done; 2], "{spec}, {loss:?}");
            assert_eq!(fleet.ledger().await.len(), 2, "{spec}, {loss:?}");
            assert_eq!(outcome(&replica.get(&second).await), Some(Outcome::Hit), "{spec}, {loss:?}");
        }
    }
}

#[tokio::test]
async fn a_redis_that_comes_back_empty_loses_the_lock_and_the_late_put_of_a_lease_is_still_fenced() {
    for (spec, fenced) in [("plain + lock", 0), ("plain + lease", 1)] {
        let Some(redis) = testing::redis(&[]) else { return };
        let proxy = Proxy::to(&redis).await;
        let origin = StartOrigin { write_every_ns: Some(20_000_000), ..settings(1, 4) };
        let fleet = Fleet::start(spec, &[proxy.url(), proxy.url()], origin).await;
        let [holder, other] = &fleet.replicas[..] else { panic!("two replicas") };
        let key = Key::of_item(1);
        holder.gate.close();
        let late = holder.ask(&key);
        eventually("the holder has its value in hand", async || holder.gate.held().len() == 1).await;
        let (_, old) = holder.gate.held()[0];

        let Some(again) = testing::redis(&[]) else { return };
        proxy.lead_to(&again);
        drop(redis);
        for replica in &fleet.replicas {
            eventually("it is at the empty one", async || replica.ports.cache.get(&key).await.is_ok()).await;
        }
        let mut newer = 0;
        eventually("the item has changed", async || {
            newer = other.get(&key).await.unwrap().version;
            if newer == old {
                other.ports.cache.remove(&key, Removal::Entry).await.unwrap();
            }
            newer > old
        })
        .await;
        holder.gate.open();
        assert_eq!(outcome(&late.await.unwrap()), Some(Outcome::Load), "{spec}");
        fleet.quiet().await;
        assert_eq!((holder.fenced(), holder.lock_ends()), (fenced, vec![LeaderEnd::LockLost]), "{spec}");
        let expected = if fenced == 1 { newer } else { old };
        assert_eq!(version_in(&again, &key).await, expected, "{spec}");
        for replica in &fleet.replicas {
            assert_eq!(outcome(&replica.get(&key).await), Some(Outcome::Hit), "{spec}");
        }
        assert!(other.lock_ends().iter().all(|end| *end == LeaderEnd::Done), "{spec}");
    }
}
