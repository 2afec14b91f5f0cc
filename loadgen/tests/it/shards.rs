//! One run by several processes: merged, it is the run that one process makes, byte for byte; and what is not all of one run is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use loadgen::load::record::{Collector, SecondBounds};
use loadgen::parts::read::{PartLines, RunParts};

use crate::common::{Said, only_run, run, starts_after};

/// A short run of a scenario in virtual time, and what else is on its command line.
fn short(scenario: &str, length: &str, more: &[&str], into: &Path) -> Said {
    let into = into.to_str().unwrap();
    let args = ["--scenario", scenario, "--lab", "sim", "--quiet", "-d", length, "-w", "1s", "-o", into];
    run(&[&args[..], more].concat())
}

/// The folders of all shards of a run, in order.
fn shards(scenario: &str, length: &str, of: u32, more: &[&str], into: &Path) -> Vec<PathBuf> {
    let one = |index| {
        let (part, into) = (format!("{index}/{of}"), into.join("all"));
        let before = runs(&into);
        let said = short(scenario, length, &[&["--shard", &part], more].concat(), &into);
        assert_eq!(said.code, Some(0), "{}", said.err);
        let made = runs(&into).into_iter().find(|path| !before.contains(path)).unwrap();
        assert!(!made.join("run.json").exists(), "a shard is no run");
        made
    };
    (0..of).map(one).collect()
}

