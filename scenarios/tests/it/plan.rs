//! A plan is a pure function of its seed: the same in any order, evenly shared, and hashed by what shapes it alone.
use std::time::Duration;

use proptest::prelude::*;
use scenarios::{Arrivals, LoadKind, Op, Plan, Ramp, Scenario, Start, shipped};

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
            counts[plan.item(client, n, 0).key as usize] += 1.0;
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

/// 400 keys that stand for 10 000: the first two for themselves, the others for 25.12 neighbours each.
#[test]
fn a_sample_of_zipf_keys_keeps_the_shape_of_the_law() {
    let sets = ["keys.kind=zipf", "keys.n=400", "keys.exponent=1", "keys.sample_of=10000"];
    let counts = counts(&plan(42, &sets), 400);
    let weight = |from: f64, to: f64| (from as u32..=to as u32).map(|rank| 1.0 / f64::from(rank)).sum::<f64>();
    let whole = weight(1.0, 10_000.0);
    let width = (10_000.0 - 2.0) / 398.0;
    check_share(counts[1], 1.0 / whole);
    check_share(counts[2], 0.5 / whole);
    for key in 3..=400_u32 {
        // Ranks whose place beyond the first two, from 0, divided by the width is the key's.
        let at = f64::from(key - 3);
        check_share(counts[key as usize], weight((at * width).ceil() + 3.0, ((at + 1.0) * width).ceil() + 2.0) / whole);
    }
}

#[test]
fn writes_beside_a_load_come_at_their_rate_and_leave_it_as_it_was() {
    let (without, with) = (plan(42, &[]), plan(42, &["writes.rate=20/s", "writes.kind=uniform"]));
    assert_eq!(counts(&without, 10), counts(&with, 10), "the reads are the same");
    assert_ne!(without.hash(), with.hash());
    assert_eq!(without.writes().count(), 0);
    let writes: Vec<_> = with.writes().collect();
    // 65 s at 20/s: a Poisson number, of which 5 standard deviations are 180.
    assert!((1120..=1480).contains(&writes.len()), "{}", writes.len());
    assert!(writes.is_sorted_by_key(|write| write.at_ns));
    assert!(writes.iter().all(|write| write.op == Op::Put && (1..=10).contains(&write.key) && write.replica < 3));
    let hot = writes.iter().filter(|write| write.key == 1).count();
    assert!((60..=200).contains(&hot), "uniform, whatever is read: {hot}");
    assert_ne!(plan(43, &["writes.rate=20/s"]).writes().next(), with.writes().next());
}

#[test]
fn a_share_of_the_requests_writes_and_the_others_ask_for_what_they_did() {
    let (without, with) = (plan(42, &[]), plan(42, &["writes.share=0.1"]));
    let (mut puts, mut all) = (0, 0);
    for client in 0..50 {
        for n in 0..2000 {
            let (item, before) = (with.item(client, n, 0), without.item(client, n, 0));
            all += 1;
            match item.op {
                Op::Put => puts += 1,
                Op::Get => assert_eq!(item, before),
                Op::Count => panic!("nothing counts"),
            }
        }
    }
    let share = f64::from(puts) / f64::from(all);
    assert!((share - 0.1).abs() < 0.005, "{share}");
    assert_eq!(with.writes().count(), 0, "they are the load's own");
    assert_ne!(with.hash(), plan(42, &["writes.share=0.2"]).hash());
}

