//! Made-up sweeps. The numbers mean nothing; they have every case that a chart must show.

use std::collections::BTreeMap;

use report::sweep::{
    Miss, Point, Ranked, SWEEP_SCHEMA, Spread, Sweep, SweepCondition, SweepGoal, SweptKnob, SweptValue,
};

fn knob(name: &str, unit: &str, values: &[(&str, f64)]) -> SweptKnob {
    let value = |(text, number): &(&str, f64)| SweptValue { text: (*text).into(), number: Some(*number) };
    SweptKnob { name: name.into(), unit: Some(unit.into()), values: values.iter().map(value).collect() }
}

fn point(strategy: &str, values: &[&str], figures: &[(&str, Option<f64>)]) -> Point {
    let spread = |mean: f64| Spread { mean, min: mean * 0.9, max: mean * 1.2 };
    Point {
        strategy: strategy.into(),
        name: strategy.into(),
        spec: "xfetch + lock".into(),
        values: values.iter().map(|value| (*value).into()).collect(),
        runs: 5,
        valid: true,
        invalid_because: Vec::new(),
        figures: figures.iter().map(|(name, mean)| ((*name).into(), mean.map(spread))).collect(),
    }
}

fn sweep(knobs: Vec<SweptKnob>, points: Vec<Point>, ranking: Vec<Ranked>) -> Sweep {
    let condition = SweepCondition {
        text: "latency.p99 <= 20ms".into(),
        metric: "latency_ms.p99".into(),
        comparison: "<=".into(),
        limit: 20.0,
    };
    Sweep {
        schema: SWEEP_SCHEMA.into(),
        sweep: "20261120T235900Z-sweep-hotkey-3f9a".into(),
        complete: true,
        version: "0.1.0".into(),
        started_at: "2026-11-20T23:59:00Z".into(),
        command: "loadgen sweep".into(),
        scenario: "hotkey".into(),
        summary: "One popular key.".into(),
        lab: "sim".into(),
        replicas: 3,
        settings: BTreeMap::from([("load.clients".into(), "50".into())]),
        seeds: (42..47).collect(),
        knobs,
        left_out: vec!["naive".into()],
        charted: vec!["origin.total".into(), "latency_ms.p99".into(), "stale.share".into()],
        goal: Some(SweepGoal {
            text: "min origin.total where latency.p99 <= 20ms".into(),
            direction: "min".into(),
            metric: "origin.total".into(),
            conditions: vec![condition],
        }),
        points,
        ranking,
        part: None,
    }
}

fn meets(point: usize) -> Ranked {
    Ranked { point, meets: true, as_good_as_best: point == 1, misses: Vec::new() }
}

fn misses(point: usize) -> Ranked {
    let miss = Miss { condition: 0, worst: Some(60.0), by: Some(2.0) };
    Ranked { point, meets: false, as_good_as_best: false, misses: vec![miss] }
}

/// Two strategies, three settings by two; one is invalid, one unknown, some miss the goal.
pub(crate) fn two_knobs() -> Sweep {
    let knobs = vec![
        knob("xfetch.beta", "", &[("0.5", 0.5), ("1", 1.0), ("2", 2.0)]),
        knob("cache.ttl", "s", &[("2s", 2.0), ("10s", 10.0)]),
    ];
    let mut points = Vec::new();
    for (strategy, reads) in [("xfetch(stale=1s)", 100.0), ("swr + lock", 3000.0)] {
        for (at, beta) in ["0.5", "1", "2"].into_iter().enumerate() {
            for (ttl, p99) in [("2s", 60.0), ("10s", 0.4)] {
                let reads = reads * (1.0 + at as f64) * if ttl == "2s" { 3.0 } else { 1.0 };
                let figures =
                    [("origin.total", Some(reads)), ("latency_ms.p99", Some(p99)), ("stale.share", Some(0.0))];
                points.push(point(strategy, &[beta, ttl], &figures));
            }
        }
    }
    points[4].valid = false;
    points[4].invalid_because = vec!["the ledgers disagree".into()];
    points[5].figures.insert("latency_ms.p99".into(), None);
    let ranking = vec![meets(1), meets(3), meets(7), meets(9), meets(11), misses(0), misses(2), misses(5), misses(6)];
    sweep(knobs, points, ranking)
}

/// Two strategies over five TTLs, one of them torn by an invalid run.
pub(crate) fn one_knob() -> Sweep {
    let ttls = [("1s", 1.0), ("2s", 2.0), ("5s", 5.0), ("10s", 10.0), ("20s", 20.0)];
    let mut points = Vec::new();
    for (strategy, reads, p99) in [("naive", 700.0, 201.0), ("swr", 110.0, 0.4)] {
        for (ttl, seconds) in ttls {
            let figures = [
                ("origin.total", Some(reads * 5.0 / seconds)),
                ("latency_ms.p99", Some(p99)),
                ("stale.share", (strategy == "swr").then_some(0.2 / seconds)),
            ];
            points.push(point(strategy, &[ttl], &figures));
        }
    }
    points[2].valid = false;
    let ranking = vec![meets(9), meets(8), misses(0)];
    sweep(vec![knob("cache.ttl", "s", &ttls)], points, ranking)
}
