//! docs/ci.md: what it tells people to put into a pipeline is parsed, and its shell lines are run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::action::{cargo, path_with};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The code blocks of a language, in order.
fn blocks(language: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("docs/ci.md")).unwrap();
    let parts = text.split("```").skip(1).step_by(2);
    parts.filter_map(|block| Some(block.strip_prefix(language)?.strip_prefix('\n')?.to_owned())).collect()
}

/// Runs shell lines in a folder with the document's scenario, with a `cargo` that has built already, and no package manager.
fn run_lines(lines: &[String], folder: &Path) {
    let fake = cargo();
    crate::action::script(&fake.path().join("apt-get"), "exit 0");
    let program =
        format!("{}:{}", Path::new(env!("CARGO_BIN_EXE_loadgen")).parent().unwrap().display(), path_with(fake.path()));
    fs::write(folder.join("product-page.toml"), &blocks("toml")[0]).unwrap();
    let output = Command::new("bash")
        .args(["-euc", &lines.join("\n")])
        .env("PATH", program)
        .env("HOME", folder)
        .env("LAB_URL", lab(folder))
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{lines:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A repository to clone, which a fake `cargo` does not read.
fn lab(folder: &Path) -> String {
    let at = folder.join("origin");
    let git = "git init -q origin && git -C origin -c user.name=a -c user.email=a@b commit -q --allow-empty -m lab";
    assert!(Command::new("sh").args(["-c", git]).current_dir(folder).status().unwrap().success());
    format!("file://{}", at.display())
}

fn assert_has(folder: &Path, pattern: &str) {
    let (before, file) = pattern.split_once("/*/").unwrap();
    let run = crate::common::only_run(&folder.join(before));
    assert!(run.join(file).is_file(), "{pattern}");
}

#[test]
fn its_shell_blocks_run() {
    let folder = tempfile::tempdir().unwrap();
    let all = blocks("sh");
    assert_eq!(all.len(), 3);
    fs::create_dir(folder.path().join("loadgen")).unwrap();
    let lines: Vec<String> = all.iter().flat_map(|block| block.lines()).map(str::to_owned).collect();
    // `cargo install` without a --root would write into the user's own folder.
    let lines: Vec<String> = lines.iter().map(|line| line.replace("--locked  ", "--locked --root tools  ")).collect();
    run_lines(&lines, folder.path());
    assert_has(folder.path(), "results/*/junit.xml");
    for file in [
        ".local/share/bash-completion/completions/loadgen",
        ".local/share/man/man1/loadgen-sweep.1",
        "tools/bin/loadgen",
    ] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
}

#[test]
fn githubs_example_gives_the_action_inputs_that_it_has() {
    let workflow: Value = serde_yaml_ng::from_str(&blocks("yaml")[0]).unwrap();
    let action: Value = serde_yaml_ng::from_str(&fs::read_to_string(root().join("action.yml")).unwrap()).unwrap();
    let steps = workflow["jobs"]["stampede"]["steps"].as_array().unwrap();
    let inputs = action["inputs"].as_object().unwrap();
    for given in steps[1]["with"].as_object().unwrap().keys() {
        assert!(inputs.contains_key(given), "{given}");
    }
    assert_eq!(workflow["permissions"], serde_json::json!({ "contents": "read" }));
    let text = fs::read_to_string(root().join("docs/ci.md")).unwrap();
    for input in inputs.keys() {
        assert!(text.contains(&format!("| `{input}` |")), "{input} is not in the table");
    }
}

#[test]
fn gitlabs_example_runs_and_its_artifacts_are_there() {
    let job: Value = serde_yaml_ng::from_str(&blocks("yaml")[1]).unwrap();
    let list = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
    };
    let job = &job["stampede"];
    let folder = tempfile::tempdir().unwrap();
    let lines = [list(&job["before_script"]), list(&job["script"])].concat();
    run_lines(
        &lines.iter().map(|line| line.replace("--locked", "--locked --root tools")).collect::<Vec<_>>(),
        folder.path(),
    );
    for path in
        list(&job["artifacts"]["paths"]).iter().map(String::as_str).chain(job["artifacts"]["reports"]["junit"].as_str())
    {
        assert_has(folder.path(), path);
    }
}

/// There is no parser of Groovy here: its braces and quotes are counted, and its shell lines are run.
#[test]
fn jenkins_lines_run_and_its_artifacts_are_there() {
    let text = &blocks("groovy")[0];
    assert_eq!(text.matches('{').count(), text.matches('}').count());
    let quoted = |word: &str| -> Vec<String> {
        let lines =
            text.lines().filter_map(|line| line.trim().strip_prefix(word)?.strip_prefix(" '")?.strip_suffix('\''));
        lines.map(str::to_owned).collect()
    };
    let folder = tempfile::tempdir().unwrap();
    let lines = quoted("sh");
    assert_eq!(lines.len(), 3);
    run_lines(&lines, folder.path());
    let kept = [quoted("junit"), quoted("archiveArtifacts artifacts:")].concat();
    assert_eq!(kept.len(), 2);
    for pattern in kept.iter().flat_map(|list| list.split(", ")) {
        assert_has(folder.path(), pattern);
    }
}
