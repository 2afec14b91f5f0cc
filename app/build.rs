//! Gives the build a name: a hash of the sources that decide what a replica does. A load generator and containers built
//! from the same sources have the same, so that one never drives yesterday's strategies by mistake.

use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

/// What decides, from this room's folder.
const SOURCES: [&str; 8] = [
    "src",
    "../evidence/src",
    "../strategies/src",
    "../tls/src",
    "../scenarios/src/values/law.rs",
    "../scenarios/src/values/service.rs",
    "../scenarios/src/plan/draw.rs",
    "../Cargo.lock",
];

fn main() {
    let mut files = Vec::new();
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
        collect(Path::new(source), &mut files);
    }
    files.sort();
    // SipHash with fixed keys: the same in every build by one toolchain, and nobody has to be kept from forging it.
    let mut hash = DefaultHasher::new();
    for file in files {
        hash.write(file.to_string_lossy().as_bytes());
        hash.write(&std::fs::read(&file).unwrap_or_default());
    }
    println!("cargo:rustc-env=LAB_BUILD={:016x}", hash.finish());
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().for_each(|entry| collect(&entry.path(), files)),
        Err(_) => files.push(path.to_owned()),
    }
}
