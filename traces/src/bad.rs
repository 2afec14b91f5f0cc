//! Rows that cannot be used: counted, and the first one named. A few are told; many mean that the file is another than was said.

use std::fmt;

use crate::escape::shown;

/// After so many rows a file that is another than was said is known by its bad ones: more than half of all.
const ROWS_MIN: u64 = 1000;
/// At most one in so many rows may be bad: 1 %.
const ONE_IN: u64 = 100;

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowFlaw<'a> {
    /// Which part of it, as `the time`.
    pub(crate) part: &'static str,
    /// What was found there.
    pub(crate) found: &'a [u8],
    /// What is allowed, and what is to be done.
    pub(crate) remedy: &'static str,
}

/// The first bad row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Its line, from 1.
    pub line: u64,
    /// Which part of it is wrong, as `the time`.
    pub part: &'static str,
    /// What was found: escaped, and cut at 60 characters.
    pub found: String,
    /// What is allowed, and what is to be done.
    pub remedy: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: found «{}» · {}", self.line, self.part, self.found, self.remedy)
    }
}

/// How many rows could not be used, of how many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BadRows {
    /// Rows that were looked at, bad and skipped ones included.
    pub rows: u64,
    /// Those that could not be used.
    pub bad: u64,
    /// The first of them.
    pub first: Option<BadRow>,
}

impl fmt::Display for BadRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} rows cannot be used", self.bad, self.rows)?;
        self.first.as_ref().map_or(Ok(()), |first| write!(f, "; the first is {first}"))
    }
}

impl BadRows {
    pub(crate) fn add(&mut self, line: u64, flaw: RowFlaw<'_>) {
        self.add_saying(line, flaw.part, flaw.found, || flaw.remedy.to_owned());
    }

    pub(crate) fn add_saying(&mut self, line: u64, part: &'static str, found: &[u8], remedy: impl FnOnce() -> String) {
        self.bad += 1;
        self.first.get_or_insert_with(|| BadRow { line, part, found: shown(found), remedy: remedy() });
    }

    /// Whether more than 1 % are bad. Before the end only a file that is another than was said is known to have so many.
    pub(crate) fn too_many(&self, at_the_end: bool) -> bool {
        let half = self.rows >= ROWS_MIN && self.bad > self.rows / 2;
        half || (at_the_end && self.bad.saturating_mul(ONE_IN) > self.rows)
    }
}
