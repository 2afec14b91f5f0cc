//! Reading a file that may be anybody's: regular files only, and none larger than its kind may be.
//!
//! A device, a pipe or a socket in a record's place would hold the reader for ever or fill the memory, and so would a file
//! without a limit. docs/records.md has the limits for people.

pub(crate) mod atomic;
pub(crate) mod csv;
pub(crate) mod document;
pub(crate) mod error;
pub(crate) mod folder;
pub(crate) mod hlog;
mod latency;
pub(crate) mod lines;
pub(crate) mod packed;
pub(crate) mod part;
pub(crate) mod rows;
pub(crate) mod server_rows;
pub(crate) mod shard_rows;
pub(crate) mod write_rows;

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use crate::files::error::{ReportError, io_error, not_utf8};

const MIB: u64 = 1 << 20;

/// What a file is, which says how large it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `run.json`, a baseline, a noise file.
    Document,
    /// `sweep.json`, which grows with the settings tried.
    Sweep,
    /// `scenario.toml`.
    Settings,
    /// `seconds.csv`, `bins100ms.csv`, `containers.csv`, `cache.csv`.
    Rows,
    /// `latency.hlog`.
    Latency,
    /// `origin.csv`, `events.jsonl`, `writes.csv`, `answers.csv` and `part.jsonl`, which grow with the origin's reads, the writes and the
    /// answers.
    Ledger,
}

impl FileKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Document, Self::Sweep, Self::Settings, Self::Rows, Self::Latency, Self::Ledger];

    /// The largest size, bytes.
    #[must_use]
    pub const fn max_bytes(self) -> u64 {
        match self {
            Self::Settings => MIB,
            Self::Document => 128 * MIB,
            Self::Sweep => 512 * MIB,
            Self::Latency => 256 * MIB,
            Self::Rows => 128 * MIB,
            Self::Ledger => 2048 * MIB,
        }
    }

    /// The most rows, where it has rows.
    #[must_use]
    pub const fn max_rows(self) -> usize {
        match self {
            Self::Ledger => 20_000_000,
            _ => 2_000_000,
        }
    }
}

/// Opens a file, and says how large it says it is.
///
/// # Errors
///
/// [`ReportError::Io`]; [`ReportError::NotAFile`] for anything but a regular file; [`ReportError::TooLarge`].
pub(crate) fn open(path: &Path, kind: FileKind) -> Result<(File, u64), ReportError> {
    // Looked at before it is opened: to open a pipe waits for its writer, to open a device may do something.
    let found = fs::metadata(path).map_err(io_error("read", path))?;
    if !found.is_file() {
        let found = if found.is_dir() { "a folder" } else { "a device, a pipe or a socket" };
        return Err(ReportError::NotAFile { path: path.to_owned(), found });
    }
    if found.len() > kind.max_bytes() {
        return Err(too_large(path, kind, found.len()));
    }
    Ok((File::open(path).map_err(io_error("read", path))?, found.len()))
}

/// A file's bytes.
///
/// # Errors
///
/// [`ReportError::Io`]; [`ReportError::NotAFile`] for anything but a regular file; [`ReportError::TooLarge`].
pub fn read_file(path: &Path, kind: FileKind) -> Result<Vec<u8>, ReportError> {
    let (file, length) = open(path, kind)?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    // What it says of its length need not be so, and it may grow: one byte more than allowed is read.
    let read = file.take(kind.max_bytes() + 1).read_to_end(&mut bytes).map_err(io_error("read", path))?;
    if read as u64 > kind.max_bytes() {
        return Err(too_large(path, kind, read as u64));
    }
    Ok(bytes)
}

pub(crate) fn too_large(path: &Path, kind: FileKind, found: u64) -> ReportError {
    ReportError::TooLarge { path: path.to_owned(), found, allowed: kind.max_bytes() }
}

/// A file's text.
///
/// # Errors
///
/// As [`read_file`], and [`ReportError::Io`] where it is not UTF-8.
pub fn read_text(path: &Path, kind: FileKind) -> Result<String, ReportError> {
    let bytes = read_file(path, kind)?;
    String::from_utf8(bytes).map_err(|error| not_utf8(path, error.utf8_error().valid_up_to() as u64))
}
