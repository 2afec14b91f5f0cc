//! The ways in which a leader can end, and what its followers get: one test for each, for coalescing and for the lock.

use crate::common::{Fault, Fleet, Script, TTL, ms, tally};
use strategies::port::{Event, LeaderEnd, OriginError};
use strategies::{GetError, Outcome};

#[test]
fn done_under_both() {
    for spec in ["coalesce", "singleflight"] {
        let fleet = Fleet::new(spec, 1);
        let answers = fleet.run(fleet.herd(10));
        assert_eq!(tally(&answers), [0, 0, 9, 1, 0], "{spec}");
        assert_eq!(fleet.flight_ends(), [LeaderEnd::Done], "{spec}");
    }
}

#[test]
fn coalesce_origin_error_reaches_every_follower_once() {
    let fleet = Fleet::new("coalesce", 1);
    fleet.origin.next(&[Script::Fail]);
    let (failed, during, then) = fleet.run(async {
        let (failed, during) = (fleet.herd(10).await, fleet.herd(10).await);
        fleet.sleep(ms(200)).await;
        (failed, during, fleet.herd(10).await)
    });
    assert_eq!(failed[0], during[0], "while the key backs off: the same error, at once");
    let error = OriginError::Failed("scripted".into());
    assert!(failed.iter().all(|a| matches!(a, Err(GetError::Origin { error: e, .. }) if *e == error)), "{failed:?}");
    assert_eq!(tally(&then), [0, 0, 9, 1, 0], "the next flight is a new one");
    assert_eq!(fleet.flight_ends(), [LeaderEnd::OriginError, LeaderEnd::Done]);
}

#[test]
fn lock_origin_error_fails_the_leader_and_another_takes_over_at_once() {
    let fleet = Fleet::new("singleflight", 2);
    fleet.origin.next(&[Script::Fail]);
    let answers = fleet.run(fleet.herd(10));
    assert_eq!(tally(&answers), [0, 0, 8, 1, 1]);
    assert_eq!(fleet.lock_ends(), [LeaderEnd::OriginError, LeaderEnd::Done]);
    fleet.assert_ledgers_agree();
}

#[test]
fn coalesce_timed_out() {
    let fleet = Fleet::new("coalesce", 1);
    fleet.origin.next(&[Script::Hang]);
    let answers = fleet.run(fleet.herd(3));
    assert!(answers.iter().all(|a| matches!(a, Err(GetError::Origin { error: OriginError::TimedOut, .. }))));
    assert_eq!(fleet.flight_ends(), [LeaderEnd::TimedOut]);
}

#[test]
fn a_lock_leader_gives_up_before_its_lock_ends() {
    let fleet = Fleet::new("singleflight(lease=2s)", 2);
    fleet.origin.next(&[Script::Hang]);
    let clock = fleet.world.clock(0);
    let (answers, at) = fleet.run(async {
        let leader = fleet.replicas[0].get();
        let follower = fleet.replicas[1].get();
        let timed = async {
            let answer = leader.await;
            (answer, strategies::port::Clock::mono(&*clock).0 / 1_000_000)
        };
        let ((led, at), followed) = futures_util::future::join(timed, follower).await;
        ([led, followed], at)
    });
    assert!(matches!(answers[0], Err(GetError::Origin { error: OriginError::TimedOut, .. })), "{:?}", answers[0]);
    assert!((1490..=1510).contains(&at), "lease minus half a second, found {at} ms");
    assert_eq!(answers[1].as_ref().map(|s| s.outcome), Ok(Outcome::Load), "the follower took over");
    assert_eq!(fleet.lock_ends(), [LeaderEnd::TimedOut, LeaderEnd::Done]);
}

#[test]
fn a_lost_lock_is_counted_and_the_answer_is_good() {
    let fleet = Fleet::new("singleflight", 1);
    let answers = fleet.run(async {
        let evict = async {
            fleet.sleep(ms(100)).await;
            fleet.memory.clear();
        };
        futures_util::future::join(fleet.herd(1), evict).await.0
    });
    assert_eq!(tally(&answers), [0, 0, 0, 1, 0]);
    assert_eq!(fleet.flight_ends(), [LeaderEnd::Done]);
    assert_eq!(fleet.lock_ends(), [LeaderEnd::LockLost]);
}

#[test]
fn coalesce_vanished_leader_is_followed_by_another() {
    let fleet = Fleet::new("coalesce", 1);
    let answers = fleet.run(async {
        let crash = async {
            fleet.sleep(ms(100)).await;
            fleet.world.crash(0); // the leader's task goes; the requests stay
        };
        futures_util::future::join(fleet.herd(10), crash).await.0
    });
    assert_eq!(tally(&answers), [0, 0, 9, 1, 0], "one of the followers led");
    assert_eq!(fleet.flight_ends(), [LeaderEnd::Vanished, LeaderEnd::Done]);
    fleet.assert_ledgers_agree();
}

