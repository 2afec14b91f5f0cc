//! One hostile name in every place where a name may be, through every command: a terminal, a table of Markdown, a page, a
//! picture and a test report show it as text and obey none of it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::run;
use report::RunFolder;
use report::record::{EventRow, Run};

/// A terminal's command, a change of the reading direction, a tag, a cell's end, a code span's end, and a new line.
const NAME: &str = "a|b`c``\u{1b}]0;x\u{7}\u{9b}31m\u{202e}<script>alert(1)</script>\"'&\r\n# big\n| x |";

fn hostile(run: &mut Run) {
    let name = || NAME.to_owned();
    (run.summary, run.load, run.cache, run.command, run.version) = (name(), name(), name(), name(), name());
    (run.started_at, run.run, run.hot_key) = (name(), name(), Some(name()));
    (run.environment.cpu, run.environment.os, run.environment.build) = (Some(name()), name(), name());
    let [first, second, third, ..] = &mut run.strategies[..] else { unreachable!("three of the reference run's") };
    (first.name, first.spec) = (name(), name());
    second.spec = name();
    second.error_kinds.insert(name(), 4);
    third.invalid_because = vec![name()];
    for verdict in &mut run.verdicts {
        (verdict.strategy, verdict.metric, verdict.bound, verdict.met) = (name(), name(), name(), false);
    }
}

/// The reference run under another name, with its records and one hostile event.
fn made(dir: &Path, folder: &str, change: impl FnOnce(&mut Run)) -> PathBuf {
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/reference/hotkey");
    let (made, mut run) = (RunFolder::at(dir.join(folder)), RunFolder::at(&reference).read_run().unwrap());
    run.strategies.truncate(3);
    change(&mut run);
    made.write_run(&run).unwrap();
    made.write_scenario(&RunFolder::at(&reference).read_scenario().unwrap()).unwrap();
    for strategy in &run.strategies {
        let files = made.strategy(&strategy.folder).unwrap();
        for file in fs::read_dir(reference.join(&strategy.folder)).unwrap() {
            let file = file.unwrap();
            fs::create_dir_all(files.path()).unwrap();
            fs::copy(file.path(), files.path().join(file.file_name())).unwrap();
        }
        files.write_origin(&[]).unwrap();
        let fault = EventRow { event: "fault".into(), detail: Some(NAME.into()), t_ns: 7, ..EventRow::default() };
        files.write_events(&[fault]).unwrap();
    }
    made.path().to_owned()
}

#[track_caller]
fn plain(what: &str, text: &str) {
    for (bad, called) in [('\u{1b}', "ESC"), ('\u{7}', "BEL"), ('\u{9b}', "CSI"), ('\u{202e}', "RLO"), ('\r', "CR")] {
        assert!(!text.contains(bad), "{what} has a raw {called}: {}", text.escape_debug());
    }
}

/// Markdown without its code, which is shown as it stands.
fn without_code(text: &str) -> String {
    let (mut out, mut fence) = (String::new(), None::<String>);
    for line in text.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if ticks == *open && ticks == line => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 && !line[ticks.len()..].contains('`') => fence = Some(ticks),
            None => {
                out.push_str(&without_spans(line));
                out.push('\n');
            }
        }
    }
    assert_eq!(fence, None, "a block that is never closed: {text}");
    out
}

fn without_spans(mut line: &str) -> String {
    let mut out = String::new();
    while let Some(at) = line.find('`') {
        let (before, ticks) = (&line[..at], line[at..].chars().take_while(|c| *c == '`').count());
        out.push_str(before);
        let rest = &line[at + ticks..];
        let close = (!before.ends_with('\\')).then(|| {
            rest.match_indices(&"`".repeat(ticks))
                .find(|(close, _)| !rest[..*close].ends_with('`') && !rest[close + ticks..].starts_with('`'))
        });
        line = match close.flatten() {
            Some((close, _)) => &rest[close + ticks..],
            None => {
                out.push_str(&line[at..at + ticks]);
                rest
            }
        };
    }
    out + line
}

#[track_caller]
fn markdown(what: &str, text: &str) {
    plain(what, text);
    let text = without_code(text);
    assert!(!text.contains("<script"), "{what} has a tag: {text}");
    assert!(!text.lines().any(|line| line.starts_with("# big") || line == "| x |"), "{what}: {text}");
    let cells = |row: &str| row.replace("\\|", "").matches('|').count();
    let mut table = None;
    for line in text.lines() {
        let row = line.starts_with('|').then(|| cells(line));
        assert!(row.is_none() || table.is_none() || row == table, "{what} has a row of other cells: {line}");
        table = row;
    }
}