#[test]
fn a_share_of_the_requests_asks_for_what_does_not_exist_and_the_others_for_what_they_did() {
    let missing = plan(42, &["keys.missing_share=0.05", "keys.missing_n=4"]);
    let all = counts(&missing, 14);
    check_share(all[1], 0.95 * 0.95);
    all[2..=10].iter().for_each(|count| check_share(*count, 0.95 * 0.05 / 9.0));
    all[11..].iter().for_each(|count| check_share(*count, 0.05 / 4.0));
    let keys = scenario(&["keys.missing_share=0.05", "keys.missing_n=4"]).keys;
    assert_eq!((keys.is_missing(10), keys.is_missing(11), keys.last()), (false, true, 14));
    assert_eq!(keys.in_words(), ", 5 % for items that do not exist");
    assert_eq!(scenario(&["keys.missing_share=0.07"]).keys.in_words(), ", 7 % for items that do not exist");
    let nobody_asks = scenario(&["keys.missing_n=4"]).keys;
    assert_eq!((nobody_asks.last(), nobody_asks.in_words().as_str()), (10, ""));

    let none = plan(42, &[]);
    let existing = (0..1000).map(|n| (missing.item(7, n, 0), none.item(7, n, 0))).filter(|(item, _)| item.key <= 10);
    existing.for_each(|(item, without)| assert_eq!(item, without));
    let open = plan(42, &["load.rate=400/s", "keys.missing_share=0.05"]);
    assert!(open.arrivals().any(|arrival| arrival.key > 10), "in an open load, too");
}

#[test]
fn an_item_is_the_same_whenever_it_is_asked_for() {
    let (one, other) = (plan(42, &[]), plan(42, &[]));
    let forward: Vec<_> = (0..1000).map(|n| one.item(7, n, 0)).collect();
    let mut backward: Vec<_> = (0..1000).rev().map(|n| other.item(7, n, 0)).collect();
    backward.reverse();
    assert_eq!(forward, backward);
    assert_ne!(forward, (0..1000).map(|n| plan(43, &[]).item(7, n, 0)).collect::<Vec<_>>());
    assert_ne!(forward, (0..1000).map(|n| one.item(8, n, 0)).collect::<Vec<_>>());
}

