//! As much CSV (RFC 4180) as the records need, and a guard against spreadsheets.
//!
//! Numbers are written bare. Text is quoted where it must be, and text that a spreadsheet would take for a formula
//! (`=`, `+`, `-`, `@`, tab or carriage return at its start) gets an apostrophe in front, which reading takes away again.
//! The guard is one to one: text that starts with apostrophes before such a character gets one more.

use std::borrow::Cow;
use std::fmt::{Display, Write};
use std::io;

/// Most cells of a record; the lab's files have 19 at most.
const CELLS_MAX: usize = 64;

/// A row under way, cell by cell.
#[derive(Default)]
pub(crate) struct CsvLine(String);

impl CsvLine {
    /// A cell of free text.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        let guard = if looks_like_formula(text) { "'" } else { "" };
        if text.contains(['"', ',', '\n', '\r']) || text.starts_with(' ') || text.ends_with(' ') {
            self.push(&format!("\"{guard}{}\"", text.replace('"', "\"\"")))
        } else {
            self.0.push_str(guard);
            self.push(text)
        }
    }

    /// A number, or nothing where it is unknown.
    pub(crate) fn number<T: Display>(&mut self, number: Option<T>) -> &mut Self {
        if let Some(number) = number {
            // Writing to a String cannot fail.
            let _ = write!(self.0, "{number}");
        }
        self.push("")
    }

    fn push(&mut self, cell: &str) -> &mut Self {
        self.0.push_str(cell);
        self.0.push(',');
        self
    }

    /// Writes the row, and begins the next.
    pub(crate) fn end(&mut self, out: &mut dyn io::Write) -> io::Result<()> {
        self.0.pop();
        self.0.push('\n');
        out.write_all(self.0.as_bytes())?;
        self.0.clear();
        Ok(())
    }
}

/// The text of a cell as it was before the guard.
pub(crate) fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if looks_like_formula(rest) => rest,
        _ => cell,
    }
}

fn looks_like_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// Whether a row ends within a quoted cell: its next line belongs to it.
pub(crate) fn is_open(row: &str) -> bool {
    row.contains('"') && matches!(cells(row), Err(Broken::NeverClosed))
}

/// The cells of a row, without the break at its end.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn record(row: &str) -> Result<Vec<Cow<'_, str>>, String> {
    cells(row).map_err(|broken| match broken {
        Broken::NeverClosed => "a quoted cell is never closed; the file was cut or edited".to_owned(),
        Broken::TooMany => format!("found more than {CELLS_MAX} cells, allowed {CELLS_MAX}"),
    })
}

/// What can be wrong with a row.
enum Broken {
    NeverClosed,
    TooMany,
}

fn cells(row: &str) -> Result<Vec<Cow<'_, str>>, Broken> {
    let mut cells = Vec::with_capacity(16);
    let mut rest = Some(row);
    while let Some(text) = rest {
        if cells.len() == CELLS_MAX {
            return Err(Broken::TooMany);
        }
        let (cell, after) = cell(text).ok_or(Broken::NeverClosed)?;
        cells.push(cell);
        rest = after;
    }
    Ok(cells)
}

/// The first cell, and what follows its comma. `None` where a quote is never closed.
fn cell(text: &str) -> Option<(Cow<'_, str>, Option<&str>)> {
    let Some(mut quoted) = text.strip_prefix('"') else {
        return Some(match text.split_once(',') {
            Some((cell, rest)) => (Cow::Borrowed(cell), Some(rest)),
            None => (Cow::Borrowed(text.trim_end_matches(['\n', '\r'])), None),
        });
    };
    let mut cell = String::new();
    loop {
        let (before, after) = quoted.split_once('"')?;
        cell.push_str(before);
        let Some(more) = after.strip_prefix('"') else {
            // What stands between the closing quote and the comma is nothing that the lab writes.
            return Some((Cow::Owned(cell), after.split_once(',').map(|(_, rest)| rest)));
        };
        cell.push('"');
        quoted = more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_survives_and_is_no_formula() {
        let texts = [
            "",
            "plain",
            "=1+1",
            "'=1+1",
            "''@x",
            "-2",
            "+3",
            "@cmd",
            "\tx",
            "\r",
            "a,b",
            "say \"hi\"",
            "two\nlines",
            "two\r\nlines",
            "'quoted'",
            " padded ",
            "ends with \r",
            "é—µ",
        ];
        let (mut row, mut line) = (CsvLine::default(), Vec::new());
        texts.iter().for_each(|text| _ = row.text(text));
        row.text("end").end(&mut line).unwrap();
        let line = String::from_utf8(line).unwrap();
        assert!(!is_open(&line));
        let cells = record(&line).unwrap();
        for (cell, text) in cells.iter().zip(texts) {
            assert_eq!(unguarded(cell), text);
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?} would run in a spreadsheet");
        }
        assert_eq!(cells.len(), texts.len() + 1);
    }

    #[test]
    fn a_row_is_open_within_a_quoted_cell() {
        for (row, open) in
            [("a,b\r\n", false), ("\"x\n", true), ("\"x\ny\",2\n", false), ("3,\"\"\n", false), ("\"a\"\"\n", true)]
        {
            assert_eq!(is_open(row), open, "{row:?}");
        }
        assert_eq!(record("a,b\r\n").unwrap(), ["a", "b"]);
        assert_eq!(record("\"x\ny\",2\n").unwrap(), ["x\ny", "2"]);
        assert_eq!(record("3,\n").unwrap(), ["3", ""]);
        assert!(record("\"open").is_err() && record(&",".repeat(CELLS_MAX)).is_err());
    }
}
