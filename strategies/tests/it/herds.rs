//! What each preset does to a herd at an expiry: counts and outcomes, in virtual time.

use std::time::Duration;

use crate::common::{Fleet, TTL, ms, tally};
use strategies::port::{Cache as _, Clock as _, Event, Lookup};
use strategies::{Key, Outcome};

/// A fleet of three; 49 requests at once on an empty cache, then 12 expiries of 49 requests each.
fn reads_of_twelve_expiries(spec: &str) -> usize {
    let fleet = Fleet::new(spec, 3);
    fleet.run(async {
        for _ in 0..12 {
            fleet.herd(49).await;
            fleet.sleep(TTL * 6 / 5).await; // past a TTL that jitter lengthened, too
        }
    });
    fleet.assert_ledgers_agree();
    fleet.origin.count()
}

#[test]
fn origin_reads_of_twelve_expiries_under_a_herd_of_49() {
    for (spec, reads) in [
        ("naive", 12 * 49),
        ("jitter", 12 * 49),
        ("coalesce", 12 * 3), // one a replica
        ("singleflight", 12), // one a fleet; 24 where a flight closes before its value is stored
        ("coalesce + lock + plain", 12),
    ] {
        assert_eq!(reads_of_twelve_expiries(spec), reads, "{spec}");
    }
}

#[test]
fn every_request_says_how_it_was_answered() {
    for (spec, expected) in [
        ("naive", [0, 0, 0, 49, 0]),
        ("coalesce", [0, 0, 46, 3, 0]),
        ("singleflight", [0, 0, 48, 1, 0]),
        ("plain + lock + coalesce", [0, 0, 48, 1, 0]),
    ] {
        let fleet = Fleet::new(spec, 3);
        let (cold, warm) = fleet.run(async { (fleet.herd(49).await, fleet.herd(49).await) });
        assert_eq!(tally(&cold), expected, "{spec}, cold");
        assert_eq!(tally(&warm), [49, 0, 0, 0, 0], "{spec}, warm");
    }
}

#[test]
fn a_loser_of_the_lock_waits_for_the_load_and_at_most_a_poll_more() {
    let fleet = Fleet::new("singleflight", 2);
    let took = fleet.run(async {
        let winner = fleet.replicas[0].get();
        let start = fleet.world.clock(0);
        let loser = async {
            fleet.sleep(ms(1)).await;
            let begun = strategies::port::Clock::mono(&*start);
            let served = fleet.replicas[1].get().await.unwrap();
            assert_eq!(served.outcome, Outcome::Wait);
            strategies::port::Clock::mono(&*start).since(begun)
        };
        futures_util::future::join(winner, loser).await.1
    });
    assert!(took >= ms(199) && took <= ms(255), "{took:?}");
}

#[test]
fn swr_serves_the_old_value_at_once_and_refreshes_once() {
    let fleet = Fleet::new("swr", 3);
    fleet.run(async {
        fleet.herd(1).await;
        fleet.sleep(TTL).await;
        let stale = fleet.herd(49).await;
        assert_eq!(tally(&stale), [0, 49, 0, 0, 0]);
        assert!(stale.iter().flatten().all(|s| s.version == 1 && s.ttl_left_ns < 0));
        fleet.sleep(ms(250)).await;
        let fresh = fleet.herd(49).await;
        assert_eq!(tally(&fresh), [49, 0, 0, 0, 0]);
        assert!(fresh.iter().flatten().all(|s| s.version == 2));
        fleet.sleep(TTL * 2).await;
        assert_eq!(tally(&fleet.herd(49).await), [0, 0, 48, 1, 0], "hard-expired: the foreground is protected, too");
    });
    assert_eq!((fleet.origin.count(), fleet.refreshes()), (3, 1));
    fleet.assert_ledgers_agree();
}

#[test]
fn swr_without_a_lock_refreshes_once_a_replica_or_more() {
    for (spec, refreshes) in [("swr + coalesce", 3), ("swr + bare", 49)] {
        let fleet = Fleet::new(spec, 3);
        fleet.run(async {
            fleet.herd(1).await;
            fleet.sleep(TTL).await;
            fleet.herd(49).await;
            fleet.sleep(ms(250)).await;
        });
        assert_eq!(fleet.refreshes(), refreshes, "{spec}");
    }
}

