//! The rooms and who may depend on whom (ARCHITECTURE.md), held by a test; and what every file owes its reader.

mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Who may depend on whom. `strategies` is at the bottom; `report` stands alone; there is no cycle.
const MAY: &[(&str, &[&str])] = &[
    ("strategies", &[]),
    ("evidence", &["strategies"]),
    ("scenarios", &["strategies"]),
    ("sim", &["strategies", "evidence", "scenarios"]),
    ("tls", &[]),
    ("traces", &["strategies"]),
    ("app", &["strategies", "evidence", "scenarios", "tls"]),
    ("report", &[]),
    ("diagnose", &["tls"]),
    ("loadgen", &["strategies", "evidence", "scenarios", "sim", "app", "report", "diagnose", "tls", "traces"]),
];

/// What a room must not know, whatever it is for.
const NEVER: &[(&str, &[&str])] = &[
    ("strategies", &["tokio", "redis", "axum", "hyper", "rand", "serde", "sqlx"]),
    ("evidence", &["tokio", "redis", "axum", "hyper", "rand", "sqlx"]),
    ("scenarios", &["tokio", "redis", "axum", "hyper", "rand", "sqlx"]),
    ("sim", &["tokio", "redis", "axum", "hyper", "rand", "bollard"]),
    ("tls", &["redis", "axum", "hyper", "sqlx", "clap"]),
    ("traces", &["tokio", "redis", "axum", "hyper", "rand", "sqlx", "clap"]),
    ("app", &["report", "plotters"]),
    ("report", &["tokio", "redis", "axum", "hyper", "sqlx"]),
    ("diagnose", &["axum", "hyper", "sqlx", "plotters", "bollard"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn packages() -> Vec<serde_json::Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let mut metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    serde_json::from_value(metadata["packages"].take()).unwrap()
}

/// Each room's dependencies as its manifest has them: (name, is a development dependency).
fn dependencies() -> BTreeMap<String, Vec<(String, bool)>> {
    let text = |v: &serde_json::Value| v.as_str().unwrap().to_owned();
    let of = |package: &serde_json::Value| {
        let edges = package["dependencies"].as_array().unwrap();
        edges.iter().map(|d| (text(&d["name"]), d["kind"] == "dev")).collect()
    };
    packages().iter().map(|p| (text(&p["name"]), of(p))).collect()
}

/// A package of several programs starts none by `cargo run -p`, unless it says which.
#[test]
fn cargo_run_starts_the_generator() {
    let packages = packages();
    let loadgen = packages.iter().find(|package| package["name"] == "loadgen").unwrap();
    assert_eq!(loadgen["default_run"], "loadgen");
}

#[test]
fn rooms_depend_on_the_rooms_below_and_on_no_other() {
    let found = dependencies();
    let rooms: BTreeSet<&str> = MAY.iter().map(|(room, _)| *room).collect();
    assert_eq!(found.keys().map(String::as_str).collect::<BTreeSet<_>>(), rooms, "a new room needs a row in MAY");
    for (room, may) in MAY {
        let inside = found[*room].iter().filter(|(d, dev)| !dev && rooms.contains(d.as_str()));
        for (dependency, _) in inside {
            assert!(may.contains(&dependency.as_str()), "{room} must not depend on {dependency}");
        }
    }
    for (room, never) in NEVER {
        for (dependency, dev) in &found[*room] {
            assert!(*dev || !never.contains(&dependency.as_str()), "{room} must not know {dependency}");
        }
    }
}

/// What the studies and the simulation are built without: `cargo tree -p loadgen --no-default-features -e normal`.
#[test]
fn the_studies_are_built_without_servers_databases_and_engines() {
    let tree = |features: &[&str]| {
        let args = ["tree", "-p", "loadgen", "-e", "normal", "--prefix", "none", "--offline", "--locked"];
        let output = Command::new(env!("CARGO")).args(args).args(features).current_dir(root()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect::<BTreeSet<_>>()
    };
    let (whole, studies) = (tree(&[]), tree(&["--no-default-features"]));
    for package in ["axum", "sqlx", "redis", "bollard", "prometheus", "rustls"] {
        assert!(whole.contains(package), "{package} is no part of the whole any more: take it out here");
        assert!(!studies.contains(package), "the studies need {package}");
    }
    assert!(studies.contains("sim") && studies.contains("report"));
}

#[test]
fn a_test_may_borrow_a_world_and_nothing_else() {
    // Development edges that point upwards: the strategies' and the app's tests run in the simulator's world, and the app's tests
    // know how to start a private Redis.
    let allowed = [("strategies", "sim"), ("app", "sim"), ("app", "app"), ("diagnose", "app")];
    for (room, may) in MAY {
        for (dependency, _) in dependencies()[*room].iter().filter(|(_, dev)| *dev) {
            let inside = MAY.iter().any(|(r, _)| r == dependency);
            let good = may.contains(&dependency.as_str()) || allowed.contains(&(room, dependency.as_str()));
            assert!(!inside || good, "{room}'s tests must not use {dependency}");
        }
    }
}

fn rust_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = MAY.iter().map(|(room, _)| root().join(room)).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    files
}

#[test]
fn every_file_says_what_it_is_and_is_one_idea() {
    let files = rust_files();
    assert!(files.len() > 100, "{} files", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//!"), "{} does not say what it is", file.display());
        let lines = text.lines().count();
        assert!(lines <= 420, "{} has {lines} lines: more than one idea?", file.display());
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let of = |(room, _): &(&str, _)| imports::Crate::read(&root().join(room).join("src/lib.rs")).circles();
    let circles: Vec<String> = MAY.iter().flat_map(of).collect();
    assert!(circles.is_empty(), "{} circles\n{}", circles.len(), circles.join("\n"));
}

/// One name, one meaning: a type that other files can see is called like no other, in any room.
#[test]
fn no_two_types_have_one_name() {
    let rooms: Vec<imports::Crate> =
        MAY.iter().map(|(room, _)| imports::Crate::read(&root().join(room).join("src/lib.rs"))).collect();
    let mut files: BTreeMap<&str, Vec<&Path>> = BTreeMap::new();
    rooms.iter().flat_map(imports::Crate::types).for_each(|(name, file)| files.entry(name).or_default().push(file));
    assert!(files.len() > 300, "{} types", files.len());
    files.retain(|_, files| files.len() > 1);
    assert!(files.is_empty(), "types of one name: {files:#?}");
}

#[test]
fn a_circle_is_seen_through_a_re_export_and_a_macro_but_not_in_a_test() {
    let folder = tempfile::tempdir().unwrap();
    let circles = |leaf: &str| {
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("lib.rs", "mod leaf; mod other; pub use other::Other;");
        write("other.rs", "pub struct Other(super::leaf::Leaf);");
        write("leaf.rs", &format!("pub struct Leaf; {leaf}"));
        imports::Crate::read(&folder.path().join("lib.rs")).circles().len()
    };
    assert_eq!(circles("use std::fmt::Debug;"), 0);
    assert_eq!(circles("use super::Other;"), 1);
    assert_eq!(circles("fn f() { println!(\"{}\", size_of::<crate::Other>()) }"), 1);
    assert_eq!(circles("#[cfg(test)] mod tests { use super::super::Other; }"), 0);
}

/// The functions of a file that are longer than so many lines, tests left out: line and length.
fn long_functions(text: &str, lines_max: usize) -> Vec<(usize, usize)> {
    let code = text.split("\n#[cfg(test)]\nmod tests").next().unwrap();
    let lines: Vec<&str> = code.lines().collect();
    let mut long = Vec::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| begins_a_function(line.trim_start())) {
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = format!("{indent}}}");
        // A trait's method without a body ends with its signature.
        let has_body = lines[at..].iter().take_while(|line| !line.ends_with(';')).any(|line| line.ends_with('{'));
        let length = lines[at..].iter().take_while(|line| **line != end).count() + 1;
        if has_body && length > lines_max {
            long.push((at + 1, length));
        }
    }
    long
}

#[test]
fn no_function_is_longer_than_a_page() {
    let sample = "trait T {\n    fn f();\n    fn g(\n        a: u8,\n    ) {\n        a;\n    }\n}\n";
    assert_eq!((long_functions(sample, 4), long_functions(sample, 5)), (vec![(3, 5)], vec![]));
    let is_source = |file: &PathBuf| file.components().any(|part| part.as_os_str() == "src");
    for file in rust_files().into_iter().filter(is_source) {
        let long = long_functions(&std::fs::read_to_string(&file).unwrap(), 60);
        assert!(long.is_empty(), "{}: functions of more than 60 lines (line, lines): {long:?}", file.display());
    }
}

/// Whether a line of code begins a function.
fn begins_a_function(line: &str) -> bool {
    let mut words = line.split(' ').skip_while(|word| word.starts_with("pub") || ["const", "async"].contains(word));
    words.next() == Some("fn")
}

#[test]
fn both_mains_of_the_app_and_the_generators_are_short() {
    for main in ["app/src/main.rs", "app/src/bin/origin.rs", "loadgen/src/main.rs"] {
        let text = std::fs::read_to_string(root().join(main)).unwrap();
        let body = text.split_once("fn main()").unwrap().1;
        assert!(body.lines().count() < 40, "{main}");
    }
}
