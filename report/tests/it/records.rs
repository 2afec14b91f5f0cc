//! Every file of a run's folder, written and read again, with the worst that may be in it.

use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use report::record::{BinRow, EventRow, OriginRow, Run};
use report::{HlogHeader, ReportError, RunFolder, RunJsonProblem, parse_run, render};

const FIXTURE: &[u8] = include_bytes!("../fixtures/run-v1.json");
const HOSTILE: [&str; 8] =
    ["", "=cmd|' /C calc'!A0", "a,\"b\"\nc", "-1", "'@x", "<img src=x onerror=alert(1)>", "\u{0}\u{7}", "ключ—µ"];

fn folder() -> (tempfile::TempDir, RunFolder) {
    let dir = tempfile::tempdir().unwrap();
    let folder = RunFolder::at(dir.path().join("run"));
    (dir, folder)
}

fn fixture() -> Run {
    parse_run(FIXTURE).unwrap()
}

#[test]
fn the_first_schema_is_readable_for_ever() {
    let run = fixture();
    assert_eq!(run.strategies.len(), 3);
    assert_eq!(run.strategies[0].name, "naive");
    assert_eq!(run.strategies[1].origin.as_ref().unwrap().floor, None);
    assert_eq!(run.verdicts[2].measured, None);
    assert_eq!(run.strategies[0].outcomes.unknown, 0, "older than this outcome");
}

#[test]
fn run_json_and_scenario_survive_a_round_trip() {
    let (_dir, folder) = folder();
    let mut run = fixture();
    run.strategies[0].name = HOSTILE.concat();
    run.strategies[0].latency_ms.p99 = None;
    run.strategies[0].outcomes.unknown = 7;
    run.strategies[1].origin = None;
    folder.write_run(&run).unwrap();
    assert_eq!(folder.read_run().unwrap(), run);
    let text = std::fs::read_to_string(folder.path().join("run.json")).unwrap();
    assert!(text.starts_with("{\n  \"schema\"") && text.ends_with("}\n"), "pretty, and a newline at its end");
    assert!(text.contains("\"origin\": null") && text.contains("\"unknown\": 7"), "{text}");
    folder.write_scenario("name = \"x\"\n").unwrap();
    assert_eq!(folder.read_scenario().unwrap(), "name = \"x\"\n");
}

#[test]
fn a_number_that_json_cannot_hold_is_refused_before_it_is_written() {
    let (_dir, folder) = folder();
    let mut run = fixture();
    run.duration_s = f64::NAN;
    let error = folder.write_run(&run).unwrap_err().to_string();
    assert!(error.contains("not finite"), "{error}");
    assert!(!folder.path().join("run.json").exists());
}

#[test]
fn each_way_to_be_unusable_has_its_own_message() {
    let good = String::from_utf8(FIXTURE.to_vec()).unwrap();
    let check = |text: &str, wanted: &str| {
        let said = parse_run(text.as_bytes()).unwrap_err().to_string();
        assert!(said.contains(wanted), "{said:?} should contain {wanted:?}");
    };
    check("", "the file is empty");
    check(" \n", "the file is empty");
    check(&good[..1000], "ends early at byte 1000: the run that wrote it was interrupted");
    check(&good.replace("run/v1", "run/v2"), "\"stampede.run/v2\" is newer than this build");
    check(&good.replace("run/v1", "run/v0"), "\"stampede.run/v0\" where");
    check(&good.replace("stampede.run/v1", "other"), "this is no run.json");
    check("{\"seed\": 1}", "has no \"schema\"");
    check("[1, 2]", "line 1");
    check(&good.replacen("  \"run\"", "<<<<<<< HEAD\n  \"run\"", 1), "line 3 is a conflict marker of git (<<<<<<<)");
    check(&good.replacen("\"replicas\": 3", "\"replicas\": -3", 1), "line ");
    check(&good.replacen("\"replicas\": 3,", "", 1), "replicas");
    assert_eq!(parse_run(b"{\"a\": \xff}"), Err(RunJsonProblem::NotUtf8 { byte: 6 }));
}

#[test]
fn no_prefix_of_a_run_json_panics_or_passes() {
    let whole = FIXTURE.trim_ascii_end().len();
    for end in (0..whole).step_by(37) {
        assert!(parse_run(&FIXTURE[..end]).is_err());
    }
}

