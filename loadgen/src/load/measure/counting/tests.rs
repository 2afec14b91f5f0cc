//! Counters that are right whatever the order of their answers, and counters that are wrong by a known amount.

use strategies::rng::Rng;

use super::*;

const MS: i64 = 1_000_000;
const T: Duration = Duration::from_secs(1);

fn terms() -> CountingTerms {
    CountingTerms { window: (T, T), parts: 1, told: true, per_window: Some(1000) }
}

fn of(increments: &[SeenIncrement], terms: &CountingTerms) -> CounterFigures {
    let folder = tempfile::tempdir().unwrap();
    let mut tape = IncrementTape::new(folder.path());
    increments.iter().for_each(|seen| tape.push(&seen.record()));
    counting(&tape, terms).unwrap()
}

fn acknowledged(sent_ms: i64, done_ms: i64, value: u64) -> SeenIncrement {
    let end = IncrementEnd::Acknowledged { value, part: 0, told: value };
    SeenIncrement { key: 1, sent_ns: sent_ms * MS, done_ns: done_ms * MS, end }
}

/// Which counter it is.
#[derive(Clone, Copy, PartialEq)]
enum Model {
    Right,
    GetSetIncr,
}

/// What really happened.
#[derive(Debug, Default)]
struct Truth {
    lost: u64,
    resets: u64,
    windows: u64,
}

/// Poisson increments of a key, each with two moments at the server between its sending and its answer; some answers are lost.
fn world(model: Model, per_s: f64, seconds: f64, lost_share: f64, seed: u64) -> (Vec<SeenIncrement>, Truth) {
    let rng = Rng::new(seed);
    let mut asked: Vec<(i64, i64, i64, i64)> = Vec::new();
    let mut at = 0.0;
    loop {
        at += -(1.0 - rng.next_unit()).ln() / per_s;
        if at > seconds {
            break;
        }
        let sent = (at * 1e9) as i64;
        // Around 5 ms each, and now and then 50.
        let leg = || (rng.next_unit() * if rng.next_unit() < 0.02 { 5e7 } else { 5e6 }) as i64;
        let first = sent + leg();
        let second = first + leg();
        asked.push((sent, first, second, second + leg()));
    }
    let mut moments: Vec<(i64, usize, bool)> = Vec::new();
    for (n, (_, first, second, _)) in asked.iter().enumerate() {
        moments.push((*first, n, true));
        moments.push((*second, n, false));
    }
    moments.sort_unstable();
    let (mut value, mut until, mut truth) = (0, None::<i64>, Truth::default());
    let (mut found, mut told) = (vec![false; asked.len()], vec![0; asked.len()]);
    for (now, n, is_first) in moments {
        if until.is_some_and(|until| now >= until) {
            (value, until) = (0, None);
        }
        if is_first {
            found[n] = value > 0;
        } else if model == Model::GetSetIncr && !found[n] {
            truth.lost += value;
            truth.resets += u64::from(value > 0);
            truth.windows += u64::from(value == 0);
            (value, until) = (1, Some(now + 1_000 * MS));
        } else {
            if value == 0 {
                truth.windows += 1;
                until = (model == Model::Right).then_some(now + 1_000 * MS);
            }
            value += 1;
        }
        if !is_first {
            told[n] = value;
        }
    }
    let seen = |(n, (sent, _, _, done)): (usize, &(i64, i64, i64, i64))| {
        let end = if rng.next_unit() < lost_share {
            IncrementEnd::Unknown
        } else {
            IncrementEnd::Acknowledged { value: told[n], part: 0, told: told[n] }
        };
        SeenIncrement { key: 1, sent_ns: *sent, done_ns: *done, end }
    };
    let mut seen: Vec<SeenIncrement> = asked.iter().enumerate().map(seen).collect();
    // Four workers, one tape: nearly in order.
    seen.sort_by_key(|s| s.done_ns / (40 * MS));
    (seen, truth)
}

#[test]
fn a_right_counter_has_nothing_wrong_whatever_the_order_of_its_answers() {
    for (per_s, seconds) in [(0.7, 100.0), (3.0, 60.0), (20.0, 30.0), (300.0, 12.0), (3000.0, 4.0)] {
        for seed in 0..60 {
            for lost_share in [0.0, 0.05] {
                let (seen, truth) = world(Model::Right, per_s, seconds, lost_share, seed);
                let found = of(&seen, &terms());
                let wrong = [found.lost, found.extra, found.resets, found.long_windows, found.above_limit];
                assert_eq!(wrong, [Some(0); 5], "{per_s}/s, seed {seed}, {lost_share}: {found:?} {truth:?}");
                assert_eq!(found.acknowledged + found.unknown, seen.len() as u64);
                if lost_share == 0.0 {
                    assert_eq!(found.windows, Some(truth.windows), "{per_s}/s, seed {seed}");
                }
            }
        }
    }
}

