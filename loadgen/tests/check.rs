//! `loadgen check`: what the records of a run say of the invariants, and each way in which they can break them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic here is a failed test")]

mod common;

use std::time::Duration;

use common::run;
use loadgen::check::judge;
use report::record::{EventRow, OriginRow};
use sim::invariants::Terms;
use strategies::Spec;

const MS: i64 = 1_000_000;

fn terms(spec: &str, slack_ms: u64) -> Terms {
    let ttl = Duration::from_secs(5);
    Terms {
        promise: Spec::parse(spec).unwrap().promise(ttl),
        replicas: 3,
        budget: Duration::from_secs(8),
        places: 2,
        queue: 4,
        write_every: None,
        clocks: Duration::ZERO,
        slack: Duration::from_millis(slack_ms),
        sees_cache: false,
    }
}

/// (milliseconds, event, replica, flight, detail), all for one key.
fn events(rows: &[(i64, &str, u32, &str, &str)]) -> Vec<EventRow> {
    let row = |(at, event, replica, flight, detail): &(i64, &str, u32, &str, &str)| EventRow {
        t_ns: at * MS,
        event: (*event).into(),
        replica: Some(*replica),
        key: Some("1".into()),
        flight: Some((*flight).into()),
        detail: Some((*detail).into()),
    };
    rows.iter().map(row).collect()
}

/// A read by replica 0 that has its place from and until then.
fn read(flight: &str, from: i64, until: i64) -> OriginRow {
    OriginRow {
        key: "1".into(),
        replica: Some(0),
        flight: flight.into(),
        phase: "measured".into(),
        arrived_ns: from * MS,
        start_ns: Some(from * MS),
        end_ns: Some(until * MS),
        outcome: "ok".into(),
    }
}

fn said(spec: &str, slack_ms: u64, rows: &[(i64, &str, u32, &str, &str)], reads: &[OriginRow]) -> String {
    judge(terms(spec, slack_ms), &events(rows), reads).map_or_else(|v| v.to_string(), |_| String::new())
}

#[test]
fn each_breach_that_records_can_show_is_named() {
    let two = [
        (0, "flight-led", 0, "a-1", "demand"),
        (50, "flight-led", 1, "b-1", "demand"),
        (200, "flight-ended", 0, "a-1", "done"),
        (250, "flight-ended", 1, "b-1", "done"),
    ];
    let reads = [read("a-1", 0, 200), OriginRow { replica: Some(1), ..read("b-1", 50, 250) }];
    assert!(said("singleflight", 0, &two, &reads).contains("I1 one reader: 2 flights for 1 at once; 1 may be"));
    assert_eq!(said("coalesce", 0, &two, &reads), "", "one a process");
    assert_eq!(said("singleflight", 60, &two, &reads), "", "within the clocks' uncertainty");

    let stored = [(0, "stored", 0, "", "version 8 fenced"), (500, "stored", 1, "", "version 7 fenced")];
    assert!(said("apee-lrm", 200, &stored, &[]).contains("version 7 of 1 was put over version 8"));
    assert_eq!(said("naive", 200, &stored, &[]), "", "naive promises nothing");
    assert_eq!(said("apee-lrm", 600, &stored, &[]), "", "nobody knows which came first");

    let again = [
        (0, "flight-led", 0, "a-1", "demand"),
        (9, "flight-ended", 0, "a-1", "origin-error"),
        (50, "flight-led", 0, "a-2", "demand"),
    ];
    assert!(said("naive", 0, &again, &[]).contains("I13 back-off: flight 000000000000000a-2 for 1 began 41.000 ms"));
    assert!(said("naive", 0, &again[..1], &[]).contains("I9 flights end: flight 000000000000000a-1 never ended"));

    let one = [(0, "flight-led", 0, "a-1", "demand"), (200, "flight-ended", 0, "a-1", "done")];
    assert!(said("naive", 0, &one, &[]).contains("I17 two ledgers"));
    assert_eq!(said("naive", 0, &one, &[read("a-1", 1, 199)]), "");
    let flights = ["a-1", "a-2", "a-3"];
    let three: Vec<_> = flights.iter().map(|f| (0, "flight-led", 0, *f, "demand")).collect();
    let ends = flights.iter().map(|f| (200, "flight-ended", 0, *f, "done"));
    let all: Vec<_> = three.into_iter().chain(ends).collect();
    let reads: Vec<_> = flights.iter().map(|f| read(f, 1, 199)).collect();
    assert!(said("naive", 0, &all, &reads).contains("I5 the origin's places: 3 reads at once"));
}

#[test]
fn the_reference_runs_hold_and_so_does_a_simulated_one_with_its_versions() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let hotkey = root.join("results/reference/hotkey");
    let checked = run(&["check", hotkey.to_str().unwrap()]);
    assert_eq!(checked.code.unwrap(), 0, "{}{}", checked.out, checked.err);
    assert_eq!(checked.out.matches("every invariant held").count(), 5);

    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    let args = ["--scenario", "hotkey", "--lab", "sim", "--strategy", "apee-lrm,best", "--quiet", "-o", folder];
    assert_eq!(run(&args).code, Some(0));
    let made = std::fs::read_dir(folder).unwrap().find_map(|e| e.ok().filter(|e| e.path().is_dir())).unwrap().path();
    let events = std::fs::read_to_string(made.join("best/events.jsonl")).unwrap();
    assert!(events.contains("\"detail\":\"version 1 fenced\""), "a put says its version");
    let checked = run(&["check", made.to_str().unwrap()]);
    assert_eq!((checked.code.unwrap(), checked.out.matches("every invariant held").count()), (0, 2), "{}", checked.out);
}
