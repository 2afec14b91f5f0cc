//! `history`: an index page of all runs below a folder, and the course of their figures.
//!
//! Runs are read one after the other, and what the index needs of one is all that is kept of it.

use std::fs;
use std::path::{Path, PathBuf};

use report::history::{History, history_page};
use report::text::escape::line;

use crate::cli::history::HistoryArgs;
use crate::cli::pages::open_page;
use crate::shell::exit::{Exit, Failure};
use crate::shell::output;
use crate::study::gate::{CandidateRun, circumstances};
use crate::study::noise;

/// The page's name in the folder.
const PAGE: &str = "history.html";
/// So deep runs are looked for.
const DEPTH_MAX: usize = 6;
/// So many folders are looked into.
const FOLDERS_MAX: usize = 100_000;
/// So many runs are read; of more the newest by their names, which begin with when they began.
const RUNS_MAX: usize = 10_000;

/// Writes the page and says where it is.
///
/// # Errors
/// [`Failure`] where the folder can't be read, has no run, or can't be written into.
pub fn history(args: &HistoryArgs) -> Result<Exit, Failure> {
    let root = &args.folder;
    let (mut folders, more) = run_folders(root)?;
    let shown = root.display();
    if folders.is_empty() {
        return Err(Failure::usage(format!(
            "no run · DIR · found no run.json in {shown} and the folders below it, needed one at least · name the folder that runs were \
             written to (-o)"
        )));
    }
    folders.sort_by(|a, b| b.file_name().cmp(&a.file_name()));
    let left_out = folders.len().saturating_sub(RUNS_MAX);
    folders.truncate(RUNS_MAX);
    let mut history = History::default();
    for folder in &folders {
        let name = folder.strip_prefix(root).unwrap_or(folder).display().to_string();
        match CandidateRun::read(folder) {
            Ok(CandidateRun { run, settings, .. }) => {
                let noise = noise::of(&args.noise, &run)?;
                history.add(name, &run, circumstances(&run, &settings), noise);
            }
            Err(failure) => history.unreadable.push((name, line(failure.text.trim_start_matches("error: ")))),
        }
    }
    let page = root.join(PAGE);
    let name = root.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let text = history_page(&history, &name.unwrap_or_else(|| shown.to_string()));
    report::write_inside(root, &page, |out| out.write_all(text.as_bytes())).map_err(Failure::usage)?;
    output::out(&format!("{}\n", page.display()))?;
    let warn = |is: bool, text: String| {
        if is {
            output::err(&format!("warning: {text}\n"));
        }
    };
    let unreadable = history.unreadable.len();
    warn(unreadable > 0, format!("{unreadable} of {} runs could not be read; the page says why", folders.len()));
    warn(left_out > 0, format!("{left_out} older runs are left out: {RUNS_MAX} are shown"));
    warn(more, format!("not every folder was looked into: at most {FOLDERS_MAX}, {DEPTH_MAX} deep"));
    if args.open {
        open_page(Some(&page));
    }
    Ok(Exit::Ok)
}

/// Every folder below `root` that has a `run.json`, and whether there may be more. What lies in a run's folder is that run's; links are
/// not followed.
fn run_folders(root: &Path) -> Result<(Vec<PathBuf>, bool), Failure> {
    let (mut found, mut looked_into, mut more) = (Vec::new(), 0, false);
    let mut left = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = left.pop() {
        if folder.join("run.json").symlink_metadata().is_ok() {
            found.push(folder);
            continue;
        }
        looked_into += 1;
        if depth == DEPTH_MAX || looked_into > FOLDERS_MAX {
            more = true;
            continue;
        }
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(_) if depth > 0 => continue,
            Err(why) => {
                let shown = folder.display();
                return Err(Failure::usage(format!(
                    "cannot read the folder · {shown} · {why} · name the folder of your runs"
                )));
            }
        };
        let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        left.extend(folders.map(|entry| (entry.path(), depth + 1)));
    }
    Ok((found, more))
}
