//! Why a trace cannot be read: what happened, where, what was found, and the remedy.

use std::io;
use std::path::PathBuf;

use crate::bad::BadRows;

/// Why a trace cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// There is no such file, or it may not be read.
    #[error("{path}: {source} · name a file that can be read")]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Reading failed on the way. The rows before it were right.
    #[error(
        "{path}: after line {line}: {source} · is the file whole? A gzip file that is cut off or damaged must be made again"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The last line that was whole.
        line: u64,
        /// The reason.
        source: io::Error,
    },
    /// Packed by something that is not read here.
    #[error("{path}: packed by {by}, allowed: plain text or gzip · unpack it first: {remedy}")]
    Packed {
        /// The file.
        path: PathBuf,
        /// By what.
        by: &'static str,
        /// The command that unpacks it.
        remedy: &'static str,
    },
    /// The first rows are none of the formats', or of several.
    #[error(
        "{path}: its format is not recognised: {found} · say which it is: csv (time_s,key[,op[,size[,ttl_s]]]), twitter \
         (timestamp,key,key size,value size,client,op,TTL) or combined (an access log of nginx or Apache)"
    )]
    Unrecognised {
        /// The file.
        path: PathBuf,
        /// What the first rows look like.
        found: String,
    },
    /// A regular expression that cannot be used.
    #[error("{what}: {found} · {remedy}")]
    Pattern {
        /// Where it stands: `key`, or the class.
        what: String,
        /// What is wrong with it.
        found: String,
        /// What is to be done.
        remedy: &'static str,
    },
    /// A setting outside its range.
    #[error("{what}: found {found}, allowed {allowed}")]
    Setting {
        /// Its name.
        what: &'static str,
        /// Its value.
        found: String,
        /// Its range.
        allowed: &'static str,
    },
    /// More than one row in a hundred is bad.
    #[error("{path}: {rows} · more than 1 % is refused: correct the file, or say its format")]
    TooManyBad {
        /// The file.
        path: PathBuf,
        /// How many, and the first.
        rows: BadRows,
    },
    /// More distinct keys than are numbered.
    #[error("more than {max} distinct keys · cut the trace with from and to, or put keys together with key")]
    TooManyKeys {
        /// The most that are allowed.
        max: u32,
    },
    /// Nothing is left to replay.
    #[error("{path}: no row {found} · check from, to and key")]
    Empty {
        /// The file.
        path: PathBuf,
        /// What was seen instead.
        found: String,
    },
}
