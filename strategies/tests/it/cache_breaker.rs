//! The breaker of the shared cache: when it opens, what requests have meanwhile, and how it comes back.

use std::time::Duration;

use crate::common::{Fleet, TTL, ms};
use strategies::port::{BreakerState, Clock as _, Event, Level};
use strategies::{GetError, Key, Outcome, Spec};

const S: Duration = Duration::from_secs(1);

fn states(fleet: &Fleet) -> Vec<BreakerState> {
    let state = |event: Event| if let Event::CacheBreaker(state) = event { Some(state) } else { None };
    fleet.events().into_iter().filter_map(state).collect()
}

/// A request, and how long it took.
async fn timed(fleet: &Fleet, item: u32) -> (Result<(Outcome, Level), GetError>, Duration) {
    let clock = fleet.world.clock(0);
    let begun = clock.mono();
    let answer = fleet.replicas[0].serve(Key::of_item(item)).await.0;
    (answer.map(|served| (served.outcome, served.level)), clock.mono().since(begun))
}

/// A replica whose cache has become slow after it was asked for an item, and whose breaker has opened by three slow calls in a row.
async fn open(fleet: &Fleet) {
    timed(fleet, 1).await.0.unwrap();
    fleet.replicas[0].link.slow(ms(40));
    for _ in 0..3 {
        assert_eq!(timed(fleet, 1).await, (Ok((Outcome::Hit, Level::Shared)), ms(80)));
    }
}

fn breaker(then: &str) -> Fleet {
    Fleet::new(&format!("plain + cache-breaker(rule=consecutive, n=3, slow=50ms, open=10s, then={then}) + bare"), 1)
}

#[test]
fn while_it_is_open_the_last_values_are_served_and_refreshed_in_the_background() {
    let fleet = breaker("stale");
    fleet.run(async {
        open(&fleet).await;
        assert_eq!(timed(&fleet, 1).await, (Ok((Outcome::Hit, Level::Near)), Duration::ZERO));
        fleet.sleep(TTL).await;
        assert_eq!(timed(&fleet, 1).await, (Ok((Outcome::Stale, Level::Near)), Duration::ZERO), "past its TTL");
        fleet.sleep(S).await;
        assert_eq!(timed(&fleet, 1).await, (Ok((Outcome::Hit, Level::Near)), Duration::ZERO), "and refreshed");
        assert_eq!(timed(&fleet, 2).await.0, Ok((Outcome::Load, Level::Shared)), "what nobody has seen is read");
        assert_eq!(timed(&fleet, 2).await.0, Ok((Outcome::Hit, Level::Near)));
    });
    assert_eq!((states(&fleet), fleet.origin.count()), (vec![BreakerState::Open], 3));
    let kept = fleet.replicas[0].stack.near();
    assert_eq!((kept.entries_max, kept.evicted, kept.bytes_max > 512), (2, 0, true), "what it keeps is counted");
}

#[test]
fn what_had_ended_before_it_opened_is_read_anew() {
    let fleet = breaker("stale");
    fleet.run(async {
        timed(&fleet, 2).await.0.unwrap();
        fleet.sleep(TTL * 2).await;
        open(&fleet).await;
        assert_eq!(timed(&fleet, 2).await.0, Ok((Outcome::Load, Level::Shared)));
    });
}

#[test]
fn a_cache_of_ones_own_ends_with_the_ttl() {
    let fleet = breaker("local");
    fleet.run(async {
        open(&fleet).await;
        assert_eq!(timed(&fleet, 1).await, (Ok((Outcome::Hit, Level::Near)), Duration::ZERO));
        fleet.sleep(TTL).await;
        assert_eq!(timed(&fleet, 1).await.0, Ok((Outcome::Load, Level::Shared)));
        assert_eq!(timed(&fleet, 1).await, (Ok((Outcome::Hit, Level::Near)), Duration::ZERO));
    });
    assert_eq!(fleet.origin.count(), 2);
}