#[test]
fn rows_survive_a_round_trip_with_unknowns_empty() {
    let (_dir, folder) = folder();
    let files = folder.strategy("naive").unwrap();
    let known = BinRow {
        start_ms: -3000,
        offered: 1_000_000_000_000,
        load: 7,
        unknown: 5,
        origin_starts: Some(3),
        p50_ms: Some(0.1 + 0.2),
        max_ms: Some(1e-6),
        ..BinRow::default()
    };
    let rows = vec![known, BinRow { start_ms: 59_000, p99_ms: Some(223.0), ..BinRow::default() }];
    files.write_seconds(&rows).unwrap();
    assert_eq!(files.read_seconds().unwrap(), rows);
    let text = std::fs::read_to_string(files.path().join("seconds.csv")).unwrap();
    assert!(text.starts_with(
        "second,offered,sent,completed,errors,hit,stale,wait,load,shed,unknown,origin_starts,origin_in_flight_max,p50_ms"
    ));
    assert!(text.contains("\n-3,1000000000000,") && text.ends_with(",,,223,\n"), "{text}");
    assert!(text.contains(",7,0,5,3,,0.3"), "an unknown count is an empty cell: {text}");

    let bins = vec![BinRow { start_ms: -2900, sent: 3, ..BinRow::default() }];
    files.write_bins(&bins).unwrap();
    assert_eq!(files.read_bins().unwrap(), bins);
    assert!(std::fs::read_to_string(files.path().join("bins100ms.csv")).unwrap().starts_with("start_ms,"));

    let nan = vec![BinRow { p50_ms: Some(f64::NAN), ..BinRow::default() }];
    files.write_seconds(&nan).unwrap();
    assert_eq!(files.read_seconds().unwrap()[0].p50_ms, None, "NaN is an empty cell");
    let old = "start_ms,offered,sent,completed,errors,hit,stale,wait,load,shed,origin_starts,origin_in_flight_max\n\
               100,9,9,9,0,9,0,0,0,0,4,2\n";
    std::fs::write(files.path().join("bins100ms.csv"), old).unwrap();
    let row = &files.read_bins().unwrap()[0];
    assert_eq!((row.unknown, row.origin_starts), (0, Some(4)), "older than the column unknown");
    assert!(files.write_seconds(&bins).unwrap_err().to_string().contains("whole seconds"));
}

#[test]
fn ledgers_and_events_survive_hostile_text() {
    let (_dir, folder) = folder();
    let files = folder.strategy("naive/r02").unwrap();
    let row = |text: &str, number: i64| OriginRow {
        key: text.into(),
        replica: (number % 2 == 0).then_some(number as u32),
        flight: text.into(),
        phase: "warmup".into(),
        arrived_ns: -number,
        start_ns: (number % 3 == 0).then_some(number),
        end_ns: None,
        outcome: text.into(),
    };
    let rows: Vec<OriginRow> = HOSTILE.iter().zip(0..).map(|(text, number)| row(text, number)).collect();
    files.write_origin(&rows).unwrap();
    assert_eq!(files.read_origin().unwrap(), rows);

    let event = |text: &&str| EventRow {
        t_ns: -1,
        event: "fault".into(),
        detail: Some((*text).into()),
        key: Some((*text).into()),
        ..EventRow::default()
    };
    let events: Vec<EventRow> = HOSTILE.iter().map(event).chain([EventRow::default()]).collect();
    files.write_events(&events).unwrap();
    assert_eq!(files.read_events().unwrap(), events);
}

