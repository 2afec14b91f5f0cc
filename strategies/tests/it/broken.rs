//! What is wrong on purpose goes wrong, and the right one beside it does not.

use std::time::Duration;

use crate::common::{Fleet, Script, TTL, ms, tally};
use futures_util::future::{join, join3, select};
use strategies::port::Clock;
use strategies::spec::{BROKEN, PRESETS};
use strategies::{Outcome, Spec};

#[test]
fn each_is_labelled_and_is_its_composition() {
    for broken in BROKEN {
        let spec = Spec::parse(broken.name).unwrap();
        assert!(spec.canonical().starts_with("WRONG ON PURPOSE ("), "{}", spec.canonical());
        assert!(spec.canonical().contains(broken.reason) && spec.canonical().ends_with(broken.composition));
        assert!(broken.name.starts_with("broken-") && PRESETS.iter().all(|p| p.name != broken.name));
    }
    assert_eq!(BROKEN.len(), 15);
    let error = Spec::parse("broken-lock-no-tll").unwrap_err().to_string();
    assert!(error.contains("did you mean `broken-lock-no-ttl`?"), "{error}");
}

/// Origin reads while a hot key is asked for at 400/s for 20 s.
fn refreshes_before_expiry(spec: &str) -> usize {
    let fleet = Fleet::new(spec, 3);
    fleet.run(async {
        fleet.herd(1).await;
        for _ in 0..8000_u32 {
            fleet.sleep(Duration::from_micros(2500)).await;
            fleet.herd(1).await;
        }
    });
    fleet.refreshes()
}

#[test]
fn the_turned_sign_never_fires() {
    assert_eq!(refreshes_before_expiry("broken-xfetch-sign"), 0);
    assert!(refreshes_before_expiry("xfetch") >= 3);
}

#[test]
fn without_the_reread_losers_rebuild_one_after_the_other() {
    // A loser far from the cache looks (nothing yet), the winner stores and lets go, and the loser's attempt arrives.
    let reads = |spec: &str| {
        let fleet = Fleet::new(spec, 3);
        fleet.replicas[2].link.slow(ms(3));
        fleet.run(async {
            let losers = (0..60_u64).map(|i| {
                let fleet = &fleet;
                async move {
                    fleet.world.sleep(Duration::from_micros(i * 833)).await; // polls of 50 ms at every phase
                    fleet.replicas[i as usize % 3].get().await
                }
            });
            futures_util::future::join_all(losers).await;
        });
        fleet.origin.count()
    };
    assert_eq!(reads("singleflight"), 1);
    assert!(reads("broken-lock-no-reread") > 1, "{}", reads("broken-lock-no-reread"));
}

#[test]
fn losers_that_load_make_the_lock_a_decoration() {
    let fleet = Fleet::new("broken-losers-load", 3);
    fleet.run(fleet.herd(49));
    assert_eq!(fleet.origin.count(), 49);
}

#[test]
fn a_release_without_an_owner_check_lets_a_third_one_in() {
    let at_once = |spec: &str| {
        let fleet = Fleet::new(spec, 3);
        fleet.run(async {
            let slow = fleet.replicas[0].get();
            let story = async {
                fleet.sleep(ms(100)).await;
                fleet.world.freeze(0);
                fleet.sleep(Duration::from_secs(1)).await; // past its lock of one second
                let second = fleet.replicas[1].get();
                let third = async {
                    fleet.sleep(ms(20)).await;
                    fleet.world.thaw(0); // it stores, and releases: whose lock?
                    fleet.memory_forget().await;
                    fleet.sleep(ms(20)).await;
                    fleet.replicas[2].get().await
                };
                join(second, third).await
            };
            let _ = join(slow, story).await;
        });
        fleet.origin.count()
    };
    assert_eq!(at_once("singleflight(lease=1s)"), 2, "the first, and its successor");
    // The flaw is the preset's own lease of ten seconds, so here the lock is let expire by hand.
    let fleet = Fleet::new("broken-release-anybodys", 3);
    fleet.run(async {
        let slow = fleet.replicas[0].get();
        let story = async {
            fleet.sleep(ms(100)).await;
            fleet.world.freeze(0);
            fleet.memory.clear(); // its lock has ended
            let second = fleet.replicas[1].get();
            let third = async {
                fleet.sleep(ms(20)).await;
                fleet.world.thaw(0);
                fleet.sleep(ms(110)).await; // it has stored and deleted its successor's lock
                fleet.memory_forget().await;
                fleet.replicas[2].get().await
            };
            join(second, third).await
        };
        let _ = join(slow, story).await;
    });
    assert_eq!(fleet.origin.count(), 3, "a third one beside them");
}

