//! A baseline as a file.

use std::collections::BTreeSet;
use std::path::Path;

use super::{BASELINE_SCHEMA, Baseline};
use crate::files::atomic::write_atomic;
use crate::files::error::ReportError;
use crate::files::{FileKind, read_file};
use crate::record::json::{self, Document, DocumentProblem, Fault};

const DOCUMENT: Document = Document { name: "baseline", schema: BASELINE_SCHEMA, maker: "loadgen promote RUN" };

/// Reads a baseline's bytes.
///
/// # Errors
///
/// [`DocumentProblem`]: no JSON, another schema, a key that is there twice, or values that no run can have come to.
pub fn parse_baseline(bytes: &[u8]) -> Result<Baseline, DocumentProblem> {
    let wrong = |fault| DocumentProblem { document: DOCUMENT, fault };
    let baseline: Baseline = json::read(bytes, BASELINE_SCHEMA).map_err(wrong)?;
    match nonsense(&baseline) {
        Some(problem) => Err(wrong(Fault::Nonsense { problem })),
        None => Ok(baseline),
    }
}

/// Reads a baseline.
///
/// # Errors
///
/// [`ReportError::Io`], or [`ReportError::Document`] with what is wrong in it.
pub fn read_baseline(path: &Path) -> Result<Baseline, ReportError> {
    let bytes = read_file(path, FileKind::Document)?;
    parse_baseline(&bytes).map_err(|problem| ReportError::Document { path: path.to_owned(), problem })
}

/// Writes a baseline, one figure a line.
///
/// # Errors
///
/// [`ReportError::Io`], or [`ReportError::Document`] for one that would not read back.
pub fn write_baseline(path: &Path, baseline: &Baseline) -> Result<(), ReportError> {
    let document = |problem| ReportError::Document { path: path.to_owned(), problem };
    let unwritable = |error: serde_json::Error| Fault::Nonsense { problem: error.to_string() };
    let text = serde_json::to_string_pretty(baseline)
        .map_err(|error| document(DocumentProblem { document: DOCUMENT, fault: unwritable(error) }))?;
    parse_baseline(text.as_bytes()).map_err(document)?;
    write_atomic(path, |out| writeln!(out, "{text}"))
}

/// What no run can have come to: a gate that held anyone to it would guard nothing.
fn nonsense(baseline: &Baseline) -> Option<String> {
    if baseline.strategies.is_empty() {
        return Some("it has no strategy".to_owned());
    }
    let mut names = BTreeSet::new();
    baseline.strategies.iter().find_map(|held| {
        let name = &held.name;
        if !names.insert(name) {
            return Some(format!("the strategy {name:?} is there twice"));
        }
        let requests = held.figures.get("requests").and_then(Option::as_ref).and_then(serde_json::Number::as_u64);
        if requests.is_none_or(|requests| requests == 0) {
            return Some(format!("{name} has no requests"));
        }
        None
    })
}
