//! The progress line on a real terminal: one line that is drawn over itself, however narrow it is.

use std::process::Command;

use crate::common::{beside, each};

/// What is drawn on a terminal of so many columns (util-linux's `script` has one); `None` where there is no such program.
fn drawn(columns: usize) -> Option<String> {
    let _beside = beside();
    let results = tempfile::tempdir().unwrap();
    let strategy = "swr(soft=1s, stale=2s) + lock(lease=10s, poll=50ms) + coalesce";
    let args = format!(
        "--scenario hotkey --cache memory --strategy '{strategy}' -w 0s -d 2s -c 4 -o {}",
        results.path().display()
    );
    let command = format!("stty cols {columns} rows 30; {} {args}", env!("CARGO_BIN_EXE_loadgen"));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &command, "/dev/null"]).stdin(std::process::Stdio::null());
    script.env("COMPOSE_PROJECT_NAME", "stampede-no-such-stack").env("TERM", "xterm").env_remove("CI");
    let Ok(output) = script.output() else {
        app::testing::skipped("no script program for a terminal");
        return None;
    };
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_progress_line_is_one_line_of_any_terminal() {
    let is_one_line = |columns| {
        let Some(drawn) = drawn(columns) else { return };
        assert!(!drawn.contains("\u{1b}[1A"), "{columns}: it never has to go up a line: {drawn:?}");
        let redraws: Vec<String> =
            drawn.split(['\r', '\n']).map(plain).filter(|line| line.contains(" s left")).collect();
        assert!(redraws.len() > 2, "{columns}: {drawn:?}");
        for line in &redraws {
            assert!(line.chars().count() < columns, "{columns}: {line:?}");
        }
    };
    each([40, 80, 120], is_one_line);
}

/// A line without what only moves and colours.
fn plain(line: &str) -> String {
    let mut plain = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            chars.find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain.trim_end().to_owned()
}