#[test]
fn a_bad_row_is_named_by_file_and_line() {
    let (_dir, folder) = folder();
    let files = folder.strategy("naive").unwrap();
    files.write_seconds(&[BinRow::default()]).unwrap();
    let path = files.path().join("seconds.csv");
    let good = std::fs::read_to_string(&path).unwrap();
    let check = |text: &str, wanted: &str| {
        std::fs::write(&path, text).unwrap();
        let said = files.read_seconds().unwrap_err().to_string();
        assert!(said.contains("seconds.csv") && said.contains(wanted), "{said:?} should contain {wanted:?}");
    };
    check("", "line 1: the file is empty");
    check(&good.replace("offered", "offred"), "no column \"offered\"");
    check(&format!("{good}1,2\n"), "line 3: 2 cells, where the header has 17");
    for absurd in ["18446744073709551615", "9e18", "-1"] {
        check(&good.replacen("\n0,0,", &format!("\n0,{absurd},"), 1), "line 2: column \"offered\": found");
    }
    check(
        &good.replace("\n0,", "\n9223372036854775807,"),
        "line 2: column \"second\": found 9223372036854775807, allowed -1e9",
    );
    check(&good.replace("\n0,", "\nzero,"), "line 2: column \"second\": found \"zero\", where a number is expected");
    assert!(matches!(folder.strategy("../x"), Err(ReportError::FolderName { .. })));
    assert!(folder.strategy("/etc").is_err() && folder.strategy("").is_err() && folder.strategy("a/../../b").is_err());
    assert!(render(folder.path()).unwrap_err().to_string().contains("run.json"));
}

#[test]
fn latency_log_merges_the_measured_phase_and_nothing_else() {
    let (_dir, folder) = folder();
    let files = folder.strategy("naive").unwrap();
    let mut draw = crate::support::Draw(1);
    let mut whole = Histogram::<u64>::new(3).unwrap();
    let header = HlogHeader {
        warmup_began: SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_219_140_250),
        t0_offset_ms: 2500,
    };
    files
        .write_latency(header, |log| {
            for second in -3_i64..10 {
                let mut one = Histogram::<u64>::new(3).unwrap();
                for _ in 0..200 {
                    let value = 100_000 + (draw.unit() * 3e8) as u64;
                    one.record(value).unwrap();
                    if (0..8).contains(&second) {
                        whole.record(value).unwrap();
                    }
                }
                log.write((second * 1000).max(-2500), Duration::from_secs(1), "resp", &one)?;
                log.write((second * 1000).max(-2500), Duration::from_secs(1), "serv", &one)?;
            }
            Ok(())
        })
        .unwrap();
    let merged = files.read_latency(&["resp", "absent"], 0..8000).unwrap();
    assert_eq!(merged.keys().collect::<Vec<_>>(), ["resp"]);
    for quantile in [0.0, 0.5, 0.95, 0.99, 0.999, 1.0] {
        assert_eq!(merged["resp"].value_at_quantile(quantile), whole.value_at_quantile(quantile));
    }
    assert_eq!(merged["resp"].len(), 1600);
}

#[test]
fn latency_log_refuses_what_it_cannot_say() {
    let (_dir, folder) = folder();
    let files = folder.strategy("naive").unwrap();
    let header = HlogHeader { warmup_began: SystemTime::UNIX_EPOCH, t0_offset_ms: 1000 };
    let empty = Histogram::<u64>::new(3).unwrap();
    let early = files.write_latency(header, |log| log.write(-1001, Duration::from_secs(1), "resp", &empty));
    assert!(early.unwrap_err().to_string().contains("t0_offset_ms"));
    let tag = files.write_latency(header, |log| log.write(0, Duration::from_secs(1), "two words", &empty));
    assert!(tag.unwrap_err().to_string().contains("two words"));
    let path = files.path().join("latency.hlog");
    for (text, wanted) in
        [("", "where t = 0 is"), ("#[stampede t0_offset_ms: 0]\nTag=resp,0.000,1.000,1.0,!!!\n", "latency.hlog")]
    {
        std::fs::write(&path, text).unwrap();
        let said = files.read_latency(&["resp"], 0..1000).unwrap_err().to_string();
        assert!(said.contains(wanted), "{said}");
    }
}

