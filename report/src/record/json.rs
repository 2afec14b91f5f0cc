//! JSON documents with a schema at their top, read with suspicion.
//!
//! A result may come from an interrupted run, a newer lab or a botched merge. Each of these is told apart, because the
//! remedies differ, and the schema is looked at before the fields are.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed as _};

use crate::record::walk::{DocumentPlace, DocumentWalk};
use crate::text::phrases::cut;

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DocumentFault {
    /// Nothing in it.
    Empty,
    /// Not text from this byte on.
    NotUtf8 { byte: usize },
    /// The JSON stops in the middle.
    EndsEarly { byte: usize },
    /// A line that git left.
    Conflict { line: usize, marker: String },
    /// Broken JSON, or a field that does not fit.
    Malformed { line: usize, column: usize, problem: String },
    /// JSON, but nothing says what of.
    NoSchema,
    /// The same document of a later lab.
    Newer { found: String },
    /// Something else.
    Other { found: String },
    /// JSON with all its fields, and a value that cannot be.
    Nonsense { problem: String },
}

/// What is wrong with a document that is not `run.json`, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentProblem {
    /// What it is called, its schema, and what makes it again.
    pub(crate) name: &'static str,
    pub(crate) schema: &'static str,
    pub(crate) maker: &'static str,
    pub(crate) fault: DocumentFault,
}

impl std::error::Error for DocumentProblem {}

impl fmt::Display for DocumentProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, schema, maker, fault } = self;
        match fault {
            DocumentFault::Empty => write!(f, "the file is empty; make it again: {maker}"),
            DocumentFault::NotUtf8 { byte } => write!(f, "not UTF-8 text from byte {byte} on; this is no {name}"),
            DocumentFault::EndsEarly { byte } => {
                write!(f, "ends early at byte {byte}: whatever wrote it was interrupted; make it again: {maker}")
            }
            DocumentFault::Conflict { line, marker } => write!(
                f,
                "line {line} is a conflict marker of git ({marker}); take one side whole with `git checkout --ours` or \
                 `--theirs`, or make it again: {maker}"
            ),
            DocumentFault::Malformed { line, column, problem } => {
                write!(f, "line {line}, column {column}: {problem}; make it again: {maker}")
            }
            DocumentFault::NoSchema => {
                write!(f, "has no \"schema\" at its top, where {schema:?} is expected; this is no {name}")
            }
            DocumentFault::Newer { found } => {
                write!(f, "schema {found:?} is newer than this build, which reads {schema:?}; build a later lab")
            }
            DocumentFault::Other { found } => {
                write!(f, "schema {found:?} where {schema:?} is expected; this is no {name}")
            }
            DocumentFault::Nonsense { problem } => write!(f, "{problem}; make it again: {maker}"),
        }
    }
}

/// The name and version of the schema alone; everything else in the file is ignored.
#[derive(Deserialize)]
struct SchemaOnly {
    schema: Option<String>,
}

/// Reads a document of exactly this schema, `stampede.run/v1`.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8], schema: &str) -> Result<T, DocumentFault> {
    let text = std::str::from_utf8(bytes).map_err(|error| DocumentFault::NotUtf8 { byte: error.valid_up_to() })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(DocumentFault::Empty);
    }
    let head: SchemaOnly = serde_json::from_str(text).map_err(|error| diagnose(text, bytes.len(), &error))?;
    match head.schema {
        None => return Err(DocumentFault::NoSchema),
        Some(found) if found == schema => {}
        Some(found) if is_newer(&found, schema) => return Err(DocumentFault::Newer { found: cut(&found, 60) }),
        Some(found) => return Err(DocumentFault::Other { found: cut(&found, 60) }),
    }
    let mut walked = serde_json::Deserializer::from_str(text);
    let within = DocumentWalk(&mut DocumentPlace::default()).deserialize(&mut walked);
    within.map_err(|error| diagnose(text, bytes.len(), &error))?;
    serde_json::from_str(text).map_err(|error| diagnose(text, bytes.len(), &error))
}

/// Whether both are the same document and the found one's number is the higher.
fn is_newer(found: &str, schema: &str) -> bool {
    let split = |schema: &str| {
        let (name, version) = schema.rsplit_once("/v")?;
        Some((name.to_owned(), version.parse::<u64>().ok()?))
    };
    match (split(found), split(schema)) {
        (Some((found, version)), Some((name, known))) => found == name && version > known,
        _ => false,
    }
}

fn diagnose(text: &str, bytes: usize, error: &serde_json::Error) -> DocumentFault {
    if let Some(fault) = conflict(text) {
        return fault;
    }
    if error.is_eof() {
        return DocumentFault::EndsEarly { byte: bytes };
    }
    // serde_json ends its message with the place, which is told apart from it here.
    let message = error.to_string();
    let problem = message.split(" at line ").next().unwrap_or(&message).to_owned();
    DocumentFault::Malformed { line: error.line(), column: error.column(), problem }
}

/// A line that only git writes. Inside a JSON string a newline is `\n`, so no value can look like one.
fn conflict(text: &str) -> Option<DocumentFault> {
    let is_marker = |line: &str| ["<<<<<<<", ">>>>>>>", "|||||||"].iter().any(|marker| line.starts_with(marker));
    let (number, line) = text.lines().enumerate().find(|(_, line)| is_marker(line) || *line == "=======")?;
    Some(DocumentFault::Conflict { line: number + 1, marker: line.chars().take(7).collect() })
}
