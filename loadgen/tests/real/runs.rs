//! Short real runs of the real binary: the shape of the result, on Redis and on the memory cache.

use std::path::{Path, PathBuf};

use crate::common::{assert_ended, each, folder, loadgen, origin_of, record, run, seconds, sound, strategy, unspoiled};
use report::record::{Run, Strategy};

/// A TTL of one second makes four or five expiries in a few seconds.
const SHORT: [&str; 7] = ["--scenario", "hotkey", "-w", "1500ms", "-d", "5s", "--set"];

/// A valid run and its folder.
fn well(results: &Path, args: &[&str]) -> (PathBuf, Run) {
    let (said, path) = unspoiled(results, |folder| run(&[args, &["-o", folder.to_str().unwrap()]].concat()));
    assert_ended(&said, &path, &[0]);
    let run = record(&path);
    (path, run)
}

fn hotkey(results: &Path, strategies: &str, more: &[&str]) -> (PathBuf, Run) {
    well(results, &[&SHORT[..], &["cache.ttl=1s", "--strategy", strategies], more].concat())
}

/// What holds of every valid strategy, whatever it does.
fn assert_sound(run_path: &Path, run: &Run, strategy: &Strategy) {
    let name = &strategy.name;
    assert!(sound(strategy), "{name}: {:?}", strategy.invalid_because);
    assert_eq!(strategy.outcomes.sum(), strategy.requests, "{name}");
    assert_eq!((strategy.errors, strategy.unsent), (0, 0), "{name}: {:?}", strategy.error_kinds);
    let ledgers = strategy.ledgers.as_ref().unwrap();
    assert_eq!(ledgers.origin_rows, ledgers.replica_flights, "{name}: both ledgers have the same flights");
    assert!(ledgers.disagree.is_empty() && ledgers.led_undelivered.is_empty(), "{name}: {ledgers:?}");
    // The files say what run.json says.
    let measured: Vec<_> = seconds(run_path, &strategy.folder).into_iter().filter(|r| r.start_ms >= 0).collect();
    let sum = |of: fn(&report::record::BinRow) -> u64| measured.iter().map(of).sum::<u64>();
    assert_eq!(sum(|r| r.sent), strategy.requests, "{name}");
    assert_eq!(sum(|r| r.origin_starts.unwrap()), origin_of(strategy).total, "{name}");
    assert_eq!(sum(|r| r.hit), strategy.outcomes.hit, "{name}");
    let rows = folder(run_path, &strategy.folder).read_origin().unwrap();
    assert_eq!(rows.iter().filter(|r| r.phase == "measured").count() as u64, origin_of(strategy).total, "{name}");
    let window = 0..(run.duration_s * 1000.0) as i64;
    let logged = folder(run_path, &strategy.folder).read_latency(&["resp"], window).unwrap();
    assert_eq!(logged["resp"].len(), strategy.requests, "{name}");
    let hot = strategy.hot.as_ref().unwrap();
    assert_eq!(hot.outcomes.sum(), hot.requests, "{name}");
}

