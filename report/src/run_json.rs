//! `run.json` as text: written pretty, read with suspicion.
//!
//! A result may come from an interrupted run, a newer lab or a botched merge. Each of these has its own message, because
//! the remedies differ, and the schema is looked at before the fields are.

use serde::Deserialize;

use crate::error::RunJsonProblem;
use crate::record::{RUN_SCHEMA, Run};

/// The name and version of the schema alone; everything else in the file is ignored.
#[derive(Deserialize)]
struct SchemaOnly {
    schema: Option<String>,
}

/// Reads the bytes of a `run.json`.
///
/// # Errors
///
/// One [`RunJsonProblem`] for each way in which the file can be unusable.
pub fn parse_run(bytes: &[u8]) -> Result<Run, RunJsonProblem> {
    let text = std::str::from_utf8(bytes).map_err(|error| RunJsonProblem::NotUtf8 { byte: error.valid_up_to() })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(RunJsonProblem::Empty);
    }
    let head: SchemaOnly = serde_json::from_str(text).map_err(|error| diagnose(text, bytes.len(), &error))?;
    match head.schema {
        None => return Err(RunJsonProblem::NoSchema),
        Some(found) if found == RUN_SCHEMA => {}
        Some(found) if version_of(&found) > version_of(RUN_SCHEMA) => {
            return Err(RunJsonProblem::NewerSchema { found });
        }
        Some(found) => return Err(RunJsonProblem::OtherSchema { found }),
    }
    serde_json::from_str(text).map_err(|error| diagnose(text, bytes.len(), &error))
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

/// The number after `stampede.run/v`; `None` sorts first and is never newer.
fn version_of(schema: &str) -> Option<u64> {
    schema.strip_prefix("stampede.run/v")?.parse().ok()
}

fn diagnose(text: &str, bytes: usize, error: &serde_json::Error) -> RunJsonProblem {
    if let Some(problem) = conflict(text) {
        return problem;
    }
    if error.is_eof() {
        return RunJsonProblem::EndsEarly { byte: bytes };
    }
    // serde_json ends its message with the place, which is told apart from it here.
    let message = error.to_string();
    let problem = message.split(" at line ").next().unwrap_or(&message).to_owned();
    RunJsonProblem::Malformed { line: error.line(), column: error.column(), problem }
}

/// A line that only git writes. Inside a JSON string a newline is `\n`, so no value can look like one.
fn conflict(text: &str) -> Option<RunJsonProblem> {
    let is_marker = |line: &str| ["<<<<<<<", ">>>>>>>", "|||||||"].iter().any(|marker| line.starts_with(marker));
    let (number, line) = text.lines().enumerate().find(|(_, line)| is_marker(line) || *line == "=======")?;
    Some(RunJsonProblem::Conflict { line: number + 1, marker: line.chars().take(7).collect() })
}