#[test]
fn a_leader_that_always_vanishes_is_an_error_and_no_loop() {
    for spec in ["naive", "coalesce"] {
        let fleet = Fleet::new(spec, 1);
        let answers = fleet.run(async {
            let crashes = async {
                for _ in 0..10 {
                    fleet.sleep(ms(100)).await;
                    fleet.world.crash(0);
                }
            };
            futures_util::future::join(fleet.herd(3), crashes).await.0
        });
        assert!(answers.iter().all(|a| a == &Err(GetError::LeadersVanished)), "{spec}: {answers:?}");
    }
}

#[test]
fn lock_holder_vanishes_and_a_follower_takes_over_when_its_lease_ends() {
    let fleet = Fleet::new("singleflight(lease=2s)", 2);
    let clock = fleet.world.clock(0);
    let at = fleet.run(async {
        let holder = fleet.replicas[0].get();
        let follower = async {
            fleet.sleep(ms(50)).await;
            let answer = fleet.replicas[1].get().await;
            assert_eq!(answer.map(|s| s.outcome), Ok(Outcome::Load));
            strategies::port::Clock::mono(&*clock).0 / 1_000_000
        };
        let crash = async {
            fleet.sleep(ms(100)).await;
            fleet.world.crash(0);
        };
        let holder = async { futures_util::future::select(Box::pin(holder), Box::pin(fleet.sleep(ms(101)))).await };
        futures_util::future::join3(holder, follower, crash).await.1
    });
    assert!((2200..=2300).contains(&at), "lease, a poll at most, and the load; found {at} ms");
    assert_eq!(fleet.lock_ends(), [LeaderEnd::Vanished, LeaderEnd::Done]);
}

#[test]
fn the_first_caller_goes_away_and_the_others_get_their_answer() {
    for (spec, rest) in [("coalesce", [0, 0, 199, 0, 0]), ("singleflight", [0, 0, 199, 0, 0])] {
        let fleet = Fleet::new(spec, 1);
        let answers = fleet.run(async {
            let first = async {
                // Dropped after 10 ms, as a server drops the future of a client that closed.
                futures_util::future::select(Box::pin(fleet.replicas[0].get()), Box::pin(fleet.sleep(ms(10)))).await;
            };
            let others = async {
                fleet.sleep(ms(1)).await;
                fleet.herd(199).await
            };
            futures_util::future::join(first, others).await.1
        });
        assert_eq!(tally(&answers), rest, "{spec}");
        assert_eq!(fleet.origin.count(), 1, "{spec}");
    }
}

#[test]
fn a_lost_acquire_reply_does_not_look_like_somebody_elses_lock() {
    let fleet = Fleet::new("singleflight", 2);
    fleet.replicas[0].link.set(Fault::AcquireReplyLost);
    let clock = fleet.world.clock(0);
    let answers = fleet.run(fleet.herd(10));
    assert_eq!(tally(&answers), [0, 0, 9, 1, 0]);
    assert_eq!(fleet.origin.count(), 1);
    let now = strategies::port::Clock::mono(&*clock).0 / 1_000_000;
    assert!(now < 400, "nobody waited for the lease to end: {now} ms");
    assert_eq!(fleet.lock_ends(), [LeaderEnd::Done]);
}

#[test]
fn a_lost_release_reply_is_no_lost_lock() {
    let fleet = Fleet::new("singleflight", 1);
    fleet.replicas[0].link.set(Fault::ReleaseReplyLost);
    fleet.run(async {
        fleet.herd(1).await;
        fleet.sleep(TTL).await;
        assert_eq!(tally(&fleet.herd(1).await), [0, 0, 0, 1, 0], "the lock is free");
    });
    assert_eq!(fleet.lock_ends(), [LeaderEnd::Done, LeaderEnd::Done]);
}

#[test]
fn with_the_cache_lost_a_lock_coalesces_in_its_process_and_comes_back_by_itself() {
    let fleet = Fleet::new("singleflight", 3);
    fleet.run(async {
        fleet.replicas.iter().for_each(|r| r.link.set(Fault::Down));
        let lost = fleet.herd(30).await;
        assert_eq!(tally(&lost), [0, 0, 27, 3, 0], "one read a replica");
        fleet.replicas.iter().for_each(|r| r.link.set(Fault::None));
        assert_eq!(tally(&fleet.herd(30).await), [0, 0, 29, 1, 0], "one read a fleet");
    });
    assert_eq!(fleet.count(|e| matches!(e, Event::LockFallback(_))), 30);
    fleet.assert_ledgers_agree();
}

#[test]
fn a_corrupt_entry_is_a_counted_miss_and_is_overwritten() {
    let fleet = Fleet::new("naive", 1);
    let answers = fleet.run(async {
        fleet.replicas[0].link.set(Fault::Corrupt);
        [fleet.herd(1).await, fleet.herd(1).await].concat()
    });
    assert_eq!(tally(&answers), [1, 0, 0, 1, 0]);
    assert_eq!(fleet.count(|e| matches!(e, Event::Corrupt(_))), 1);
}

