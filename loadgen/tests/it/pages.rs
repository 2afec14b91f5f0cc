//! `loadgen report`, run as its user runs it: a run's page again, opened in a browser, and several runs on one page.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::common::{Said, loadgen, only_run, record, run};

fn simulate(seed: &str) -> (tempfile::TempDir, PathBuf) {
    let results = tempfile::tempdir().unwrap();
    let scenario = ["--scenario", "hotkey", "--strategy", "naive,swr", "-d", "6s", "--lab", "sim", "--seed", seed];
    let said = run(&[&scenario[..], &["--quiet", "-o", results.path().to_str().unwrap()]].concat());
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let folder = only_run(results.path());
    (results, folder)
}

/// Runs with nothing on the PATH but what is in `programs`.
fn run_with(programs: &Path, args: &[&str]) -> Said {
    loadgen(args).env("PATH", programs).output().unwrap().into()
}

/// A folder with a program of this name in it, which does what the script says.
fn program(name: &str, script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

const OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };

#[test]
fn the_page_is_opened_where_something_can_and_is_there_where_nothing_can() {
    let (_results, folder) = simulate("1");
    let folder = folder.to_str().unwrap();
    let page = Path::new(folder).join("report.html");
    let told = tempfile::NamedTempFile::new().unwrap();
    let opener = program(OPENER, &format!("echo \"$1\" > {}", told.path().display()));
    fs::remove_file(&page).unwrap();
    let said = run_with(opener.path(), &["report", folder, "--open"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert_eq!(fs::read_to_string(told.path()).unwrap().trim_end(), page.to_str().unwrap());
    assert!(page.is_file() && said.out.lines().any(|line| line == page.to_str().unwrap()), "{}", said.out);

    let nothing = tempfile::tempdir().unwrap();
    let broken = program(OPENER, "exit 3");
    for (programs, why) in
        [(&nothing, format!("there is no {OPENER} on the PATH")), (&broken, "exit status: 3".to_owned())]
    {
        fs::remove_file(&page).unwrap();
        let said = run_with(programs.path(), &["report", "--open", folder]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert!(
            said.err.starts_with("warning: the page could not be opened: ") && said.err.contains(&why),
            "{}",
            said.err
        );
        assert!(said.err.contains(page.to_str().unwrap()) && page.is_file(), "{}", said.err);
    }
}

#[test]
fn a_record_that_is_missing_is_told_by_the_command_and_by_the_page() {
    let (_results, folder) = simulate("1");
    let strategy = record(&folder).strategies[0].folder.clone();
    let page = || fs::read_to_string(folder.join("report.html")).unwrap();
    let whole = run(&["report", folder.to_str().unwrap()]);
    assert_eq!((whole.code, whole.err.as_str()), (Some(0), ""));
    assert!(!page().contains("RECORDS MISSING"));
    for file in ["events.jsonl", "origin.csv", "latency.hlog", "seconds.csv"] {
        let path = folder.join(&strategy).join(file);
        let aside = folder.join("aside");
        fs::rename(&path, &aside).unwrap();
        let said = run(&["report", folder.to_str().unwrap()]);
        assert_eq!((said.code, &said.out), (Some(0), &whole.out), "{}", said.err);
        let one = format!("warning: {} is not there: ", path.display());
        assert!(said.err.starts_with(&one) && said.err.lines().count() == 1, "{}", said.err);
        assert!(page().contains(&format!("RECORDS MISSING: {strategy}/{file}. ")), "{file}");
        // Nothing is said to have been measured, or not to have happened, that nobody can know.
        let chart = |name: &str| fs::read_to_string(folder.join("charts").join(name)).unwrap();
        let drawn = [page(), chart("herd.svg"), chart(&format!("{strategy}.svg")), chart("latency-spectrum.svg")];
        for wrong in [
            "never seen to expire",
            ": 0.0 reads each in 2 s",
            "no read reached the origin",
            "o response times were recorded",
        ] {
            assert!(drawn.iter().all(|text| !text.contains(wrong)), "{wrong:?} without {file}");
        }
        assert!(drawn[1..].iter().any(|chart| chart.contains(&format!("no {file}"))), "no chart lacks {file}");
        fs::rename(&aside, &path).unwrap();
    }
    // Of several runs side by side it is said whose it is.
    let (_other, other) = simulate("2");
    let gone = other.join(&strategy).join("events.jsonl");
    fs::remove_file(&gone).unwrap();
    let both = folder.join("both.html");
    let said =
        run(&["report", "compare", folder.to_str().unwrap(), other.to_str().unwrap(), "-o", both.to_str().unwrap()]);
    assert!(said.err.contains(&format!("warning: {} is not there", gone.display())), "{}", said.err);
    assert!(fs::read_to_string(&both).unwrap().contains(&format!("B: RECORDS MISSING: {strategy}/events.jsonl. ")));
}

#[test]
fn several_runs_make_one_page() {
    let ((_one, one), (_two, two)) = (simulate("1"), simulate("2"));
    let [one, two] = [&one, &two].map(|path| path.to_str().unwrap());
    let said = run(&["report", "compare", one, two]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let page = Path::new(one).parent().unwrap().join("comparison.html");
    assert_eq!(said.out.trim_end(), page.to_str().unwrap());
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.contains("NOT THE SAME: these runs differ in plan hash, seed."), "two seeds are two plans");
    assert!(text.contains("naive · A") && text.contains("swr · B"));

    let elsewhere = Path::new(two).join("mine.html");
    let said = run(&["report", "compare", one, two, "-o", elsewhere.to_str().unwrap()]);
    assert_eq!((said.code, elsewhere.is_file()), (Some(0), true), "{}", said.err);

    for (args, words) in [
        (vec!["report", "compare", one], "2 values required"),
        (vec!["report", "compare", one, one], "is given twice"),
        (vec!["report", "compare", one, "/nowhere"], "/nowhere/run.json"),
        (vec!["report"], "missing arguments · loadgen report · found no <RUN>"),
    ] {
        let said = run(&args);
        assert_eq!(said.code, Some(2), "{args:?}: {}", said.err);
        assert!(said.err.contains(words), "{args:?}: {}", said.err);
    }
}
