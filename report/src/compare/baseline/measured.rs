//! The baseline of a real run: every run of every strategy, whole, for two real runs are never equal.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::files::atomic::write_atomic;
use crate::files::error::ReportError;
use crate::files::{FileKind, read_file};
use crate::record::json::{self, Document, DocumentProblem, Fault};
use crate::record::{Run, Strategy};

/// The schema of a real run's baseline that this build writes and reads.
pub const MEASURED_SCHEMA: &str = "stampede.measured/v1";

const DOCUMENT: Document = Document { name: "baseline", schema: MEASURED_SCHEMA, maker: "loadgen promote RUN" };

/// What a real run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// Always [`MEASURED_SCHEMA`].
    #[schemars(extend("const" = MEASURED_SCHEMA))]
    pub schema: String,
    /// Every field of the resolved scenario, by its dotted path, as text.
    pub settings: BTreeMap<String, String>,
    /// How long the origin itself needed for a read, by its own ledger: the median of each strategy, milliseconds.
    pub origin_ms: BTreeMap<String, f64>,
    /// The record, with its repeats.
    pub run: Run,
}

/// Reads a real run's baseline.
///
/// # Errors
///
/// [`ReportError::Io`], or [`ReportError::Document`] with what is wrong in it.
pub fn read_measured(path: &Path) -> Result<Measured, ReportError> {
    let bytes = read_file(path, FileKind::Document)?;
    let wrong =
        |fault| ReportError::Document { path: path.to_owned(), problem: DocumentProblem { document: DOCUMENT, fault } };
    let measured: Measured = json::read(&bytes, MEASURED_SCHEMA).map_err(wrong)?;
    let counts = |strategy: &Strategy| strategy.runs().all(|run| run.requests > 0 && run.valid);
    let problem = match measured.run.strategies.as_slice() {
        [] => "it has no strategy",
        all if all.iter().all(counts) => return Ok(measured),
        _ => "a run in it has no requests, or is invalid",
    };
    Err(wrong(Fault::Nonsense { problem: problem.to_owned() }))
}

/// Writes a real run's baseline.
///
/// # Errors
///
/// [`ReportError::Io`], or [`ReportError::Document`] for one that would not read back.
pub fn write_measured(path: &Path, measured: &Measured) -> Result<(), ReportError> {
    let unwritable = |problem: String| ReportError::Document {
        path: path.to_owned(),
        problem: DocumentProblem { document: DOCUMENT, fault: Fault::Nonsense { problem } },
    };
    let text = serde_json::to_string_pretty(measured).map_err(|error| unwritable(error.to_string()))?;
    json::read::<Measured>(text.as_bytes(), MEASURED_SCHEMA).map_err(|fault| ReportError::Document {
        path: path.to_owned(),
        problem: DocumentProblem { document: DOCUMENT, fault },
    })?;
    write_atomic(path, |out| writeln!(out, "{text}"))
}
