//! A plan is a pure function of its seed: the same in any order, evenly shared, and hashed by what shapes it alone.
#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::time::Duration;

use scenarios::{Plan, Scenario, shipped};

/// hotkey with overrides, `path=value`.
fn scenario(sets: &[&str]) -> Scenario {
    let pairs: Vec<(String, String)> = sets
        .iter()
        .map(|set| set.split_once('=').unwrap())
        .map(|(path, value)| (path.to_owned(), value.to_owned()))
        .collect();
    Scenario::parse(shipped()[0].1, "hotkey", &pairs).unwrap_or_else(|errors| panic!("{errors}"))
}

fn plan(seed: u64, sets: &[&str]) -> Plan {
    Plan::new(seed, &scenario(sets), 3)
}

/// How often each key, from 1, is asked for in 200 000 requests.
fn counts(plan: &Plan, n: usize) -> Vec<f64> {
    let mut counts = vec![0.0; n + 1];
    for client in 0..50 {
        for n in 0..4000 {
            counts[plan.item(client, n).key as usize] += 1.0;
        }
    }
    assert_eq!(counts[0], 0.0, "keys count from 1");
    counts
}

/// Fails if a count is further from its expectation than five standard deviations.
fn check_share(count: f64, share: f64) {
    let (draws, expected) = (200_000.0, 200_000.0 * share);
    let sigma = (draws * share * (1.0 - share)).sqrt();
    assert!((count - expected).abs() <= 5.0 * sigma, "{count} of {draws}, expected {expected} ± {sigma}");
}

#[test]
fn the_hot_key_has_its_share_and_the_others_the_rest_evenly() {
    let counts = counts(&plan(42, &[]), 10);
    check_share(counts[1], 0.95);
    counts[2..].iter().for_each(|count| check_share(*count, 0.05 / 9.0));
}

#[test]
fn the_other_kinds_share_as_they_say() {
    let uniform = counts(&plan(42, &["keys.kind=uniform", "keys.n=100"]), 100);
    uniform[1..].iter().for_each(|count| check_share(*count, 0.01));

    let zipf = counts(&plan(42, &["keys.kind=zipf", "keys.n=100", "keys.exponent=1"]), 100);
    let whole: f64 = (1..=100).map(|k| 1.0 / f64::from(k)).sum();
    (1..=100_u32).for_each(|k| check_share(zipf[k as usize], 1.0 / f64::from(k) / whole));

    let even = counts(&plan(42, &["keys.kind=zipf", "keys.n=100", "keys.exponent=0"]), 100);
    even[1..].iter().for_each(|count| check_share(*count, 0.01));

    let single = counts(&plan(42, &["keys.kind=single", "keys.n=1"]), 1);
    assert_eq!(single[1], 200_000.0);
    let all_hot = counts(&plan(42, &["keys.n=1", "keys.hot_share=1"]), 1);
    assert_eq!(all_hot[1], 200_000.0);
}

#[test]
fn an_item_is_the_same_whenever_it_is_asked_for() {
    let (one, other) = (plan(42, &[]), plan(42, &[]));
    let forward: Vec<_> = (0..1000).map(|n| one.item(7, n)).collect();
    let mut backward: Vec<_> = (0..1000).rev().map(|n| other.item(7, n)).collect();
    backward.reverse();
    assert_eq!(forward, backward);
    assert_ne!(forward, (0..1000).map(|n| plan(43, &[]).item(7, n)).collect::<Vec<_>>());
    assert_ne!(forward, (0..1000).map(|n| one.item(8, n)).collect::<Vec<_>>());
}

#[test]
fn replicas_take_turns() {
    let plan = plan(42, &[]);
    assert_eq!([0, 1, 2, 3].map(|n| plan.item(0, n).replica), [0, 1, 2, 0]);
    assert_eq!([0, 1, 2, 3].map(|client| plan.item(client, 1).replica), [1, 2, 0, 1]);
    assert_eq!(plan.item(u32::MAX, u64::MAX).replica, plan.item(u32::MAX, u64::MAX).replica);
    assert_eq!(Plan::new(1, &scenario(&[]), 0).item(9, 9).replica, 0);
}

#[test]
fn clients_start_spread_over_one_think_time_and_think_by_their_law() {
    let constant = plan(42, &[]);
    assert_eq!(constant.first_send(0), Duration::ZERO);
    assert_eq!(constant.first_send(1), Duration::from_micros(2400));
    assert_eq!(constant.first_send(49), Duration::from_micros(117_600));
    assert_eq!(constant.think(3, 9), Duration::from_millis(120));

    let drawn = plan(42, &["load.think={ dist = \"exp\", mean = \"120ms\" }"]);
    assert_eq!(drawn.first_send(49), Duration::from_micros(117_600));
    assert_eq!(drawn.think(3, 9), drawn.think(3, 9));
    assert_ne!(drawn.think(3, 9), drawn.think(3, 10));
    let mean = (0..20_000).map(|n| drawn.think(0, n).as_secs_f64()).sum::<f64>() / 20_000.0;
    assert!((mean / 0.120 - 1.0).abs() < 0.03, "{mean}");
}

