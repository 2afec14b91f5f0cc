//! `run.json` as text: written pretty, read with suspicion (see `json.rs`).

use crate::files::error::RunJsonProblem;
use crate::record::json::{self, DocumentFault};
use crate::record::{RUN_SCHEMA, Run};

/// Reads the bytes of a `run.json`.
///
/// # Errors
///
/// One [`RunJsonProblem`] for each way in which the file can be unusable.
pub fn parse_run(bytes: &[u8]) -> Result<Run, RunJsonProblem> {
    json::read(bytes, RUN_SCHEMA).map_err(RunJsonProblem::from)
}

impl From<DocumentFault> for RunJsonProblem {
    fn from(fault: DocumentFault) -> Self {
        match fault {
            DocumentFault::Empty => Self::Empty,
            DocumentFault::NotUtf8 { byte } => Self::NotUtf8 { byte },
            DocumentFault::EndsEarly { byte } => Self::EndsEarly { byte },
            DocumentFault::Conflict { line, marker } => Self::Conflict { line, marker },
            DocumentFault::Malformed { line, column, problem } => Self::Malformed { line, column, problem },
            DocumentFault::NoSchema => Self::NoSchema,
            DocumentFault::Newer { found } => Self::NewerSchema { found },
            DocumentFault::Other { found } => Self::OtherSchema { found },
            DocumentFault::Nonsense { problem } => Self::Malformed { line: 1, column: 1, problem },
        }
    }
}

/// The text of a `run.json`, pretty, with a newline at its end.
pub(crate) fn print_run(run: &Run) -> Result<String, RunJsonProblem> {
    let unwritable = |problem: String| RunJsonProblem::Unwritable { problem };
    let mut text = serde_json::to_string_pretty(run).map_err(|error| unwritable(error.to_string()))?;
    text.push('\n');
    // JSON turns NaN into null, which a plain number cannot be read from: better found here than next year.
    parse_run(text.as_bytes()).map_err(|problem| unwritable(problem.to_string()))?;
    Ok(text)
}
