//! `gate` and `promote` as their user runs them: what passes, what is found, and every input that is refused.

use std::path::{Path, PathBuf};

use crate::common::{Said, run};
use report::RunFolder;
use report::record::Run;

/// A run of hotkey, as if it had been made in virtual time.
fn run_folder(dir: &Path, name: &str, change: impl FnOnce(&mut Run)) -> PathBuf {
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/reference/hotkey");
    let reference = RunFolder::at(reference);
    let mut run = reference.read_run().unwrap();
    run.lab = "sim".into();
    change(&mut run);
    let made = RunFolder::at(dir.join(name));
    made.write_run(&run).unwrap();
    made.write_scenario(&reference.read_scenario().unwrap()).unwrap();
    made.path().to_owned()
}

fn promote(run_folder: &Path, baselines: &Path) -> Said {
    run(&["promote", text(run_folder), "--baseline-dir", text(baselines)])
}

fn gate(run_folder: &Path, baseline: &Path) -> Said {
    run(&["gate", "--baseline", text(baseline), text(run_folder)])
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[track_caller]
fn check(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, Some(code), "{}{}", said.out, said.err);
    let stream = if code == 0 || code == 10 { &said.out } else { &said.err };
    for word in words {
        assert!(stream.contains(word), "{word:?} in {stream}");
    }
    let clean = if code == 0 || code == 10 { said.err.is_empty() } else { said.out.is_empty() };
    assert!(clean && (code == 0 || code == 10 || said.err.starts_with("error: ")), "{}|{}", said.out, said.err);
}

#[test]
fn an_equal_run_passes_and_a_changed_one_is_told_figure_by_figure() {
    let dir = tempfile::tempdir().unwrap();
    let baselines = dir.path().join("baseline");
    let first = run_folder(dir.path(), "first", |_| ());
    check(&promote(&first, &baselines), 0, &["hotkey.sim.json: 5 strategies", "It is new here: commit it."]);
    let file = baselines.join("hotkey.sim.json");
    let again = run_folder(dir.path(), "again", |run| {
        run.run = "another".into();
        run.started_at = "2030-01-01T00:00:00Z".into();
        run.environment.cpu = None;
        run.strategies.reverse();
    });
    check(&gate(&again, &file), 0, &["equal    hotkey in the sim lab: 5 strategies"]);
    check(&gate(&again.join("run.json"), &baselines), 0, &["hotkey.sim.json"]);
    check(&promote(&again, &baselines), 0, &["Nothing changed."]);

    let changed = run_folder(dir.path(), "changed", |run| {
        let singleflight = run.strategies.iter_mut().find(|s| s.name == "singleflight").unwrap();
        singleflight.origin.as_mut().unwrap().total = 222;
        singleflight.error_kinds.insert("timeout".into(), 1);
        singleflight.stale.overage_ms_max = Some(7);
    });
    let said = gate(&changed, &file);
    let rows = [
        "CHANGED  hotkey in the sim lab: 3 of ",
        "singleflight  error_kinds.timeout          0    1       –",
        "singleflight  origin.total               111  222  +100.0%",
        "singleflight  stale.overage_ms_max   unknown    7       –",
        &format!(
            "make it the baseline and commit it: loadgen promote {} --baseline-dir {}",
            text(&changed),
            text(&baselines)
        ),
    ];
    let flat = said.out.replace("\n", " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(said.code, Some(10), "{}", said.out);
    for row in rows {
        let row = row.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(&row), "{row:?} in {}", said.out);
    }
    check(&promote(&changed, &baselines), 0, &["origin.total", "Commit it with the reason."]);
    check(&gate(&again, &file), 10, &["origin.total"]);
}

