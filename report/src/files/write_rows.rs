//! The rows of `writes.csv` and `answers.csv`: record to line and back.

use std::io::{self, Write};

use crate::files::csv::CsvLine;
use crate::files::error::ReportError;
use crate::files::lines::FileLines;
use crate::files::rows::CsvTable;
use crate::record::{AnswerRow, WriteRow};

const WRITES: [&str; 11] = [
    "key",
    "version",
    "replica",
    "flight",
    "phase",
    "arrived_ns",
    "start_ns",
    "commit_began_ns",
    "committed_ns",
    "end_ns",
    "outcome",
];
const ANSWERS: [&str; 5] = ["began_ns", "client", "key", "op", "version"];

pub(crate) fn write_writes_header(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", WRITES.join(","))
}

/// One row; `line` is used again and again.
pub(crate) fn write_write(out: &mut dyn Write, line: &mut CsvLine, row: &WriteRow) -> io::Result<()> {
    line.text(&row.key).number(row.version).number(row.replica).text(&row.flight).text(&row.phase);
    line.number(Some(row.arrived_ns)).number(row.start_ns).number(row.commit_began_ns).number(row.committed_ns);
    line.number(row.end_ns).text(&row.outcome).end(out)
}

/// Shows each row.
pub(crate) fn each_write(lines: FileLines, visit: &mut dyn FnMut(&WriteRow)) -> Result<(), ReportError> {
    let mut table = CsvTable::new(lines)?;
    table.require(&WRITES)?;
    while let Some(row) = table.next_row()? {
        visit(&WriteRow {
            key: row.text("key"),
            version: row.maybe("version")?,
            replica: row.maybe("replica")?,
            flight: row.text("flight"),
            phase: row.text("phase"),
            arrived_ns: row.number("arrived_ns")?,
            start_ns: row.maybe("start_ns")?,
            commit_began_ns: row.maybe("commit_began_ns")?,
            committed_ns: row.maybe("committed_ns")?,
            end_ns: row.maybe("end_ns")?,
            outcome: row.text("outcome"),
        });
    }
    Ok(())
}

pub(crate) fn write_answers_header(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", ANSWERS.join(","))
}

/// One row; `line` is used again and again.
pub(crate) fn write_answer(out: &mut dyn Write, line: &mut CsvLine, row: &AnswerRow) -> io::Result<()> {
    line.number(Some(row.began_ns)).number(row.client).number(Some(row.key)).text(&row.op);
    line.number(Some(row.version)).end(out)
}

/// Shows each row; the one shown is used again and again.
pub(crate) fn each_answer(lines: FileLines, visit: &mut dyn FnMut(&AnswerRow)) -> Result<(), ReportError> {
    let mut table = CsvTable::new(lines)?;
    table.require(&ANSWERS)?;
    let mut shown = AnswerRow::default();
    while let Some(row) = table.next_row()? {
        shown.began_ns = row.number("began_ns")?;
        shown.client = row.maybe("client")?;
        shown.key = row.number("key")?;
        row.text_into("op", &mut shown.op);
        shown.version = row.number("version")?;
        visit(&shown);
    }
    Ok(())
}
