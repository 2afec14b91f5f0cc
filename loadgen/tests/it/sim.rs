//! The sim lab, run as its user runs it: a whole results folder in a moment, and the same bytes for the same seed.

use std::collections::BTreeMap;
use std::path::Path;

use crate::common::{only_run, record, run, strategy};

/// Every file of a run by its name, but what says when and how it was called.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            let mut bytes = std::fs::read(&path).unwrap();
            if ["run.json", "report.html", "summary.md", "junit.xml"].contains(&name.as_str()) {
                let own = |line: &&str| !["\"run\"", "started_at", "command"].iter().any(|word| line.contains(word));
                let text =
                    String::from_utf8(bytes).unwrap().replace(&*folder.file_name().unwrap().to_string_lossy(), "");
                bytes = text.lines().filter(own).collect::<Vec<_>>().join("\n").into_bytes();
            }
            if name == "run.json" || name.contains('/') {
                files.insert(name, bytes);
            }
        }
    }
    files
}

fn simulate(args: &[&str]) -> (tempfile::TempDir, std::path::PathBuf) {
    let results = tempfile::tempdir().unwrap();
    let said = run(&[args, &["--lab", "sim", "--quiet", "-o", results.path().to_str().unwrap()]].concat());
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let folder = only_run(results.path());
    (results, folder)
}

#[test]
fn a_simulated_run_is_a_whole_run_and_its_figures_are_the_theorys() {
    let (_results, folder) = simulate(&["--scenario", "hotkey"]);
    let record = record(&folder);
    assert_eq!((record.lab.as_str(), record.cache.as_str(), record.complete), ("sim", "memory (virtual)", true));
    assert_eq!((record.clock_offset_ns, record.clock_uncertainty_ns), (Some(0), Some(0)));
    for strategy in &record.strategies {
        assert!(strategy.valid, "{}: {:?}", strategy.name, strategy.invalid_because);
        assert_eq!(strategy.lag_ms.max, Some(0.0), "in virtual time nobody is late");
        let ledgers = strategy.ledgers.as_ref().unwrap();
        assert_eq!(ledgers.origin_rows, ledgers.replica_flights);
        let files = report::RunFolder::at(&folder).strategy(&strategy.folder).unwrap();
        let sent: u64 = files.read_seconds().unwrap().iter().filter(|row| row.start_ms >= 0).map(|row| row.sent).sum();
        assert_eq!(sent, strategy.requests);
    }
    // The primer's load, by an independent simulation (design/strategies.md) and by this lab on real sockets.
    let reads = |name: &str| strategy(&record, name).origin.as_ref().unwrap().total;
    for (name, least, most) in
        [("naive", 700, 760), ("singleflight", 109, 113), ("swr", 109, 113), ("xfetch", 113, 124), ("jitter", 610, 690)]
    {
        assert!((least..=most).contains(&reads(name)), "{name}: {}", reads(name));
    }
    assert!(folder.join("charts/comparison.png").is_file() && folder.join("report.html").is_file());
}

#[test]
fn the_same_seed_leaves_the_same_bytes_behind() {
    let args = ["--scenario", "hotkey", "-d", "10s", "--strategy", "naive,best"];
    let (_one, first) = simulate(&args);
    let (_two, second) = simulate(&args);
    let (first, second) = (files(&first), files(&second));
    assert!(first.len() > 15, "{:?}", first.keys());
    for (name, bytes) in &first {
        assert!(second.get(name) == Some(bytes), "{name} differs");
    }
    let (_three, third) = simulate(&[&args[..], &["--seed", "43"]].concat());
    assert_ne!(files(&third)["naive/origin.csv"], first["naive/origin.csv"]);
}

/// Who comes back, and that a milder variation in which another does, too, ends well.
#[test]
fn the_lock_with_a_limit_or_a_breaker_escapes_what_the_lock_alone_does_not() {
    let recovered = |args: &[&str]| {
        let (_results, folder) = simulate(args);
        let recovered = |s: &report::record::Strategy| s.recovery.unwrap().recovered;
        record(&folder).strategies.iter().map(recovered).collect::<Vec<_>>()
    };
    let shipped = recovered(&["--scenario", "metastable"]);
    assert_eq!(shipped, [Some(false), Some(false), Some(true), Some(true)]);
    let milder = ["--scenario", "metastable-slow", "--set", "event.for=2s", "--strategy", "singleflight"];
    assert_eq!(recovered(&milder), [Some(true)]);
}

#[test]
fn what_is_real_has_no_place_in_a_simulation() {
    for (flags, word) in [(["--redis", "redis://127.0.0.1:1"], "--redis"), (["--cache", "redis"], "--cache redis")] {
        let said = run(&[&["--scenario", "hotkey", "--lab", "sim"], &flags[..]].concat());
        assert_eq!(said.code, Some(2));
        assert!(said.err.contains(&format!("{word} with --lab sim")), "{}", said.err);
    }
    let said = run(&["--scenario", "hotkey", "--replicas", "65"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("allowed at most 64"), "{}", said.err);
}
