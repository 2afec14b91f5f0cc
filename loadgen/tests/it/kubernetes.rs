//! deploy/: what Kustomize makes of it is what is committed beside this file, every version of Kubernetes takes it, nothing in it is
//! forbidden, and the Helm chart is made of the same. No cluster runs here. Rules and types are held on the committed files,
//! without any tool; `LAB_BLESS=1` writes those files and the chart anew.

mod chart;
mod rules;
mod stack;
mod types;
mod ways;
mod wiring;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Once;

use serde_json::Value;

/// The folders of deploy/kubernetes that are applied.
const FOLDERS: [&str; 8] = ["single", "cluster", "own", "load", "merge", "regression", "monitor", "copy"];
/// The stack, with each of its caches.
const STACKS: [&str; 3] = ["single", "cluster", "own"];
/// All that kubernetes-validate knows of these.
const VERSIONS: [&str; 8] = ["1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn golden_file(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/kubernetes/golden/{folder}.yaml"))
}

fn blesses() -> bool {
    std::env::var("LAB_BLESS").is_ok_and(|is| is == "1")
}

/// A tool where ci/test.sh puts it, or on the PATH.
fn tool(name: &str) -> Command {
    let ours = root().join("target/kubernetes/bin").join(name);
    Command::new(if ours.exists() { ours } else { name.into() })
}

/// What a tool answers; nothing where it is not here, and that may be.
fn said(name: &str, args: &[&str]) -> Option<Output> {
    let is_here = || tool(name).arg("--help").output().is_ok_and(|output| output.status.success());
    let what = if name == "helm" { name } else { "kubernetes" };
    app::testing::needed(what, || is_here().then_some(()))?;
    Some(tool(name).args(args).current_dir(root()).output().unwrap())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a tool that succeeds prints.
fn printed(name: &str, args: &[&str]) -> Option<String> {
    let output = said(name, args)?;
    assert!(output.status.success(), "{name} {}: {}", args.join(" "), text(&output.stderr));
    Some(text(&output.stdout))
}

fn built(folder: &str) -> Option<String> {
    printed("kubectl", &["kustomize", &format!("deploy/kubernetes/{folder}")])
}

/// Kind and name, without the mark of its content that Kustomize puts behind a name.
fn id(object: &Value) -> String {
    let field = |at: &str| object.pointer(at).and_then(Value::as_str).unwrap_or_default();
    format!("{}/{}", field("/kind"), chart::unmarked(field("/metadata/name")))
}

/// The objects of a file, by kind and name.
fn objects(text: &str) -> Vec<Value> {
    let documents = serde_yaml_ng::Deserializer::from_str(text);
    let objects = documents.map(|document| serde::Deserialize::deserialize(document).unwrap());
    let mut objects: Vec<Value> = objects.filter(|object: &Value| !object.is_null()).collect();
    objects.sort_by_key(id);
    objects
}

/// The objects as they are committed.
fn golden(folder: &str) -> Vec<Value> {
    static BLESSED: Once = Once::new();
    if blesses() {
        BLESSED.call_once(|| {
            FOLDERS.iter().for_each(|one| std::fs::write(golden_file(one), built(one).unwrap()).unwrap())
        });
    }
    objects(&std::fs::read_to_string(golden_file(folder)).unwrap())
}

#[test]
fn what_kustomize_builds_is_what_is_committed() {
    for folder in FOLDERS {
        let Some(text) = built(folder) else { return };
        assert_eq!(objects(&text), golden(folder), "{folder}: LAB_BLESS=1 writes it anew");
    }
    let folders = std::fs::read_dir(root().join("deploy/kubernetes")).unwrap();
    let mut folders: Vec<String> = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    folders.retain(|folder| !FOLDERS.iter().chain(&["base", "common", "run"]).any(|known| known == folder));
    assert!(folders.is_empty(), "no test builds {folders:?}");
}

/// Checks files strictly against each version: how often an object passed, and what else is said.
fn validated(files: &[String]) -> Option<(usize, Vec<String>)> {
    let mut args: Vec<&str> = VERSIONS.iter().flat_map(|version| ["-k", version]).collect();
    args.push("--strict");
    args.extend(files.iter().map(String::as_str));
    let output = said("kubernetes-validate", &args)?;
    let all = text(&output.stdout) + &text(&output.stderr);
    let lines = all.lines().filter(|line| !line.is_empty()).map(str::to_owned);
    let (passed, others): (Vec<_>, Vec<_>) = lines.partition(|line| line.contains(" passed for resource "));
    Some((passed.len(), others))
}

/// What docs/kubernetes.md says of versions and of the regression check is so.
#[test]
fn the_page_names_the_versions_and_the_scenario_of_the_regression_check() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let page = read("docs/kubernetes.md");
    let (first, last) = (VERSIONS[0], VERSIONS[VERSIONS.len() - 1]);
    let tool = read("ci/kubernetes.sh");
    let tool = tool.split_once("kubernetes-validate==").unwrap().1.split_whitespace().next().unwrap();
    let job = &golden("regression")[0];
    let args = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"];
    assert_eq!(
        (&args[0], &job["kind"], &job["spec"]["schedule"]),
        (&"--scenario".into(), &"CronJob".into(), &"0 3 * * *".into())
    );
    let scenario = args[1].as_str().unwrap();
    assert!(
        read(&format!("scenarios/files/{scenario}.toml")).contains("[[threshold]]"),
        "{scenario} has nothing to miss"
    );
    let places = read("loadgen/tests/it/kubernetes/chart.yaml");
    assert!(!places.contains("regression CronJob/regression @/args"), "a value of the chart sets the scenario");
    for words in [
        format!("For Kubernetes {first} to {last}:"),
        format!("kubernetes-validate {tool}."),
        "every night at 03:00 UTC".into(),
        "/results/regression".into(),
        format!("no value: always `{scenario}`"),
    ] {
        assert!(page.contains(&words), "{words:?} is not in docs/kubernetes.md");
    }
    assert!(crate::kubernetes::rules::list(args).contains(&"/results/regression".into()), "{args}");
}

#[test]
fn every_version_of_kubernetes_takes_every_object() {
    let files = FOLDERS.map(|folder| golden_file(folder).display().to_string());
    let Some((passed, mut others)) = validated(&files) else { return };
    // This kind comes with an operator: only its own schema knows it (types.rs).
    others.retain(|line| !line.contains("Couldn't find schema for kind PodMonitor"));
    assert!(others.is_empty(), "{others:#?}");
    let known =
        FOLDERS.iter().flat_map(|folder| golden(folder)).filter(|object| object["kind"] != "PodMonitor").count();
    assert_eq!(passed, known * VERSIONS.len());
    let folder = tempfile::tempdir().unwrap();
    let spoilt = folder.path().join("spoilt.yaml");
    let good = std::fs::read_to_string(golden_file("copy")).unwrap();
    std::fs::write(&spoilt, good.replace("backoffLimit", "backofLimit")).unwrap();
    let (passed, others) = validated(&[spoilt.display().to_string()]).unwrap();
    assert!(passed == 0 && others.len() == VERSIONS.len(), "{others:#?}");
}
