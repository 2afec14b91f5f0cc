//! `part.jsonl`: what one of several processes that drive a run has seen, line by line. Its lines are the generator's own.

use std::fs;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use crate::files::atomic::{AtomicFile, refuse_links};
use crate::files::error::ReportError;
use crate::files::folder::StrategyFolder;
use crate::files::{FileKind, open};

/// A file that is being read, and where it is.
pub struct PartFile {
    from: BufReader<std::io::Take<fs::File>>,
    path: PathBuf,
}

impl PartFile {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Read for PartFile {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.from.read(into)
    }
}

impl StrategyFolder {
    /// Begins `part.jsonl`; it appears when it is committed.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn begin_part(&self) -> Result<AtomicFile, ReportError> {
        let path = self.path().join("part.jsonl");
        refuse_links(&self.run, &path)?;
        AtomicFile::create(&path)
    }

    /// Opens `part.jsonl`, for as many bytes as it has; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`]; [`ReportError::NotAFile`]; [`ReportError::TooLarge`].
    pub fn open_part(&self) -> Result<Option<PartFile>, ReportError> {
        let path = self.path().join("part.jsonl");
        if fs::symlink_metadata(&path).is_err() {
            return Ok(None);
        }
        let (file, length) = open(&path, FileKind::Ledger)?;
        Ok(Some(PartFile { from: BufReader::with_capacity(1 << 16, file.take(length)), path }))
    }
}
