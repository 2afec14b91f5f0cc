//! Completions in real shells, and manual pages through a real formatter.

use std::fs;
use std::path::Path;
use std::process::Command;

use app::testing::needed;

use crate::common::run;

fn program(name: &'static str) -> Option<&'static str> {
    let there =
        || Command::new("sh").args(["-c", "command -v \"$0\"", name]).output().is_ok_and(|o| o.status.success());
    needed(name, || there().then_some(name))
}

fn script(folder: &Path, shell: &str) -> String {
    let said = run(&["completions", shell]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let path = folder.join(format!("loadgen.{shell}"));
    fs::write(&path, said.out).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What a shell says that it does with a script: lines of standard output, with nothing on standard error.
fn says(shell: &str, args: &[&str]) -> Vec<String> {
    let output = Command::new(shell).args(args).env("HOME", "/nonexistent").output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && err.is_empty(), "{shell}: {err}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_their_values() {
    let folder = tempfile::tempdir().unwrap();
    let script = script(folder.path(), "bash");
    says("bash", &["-n", &script]);
    let completed = |words: &str| {
        let act = format!(
            ". {script}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _loadgen loadgen \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        says("bash", &["--norc", "-c", &act])
    };
    assert_eq!(completed("loadgen --scen"), ["--scenario"]);
    assert_eq!(completed("loadgen sw"), ["sweep"]);
    assert_eq!(completed("loadgen sweep --go"), ["--goal"]);
    assert_eq!(completed("loadgen run --lab ''"), ["auto", "docker", "local", "sim"]);
    assert_eq!(completed("loadgen completions z"), ["zsh"]);
}

#[test]
fn zsh_and_fish_take_their_scripts() {
    let folder = tempfile::tempdir().unwrap();
    if let Some(zsh) = program("zsh") {
        says(zsh, &["-n", &script(folder.path(), "zsh")]);
        let load = format!(
            "autoload -U compinit; compinit -D -u; . {}; print $+functions[_loadgen]",
            script(folder.path(), "zsh")
        );
        assert_eq!(says(zsh, &["-f", "-c", &load]), ["1"]);
    }
    if let Some(fish) = program("fish") {
        let at = script(folder.path(), "fish");
        says(fish, &["--no-execute", &at]);
        let said = says(fish, &["--no-config", "-c", &format!("source {at}; complete -C 'loadgen sweep --go'")]);
        assert!(said.iter().any(|line| line.starts_with("--goal")), "{said:?}");
    }
}

#[test]
fn another_shell_is_refused() {
    let said = run(&["completions", "tcsh"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("found \"tcsh\", allowed: bash, zsh, fish"), "{}", said.err);
}

#[test]
fn a_page_for_each_command_is_a_page_to_man() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("man1");
    let said = run(&["man", "-o", to.to_str().unwrap()]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let pages: Vec<&str> = said.out.lines().collect();
    for name in ["loadgen.1", "loadgen-sweep.1", "loadgen-report-compare.1"] {
        assert!(pages.iter().any(|page| page.ends_with(&format!("/{name}"))), "{name} in {pages:?}");
    }
    // What a page sends its reader to is there.
    let whole = fs::read_to_string(to.join("loadgen.1")).unwrap();
    let named = whole.lines().filter_map(|line| line.trim().strip_suffix("(1)")).map(|name| name.replace('\\', ""));
    let named: Vec<String> = named.collect();
    assert!(named.len() > 10 && named.iter().all(|name| to.join(format!("{name}.1")).is_file()), "{named:?}");
    let Some(mandoc) = program("mandoc") else { return };
    for page in pages {
        let output = Command::new(mandoc).args(["-Tlint", "-Werror", page]).output().unwrap();
        let out = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{page}: {out}");
    }
    let shown = says(mandoc, &["-Tutf8", to.join("loadgen.1").to_str().unwrap()]).join("\n");
    assert!(shown.contains("EXAMPLES") || shown.contains("Examples:"), "{shown}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let at = file.path().join("man1");
    let said = run(&["man", "-o", at.to_str().unwrap()]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains(at.to_str().unwrap()), "{}", said.err);
}
