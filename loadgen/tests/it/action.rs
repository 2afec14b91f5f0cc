//! The GitHub action: what its file says, and its own steps, run by bash in a clean folder as a runner would.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn action() -> Value {
    serde_yaml_ng::from_str(&fs::read_to_string(root().join("action.yml")).unwrap()).unwrap()
}

pub(crate) fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A folder with a `cargo` that has built this very program already, and writes down what it was asked for.
pub(crate) fn cargo() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "echo \"$RUSTFLAGS $*\" >>{asked}
         while [ $# -gt 0 ]; do case $1 in --root) to=$2/bin;; --target) to=$CARGO_TARGET_DIR/$2/release;; esac; shift; done
         mkdir -p \"$to\" && ln -sf {program} \"$to/loadgen\"",
        asked = folder.path().join("asked").display(),
        program = env!("CARGO_BIN_EXE_loadgen"),
    );
    // A release is packed: a link would be, too.
    script(&folder.path().join("cargo"), &text.replace("ln -sf", "cp"));
    folder
}

pub(crate) fn path_with(folder: &Path) -> String {
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

const SCENARIO: &str = r#"
schema = 1
name = "mine"
summary = "My hot key."
strategies = ["plain + coalesce + lock"]
[load]
clients = 50
think = "120ms"
warmup = "2s"
duration = "6s"
[keys]
kind = "hot"
hot_share = 0.95
n = 10
[cache]
ttl = "2s"
[origin]
service_time = "200ms"
[[threshold]]
strategy = "plain + coalesce + lock"
metric = "origin.per_expiry.max"
at_most = 1
"#;

/// What a job leaves: its exit code, what it said, its outputs and its page.
struct Job {
    code: i32,
    said: String,
    outputs: BTreeMap<String, String>,
    page: String,
}

/// Runs the action's steps one after the other, each with the variables that its file gives it, in a folder that has nothing but
/// `mine.toml`.
fn job(inputs: &[(&str, &str)], scenario: &str, clean: &Path) -> Job {
    let action = action();
    let defaults = action["inputs"].as_object().unwrap().iter();
    let defaults =
        defaults.map(|(name, input)| (name.clone(), input["default"].as_str().unwrap_or_default().to_owned()));
    let mut known: BTreeMap<String, String> = defaults.map(|(name, value)| (format!("inputs.{name}"), value)).collect();
    known.extend(inputs.iter().map(|(name, value)| (format!("inputs.{name}"), (*value).to_owned())));
    known.extend(
        [("github.action_ref", "main"), ("github.action_repository", "somebody/lab")]
            .map(|(a, b)| (a.into(), b.into())),
    );
    let (work, temp) = (clean.join("work"), clean.join("temp"));
    fs::create_dir_all(&work).unwrap();
    fs::create_dir_all(&temp).unwrap();
    fs::write(work.join("mine.toml"), scenario).unwrap();
    let (page, fake) = (clean.join("page.md"), cargo());
    let mut done = Job { code: 0, said: String::new(), outputs: BTreeMap::new(), page: String::new() };
    for step in action["runs"]["steps"].as_array().unwrap().iter().filter(|step| step["run"].is_string()) {
        let output_file = clean.join("output");
        fs::write(&output_file, "").unwrap();
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"].as_str().unwrap()]);
        command.env_clear().envs([("PATH", path_with(fake.path())), ("HOME", clean.display().to_string())]);
        command.env("GITHUB_ACTION_PATH", root()).env("RUNNER_TEMP", &temp).current_dir(&work);
        command
            .env("GITHUB_OUTPUT", &output_file)
            .env("GITHUB_STEP_SUMMARY", &page)
            .env("GITHUB_SERVER_URL", "https://host.invalid");
        for (name, value) in step["env"].as_object().unwrap() {
            let expression = value.as_str().unwrap().trim_start_matches("${{ ").trim_end_matches(" }}").to_owned();
            command.env(name, known.get(&expression).unwrap_or_else(|| panic!("{expression} is not known")));
        }
        let output = command.output().unwrap();
        done.said += &String::from_utf8_lossy(&output.stdout);
        done.said += &String::from_utf8_lossy(&output.stderr);
        let told = fs::read_to_string(&output_file).unwrap();
        for (name, value) in told.lines().map(|line| line.split_once('=').unwrap()) {
            known.insert(format!("steps.{}.outputs.{name}", step["id"].as_str().unwrap()), value.to_owned());
            done.outputs.insert(name.to_owned(), value.to_owned());
        }
        done.code = output.status.code().unwrap();
        if done.code != 0 {
            break;
        }
    }
    done.page = fs::read_to_string(&page).unwrap_or_default();
    done
}

#[test]
fn it_is_green_with_the_lock_and_red_without() {
    let clean = tempfile::tempdir().unwrap();
    let green = job(&[("scenario", "mine.toml")], SCENARIO, clean.path());
    assert_eq!(green.code, 0, "{}", green.said);
    assert!(
        green.page.contains("# Stampede lab: mine") && green.said.contains("1 thresholds met, 0 missed"),
        "{}",
        green.said
    );
    let run = crate::common::only_run(Path::new(&green.outputs["folder"]));
    for file in ["report.html", "summary.md", "junit.xml", "run.json", "scenario.toml"] {
        assert!(run.join(file).is_file(), "{file}");
    }
    // The lock is taken out, and nothing else.
    let clean = tempfile::tempdir().unwrap();
    let red = job(&[("scenario", "mine.toml")], &SCENARIO.replace(" + coalesce + lock", ""), clean.path());
    assert_eq!(red.code, 99, "{}", red.said);
    assert!(red.page.contains("THRESHOLD MISSED: plain origin.per\\_expiry.max is "), "{}", red.page);
    let run = crate::common::only_run(Path::new(&red.outputs["folder"]));
    assert!(fs::read_to_string(run.join("junit.xml")).unwrap().contains("failures=\"1\""));
    // Beside its results nothing is left in the repository.
    assert_eq!(fs::read_dir(clean.path().join("work")).unwrap().count(), 1);
}

#[test]
fn its_inputs_are_arguments_and_never_a_script() {
    let clean = tempfile::tempdir().unwrap();
    let inputs =
        [("scenario", "mine.toml"), ("strategy", "plain + lock"), ("args", "--set=cache.ttl=3s\n\n-d\r\n4s\n--seed=7")];
    let done = job(&inputs, SCENARIO, clean.path());
    assert_eq!(done.code, 0, "{}", done.said);
    let record = crate::common::record(&crate::common::only_run(Path::new(&done.outputs["folder"])));
    assert_eq!((record.duration_s, record.ttl_s, record.seed), (4.0, 3.0, 7));
    assert_eq!(record.unchecked.len(), 1, "the threshold of the strategy that was not run");

    for (name, value) in [
        ("scenario", "$(touch stolen)"),
        ("scenario", "x; touch stolen"),
        ("scenario", "--live"),
        ("strategy", "`touch stolen`"),
        ("args", "$(touch stolen)\n\"; touch stolen"),
        ("target", "http://127.0.0.1:1/{key}' ; touch stolen"),
    ] {
        let clean = tempfile::tempdir().unwrap();
        let done = job(&[("scenario", "mine.toml"), (name, value)], SCENARIO, clean.path());
        assert_eq!(done.code, 2, "{name}: {value}: {}", done.said);
        assert_eq!(fs::read_dir(clean.path().join("work")).unwrap().count(), 1, "{name}: {value}");
    }
    let clean = tempfile::tempdir().unwrap();
    let none = job(&[], SCENARIO, clean.path());
    assert!(none.code == 2 && none.said.contains("::error::no scenario"), "{}", none.said);
}

/// A release is taken where the action is used by a version's tag, and only with the checksum that is beside it.
#[test]
fn a_release_is_taken_where_there_is_one_and_its_checksum_is_right() {
    let step = root().join("ci/action/program.sh");
    let get = |reference: &str, damage: &str| {
        let (clean, served) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let name = format!("loadgen-{}-linux", std::env::consts::ARCH);
        // What is packed need not be large.
        let packed = clean.path().join("packed");
        script(&packed, "echo loadgen 1.2.3");
        let pack = format!(
            "cd {at} && mkdir {name} && cp {program} {name}/loadgen && tar -czf {name}.tar.gz {name} && \
             sha256sum {name}.tar.gz >{name}.tar.gz.sha256; {damage}",
            at = served.path().display(),
            program = packed.display()
        );
        assert!(Command::new("bash").args(["-c", &pack]).status().unwrap().success());
        let (fake, output) = (cargo(), clean.path().join("output"));
        let curl = format!(
            "while [ $# -gt 1 ]; do case $1 in -o) to=$2;; esac; shift; done; echo \"$1\" >>{asked}; cp {at}/\"${{1##*/}}\" \"$to\"",
            asked = clean.path().join("asked").display(),
            at = served.path().display()
        );
        script(&fake.path().join("curl"), &curl);
        let mut command = Command::new("bash");
        command.arg(&step).env("PATH", path_with(fake.path())).env("REF", reference).env("REPOSITORY", "somebody/lab");
        command.env("GITHUB_ACTION_PATH", root()).env("GITHUB_SERVER_URL", "https://host.invalid");
        command.env("RUNNER_TEMP", clean.path()).env("GITHUB_OUTPUT", &output);
        let done = command.output().unwrap();
        let asked = fs::read_to_string(clean.path().join("asked")).unwrap_or_default();
        let built = fake.path().join("asked").is_file();
        (done.status.success(), asked, built)
    };
    let (well, asked, built) = get("v1.2.3", "true");
    let first = asked.lines().next().unwrap().to_owned();
    assert!(well && !built, "{asked}");
    assert!(first.starts_with("https://host.invalid/somebody/lab/releases/download/v1.2.3/loadgen-"), "{first}");
    let (well, _, built) = get("v1.2.3", "echo damaged >>loadgen-*.tar.gz");
    assert!(!well && !built, "a release that is not what its checksum says is not run");
    assert!(get("v1.2.3", "rm loadgen-*.sha256").2, "no release: built");
    assert_eq!(get("main", "true"), (true, String::new(), true));
}

#[test]
fn its_file_pins_what_it_uses_and_interpolates_nothing_into_a_script() {
    let action = action();
    assert_eq!(action["runs"]["using"], "composite");
    for step in action["runs"]["steps"].as_array().unwrap() {
        if let Some(used) = step["uses"].as_str() {
            assert!(used.split_once('@').unwrap().1.len() == 40, "{used} is not pinned");
            continue;
        }
        let run = step["run"].as_str().unwrap();
        assert!(step["shell"] == "bash" && !run.contains("${{"), "{run}");
        let path = run.split('"').nth(1).unwrap().replace("$GITHUB_ACTION_PATH", &root().display().to_string());
        assert!(Path::new(&path).is_file(), "{path}");
    }
}
