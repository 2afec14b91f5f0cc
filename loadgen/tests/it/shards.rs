//! One run by several processes: merged, it is the run that one process makes, byte for byte; and what is not all of one run is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::common::{Said, only_run, run};

/// A short run of a scenario in virtual time, and what else is on its command line.
fn short(scenario: &str, length: &str, more: &[&str], into: &Path) -> Said {
    let into = into.to_str().unwrap();
    let args = ["--scenario", scenario, "--lab", "sim", "--quiet", "-d", length, "-w", "1s", "-o", into];
    run(&[&args[..], more].concat())
}

/// The folders of all shards of a run, in order.
fn shards(scenario: &str, length: &str, of: u32, more: &[&str], into: &Path) -> Vec<PathBuf> {
    let one = |index| {
        let (part, into) = (format!("{index}/{of}"), into.join(format!("{index}")));
        let said = short(scenario, length, &[&["--shard", &part], more].concat(), &into);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert!(!only_run(&into).join("run.json").exists(), "a shard is no run");
        only_run(&into)
    };
    (0..of).map(one).collect()
}

fn merge(folders: &[&Path], into: &Path) -> Said {
    let folders = folders.iter().map(|folder| folder.to_str().unwrap());
    let args: Vec<&str> = ["merge", "-o", into.to_str().unwrap()].into_iter().chain(folders).collect();
    run(&args)
}