#[test]
fn xfetch_refreshes_a_hot_key_before_it_expires() {
    let fleet = Fleet::new("xfetch", 3);
    let answers = fleet.run(async {
        let mut answers = fleet.herd(1).await;
        // 400 requests a second for a minute.
        for _ in 0..24_000_u32 {
            fleet.sleep(Duration::from_micros(2500)).await;
            answers.extend(fleet.herd(1).await);
        }
        answers
    });
    let [hit, stale, wait, load, failed] = tally(&answers);
    assert_eq!((hit, stale, wait, load, failed), (24_000, 0, 0, 1, 0), "nobody waits after the first fill");
    // xfetch + lock: one read every T − E[G] + d, E[G] = βd(ln(rβd) + 0.577) = 0.992 s, so 4.21 s: 14.3 in a minute.
    assert!((13..=17).contains(&fleet.refreshes()), "{}", fleet.refreshes());
    assert!(fleet.count(|e| matches!(e, Event::EarlyRefresh(_))) >= fleet.refreshes());
    fleet.assert_ledgers_agree();
}

#[test]
fn xfetch_in_sync_mode_makes_its_caller_compute() {
    // β this high fires on every read of an entry that took any time to load.
    let fleet = Fleet::new("xfetch(beta=100, mode=sync)", 1);
    let outcome = fleet.run(async {
        fleet.herd(1).await;
        fleet.sleep(ms(4900)).await;
        fleet.herd(1).await[0].clone().map(|s| (s.outcome, s.version))
    });
    assert_eq!(outcome, Ok((Outcome::Load, 2)));
}

#[test]
fn any_policy_takes_a_stale_window() {
    let fleet = Fleet::new("plain(stale=T) + lock", 2);
    let answers = fleet.run(async {
        fleet.herd(1).await;
        fleet.sleep(TTL + ms(1)).await;
        fleet.herd(10).await
    });
    assert_eq!(tally(&answers), [0, 10, 0, 0, 0]);
}

/// The lives in seconds that a layer gives 200 keys, each of which tells the end of its freshness exactly, however slow the cache is.
fn lives(spec: &str) -> Vec<f64> {
    let fleet = Fleet::new(spec, 1);
    let replica = &fleet.replicas[0];
    replica.link.slow(ms(40));
    let lives = fleet.run(async {
        let mut lives = Vec::new();
        for key in (1..=200).map(Key::of_item) {
            let cx = strategies::Cx { request: 0, deadline: strategies::time::Mono(u64::MAX), replica: 0 };
            let item = replica.stack.prefetch(cx, &key).await.unwrap();
            let item = strategies::WarmItem { key: key.clone(), item, life_left: 1.0 };
            replica.stack.store_all(vec![item], 1).await.unwrap();
            let Ok(Lookup::Found(entry, _)) = fleet.memory.get(&key).await else { panic!("{key} was stored") };
            let age = fleet.world.clock(0).wall().since(entry.stored_at);
            assert_eq!(age, ms(80), "there and back");
            lives.push((fleet.world.clock(0).mono().plus(entry.life.soft.saturating_sub(age)), entry.life.soft));
        }
        lives
    });
    let until = |e: Event| if let Event::Put { fresh_until, .. } = e { Some(fresh_until) } else { None };
    assert!(fleet.events().into_iter().filter_map(until).eq(lives.iter().map(|(until, _)| *until)));
    lives.into_iter().map(|(_, life)| life.as_secs_f64()).collect()
}

#[test]
fn jitter_spreads_the_expiries_of_keys_that_were_written_together() {
    let lives = lives("jitter(1.0)");
    assert_eq!(lives.len(), 200);
    assert!(lives.iter().all(|l| (5.0..10.0).contains(l)));
    let mean = lives.iter().sum::<f64>() / 200.0;
    assert!((mean - 7.5).abs() < 0.4, "U(0, 1) on 5 s has mean 7.5 s, found {mean}");
}

#[test]
fn what_does_not_exist_is_answered_and_not_cached() {
    let fleet = Fleet::new("coalesce", 1);
    fleet.origin.next(&[crate::common::Script::Missing]);
    let (missing, then) = fleet.run(async { (fleet.herd(5).await, fleet.herd(5).await) });
    assert_eq!(tally(&missing), [0, 0, 4, 1, 0]);
    assert!(missing.iter().flatten().all(|s| s.value.is_none()));
    assert_eq!(tally(&then), [0, 0, 4, 1, 0], "asked again");
}

#[test]
fn jitter_both_ways_makes_lives_shorter_too() {
    for spelling in ["jitter(±0.4)", "plain + bare + jitter(spread=+-0.4)"] {
        let lives = lives(spelling);
        assert!(lives.len() == 200 && lives.iter().all(|l| (3.0..7.0).contains(l)), "{lives:?}");
        let mean = lives.iter().sum::<f64>() / 200.0;
        assert!((mean - 5.0).abs() < 0.3, "U(-0.4, 0.4) on 5 s has mean 5 s, found {mean}");
    }
}
