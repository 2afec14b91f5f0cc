//! `loadgen history`, run as its user runs it: what it finds, what it leaves out, and since when.

use std::fs;
use std::path::{Path, PathBuf};

use report::RunFolder;

use crate::common::{record, run};

fn simulate(into: &Path, more: &[&str]) -> PathBuf {
    let into_text = into.to_str().unwrap();
    let args = [
        "--scenario",
        "hotkey",
        "--strategy",
        "swr",
        "-d",
        "4s",
        "-w",
        "1s",
        "--lab",
        "sim",
        "--quiet",
        "-o",
        into_text,
    ];
    let before: Vec<PathBuf> = fs::read_dir(into).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(run(&[&args[..], more].concat()).code, Some(0));
    let mut after = fs::read_dir(into).unwrap().map(|entry| entry.unwrap().path());
    after.find(|path| !before.contains(path)).unwrap()
}

fn change(folder: &Path, how: impl Fn(&mut report::record::Run)) {
    let mut one = record(folder);
    how(&mut one);
    RunFolder::at(folder).write_run(&one).unwrap();
}

#[test]
fn all_runs_are_listed_and_those_of_the_same_circumstances_are_one_course() {
    let results = tempfile::tempdir().unwrap();
    let at = results.path();
    let [first, second, third, bad] = [(); 4].map(|()| simulate(&at.join("deep/er"), &[]));
    for (folder, day) in [(&first, 1), (&second, 2), (&third, 3), (&bad, 4)] {
        change(folder, |one| one.started_at = format!("2026-01-0{day}T10:00:00Z"));
    }
    let total = record(&first).strategies[0].origin.as_ref().unwrap().total;
    change(&third, |one| one.strategies[0].origin.as_mut().unwrap().total = total * 3);
    change(&bad, |one| {
        one.strategies[0].valid = false;
        one.strategies[0].invalid_because = vec!["the clocks are not known".into()];
        one.strategies[0].origin.as_mut().unwrap().total = total * 7;
    });
    // Another seed is another load: a course of its own.
    simulate(at, &["--seed", "7"]);
    fs::create_dir(at.join("broken")).unwrap();
    fs::write(at.join("broken/run.json"), "{ \"schema\": \u{1b}").unwrap();
    std::os::unix::fs::symlink(&first, at.join("latest")).unwrap();

    let said = run(&["history", at.to_str().unwrap()]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(said.out.trim_end(), at.join("history.html").to_str().unwrap());
    assert_eq!(said.err, "warning: 1 of 6 runs could not be read; the page says why\n");
    let page = fs::read_to_string(at.join("history.html")).unwrap();
    let courses = page.split("id=\"runs\"").next().unwrap();
    assert_eq!(courses.matches("<tr data-words=").count(), 2, "{courses}");
    let since = format!("{total} → {} since 2026-01-03T10:00", total * 3);
    assert!(courses.contains(&since) && !courses.contains(&format!(">{}<", total * 7)), "{since} in {courses}");
    assert!(courses.contains("plan_hash ") && page.contains("INVALID") && page.contains("the clocks are not known"));
    assert!(page.contains("<td>broken</td>") && !page.contains('\u{1b}'));
    assert!(page.contains("href=\"./deep/er/") && !page.contains("latest/report.html"));
    // Again: the same page, and the page itself is no run.
    assert_eq!(run(&["history", at.to_str().unwrap()]).code, Some(0));
    assert_eq!(fs::read_to_string(at.join("history.html")).unwrap(), page);
}

#[test]
fn a_folder_without_runs_and_one_that_is_not_there_are_refused() {
    let empty = tempfile::tempdir().unwrap();
    let said = run(&["history", empty.path().to_str().unwrap()]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("found no run.json in") && said.err.contains("(-o)"), "{}", said.err);
    let said = run(&["history", empty.path().join("none").to_str().unwrap()]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("cannot read the folder"), "{}", said.err);
    assert!(!empty.path().join("history.html").exists());
}
