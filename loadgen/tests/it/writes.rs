//! Runs whose items are written while they are read: figures recomputed from the records with nothing of the lab's own, what theory says
//! of them, and what is wrong on purpose.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use report::record::{BehindCommit, Run, WriteFigures};
use strategies::theory::writes::{gaps_beyond_the_ttl, reads_at_a_miss, wrong_sets_a_write};

use crate::common::{only_run, record, run};

fn simulate(args: &[&str]) -> (tempfile::TempDir, std::path::PathBuf) {
    let results = tempfile::tempdir().unwrap();
    let said = run(&[args, &["--lab", "sim", "--quiet", "-o", results.path().to_str().unwrap()]].concat());
    // What is short or changed need not reach the scenario's thresholds.
    assert!(matches!(said.code, Some(0 | 99)), "{}{}", said.out, said.err);
    let folder = only_run(results.path());
    (results, folder)
}

/// The rows of a CSV file without quoted cells, each by its column's name.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let cells = |line: &str| names.iter().map(ToString::to_string).zip(line.split(',').map(str::to_owned)).collect();
    lines.map(cells).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> Option<i64> {
    row[column].parse().ok()
}

/// What a script of a few lines makes of `writes.csv` and `answers.csv`.
#[derive(Debug, PartialEq)]
struct Recomputed {
    answers: u64,
    stale: u64,
    oldest_ns: i64,
    wrong_ns: i64,
    own_missed: u64,
    went_back: u64,
}

fn recompute(folder: &Path, end_ns: i64) -> Recomputed {
    let mut commits: BTreeMap<i64, Vec<(i64, i64)>> = BTreeMap::new();
    for write in rows(&folder.join("writes.csv")) {
        if let (Some(at), Some(version)) = (number(&write, "committed_ns"), number(&write, "version")) {
            commits.entry(number(&write, "key").unwrap()).or_default().push((at, version));
        }
    }
    let mut answers = rows(&folder.join("answers.csv"));
    answers.sort_by_key(|row| number(row, "began_ns"));
    let mut found = Recomputed { answers: 0, stale: 0, oldest_ns: 0, wrong_ns: 0, own_missed: 0, went_back: 0 };
    let (mut wrong_since, mut right): (BTreeMap<i64, i64>, BTreeMap<i64, i64>) = Default::default();
    let (mut seen, mut made) = (BTreeMap::new(), BTreeMap::new());
    for row in &answers {
        let [began, key, version] = ["began_ns", "key", "version"].map(|column| number(row, column).unwrap());
        let measured = (0..end_ns).contains(&began);
        if let Some(client) = number(row, "client") {
            let newest: &mut i64 = seen.entry((client, key)).or_insert(0);
            let own: &mut i64 = made.entry((client, key)).or_insert(0);
            if row["op"] == "write" {
                *own = version.max(*own);
            } else if measured {
                found.own_missed += u64::from(version < *own);
                found.went_back += u64::from(version < *newest);
            }
            *newest = version.max(*newest);
        }
        if row["op"] == "write" || !measured {
            continue;
        }
        found.answers += 1;
        // All commits by then, and of them the one that made this value old.
        let of_key = commits.get(&key).map_or(&[][..], Vec::as_slice);
        let newest = of_key.iter().filter(|(at, _)| *at <= began).map(|(_, version)| *version).max().unwrap_or(1);
        if newest <= version {
            wrong_since.remove(&key);
            right.insert(key, began);
            continue;
        }
        let since = of_key.iter().find(|(_, made)| *made == version + 1).unwrap().0;
        found.stale += 1;
        found.oldest_ns = found.oldest_ns.max(began - since);
        let from = right.get(&key).copied().unwrap_or(since).max(since);
        found.wrong_ns = found.wrong_ns.max(began - *wrong_since.entry(key).or_insert(from));
    }
    found
}

fn figures<'r>(run: &'r Run, name: &str) -> (&'r BehindCommit, &'r WriteFigures) {
    let strategy = run.strategies.iter().find(|strategy| strategy.name == name).unwrap();
    assert!(strategy.valid, "{name}: {:?}", strategy.invalid_because);
    (strategy.behind.as_ref().unwrap(), strategy.writes.as_ref().unwrap())
}

