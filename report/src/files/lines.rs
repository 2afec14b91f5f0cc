//! A file of lines, read one after the other: what is held does not grow with the file.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Take};
use std::path::{Path, PathBuf};

use crate::files::error::{ReportError, io_error, not_utf8};
use crate::files::{FileKind, open, too_large};

/// The longest line, or row of several lines, bytes: no text is longer than [`crate::record::bounds::TEXT_MAX`], and a row has few.
const LINE_MAX: usize = 1 << 20;
/// The most lines that a row with line breaks in its cells may have. Each costs a look at the row from its start.
const LINES_OF_A_ROW_MAX: usize = 1000;

/// The lines of a file.
pub(crate) struct FileLines {
    path: PathBuf,
    from: BufReader<Take<File>>,
    kind: FileKind,
    /// The lines read by now, and their bytes.
    number: usize,
    bytes: u64,
    /// How many more rows there may be.
    rows_left: usize,
    row: Vec<u8>,
}

/// A row of a file, which may have several lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileRow<'l> {
    path: &'l Path,
    /// The number of its first line, counted from 1.
    pub(crate) number: usize,
    pub(crate) text: &'l str,
}

impl FileRow<'_> {
    /// What is wrong with it.
    pub(crate) fn fault(self, problem: impl Into<String>) -> ReportError {
        ReportError::Row { path: self.path.to_owned(), line: self.number, problem: problem.into() }
    }
}

impl FileLines {
    /// Opens a file; nothing is read yet.
    ///
    /// # Errors
    /// As [`crate::files::read_file`].
    pub(crate) fn open(path: &Path, kind: FileKind) -> Result<Self, ReportError> {
        let (file, _) = open(path, kind)?;
        // What it says of its length need not be so, and it may grow: one byte more than allowed is read.
        let from = BufReader::with_capacity(1 << 16, file.take(kind.max_bytes() + 1));
        let (number, bytes, rows_left) = (0, 0, kind.max_rows());
        Ok(Self { path: path.to_owned(), from, kind, number, bytes, rows_left, row: Vec::new() })
    }

    /// The next row without the break at its end; `None` at the end of the file. A row is a line, and goes on with the
    /// next one for as long as `is_open` says so of what there is of it.
    ///
    /// # Errors
    /// [`ReportError::Io`], also where it is not UTF-8; [`ReportError::TooLarge`]; [`ReportError::Row`] where a row is too long,
    /// or one too many.
    pub(crate) fn next(&mut self, is_open: fn(&str) -> bool) -> Result<Option<FileRow<'_>>, ReportError> {
        self.row.clear();
        let first = self.number + 1;
        while self.number + 1 - first <= LINES_OF_A_ROW_MAX {
            let at = self.row.len();
            if self.append()? == 0 {
                break;
            }
            self.require_utf8(at)?;
            if !is_open(text(&self.row)) {
                break;
            }
        }
        if self.row.is_empty() {
            return Ok(None);
        }
        self.rows_left = match self.rows_left.checked_sub(1) {
            Some(left) => left,
            None => return Err(self.fault(first, "found more rows than any run has")),
        };
        let row = text(&self.row);
        let row = row.strip_suffix('\n').unwrap_or(row);
        // A byte order mark, which some editors put in front.
        let row = if first == 1 { row.trim_start_matches('\u{feff}') } else { row };
        Ok(Some(FileRow { path: &self.path, number: first, text: row }))
    }

    /// What is wrong with a line of this file.
    pub(crate) fn fault(&self, number: usize, problem: impl Into<String>) -> ReportError {
        FileRow { path: &self.path, number, text: "" }.fault(problem)
    }

    /// Appends the next line to the row; says how many bytes it has, none at the end of the file.
    fn append(&mut self) -> Result<usize, ReportError> {
        let left = (LINE_MAX + 1).saturating_sub(self.row.len());
        let line = self.from.by_ref().take(left as u64).read_until(b'\n', &mut self.row);
        let found = line.map_err(io_error("read", &self.path))?;
        if self.row.len() > LINE_MAX {
            return Err(
                self.fault(self.number + 1, format!("found a row of more than {LINE_MAX} bytes, allowed {LINE_MAX}"))
            );
        }
        self.number += usize::from(found > 0);
        self.bytes += found as u64;
        if self.bytes > self.kind.max_bytes() {
            return Err(too_large(&self.path, self.kind, self.bytes));
        }
        Ok(found)
    }

    /// Refuses bytes of the row from `at` on that are no text.
    fn require_utf8(&self, at: usize) -> Result<(), ReportError> {
        let line = self.row.get(at..).unwrap_or_default();
        let Err(error) = std::str::from_utf8(line) else { return Ok(()) };
        Err(not_utf8(&self.path, self.bytes - line.len() as u64 + error.valid_up_to() as u64))
    }
}

/// A row's text; each of its lines was looked at when it came.
fn text(row: &[u8]) -> &str {
    std::str::from_utf8(row).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> (tempfile::TempDir, FileLines) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        std::fs::write(&path, text).unwrap();
        let lines = FileLines::open(&path, FileKind::Rows).unwrap();
        (folder, lines)
    }

    fn is_open(row: &str) -> bool {
        row.matches('"').count() % 2 == 1
    }

    #[test]
    fn rows_of_several_lines_are_whole_and_numbered_by_their_first() {
        let (_folder, mut lines) = lines("\u{feff}a\n\"b\nc\"\n\nd".as_bytes());
        let mut found = Vec::new();
        while let Some(line) = lines.next(is_open).unwrap() {
            found.push((line.number, line.text.to_owned()));
        }
        let expected = [(1, "a"), (2, "\"b\nc\""), (4, ""), (5, "d")];
        assert_eq!(found, expected.map(|(line, row)| (line, row.to_owned())));
    }

    #[test]
    fn rows_without_an_end_and_bytes_that_are_no_text_are_refused() {
        for (text, words) in [
            (vec![b'x'; LINE_MAX + 2], "found a row of more than"),
            ([&b"a,b\n"[..], &[0xff]].concat(), "not UTF-8 text from byte 4 on"),
        ] {
            let (_folder, mut lines) = lines(&text);
            let error = std::iter::from_fn(|| lines.next(is_open).map(|row| row.map(|_| ())).transpose())
                .find_map(Result::err)
                .unwrap()
                .to_string();
            assert!(error.contains(words), "{error}");
        }
        // Cut off where its lines become too many, and then judged as what it is: a row that is never closed.
        let (_folder, mut lines) = lines(format!("\"{}", "\n".repeat(5 * LINES_OF_A_ROW_MAX)).as_bytes());
        let row = lines.next(is_open).unwrap().unwrap().text;
        assert!(is_open(row) && row.len() < 2 * LINES_OF_A_ROW_MAX);
    }
}