#[test]
fn replicas_take_turns() {
    let plan = plan(42, &[]);
    assert_eq!([0, 1, 2, 3].map(|n| plan.item(0, n, 0).replica), [0, 1, 2, 0]);
    assert_eq!([0, 1, 2, 3].map(|client| plan.item(client, 1, 0).replica), [1, 2, 0, 1]);
    assert_eq!(plan.item(u32::MAX, u64::MAX, 0).replica, plan.item(u32::MAX, u64::MAX, 0).replica);
    assert_eq!(Plan::new(1, &scenario(&[]), 0).item(9, 9, 0).replica, 0);
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

/// 50/s, from 5 s on up to 2000/s in 20 s, at 40 s down to 100/s at once; a warm-up of 5 s.
const RAMPED: [&str; 2] = [
    "load.rate=50/s",
    "load.ramp=[{ at = \"5s\", to = \"2000/s\", over = \"20s\" }, { at = \"40s\", to = \"100/s\", over = \"0s\" }]",
];

/// The integral of that rate over the first `t` seconds of the plan.
fn ramped_until(t: f64) -> f64 {
    let climbing = |s: f64| 50.0 * s + (2000.0 - 50.0) / 20.0 * s * s / 2.0;
    50.0 * t.min(10.0)
        + climbing((t - 10.0).clamp(0.0, 20.0))
        + 2000.0 * (t - 30.0).clamp(0.0, 15.0)
        + 100.0 * (t - 45.0).max(0.0)
}

#[test]
fn a_ramps_arrivals_follow_the_integral_of_its_rate() {
    for seed in [42, 43, 44] {
        let plan = plan(seed, &RAMPED);
        let arrivals: Vec<f64> = plan.arrivals().map(|arrival| arrival.at_ns as f64 * 1e-9).collect();
        assert!(arrivals.is_sorted());
        assert!(arrivals.iter().all(|at| *at < 65.0));
        // Windows of a quarter of a second, and everything.
        for (from, to) in (0..260).map(|i| (f64::from(i) / 4.0, f64::from(i + 1) / 4.0)).chain([(0.0, 65.0)]) {
            let expected = ramped_until(to) - ramped_until(from);
            let count = arrivals.iter().filter(|at| (from..to).contains(*at)).count() as f64;
            assert!(
                (count - expected).abs() <= 5.0 * expected.sqrt(),
                "{from} to {to} s: {count}, expected {expected}"
            );
        }
        // On the clock that runs by the integral the gaps are exponential, by Kolmogorov and Smirnov at the 0.1 % level.
        let mut gaps: Vec<f64> = arrivals.windows(2).map(|w| ramped_until(w[1]) - ramped_until(w[0])).collect();
        gaps.sort_by(f64::total_cmp);
        let far = gaps.iter().enumerate();
        let far = far.map(|(i, gap)| (1.0 - (-gap).exp() - (i as f64 + 0.5) / gaps.len() as f64).abs());
        let far = far.fold(0.0, f64::max);
        assert!(far < 1.95 / (gaps.len() as f64).sqrt(), "{far}");
    }
}

#[test]
fn a_ramps_even_arrivals_come_when_the_integral_reaches_their_number() {
    let plan = plan(42, &[RAMPED[0], RAMPED[1], "load.arrivals=constant"]);
    let arrivals: Vec<u64> = plan.arrivals().map(|arrival| arrival.at_ns).collect();
    assert_eq!(arrivals.len(), ramped_until(65.0) as usize);
    for (n, at_ns) in arrivals.iter().enumerate() {
        let integral = ramped_until(*at_ns as f64 * 1e-9);
        assert!((integral - n as f64).abs() < 1e-5, "the arrival {n} is where the integral is {integral}");
    }
    assert_eq!(arrivals[1], 20_000_000, "before the ramp as without it");
}

#[test]
fn before_its_first_ramp_a_plan_is_what_it_is_without() {
    let (with, without) = (plan(42, &RAMPED), plan(42, &["load.rate=50/s"]));
    let before = |plan: &Plan| plan.arrivals().take_while(|a| a.at_ns < 10_000_000_000).collect::<Vec<_>>();
    let (with, without) = (before(&with), before(&without));
    assert_eq!(with.len(), without.len());
    for (a, b) in with.iter().zip(&without) {
        assert_eq!((a.key, a.replica), (b.key, b.replica));
        assert!(a.at_ns.abs_diff(b.at_ns) < 1000, "{a:?} {b:?}: the rounding of the gaps and no more");
    }
}

proptest! {
    #[test]
    fn no_ramps_bring_arrivals_out_of_order_or_out_of_range(
        first in 0.001_f64..2000.0,
        ramps in proptest::collection::vec((0_u64..2000, 0.001_f64..20_000.0, 0_u64..2000), 1..6),
        poisson in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut scenario = scenario(&["load.rate=1/s", "load.duration=60s", "load.warmup=1s"]);
        let mut from_ms = 0;
        let mut expected = first;
        let mut now = (0, first);
        let mut made = Vec::new();
        for (gap_ms, to_per_s, over_ms) in ramps {
            let at_ms = from_ms + gap_ms + 1;
            from_ms = at_ms + over_ms;
            expected += (at_ms - now.0) as f64 / 1e3 * now.1 + over_ms as f64 / 1e3 * (now.1 + to_per_s) / 2.0;
            now = (from_ms, to_per_s);
            let ms = Duration::from_millis;
            made.push(Ramp { at: ms(at_ms), to_per_s, over: ms(over_ms) });
        }
        let arrivals = if poisson { Arrivals::Poisson } else { Arrivals::Constant };
        scenario.load.kind = LoadKind::Open { rate_per_s: first, arrivals, start: Start::Together, ramps: made };
        // Up to the end of the last ramp.
        scenario.load.duration = Duration::from_millis(from_ms);
        let plan = Plan::new(seed, &scenario, 3);
        let arrivals: Vec<_> = plan.arrivals().collect();
        prop_assert!(arrivals.is_sorted_by_key(|arrival| arrival.at_ns));
        let end_ns = scenario.load.total().as_nanos() as u64;
        prop_assert!(arrivals.iter().all(|arrival| arrival.at_ns < end_ns));
        let far = (arrivals.len() as f64 - expected).abs();
        // Few are Poisson's own tail: 6 sigma, and room for what is rare.
        let room = if poisson { 6.0 * expected.sqrt() + 10.0 } else { 1.0 };
        prop_assert!(far <= room, "{} arrivals, expected {expected}", arrivals.len());
    }
}

#[test]
fn a_staggered_start_only_leaves_out_what_is_not_in_use_yet() {
    let sets = ["load.rate=400/s", "keys.kind=uniform", "keys.n=100", "load.warmup=12s", "cache.ttl=5s"];
    let together = plan(42, &sets);
    let staggered = plan(42, &[&sets[..], &["load.start=staggered"]].concat());
    assert_ne!(together.hash(), staggered.hash());
    let [all, some]: [Vec<_>; 2] = [&together, &staggered].map(|plan| plan.arrivals().collect());
    // Over two TTLs, 10 s, every key comes into use once and stays; then the plans are the same.
    let first = |key: u32| some.iter().find(|arrival| arrival.key == key).unwrap().at_ns;
    let due: Vec<bool> = all.iter().map(|arrival| arrival.at_ns >= first(arrival.key)).collect();
    let in_use: Vec<_> = all.iter().zip(due).filter(|(_, due)| *due).map(|(arrival, _)| *arrival).collect();
    assert_eq!(in_use, some);
    assert!(all.iter().filter(|arrival| arrival.at_ns >= 10_000_000_000).all(|arrival| some.contains(arrival)));
    // A triangle: an eighth of the keys in the first quarter, half in the first half. Who is in use is asked for within a second.
    let by = |at_s: u64| (1..=100).filter(|key| first(*key) < at_s * 1_000_000_000).count();
    assert!(by(1) <= 3 && (30..=50).contains(&by(5)) && by(11) == 100, "{} {} {}", by(1), by(5), by(11));
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
    for (name, hash) in [
        ("hotkey", "3a93839bd404163d"),
        ("hotkey-open", "64057d82e7a26f28"),
        ("bulk-warm", "c986e7518feb41d0"),
        ("cold-start", "af94688a33ae9c98"),
        ("zipf", "c188a79a9725dea7"),
    ] {
        let (_, text) = shipped().iter().find(|(shipped, _)| *shipped == name).unwrap();
        let scenario = Scenario::parse(text, name, &[]).unwrap();
        assert_eq!(Plan::new(42, &scenario, 3).hash(), hash, "{name}");
    }
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
        "keys.missing_share=0.01",
    ] {
        assert_ne!(plan(42, &[set]).hash(), base, "{set}");
    }
    for set in [
        "strategies=[\"swr\"]",
        "cache.ttl=6s",
        "origin.service_time=1s",
        "origin.queue=1",
        "name=x",
        "summary=x",
        "keys.missing_n=3",
    ] {
        assert_eq!(plan(42, &[set]).hash(), base, "{set}");
    }
    assert_ne!(plan(43, &[]).hash(), base);
    assert_ne!(Plan::new(42, &scenario(&[]), 2).hash(), base);
    let of_two = plan(42, &["keys.missing_share=0.01", "keys.missing_n=2"]).hash();
    assert_ne!(of_two, plan(42, &["keys.missing_share=0.01"]).hash());
    let open = |arrivals: &str| plan(42, &["load.rate=400/s", arrivals]).hash();
    assert_ne!(open("load.arrivals=poisson"), open("load.arrivals=constant"));
    let ramp = |at: &str, to: &str, over: &str| {
        plan(42, &["load.rate=400/s", &format!("load.ramp=[{{ at = \"{at}\", to = \"{to}\", over = \"{over}\" }}]")])
            .hash()
    };
    let ramped = [ramp("5s", "2000/s", "20s"), ramp("6s", "2000/s", "20s"), ramp("5s", "2001/s", "20s")];
    let mut all =
        [&ramped[..], &[ramp("5s", "2000/s", "21s"), ramp("59s", "400/s", "1s"), open("load.timeout=10s")]].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 6, "a ramp that changes nothing is in the hash, too");
}

#[test]
fn a_million_clients_are_hashed_by_a_sample() {
    let hash = plan(42, &["load.clients=1000000"]).hash();
    assert_eq!(hash.len(), 16);
    assert!(hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
}
