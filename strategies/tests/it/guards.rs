//! What spares the origin: the limit and the breaker, in virtual time. One test for each way in which a read ends there.

use std::time::Duration;

use crate::common::{Fleet, SERVICE, Script, TTL, ms, tally};
use strategies::port::{BreakerState, Event, LeaderEnd, RefusedBy};
use strategies::{GetError, Outcome, Served};

type Answer = Result<Served, GetError>;

fn refused(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| matches!(answer, Err(GetError::Refused { .. }))).count()
}

fn spared(fleet: &Fleet, by: RefusedBy) -> usize {
    fleet.count(|event| matches!(event, Event::OriginSpared { by: who, .. } if *who == by))
}

fn states(fleet: &Fleet) -> Vec<BreakerState> {
    let state = |event: Event| if let Event::Breaker(state) = event { Some(state) } else { None };
    fleet.events().into_iter().filter_map(state).collect()
}

fn now_ms(fleet: &Fleet) -> u64 {
    strategies::port::Clock::mono(&*fleet.world.clock(0)).0 / 1_000_000
}

#[test]
fn a_limit_lets_so_many_read_and_so_many_wait_and_refuses_the_rest_at_once() {
    let fleet = Fleet::new("plain + bare + limit(concurrency=2, queue=3)", 1);
    let (answers, at) = fleet.run(async {
        let answers = fleet.herd(10).await;
        (answers, now_ms(&fleet))
    });
    assert_eq!((tally(&answers)[3], refused(&answers)), (5, 5), "{answers:?}");
    // The first refusal makes the key back off, so the other four are refused before there is a flight.
    assert_eq!(spared(&fleet, RefusedBy::LimitFull), 1);
    assert!((3 * 200..3 * 200 + 10).contains(&at), "two at a time take three turns, found {at} ms");
    assert_eq!(fleet.origin.count(), 5, "what is refused never comes to the origin");
    assert_eq!(fleet.flight_ends().iter().filter(|end| **end == LeaderEnd::Refused).count(), 1);
}

#[test]
fn the_limit_is_each_replicas_own() {
    let fleet = Fleet::new("plain + bare + limit(concurrency=1, queue=0)", 3);
    let answers = fleet.run(fleet.herd(9));
    assert_eq!((tally(&answers)[3], refused(&answers)), (3, 6));
}

/// One place, taken by a read that hangs until its 5 s are over.
fn behind_one_that_hangs(margin: &str) -> (Fleet, Answer, u64) {
    let fleet = Fleet::new(&format!("plain + bare + limit(concurrency=1, queue=9, margin={margin})"), 1);
    fleet.origin.next(&[Script::Hang]);
    let (second, at) = fleet.run(async {
        let first = fleet.replicas[0].get();
        let second = async {
            fleet.sleep(ms(1000)).await;
            let answer = fleet.replicas[0].get().await;
            (answer, now_ms(&fleet))
        };
        futures_util::future::join(first, second).await.1
    });
    (fleet, second, at)
}

#[test]
fn who_gets_its_turn_with_more_than_the_margin_left_reads() {
    // Its turn comes at 5 s, its own budget ends at 6 s.
    let (fleet, second, at) = behind_one_that_hangs("300ms");
    assert_eq!(second.map(|served| served.outcome), Ok(Outcome::Load));
    assert!((5200..5210).contains(&at), "found {at} ms");
    assert_eq!(fleet.flight_ends(), [LeaderEnd::TimedOut, LeaderEnd::Done]);
}

#[test]
fn who_would_have_less_than_the_margin_left_is_refused_as_soon_as_that_is_sure() {
    let (fleet, second, at) = behind_one_that_hangs("1500ms");
    assert!(matches!(second, Err(GetError::Refused { .. })), "{second:?}");
    assert!((4500..4510).contains(&at), "6 s less the margin, found {at} ms");
    assert_eq!((spared(&fleet, RefusedBy::LimitLate), fleet.origin.count()), (1, 1));
}

#[test]
fn the_margin_follows_what_reads_take() {
    let fleet = Fleet::new("plain + bare + limit(concurrency=1, queue=99)", 1);
    let answers = fleet.run(fleet.herd(40));
    // 5 s are 25 turns of 200 ms; the last one must still be whole, and reads of an even length need no slack.
    let read = tally(&answers)[3];
    assert!((23..=25).contains(&read), "{read} were read");
    assert_eq!(spared(&fleet, RefusedBy::LimitLate), 40 - read);
    assert!(!fleet.flight_ends().contains(&LeaderEnd::TimedOut), "nobody was sent who came too late");
}

