//! Whole records as one input: whatever the readers take is drawn, gated, checked and compared, and nothing may panic.
//!
//! An input is text: `== naive/origin.csv` begins a file of a run's folder. A folder that can be read becomes its own baseline, too.
//! Compiled into the fuzzer's programs and into `loadgen/tests/it/corpora.rs`.

use std::fs;
use std::path::{Component, Path};

use clap::Parser as _;
use loadgen::cli::Cli;
use loadgen::shell::output;

/// More files than this no input needs.
const FILES_MAX: usize = 24;

/// A run's folder, or a sweep's.
pub fn records(bytes: &[u8]) {
    let scratch = tempfile::tempdir().unwrap();
    let run = scratch.path().join("run");
    fs::create_dir(&run).unwrap();
    let mut rest = bytes;
    for _ in 0..FILES_MAX {
        let Some((name, file, after)) = next(rest) else { break };
        rest = after;
        let path = run.join(name);
        if fs::create_dir_all(path.parent().unwrap()).is_ok() {
            let _ = fs::write(path, file);
        }
    }
    for (_, text) in report::render_text(&run).into_iter().flatten() {
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "what a terminal obeys");
    }
    let (run, baselines) = (run.display().to_string(), scratch.path().join("baselines").display().to_string());
    if Path::new(&run).join("sweep.json").exists() {
        said(&["report", &run]);
    }
    said(&["check", &run]);
    said(&["promote", &run, "--baseline-dir", &baselines]);
    said(&["gate", &run, "--baseline", &baselines]);
    said(&["compare", &run, &run]);
}

/// `latency.hlog`, whatever its packed histograms say of themselves.
pub fn latency(bytes: &[u8]) {
    let read = report::read_hlog(bytes, &["resp", "serv", "lag"], i64::MIN..i64::MAX);
    for histogram in read.into_iter().flat_map(|tags| tags.into_values()) {
        assert!(histogram.value_at_quantile(0.99) <= histogram.max().max(histogram.value_at_quantile(1.0)));
    }
}

/// What a command says; a refusal has a sentence.
fn said(words: &[&str]) {
    let cli = Cli::try_parse_from(["loadgen"].iter().chain(words)).unwrap();
    let (end, text) = output::kept(|| loadgen::start(cli));
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "what a terminal obeys: {text}");
    if let Err(failure) = end {
        assert!(
            failure.text.starts_with("error:") && !failure.text.contains(['\u{1b}', '\u{202e}']),
            "{}",
            failure.text
        );
    }
}

/// The first file of an input: its name, its bytes, and what follows.
fn next(bytes: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let bytes = bytes.strip_prefix(b"== ")?;
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let name = std::str::from_utf8(&bytes[..end]).ok()?;
    let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if !plain || name.is_empty() || name.len() > 60 || name.contains('\0') {
        return None;
    }
    let rest = &bytes[end + 1..];
    let file = rest.windows(4).position(|four| four == b"\n== ").map_or(rest.len(), |at| at + 1);
    Some((name, &rest[..file], &rest[file..]))
}