fn assert_the_shape_of_hotkey(results: &Path, more: &[&str], cache: &str) -> PathBuf {
    let (path, run) = hotkey(results, "naive,coalesce,singleflight,swr,xfetch,jitter", more);
    assert!(run.cache.starts_with(cache) && run.complete && run.strategies.len() == 6, "{}", run.cache);
    run.strategies.iter().for_each(|s| assert_sound(&path, &run, s));
    let per_expiry = |name: &str| origin_of(strategy(&run, name)).per_expiry.as_ref().unwrap().mean;
    let of = |name| strategy(&run, name);
    let naive = of("naive");
    assert!(per_expiry("naive") >= 35.0, "the herd itself: {}", per_expiry("naive"));
    assert!((1.5..=3.0).contains(&per_expiry("coalesce")), "one a replica: {}", per_expiry("coalesce"));
    let fullest = |name: &str| origin_of(strategy(&run, name)).per_expiry.as_ref().unwrap().fullest_replica.unwrap();
    assert_eq!(fullest("coalesce").max, 1, "no replica reads twice: {:?}", fullest("coalesce"));
    assert!(fullest("naive").mean >= 35.0 / 3.0 && fullest("naive").mean < per_expiry("naive"));
    assert!(per_expiry("singleflight") <= 1.2, "{}", per_expiry("singleflight"));
    assert!(per_expiry("swr") <= 1.2, "{}", per_expiry("swr"));
    let singleflight = of("singleflight");
    assert!(origin_of(singleflight).max_per_second * 2 < origin_of(naive).max_per_second);
    assert!(
        origin_of(singleflight).total <= origin_of(singleflight).floor.unwrap() * 13 / 10,
        "{:?}",
        origin_of(singleflight)
    );
    assert!(singleflight.outcomes.wait > 50, "the others waited");
    assert!(of("swr").outcomes.stale > 50 && of("swr").hot.as_ref().unwrap().outcomes.wait == 0);
    assert!(of("swr").latency_ms.p99 < of("singleflight").latency_ms.p99);
    assert!(of("swr").stale.overage_ms_max.unwrap() >= 150, "{:?}", of("swr").stale);
    let hot = of("xfetch").hot.as_ref().unwrap().outcomes;
    assert_eq!((hot.wait, hot.load, hot.stale), (0, 0, 0), "nobody waits on the hot key after the first fill");
    let events = of("xfetch").events.unwrap();
    assert!(events.early_refresh > 0 && events.refresh_started > 0);
    assert!(
        origin_of(of("jitter")).max_per_second * 10 >= origin_of(naive).max_per_second * 7,
        "no help for one hot key"
    );
    assert_eq!(origin_of(of("jitter")).floor, None, "its TTLs are lengthened");
    path
}

#[test]
fn hotkey_has_its_shape_on_redis_and_the_page_says_so() {
    if app::testing::redis(&[]).is_none() {
        return;
    }
    let results = tempfile::tempdir().unwrap();
    let path = assert_the_shape_of_hotkey(results.path(), &["--cache", "redis"], "redis ");
    for file in ["scenario.toml", "summary.md", "report.html", "charts/comparison.svg", "charts/comparison.png"] {
        assert!(path.join(file).metadata().is_ok_and(|m| m.len() > 100), "{file}");
    }
    for name in ["herd", "latency-spectrum", "naive", "swr"] {
        assert!(path.join(format!("charts/{name}.png")).exists() && path.join(format!("charts/{name}.svg")).exists());
    }
    crate::common::page::assert_is_the_record(&path);
    // Rendering again from the records gives the same bytes.
    let before = std::fs::read(path.join("report.html")).unwrap();
    assert_eq!(run(&["report", path.to_str().unwrap()]).code, Some(0));
    assert_eq!(std::fs::read(path.join("report.html")).unwrap(), before);
    // The resolved copy of the scenario makes the same plan again.
    let copy = path.join("scenario.toml");
    let hash = record(&path).plan_hash;
    assert!(run(&["--scenario", copy.to_str().unwrap(), "--dry-run"]).out.contains(&format!("# plan {hash}")));
}

#[test]
fn hotkey_has_the_same_shape_on_the_memory_cache() {
    let results = tempfile::tempdir().unwrap();
    assert_the_shape_of_hotkey(results.path(), &["--cache", "memory"], "memory");
}

#[test]
fn leases_wake_ups_and_what_is_wrong_on_purpose_run_on_redis() {
    if app::testing::redis(&[]).is_none() {
        return;
    }
    // With a TTL of one second the defaults of ahead and soft-window leave less than a service time to refresh in.
    each(["ahead(0.6)", "apee-lrm(window=0.6T)", "stack", "best", "broken-losers-load"], |name| {
        let results = tempfile::tempdir().unwrap();
        let (path, run) = hotkey(results.path(), name, &["--cache", "redis"]);
        let strategy = strategy(&run, name);
        assert_sound(&path, &run, strategy);
        if name.starts_with("broken") {
            let per_expiry = origin_of(strategy).per_expiry.as_ref().unwrap();
            assert!(per_expiry.mean >= 35.0, "{per_expiry:?}");
            assert!(strategy.spec.starts_with("WRONG ON PURPOSE"), "{}", strategy.spec);
            return;
        }
        // One read in TTL and service time at most often, a service time apart at the least: a herd would be 200.
        let hot = strategy.hot.as_ref().unwrap();
        assert!((3..=25).contains(&hot.origin_total.unwrap()), "{name}: {:?}", hot.origin_total);
        assert_eq!((hot.outcomes.wait, hot.outcomes.load), (0, 0), "{name}: nobody waits on the hot key");
        assert!(strategy.events.unwrap().refresh_started > 0, "{name}");
    });
}