#[test]
fn a_script_recomputes_true_staleness_from_the_records_to_the_answer() {
    let closed = ["--scenario", "hotkey", "--set", "writes.share=0.05", "--set", "load.clients=20", "-d", "30s"];
    let strategies = "plain + bare + expire,plain + coalesce + invalidate,swr + lock + write-through";
    let closed = [&closed[..], &["--strategy", strategies]].concat();
    // There old values come back after newer ones were read.
    let unordered = ["--scenario", "write-through", "--strategy", "plain + write-through"];
    for args in [&["--scenario", "write-race", "-d", "20s"][..], &unordered, &closed] {
        let (_results, folder) = simulate(args);
        let run = record(&folder);
        let mut any = 0;
        for strategy in &run.strategies {
            let (behind, writes) = figures(&run, &strategy.name);
            let found = recompute(&folder.join(&strategy.folder), (run.duration_s * 1e9) as i64);
            let name = &strategy.name;
            assert_eq!((behind.answers, behind.stale, behind.unknown), (found.answers, found.stale, 0), "{name}");
            let exact = |ns: i64| (ns as f64 / 1e3).round() / 1e3;
            assert_eq!(
                (behind.age_ms.max, behind.wrong_ms_max),
                ((found.stale > 0).then(|| exact(found.oldest_ns)), Some(exact(found.wrong_ns))),
                "{name}"
            );
            if args[1] == "hotkey" {
                let of_clients = (Some(found.own_missed), Some(found.went_back));
                assert_eq!((behind.own_writes_missed, behind.went_back), of_clients, "{name}");
            }
            assert!(writes.acknowledged > 0 && writes.acknowledged <= writes.sent, "{name}");
            assert_eq!(behind.answers, strategy.requests - strategy.errors - strategy.outcomes.shed, "{name}");
            any += behind.stale + found.went_back;
        }
        assert!(any > 0, "something was stale, or nothing was shown");
    }
}

/// The gaps between commits in which the origin was read, of all gaps; and the reads of each herd in them.
fn stampedes(folder: &Path, end_ns: i64) -> (u64, u64, f64) {
    let measured = |at: &i64| (0..end_ns).contains(at);
    let mut commits: Vec<i64> =
        rows(&folder.join("writes.csv")).iter().filter_map(|row| number(row, "committed_ns")).collect();
    commits.retain(measured);
    commits.sort_unstable();
    let mut reads: Vec<i64> =
        rows(&folder.join("origin.csv")).iter().filter_map(|row| number(row, "arrived_ns")).collect();
    reads.sort_unstable();
    let (mut gaps, mut ended, mut herd_sum) = (0, 0, 0);
    for pair in commits.windows(2) {
        let within: Vec<i64> = reads.iter().copied().filter(|at| (pair[0]..pair[1]).contains(at)).collect();
        gaps += 1;
        if let Some(first) = within.first() {
            ended += 1;
            herd_sum += within.iter().filter(|at| **at < first + 250_000_000).count();
        }
    }
    (gaps, ended, herd_sum as f64 / f64::from(u32::try_from(ended).unwrap()).max(1.0))
}

#[test]
fn of_the_gaps_between_writes_as_many_outlive_the_ttl_as_theory_says() {
    let (ttl, service) = (Duration::from_secs(5), Duration::from_millis(200));
    for (rate, a_ttl, duration) in [("6/m", 0.5, "3h"), ("24/m", 2.0, "1h"), ("1/s", 5.0, "1h")] {
        let sets = [format!("writes.rate={rate}"), "load.rate=20/s".into()];
        let mut args = vec!["--scenario", "write-through", "-d", duration];
        sets.iter().for_each(|set| args.extend(["--set", set]));
        args.extend(["--strategy", "plain + write-through,plain + lock + write-through"]);
        let (_results, folder) = simulate(&args);
        let run = record(&folder);
        for (at, herd) in [(0, reads_at_a_miss(20.0, service)), (1, 1.0)] {
            let (gaps, ended, reads) =
                stampedes(&folder.join(&run.strategies[at].folder), (run.duration_s * 1e9) as i64);
            let (expected, n) = (gaps_beyond_the_ttl(a_ttl / 5.0, ttl), gaps as f64);
            let found = ended as f64 / n;
            let error = 3.0 * (expected * (1.0 - expected) / n).sqrt();
            assert!((found - expected).abs() <= error, "{rate}: {found} of {gaps} gaps, theory {expected} ± {error}");
            assert!((reads / herd - 1.0).abs() < 0.15, "{rate}: a herd of {reads}, theory {herd}");
        }
    }
}

