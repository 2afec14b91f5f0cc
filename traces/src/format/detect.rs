//! Which format a file has, by its first rows: the only one that more than half of them can be read in.

use std::path::Path;

use super::fields::{ParsedRow, S_NS, TraceFormat};
use super::parser::RowParser;
use crate::error::TraceError;
use crate::escape::shown;
use crate::source::without_end;

/// So many rows are looked at.
const ROWS: usize = 1000;

/// What the first rows say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recognised {
    pub(crate) format: TraceFormat,
    /// Whether all of their times are whole seconds.
    pub(crate) whole_seconds: bool,
}

/// Looks at a file's beginning. `whole`: there is nothing after it.
pub(crate) fn recognise(
    path: &Path,
    head: &[u8],
    whole: bool,
    said: Option<TraceFormat>,
) -> Result<Recognised, TraceError> {
    let mut lines: Vec<&[u8]> = head.split(|b| *b == b'\n').map(without_end).collect();
    // The last one goes on, or is what follows the last line's end.
    if !whole || lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines.retain(|line| !line.is_empty());
    lines.truncate(ROWS);
    if let Some(format) = said {
        return Ok(Recognised { format, whole_seconds: looked_at(format, &lines)?.1 });
    }
    let mut fitting = Vec::new();
    for (_, format) in TraceFormat::WORDS {
        let (rows, whole_seconds) = looked_at(format, &lines)?;
        if rows * 2 > lines.len() {
            fitting.push(Recognised { format, whole_seconds });
        }
    }
    match fitting[..] {
        [one] => Ok(one),
        _ => {
            let found = match (&fitting[..], lines.first()) {
                ([], Some(line)) => format!("the first line is «{}»", shown(line)),
                ([], None) => "there is no line".to_owned(),
                (several, _) => {
                    let words: Vec<&str> = several.iter().map(|one| one.format.word()).collect();
                    format!("the first rows can be read as {}", words.join(" and as "))
                }
            };
            Err(TraceError::Unrecognised { path: path.to_owned(), found })
        }
    }
}

/// How many of the lines are rows of a format, or its header, and whether all of their times are whole seconds.
fn looked_at(format: TraceFormat, lines: &[&[u8]]) -> Result<(usize, bool), TraceError> {
    let mut parser = RowParser::new(format, None)?;
    let (mut rows, mut whole_seconds) = (0, true);
    for (index, line) in lines.iter().enumerate() {
        if index == 0 && parser.is_header(line) {
            rows += 1;
            continue;
        }
        match parser.row(line) {
            ParsedRow::Row(row) => {
                rows += 1;
                whole_seconds &= row.at_ns % S_NS == 0;
            }
            ParsedRow::Skip(_) => rows += 1,
            ParsedRow::Bad(_) => {}
        }
    }
    Ok((rows, whole_seconds))
}
