//! The statistics against SciPy's and statsmodels' (fixtures/stats.py), and against what they promise: how often they give a
//! false alarm, how often they see what is there, how often an interval holds the truth.

use report::compare::stats::{
    ALPHA, Call, Weighed, bootstrap_interval, holm, log_ratio, median, rank_sum_p, shift, sign_flip_p,
};
use serde_json::Value;

fn cases(of: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../fixtures/stats.json")).unwrap();
    let cases = all[of].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn near(ours: f64, theirs: &Value, within: f64, of: &Value) {
    let theirs = theirs.as_f64().unwrap();
    assert!((ours - theirs).abs() <= within, "{ours} and not {theirs} of {of}");
}

#[test]
fn sign_flip_is_scipys() {
    for case in cases("sign_flip") {
        near(sign_flip_p(&numbers(&case["differences"])), &case["p"], 1e-12, &case);
    }
}

#[test]
fn rank_sum_is_scipys_with_ties_and_without() {
    for case in cases("rank_sum") {
        let (a, b) = (numbers(&case["a"]), numbers(&case["b"]));
        near(rank_sum_p(&a, &b), &case["p"], 1e-12, &case);
        near(rank_sum_p(&b, &a), &case["p"], 1e-12, &case);
    }
}

#[test]
fn the_shift_is_what_scipys_test_does_not_refuse() {
    for case in cases("shift") {
        let ours = shift(&numbers(&case["a"]), &numbers(&case["b"]), 0.95).unwrap();
        near(ours.estimate, &case["estimate"], 1e-9, &case);
        let (low, high) = ours.interval.unwrap();
        near(low, &case["low"], 1e-9, &case);
        near(high, &case["high"], 1e-9, &case);
    }
    let few = shift(&[1.0, 2.0, 3.0], &[2.0, 3.0, 4.0], 0.95).unwrap();
    assert_eq!((few.estimate, few.interval), (1.0, None), "20 orders: none is rare enough");
    assert_eq!(shift(&[], &[1.0], 0.95), None);
}

#[test]
fn holm_is_statsmodels() {
    for case in cases("holm") {
        for (ours, theirs) in holm(&numbers(&case["p"])).into_iter().zip(case["adjusted"].as_array().unwrap()) {
            near(ours, theirs, 1e-12, &case);
        }
    }
}

#[test]
fn the_exact_bootstrap_is_what_two_million_resamples_say() {
    for case in cases("bootstrap") {
        let (low, high) = bootstrap_interval(&numbers(&case["values"]), 0.95).unwrap();
        near(low, &case["low"], 1e-9, &case);
        near(high, &case["high"], 1e-9, &case);
    }
    assert_eq!(bootstrap_interval(&[1.0], 0.95), None);
    assert_eq!(bootstrap_interval(&[2.0, 2.0, 2.0], 0.95), Some((2.0, 2.0)));
}

#[test]
fn of_nothing_and_of_no_difference_nothing_is_said() {
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[3.0, 1.0, 2.0, 10.0]), Some(2.5));
    assert_eq!(sign_flip_p(&[]), 1.0);
    assert_eq!(sign_flip_p(&[0.0; 30]), 1.0);
    assert_eq!(rank_sum_p(&[], &[1.0]), 1.0);
    assert_eq!(rank_sum_p(&[2.0; 6], &[2.0; 6]), 1.0);
    assert_eq!(log_ratio(0.0, 0.0, 1.0), 0.0);
    assert!(holm(&[]).is_empty());
}

/// Many pairs are counted on a grid: the same p as one by one, but for the rounding.
#[test]
fn many_pairs_are_counted_as_well_as_few() {
    let mut noise = Noise(7);
    for shift in [0.0, 0.3] {
        let few: Vec<f64> = (0..20).map(|_| noise.normal() + shift).collect();
        // A pair that hardly differs changes nothing but the way of counting.
        let many: Vec<f64> = few.iter().copied().chain([1e-6]).collect();
        assert!((sign_flip_p(&few) - sign_flip_p(&many)).abs() < 1e-3);
    }
}

#[test]
fn a_verdict_needs_a_test_an_interval_and_a_difference_beyond_the_noise() {
    let seen = |effect, low, high, p, runs| Weighed { effect, interval: Some((low, high)), p, runs };
    for (seen, call) in [
        (seen(-0.5, -0.6, -0.4, 0.01, 10), Call::Improved),
        (seen(0.5, 0.4, 0.6, 0.01, 10), Call::Regressed),
        (seen(0.5, 0.4, 0.6, 0.06, 10), Call::Inconclusive), // the test does not say so
        (seen(0.1, -0.1, 0.3, 0.01, 10), Call::Inconclusive), // the interval does not
        (seen(0.01, 0.005, 0.02, 0.001, 10), Call::Equivalent), // sure, and within the noise
        (seen(0.0, -0.01, 0.3, 0.9, 10), Call::Inconclusive),
        (seen(0.5, 0.4, 0.6, 0.001, 5), Call::TooFew),
        (Weighed { interval: None, ..seen(0.5, 0.4, 0.6, 0.001, 10) }, Call::TooFew),
    ] {
        assert_eq!(Call::of(seen, 0.03), call, "{seen:?}");
    }
}

