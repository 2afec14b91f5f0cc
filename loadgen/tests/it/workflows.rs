//! What a GitHub workflow must not be: at the mercy of a moved tag, allowed to write, without an end.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// An action of one commit and of no other: `owner/name@` and 40 hexadecimal digits.
fn is_pinned(action: &str) -> bool {
    let Some((name, commit)) = action.split_once('@') else { return false };
    let digits = commit.len() == 40 && commit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    digits && name.split('/').count() >= 2
}

/// Whether a job may write a release: of a workflow that nothing but a tag starts, after other jobs, and with nothing of the repository
/// on its machine.
fn publishes(workflow: &Value, job: &Value) -> bool {
    let on = workflow["on"].as_object().is_some_and(|on| on.len() == 1);
    let push = workflow["on"]["push"].as_object().is_some_and(|push| push.len() == 1 && push.contains_key("tags"));
    let takes =
        |step: &Value| step["uses"].as_str().is_some_and(|action| !action.starts_with("actions/download-artifact@"));
    let foreign = job["steps"].as_array().is_none_or(|steps| steps.iter().any(takes));
    on && push && job["needs"].is_array() && job["permissions"] == json!({ "contents": "write" }) && !foreign
}

/// Everything in a workflow that must not be there.
fn forbidden(workflow: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut bad = |is: bool, what: String| {
        if is {
            found.push(what);
        }
    };
    bad(workflow["permissions"] != json!({ "contents": "read" }), "permissions other than to read".into());
    bad(workflow["concurrency"]["group"].as_str().is_none_or(str::is_empty), "no concurrency group".into());
    let on = workflow["on"].to_string();
    // They run a stranger's code with the repository's own rights.
    bad(on.contains("pull_request_target") || on.contains("workflow_run"), "a trigger with rights".into());
    for (name, job) in workflow["jobs"].as_object().unwrap() {
        bad(!job["permissions"].is_null() && !publishes(workflow, job), format!("{name}: permissions of its own"));
        bad(
            job["timeout-minutes"].as_u64().is_none_or(|minutes| !(1..=120).contains(&minutes)),
            format!("{name}: no time-out"),
        );
        let runner = job["runs-on"].as_str().unwrap_or_default();
        bad(runner.is_empty() || runner.ends_with("-latest"), format!("{name}: a runner of no stated version"));
        bad(!job["uses"].is_null() || !job["container"].is_null(), format!("{name}: somebody else's job or image"));
        let steps = job["steps"].as_array().cloned().unwrap_or_default();
        bad(steps.is_empty(), format!("{name}: no steps"));
        for step in &steps {
            if let Some(action) = step["uses"].as_str() {
                bad(!is_pinned(action), format!("{name}: {action} is not pinned"));
                let keeps_token =
                    action.starts_with("actions/checkout@") && step["with"]["persist-credentials"] != false;
                bad(keeps_token, format!("{name}: a checkout that leaves its token behind"));
            }
            // What a stranger can write (a title, a branch's name) would become part of the script.
            let script = step["run"].as_str().unwrap_or_default();
            bad(script.contains("${{"), format!("{name}: an expression in a script"));
            bad(step.to_string().contains("secrets."), format!("{name}: a secret"));
        }
    }
    found
}

/// The workflows: name, text, and what it says.
fn workflows() -> Vec<(String, String, Value)> {
    let files = std::fs::read_dir(root().join(".github/workflows")).unwrap();
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).unwrap();
        let value = serde_yaml_ng::from_str(&text).unwrap();
        (file.file_name().unwrap().to_string_lossy().into_owned(), text, value)
    };
    let mut all: Vec<_> = files.map(|file| read(file.unwrap().path())).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn the_workflows_have_nothing_forbidden() {
    let all = workflows();
    assert_eq!(
        all.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(),
        ["ci.yml", "nightly.yml", "release.yml"]
    );
    for (name, text, workflow) in &all {
        assert_eq!(forbidden(workflow), Vec::<String>::new(), "{name}");
        // Beside each commit stands the version that it was, for those who read.
        for line in text.lines().filter(|line| line.trim_start().trim_start_matches("- ").starts_with("uses:")) {
            let version = line.split_once(" # v").map(|(_, version)| version);
            assert!(version.is_some_and(|v| v.split('.').count() == 3), "{name}: {line}");
        }
        // Scripts that are called are there.
        for script in text.split_whitespace().filter(|word| word.starts_with("ci/") && word.ends_with(".sh")) {
            assert!(root().join(script).is_file(), "{name}: {script}");
        }
    }
}

