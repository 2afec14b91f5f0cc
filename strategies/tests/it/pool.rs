//! Connections of a pool: who waits for whom, for how long, and what is let through.

use std::time::Duration;

use crate::common::{Fleet, SERVICE, TTL, ms};
use strategies::port::{CacheErrorClass, Event};
use strategies::{ConnectionUse, Key, Outcome, Spec};

/// What the second of two requests has, for another key: the first has missed a moment before.
fn behind_a_miss(spec: &str) -> (Outcome, ConnectionUse, Fleet) {
    let fleet = Fleet::new(spec, 1);
    let (outcome, found) = fleet.run(async {
        // The other key is there.
        fleet.replicas[0].serve(Key::of_item(2)).await.0.unwrap();
        let second = async {
            fleet.sleep(ms(10)).await;
            let (answer, found) = fleet.replicas[0].serve(Key::of_item(2)).await;
            (answer.unwrap().outcome, found.expect("it has asked for a connection"))
        };
        futures_util::future::join(fleet.replicas[0].serve(Key::of_item(1)), second).await.1
    });
    (outcome, found, fleet)
}

#[test]
fn a_request_that_holds_its_connection_keeps_others_waiting_for_the_origin() {
    let (outcome, found, fleet) = behind_a_miss("plain + pool(size=1, wait=1s, hold=request) + bare");
    assert_eq!((outcome, found.in_use, found.waiting), (Outcome::Hit, 1, 0));
    let held = SERVICE + 2 * Fleet::CACHE_OPERATION;
    assert_eq!(found.wait, held - ms(10), "until the first request was answered");
    let pool = fleet.replicas[0].stack.pool();
    assert_eq!((pool.takes, pool.given_back, pool.gave_up, pool.in_use, pool.waiting), (3, 3, 0, 0, 0));
    let hits = Fleet::CACHE_OPERATION;
    assert_eq!(Duration::from_nanos(pool.held_ns), 2 * held + hits, "two that missed, and one that did not");
}

#[test]
fn a_connection_that_is_taken_for_a_command_keeps_nobody_waiting() {
    let (outcome, found, fleet) = behind_a_miss("plain + pool(size=1, wait=1s) + bare");
    assert_eq!((outcome, found), (Outcome::Hit, ConnectionUse::default()));
    assert_eq!(fleet.replicas[0].stack.pool().takes, 5, "each of two misses reads and puts, and a hit reads");
}

#[test]
fn whoever_waits_for_too_long_goes_on_without_the_cache() {
    let (outcome, found, fleet) = behind_a_miss("plain + pool(size=1, wait=50ms, hold=request) + bare");
    // Its read waits in vain, and so it reads the origin; its put finds the connection free again.
    assert_eq!((outcome, found.wait), (Outcome::Load, ms(50)));
    let failed = |event: &Event| matches!(event, Event::CacheFailed { op: "get", class: CacheErrorClass::Exhausted });
    assert_eq!((fleet.count(failed), fleet.replicas[0].stack.pool().gave_up), (1, 1));
    assert_eq!(fleet.origin.count(), 3);
}

#[test]
fn a_refresh_in_the_background_keeps_the_connection_of_the_request_that_began_it() {
    let fleet = Fleet::new("swr + pool(size=1, wait=1s, hold=request) + bare", 1);
    let (stale, next) = fleet.run(async {
        fleet.replicas[0].serve(Key::of_item(1)).await.0.unwrap();
        fleet.sleep(TTL).await;
        let stale = fleet.replicas[0].serve(Key::of_item(1)).await;
        (stale, fleet.replicas[0].serve(Key::of_item(1)).await)
    });
    assert_eq!((stale.0.unwrap().outcome, stale.1.unwrap().wait), (Outcome::Stale, Duration::ZERO));
    let refresh = SERVICE + Fleet::CACHE_OPERATION;
    assert_eq!((next.0.unwrap().outcome, next.1.unwrap().wait), (Outcome::Hit, refresh));
}