#[test]
fn a_lock_without_a_ttl_outlives_its_holder() {
    let outcome = |spec: &str| {
        let fleet = Fleet::new(spec, 2);
        fleet.run(async {
            let holder = async { select(Box::pin(fleet.replicas[0].get()), Box::pin(fleet.sleep(ms(101)))).await };
            let crash = async {
                fleet.sleep(ms(100)).await;
                fleet.world.crash(0);
            };
            let later = async {
                fleet.sleep(Duration::from_secs(11)).await;
                fleet.replicas[1].get().await.map(|s| s.outcome).ok()
            };
            join3(holder, crash, later).await.2
        })
    };
    assert_eq!(outcome("singleflight"), Some(Outcome::Load));
    assert_eq!(outcome("broken-lock-no-ttl"), None, "shed, for ever");
}

#[test]
fn a_flight_of_the_first_callers_own_dies_with_it() {
    let followers = |spec: &str| {
        let fleet = Fleet::new(spec, 1);
        fleet.run(async {
            let first = async { select(Box::pin(fleet.replicas[0].get()), Box::pin(fleet.sleep(ms(10)))).await };
            let others = async {
                fleet.sleep(ms(1)).await;
                fleet.herd(20).await
            };
            tally(&join(first, others).await.1)
        })
    };
    assert_eq!(followers("coalesce"), [0, 0, 20, 0, 0]);
    assert_eq!(followers("broken-callers-flight"), [0, 0, 0, 0, 20]);
}

#[test]
fn a_refresh_is_one_read_and_a_first_fill_without_the_lock_is_a_herd() {
    let reads = |spec: &str| {
        let fleet = Fleet::new(spec, 3);
        fleet.run(async {
            fleet.herd(30).await;
            let first = fleet.origin.count();
            fleet.sleep(TTL + ms(100)).await;
            fleet.herd(30).await; // stale
            fleet.sleep(ms(300)).await;
            let second = fleet.origin.count() - first;
            fleet.memory_forget().await;
            fleet.herd(30).await;
            (first, second, fleet.origin.count() - first - second)
        })
    };
    assert_eq!(reads("swr"), (1, 1, 1));
    assert_eq!(reads("broken-swr-unprotected-fill"), (30, 1, 30));
}

#[test]
fn stale_for_ever_is_served_past_its_hard_life() {
    let age_ms = |spec: &str| {
        let fleet = Fleet::new(spec, 1);
        let clock = fleet.world.clock(0);
        fleet.run(async {
            fleet.herd(1).await;
            fleet.origin.next(&[Script::Fail; 9]);
            let stored = clock.mono();
            fleet.sleep(TTL + ms(1500)).await; // hard life is six seconds
            let served = fleet.herd(1).await.remove(0).ok();
            served.map(|s| (s.outcome, clock.mono().since(stored).as_millis()))
        })
    };
    assert_eq!(age_ms("broken-stale-for-ever"), Some((Outcome::Stale, 6500)));
    assert_eq!(age_ms("swr(stale=1s) + lock"), None, "the origin fails, and there is nothing left to serve");
}
