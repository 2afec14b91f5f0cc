//! `loadgen check`: what the records of a run say of the invariants, and each way in which they can break them.

use std::time::Duration;

use crate::common::run;
use loadgen::study::check::judge;
use report::record::{EventRow, OriginRow};
use sim::invariants::Terms;
use strategies::Spec;

const MS: i64 = 1_000_000;

fn terms(spec: &str, slack_ms: u64) -> Terms {
    let ttl = Duration::from_secs(5);
    Terms {
        promise: Spec::parse(spec).unwrap().promise(ttl),
        replicas: 3,
        budgets: strategies::Budgets::USUAL,
        places: 2,
        queue: 4,
        write_every: None,
        clocks: Duration::ZERO,
        slack: Duration::from_millis(slack_ms),
        retry_share: None,
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
        ..EventRow::default()
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
    let apart = [read("a-1", 0, 50), OriginRow { replica: Some(1), ..read("b-1", 50, 250) }];
    assert_eq!(said("singleflight", 60, &two, &apart), "", "within the clocks' uncertainty");
    let both = said("singleflight", 60, &two, &reads);
    assert!(both.contains("I5 the origin's bounds: the origin read key 1 2 times at once"), "it has one clock: {both}");

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
    assert!(said("naive", 0, &all, &reads).contains("I5 the origin's bounds: 3 reads at once"));
}

#[test]
fn a_failure_needs_its_evidence_and_what_the_scenario_did_is_one() {
    let failed = [(0, "flight-led", 0, "a-1", "demand"), (200, "flight-ended", 0, "a-1", "origin-error")];
    let row = OriginRow { outcome: "failed".into(), ..read("a-1", 0, 199) };
    assert!(said("naive", 0, &failed, &[read("a-1", 0, 199)]).contains("I14 failures have causes"), "it read well");
    assert!(said("naive", 0, &failed, &[]).contains("the origin never saw it"));
    assert!(said("naive", 0, &failed, std::slice::from_ref(&row)).contains("the origin was well"));
    let judged = |event: &str, action: Option<&str>| {
        let (event, action) = (event.to_owned(), action.map(str::to_owned));
        let fault = EventRow { t_ns: 0, event, action, for_ns: Some(1000 * MS as u64), ..EventRow::default() };
        let rows: Vec<EventRow> = std::iter::once(fault).chain(events(&failed)).collect();
        judge(terms("naive", 0), &rows, std::slice::from_ref(&row))
    };
    assert_eq!(judged("fault", Some("origin-fail")), Ok(5));
    assert_eq!(judged("fault", None), Ok(5), "one of an older record may be anything");
    assert_eq!(judged("fault-failed", Some("cache-pause")), Ok(5), "nobody knows what it did");
    let other = judged("fault", Some("cache-pause")).unwrap_err();
    assert!(other.to_string().contains("the origin was well"), "{other}");
}

#[test]
fn a_replica_that_died_tells_of_nothing() {
    let mut rows = events(&[(0, "flight-led", 1, "b-1", "demand"), (200, "flight-ended", 1, "b-1", "done")]);
    let reads = [OriginRow { replica: Some(1), ..read("b-1", 0, 200) }, read("a-1", 0, 200)];
    let judged = |rows: &[EventRow]| judge(terms("coalesce", 0), rows, &reads);
    assert!(judged(&rows).unwrap_err().to_string().contains("which nobody led"));
    let action = Some("replica-kill".to_owned());
    rows.push(EventRow { t_ns: 200 * MS, event: "fault".into(), replica: Some(0), action, ..EventRow::default() });
    assert_eq!(judged(&rows), Ok(5));
}

/// Everything that a scenario can do, one after the other, with rows that change.
const TROUBLES: &[(&str, &str)] = &[
    ("1s", "cache-stop\"\nfor = \"1500ms"),
    ("5s", "cache-pause\"\nfor = \"2s"),
    ("9s", "cache-restart"),
    ("11s", "cache-latency\"\nadd = \"60ms\"\nfor = \"3s"),
    ("16s", "network-cut\"\ntarget = \"replica-1\"\nfor = \"2s"),
    ("20s", "replica-pause\"\ntarget = \"lock-holder\"\nfor = \"4s"),
    ("27s", "origin-slow\"\nfactor = 20\nfor = \"3s"),
    ("34s", "origin-fail\"\nfor = \"2s"),
    ("39s", "origin-pause\"\nfor = \"3s"),
    ("45s", "expire"),
    ("47s", "flush"),
    ("50s", "replica-kill\"\ntarget = \"lock-holder"),
    ("54s", "replica-restart\"\ntarget = \"replica-2"),
];

#[test]
fn presets_hold_through_everything_that_a_scenario_can_do_and_a_broken_one_does_not() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("troubled.toml");
    let shown = run(&["show", "hotkey"]).out.replace("write_every = \"0s\"", "write_every = \"300ms\"");
    let events = TROUBLES.iter().map(|(at, what)| format!("\n[[event]]\nat = \"{at}\"\ndo = \"{what}\"\n"));
    std::fs::write(&file, shown + &events.collect::<String>()).unwrap();
    let results = out.path().join("results");
    let (file, folder) = (file.to_str().unwrap(), results.to_str().unwrap());
    let strategies = "naive,coalesce,singleflight,swr,stack,best,broken-losers-load";
    let ended = run(&["--scenario", file, "--lab", "sim", "--strategy", strategies, "--quiet", "-o", folder]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    let made = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let checked = run(&["check", made.to_str().unwrap()]);
    assert_eq!((checked.code, checked.out.matches("every invariant held").count()), (Some(1), 6), "{}", checked.out);
    let broken = checked.out.lines().find(|line| line.starts_with("broken-losers-load")).unwrap();
    assert!(broken.contains("I1 one reader: 2 flights for 1 at once; 1 may be"), "{broken}");
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

#[test]
fn a_check_of_nothing_is_an_error() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let out = tempfile::tempdir().unwrap();
    let args = ["--scenario", "hotkey", "--lab", "sim", "--strategy", "naive,best", "-d", "12s", "--quiet", "-o"];
    assert_eq!(run(&[&args[..], &[out.path().to_str().unwrap()]].concat()).code, Some(0));
    let made =
        std::fs::read_dir(out.path()).unwrap().find_map(|e| e.ok().filter(|e| e.path().is_dir())).unwrap().path();
    let folder = made.to_str().unwrap();
    let refused = |args: &[&str], words: &str| {
        let said = run(args);
        assert_eq!(said.code, Some(2), "{args:?}: {}{}", said.out, said.err);
        assert!(said.err.contains(words), "{words:?} is not in {}", said.err);
        assert!(!said.out.contains("every invariant held"), "{}", said.out);
    };
    // Each record emptied, and each cut by its last line: neither is what the run left.
    for (file, words) in [
        ("events.jsonl", "ended flights that the origin saw, needed "),
        ("origin.csv", "origin reads, needed "),
        ("seconds.csv", "requests of the measured phase, needed "),
    ] {
        let path = made.join("naive").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let head = if file.ends_with("csv") { 1 } else { 0 };
        // Of the events the last ones are no flights: everything after the first flight's end goes.
        let kept = if file == "events.jsonl" {
            text.lines().position(|l| l.contains("flight-ended")).unwrap()
        } else {
            text.lines().count() - 1
        };
        for lines in [head, kept] {
            let less: Vec<&str> = text.lines().take(lines).collect();
            std::fs::write(&path, less.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
            refused(&["check", folder], words);
        }
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(run(&["check", folder]).code, Some(0));

    let mut record: serde_json::Value = serde_json::from_slice(&std::fs::read(made.join("run.json")).unwrap()).unwrap();
    record["strategies"] = serde_json::Value::Array(Vec::new());
    std::fs::write(made.join("run.json"), record.to_string()).unwrap();
    refused(&["check", folder], "found no strategy of the lab's in run.json");
    refused(&["report", folder], "nothing to show");
    let (whole, page) = (root.join("results/reference/hotkey"), out.path().join("page.html"));
    refused(&["report", "compare", folder, whole.to_str().unwrap(), "-o", page.to_str().unwrap()], "nothing to show");
    for args in [vec!["gate", folder], vec!["promote", folder], vec!["compare", folder, folder]] {
        assert_eq!(run(&args).code, Some(3), "{args:?}");
    }
    let corpus = out.path().join("corpus");
    std::fs::write(&corpus, "# nothing yet\n").unwrap();
    for more in [&[][..], &["--must-fail"]] {
        refused(&[&["fuzz", "--corpus", corpus.to_str().unwrap()], more].concat(), "nothing to play");
    }
}