#[test]
fn without_a_value_of_ones_own_each_reads_the_origin_or_none_does() {
    let fleet = breaker("origin");
    fleet.run(async {
        open(&fleet).await;
        assert_eq!(timed(&fleet, 1).await, (Ok((Outcome::Load, Level::Shared)), crate::common::SERVICE));
        assert_eq!(timed(&fleet, 1).await.0, Ok((Outcome::Load, Level::Shared)), "nothing was kept");
    });
    assert_eq!(fleet.origin.count(), 3);
    let fleet = breaker("shed");
    fleet.run(async {
        open(&fleet).await;
        assert_eq!(timed(&fleet, 1).await, (Err(GetError::CacheSpared), Duration::ZERO));
    });
    assert_eq!(fleet.origin.count(), 1);
}

#[test]
fn it_comes_back_with_a_trickle() {
    let fleet = breaker("stale");
    fleet.run(async {
        open(&fleet).await;
        fleet.sleep(12 * S).await;
        // Still slow: the first call that is let through finds the item gone, and opens it again.
        assert_eq!(timed(&fleet, 1).await.1, ms(80) + crate::common::SERVICE);
        assert_eq!(timed(&fleet, 1).await.1, Duration::ZERO);
        fleet.replicas[0].link.slow(ms(1));
        fleet.sleep(12 * S).await;
        for _ in 0..3 {
            assert!(timed(&fleet, 2).await.0.is_ok());
        }
    });
    use BreakerState::{Closed, HalfOpen, Open};
    assert_eq!(states(&fleet), [Open, HalfOpen, Open, HalfOpen, Closed]);
}

/// What the other rules see when a call ends, this one sees while it does not.
#[test]
fn a_black_hole_is_seen_by_calls_that_do_not_come_back() {
    for (rule, sees) in [("in-flight", true), ("consecutive", false), ("rate", false)] {
        let spec = format!("plain + cache-breaker(rule={rule}, n=5, slow=50ms, then=shed) + bare");
        let fleet = Fleet::new(&spec, 1);
        // A call that is given up counts as slow: so it is looked before they are.
        let seen = fleet.run(async {
            timed(&fleet, 1).await.0.unwrap();
            fleet.replicas[0].link.slow(20 * S);
            let hanging: Vec<_> = (0..5).map(|_| Box::pin(fleet.replicas[0].serve(Key::of_item(1)))).collect();
            let hang = futures_util::future::join_all(hanging);
            let after = async {
                fleet.sleep(ms(60)).await;
                let late = Box::pin(fleet.replicas[0].serve(Key::of_item(1)));
                futures_util::future::select(late, Box::pin(fleet.sleep(ms(1)))).await
            };
            let both = futures_util::future::select(Box::pin(hang), Box::pin(after)).await;
            let seen = states(&fleet);
            drop(both);
            seen
        });
        assert_eq!(seen == [BreakerState::Open], sees, "{rule}: {seen:?}");
    }
}

#[test]
fn one_slow_call_in_two_is_a_rate_and_no_run() {
    for (rule, opens) in [("rate", true), ("consecutive", false)] {
        let fleet = Fleet::new(&format!("plain + cache-breaker(rule={rule}, n=10, slow=50ms, share=0.4) + bare"), 1);
        fleet.run(async {
            for call in 0..40 {
                fleet.replicas[0].link.slow(if call % 2 == 0 { ms(30) } else { ms(1) });
                timed(&fleet, 1).await.0.unwrap();
            }
        });
        assert_eq!(!states(&fleet).is_empty(), opens, "{rule}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    for (spec, says) in [
        ("plain + cache-breaker + local + bare", "drop one"),
        ("plain + cache-breaker(rule=any) + bare", "consecutive"),
        ("plain + cache-breaker(n=0) + bare", "out of range"),
        ("plain + cache-breaker(share=1.5) + bare", "out of range"),
        ("plain + cache-breaker(then=panic) + bare", "shed"),
    ] {
        let refused = Spec::parse(spec).unwrap_err();
        assert!(refused.problem.contains(says), "{spec}: {}", refused.problem);
    }
}
