//! Each reason not to believe a run is noticed, and a sound run has none.

use std::time::Duration;

use loadgen::load::measure::{RunFacts, Warmth, doubts};
use report::record::{BinRow, Outcomes, Strategy};

/// A sound strategy of a hundred requests, and its circumstances.
fn sound() -> (Strategy, RunFacts) {
    let run = report::parse_run(include_bytes!("../../../report/tests/fixtures/run-v1.json")).unwrap();
    let mut strategy = run.strategies[0].clone();
    strategy.outcomes = Outcomes { hit: 90, load: 10, ..Outcomes::default() };
    (strategy.requests, strategy.unsent) = (100, 0);
    strategy.ledgers.as_mut().unwrap().disagree.clear();
    strategy.lag_ms.p99 = Some(0.5);
    let circumstances = RunFacts { planned: 100, hits_before_start: Some(40), ..RunFacts::default() };
    (strategy, circumstances)
}

#[test]
fn a_sound_run_has_no_doubts() {
    let (strategy, circumstances) = sound();
    assert_eq!(doubts(&strategy, &circumstances), Vec::<String>::new());
    let cold = RunFacts { hits_before_start: None, ..circumstances.clone() };
    assert!(doubts(&strategy, &cold).is_empty(), "without a warm-up nothing is asked of it");
    let planned = RunFacts {
        cache_errors: 9,
        cache_restarted: true,
        cache_unknown: Some("gone".into()),
        cache_fault_planned: true,
        ..circumstances
    };
    assert!(doubts(&strategy, &planned).is_empty(), "an event explains the lost cache");
}

#[test]
fn each_doubt_is_noticed_alone() {
    type Change = fn(&mut Strategy, &mut RunFacts);
    let changes: &[(&str, Change)] = &[
        ("101 requests were planned, 100 sent and 0 not sent", |_, c| c.planned = 101),
        ("100 requests were sent and 99 have an outcome", |s, _| s.outcomes.hit = 89),
        ("the ledgers disagree: a-1: twice (and 1 more)", |s, _| {
            s.ledgers.as_mut().unwrap().disagree = vec!["a-1: twice".into(), "a-2: never".into()];
        }),
        ("the clocks are known to 5.0 ms only; at most 5 ms", |_, c| c.clock_uncertainty_ns = 5_000_000),
        ("the end of the warm-up (a second, or a hundred requests) had no hit", |_, c| c.hits_before_start = Some(0)),
        ("the cache failed 3 operations (get down)", |_, c| {
            (c.cache_errors, c.cache_error_classes) = (3, "get down".into());
        }),
        ("the cache evicted 7 entries", |_, c| c.evicted = 7),
        ("the cache was restarted", |_, c| c.cache_restarted = true),
        ("could not be asked about itself at the end: gone", |_, c| c.cache_unknown = Some("gone".into())),
        ("1 replicas were restarted", |_, c| c.replicas_restarted = 1),
        ("2 events found no room", |_, c| c.events_dropped = 2),
        ("4 flights or requests had not ended", |_, c| c.not_quiet = 4),
        ("5 answers carried another item", |_, c| c.wrong_bodies = 5),
        ("6 planned events did not take effect", |_, c| c.faults_failed = 6),
        ("the generator had no more file descriptors: raise the hard limit (ulimit -Hn)", |s, _| {
            s.error_kinds.insert("generator-no-descriptors".into(), 3);
        }),
        ("the origin was read 7 times, and these arrivals need 8", |s, c| {
            (s.origin.as_mut().unwrap().total, c.reads_min) = (7, Some(8));
        }),
        ("stood still: generator for 3000 ms at 4.0 s, origin for 300 ms at 4.0 s (at most 250 ms)", |_, c| {
            c.against.silences = vec!["generator for 3000 ms at 4.0 s".into(), "origin for 300 ms at 4.0 s".into()];
        }),
        ("the wall clock was set, and TTLs go by it: origin by -3000 ms at 3.0 s", |_, c| {
            c.against.steps = vec!["origin by -3000 ms at 3.0 s".into()];
        }),
        ("the lab's own entry had gone 2 times, first at 1.5 s", |_, c| {
            c.against.lost = vec!["1.5 s".into(), "2.0 s".into()];
        }),
        ("9 messages between replicas could not be heard or sent", |_, c| c.wakes_lost = 9),
        ("the origin's rows missed 3 new versions", |_, c| c.writes_missed = Some(3)),
        ("a generator thread ended early", |_, c| c.worker_died = true),
        ("the generator was late by 5.1 ms (p99); at most 5 ms", |s, c| {
            (s.lag_ms.p99, c.open_loop) = (Some(5.1), true);
        }),
    ];
    for (words, change) in changes {
        let (mut strategy, mut circumstances) = sound();
        change(&mut strategy, &mut circumstances);
        let said = doubts(&strategy, &circumstances);
        assert!(said.len() == 1 && said[0].contains(words), "{words}: {said:?}");
    }
}

