//! The turns that these tests take: a few at once, nobody beside one that is alone, and in the order in which they came.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

use crate::common::turns::{PLACES, Turns};
use crate::common::until;

#[test]
fn a_few_stand_beside_one_another_and_nobody_beside_one_that_is_alone() {
    let (turns, taken, most) = (Turns::new(), AtomicUsize::new(0), AtomicUsize::new(0));
    let take = |places: usize| {
        let _turn = turns.take(places);
        let now = taken.fetch_add(places, Ordering::SeqCst) + places;
        assert!(now <= PLACES, "{now} places are taken");
        most.fetch_max(now, Ordering::SeqCst);
        sleep(Duration::from_millis(2));
        taken.fetch_sub(places, Ordering::SeqCst);
    };
    scope(|threads| {
        for at in 0..40 {
            let take = &take;
            threads.spawn(move || take(if at % 4 == 0 { PLACES } else { 1 }));
        }
    });
    assert_eq!((taken.load(Ordering::SeqCst), most.load(Ordering::SeqCst)), (0, PLACES));
}

#[test]
fn a_turn_for_all_places_is_not_passed_by_later_ones() {
    let (turns, alone_had_it) = (Turns::new(), AtomicUsize::new(0));
    let first = turns.take(1);
    scope(|threads| {
        threads.spawn(|| {
            let _turn = turns.take(PLACES);
            alone_had_it.fetch_add(1, Ordering::SeqCst);
        });
        until("it waits", || turns.came() == 2);
        threads.spawn(|| {
            let _turn = turns.take(1);
            assert_eq!(alone_had_it.load(Ordering::SeqCst), 1);
        });
        until("another one came", || turns.came() == 3);
        drop(first);
    });
}
