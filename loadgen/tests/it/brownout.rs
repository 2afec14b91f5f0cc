//! A shared cache that is slow, in the sim lab: which breaker opens when, and what requests have meanwhile.

use report::record::{EventRow, Run};

use crate::common::{only_run, record, run, strategy};

const RULES: [&str; 3] = ["consecutive", "rate", "in-flight"];

fn name(rule: &str) -> String {
    format!("plain + cache-breaker(rule={rule}) + lock")
}

/// When breakers opened under each rule, seconds since t = 0.
fn opened(folder: &std::path::Path, run: &Run, rule: &str) -> Vec<f64> {
    let strategy = strategy(run, &name(rule));
    assert!(strategy.valid, "{rule}: {:?}", strategy.invalid_because);
    let text = std::fs::read_to_string(folder.join(&strategy.folder).join("events.jsonl")).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<EventRow>(line).unwrap());
    let open = rows.filter(|row| row.event == "cache-breaker" && row.detail.as_deref() == Some("open"));
    open.map(|row| row.t_ns as f64 / 1e9).collect()
}

#[test]
fn a_rate_sees_a_brown_out_in_a_second_and_calls_in_flight_see_a_black_hole_before_any_has_timed_out() {
    let results = tempfile::tempdir().unwrap();
    let names = RULES.map(name).join(",");
    let to = results.path().to_str().unwrap();
    let said = run(&["--lab", "sim", "--quiet", "-o", to, "--scenario", "cache-brownout", "--strategy", &names]);
    assert!(matches!(said.code, Some(0 | 99)), "{}{}", said.out, said.err);
    let folder = only_run(results.path());
    let run = record(&folder);
    let [consecutive, rate, in_flight] = RULES.map(|rule| opened(&folder, &run, rule));
    let first_in = |opened: &[f64], from: f64, to: f64| opened.iter().copied().find(|at| (from..to).contains(at));
    // Three operations in ten.
    for opened in [&consecutive, &rate, &in_flight] {
        assert_eq!(first_in(opened, 10.0, 28.0), None, "{opened:?}");
    }
    // One in two, from 28 s on: a rate of a half in its window, and ten in a row after 2 046 calls on average.
    let (rate_at, run_at) = (first_in(&rate, 28.0, 37.0).unwrap(), first_in(&consecutive, 28.0, 37.0));
    assert!(rate_at < 29.5, "{rate:?}");
    assert!(run_at.is_none_or(|at| at > rate_at + 1.0), "{consecutive:?}");
    // A black hole, from 82 s on; an operation may take 100 ms.
    let at = [&in_flight, &consecutive, &rate].map(|opened| first_in(opened, 82.0, 87.0).unwrap());
    assert!(at[0] < 82.1, "{in_flight:?}");
    assert!(at[1] > 82.1 && at[2] > 82.1, "{consecutive:?} {rate:?}");
    for rule in RULES {
        let events = strategy(&run, &name(rule)).events.unwrap();
        assert!(events.cache_breaker_opened.unwrap() >= 3 && events.cache_breaker_closed.unwrap() >= 3, "{rule}");
    }
}

#[test]
fn what_is_stale_is_so_for_no_longer_than_the_cache_was_away() {
    let results = tempfile::tempdir().unwrap();
    let (to, name) = (results.path().to_str().unwrap(), name("rate"));
    let said = run(&["--lab", "sim", "--quiet", "-o", to, "--scenario", "cache-brownout", "--strategy", &name]);
    assert!(matches!(said.code, Some(0 | 99)), "{}{}", said.out, said.err);
    let run = record(&only_run(results.path()));
    let of = strategy(&run, &name);
    let oldest = of.stale.overage_ms_max.unwrap();
    // Trouble of eight seconds, and two cool-downs of six at most until three calls have ended well.
    assert!(of.stale.share.unwrap() > 0.0 && oldest < 15_000, "{oldest} ms past its TTL");
}

#[test]
fn a_full_cache_refuses_what_is_new_and_serves_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("full.toml");
    let event = "\n[[event]]\nat = \"7s\"\ndo = \"cache-full\"\nfor = \"4s\"\n";
    std::fs::write(&mine, run(&["show", "hotkey"]).out + event).unwrap();
    let results = folder.path().join("results");
    let (file, to) = (mine.to_str().unwrap(), results.to_str().unwrap());
    let said = run(&["--lab", "sim", "--quiet", "-o", to, "--scenario", file, "--strategy", "coalesce", "-d", "20s"]);
    assert!(matches!(said.code, Some(0 | 99)), "{}{}", said.out, said.err);
    let path = only_run(&results);
    let of = strategy(&record(&path), "coalesce").clone();
    assert!(of.valid && of.events.unwrap().cache_errors > 0, "{:?}", of.invalid_because);
    let text = std::fs::read_to_string(path.join("coalesce/events.jsonl")).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<EventRow>(line).unwrap());
    let failed: Vec<EventRow> = rows.filter(|row| row.event == "cache-failed").collect();
    assert!(failed.iter().all(|row| row.detail.as_deref() == Some("put full")), "{failed:?}");
    assert!(failed.iter().all(|row| (7_000_000_000..11_001_000_000).contains(&row.t_ns)), "{failed:?}");
}