/// The folders in a folder.
fn runs(at: &Path) -> Vec<PathBuf> {
    at.read_dir().into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

fn merge(folders: &[&Path], into: &Path) -> Said {
    let folders = folders.iter().map(|folder| folder.to_str().unwrap());
    let args: Vec<&str> = ["merge", "-o", into.to_str().unwrap()].into_iter().chain(folders).collect();
    run(&args)
}

/// Every file below a folder but what has the run's name, time or command in it.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let named = ["run.json", "summary.md", "junit.xml", "report.html"];
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

/// Whatever the load: open and closed, with a ramp of clients, with writes and without, increments, a cluster that fails over, repeats.
#[test]
fn the_shards_of_a_run_make_the_run_that_one_process_makes() {
    for (scenario, length, counts, more) in [
        ("hotkey-open", "8s", &[1, 2, 5, 16][..], &["--strategy", "naive,coalesce"][..]),
        ("zipf", "4s", &[1, 2, 5, 16], &["--strategy", "coalesce"]),
        ("hotkey", "6s", &[3], &["--strategy", "singleflight,swr", "--repeats", "2"]),
        ("hotkey", "4s", &[3], &["--set", "load.ramp=[{ at = \"1s\", clients = 90, over = \"2s\" }]"]),
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
            // In any order, each by its own name, or all by that of the folder which they are in.
            let together = at(&format!("parts-{of}")).join("all");
            let backwards: Vec<&Path> = match of % 2 {
                0 => parts.iter().rev().map(PathBuf::as_path).collect(),
                _ => vec![&together],
            };
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

/// The 99th percentile of each shard by itself, milliseconds.
fn p99s(shards: &[PathBuf], subject: &str, seconds: i64) -> Vec<f64> {
    let parts = RunParts::read(shards).unwrap();
    let bounds = SecondBounds { numbers: -1..=seconds, last_key: u32::MAX };
    let one = |part| {
        let collector = Collector::start(1, None).unwrap();
        let mut lines = PartLines::open(part, subject, &bounds).unwrap().unwrap();
        lines.up_to_a_second(|_| Ok(())).unwrap();
        while let Some(second) = lines.second.take() {
            collector.teller().again(*second);
            lines.up_to_a_second(|_| Ok(())).unwrap();
        }
        let collected = collector.collected().unwrap().unwrap();
        collected.measured[0].value_at_quantile(0.99) as f64 / 1e6
    };
    parts.parts.iter().map(one).collect()
}

/// What is done by hand where percentiles can't be merged: about one request in a hundred is a miss, so some shards have their 99th
/// percentile among the hits, and others among the misses. Their mean is a time that no request took.
#[test]
fn the_mean_of_percentiles_is_no_percentile() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--strategy", "naive", "--set", "cache.ttl=20s"];
    let all = shards("hotkey-open", "20s", 8, &more, &folder.path().join("parts"));
    let p99s = p99s(&all, "naive", 20);
    let folders: Vec<&Path> = all.iter().map(PathBuf::as_path).collect();
    merge(&folders, &folder.path().join("merged"));
    let merged = crate::common::record(&only_run(&folder.path().join("merged")));
    let merged = merged.strategies[0].latency_ms.p99.unwrap();
    let mean = p99s.iter().sum::<f64>() / p99s.len() as f64;
    println!("p99 of the run {merged} ms; of its shards {p99s:.1?}, their mean {mean:.1} ms");
    assert!(p99s.iter().any(|ms| *ms < 2.0) && p99s.iter().any(|ms| *ms > 100.0), "{p99s:?}");
    assert!((mean / merged - 1.0).abs() > 0.25, "{mean} {merged}");
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
    let holed = copy(&all[2], &at("holed"), |text| text);
    std::fs::remove_file(holed.join("naive/part.jsonl")).unwrap();
    let (grid, out) = (["cache.ttl=1s,2s", "--points", "0/2"], at("swept"));
    let said = run(&[
        &[
            "sweep",
            "--scenario",
            "hotkey",
            "--quiet",
            "--seeds",
            "1",
            "-d",
            "2s",
            "-o",
            out.to_str().unwrap(),
            "--vary",
        ],
        &grid[..],
    ]
    .concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    let swept = only_run(&out);
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
        (&[one, two, &longer[2]], "found scenario.toml duration = \"4s\", needed duration = \"3s\""),
        (&[one, two, &seeded[2]], "found seed 7, needed 42"),
        (&[one, two, &holed], "found no naive/part.jsonl, needed one for each strategy"),
        (&[one, two, &built], "found build another"),
        (&[one, two, &many], "part 2 of 4000000000, allowed at most 10000"),
        (&[one, two, &whole], "found a whole run, needed the folder of a shard"),
        (&[one, two, Path::new("/nowhere")], "/nowhere · found nothing there"),
        (&[one, two, &swept], "found a part of a sweep"),
        (&[&one.join("part.json")], "found a file"),
        (&[one, two, &one.join("naive")], "found neither shards nor parts in it"),
        (&[&planned[0], &planned[1], &planned[2]], "which scenario.toml and seed make"),
    ] {
        let said = merge(folders, &into);
        let code = if words.contains("allowed at most") { 1 } else { 2 };
        assert_eq!(said.code, Some(code), "{words}: {}{}", said.out, said.err);
        assert!(said.err.contains(words), "{words:?} is not in {}", said.err);
        assert!(!into.exists(), "nothing is written");
    }
}

/// A shard that is missing is made where the others are; one whose record is missing is no missing shard.
#[test]
fn what_is_missing_is_named_with_what_makes_it() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--strategy", "naive", "--repeats", "2"];
    let all = shards("hotkey-open", "2s", 3, &more, folder.path());
    let copied = folder.path().join("copied here");
    std::fs::create_dir(&copied).unwrap();
    let moved: Vec<PathBuf> = all.iter().map(|shard| copied.join(shard.file_name().unwrap())).collect();
    std::fs::rename(&all[0], &moved[0]).unwrap();
    std::fs::rename(&all[2], &moved[2]).unwrap();
    let into = folder.path().join("into");
    let said = merge(&[&copied], &into);
    let command = format!("-w 1s --strategy naive --repeats 2 -o '{}' --shard 1/3", copied.display());
    assert!(said.code == Some(2) && said.err.contains("missing 1/3 · run them: "), "{}", said.err);
    assert!(said.err.trim_end().ends_with(&command), "{command:?} is not in {}", said.err);

    std::fs::rename(&all[1], &moved[1]).unwrap();
    let record = std::fs::read_to_string(moved[1].join("part.json")).unwrap();
    std::fs::remove_file(moved[1].join("part.json")).unwrap();
    let words = format!("{} · found no part.json, needed the file that says which shard", moved[1].display());
    let named: Vec<&Path> = moved.iter().map(PathBuf::as_path).collect();
    for folders in [&[copied.as_path()][..], &named] {
        let said = merge(folders, &into);
        assert!(said.code == Some(2) && said.err.contains(&words), "{words:?} is not in {}", said.err);
    }
    let inside = merge(&[&moved[1].join("naive")], &into);
    assert!(inside.err.contains("found neither shards nor parts in it"), "{}", inside.err);
    // By its lines alone, whatever it is called; and by its name, where it had not come to any.
    let renamed = copied.join("second");
    std::fs::rename(&moved[1], &renamed).unwrap();
    assert!(merge(&[&copied], &into).err.contains("second · found no part.json"));
    std::fs::rename(&renamed, &moved[1]).unwrap();
    std::fs::rename(moved[1].join("naive"), folder.path().join("naive")).unwrap();
    assert!(merge(&[&copied], &into).err.contains(&words));
    std::fs::rename(folder.path().join("naive"), moved[1].join("naive")).unwrap();
    std::fs::write(moved[1].join("part.json"), record).unwrap();
    assert_eq!(merge(&[&copied], &into).code, Some(0));
}

/// JSON where JSON is asked for, as parts of sweeps and runs do: the record that the folder has.
#[test]
fn a_shard_prints_its_record_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--strategy", "naive", "--shard", "1/2", "--format", "json"];
    let said = short("hotkey-open", "2s", &more, folder.path());
    assert_eq!(said.code, Some(0), "{}", said.err);
    let printed: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let written = std::fs::read_to_string(only_run(folder.path()).join("part.json")).unwrap();
    assert_eq!(printed, serde_json::from_str::<serde_json::Value>(&written).unwrap());
    assert!(printed["index"] == 1 && printed["of"] == 2, "{printed}");
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
    for shard in &all {
        // Only what is driven together can be lost on the way.
        let record = std::fs::read_to_string(shard.join("part.json")).unwrap();
        let together = record.replace("\"together\": null", "\"together\": \"0123456789abcdef\"");
        assert_ne!(together, record);
        std::fs::write(shard.join("part.json"), together).unwrap();
    }
    std::fs::remove_file(all[1].join("naive/part.jsonl")).unwrap();
    let folders: Vec<&Path> = all.iter().map(PathBuf::as_path).collect();
    let into = folder.path().join("into");
    let said = merge(&folders, &into);
    assert_eq!(said.code, Some(4), "{}{}", said.out, said.err);
    let record = crate::common::record(&only_run(&into));
    let why = &record.strategies[0].invalid_because;
    assert!(why[0].contains("of 3 shards of the load these were lost, and their requests are missing: 1"), "{why:?}");
}