#[test]
fn bulk_warm_is_a_needle_without_jitter_and_a_hill_with_it() {
    let results = tempfile::tempdir().unwrap();
    let args = ["--scenario", "bulk-warm", "-d", "4s", "--set", "cache.ttl=2s", "--cache", "memory"];
    let (path, run) = well(results.path(), &args);
    assert_eq!(run.strategies.len(), 4);
    for strategy in &run.strategies {
        assert!(sound(strategy), "{}: {:?}", strategy.name, strategy.invalid_because);
        assert!(strategy.hot.is_none() && origin_of(strategy).per_expiry.is_none(), "there is no hot key");
        // The burst itself is not counted, and everybody's first second is all hits.
        let first = &seconds(&path, &strategy.folder)[0];
        assert_eq!((first.start_ms, first.hit), (0, first.sent), "{}", strategy.name);
    }
    let peak = |name: &str| origin_of(strategy(&run, name)).max_per_second;
    assert!(peak("jitter(1.0)") * 10 <= peak("naive") * 8, "{} against {}", peak("jitter(1.0)"), peak("naive"));
    assert!(peak("naive") >= 50, "{}", peak("naive"));
}

#[test]
fn thresholds_events_and_json() {
    let results = tempfile::tempdir().unwrap();
    let file = results.path().join("mine.toml");
    let text = scenarios::shipped().iter().find(|(name, _)| *name == "hotkey").unwrap().1;
    let more = "
[[event]]
at = \"1s\"
do = \"expire\"
key = 1
[[event]]
at = \"1500ms\"
do = \"origin-fail\"
for = \"1s\"
[[threshold]]
strategy = \"naive\"
metric = \"origin.max_per_second\"
at_most = 5
";
    std::fs::write(&file, format!("{text}{more}")).unwrap();
    let short = |name: &str, more: &[&str]| {
        let args = ["--scenario", file.to_str().unwrap(), "-w", "1s", "-d", "3s", "--cache", "memory", "--quiet"];
        unspoiled(&results.path().join(name), |folder| {
            run(&[&args[..], more, &["-o", folder.to_str().unwrap()]].concat())
        })
    };
    let (said, path) = short("both", &["--strategy", "naive,swr", "--format", "json"]);
    assert_ended(&said, &path, &[99]);
    assert_eq!(said.err, "");
    let run: Run = serde_json::from_str(&said.out).unwrap();
    assert_eq!(run, record(&path));
    assert!(!run.verdicts[0].met && run.verdicts[0].measured.unwrap() > 5.0, "{:?}", run.verdicts);
    // The expired key's herd, which the plan alone would not have for another four seconds.
    assert!(origin_of(strategy(&run, "naive")).max_per_second > 30, "{:?}", origin_of(strategy(&run, "naive")));
    let events = folder(&path, "naive").read_events().unwrap();
    let faults: Vec<_> = events.iter().filter(|e| e.event == "fault").filter_map(|e| e.detail.as_deref()).collect();
    // Without naive its threshold cannot be checked, and that is said.
    let (said, _) = short("swr", &["--strategy", "swr"]);
    let words = "0 thresholds met, 0 missed, 1 NOT CHECKED, their strategy was not run: origin.max_per_second of naive";
    assert!(said.code == Some(0) && said.out.contains(words), "{}", said.out);
    assert_eq!(faults, ["expire 1", "origin fails for 1s"]);
}

#[test]
fn a_closed_pipe_ends_quietly_and_list_and_show_say_what_there_is() {
    let list = run(&["list"]);
    assert_eq!(list.code, Some(0));
    for word in ["hotkey", "bulk-warm", "singleflight", "plain + lock", "poll = 50ms", "beta = 1"] {
        assert!(list.out.contains(word), "{word}");
    }
    assert!(list.out.contains("broken-xfetch-sign") && list.out.contains("it never fires"));
    for (name, word) in [
        ("broken-unfenced-lease", "plain + lease, with a flaw"),
        ("hotkey", "hot_share = 0.95"),
        ("xfetch", "beta = 1"),
        ("lock", "lease = auto"),
    ] {
        assert!(run(&["show", name]).out.contains(word), "{name}");
    }
    let mut child = loadgen(&["list"]).spawn().unwrap();
    drop(child.stdout.take());
    let said: crate::common::Said = child.wait_with_output().unwrap().into();
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
}
