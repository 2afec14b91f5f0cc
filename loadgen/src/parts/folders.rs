//! Which folders are parts, of those that `merge` is given: each by its own name, or by that of one that they are in.

use std::path::{Path, PathBuf};

use report::sweep::SweepFolder;

use super::read::refused;
use super::record::PartRecord;
use crate::shell::exit::Failure;

/// The parts' folders that a folder stands for: itself, or those that it has in it. One that lacks its record is among them, for it would be
/// missed without a word.
pub(super) fn folders(at: &Path) -> Vec<PathBuf> {
    if is_part(at) || lacks(at).is_some() {
        return vec![at.to_owned()];
    }
    let mut inside: Vec<PathBuf> =
        entries(at).into_iter().filter(|path| is_part(path) || lacks(path).is_some()).collect();
    inside.sort();
    // Neither: what is missing in it is told of itself.
    if inside.is_empty() { vec![at.to_owned()] } else { inside }
}

/// What is wrong with a path that is no part of anything.
pub(super) fn no_part(at: &Path) -> Option<Failure> {
    if is_part(at) {
        return None;
    }
    if let Some((file, says)) = lacks(at) {
        let needed = format!("the file that says {says}");
        return Some(refused(
            at,
            &format!("no {file}"),
            &needed,
            "copy the folder anew, or take it out and run that part again",
        ));
    }
    let found = match () {
        () if !at.exists() => "nothing there",
        () if !at.is_dir() => "a file",
        () if at.join("run.json").is_file() => "a whole run",
        () => "neither shards nor parts in it",
    };
    let needed = "the folder of a shard or of a part of a sweep, or one that they are in";
    Some(refused(at, found, needed, "run --shard I/N makes a shard, sweep --points I/N a part"))
}

fn is_part(at: &Path) -> bool {
    PartRecord::is_in(at) || SweepFolder::at(at).is_one()
}

/// The file that a folder lacks which has everything else of a part, and what it says.
fn lacks(at: &Path) -> Option<(&'static str, &'static str)> {
    if is_part(at) || at.join("run.json").is_file() {
        return None;
    }
    let is_called = |is: &str| at.file_name().is_some_and(|name| name.to_string_lossy().contains(is));
    if has_lines(at) || is_called("-shard-") && at.join("scenario.toml").is_file() {
        return Some(("part.json", "which shard of which run it is"));
    }
    at.join("sweep.csv").is_file().then_some(("sweep.json", "which part of which sweep it is"))
}

/// Whether a folder has what a shard saw of some strategy, once or in repeats.
fn has_lines(at: &Path) -> bool {
    let is_there = |at: &Path| at.join("part.jsonl").is_file();
    let strategies = entries(at);
    strategies.iter().any(|at| !is_repeat(at) && (is_there(at) || is_there(&at.join("r01"))))
}

/// Whether it is one of a strategy's repeats, `r01`.
fn is_repeat(at: &Path) -> bool {
    let number = at.file_name().and_then(|name| name.to_str()?.strip_prefix('r'));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

fn entries(at: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(at).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect()
}