#[test]
fn what_a_loser_gets_at_the_time_out_is_its_to_choose() {
    for (on_timeout, outcome) in [("shed", Err(())), ("load", Ok(Outcome::Load)), ("stale", Err(()))] {
        let fleet = Fleet::new(&format!("singleflight(wait=500ms, on_timeout={on_timeout})"), 2);
        fleet.origin.next(&[Script::Hang]);
        let answer = fleet.run(async {
            let leader = Box::pin(fleet.replicas[0].get());
            let loser = async {
                fleet.sleep(ms(10)).await;
                fleet.replicas[1].get().await
            };
            let (answer, _) = match futures_util::future::select(leader, Box::pin(loser)).await {
                futures_util::future::Either::Right(right) => right,
                futures_util::future::Either::Left(_) => panic!("the leader hangs"),
            };
            answer
        });
        assert_eq!(answer.as_ref().map(|s| s.outcome).map_err(|_| ()), outcome, "{on_timeout}: {answer:?}");
        assert_eq!(matches!(answer, Err(GetError::Shed { .. })), outcome.is_err(), "{on_timeout}");
        assert_eq!(fleet.count(|e| matches!(e, Event::LockTimeout(_))), 1, "{on_timeout}");
    }
}

#[test]
fn a_request_that_joined_a_refresh_which_found_somebody_else_waits_for_that_one() {
    // Replica 1 refreshes (Try) while replica 0 holds the lock; a request of replica 1 joins that flight, is told Busy
    // with it, and starts again as Wait.
    let fleet = Fleet::new("swr(soft=T, stale=100ms) + coalesce + lock", 2);
    let answers = fleet.run(async {
        fleet.herd(1).await;
        fleet.sleep(TTL + ms(90)).await; // stale for another 10 ms
        let early = fleet.herd(2).await; // both replicas refresh in the background
        assert_eq!(tally(&early), [0, 2, 0, 0, 0]);
        fleet.sleep(ms(15)).await; // hard-expired, the refresh still under way
        fleet.herd(10).await
    });
    assert_eq!(tally(&answers), [0, 0, 10, 0, 0]);
    assert_eq!(fleet.origin.count(), 2);
}

#[test]
fn a_wait_for_a_lock_is_told_however_it_ends() {
    let waits = |fleet: &Fleet| {
        let waits: Vec<u128> = fleet.lock_waits().iter().map(std::time::Duration::as_millis).collect();
        waits
    };
    // Answered, when the winner is done.
    let answered = Fleet::new("singleflight", 2);
    answered.run(answered.herd(3));
    assert!(matches!(waits(&answered)[..], [200..210, 200..210]), "{:?}", answered.lock_waits());
    // Leading after all: its own read is no wait.
    let led = Fleet::new("singleflight", 2);
    led.origin.next(&[Script::Fail]);
    assert_eq!(tally(&led.run(led.herd(2))), [0, 0, 0, 1, 1]);
    assert!(matches!(waits(&led)[..], [200..210]), "{:?}", led.lock_waits());
    // Giving up, and reading on its own.
    let gave_up = Fleet::new("singleflight(wait=50ms, on_timeout=load)", 2);
    gave_up.run(gave_up.herd(2));
    assert!(matches!(waits(&gave_up)[..], [50..60]), "{:?}", gave_up.lock_waits());
    // Going away.
    let gone = Fleet::new("plain + lock", 2);
    gone.run(async {
        let (leader, loser) = (Box::pin(gone.replicas[0].get()), Box::pin(gone.replicas[1].get()));
        futures_util::future::select(futures_util::future::join(leader, loser), Box::pin(gone.sleep(ms(40)))).await;
    });
    assert!(matches!(waits(&gone)[..], [35..=40]), "{:?}", gone.lock_waits());
    // Where there is no lock there is no wait for one.
    let coalesced = Fleet::new("coalesce", 2);
    coalesced.run(coalesced.herd(10));
    assert!(waits(&coalesced).is_empty());
}

/// Found by random compositions: such a flight began and ended at once, and the origin never saw it.
#[test]
fn who_gave_up_waiting_with_no_time_left_begins_no_read() {
    let fleet = Fleet::new("plain + coalesce + lock(wait=8s, on_timeout=load)", 3);
    fleet.origin.next(&[Script::Hang, Script::Hang, Script::Hang]);
    let answers = fleet.run(fleet.herd(3));
    assert!(answers.iter().all(Result::is_err), "{answers:?}");
    // One read until its 5 s are over, another in its place; the third gives up waiting after 8 s, as its time does.
    let led = fleet.count(|event| matches!(event, Event::FlightLed { .. }));
    assert_eq!((fleet.origin.count(), led), (2, 2), "{answers:?}");
}