#[test]
fn poisson_arrivals_come_in_order_at_their_rate_with_exponential_gaps() {
    let plan = plan(42, &["load.rate=2000/s"]);
    let arrivals: Vec<_> = plan.arrivals().collect();
    let expected: f64 = 2000.0 * 65.0;
    let count = arrivals.len() as f64;
    assert!((count - expected).abs() < 5.0 * expected.sqrt(), "{count} for {expected}");
    assert!(arrivals.is_sorted_by_key(|arrival| arrival.at_ns));
    assert!(arrivals.iter().all(|arrival| arrival.at_ns < 65_000_000_000));

    // Kolmogorov–Smirnov against 1 − e^(−rate·gap), at the 0.1 % level: 1.95 / √n.
    let mut gaps: Vec<f64> = arrivals.windows(2).map(|w| (w[1].at_ns - w[0].at_ns) as f64 * 1e-9).collect();
    gaps.sort_by(f64::total_cmp);
    let far = gaps.iter().enumerate().map(|(i, gap)| {
        let law = 1.0 - (-2000.0 * gap).exp();
        (law - (i as f64 + 0.5) / gaps.len() as f64).abs()
    });
    let far = far.fold(0.0, f64::max);
    assert!(far < 1.95 / (gaps.len() as f64).sqrt(), "{far}");

    let hot = arrivals.iter().filter(|arrival| arrival.key == 1).count() as f64 / count;
    assert!((hot - 0.95).abs() < 0.005, "{hot}");
    assert_eq!(plan.arrivals().collect::<Vec<_>>(), arrivals);
}

#[test]
fn constant_arrivals_do_not_drift() {
    let plan = plan(42, &["load.rate=3/s", "load.arrivals=constant", "load.warmup=0s", "load.duration=1h"]);
    let arrivals: Vec<_> = plan.arrivals().collect();
    assert_eq!(arrivals.len(), 3 * 3600);
    assert_eq!(arrivals[1].at_ns, 333_333_333);
    assert_eq!(arrivals[3 * 3599].at_ns, 3_599_000_000_000);
    assert_eq!(arrivals[4].replica, 1);
}

#[test]
fn the_unused_half_of_a_plan_is_empty() {
    assert_eq!(plan(42, &[]).arrivals().count(), 0);
    let open = plan(42, &["load.rate=10/s"]);
    assert_eq!((open.first_send(5), open.think(5, 5)), (Duration::ZERO, Duration::ZERO));
}

#[test]
fn the_hash_of_a_plan_never_changes() {
    // Pinned: a change here makes every recorded run incomparable. Raise `ALGORITHM` in plan/digest.rs with it.
    assert_eq!(plan(42, &[]).hash(), "3a93839bd404163d");
}

#[test]
fn the_hash_changes_with_what_shapes_the_load_and_with_nothing_else() {
    let base = plan(42, &[]).hash();
    for set in [
        "load.clients=51",
        "load.think=121ms",
        "load.think={ dist = \"exp\", mean = \"120ms\" }",
        "load.rate=400/s",
        "load.warmup=6s",
        "load.duration=61s",
        "load.timeout=9s",
        "keys.hot_share=0.94",
        "keys.n=11",
        "keys.kind=uniform",
        "keys.value_size=257B",
    ] {
        assert_ne!(plan(42, &[set]).hash(), base, "{set}");
    }
    for set in
        ["strategies=[\"swr\"]", "cache.ttl=6s", "origin.service_time=1s", "origin.queue=1", "name=x", "summary=x"]
    {
        assert_eq!(plan(42, &[set]).hash(), base, "{set}");
    }
    assert_ne!(plan(43, &[]).hash(), base);
    assert_ne!(Plan::new(42, &scenario(&[]), 2).hash(), base);
    let open = |arrivals: &str| plan(42, &["load.rate=400/s", arrivals]).hash();
    assert_ne!(open("load.arrivals=poisson"), open("load.arrivals=constant"));
}

#[test]
fn a_million_clients_are_hashed_by_a_sample() {
    let hash = plan(42, &["load.clients=1000000"]).hash();
    assert_eq!(hash.len(), 16);
    assert!(hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
}