/// Every file below a folder but what has the run's name, time or command in it.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let named = ["run.json", "summary.md", "report.html"];
    let (mut all, mut left) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if !named.iter().any(|name| path.ends_with(name)) {
                all.insert(path.strip_prefix(root).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    all
}

/// Whatever the load: open and closed, with writes and without, increments, a cluster that fails over, repeats.
#[test]
fn the_shards_of_a_run_make_the_run_that_one_process_makes() {
    for (scenario, length, counts, more) in [
        ("hotkey-open", "8s", &[1, 2, 5, 16][..], &["--strategy", "naive,coalesce"][..]),
        ("zipf", "4s", &[1, 2, 5, 16], &["--strategy", "coalesce"]),
        ("hotkey", "6s", &[3], &["--strategy", "singleflight,swr", "--repeats", "2"]),
        ("write-race", "4s", &[3], &["--set", "load.rate=300/s"]),
        ("counter-minute", "4s", &[2], &["--set", "load.rate=500/s"]),
        ("cache-failover", "14s", &[2], &["--strategy", "plain + lock"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let said = short(scenario, length, more, &at("whole"));
        let whole = only_run(&at("whole"));
        for of in counts {
            let parts = shards(scenario, length, *of, more, &at(&format!("parts-{of}")));
            let backwards: Vec<&Path> = parts.iter().rev().map(PathBuf::as_path).collect();
            let merged = merge(&backwards, &at(&format!("merged-{of}")));
            assert_eq!(merged.code, said.code, "{scenario} in {of}: {}", merged.err);
            let merged = only_run(&at(&format!("merged-{of}")));
            let (ours, theirs) = (files(&merged), files(&whole));
            assert!(ours.keys().eq(theirs.keys()), "{scenario} in {of}");
            for (file, bytes) in &ours {
                assert!(theirs[file] == *bytes, "{scenario} in {of}: {} differs", file.display());
            }
            let [mut one, other] = [&merged, &whole].map(|run| crate::common::record(run));
            assert_eq!(one.shards, Some(*of));
            assert!(!one.command.contains("--shard"), "{}", one.command);
            (one.run, one.started_at) = (other.run.clone(), other.started_at.clone());
            (one.command, one.shards) = (other.command.clone(), None);
            assert!(one == other, "{scenario} in {of}: run.json");
        }
    }
}

/// A copy of a shard's folder, with something changed in its part.json.
fn copy(from: &Path, into: &Path, changed: impl Fn(String) -> String) -> PathBuf {
    std::fs::create_dir_all(into.join("naive")).unwrap();
    let record = std::fs::read_to_string(from.join("part.json")).unwrap();
    std::fs::write(into.join("part.json"), changed(record)).unwrap();
    for file in ["scenario.toml", "naive/part.jsonl"] {
        std::fs::copy(from.join(file), into.join(file)).unwrap();
    }
    into.to_owned()
}

#[test]
fn shards_that_are_not_one_run_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let naive = ["--strategy", "naive"];
    let all = shards("hotkey-open", "3s", 3, &naive, &at("all"));
    let longer = shards("hotkey-open", "4s", 3, &naive, &at("longer"));
    let seeded = shards("hotkey-open", "3s", 3, &["--strategy", "naive", "--seed", "7"], &at("seeded"));
    short("hotkey-open", "3s", &naive, &at("whole"));
    let whole = only_run(&at("whole"));
    let build = build_of(&all[2]);
    let built = copy(&all[2], &at("built"), |text| text.replace(&build, "another"));
    let many = copy(&all[2], &at("many"), |text| text.replace("\"of\": 3", "\"of\": 4000000000"));
    let planned = |shard: usize| {
        copy(&all[shard], &at(&format!("planned-{shard}")), |text| {
            text.replace("\"plan_hash\": \"", "\"plan_hash\": \"0")
        })
    };
    let planned = [0, 1, 2].map(planned);
    let [one, two, three] = [0, 1, 2].map(|shard: usize| all[shard].as_path());
    let into = at("into");
    for (folders, words) in [
        (
            &[one, three][..],
            "found 2 of 3, missing 1/3 · run them: cargo run --release -p loadgen -- --scenario hotkey-open",
        ),
        (&[two, three], "missing 0/3"),
        (&[one, two, two, three], "shard 1 twice, named twice"),
        (&[one, two, &longer[2]], "found plan "),
        (&[one, two, &seeded[2]], "found plan "),
        (&[one, two, &built], "found build another"),
        (&[one, two, &many], "part 2 of 4000000000, allowed at most 10000"),
        (&[one, two, &whole], "found a whole run, needed the folder of a shard"),
        (&[one, two, Path::new("/nowhere")], "found no part.json"),
        (&[&planned[0], &planned[1], &planned[2]], "which scenario.toml and seed make"),
    ] {
        let said = merge(folders, &into);
        let code = if words.contains("allowed at most") { 1 } else { 2 };
        assert_eq!(said.code, Some(code), "{words}: {}{}", said.out, said.err);
        assert!(said.err.contains(words), "{words:?} is not in {}", said.err);
        assert!(!into.exists(), "nothing is written");
    }
}

/// The build that a shard's record names.
fn build_of(shard: &Path) -> String {
    let text = std::fs::read_to_string(shard.join("part.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    record["build"].as_str().unwrap().to_owned()
}

/// A shard that was lost is no smaller run: what it would have asked is missing, and the run is invalid.
#[test]
fn a_run_with_a_lost_shard_is_invalid() {
    let folder = tempfile::tempdir().unwrap();
    let all = shards("hotkey-open", "3s", 3, &["--strategy", "naive"], &folder.path().join("all"));
    std::fs::remove_file(all[1].join("naive/part.jsonl")).unwrap();
    let folders: Vec<&Path> = all.iter().map(PathBuf::as_path).collect();
    let into = folder.path().join("into");
    let said = merge(&folders, &into);
    assert_eq!(said.code, Some(4), "{}{}", said.out, said.err);
    let record = crate::common::record(&only_run(&into));
    let why = &record.strategies[0].invalid_because;
    assert!(why[0].contains("of 3 shards of the load these were lost, and their requests are missing: 1"), "{why:?}");
}

/// Whatever a shard's file has in it: a sentence, and no panic.
#[test]
fn a_spoilt_shard_ends_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let all = shards("write-race", "2s", 1, &["--strategy", "plain + invalidate"], &folder.path().join("all"));
    let strategy = std::fs::read_dir(&all[0]).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
    let file = strategy.unwrap().join("part.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    let extreme =
        ["18446744073709551615", "9223372036854775807", "-9223372036854775808", "4294967295", "-1", "1e300", "null"];
    let numbers: Vec<(usize, usize)> = numbers(&text);
    let mut spoilt =
        vec![text[..text.len() / 2].to_owned(), String::new(), "{\"second\":{}}\n".into(), "[[[[".repeat(10_000)];
    // A second that is not there, or there twice.
    let lines: Vec<&str> = text.lines().collect();
    let second = lines.iter().rposition(|line| line.starts_with("{\"second\"")).unwrap() - 1;
    let with = |of: &[&str]| [&lines[..second], of, &lines[second + 1..]].concat().join("\n");
    spoilt.extend([with(&[]), with(&[lines[second], lines[second]])]);
    let gone = spoilt.len();
    // Each number in turn would be thousands of runs: of evenly spread ones each of these values.
    for (at, (from, to)) in numbers.iter().step_by(numbers.len() / 40).enumerate() {
        spoilt.push(format!("{}{}{}", &text[..*from], extreme[at % extreme.len()], &text[*to..]));
    }
    // And every number of the last line, which has most of the fields.
    let last = text.trim_end().rfind('\n').unwrap();
    let of_last: Vec<_> = numbers.iter().filter(|(from, _)| *from > last).collect();
    for (at, (from, to)) in of_last.iter().step_by(of_last.len().div_ceil(60)).enumerate() {
        spoilt.push(format!("{}{}{}", &text[..*from], extreme[at % extreme.len()], &text[*to..]));
    }
    for (at, text) in spoilt.iter().enumerate() {
        std::fs::write(&file, text).unwrap();
        let into = folder.path().join(format!("into-{at}"));
        let said = merge(&[&all[0]], &into);
        assert!(!said.err.contains("panicked"), "{at}: {}", said.err);
        assert!(matches!(said.code, Some(0 | 1 | 4 | 99)), "{at}: {:?} {}", said.code, said.err);
        assert!(at >= gone || said.err.contains("a shard's file can't be used"), "{at}: {}", said.err);
        let left = into.read_dir().map_or(0, Iterator::count);
        assert!(!said.err.contains("a shard's file can't be used") || left == 0, "{at}: a folder is left behind");
    }
}

/// Where the numbers of a JSON text are, from and to.
fn numbers(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let (mut found, mut at, mut quoted) = (Vec::new(), 0, false);
    while at < bytes.len() {
        if bytes[at] == b'"' {
            quoted = !quoted;
        }
        let from = at;
        while !quoted && at < bytes.len() && (bytes[at].is_ascii_digit() || b"-.e".contains(&bytes[at])) {
            at += 1;
        }
        if at > from && bytes[from..at].iter().any(u8::is_ascii_digit) {
            found.push((from, at));
        }
        at = at.max(from + 1);
    }
    found
}

#[test]
fn what_has_no_shards_refuses_them() {
    for (args, words) in [
        (&["--scenario", "hotkey", "--shard", "0/2"][..], "a shard of a run that is not simulated"),
        (&["aa", "--scenario", "hotkey", "--lab", "sim", "--shard", "0/2"], "a shard of what is no run"),
        (
            &["sweep", "--scenario", "hotkey", "--vary", "cache.ttl=1s,2s", "--shard", "1/2"],
            "--shard 1/2 · allowed with `run` alone",
        ),
        (&["--scenario", "hotkey", "--lab", "sim", "--shard", "0/2", "--live"], "--live"),
        (&["--scenario", "hotkey", "--lab", "sim", "--shard", "2/2"], "found part 2 of 2"),
    ] {
        let said = run(args);
        assert_eq!(said.code, Some(2), "{args:?}: {}", said.err);
        assert!(said.err.contains(words), "{words:?} is not in {}", said.err);
    }
}