/// A key with three names has three removals a write.
#[test]
fn a_write_holds_one_connection_for_all_that_it_does() {
    let takes = |hold: &str| {
        let spec = format!("plain + copies(n=3) + pool(size=1, wait=1s, hold={hold}) + lock + invalidate");
        let fleet = Fleet::new(&spec, 1);
        fleet.run(async {
            fleet.replicas[0].write(Key::of_item(1)).await;
            fleet.replicas[0].stack.pool().takes
        })
    };
    assert_eq!((takes("request"), takes("command")), (1, 3));
}

#[test]
fn a_request_that_goes_away_gives_its_connection_back() {
    let fleet = Fleet::new("plain + pool(size=1, wait=1s, hold=request) + bare", 1);
    fleet.run(async {
        let first = fleet.replicas[0].serve(Key::of_item(1));
        let gone = futures_util::future::select(Box::pin(first), Box::pin(fleet.sleep(ms(20)))).await;
        drop(gone);
        // What it has left behind loads on, and keeps the connection until it is done.
        let (_, found) = fleet.replicas[0].serve(Key::of_item(2)).await;
        assert!(found.unwrap().wait <= SERVICE, "{found:?}");
    });
    let pool = fleet.replicas[0].stack.pool();
    assert_eq!((pool.takes, pool.given_back, pool.in_use), (2, 2, 0));
}

#[test]
fn reads_with_connections_of_their_own_wait_for_no_fill_and_fills_wait_for_each_other() {
    let spec = "plain + pool(size=4, split=0.5, wait=1s, hold=request) + bare";
    let (outcome, found, _) = behind_a_miss(spec);
    assert_eq!((outcome, found.wait), (Outcome::Hit, Duration::ZERO));
    // Of three misses at once the third waits for a connection of the two for fills, and so does its read of the origin.
    let fleet = Fleet::new(spec, 1);
    let answers = fleet.run(async {
        let requests = (1..=3).map(|item| fleet.replicas[0].serve(Key::of_item(item)));
        futures_util::future::join_all(requests).await
    });
    let mut waits: Vec<Duration> = answers.iter().map(|(_, found)| found.unwrap().wait).collect();
    waits.sort();
    assert_eq!(waits[..2], [Duration::ZERO; 2]);
    assert!(waits[2] >= SERVICE, "{waits:?}");
}

#[test]
fn a_strategy_without_a_pool_says_nothing_of_connections() {
    for spec in ["naive", "plain + multiplexed + bare", "plain + timeouts(read=1s) + bare"] {
        let fleet = Fleet::new(spec, 1);
        assert_eq!(fleet.run(async { fleet.replicas[0].serve(Key::of_item(1)).await.1 }), None, "{spec}");
    }
    let fleet = Fleet::new("plain + pool(size=1, hold=request) + near(ttl=1s) + bare", 1);
    let (first, second) = fleet.run(async {
        (fleet.replicas[0].serve(Key::of_item(1)).await.1, fleet.replicas[0].serve(Key::of_item(1)).await.1)
    });
    assert_eq!((first.map(|found| found.wait), second), (Some(Duration::ZERO), None), "a copy needs no connection");
}

#[test]
fn what_says_two_things_of_connections_is_refused() {
    for (spec, says) in [
        ("plain + pool + multiplexed + bare", "drop one"),
        ("plain + pool + local + bare", "drop one"),
        ("plain + timeouts + local + bare", "drop one"),
        ("plain + pool(size=1, split=0.5) + bare", "size=2"),
        ("plain + pool(size=0) + bare", "out of range"),
        ("plain + pool(split=0) + bare", "out of range"),
        ("plain + pool(hold=forever) + bare", "command, or request"),
        ("plain + timeouts(read=0s) + bare", "out of range"),
    ] {
        let refused = Spec::parse(spec).unwrap_err();
        assert!(refused.problem.contains(says), "{spec}: {}", refused.problem);
    }
    assert_eq!(Spec::parse("plain + bare + pool(5)").unwrap().canonical(), "plain + pool(size=5) + bare");
}
