//! The lease: renewed while its holder works, fenced when it is late; the wake-up; the back-off after an error.

use std::time::Duration;

use crate::common::{Fault, Fleet, SERVICE, Script, TTL, ms, tally};
use futures_util::future::{join, join3, select};
use strategies::port::{Clock, Event, LeaderEnd, OriginError, Stored};
use strategies::{GetError, Outcome};

fn fenced(fleet: &Fleet) -> usize {
    fleet.count(|e| matches!(e, Event::Put { stored: Stored::Fenced, .. }))
}

#[test]
fn done() {
    let fleet = Fleet::new("plain + lease", 3);
    let answers = fleet.run(fleet.herd(49));
    assert_eq!(tally(&answers), [0, 0, 48, 1, 0]);
    assert_eq!((fleet.lock_ends(), fenced(&fleet)), (vec![LeaderEnd::Done], 0));
    fleet.assert_ledgers_agree();
}

#[test]
fn it_is_renewed_while_the_load_takes_longer_than_its_life() {
    // A life of 60 ms under a load of 200 ms: without renewal three others would take over.
    let fleet = Fleet::new("plain + lease(life=60ms)", 3);
    let answers = fleet.run(fleet.herd(49));
    assert_eq!(tally(&answers), [0, 0, 48, 1, 0]);
    assert_eq!(fleet.origin.count(), 1);
    assert_eq!(fleet.lock_ends(), [LeaderEnd::Done]);
}

#[test]
fn origin_error_reaches_the_process_once_and_another_takes_over() {
    let fleet = Fleet::new("plain + coalesce + lease", 2);
    fleet.origin.next(&[Script::Fail]);
    let answers = fleet.run(fleet.herd(10));
    assert_eq!(tally(&answers), [0, 0, 4, 1, 5], "five of one process fail, the other's lead");
    assert_eq!(fleet.lock_ends(), [LeaderEnd::OriginError, LeaderEnd::Done]);
}

#[test]
fn a_holder_gives_up_at_its_maximal_age() {
    let fleet = Fleet::new("plain + lease(max_age=700ms)", 2);
    fleet.origin.next(&[Script::Hang]);
    let clock = fleet.world.clock(0);
    let (led, followed, at) = fleet.run(async {
        let leader = async {
            let answer = fleet.replicas[0].get().await;
            (answer, clock.mono().0 / 1_000_000)
        };
        let ((led, at), followed) = join(leader, fleet.replicas[1].get()).await;
        (led, followed, at)
    });
    assert!(matches!(led, Err(GetError::Origin { error: OriginError::TimedOut, .. })), "{led:?}");
    assert!((700..720).contains(&at), "{at} ms");
    assert_eq!(followed.map(|s| s.outcome), Ok(Outcome::Load));
    assert_eq!(fleet.lock_ends(), [LeaderEnd::TimedOut, LeaderEnd::Done]);
}

#[test]
fn a_vanished_holders_lease_ends_within_its_life() {
    let fleet = Fleet::new("plain + lease", 2);
    let clock = fleet.world.clock(0);
    let at = fleet.run(async {
        let holder = async { select(Box::pin(fleet.replicas[0].get()), Box::pin(fleet.sleep(ms(101)))).await };
        let crash = async {
            fleet.sleep(ms(100)).await;
            fleet.world.crash(0);
        };
        let follower = async {
            fleet.sleep(ms(50)).await;
            assert_eq!(fleet.replicas[1].get().await.map(|s| s.outcome), Ok(Outcome::Load));
            clock.mono().0 / 1_000_000
        };
        join3(holder, crash, follower).await.2
    });
    assert!((1200..1300).contains(&at), "its life, a poll at most, and the load; found {at} ms");
    assert_eq!(fleet.lock_ends(), [LeaderEnd::Vanished, LeaderEnd::Done]);
}

#[test]
fn a_lost_lease_is_counted_its_put_is_fenced_off_and_the_answer_is_good() {
    let fleet = Fleet::new("plain + lease", 2);
    let answers = fleet.run(async {
        let evict = async {
            fleet.sleep(ms(100)).await;
            fleet.memory.clear();
        };
        join(fleet.herd(1), evict).await.0
    });
    assert_eq!(tally(&answers), [0, 0, 0, 1, 0]);
    assert_eq!((fleet.lock_ends(), fenced(&fleet)), (vec![LeaderEnd::LockLost], 1));
    assert_eq!(fleet.flight_ends(), [LeaderEnd::Done]);
    assert_eq!(tally(&fleet.run(fleet.herd(2))), [0, 0, 1, 1, 0], "the next one reads, and is heard by all");
}

