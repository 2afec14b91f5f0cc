//! What one of several processes that drive a run writes down: a line of JSON for each thing that it has seen, to be put together with the
//! others' (`loadgen merge`).

use std::io::Write as _;

use report::{AtomicFile, ReportError, StrategyFolder};
use serde::Serialize;

/// `part.jsonl` while it is being written. It appears when it is whole.
pub struct PartWriter {
    file: AtomicFile,
    at: std::path::PathBuf,
}

impl PartWriter {
    /// Begins one in a strategy's folder.
    ///
    /// # Errors
    /// [`ReportError::Io`].
    pub fn begin(files: &StrategyFolder) -> Result<Self, ReportError> {
        Ok(Self { file: files.begin_part()?, at: files.path().to_owned() })
    }

    /// Writes a line: `{"KIND":VALUE}`.
    ///
    /// # Errors
    /// [`ReportError::Io`].
    pub fn line(&mut self, kind: &str, value: &impl Serialize) -> Result<(), ReportError> {
        let mut write = || {
            write!(self.file, "{{\"{kind}\":")?;
            serde_json::to_writer(&mut self.file, value)?;
            self.file.write_all(b"}\n")
        };
        write().map_err(|source| ReportError::Io { action: "write", path: self.at.clone(), source })
    }

    /// The folder in which it is.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.at
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// [`ReportError::Io`].
    pub fn commit(self) -> Result<(), ReportError> {
        self.file.commit()
    }
}
