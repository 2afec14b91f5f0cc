//! As much CSV (RFC 4180) as the records need, and a guard against spreadsheets.
//!
//! Numbers are written bare. Text is quoted where it must be, and text that a spreadsheet would take for a formula
//! (`=`, `+`, `-`, `@`, tab or carriage return at its start) gets an apostrophe in front, which reading takes away again.
//! The guard is one to one: text that starts with apostrophes before such a character gets one more.

use std::borrow::Cow;
use std::fmt::Write;

/// Most cells of a record; the lab's files have 19 at most.
const CELLS_MAX: usize = 64;

/// Appends a cell of free text.
pub(crate) fn push_text(line: &mut String, text: &str) {
    let guard = if looks_like_formula(text) { "'" } else { "" };
    if text.contains(['"', ',', '\n', '\r']) || text.starts_with(' ') || text.ends_with(' ') {
        line.push('"');
        line.push_str(guard);
        line.push_str(&text.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(guard);
        line.push_str(text);
    }
}

/// Appends a number, or nothing where it is unknown.
pub(crate) fn push_number<T: std::fmt::Display>(line: &mut String, number: Option<T>) {
    if let Some(number) = number {
        // Writing to a String cannot fail.
        let _ = write!(line, "{number}");
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

/// Walks through the records of a CSV text: the line each starts on, and its cells.
pub(crate) struct Records<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Records<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { rest: text.trim_start_matches('\u{feff}'), line: 1 }
    }

    /// One cell, and whether another one follows in this record. `None` where a quote is never closed.
    fn cell(&mut self) -> Option<(Cow<'a, str>, bool)> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
            let (cell, rest) = self.rest.split_at(end);
            return Some((Cow::Borrowed(cell.trim_end_matches('\r')), self.step(rest)));
        };
        let mut text = String::new();
        let mut at = quoted;
        loop {
            let (before, after) = at.split_once('"')?;
            text.push_str(before);
            if let Some(more) = after.strip_prefix('"') {
                text.push('"');
                at = more;
            } else {
                self.line += text.matches('\n').count();
                return Some((Cow::Owned(text), self.step(after.trim_start_matches('\r'))));
            }
        }
    }

    /// Steps over the comma or the end of the line; says whether it was a comma.
    fn step(&mut self, rest: &'a str) -> bool {
        let comma = rest.starts_with(',');
        if rest.starts_with('\n') {
            self.line += 1;
        }
        self.rest = rest.get(1..).unwrap_or_default();
        comma
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = (usize, Result<Vec<Cow<'a, str>>, String>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let line = self.line;
        let mut cells = Vec::with_capacity(16);
        loop {
            let Some((cell, more)) = self.cell() else {
                self.rest = "";
                return Some((line, Err("a quoted cell is never closed; the file was cut or edited".into())));
            };
            if cells.len() == CELLS_MAX {
                self.rest = "";
                return Some((line, Err(format!("found more than {CELLS_MAX} cells, allowed {CELLS_MAX}"))));
            }
            cells.push(cell);
            if !more {
                return Some((line, Ok(cells)));
            }
        }
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
        let mut line = String::new();
        for text in texts {
            push_text(&mut line, text);
            line.push(',');
        }
        line.push_str("end\n");
        let (number, cells) = Records::new(&line).next().unwrap();
        let cells = cells.unwrap();
        assert_eq!(number, 1);
        for (cell, text) in cells.iter().zip(texts) {
            assert_eq!(unguarded(cell), text);
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?} would run in a spreadsheet");
        }
        assert_eq!(cells.len(), texts.len() + 1);
    }

    #[test]
    fn lines_are_counted_through_quoted_newlines() {
        let lines: Vec<usize> = Records::new("a,b\r\n\"x\ny\",2\n3,\n").map(|(line, _)| line).collect();
        assert_eq!(lines, [1, 2, 4]);
        assert!(Records::new("\"open").next().unwrap().1.is_err());
    }
}