#[test]
fn lost_replies_neither_lock_the_holder_out_nor_leave_its_lease_behind() {
    for fault in [Fault::AcquireReplyLost, Fault::ReleaseReplyLost] {
        // For somebody else's it would be waited for in vain.
        let fleet = Fleet::new("plain + lease(life=1h, wait=1s)", 2);
        fleet.replicas[0].link.set(fault);
        fleet.run(async {
            assert_eq!(tally(&fleet.herd(10).await), [0, 0, 9, 1, 0], "{fault:?}");
            fleet.sleep(TTL).await;
            assert_eq!(tally(&fleet.herd(10).await), [0, 0, 9, 1, 0], "{fault:?}: the key is free");
        });
        assert_eq!(fleet.lock_ends(), [LeaderEnd::Done, LeaderEnd::Done], "{fault:?}");
        assert_eq!(fleet.origin.count(), 2, "{fault:?}");
    }
}

/// A holder is frozen in its load, past its lease; another takes over, the item changes, and the first one wakes up and
/// writes. Returns (late puts fenced, old values over new).
fn freeze_a_holder(spec: &str, rounds: u64) -> (usize, u64) {
    let fleet = Fleet::new(spec, 2);
    let mut regressions = 0;
    fleet.run(async {
        for _ in 0..rounds {
            fleet.sleep(TTL * 3).await; // nothing is in the cache
            let frozen = fleet.replicas[0].get();
            let story = async {
                fleet.sleep(ms(100)).await;
                fleet.world.freeze(0);
                let newer = fleet.replicas[1].get().await.unwrap();
                assert_eq!(newer.outcome, Outcome::Load, "{spec}: it took over");
                fleet.world.thaw(0);
                fleet.sleep(ms(300)).await;
                let now = fleet.replicas[1].get().await.unwrap();
                u64::from(now.version < newer.version)
            };
            let (late, regressed) = join(frozen, story).await;
            assert!(late.is_ok(), "{spec}: its own client has an answer");
            regressions += regressed;
        }
    });
    (fenced(&fleet), regressions)
}

#[test]
fn a_late_put_is_fenced_off_and_without_the_fence_the_old_value_wins() {
    assert_eq!(freeze_a_holder("plain + lease", 50), (50, 0));
    assert_eq!(freeze_a_holder("plain + lock(lease=1s)", 50), (0, 50));
    assert_eq!(freeze_a_holder("broken-unfenced-lease", 50), (0, 50));
}

/// Somebody who reads without the lease (the cache could not give it, or the wait was over) is frozen over that read;
/// meanwhile the holder stores a newer version. Returns (late puts fenced, whether the old value won).
fn freeze_one_without_the_lease(spec: &str, cache_lost: bool) -> (usize, bool) {
    let fleet = Fleet::new(spec, 3);
    let regressed = fleet.run(async {
        let story = async {
            fleet.sleep(ms(100)).await;
            fleet.world.freeze(0);
            fleet.replicas[0].link.set(Fault::None);
            let newer = async {
                fleet.sleep(ms(300)).await; // the holder of the lease has stored, and let go
                fleet.memory_forget().await;
                fleet.replicas[1].get().await.unwrap()
            };
            let newer = newer.await;
            assert_eq!(newer.outcome, Outcome::Load, "{spec}");
            fleet.world.thaw(0);
            fleet.sleep(ms(300)).await;
            fleet.replicas[1].get().await.unwrap().version < newer.version
        };
        let without = async {
            fleet.sleep(ms(10)).await;
            if cache_lost {
                fleet.replicas[0].link.set(Fault::Down);
            }
            fleet.replicas[0].get().await
        };
        let (held, late, regressed) = join3(fleet.replicas[2].get(), without, story).await;
        assert!(held.is_ok() && late.is_ok_and(|s| s.outcome == Outcome::Load), "{spec}: each read for itself");
        regressed
    });
    (fenced(&fleet), regressed)
}

#[test]
fn a_late_put_without_the_lease_never_goes_over_a_newer_version() {
    assert_eq!(freeze_one_without_the_lease("plain + lease", true), (1, false), "the cache is lost to one");
    assert_eq!(freeze_one_without_the_lease("plain + lease(wait=0s, on_timeout=load)", false), (1, false), "he loads");
    // A lock promises no such thing.
    assert_eq!(freeze_one_without_the_lease("plain + lock", true), (0, true));
}

#[test]
fn a_message_wakes_the_losers_at_once() {
    let overshoot = |spec: &str| {
        let fleet = Fleet::new(spec, 2);
        let clock = fleet.world.clock(0);
        fleet.run(async {
            let loser = async {
                fleet.sleep(ms(1)).await;
                assert_eq!(fleet.replicas[1].get().await.unwrap().outcome, Outcome::Wait);
                Duration::from_nanos(clock.mono().0).saturating_sub(SERVICE)
            };
            join(fleet.replicas[0].get(), loser).await.1
        })
    };
    assert!(overshoot("plain + lease(wake=notify)") < ms(5));
    assert!(overshoot("plain + lock(wake=notify)") < ms(5));
    assert!(overshoot("plain + lease(poll=150ms)") > ms(90), "polled at 150 and 300 ms");
}

