//! Keys that are not all alike, in whole simulated runs: classes, popularity that changes, and what a trace's rows state.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::common::{folder, only_run, origin_of, record, run, strategy};
use report::record::Run;

/// A session that lives for a minute, and pages of which nothing is usual.
const CLASSES: &str = "keys.class=[{ share = 0.3, n = 1, kind = \"single\", ttl = \"60s\" }, \
                       { share = 0.2, n = 5, kind = \"uniform\", ttl = \"2s\", value_size = \"20KiB\" }]";

/// A run in virtual time, its figures, and the origin reads of each key in its measured time.
fn simulated(more: &[&str]) -> (Run, BTreeMap<String, Vec<i64>>) {
    let out = tempfile::tempdir().unwrap();
    let args = ["--lab", "sim", "--quiet", "-o", out.path().to_str().unwrap()];
    let said = run(&[&args[..], more].concat());
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let path = only_run(out.path());
    let checked = run(&["check", path.to_str().unwrap()]);
    assert_eq!(checked.code, Some(0), "{}{}", checked.out, checked.err);
    let run = record(&path);
    for strategy in &run.strategies {
        assert!(strategy.valid, "{}: {:?}", strategy.name, strategy.invalid_because);
    }
    let mut reads: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let rows = folder(&path, &run.strategies[0].folder).read_origin().unwrap();
    for row in rows.into_iter().filter(|row| row.arrived_ns >= 0) {
        reads.entry(row.key).or_default().push(row.arrived_ns / 1_000_000);
    }
    (run, reads)
}

#[test]
fn each_class_is_read_as_often_as_its_own_ttl_says() {
    let strategies = ["--strategy", "plain + coalesce + lock,swr", "-w", "6s", "-d", "20s"];
    let (run, reads) = simulated(&[&["--scenario", "hotkey-open", "--set", CLASSES][..], &strategies].concat());
    assert_eq!(run.load, "open loop, 400 requests/s, Poisson arrivals, 2 classes of keys beside the usual ones");
    let count = |key: &str| reads.get(key).map_or(0, Vec::len);
    // Twenty seconds: of a minute none, of five seconds and a read three, of two seconds and a read nine.
    assert_eq!((count("1"), count("11")), (3, 0), "{reads:?}");
    for page in 12..=16 {
        assert!((8..=9).contains(&count(&page.to_string())), "{page}: {reads:?}");
    }
    let locked = &run.strategies[0];
    let origin = origin_of(locked);
    assert_eq!(Some(origin.total), origin.floor, "a lock for the fleet reads no more than it must, whatever the TTLs");
    assert!(locked.not_predicted.iter().any(|not| not.premise == "one-class"), "{locked:?}");
}

#[test]
fn keys_that_are_replaced_are_read_though_no_ttl_ends() {
    let args =
        ["--scenario", "hotkey-open", "--set", "keys.kind=zipf", "--set", "keys.exponent=1", "--set", "keys.n=20"];
    let more = ["--set", "cache.ttl=1h", "--strategy", "plain + lock", "-w", "10s", "-d", "20s"];
    let (_, lasting) = simulated(&[&args[..], &more].concat());
    assert!(lasting.is_empty(), "{lasting:?}");
    let (run, replaced) = simulated(&[&args[..], &more, &["--set", "keys.churn=5%/s"]].concat());
    assert!(run.load.ends_with(", 5%/s of the keys replaced"), "{}", run.load);
    // Each of the twenty once in twenty seconds, and each new key is read once.
    let keys: Vec<u32> = replaced.keys().map(|key| key.parse().unwrap()).collect();
    assert!(keys.iter().all(|key| *key > 20) && (18..=20).contains(&keys.len()), "{replaced:?}");
    assert!(replaced.values().all(|reads| reads.len() == 1), "{replaced:?}");
    let origin = origin_of(&run.strategies[0]);
    assert_eq!((Some(origin.total), origin.total as usize), (origin.floor, keys.len()));
}

