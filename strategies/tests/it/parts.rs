//! Items in several keys: what a request reads of them, and what it makes of parts that do not belong together.

use std::time::Duration;

use strategies::port::{Cache, Lookup, Removal, When};
use strategies::{Entry, GetError, Key, Life, Outcome, Spec};

use crate::common::{Fleet, TTL, ms};

async fn ask(fleet: &Fleet) -> Result<(Outcome, usize), GetError> {
    let served = fleet.replicas[0].serve(key()).await.0?;
    Ok((served.outcome, served.value.map_or(0, |value| value.len())))
}

fn key() -> Key {
    Key::of_item(1)
}

async fn found(fleet: &Fleet, key: &Key) -> Option<Entry> {
    match fleet.memory.get(key).await.unwrap() {
        Lookup::Found(entry, _) => Some(entry),
        _ => None,
    }
}

#[test]
fn an_item_is_written_in_parts_and_read_whole() {
    let fleet = Fleet::new("plain + parts + bare", 1);
    fleet.run(async {
        let (outcome, whole) = ask(&fleet).await.unwrap();
        assert_eq!((outcome, ask(&fleet).await), (Outcome::Load, Ok((Outcome::Hit, whole))));
        let mut bytes = Vec::new();
        for part in 0..3 {
            bytes.extend(found(&fleet, &key().part(part)).await.unwrap().value.unwrap());
        }
        assert_eq!(bytes.len(), whole, "nothing is kept twice");
        assert_eq!(found(&fleet, &key().part(3)).await, None);
    });
    assert_eq!((fleet.origin.count(), fleet.replicas[0].stack.torn_reads()), (1, 0));
}

#[test]
fn a_request_for_one_part_brings_one_part_along() {
    let fleet = Fleet::new("plain + parts(read=1) + bare", 1);
    fleet.run(async {
        let whole = ask(&fleet).await.unwrap().1;
        for _ in 0..20 {
            let (outcome, part) = ask(&fleet).await.unwrap();
            assert!(outcome == Outcome::Hit && part <= whole.div_ceil(3), "{part} of {whole}");
        }
    });
    assert!(fleet.replicas[0].stack.answers_parts());
}

#[test]
fn without_one_of_its_parts_an_item_is_not_there() {
    for lost in 0..3 {
        let fleet = Fleet::new("plain + parts + bare", 1);
        fleet.run(async {
            ask(&fleet).await.unwrap();
            fleet.memory.remove(&key().part(lost), Removal::Entry).await.unwrap();
            assert_eq!(ask(&fleet).await.unwrap().0, Outcome::Load);
            assert_eq!(ask(&fleet).await.unwrap().0, Outcome::Hit);
        });
    }
}

#[test]
fn parts_of_different_versions_are_counted_and_read_anew() {
    let fleet = Fleet::new("plain + parts + bare", 1);
    fleet.run(async {
        ask(&fleet).await.unwrap();
        let second = key().part(1);
        let newer = Entry { version: 99, ..found(&fleet, &second).await.unwrap() };
        fleet.memory.put(&second, &newer, When::Always).await.unwrap();
        assert_eq!(ask(&fleet).await.unwrap().0, Outcome::Load);
    });
    assert_eq!((fleet.replicas[0].stack.torn_reads(), fleet.origin.count()), (1, 2));
}

#[test]
fn an_item_lives_as_long_as_the_first_of_its_parts_to_expire() {
    let fleet = Fleet::new("plain + parts + bare", 1);
    fleet.run(async {
        ask(&fleet).await.unwrap();
        let third = key().part(2);
        let shorter = Entry { life: Life::new(ms(1000), Duration::ZERO), ..found(&fleet, &third).await.unwrap() };
        fleet.memory.put(&third, &shorter, When::Always).await.unwrap();
        fleet.sleep(TTL / 2).await;
        assert_eq!(ask(&fleet).await.unwrap().0, Outcome::Load);
    });
}

#[test]
fn a_removal_takes_all_parts() {
    let fleet = Fleet::new("plain + parts + coalesce + lease + invalidate", 1);
    fleet.run(async {
        ask(&fleet).await.unwrap();
        fleet.replicas[0].write(key()).await;
        for part in 0..3 {
            assert_eq!(found(&fleet, &key().part(part)).await, None, "part {part}");
        }
        assert_eq!(ask(&fleet).await.unwrap().0, Outcome::Load, "and its lease is free");
    });
}

#[test]
fn what_does_not_go_with_parts_is_refused() {
    for (spec, said) in [
        ("plain + parts + near + bare", "has `parts` and `near`"),
        ("plain + parts + copies + bare", "has `parts` and `copies`"),
        ("plain + parts + local + bare", "has `local`, which shares no cache, and `parts`"),
        ("plain + parts(n=2, read=3) + bare", "parts has read=3, and an item has 2"),
        (
            "plain + parts(read=0) + bare",
            "how many of them a request reads: which ones is drawn each time: all, or 1 to 100",
        ),
        ("plain + parts(n=1) + bare", "found 1, which is out of range"),
    ] {
        let error = Spec::parse(spec).unwrap_err().problem;
        assert!(error.contains(said), "{spec}: {error}");
    }
    assert_eq!(Spec::parse("plain + parts(n=3, read=all) + bare").unwrap().canonical(), "plain + parts + bare");
}