#[test]
fn every_place_is_given_back() {
    let fleet = Fleet::new("plain + bare + limit(concurrency=1, queue=1)", 1);
    let answers = fleet.run(async {
        let first = fleet.replicas[0].get();
        let more = async {
            fleet.sleep(ms(100)).await;
            fleet.herd(1).await
        };
        let (first, second) = futures_util::future::join(first, more).await;
        fleet.memory_forget().await;
        [vec![first], second, fleet.herd(2).await].concat()
    });
    assert_eq!(tally(&answers)[3], 4, "each place was given back: {answers:?}");
}

const BREAKER: &str = "plain + coalesce + breaker(samples=3, window=10s, cool_down=2s, trickle=1, successes=2)";

/// Fails `n` reads in a row, half a second apart (a key backs off up to 200 ms).
async fn fail(fleet: &Fleet, n: usize) -> Vec<Answer> {
    fleet.origin.next(&vec![Script::Fail; n]);
    let mut answers = Vec::new();
    for _ in 0..n {
        answers.extend(fleet.herd(1).await);
        fleet.sleep(ms(300)).await;
    }
    answers
}

#[test]
fn a_breaker_opens_when_reads_fail_refuses_at_once_and_lets_a_trickle_through_after_its_cool_down() {
    let fleet = Fleet::new(BREAKER, 1);
    fleet.run(async {
        let answers = fail(&fleet, 3).await;
        assert_eq!(refused(&answers), 0, "{answers:?}");
        assert_eq!(states(&fleet), [BreakerState::Open]);
        let before = now_ms(&fleet);
        let during = fleet.herd(4).await;
        assert!(refused(&during) == 4 && now_ms(&fleet) - before <= 1, "{during:?}");
        assert_eq!(fleet.origin.count(), 3);
        let told = during[0].as_ref().map_err(|error| error.retry_after().unwrap_or_default());
        assert!(matches!(told, Err(after) if (1..=2).contains(&after.as_secs())), "{told:?}");
        fleet.sleep(ms(2400)).await;
        let probe = fleet.herd(1).await;
        assert_eq!((tally(&probe)[3], states(&fleet)), (1, vec![BreakerState::Open, BreakerState::HalfOpen]));
        fleet.memory_forget().await;
        assert_eq!(tally(&fleet.herd(1).await)[3], 1);
        assert_eq!(states(&fleet), [BreakerState::Open, BreakerState::HalfOpen, BreakerState::Closed]);
    });
}

#[test]
fn a_probe_that_fails_opens_it_again() {
    let fleet = Fleet::new(BREAKER, 1);
    fleet.run(async {
        fail(&fleet, 3).await;
        fleet.sleep(ms(2400)).await;
        fail(&fleet, 1).await;
        assert_eq!(states(&fleet), [BreakerState::Open, BreakerState::HalfOpen, BreakerState::Open]);
        assert_eq!(refused(&fleet.herd(1).await), 1);
    });
}

#[test]
fn a_read_that_nobody_waits_for_any_more_is_a_failure_and_what_the_limit_refuses_is_none() {
    let fleet = Fleet::new("plain + bare + breaker(samples=2)", 1);
    fleet.origin.next(&[Script::Hang, Script::Hang]);
    fleet.run(fleet.herd(2));
    assert_eq!(states(&fleet), [BreakerState::Open], "two time-outs");
    let fleet = Fleet::new("plain + bare + limit(concurrency=1, queue=0) + breaker(samples=2)", 1);
    let answers = fleet.run(fleet.herd(20));
    assert_eq!((refused(&answers), states(&fleet)), (19, vec![]));
    assert_eq!(spared(&fleet, RefusedBy::LimitFull), 1);
}

#[test]
fn an_open_breaker_leaves_stale_values_and_locks_alone() {
    let spec = "swr(stale=1m) + coalesce + lock + breaker(samples=1, cool_down=1m)";
    let fleet = Fleet::new(spec, 2);
    fleet.run(async {
        fleet.herd(1).await;
        fleet.sleep(TTL + SERVICE).await;
        fleet.origin.next(&[Script::Fail; 9]);
        for _ in 0..20 {
            let answers = fleet.herd(2).await;
            assert_eq!(tally(&answers)[1], 2, "{answers:?}");
            fleet.sleep(Duration::from_secs(1)).await;
        }
    });
    assert_eq!(
        fleet.origin.count(),
        2,
        "the first, and one failure: whose lock it is asks first, and is refused from then on"
    );
    assert!(fleet.lock_ends().contains(&LeaderEnd::Refused), "a refused leader lets go of its lock");
}
