//! A sweep by several processes: merged, it is the sweep that one process makes; and what is not all of one sweep is refused.

use std::path::{Path, PathBuf};

use report::sweep::SweepFolder;

use crate::common::{only_run, run};
use crate::sweep::sweep;

const PARTED: [&str; 10] = [
    "--scenario",
    "hotkey",
    "-d",
    "4s",
    "--vary",
    "xfetch.beta=0.5..2:0.5",
    "--vary",
    "cache.ttl=1s,2s,3s",
    "--seeds",
    "2",
];
const PARTED_GOAL: [&str; 2] = ["--goal", "min origin.total where latency.p99 <= 300ms"];

/// The folders of a sweep's parts, and what holds them.
fn parts(of: u32, more: &[&str]) -> Vec<(tempfile::TempDir, PathBuf)> {
    let one = |index: u32| {
        let results = tempfile::tempdir().unwrap();
        let part = format!("{index}/{of}");
        let args = ["sweep", "-o", results.path().to_str().unwrap(), "--quiet", "--points", &part];
        let said = run(&[&args[..], &PARTED, &PARTED_GOAL, more].concat());
        assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
        // What it says is of no use to anybody who looks for the best of all.
        assert!(
            said.out.starts_with(&format!("Part {index} of {of}")) && !said.out.contains("meet it"),
            "{}",
            said.out
        );
        assert_eq!(said.out.contains("more parts than settings"), index >= 12, "{}", said.out);
        let folder = only_run(results.path());
        let (named, last) = (folder.display().to_string(), said.out.trim_end().lines().last().unwrap());
        assert!(named.ends_with(&format!("-part-{index}-of-{of}")), "{named}");
        assert!(
            last.contains(&format!("all {of} are there: loadgen merge {}/*-sweep-", results.path().display())),
            "{last}"
        );
        assert!(!folder.join("charts").exists(), "a part concludes nothing");
        (results, folder)
    };
    (0..of).map(one).collect()
}

fn merge(folders: &[&Path], into: &Path) -> crate::common::Said {
    let folders: Vec<&str> = folders.iter().map(|folder| folder.to_str().unwrap()).collect();
    run(&[&["merge", "-o", into.to_str().unwrap()], &folders[..]].concat())
}

/// Whatever the number of parts, and more parts than settings: the rows are the same bytes, and so is the record but for its name and time.
#[test]
fn the_parts_of_a_sweep_make_the_sweep_that_one_process_makes() {
    let (single, whole, _) = sweep(&[&PARTED[..], &PARTED_GOAL].concat());
    let single = only_run(single.path());
    let bytes = |folder: &Path, file: &str| std::fs::read(folder.join(file)).unwrap();
    for of in [1, 2, 5, 13] {
        let parts = parts(of, &[]);
        let mut folders: Vec<&Path> = parts.iter().map(|(_, folder)| folder.as_path()).collect();
        folders.reverse();
        let into = tempfile::tempdir().unwrap();
        let said = merge(&folders, into.path());
        assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
        let merged = only_run(into.path());
        assert_eq!(bytes(&merged, "sweep.csv"), bytes(&single, "sweep.csv"), "{of}");
        let mut record = SweepFolder::at(&merged).read().unwrap();
        assert!(!record.command.contains("--points"), "{}", record.command);
        record.sweep.clone_from(&whole.sweep);
        record.started_at.clone_from(&whole.started_at);
        record.command.clone_from(&whole.command);
        assert!(record == whole, "{of} parts");
        assert!(merged.join("charts/sweep.svg").is_file() || merged.join("charts").is_dir(), "it is drawn");
    }
}

