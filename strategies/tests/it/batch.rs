//! Requests for several items: how many round trips they take, and that each item is had as if it were alone.

use std::collections::BTreeSet;
use std::time::Duration;

use strategies::counter::slot_of;
use strategies::port::{Cache, Clock as _, Removal};
use strategies::{Cx, GetError, Key, Outcome, Served, Stack};

use crate::common::{Fleet, SERVICE};

const PAGE: u32 = 20;

fn keys() -> Vec<Key> {
    (1..=PAGE).map(Key::of_item).collect()
}

/// A page, and how long it took.
async fn page(fleet: &Fleet) -> (Result<Vec<Served>, GetError>, Duration) {
    let clock = fleet.world.clock(0);
    let begun = clock.mono();
    let cx = Cx { request: 1, deadline: begun.plus(Duration::from_secs(60)), replica: 0 };
    let answer = Stack::serve_many(fleet.replicas[0].stack.clone(), cx, &keys()).await.0;
    (answer, clock.mono().since(begun))
}

fn outcomes(answer: &Result<Vec<Served>, GetError>) -> Vec<Outcome> {
    answer.as_ref().unwrap().iter().map(|served| served.outcome).collect()
}

#[test]
fn a_page_takes_as_many_round_trips_as_its_mode_says() {
    let slots: BTreeSet<u16> = keys().iter().map(|key| slot_of(key.as_str())).collect();
    for (mode, trips) in [("sequential", PAGE), ("pipeline", 1), ("mget", 1), ("slots", slots.len() as u32)] {
        let fleet = Fleet::new(&format!("plain + batch(mode={mode}) + coalesce"), 1);
        fleet.run(async {
            let (first, _) = page(&fleet).await;
            assert_eq!(outcomes(&first), vec![Outcome::Load; PAGE as usize], "{mode}");
            let (second, took) = page(&fleet).await;
            assert_eq!(outcomes(&second), vec![Outcome::Hit; PAGE as usize], "{mode}");
            assert_eq!(took, Fleet::CACHE_OPERATION * trips, "{mode}");
            let values = |answer: Result<Vec<Served>, GetError>| answer.unwrap().into_iter().map(|served| served.value);
            assert!(values(first).eq(values(second)), "{mode}: in their order");
        });
        assert_eq!(fleet.origin.count(), PAGE as usize, "{mode}");
    }
}

#[test]
fn what_is_missing_is_filled_as_if_it_were_alone() {
    for spec in [
        "plain + batch + coalesce + lock",
        "plain + parts + batch + coalesce + lease",
        "plain + batch + pool(size=1) + lock",
    ] {
        let fleet = Fleet::new(spec, 1);
        fleet.run(async {
            page(&fleet).await.0.unwrap();
            fleet.memory.remove(&Key::of_item(7), Removal::Entry).await.unwrap();
            let (answer, took) = page(&fleet).await;
            let loads = outcomes(&answer).iter().filter(|outcome| **outcome == Outcome::Load).count();
            assert_eq!(loads, 1, "{spec}");
            assert!(took >= SERVICE && took < SERVICE * 2, "{spec}: {took:?}");
            let all = Served::of_many(&answer.unwrap()).unwrap();
            assert_eq!((all.outcome, all.flight.is_some()), (Outcome::Load, true), "{spec}");
        });
        assert_eq!(fleet.origin.count(), PAGE as usize + 1, "{spec}");
        fleet.assert_ledgers_agree();
    }
}

/// A page is two pages' worth of callers for each item.
#[test]
fn pages_share_the_flights_of_their_items() {
    let fleet = Fleet::new("plain + batch + coalesce", 1);
    fleet.run(async {
        let ((one, _), (two, _)) = futures_util::future::join(page(&fleet), page(&fleet)).await;
        let loads = |answer| outcomes(answer).iter().filter(|outcome| **outcome == Outcome::Load).count();
        assert_eq!((loads(&one) + loads(&two), fleet.origin.count()), (PAGE as usize, PAGE as usize));
    });
}

#[test]
fn a_cache_that_is_lost_fails_every_read_and_no_page() {
    let fleet = Fleet::new("plain + batch + coalesce", 1);
    fleet.run(async {
        page(&fleet).await.0.unwrap();
        fleet.replicas[0].link.set(crate::common::Fault::Down);
        let (answer, _) = page(&fleet).await;
        assert_eq!(outcomes(&answer), vec![Outcome::Load; PAGE as usize]);
    });
}