#[test]
fn a_lost_message_costs_one_fallback_poll_and_no_more() {
    let fleet = Fleet::new("plain + lease(wake=notify, fallback=120ms)", 2);
    fleet.replicas[1].link.set(Fault::MessagesLost);
    let clock = fleet.world.clock(0);
    let (at, outcome) = fleet.run(async {
        let loser = async {
            fleet.sleep(ms(1)).await;
            let served = fleet.replicas[1].get().await.unwrap();
            (clock.mono().0 / 1_000_000, served.outcome)
        };
        join(fleet.replicas[0].get(), loser).await.1
    });
    assert_eq!(outcome, Outcome::Wait);
    assert!((200..=325).contains(&at), "the load, and a fall-back poll at most; found {at} ms");
}

#[test]
fn a_value_that_comes_between_the_lost_race_and_the_subscription_is_seen() {
    // The loser's attempt fails just before the winner stores; listening first and looking then finds the value at once.
    for start_ms in [195_u64, 197, 198, 199, 200, 201] {
        let fleet = Fleet::new("plain + lease(wake=notify, fallback=10s, wait=1m)", 2);
        let clock = fleet.world.clock(0);
        let at = fleet.run(async {
            let loser = async {
                fleet.sleep(ms(start_ms)).await;
                assert!(fleet.replicas[1].get().await.is_ok());
                clock.mono().0 / 1_000_000
            };
            join(fleet.replicas[0].get(), loser).await.1
        });
        assert!(at < 210, "asked at {start_ms} ms, answered at {at} ms: it missed the message");
    }
}

#[test]
fn with_the_cache_lost_a_lease_coalesces_in_its_process() {
    let fleet = Fleet::new("plain + lease", 3);
    fleet.replicas.iter().for_each(|r| r.link.set(Fault::Down));
    assert_eq!(tally(&fleet.run(fleet.herd(30))), [0, 0, 27, 3, 0]);
}

#[test]
fn a_failing_origin_is_asked_a_few_times_a_second_and_not_by_every_request() {
    let fleet = Fleet::new("stack", 3);
    fleet.origin.next(&[Script::Fail; 1000]);
    fleet.run(async {
        for _ in 0..1000 {
            fleet.sleep(ms(5)).await;
            let asking = fleet.replicas[0].get();
            // Nobody waits here for the answer: 200 requests a second for five seconds.
            fleet.world.spawner(9).spawn(Box::pin(async move { drop(asking.await) }));
        }
    });
    // A load of 200 ms and a back-off of 100 to 200 ms: three a second.
    assert!((10..=18).contains(&fleet.origin.count()), "{} reads in five seconds", fleet.origin.count());
}

#[test]
fn what_does_not_exist_is_remembered_where_a_negative_layer_says_so() {
    let fleet = Fleet::new("plain + negative + coalesce", 1);
    fleet.origin.next(&[Script::Missing, Script::Missing]);
    fleet.run(async {
        assert_eq!(tally(&fleet.herd(5).await), [0, 0, 4, 1, 0]);
        let remembered = fleet.herd(5).await;
        assert_eq!(tally(&remembered), [5, 0, 0, 0, 0]);
        assert!(remembered.iter().flatten().all(|s| s.value.is_none()));
        fleet.sleep(ms(1001)).await;
        assert_eq!(tally(&fleet.herd(5).await), [0, 0, 4, 1, 0], "for a second, and no longer");
    });
}

#[test]
fn ahead_and_soft_window_refresh_before_the_expiry() {
    for (spec, first_ms, last_ms) in [("ahead", 4500, 4510), ("apee-lrm", 4000, 4990)] {
        let fleet = Fleet::new(spec, 3);
        let clock = fleet.world.clock(0);
        let begun = fleet.run(async {
            fleet.herd(1).await;
            let stored = clock.mono();
            let mut begun = None;
            while begun.is_none() {
                fleet.sleep(ms(2)).await;
                let answers = fleet.herd(1).await;
                assert_eq!(tally(&answers), [1, 0, 0, 0, 0], "{spec}: nobody waits");
                begun = (fleet.refreshes() > 0).then(|| clock.mono().since(stored).as_millis() as u64);
            }
            begun.unwrap()
        });
        assert!((first_ms..=last_ms).contains(&begun), "{spec}: refreshed {begun} ms after it was stored");
    }
}

#[test]
fn the_best_serves_a_hot_key_without_a_wait() {
    for spec in ["best", "stack"] {
        let fleet = Fleet::new(spec, 3);
        let answers = fleet.run(async {
            fleet.herd(1).await;
            let mut answers = Vec::new();
            for _ in 0..8000_u32 {
                fleet.sleep(Duration::from_micros(2500)).await;
                answers.extend(fleet.herd(1).await);
            }
            answers
        });
        let [hit, stale, wait, load, failed] = tally(&answers);
        assert_eq!((wait, load, failed), (0, 0, 0), "{spec}");
        assert!(spec == "stack" || (hit, stale) == (8000, 0), "{spec}: {stale} stale");
        fleet.assert_ledgers_agree();
    }
}