/// Shards that took t = 0 to be at different moments did not drive one load.
#[test]
fn a_run_whose_shards_began_apart_is_invalid() {
    let folder = tempfile::tempdir().unwrap();
    let all = shards("hotkey-open", "3s", 3, &["--strategy", "naive"], &folder.path().join("all"));
    for (after_ns, code, words) in [(4_000_000, 0, ""), (50_000_000, 4, "began up to 50.2 ms apart; at most 5 ms")] {
        for (shard, after_ns) in all.iter().zip([0, after_ns, 0]) {
            starts_after(&shard.join("naive/part.jsonl"), after_ns);
        }
        let folders: Vec<&Path> = all.iter().map(PathBuf::as_path).collect();
        let into = folder.path().join(format!("into-{after_ns}"));
        let said = merge(&folders, &into);
        assert_eq!(said.code, Some(code), "{}{}", said.out, said.err);
        let naive = &crate::common::record(&only_run(&into)).strategies[0];
        let why = naive.invalid_because.join("; ");
        assert!(why.contains(words), "{why:?}");
        assert_eq!(naive.conditions.as_ref().unwrap().start_spread_ms, Some(after_ns as f64 / 1e6 + 0.2));
    }
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
    spoilt.extend([with(&[]), with(&[lines[second], lines[second]]), format!("{text}{{\"x\":1}}\n"), text.repeat(2)]);
    let gone = spoilt.len();
    // Each number in turn would be thousands of runs: of evenly spread ones each of these values.
    for (at, (from, to)) in numbers.iter().step_by(numbers.len() / 40).enumerate() {
        spoilt.push(format!("{}{}{}", &text[..*from], extreme[at % extreme.len()], &text[*to..]));
    }
    // A time of the origin's or of a replica's that no run lasts until.
    for field in ["\"arrived_ns\":", "\"at_ns\":"] {
        let at = text.find(field).unwrap() + field.len();
        let end = at + text[at..].find([',', '}']).unwrap();
        let spoiled = format!("{}{}{}", &text[..at], 1_u64 << 60, &text[end..]);
        spoilt.insert(0, spoiled);
    }
    let gone = gone + 2;
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
        (&["--scenario", "hotkey", "--shard", "0/2"][..], "a shard of a lab that is its process's own"),
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
