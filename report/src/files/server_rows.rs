//! The rows of `cache.csv`: record to line and back.

use std::io::{self, Write};

use crate::files::csv::CsvLine;
use crate::files::error::ReportError;
use crate::files::lines::FileLines;
use crate::files::rows::CsvTable;
use crate::record::ServerRow;

const SERVER: [&str; 18] = [
    "t_ns",
    "used_bytes",
    "rss_bytes",
    "keys",
    "commands",
    "hits",
    "misses",
    "evicted",
    "expired",
    "forks",
    "fork_ms",
    "saving",
    "rewriting",
    "aof_bytes",
    "delayed_fsyncs",
    "slow_commands",
    "slow_ms",
    "marks",
];

pub(crate) fn write_server(out: &mut dyn Write, rows: &[ServerRow]) -> io::Result<()> {
    writeln!(out, "{}", SERVER.join(","))?;
    let mut line = CsvLine::default();
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    for row in rows {
        line.number(Some(row.t_ns)).number(row.used_bytes).number(row.rss_bytes).number(Some(row.keys));
        line.number(Some(row.commands)).number(Some(row.hits)).number(Some(row.misses)).number(Some(row.evicted));
        line.number(Some(row.expired)).number(row.forks).number(finite(row.fork_ms)).number(Some(row.saving));
        line.number(Some(row.rewriting)).number(row.aof_bytes).number(row.delayed_fsyncs).number(row.slow_commands);
        line.number(finite(row.slow_ms)).text(&row.marks).end(out)?;
    }
    Ok(())
}

pub(crate) fn read_server(lines: FileLines) -> Result<Vec<ServerRow>, ReportError> {
    let mut table = CsvTable::new(lines)?;
    table.require(&SERVER)?;
    let mut rows = Vec::new();
    while let Some(row) = table.next_row()? {
        rows.push(ServerRow {
            t_ns: row.number("t_ns")?,
            used_bytes: row.maybe("used_bytes")?,
            rss_bytes: row.maybe("rss_bytes")?,
            keys: row.number("keys")?,
            commands: row.number("commands")?,
            hits: row.number("hits")?,
            misses: row.number("misses")?,
            evicted: row.number("evicted")?,
            expired: row.number("expired")?,
            forks: row.maybe("forks")?,
            fork_ms: row.maybe("fork_ms")?,
            saving: row.number("saving")?,
            rewriting: row.number("rewriting")?,
            aof_bytes: row.maybe("aof_bytes")?,
            delayed_fsyncs: row.maybe("delayed_fsyncs")?,
            slow_commands: row.maybe("slow_commands")?,
            slow_ms: row.maybe("slow_ms")?,
            marks: row.text("marks"),
        });
    }
    Ok(rows)
}
