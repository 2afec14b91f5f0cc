//! JSON documents beside `run.json`: a baseline, a noise file, a sweep's record. Each is one type that says what it is.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::files::atomic::write_atomic;
use crate::files::error::ReportError;
use crate::files::{FileKind, read_file};
use crate::record::json::{self, DocumentFault, DocumentProblem};

/// A type whose values are kept as JSON files with a schema at their top.
pub trait Document: Serialize + DeserializeOwned {
    /// What it is called: `baseline`.
    const NAME: &'static str;
    /// The schema that this build writes and reads.
    const SCHEMA: &'static str;
    /// What makes it again.
    const MAKER: &'static str;
    /// How large it may be.
    const KIND: FileKind = FileKind::Document;

    /// What is wrong with a value that has all its fields.
    fn nonsense(&self) -> Option<String>;

    /// Reads the bytes of such a file.
    ///
    /// # Errors
    ///
    /// [`DocumentProblem`]: no JSON, another schema, a key that is there twice, or nonsense.
    fn parse(bytes: &[u8]) -> Result<Self, DocumentProblem> {
        let value: Self = json::read(bytes, Self::SCHEMA).map_err(problem::<Self>)?;
        match value.nonsense() {
            Some(problem_found) => Err(problem::<Self>(DocumentFault::Nonsense { problem: problem_found })),
            None => Ok(value),
        }
    }

    /// Reads such a file.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::Document`] with what is wrong in it.
    fn read(path: &Path) -> Result<Self, ReportError> {
        let bytes = read_file(path, Self::KIND)?;
        Self::parse(&bytes).map_err(|problem| ReportError::Document { path: path.to_owned(), problem })
    }

    /// Writes such a file, one value a line.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::Document`] for one that would not read back.
    fn write(&self, path: &Path) -> Result<(), ReportError> {
        let document = |problem| ReportError::Document { path: path.to_owned(), problem };
        let unwritable = |error: serde_json::Error| DocumentFault::Nonsense { problem: error.to_string() };
        let text = serde_json::to_string_pretty(self).map_err(|e| document(problem::<Self>(unwritable(e))))?;
        // JSON turns NaN into null, which a plain number cannot be read from: better found here than next year.
        Self::parse(text.as_bytes()).map_err(document)?;
        write_atomic(path, |out| writeln!(out, "{text}"))
    }
}

fn problem<D: Document>(fault: DocumentFault) -> DocumentProblem {
    DocumentProblem { name: D::NAME, schema: D::SCHEMA, maker: D::MAKER, fault }
}