#[test]
fn an_open_loop_must_send_what_was_planned() {
    let (mut strategy, mut circumstances) = sound();
    (circumstances.planned, strategy.unsent, circumstances.open_loop) = (102, 2, true);
    let said = doubts(&strategy, &circumstances);
    assert!(said.len() == 1 && said[0].contains("sent 100 of 102 planned requests"), "{said:?}");
    circumstances.open_loop = false;
    assert!(doubts(&strategy, &circumstances).is_empty(), "a closed loop has no such plan");
}

const S: i64 = 1_000_000_000;

/// The second that begins so many before t = 0: what was sent in it, and what of that was a hit.
fn row(start_s: i64, sent: u64, hit: u64) -> BinRow {
    BinRow { start_ms: start_s * 1000, sent, hit, ..BinRow::default() }
}

#[test]
fn a_cache_that_is_seldom_asked_is_warm_by_its_last_hundred_requests() {
    // (requests and hits of the seconds before t = 0, hits)
    for (seconds, hits) in [
        (&[(400, 390), (400, 0)][..], 0),
        (&[(400, 0), (400, 390)], 390),
        (&[(40, 7), (40, 3), (40, 0), (40, 2)], 5),
        (&[(40, 1), (40, 0)], 1),
    ] {
        // One key, of which every request but the first should have been a hit.
        let mut warmth = Warmth::new(1, Duration::ZERO, Duration::from_secs(60));
        let before = seconds.iter().zip(-(seconds.len() as i64)..);
        let mut rows = Vec::new();
        for ((sent, hit), at) in before {
            let arrivals: Vec<(i64, u32)> = (0..*sent).map(|n| (at * S + n as i64, 1)).collect();
            warmth.arrive(at * 1000, &arrivals);
            rows.push(row(at, *sent, *hit));
        }
        rows.push(row(0, 50, 50));
        assert_eq!(warmth.hits(&rows), Some(hits), "{seconds:?}");
    }
}

#[test]
fn where_no_hits_were_to_be_expected_their_absence_says_nothing() {
    // A minute of warm-up; (keys, how often one of them in turn is asked for, a read, a life, whether hits were expected)
    let cases: [(u32, i64, i64, u64, bool); 7] = [
        (1, S / 10, S / 5, 5, true),
        (1, 20 * S, S / 5, 5, false),
        (1, 20 * S, S / 5, 3600, false),
        (1, 5 * S, S / 5, 3600, true),
        (1, S / 10, 49 * S, 5, false),
        (1, S / 10, 49 * S, 3600, true),
        (1000, S / 10, S / 5, 3600, false),
    ];
    for (keys, every, read, life, expected) in cases {
        let mut warmth = Warmth::new(keys, Duration::from_nanos(read as u64), Duration::from_secs(life));
        let arrivals: Vec<(i64, u32)> =
            (0..60 * S / every).map(|n| (n * every - 60 * S, n as u32 % keys + 1)).collect();
        let mut rows = Vec::new();
        for second in -60..0 {
            let within: Vec<_> = arrivals.iter().filter(|(at, _)| at.div_euclid(S) == second).copied().collect();
            warmth.arrive(second * 1000, &within);
            rows.push(row(second, within.len() as u64, 0));
        }
        let case = format!("{keys} keys, every {every} ns, read {read} ns, life {life} s");
        assert_eq!(warmth.hits(&rows), expected.then_some(0), "{case}");
        // One that was seen is known all the same, and so is an old value.
        rows[59].stale = 1;
        assert_eq!(warmth.hits(&rows), Some(1), "{case}");
    }
}

#[test]
fn a_run_of_no_requests_is_no_run() {
    let (mut strategy, mut circumstances) = sound();
    (strategy.requests, strategy.outcomes, circumstances.planned) = (0, Outcomes::default(), 0);
    assert_eq!(doubts(&strategy, &circumstances), ["no request was sent in the measured phase"]);
}