#[test]
fn ci_tests_and_gates_each_pull_request_and_the_night_keeps_its_results() {
    let all = workflows();
    let [(_, ci_text, ci), (_, _, nightly), _] = &all[..] else { panic!("three workflows") };
    assert!(ci["on"].as_object().unwrap().contains_key("pull_request"));
    assert!(ci_text.contains("bash ci/test.sh") && ci_text.contains("bash ci/gate.sh"));
    let gate = std::fs::read_to_string(root().join("ci/gate.sh")).unwrap();
    assert!(gate.contains("GITHUB_STEP_SUMMARY") && gate.contains("summary.md"), "the summary is on the job's page");
    assert!(nightly["on"]["schedule"][0]["cron"].is_string());
    assert!(ci["jobs"]["audit"].to_string().contains("cargo audit"), "known vulnerabilities fail a pull request");
    for script in ["ci/digests.sh", "ci/hostile.sh", "ci/theory.sh"] {
        assert!(nightly.to_string().contains(script), "{script} runs every night");
    }
    let steps = nightly["jobs"]["containers"]["steps"].as_array().unwrap();
    let last = steps.last().unwrap();
    assert!(last["uses"].as_str().unwrap().starts_with("actions/upload-artifact@"));
    assert_eq!(last["with"]["path"], "results/nightly");
    let down = steps.iter().find(|step| step["run"].as_str().is_some_and(|run| run.contains("down -v"))).unwrap();
    assert_eq!(down["if"], "${{ always() }}", "whatever happened before");
}

#[test]
fn each_forbidden_thing_is_noticed() {
    let pinned = "actions/checkout@0123456789abcdef0123456789abcdef01234567";
    let good = json!({
        "on": { "pull_request": null }, "permissions": { "contents": "read" }, "concurrency": { "group": "g" },
        "jobs": { "j": { "runs-on": "ubuntu-24.04", "timeout-minutes": 5, "steps": [
            { "uses": pinned, "with": { "persist-credentials": false } }, { "run": "true" },
        ] } },
    });
    assert_eq!(forbidden(&good), Vec::<String>::new());
    for (place, value) in [
        ("/permissions", Value::Null),
        ("/permissions", json!("write-all")),
        ("/permissions", json!({ "contents": "write" })),
        ("/concurrency", Value::Null),
        ("/on", json!({ "pull_request_target": null })),
        ("/jobs/j/timeout-minutes", Value::Null),
        ("/jobs/j/timeout-minutes", json!(360)),
        ("/jobs/j/runs-on", json!("ubuntu-latest")),
        ("/jobs/j/steps", json!([])),
        ("/jobs/j/steps/0/uses", json!("actions/cache@v4")),
        ("/jobs/j/steps/0/uses", json!("actions/cache@0123456")),
        ("/jobs/j/steps/0/uses", json!("actions/cache")),
        ("/jobs/j/steps/0/uses", json!("docker://alpine:3")),
        ("/jobs/j/steps/0/uses", json!(pinned.replace('a', "g"))),
        ("/jobs/j/steps/0/with", json!({})),
        ("/jobs/j/steps/1/run", json!("echo ${{ github.event.pull_request.title }}")),
        ("/jobs/j/steps/1/run", json!("echo secrets.X")),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = value.clone();
        assert_eq!(forbidden(&bad).len(), 1, "{place}: {value}: {:?}", forbidden(&bad));
    }
    for (field, value) in [
        ("permissions", json!({ "contents": "write" })),
        ("uses", json!("a/b/.github/workflows/c.yml@main")),
        ("container", json!("alpine:3")),
    ] {
        let mut bad = good.clone();
        bad["jobs"]["j"][field] = value.clone();
        assert_eq!(forbidden(&bad).len(), 1, "{field}: {value}");
    }
}

#[test]
fn a_tag_alone_makes_a_release_and_the_job_that_writes_it_runs_nothing_of_ours() {
    let all = workflows();
    let (_, text, release) = all.iter().find(|(name, ..)| name == "release.yml").unwrap();
    assert!(publishes(release, &release["jobs"]["publish"]));
    for processor in ["x86_64", "aarch64"] {
        assert!(release["jobs"][processor].to_string().contains("bash ci/release.sh release"), "{processor}");
    }
    assert!(text.contains("sha256sum -c") && text.contains("--draft"));
    for (place, value) in [
        ("/on", json!({ "push": { "branches": ["main"] } })),
        ("/on/pull_request", Value::Null),
        ("/jobs/publish/permissions/packages", json!("write")),
        ("/jobs/publish/needs", Value::Null),
        ("/jobs/publish/steps/0/uses", json!("actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8")),
    ] {
        let mut bad = release.clone();
        let (above, last) = place.rsplit_once('/').unwrap();
        match bad.pointer_mut(above).unwrap() {
            Value::Array(list) => list[last.parse::<usize>().unwrap()] = value.clone(),
            object => object[last] = value.clone(),
        }
        assert!(!publishes(&bad, &bad["jobs"]["publish"]), "{place}: {value}");
    }
}