#[test]
fn what_a_wrong_counter_loses_is_found() {
    let (mut lost, mut resets, mut truly_lost, mut truly_reset) = (0, 0, 0, 0);
    for seed in 0..60 {
        let (seen, truth) = world(Model::GetSetIncr, 400.0, 20.0, 0.0, seed);
        let found = of(&seen, &terms());
        assert_eq!(found.extra, Some(0));
        assert!(found.lost.unwrap() <= truth.lost, "seed {seed}: {found:?} {truth:?}");
        assert!(found.resets.unwrap() <= truth.resets, "seed {seed}: {found:?} {truth:?}");
        (lost, truly_lost) = (lost + found.lost.unwrap(), truly_lost + truth.lost);
        (resets, truly_reset) = (resets + found.resets.unwrap(), truly_reset + truth.resets);
    }
    assert!(truly_lost > 100 && truly_reset > 100, "{truly_lost} {truly_reset}");
    assert!(lost * 10 >= truly_lost * 8, "{lost} of {truly_lost}");
    assert!(resets * 10 >= truly_reset * 9, "{resets} of {truly_reset}");
}

#[test]
fn a_small_table_by_hand() {
    // A window of three, a reset in the next after two, and one that goes on for 3 s.
    let mut seen = vec![acknowledged(0, 1, 1), acknowledged(100, 101, 2), acknowledged(200, 201, 3)];
    seen.extend([acknowledged(1500, 1501, 1), acknowledged(1600, 1601, 2), acknowledged(1700, 1701, 1)]);
    seen.extend((2..=30).map(|n| acknowledged(1700 + 100 * n, 1701 + 100 * n, n as u64)));
    let found = of(&seen, &CountingTerms { per_window: Some(2), ..terms() });
    assert_eq!((found.acknowledged, found.windows, found.resets), (35, Some(2), Some(1)));
    assert_eq!((found.lost, found.extra, found.long_windows), (Some(2), Some(0), Some(1)));
    assert_eq!(found.begun_max_per_second, Some(1), "the first is left out, and the reset");
    // Of the first window two, of the second two before its reset and two after it.
    assert_eq!((found.let_through, found.above_limit), (Some(6), Some(2)));
    let nothing = of(&[], &CountingTerms { per_window: None, ..terms() });
    assert_eq!((nothing.acknowledged, nothing.lost, nothing.above_limit), (0, Some(0), None));
}

#[test]
fn values_that_nobody_sent_are_extra_and_unknown_ones_are_no_proof() {
    let unknown = |sent_ms: i64| SeenIncrement { end: IncrementEnd::Unknown, ..acknowledged(sent_ms, sent_ms + 1, 0) };
    let refused = |sent_ms: i64| SeenIncrement { end: IncrementEnd::Refused, ..acknowledged(sent_ms, sent_ms + 1, 0) };
    let seen = [acknowledged(0, 1, 1), unknown(10), refused(15), acknowledged(20, 21, 3), acknowledged(30, 31, 6)];
    let found = of(&seen, &terms());
    assert_eq!((found.acknowledged, found.unknown, found.refused), (3, 1, 1));
    assert_eq!((found.lost, found.extra), (Some(0), Some(2)), "6 counted, 3 acknowledged, 1 unknown");
}

#[test]
fn increments_that_are_told_before_they_are_sent_are_only_counted_and_limited() {
    let estimate = |n: i64| {
        let end = IncrementEnd::Acknowledged { value: n as u64 % 5, part: 0, told: 0 };
        SeenIncrement { end, ..acknowledged(n, n + 1, 0) }
    };
    let seen: Vec<SeenIncrement> = (0..100).map(estimate).collect();
    let terms = CountingTerms { told: false, per_window: Some(3), ..terms() };
    let found = of(&seen, &terms);
    assert_eq!((found.acknowledged, found.lost, found.resets), (100, None, None));
    assert_eq!(found.let_through, Some(80));
    assert!(found.above_limit.unwrap() >= 75, "{found:?}");
}
