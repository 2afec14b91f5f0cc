//! A parser for the rows of one file: its format, and the expression that finds keys.

use regex::bytes::{CaptureLocations, Regex, RegexBuilder};

use super::combined::{self, LastTime};
use super::csv;
use super::fields::{FieldRow, ParsedRow, SkipReason, TraceFormat, flaw};
use super::twitter;
use crate::error::TraceError;

/// The most memory that a compiled regular expression may take.
pub const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Reads rows.
pub(crate) struct RowParser {
    format: TraceFormat,
    key: Option<(Regex, CaptureLocations)>,
    unquoted: Vec<u8>,
    last: LastTime,
}

impl RowParser {
    /// Rows of a format, whose keys an expression finds if there is one.
    pub(crate) fn new(format: TraceFormat, key: Option<&str>) -> Result<Self, TraceError> {
        let key = key.map(expression).transpose()?.map(|key| {
            let locations = key.capture_locations();
            (key, locations)
        });
        Ok(Self { format, key, unquoted: Vec::new(), last: LastTime::default() })
    }

    /// Whether a file's first line is no row but the columns' names.
    pub(crate) fn is_header(&self, line: &[u8]) -> bool {
        match self.format {
            TraceFormat::Csv => csv::is_header(line),
            TraceFormat::Twitter => twitter::is_header(line),
            TraceFormat::Combined => false,
        }
    }

    /// What a line says.
    pub(crate) fn row<'a>(&'a mut self, line: &'a [u8]) -> ParsedRow<'a> {
        let Self { format, key, unquoted, last } = self;
        let (parsed, request) = match format {
            TraceFormat::Csv => (csv::row(line, unquoted), None),
            TraceFormat::Twitter => (twitter::row(line), None),
            TraceFormat::Combined => {
                let (parsed, request) = combined::row(line, last);
                (parsed, Some(request))
            }
        };
        match (parsed, key) {
            (ParsedRow::Row(row), Some((key, locations))) => found(row, request, key, locations),
            (parsed, _) => parsed,
        }
    }
}

/// The row with the key that the expression finds.
fn found<'a>(
    row: FieldRow<'a>,
    request: Option<&'a [u8]>,
    key: &Regex,
    locations: &mut CaptureLocations,
) -> ParsedRow<'a> {
    let text = request.unwrap_or(row.key);
    if key.captures_read(locations, text).is_none() {
        return ParsedRow::Skip(SkipReason::NoKey);
    }
    let group = if locations.len() > 1 { locations.get(1) } else { locations.get(0) };
    match group.map(|(from, to)| &text[from..to]) {
        None => ParsedRow::Skip(SkipReason::NoKey),
        Some([]) => flaw("the key", text, "key must find one byte at least: correct the expression"),
        Some(key) => ParsedRow::Row(FieldRow { key, ..row }),
    }
}

fn expression(text: &str) -> Result<Regex, TraceError> {
    let wrong = |found, remedy| TraceError::Pattern { what: "key".into(), found, remedy };
    let built = RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).dfa_size_limit(PATTERN_BYTES_MAX).build();
    let key = built.map_err(|error| {
        wrong(error.to_string(), "write a regular expression without look-around, as ^GET /items/([0-9]+)")
    })?;
    match key.captures_len() - 1 {
        0 | 1 => Ok(key),
        groups => Err(wrong(format!("{groups} groups"), "mark the key as the one group; write (?:…) for the others")),
    }
}
