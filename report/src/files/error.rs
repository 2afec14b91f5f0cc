//! What can go wrong with a run's folder, said so that somebody can act on it.
//!
//! Each message names the file, what was found against what is allowed, and the remedy. No error of this crate panics.

use std::io;
use std::path::{Path, PathBuf};

use crate::record::RUN_SCHEMA;
use crate::record::json::DocumentProblem;

/// Why a run's folder could not be read, written or drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}{}", path.display(), io_remedy(action, source))]
    Io {
        /// `read`, `write` or `create`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something else lies where a file is expected.
    #[error("cannot read {}: found {found}, allowed a regular file; put the record there, or a copy of it", path.display())]
    NotAFile {
        /// Where.
        path: PathBuf,
        /// What lies there.
        found: &'static str,
    },
    /// A file that is larger than its kind may be.
    #[error(
        "cannot read {}: found {found} bytes, allowed {allowed}; no run of the lab writes one so large: is it the right file?",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size, bytes.
        found: u64,
        /// The largest size of its kind, bytes.
        allowed: u64,
    },
    /// A link where a file or folder of the run is to be written: it leads out of the run's folder.
    #[error(
        "cannot write {}: {} is a symbolic link, and what is written for a run stays in its folder; remove the link",
        path.display(),
        link.display()
    )]
    Link {
        /// What was to be written.
        path: PathBuf,
        /// The link.
        link: PathBuf,
    },
    /// `run.json` is not one that this build can use.
    #[error("{}: {problem}", path.display())]
    RunJson {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: RunJsonProblem,
    },
    /// A baseline or a sweep's record is not one that this build can use.
    #[error("{}: {problem}", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: DocumentProblem,
    },
    /// A row of a CSV file or a line of `events.jsonl` does not fit.
    #[error("{}, line {line}: {problem}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What was found against what is allowed.
        problem: String,
    },
    /// `latency.hlog` cannot be understood.
    #[error("{}: {problem}", path.display())]
    Hlog {
        /// The file.
        path: PathBuf,
        /// What was found against what is allowed.
        problem: String,
    },
    /// A strategy's folder name that would leave the run's folder.
    #[error(
        "{name:?} is no folder name for a strategy: it must be a relative path of plain names, like \"naive\" or \
         \"naive/r02\"; correct `folder` in run.json"
    )]
    FolderName {
        /// The name found.
        name: String,
    },
    /// A chart could not be drawn or encoded.
    #[error("cannot draw the chart {chart}: {problem}; this is a bug of the report, the run's records are unharmed")]
    Drawing {
        /// Which chart.
        chart: String,
        /// What the drawing library said.
        problem: String,
    },
}

/// What is wrong with a `run.json`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunJsonProblem {
    /// Nothing in it.
    #[error("the file is empty: the run that wrote it was interrupted; run it again")]
    Empty,
    /// Not text.
    #[error("not UTF-8 text from byte {byte} on; this is no run.json")]
    NotUtf8 {
        /// Offset of the first bad byte.
        byte: usize,
    },
    /// The JSON stops in the middle.
    #[error("ends early at byte {byte}: the run that wrote it was interrupted; run it again")]
    EndsEarly {
        /// Where the file ends.
        byte: usize,
    },
    /// Somebody merged two results with git.
    #[error(
        "line {line} is a conflict marker of git ({marker}); take one side whole with `git checkout --ours` or `--theirs`"
    )]
    Conflict {
        /// The line, counted from 1.
        line: usize,
        /// The marker's seven characters.
        marker: String,
    },
    /// Broken JSON, or a field that does not fit.
    #[error("line {line}, column {column}: {problem}; run.json is written by `loadgen run` and not meant to be edited")]
    Malformed {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What the parser said.
        problem: String,
    },
    /// JSON, but nothing says what of.
    #[error("has no \"schema\" at its top, where {RUN_SCHEMA:?} is expected; this is no run.json")]
    NoSchema,
    /// Written by a newer lab.
    #[error(
        "schema {found:?} is newer than this build, which reads {RUN_SCHEMA:?}; build the lab that wrote it, or a later one"
    )]
    NewerSchema {
        /// The schema found.
        found: String,
    },
    /// Something else altogether.
    #[error("schema {found:?} where {RUN_SCHEMA:?} is expected; this is no run.json, or of an unknown program")]
    OtherSchema {
        /// The schema found.
        found: String,
    },
    /// The record to be written has a number that JSON cannot hold.
    #[error("would not read back ({problem}): a number in it is not finite; unknown numbers are None")]
    Unwritable {
        /// What reading it back said.
        problem: String,
    },
}

fn io_remedy(action: &str, source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; the disk is full: free some space and run again (the file was left as it was before)"
        }
        io::ErrorKind::NotFound if action == "read" => "; is this the folder of a run?",
        io::ErrorKind::PermissionDenied if action == "read" => "; make it readable",
        io::ErrorKind::NotFound
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::AlreadyExists
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::ReadOnlyFilesystem => "; choose another folder, or make this one writable",
        _ => "",
    }
}

/// A file whose bytes are no text from here on.
pub(crate) fn not_utf8(path: &Path, byte: u64) -> ReportError {
    let problem = format!("not UTF-8 text from byte {byte} on");
    io_error("read", path)(io::Error::new(io::ErrorKind::InvalidData, problem))
}

/// For `map_err`: an I/O error with what was attempted on which path.
pub(crate) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ReportError {
    let path = path.to_path_buf();
    move |source| ReportError::Io { action, path, source }
}