/// The release's script, with a `cargo` that has built already: what is packed, and that its checksum is its own.
#[test]
fn a_release_has_the_program_its_licences_completions_and_pages_and_a_checksum() {
    let (fake, out) = (crate::action::cargo(), tempfile::tempdir().unwrap());
    let mut command = std::process::Command::new("bash");
    command.arg(root().join("ci/release.sh")).arg(out.path()).env("PATH", crate::action::path_with(fake.path()));
    let output = command.env("CARGO_TARGET_DIR", fake.path().join("target")).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    // The tests' own program is not static: that is what the script must say, and stop at.
    assert!(!output.status.success() && err.contains("needs libraries, and should need none"), "{err}");
    let ldd = fake.path().join("ldd");
    crate::action::script(&ldd, "exit 1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let name = format!("loadgen-{}-linux", std::env::consts::ARCH);
    let sh = format!("cd {} && sha256sum -c {name}.tar.gz.sha256 && tar -xzf {name}.tar.gz", out.path().display());
    let said = std::process::Command::new("sh").args(["-c", &sh]).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let files = ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "completions/loadgen.bash", "man1/loadgen-sweep.1"];
    for file in files {
        assert!(out.path().join(&name).join(file).is_file(), "{file}");
    }
    let version = std::process::Command::new(out.path().join(&name).join("loadgen")).arg("--version").output().unwrap();
    assert!(version.status.success());
    let asked = std::fs::read_to_string(fake.path().join("asked")).unwrap();
    assert!(asked.contains("crt-static") && asked.contains("build --release --locked --target"), "{asked}");
}

/// Every crate names the licence whose texts lie at the top.
#[test]
fn each_crate_names_its_licence() {
    let all = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(all.contains("license = \"MIT OR Apache-2.0\""));
    let mut crates = 0;
    for entry in std::fs::read_dir(root()).unwrap() {
        let Ok(text) = std::fs::read_to_string(entry.unwrap().path().join("Cargo.toml")) else { continue };
        assert!(
            text.contains("license.workspace = true") || text.contains("license = \"MIT OR Apache-2.0\""),
            "{text}"
        );
        crates += 1;
    }
    assert!(crates > 9, "{crates}");
    for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(std::fs::metadata(root().join(file)).unwrap().len() > 1000, "{file}");
    }
}

/// An image is pinned to the digest that the registry tells; where nothing can be asked that is said, and nothing is printed.
#[test]
fn digests_are_the_registrys_or_none() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let docker = folder.path().join("docker");
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let said = |version: &str, pull: &str, registry: &str| {
        let text = format!("#!/bin/sh\ncase $1 in version) {version};; pull) {pull};; *) exit 9;; esac\n");
        std::fs::write(&docker, text).unwrap();
        std::fs::set_permissions(&docker, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = std::process::Command::new("bash");
        command.arg(root().join("ci/digests.sh")).env("PATH", &path).env("LAB_REGISTRY", registry);
        let output = command.output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.success(), out, err)
    };
    let (well, out, err) = said("exit 0", "echo \"Digest: sha256:of-$2\"", "127.0.0.1:5000");
    assert!(well && err.is_empty(), "{err}");
    assert!(out.contains("LAB_REDIS_IMAGE=127.0.0.1:5000/redis:8.0@sha256:of-127.0.0.1:5000/redis:8.0\n"), "{out}");
    let (_, out, _) = said("exit 0", "echo \"Digest: sha256:of-$2\"", "");
    assert!(out.contains("LAB_REDIS_IMAGE=redis:8.0@sha256:of-redis:8.0\n"), "{out}");
    for (version, pull, wanted) in [
        ("exit 1", "exit 9", "no Docker engine answers, so the registry cannot be asked"),
        ("exit 0", "echo connection refused >&2; exit 1", "cannot be asked (connection refused)"),
        ("exit 0", "echo manifest unknown >&2; exit 1", "the registry does not give out"),
        ("exit 0", "echo pulled, and no digest", "the registry told no digest"),
    ] {
        let (well, out, err) = said(version, pull, "");
        assert!(!well && out.is_empty() && err.contains(wanted), "{pull}: {out}{err}");
    }
}