/// Two keys in turn, ten times a second for twenty seconds; one says on its second row that it lives for four seconds.
fn trace(at: &Path) -> String {
    let mut text = String::new();
    for n in 0..200 {
        let (key, ttl) = if n % 2 == 0 { ("page:1", "") } else { ("user:1", if n == 3 { ",4" } else { "," }) };
        let size = if n == 2 { "9000" } else { "" };
        writeln!(text, "{}.{},{key},get,{size}{ttl}", n / 10, n % 10).unwrap();
    }
    let file = at.join("trace.csv");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_trace_s_keys_live_as_long_as_their_rows_or_their_class_say() {
    let at = tempfile::tempdir().unwrap();
    let file = trace(at.path());
    let args = ["--scenario", "hotkey-open", "--trace", &file, "-w", "0s", "--strategy", "plain + lock"];
    let class = "keys.class=[{ pattern = \"^page:\", ttl = \"9s\" }]";
    for (more, pages, users) in [
        (&["--set", "cache.ttl=60s"][..], 1, 1),
        (&["--set", "cache.ttl=60s", "--set", "keys.from_rows=ttl"], 1, 5),
        (&["--set", "cache.ttl=60s", "--set", class], 3, 1),
        (&["--set", "cache.ttl=60s", "--set", class, "--set", "keys.from_rows=both"], 3, 5),
    ] {
        let (run, reads) = simulated(&[&args[..], more].concat());
        let count = |key: &str| reads.get(key).map_or(0, Vec::len);
        assert_eq!((count("1"), count("2")), (pages, users), "{more:?}: {reads:?}");
        let origin = origin_of(strategy(&run, "plain + lock"));
        assert_eq!(origin.floor, Some(origin.total), "{more:?}");
    }
}

/// As of a cache: a read that misses, and what it then puts there, which alone states a TTL and a size; the rest are hits.
#[test]
fn what_rows_state_counts_also_where_only_reads_are_replayed() {
    let at = tempfile::tempdir().unwrap();
    let mut text = String::from("0,early,set,5000,2.1\n0.1,page,get\n0.2,page,set,9000,3.1\n");
    (1..100).for_each(|n| {
        writeln!(text, "{}.{},early,get\n{}.{},page,get", n / 5, n % 5 * 2, n / 5, n % 5 * 2 + 1).unwrap()
    });
    let file = at.path().join("cache.csv");
    std::fs::write(&file, text).unwrap();
    let args =
        ["--scenario", "hotkey-open", "--trace", file.to_str().unwrap(), "-w", "0s", "--strategy", "plain + lock"];
    let more = ["--set", "load.ops=reads", "--set", "cache.ttl=60s", "--set", "keys.from_rows=ttl"];
    let (run, reads) = simulated(&[&args[..], &more].concat());
    // Twenty seconds, each key every 0.2 s: one lives for 3.1 s and a read, so it is read every 3.4 s, the other every 2.4 s.
    let count = |key: &str| reads.get(key).map_or(0, Vec::len);
    assert_eq!((count("1"), count("2")), (6, 9), "{reads:?}");
    assert_eq!(origin_of(&run.strategies[0]).floor, Some(15));
}

#[test]
fn what_is_wrong_with_them_is_said() {
    let at = tempfile::tempdir().unwrap();
    let file = trace(at.path());
    for (more, words) in [
        (&["--set", "keys.class=[{ share = 2.0, n = 1, kind = \"single\" }]"][..], "`share` is out of range"),
        (&["--set", "keys.class=5"], "`class` must be a list of tables"),
        (&["--set", "keys.churn=10%"], "`churn` has an unknown unit"),
        (&["--set", "keys.from_rows=ttl"], "allowed from_rows only with load.trace"),
        (&["--trace", &file, "--set", "keys.class=[{ pattern = \"(\" }]"], "the pattern of a class: regex parse error"),
        (&["--set", CLASSES, "--strategy", "swr(soft=3s)"], "found 3s, allowed at most 2s (the shortest of any key)"),
    ] {
        let said = run(&[&["--scenario", "hotkey-open", "--dry-run"][..], more].concat());
        assert_eq!(said.code, Some(2), "{more:?}: {}", said.err);
        assert!(said.err.contains(words), "{words:?} is not in {}", said.err);
    }
}
