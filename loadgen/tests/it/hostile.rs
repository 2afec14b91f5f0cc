//! Damaged records: whatever is in them, `report`, `compare`, `gate`, `check` and `promote` end with a code of the contract
//! and a sentence, and never panic, hang or pass on what a terminal would obey.
//!
//! `ci/hostile.sh` plays many more of the same inputs with the release build, each process with 2 GiB and 10 s of processor time.

mod ground;
mod mutate;

use std::path::Path;
use std::process::{Command, Stdio};

use ground::{Damaged, Ground};

/// What `cargo test` plays; the script says another number and a first seed.
const INPUTS: u64 = 20;
/// What the contract allows.
const CODES: [i32; 7] = [0, 1, 2, 3, 4, 10, 99];

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn program() -> String {
    std::env::var("HOSTILE_LOADGEN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_loadgen").to_owned())
}

/// The five commands over a damaged record.
fn commands(of: &Damaged, seed: u64) -> Vec<Vec<String>> {
    let text = |path: &Path| path.display().to_string();
    let (run, whole, baselines, noise) = (text(&of.folder), text(&of.whole), text(&of.baselines), text(&of.noise));
    let pair = if seed.is_multiple_of(2) { [&run, &whole] } else { [&whole, &run] };
    let all: [&[&str]; 5] = [
        &["report", &run],
        &["compare", pair[0], pair[1], "--noise", &noise],
        &["gate", &run, "--baseline", &baselines, "--noise", &noise],
        &["check", &run],
        &["promote", &run, "--baseline-dir", &baselines],
    ];
    all.iter().map(|command| command.iter().map(|word| (*word).to_owned()).collect()).collect()
}

/// Runs one with 2 GiB and 10 s of processor time (a busy machine is not its fault); what is wrong with how it ended.
fn ended_badly(command: &[String]) -> Option<String> {
    let shell = "ulimit -v 2097152; ulimit -t 10; exec timeout -s KILL 120 \"$@\"";
    let output =
        Command::new("sh").args(["-c", shell, "sh", &program()]).args(command).stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let code = output.status.code();
    let short = || said.chars().take(600).collect::<String>();
    if said.contains("panicked") || !code.is_some_and(|code| CODES.contains(&code)) {
        return Some(format!("{code:?} {}\n{}", command.join(" "), short()));
    }
    if said.contains(['\u{1b}', '\u{202e}', '\u{9b}']) {
        return Some(format!("passes on what a terminal obeys: {}\n{}", command.join(" "), short()));
    }
    (code != Some(0) && said.trim().is_empty()).then(|| format!("{code:?} without a word: {}", command.join(" ")))
}

#[test]
fn whatever_is_in_a_record_the_commands_end_with_a_sentence() {
    let ground = Ground::make(|args| {
        let made = Command::new(env!("CARGO_BIN_EXE_loadgen")).args(args).output().unwrap();
        assert!([0, 99].contains(&made.status.code().unwrap()), "{args:?}: {}", String::from_utf8_lossy(&made.stderr));
    });
    let (first, inputs) = (number("HOSTILE_FIRST", 1), number("HOSTILE_INPUTS", INPUTS));
    let mut bad = Vec::new();
    let mut whole = 0;
    for seed in first..first + inputs {
        let scratch = tempfile::tempdir().unwrap();
        let damaged = ground.damaged(seed, scratch.path());
        for command in commands(&damaged, seed) {
            bad.extend(ended_badly(&command).map(|said| format!("seed {seed}, {}: {said}", damaged.files)));
        }
        whole += usize::from(damaged.folder.join("report.html").exists());
    }
    eprintln!("{inputs} inputs from seed {first}, 5 commands each: {} bad, {whole} drawn", bad.len());
    assert!(bad.is_empty(), "{} bad:\n{}", bad.len(), bad[..bad.len().min(20)].join("\n"));
    // Were everything refused at once, nothing would have been tried.
    assert!(whole as u64 * 10 > inputs, "only {whole} of {inputs} were drawn");
}