#[test]
fn runs_that_nothing_follows_from_end_with_3_and_say_what_differs() {
    let dir = tempfile::tempdir().unwrap();
    let baselines = dir.path().join("baseline");
    let first = run_folder(dir.path(), "first", |_| ());
    let none = gate(&first, &baselines.join("hotkey.sim.json"));
    check(&none, 3, &["no baseline · --baseline", "found nothing there", "loadgen promote ", "--baseline-dir"]);
    check(&promote(&first, &baselines), 0, &[]);

    let other = run_folder(dir.path(), "other", |run| {
        run.seed = 7;
        run.plan_hash = "beef".into();
        run.strategies[4].spec = "plain + jitter(spread=0.5)".into();
        run.strategies.remove(0);
    });
    let toml = std::fs::read_to_string(other.join("scenario.toml")).unwrap();
    std::fs::write(other.join("scenario.toml"), toml.replace("ttl = \"5s\"", "ttl = \"10s\"")).unwrap();
    let said = gate(&other, &baselines);
    check(&said, 3, &["not comparable · ", "found 5 fields that differ"]);
    let words = said.err.split_whitespace().collect::<Vec<_>>().join(" ");
    for row in [
        "seed found 7 needed 42",
        "cache.ttl found 10s needed 5s",
        "plan_hash found beef needed",
        "strategy jitter found plain + jitter(spread=0.5) needed plain + jitter",
        "strategy naive found nothing needed plain",
    ] {
        assert!(words.contains(row), "{row:?} in {}", said.err);
    }

    let cut = run_folder(dir.path(), "cut", |run| {
        run.complete = false;
        run.strategies[4].cut_after_s = Some(12.5);
    });
    for said in [gate(&cut, &baselines), promote(&cut, &baselines)] {
        check(&said, 3, &["an incomplete run", "found jitter cut short", "run it again"]);
    }
}

#[test]
fn an_invalid_run_neither_passes_nor_fails() {
    let dir = tempfile::tempdir().unwrap();
    let baselines = dir.path().join("baseline");
    let invalid = run_folder(dir.path(), "invalid", |run| {
        run.strategies[1].valid = false;
        run.strategies[1].invalid_because = vec!["the ledgers \u{1b}[31mdisagree".into()];
    });
    for said in [gate(&invalid, &baselines), promote(&invalid, &baselines)] {
        check(&said, 4, &["found singleflight invalid: the ledgers \u{fffd}[31mdisagree"]);
    }
    let idle = run_folder(dir.path(), "idle", |run| run.strategies[0].requests = 0);
    check(&promote(&idle, &baselines), 4, &["found naive invalid: no requests"]);
    assert!(!baselines.exists(), "nothing was promoted");
}