#[test]
fn a_hostile_name_in_a_record_is_text_in_everything_that_is_written_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (base, new) = (made(dir.path(), "base", hostile), made(dir.path(), "new", hostile));
    let baselines = text(&dir.path().join("baselines"));
    // Twice the reads and more: regressions have the longest sentences.
    let files = RunFolder::at(&new);
    let mut record = files.read_run().unwrap();
    for strategy in &mut record.strategies {
        strategy.origin.as_mut().unwrap().total *= 3;
        strategy.error_kinds.insert(format!("new {NAME}"), 3);
    }
    files.write_run(&record).unwrap();
    // Invalid, incomplete, of other circumstances: each has sentences of its own.
    let odd = [
        made(dir.path(), "invalid", |run| {
            hostile(run);
            run.strategies[0].valid = false;
            run.strategies[0].invalid_because = vec![NAME.into()];
        }),
        made(dir.path(), "cut", |run| {
            hostile(run);
            (run.complete, run.strategies[0].cut_after_s) = (false, Some(3.0));
        }),
        made(dir.path(), "twice", |run| {
            hostile(run);
            run.strategies[1].name = NAME.into();
        }),
        made(dir.path(), "other", |run| {
            hostile(run);
            (run.cache, run.strategies[1].name) = (format!("x{NAME}"), format!("{NAME}{NAME}"));
        }),
        made(dir.path(), "named", |run| run.scenario = NAME.into()),
        made(dir.path(), "no-lab", |run| run.lab = NAME.into()),
        made(dir.path(), "sim", |run| {
            hostile(run);
            run.lab = "sim".into();
        }),
    ];
    let mut said = vec![run(&["promote", &text(&base), "--baseline-dir", &baselines])];
    assert_eq!(said[0].code, Some(0), "{}", said[0].err);
    for folder in [&new, &base].into_iter().chain(&odd) {
        let folder = text(folder);
        said.push(run(&["check", &folder]));
        said.push(run(&["gate", &folder, "--baseline", &baselines]));
        said.push(run(&["compare", &text(&base), &folder]));
        said.push(run(&["compare", &text(&base), &folder, "--format", "json"]));
        said.push(run(&["promote", &folder, "--baseline-dir", &text(&dir.path().join("other-baselines"))]));
    }
    assert_eq!(said[2].code, Some(10), "the gate finds the regressions: {}{}", said[3].out, said[3].err);
    for folder in [&new, &odd[0]] {
        said.push(run(&["report", &text(folder)]));
    }
    said.push(run(&["report", "compare", &text(&base), &text(&odd[0]), "-o", &text(&dir.path().join("page.html"))]));
    for said in &said {
        plain("standard output", &said.out);
        plain("standard error", &said.err);
        assert!(!said.err.contains("panicked"), "{}", said.err);
    }
    for (folder, file) in
        [(&new, "summary.md"), (&new, "gate/summary.md"), (&base, "gate/summary.md"), (&odd[0], "summary.md")]
    {
        markdown(file, &fs::read_to_string(folder.join(file)).unwrap());
    }
    for file in [
        "report.html",
        "junit.xml",
        "gate/junit.xml",
        "charts/naive.svg",
        "charts/comparison.svg",
        "charts/singleflight.svg",
    ] {
        let text = fs::read_to_string(new.join(file)).unwrap();
        plain(file, &text);
        assert!(!text.contains("<script>alert"), "{file}");
    }
    let compared = said.iter().find(|said| said.out.starts_with('{')).unwrap();
    let document: serde_json::Value = serde_json::from_str(&compared.out).unwrap();
    assert_eq!(document["base"], NAME, "JSON is the same document");
}

#[test]
fn a_hostile_argument_or_file_name_is_text_in_every_refusal() {
    let dir = tempfile::tempdir().unwrap();
    let name = NAME.replace("</script>", "");
    let file = dir.path().join(&name);
    fs::create_dir(&file).unwrap();
    let path = file.to_str().unwrap();
    let toml = dir.path().join(format!("{name}.toml"));
    fs::write(&toml, format!("schema = 1\nname = {NAME:?}\n\"x{}\" = 1\n", "\\u001b\\u202e")).unwrap();
    let toml = toml.to_str().unwrap();
    let commands: &[&[&str]] = &[
        &["report", path],
        &["report", "compare", path, path],
        &["check", path],
        &["gate", path],
        &["promote", path],
        &["compare", path, path],
        &["show", &name],
        &["--scenario", &name],
        &["--scenario", path],
        &["--scenario", toml],
        &["--scenario", "hotkey", "--strategy", &name],
        &["--scenario", "hotkey", "--set", &name],
        &["--scenario", "hotkey", "--set", "load.duration=\u{1b}\u{202e}"],
        &["--scenario", "hotkey", "-d", &name],
        &["--scenario", "hotkey", "--redis", &name],
        &["--scenario", "hotkey", "--target", &name],
        &["--scenario", "hotkey", "--target", "http://\u{1b}\u{202e}/"],
        &["--scenario", "hotkey", "-o", "/dev/null/\u{1b}\u{202e}"],
        &["sweep", "--scenario", "hotkey", "--vary", &name],
        &["sweep", "--scenario", "hotkey", "--vary", "cache.ttl=1s,2s", "--goal", &name],
        &["fuzz", "--strategy", &name],
        &["fuzz", "--profile", &name],
        &["fuzz", "--corpus", path],
        &["advise", "--rate", &name],
        &["advise", "--keys", &name],
        &["schema", &name],
        &["selftest", "--target", &name],
        &[&name],
        &["--\u{1b}\u{202e}"],
    ];
    for command in commands {
        let said = run(command);
        assert!(said.code.is_some_and(|code| (1..=4).contains(&code)), "{command:?}: {:?} {}", said.code, said.out);
        plain(&format!("{command:?}"), &said.out);
        plain(&format!("{command:?}"), &said.err);
        assert!(said.err.starts_with("error:"), "{command:?}: {}", said.err);
    }
}
