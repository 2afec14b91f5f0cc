//! The rows of `shards.csv`: record to line and back.

use std::io::{self, Write};

use crate::files::csv::CsvLine;
use crate::files::error::ReportError;
use crate::files::lines::FileLines;
use crate::files::rows::CsvTable;
use crate::record::ShardRow;

const SHARDS: [&str; 9] = ["t_ns", "node", "role", "slots", "operations", "cpu_us", "moved", "ask", "try_again"];

pub(crate) fn write_shards(out: &mut dyn Write, rows: &[ShardRow]) -> io::Result<()> {
    writeln!(out, "{}", SHARDS.join(","))?;
    let mut line = CsvLine::default();
    for row in rows {
        line.number(Some(row.t_ns)).text(&row.node).text(&row.role).number(Some(row.slots));
        line.number(Some(row.operations)).number(Some(row.cpu_us)).number(Some(row.moved)).number(Some(row.ask));
        line.number(Some(row.try_again)).end(out)?;
    }
    Ok(())
}

pub(crate) fn read_shards(lines: FileLines) -> Result<Vec<ShardRow>, ReportError> {
    let mut table = CsvTable::new(lines)?;
    table.require(&SHARDS)?;
    let mut rows = Vec::new();
    while let Some(row) = table.next_row()? {
        rows.push(ShardRow {
            t_ns: row.number("t_ns")?,
            node: row.text("node"),
            role: row.text("role"),
            slots: row.number("slots")?,
            operations: row.number("operations")?,
            cpu_us: row.number("cpu_us")?,
            moved: row.number("moved")?,
            ask: row.number("ask")?,
            try_again: row.number("try_again")?,
        });
    }
    Ok(rows)
}