/// SplitMix64, and normal numbers of it: tests need noise, and the same each time.
struct Noise(u64);

impl Noise {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// Log-ratios of so many pairs of runs: each run has noise of its own, and a rare slow one.
fn pairs(noise: &mut Noise, runs: usize, effect: f64) -> Vec<f64> {
    let mut run = || 0.05 * noise.normal() + if noise.unit() < 0.05 { 0.3 } else { 0.0 };
    (0..runs).map(|_| run() + effect - run()).collect()
}

fn call_pairs(of: &[Vec<f64>]) -> Vec<Call> {
    let p = holm(&of.iter().map(|d| sign_flip_p(d)).collect::<Vec<_>>());
    let weigh = |(d, p): (&Vec<f64>, f64)| {
        let (effect, interval) = (median(d).unwrap(), bootstrap_interval(d, 0.95));
        Call::of(Weighed { effect, interval, p, runs: d.len() }, 0.01)
    };
    of.iter().zip(p).map(weigh).collect()
}

fn alarm(call: Call) -> bool {
    matches!(call, Call::Improved | Call::Regressed)
}

const ROUNDS: usize = 1000;

#[test]
fn the_same_thing_against_itself_gives_no_more_false_alarms_than_it_may() {
    let mut noise = Noise(1);
    for runs in [6, 8, 10, 12] {
        let alarms = (0..ROUNDS).filter(|_| {
            let metrics: Vec<Vec<f64>> = (0..4).map(|_| pairs(&mut noise, runs, 0.0)).collect();
            call_pairs(&metrics).into_iter().any(alarm)
        });
        let alarms = alarms.count() as f64 / ROUNDS as f64;
        let error = (ALPHA * (1.0 - ALPHA) / ROUNDS as f64).sqrt();
        println!("{runs} blocks: {alarms} of rounds have a false alarm");
        assert!(alarms <= ALPHA + 3.0 * error, "{alarms} of rounds with {runs} blocks");
    }
}

#[test]
fn unpaired_gives_no_more_false_alarms_than_it_may_and_its_interval_holds_the_truth() {
    let mut noise = Noise(2);
    let error = (ALPHA * (1.0 - ALPHA) / ROUNDS as f64).sqrt();
    for (m, n) in [(6, 6), (8, 10)] {
        let (mut alarms, mut held) = (0, 0);
        for _ in 0..ROUNDS {
            let a: Vec<f64> = (0..m).map(|_| noise.normal()).collect();
            let b: Vec<f64> = (0..n).map(|_| noise.normal() + 1.0).collect();
            let (low, high) = shift(&a, &b, 0.95).unwrap().interval.unwrap();
            held += usize::from(low <= 1.0 && 1.0 <= high);
            let same: Vec<f64> = b.iter().map(|b| b - 1.0).collect();
            alarms += usize::from(rank_sum_p(&a, &same) <= ALPHA);
        }
        assert!(alarms as f64 / ROUNDS as f64 <= ALPHA + 3.0 * error, "{alarms} alarms of {m} and {n}");
        assert!(held as f64 / ROUNDS as f64 >= 1.0 - ALPHA - 3.0 * error, "{held} held of {m} and {n}");
    }
}

#[test]
fn a_known_effect_is_found_and_the_interval_holds_it() {
    let mut noise = Noise(3);
    let effect = 1.25_f64.ln();
    for (runs, power, coverage) in [(8, 0.6, 0.91), (10, 0.8, 0.91), (12, 0.95, 0.91)] {
        let (mut found, mut held) = (0, 0);
        for _ in 0..ROUNDS {
            let d = pairs(&mut noise, runs, effect);
            let (low, high) = bootstrap_interval(&d, 0.95).unwrap();
            held += usize::from(low <= effect && effect <= high);
            // Three other metrics do not change.
            let mut metrics: Vec<Vec<f64>> = (0..3).map(|_| pairs(&mut noise, runs, 0.0)).collect();
            metrics.push(d);
            found += usize::from(call_pairs(&metrics)[3] == Call::Regressed);
        }
        let (found, held) = (found as f64 / ROUNDS as f64, held as f64 / ROUNDS as f64);
        println!("{runs} blocks: 25 % more found in {found}, interval holds it in {held}");
        assert!(found >= power, "{found} found with {runs} blocks");
        assert!(held >= coverage, "{held} held with {runs} blocks");
    }
}

/// With fewer than eight blocks no p can be small enough for one of four metrics.
#[test]
fn six_blocks_are_enough_for_one_metric_and_eight_for_four() {
    let smallest = |runs: usize| holm(&[sign_flip_p(&vec![1.0; runs]), 1.0, 1.0, 1.0])[0];
    assert_eq!(sign_flip_p(&[1.0; 6]), 2.0 / 64.0);
    assert!(smallest(7) > ALPHA);
    assert!(smallest(8) <= ALPHA);
}