#[test]
fn a_removal_leaves_as_many_old_values_as_theory_says_and_with_a_lease_none() {
    let mut args =
        vec!["--scenario", "write-race", "-d", "1000s", "--set", "load.rate=100/s", "--set", "cache.ttl=60s"];
    args.extend(["--strategy", "plain + lock + invalidate,plain + lease + invalidate,broken-invalidate-race"]);
    let (_results, folder) = simulate(&args);
    let run = record(&folder);
    let expected = wrong_sets_a_write(2.0, 100.0, Duration::from_millis(200));
    for name in ["plain + lock + invalidate", "broken-invalidate-race"] {
        let (behind, writes) = figures(&run, name);
        let found = writes.wrong_sets as f64 / writes.committed as f64;
        assert!((found / expected - 1.0).abs() < 0.1, "{name}: {found} a write, theory {expected}");
        assert!(behind.wrong_ms_max.unwrap() > 1000.0, "{name}: the old value stays until the next write");
    }
    let (behind, writes) = figures(&run, "plain + lease + invalidate");
    assert!(writes.committed > 1800 && writes.wrong_sets == 0, "{writes:?}");
    assert!(behind.wrong_ms_max.unwrap() < 1.0, "no longer than a round trip: {behind:?}");
}

#[test]
fn two_writers_within_a_round_trip_leave_the_older_value_unless_puts_are_ordered() {
    let mut args =
        vec!["--scenario", "write-through", "-d", "300s", "--set", "writes.rate=600/s", "--set", "load.rate=50/s"];
    args.extend(["--strategy", "plain + lock + write-through,broken-write-through-unordered"]);
    let (_results, folder) = simulate(&args);
    let run = record(&folder);
    assert_eq!(figures(&run, "plain + lock + write-through").0.went_back, None, "an open load has no clients");
    let (right, wrong) =
        (figures(&run, "plain + lock + write-through").0, figures(&run, "broken-write-through-unordered").0);
    assert!(
        wrong.stale > right.stale + 20,
        "{} answers behind, and {} where puts are ordered",
        wrong.stale,
        right.stale
    );
}

#[test]
fn a_cache_that_cannot_be_told_leaves_the_write_committed_and_the_key_wrong() {
    let text = run(&["show", "write-race"])
        .out
        .replace("[[threshold]]", "[[event]]\nat = \"5s\"\ndo = \"cache-stop\"\nfor = \"2s\"\n[[threshold]]");
    let cut = text.find("[[threshold]]").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lost.toml");
    std::fs::write(&file, &text[..cut]).unwrap();
    let (_results, folder) =
        simulate(&["--scenario", file.to_str().unwrap(), "-d", "15s", "--strategy", "plain + lease + invalidate"]);
    let run = record(&folder);
    let (_, writes) = figures(&run, "plain + lease + invalidate");
    assert!(writes.not_told > 0 && writes.keys_left_wrong == 1, "{writes:?}");
    assert_eq!((writes.acknowledged, writes.failed, writes.unknown), (writes.sent, 0, 0), "{writes:?}");
}

#[test]
fn a_target_cannot_be_written_to() {
    let said = run(&["--scenario", "write-race", "--target", "http://127.0.0.1:9/items/{key}"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(said.err.contains("writes to a target") && said.err.contains("without [writes]"), "{}", said.err);
}

#[test]
fn a_write_layer_without_writes_and_a_threshold_of_another_run_are_told() {
    let results = tempfile::tempdir().unwrap();
    let told = |args: &[&str]| {
        let lab = ["--lab", "sim", "-w", "0s", "-o", results.path().to_str().unwrap()];
        run(&[&lab[..], args].concat())
    };
    let never = "plain + lease + invalidate: nobody writes in this scenario, so its write layer never acts";
    let quiet = told(&["--scenario", "hotkey", "-d", "2s", "--strategy", "plain + lease + invalidate"]);
    assert!(quiet.err.contains(never), "{}", quiet.err);
    let written = told(&["--scenario", "write-race", "-d", "2s", "--strategy", "plain + lock + invalidate"]);
    assert!(!written.err.contains("never acts"), "{}", written.err);
    let changed = "they are for the scenario as its file has it, and this run changes load.warmup, load.duration";
    let (said, words) = (written.out.replace('\n', " "), changed.replace("load.warmup, load.duration", "load."));
    assert!(said.contains(&words), "{}", written.out);
}