/// What a part prints, and what is printed where one is missing, are commands that do what they say, typed as they are.
#[test]
fn the_commands_that_parts_and_merge_print_make_the_whole() {
    let root = tempfile::tempdir().unwrap();
    let at = root.path().join("the parts");
    let part = |index: &str| {
        let args = ["sweep", "-o", at.to_str().unwrap(), "--quiet", "--points", index];
        run(&[&args[..], &PARTED].concat())
    };
    // A shell takes it, with this build in the place of `loadgen` or of what makes it.
    let typed = |command: &str| {
        let program = format!("{} ", env!("CARGO_BIN_EXE_loadgen"));
        let command = command.replacen("cargo run --release -p loadgen -- ", &program, 1);
        let command = command.replacen("loadgen merge ", &format!("{program}merge "), 1);
        let output = std::process::Command::new("sh").args(["-c", &command]).current_dir(root.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let said = [part("0/3"), part("2/3")];
    assert!(said.iter().all(|said| said.code == Some(0)), "{}", said[0].err);
    let merge = said[1].out.split_once("all 3 are there: ").unwrap().1.trim_end();
    let (code, _, missing) = typed(merge);
    assert!(code == Some(2) && missing.contains("missing 1/3"), "{missing}");
    let command = missing.split_once("run them: ").unwrap().1.trim_end();
    assert!(command.contains("-o '") && command.ends_with("the parts' --points 1/3"), "{command}");
    assert_eq!(typed(command).0, Some(0), "{command}");
    assert_eq!(std::fs::read_dir(&at).unwrap().count(), 3, "it lies beside the others");
    let (code, out, err) = typed(&format!("{merge} --format json"));
    assert_eq!(code, Some(0), "{err}");
    let record: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(record["schema"] == "stampede.sweep/v1" && record["part"].is_null(), "{out}");
    let parts = std::fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().path());
    let one = parts.into_iter().find(|path| path.display().to_string().ends_with("-part-1-of-3")).unwrap();
    let drawn = run(&["report", one.to_str().unwrap()]);
    assert!(drawn.code == Some(2) && drawn.err.contains("found part 1 of 3 of a sweep"), "{}", drawn.err);
    std::fs::remove_file(one.join("sweep.json")).unwrap();
    let (code, _, err) = typed(merge);
    let words = format!("{} · found no sweep.json", one.display());
    assert!(code == Some(2) && err.contains(&words), "{words}: {err}");
}

#[test]
fn parts_that_are_not_one_sweep_are_refused_by_name() {
    let all = parts(3, &[]);
    let [one, two, three] = [0, 1, 2].map(|at| all[at].1.as_path());
    let others = parts(3, &["--set", "origin.service_time=100ms"]);
    let whole = sweep(&PARTED).0;
    let (whole, nowhere) = (only_run(whole.path()), Path::new("/nowhere"));
    let built = tempfile::tempdir().unwrap();
    for file in ["sweep.json", "sweep.csv", "scenario.toml"] {
        let text = std::fs::read_to_string(three.join(file)).unwrap();
        let build = SweepFolder::at(three).read().unwrap().part.unwrap().build;
        std::fs::write(built.path().join(file), text.replace(&build, "another")).unwrap();
    }
    let (unfinished, cut, many) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for file in ["sweep.json", "sweep.csv", "scenario.toml"] {
        let text = std::fs::read_to_string(three.join(file)).unwrap();
        let end = if file == "sweep.csv" { text.trim_end().rfind('\n').unwrap() + 1 } else { text.len() };
        std::fs::write(cut.path().join(file), &text[..end]).unwrap();
        std::fs::write(many.path().join(file), text.replace("\"of\": 3", "\"of\": 4000000000")).unwrap();
        std::fs::write(unfinished.path().join(file), text.replace("\"complete\": true", "\"complete\": false"))
            .unwrap();
    }
    let into = tempfile::tempdir().unwrap();
    for (folders, words) in [
        (
            &[one, three][..],
            "found 2 of 3, missing 1/3 · run them: cargo run --release -p loadgen -- sweep --quiet --scenario hotkey",
        ),
        (&[one, two, two, three], "found part 1 twice"),
        (&[one, two, others[2].1.as_path()], "settings others"),
        (&[one, two, cut.path()], "sweep.csv with 8 lines, needed 9"),
        (&[one, two, many.path()], "part 2 of 4000000000, allowed at most 10000"),
        (&[one, two, built.path()], "build another"),
        (&[one, two, unfinished.path()], "a part that was not finished"),
        (&[one, two, &whole], "a whole sweep"),
        (&[one, two, nowhere], "/nowhere · found nothing there"),
    ] {
        let said = merge(folders, into.path());
        // A record that cannot be one is no mistake on the command line.
        let code = if words.contains("allowed at most 10000") { 1 } else { 2 };
        assert_eq!(said.code, Some(code), "{words}: {}{}", said.out, said.err);
        assert!(said.err.contains(words), "{words:?} is not in {}", said.err);
    }
    assert_eq!(std::fs::read_dir(into.path()).unwrap().count(), 0, "nothing is written");
}