#[test]
fn bad_files_have_their_sentences() {
    let dir = tempfile::tempdir().unwrap();
    let baselines = dir.path().join("baseline");
    let good = run_folder(dir.path(), "good", |_| ());
    check(&promote(&good, &baselines), 0, &[]);
    let file = baselines.join("hotkey.sim.json");
    let whole = std::fs::read_to_string(&file).unwrap();
    let merged = whole.replacen("  \"seed\"", "<<<<<<< HEAD\n  \"seed\"", 1);
    let bad: [(&str, &[&str]); 5] = [
        (&whole[..8191], &["ends early at byte 8191", "loadgen promote RUN"]),
        ("", &["the file is empty"]),
        (&merged, &["line 6 is a conflict marker of git (<<<<<<<)", "git checkout --ours"]),
        (&whole.replace("baseline/v1", "baseline/v2"), &["\"stampede.baseline/v2\" is newer than this build"]),
        ("{\"schema\": \"k6/v1\"}", &["this is no baseline"]),
    ];
    for (text, words) in bad {
        std::fs::write(&file, text).unwrap();
        check(&gate(&good, &file), 3, &[words, &["hotkey.sim.json"]].concat());
    }
    // Nothing that is no baseline is replaced; one that is broken is.
    check(&promote(&good, &baselines), 2, &["no baseline written", "promote replaces nothing else", "remove the file"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"schema\": \"k6/v1\"}");
    std::fs::write(&file, &merged).unwrap();
    check(&promote(&good, &baselines), 0, &["commit it"]);
    check(&gate(&good, &file), 0, &["equal"]);
    check(&gate(&good, &good.join("run.json")), 3, &["a run where a baseline is expected", "loadgen promote "]);
    check(&gate(&good, &dir.path().join("none.json")), 3, &["no baseline", "none.json"]);

    let nowhere = dir.path().join("nowhere");
    check(&gate(&nowhere, &baselines), 2, &["cannot read", "nowhere/run.json", "is this the folder of a run?"]);
    check(&gate(&baselines, &baselines), 2, &["baseline/run.json", "is this the folder of a run?"]);
    check(&gate(&file, &baselines), 2, &["no run · RUN · found the file", "name the folder that `loadgen run` made"]);
    let torn = run_folder(dir.path(), "torn", |_| ());
    let record = std::fs::read(torn.join("run.json")).unwrap();
    std::fs::write(torn.join("run.json"), &record[..1000]).unwrap();
    check(&gate(&torn, &baselines), 2, &["run.json: ends early at byte 1000"]);
    let alone = run_folder(dir.path(), "alone", |_| ());
    std::fs::remove_file(alone.join("scenario.toml")).unwrap();
    check(&gate(&alone, &baselines), 2, &["scenario.toml", "must lie beside run.json"]);
    let twice = run_folder(dir.path(), "twice", |run| run.strategies.push(run.strategies[0].clone()));
    check(&gate(&twice, &baselines), 2, &["a damaged run", "naive is there twice"]);
    let blind = run_folder(dir.path(), "blind", |run| run.strategies[0].origin = None);
    check(&promote(&blind, &baselines), 2, &["a damaged run", "naive has no \"origin\""]);
    let hostile = run_folder(dir.path(), "hostile", |run| run.scenario = "../../etc/passwd".into());
    check(&promote(&hostile, &baselines), 2, &["no name for a baseline", "allowed a-z, 0-9 and -"]);
    // No folder can be made there: inside a file, nor inside what only looks like a folder.
    for folder in ["/dev/null/x", "/proc/x"] {
        let said = promote(&good, Path::new(folder));
        let remedy = "choose another folder, or make this one writable · name it with --baseline-dir";
        check(&said, 2, &["no baseline written · cannot create ", folder, remedy]);
        assert!(!said.err.contains("the folder of a run"), "{}", said.err);
    }
}

/// A real run of hotkey whose ledgers were empty, so that nothing is known of the origin's own time.
fn real_run(dir: &Path, name: &str, change: impl FnOnce(&mut Run)) -> PathBuf {
    let path = run_folder(dir, name, |run| {
        run.lab = "local".into();
        change(run);
    });
    let files = RunFolder::at(&path);
    for strategy in &files.read_run().unwrap().strategies {
        files.strategy(&strategy.folder).unwrap().write_origin(&[]).unwrap();
    }
    path
}

#[test]
fn a_real_run_is_held_by_its_counts() {
    let dir = tempfile::tempdir().unwrap();
    let baselines = dir.path().join("baseline");
    let first = real_run(dir.path(), "first", |_| ());
    check(&promote(&first, &baselines), 0, &["hotkey.local.json: 5 strategies, 1 runs of each", "It is new here"]);
    check(&promote(&first, &baselines), 0, &["Commit it with the reason."]);
    check(&gate(&first, &baselines), 0, &["passed"]);

    // Where the hot key was never read there is no herd at all, and the gate must see that more than anything.
    let gone = real_run(dir.path(), "gone", |run| {
        let origin = run.strategies[0].origin.as_mut().unwrap();
        (origin.total, origin.per_expiry) = (0, None);
    });
    check(&gate(&gone, &baselines), 10, &["The herd is gone: naive", "has 0.0 reads an expiry"]);
    let shedding = real_run(dir.path(), "shedding", |run| {
        let outcomes = &mut run.strategies[1].outcomes;
        (outcomes.shed, outcomes.hit) = (outcomes.hit, 0);
    });
    check(
        &gate(&shedding, &baselines),
        10,
        &["singleflight has", "requests that were shed (503), where the baseline has 0"],
    );
    let failing = real_run(dir.path(), "failing", |run| {
        run.strategies[1].error_kinds.insert("reset".into(), 3);
    });
    check(&gate(&failing, &baselines), 10, &["3 errors of a kind that the baseline never had: reset"]);
    let doubled = real_run(dir.path(), "doubled", |run| {
        let origin = run.strategies[1].origin.as_mut().unwrap();
        origin.per_expiry.as_mut().unwrap().mean = 1.1;
    });
    check(
        &gate(&doubled, &baselines),
        10,
        &["singleflight has 1.10 reads of the hot key an expiry, where the baseline has 1"],
    );
    let fewer = real_run(dir.path(), "fewer", |run| drop(run.strategies.remove(0)));
    check(&gate(&fewer, &baselines), 3, &["strategy naive", "found nothing", "needed plain"]);
    let elsewhere = real_run(dir.path(), "elsewhere", |run| run.environment.cores += 1);
    check(&gate(&elsewhere, &baselines), 3, &["not comparable", "machine"]);
}

#[test]
fn a_simulated_run_with_repeats_is_refused_for_only_its_first_block_would_be_held() {
    let dir = tempfile::tempdir().unwrap();
    let baselines = dir.path().join("baseline");
    let repeated = run_folder(dir.path(), "repeated", |run| {
        let order = run.strategies.iter().map(|strategy| strategy.name.clone()).collect();
        let block = report::record::Block { seed: 42, plan_hash: run.plan_hash.clone(), order };
        run.blocks = vec![block.clone(), block];
    });
    for said in [promote(&repeated, &baselines), gate(&repeated, &baselines)] {
        check(&said, 3, &["a simulated run with repeats", "found 2 blocks, allowed 1", "--repeats"]);
    }
}