#[test]
fn a_number_that_no_run_can_come_to_is_refused_with_its_place() {
    let whole = std::str::from_utf8(FIXTURE).unwrap();
    let refused = |from: &str, to: &str, words: &str| {
        let said = parse_run(whole.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
        assert!(said.starts_with("line ") && said.contains(words), "{said:?} should contain {words:?}");
    };
    refused("\"duration_s\": 60.0", "\"duration_s\": 1e308", "duration_s: found 1e308, allowed 0 to 1e9");
    refused("\"duration_s\": 60.0", "\"duration_s\": 5e-324", "duration_s: found 5e-324");
    refused(
        "\"requests\": ",
        "\"requests\": 18446744073709551615, \"x\": ",
        "strategies[0].requests: found 18446744073709551615",
    );
    refused("\"p99\": ", "\"p99\": -1.5, \"x\": ", "latency_ms.p99: found -1.5e0, allowed 0 to 1e12");
    refused("\"error_kinds\": {}", "\"error_kinds\": {\"x\": 1, \"x\": 2}", "\"x\" is there twice");
    let many = vec!["{}"; 101].join(",");
    refused(
        "\"strategies\": [",
        &format!("\"strategies\": [{many},"),
        "strategies: found more than 100 entries, allowed 100",
    );
    refused("\"summary\": \"", &format!("\"summary\": \"{}", "x".repeat(1 << 16)), "summary: found a text of");
    assert!(
        parse_run(whole.replacen("\"seed\": 42", "\"seed\": 18446744073709551615", 1).as_bytes()).is_ok(),
        "any seed"
    );
}

#[test]
fn an_event_of_an_absurd_time_is_refused_with_its_field() {
    let (_dir, folder) = folder();
    let naive = folder.strategy("naive").unwrap();
    naive.write_events(&[]).unwrap();
    let line = |for_ns: u64| format!("{{\"t_ns\":1,\"event\":\"fault\",\"action\":\"flush\",\"for_ns\":{for_ns}}}\n");
    let read = |for_ns| {
        std::fs::write(folder.path().join("naive/events.jsonl"), line(for_ns)).unwrap();
        naive.read_events()
    };
    assert_eq!(read(5).unwrap()[0].for_ns, Some(5));
    let said = read(u64::MAX).unwrap_err().to_string();
    assert!(said.contains("events.jsonl") && said.contains("for_ns") && said.contains("allowed"), "{said}");
}

#[cfg(unix)]
#[test]
fn only_regular_files_of_a_size_are_read() {
    use std::os::unix::net::UnixListener;
    let (_dir, folder) = folder();
    folder.write_run(&fixture()).unwrap();
    let naive = folder.strategy("naive").unwrap();
    naive.write_events(&[]).unwrap();
    let places = [
        "run.json",
        "scenario.toml",
        "naive/seconds.csv",
        "naive/events.jsonl",
        "naive/latency.hlog",
        "naive/origin.csv",
    ];
    for place in places.map(|place| folder.path().join(place)) {
        let made: [&dyn Fn(); 5] = [
            &|| std::os::unix::fs::symlink("/dev/zero", &place).unwrap(),
            &|| assert!(std::process::Command::new("mkfifo").arg(&place).status().unwrap().success()),
            &|| std::fs::create_dir(&place).unwrap(),
            &|| drop(UnixListener::bind(&place).unwrap()),
            // A sparse file, which is as large as it says and takes no room.
            &|| std::fs::File::create(&place).unwrap().set_len(5 << 30).unwrap(),
        ];
        for (at, make) in made.iter().enumerate() {
            let _ = std::fs::remove_file(&place);
            make();
            let read = [
                folder.read_run().err(),
                folder.read_scenario().err(),
                naive.read_seconds().err(),
                naive.read_events().err(),
                naive.read_origin().err(),
                naive.read_latency(&["resp"], 0..1000).err(),
            ];
            let said: Vec<String> = read.into_iter().flatten().map(|error| error.to_string()).collect();
            let allowed = if at == 4 { "bytes, allowed " } else { "allowed a regular file" };
            let here = place.display().to_string();
            assert!(said.iter().any(|said| said.contains(&here) && said.contains(allowed)), "{here}, {at}: {said:?}");
            let _ = std::fs::remove_dir(&place);
        }
        let _ = std::fs::remove_file(&place);
    }
}

#[cfg(unix)]
#[test]
fn what_is_drawn_stays_in_the_runs_folder() {
    let elsewhere = tempfile::tempdir().unwrap();
    for name in ["charts", "report.html", "summary.md", "junit.xml"] {
        let (_dir, folder) = folder();
        folder.write_run(&Run { strategies: Vec::new(), ..fixture() }).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), folder.path().join(name)).unwrap();
        let said = render(folder.path()).unwrap_err().to_string();
        assert!(said.contains(name) && said.contains("is a symbolic link"), "{said}");
        assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0, "{name}");
    }
}
