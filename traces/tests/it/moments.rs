//! When rows come: to the microsecond, at a speed, in a window, in order.

use std::fmt::Write as _;
use std::time::Duration;

use proptest::prelude::*;
use traces::TraceOptions;

use crate::common::{law, moments, refused, rows_of, written};

const S: u64 = 1_000_000_000;

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

proptest! {
    /// Times with microseconds come back as they are, wherever the trace begins.
    #[test]
    fn microseconds_are_kept(start in 0..8_000_000_000_u64, gaps in prop::collection::vec(0..5_000_000_u64, 1..50)) {
        let (mut text, mut expected, mut at) = (String::new(), Vec::new(), 0);
        for gap in gaps {
            at += gap;
            writeln!(text, "{}.{:06},k", start + at / 1_000_000, at % 1_000_000).unwrap();
            expected.push(at * 1000);
        }
        let first = expected[0];
        expected.iter_mut().for_each(|at| *at -= first);
        let options = TraceOptions { spread: Some(false), ..TraceOptions::default() };
        prop_assert_eq!(moments(text.as_bytes(), &options), expected);
    }
}

#[test]
fn a_long_trace_drifts_by_nothing() {
    let law = law();
    let file = written(&law);
    let text = std::fs::read_to_string(file.path()).unwrap();
    let us = |line: &str| line.split(',').next().unwrap().replace('.', "").parse::<u64>().unwrap();
    let stated: Vec<u64> = text.lines().skip(1).map(|line| us(line) * 1000).collect();
    let mut reader = traces::TraceReader::open(file.path(), &TraceOptions::default()).unwrap();
    let found: Vec<u64> = rows_of(&mut reader).unwrap().iter().map(|row| row.at_ns).collect();
    assert_eq!((found.len() as u64, found == stated), (law.rows, true));
}

#[test]
fn speed_divides_and_a_window_cuts_in_the_trace_s_own_time() {
    let trace = b"100.0,a\n101.000001,b\n102,c\n103,d\n";
    let at = |options| moments(trace, &options);
    let base = TraceOptions::default;
    assert_eq!(at(TraceOptions { speed: 2.0, ..base() }), [0, 500_000_500, S, S + S / 2]);
    assert_eq!(at(TraceOptions { speed: 0.5, ..base() }), [0, 2 * S + 2000, 4 * S, 6 * S]);
    assert_eq!(at(TraceOptions { from: s(1), to: Some(s(3)), ..base() }), [1000, S]);
    assert_eq!(at(TraceOptions { from: s(1), to: Some(s(3)), speed: 10.0, ..base() }), [100, S / 10]);
    let error = refused(trace, &TraceOptions { from: s(60), ..base() });
    assert!(error.contains("no row lies between from and to"), "{error}");
}

#[test]
fn whole_seconds_of_a_csv_file_are_spread_unless_it_says_otherwise() {
    let trace = b"7,a\n7,b\n8,c\n9,d\n9,e\n9,f\n9,g\n";
    let spread = [0, S / 2, S, 2 * S, 2 * S + S / 4, 2 * S + S / 2, 2 * S + 3 * (S / 4)];
    assert_eq!(moments(trace, &TraceOptions::default()), spread);
    let as_it_is = TraceOptions { spread: Some(false), ..TraceOptions::default() };
    assert_eq!(moments(trace, &as_it_is), [0, 0, S, 2 * S, 2 * S, 2 * S, 2 * S]);
    // One moment within a second, and the file is believed in all.
    assert_eq!(moments(b"7,a\n7,b\n7.5,c\n", &TraceOptions::default()), [0, 0, S / 2]);
}

#[test]
fn small_disorder_is_put_in_order() {
    let trace = b"10.0,a\n10.9,b\n10.2,c\n11.0,d\n10.0,e\n12.5,f\n";
    let tenth = S / 10;
    assert_eq!(moments(trace, &TraceOptions::default()), [0, 0, 2 * tenth, 9 * tenth, S, 25 * tenth]);
}

#[test]
fn more_disorder_is_a_bad_row_with_its_remedy() {
    let mut trace = String::new();
    for n in 0..200 {
        writeln!(trace, "{n}.5,k").unwrap();
    }
    let one_late = format!("{trace}197.5,k\n");
    let options = TraceOptions::default();
    let (rows, reader) = crate::common::read(one_late.as_bytes(), &options).unwrap();
    let first = reader.counts().bad.first.unwrap();
    assert_eq!((rows.len(), reader.counts().bad.bad, first.line, first.part), (200, 1, 201, "the order"));
    assert_eq!(first.remedy, "it lies 2s before line 200, allowed 1s: sort the file by time");
    let wider = TraceOptions { disorder: s(2), ..options };
    assert_eq!(moments(one_late.as_bytes(), &wider).len(), 201);
}
