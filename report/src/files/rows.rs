//! The rows of `seconds.csv`, `bins100ms.csv`, `origin.csv` and `containers.csv`: record to line and back.
//!
//! Columns are found by name, so an older reader survives a new column. An unknown number is an empty cell, never NaN.

use std::borrow::Cow;
use std::io::{self, Write};
use std::str::FromStr;

use crate::files::csv::{self, push_number, push_text};
use crate::files::error::ReportError;
use crate::files::lines::{Line, Lines};
use crate::record::bounds::Bound;
use crate::record::{BinRow, ContainerRow, OriginRow};
use crate::text::words::cut;

/// Which of the two files of [`BinRow`] is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BinFile {
    /// `seconds.csv`: first column `second`, and percentiles.
    Seconds,
    /// `bins100ms.csv`: first column `start_ms`, no percentiles.
    Bins,
}

const COUNTS: [&str; 12] = [
    "offered",
    "sent",
    "completed",
    "errors",
    "hit",
    "stale",
    "wait",
    "load",
    "shed",
    "unknown",
    "origin_starts",
    "origin_in_flight_max",
];
/// The last columns, where there is anything in them.
const RETRIES: &str = "retries";
const FLOOR: &str = "floor";
const PERCENTILES: [&str; 4] = ["p50_ms", "p95_ms", "p99_ms", "max_ms"];
const CONTAINERS: [&str; 7] =
    ["t_ns", "container", "cpu_cores", "memory_bytes", "received_bytes", "sent_bytes", "throttled_ms"];
const ORIGIN: [&str; 8] = ["key", "replica", "flight", "phase", "arrived_ns", "start_ns", "end_ns", "outcome"];

impl BinFile {
    fn first_column(self) -> &'static str {
        match self {
            Self::Seconds => "second",
            Self::Bins => "start_ms",
        }
    }

    /// The value of the first column for a row that starts at `start_ms`.
    fn stamp(self, start_ms: i64) -> io::Result<i64> {
        match self {
            Self::Bins => Ok(start_ms),
            Self::Seconds if start_ms % 1000 == 0 => Ok(start_ms / 1000),
            Self::Seconds => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("a row of seconds.csv starts at {start_ms} ms, where whole seconds since t = 0 are allowed"),
            )),
        }
    }
}

pub(crate) fn write_bins(out: &mut dyn Write, file: BinFile, rows: &[BinRow]) -> io::Result<()> {
    let percentiles: &[&str] = if file == BinFile::Seconds { &PERCENTILES } else { &[] };
    // Where clients never try again, and where there are no events, there is no such column.
    let retries = rows.iter().any(|row| row.retries.is_some());
    let floor = rows.iter().any(|row| row.floor.is_some());
    let header = [file.first_column()].into_iter().chain(COUNTS).chain(percentiles.iter().copied());
    let header: Vec<&str> = header.chain(retries.then_some(RETRIES)).chain(floor.then_some(FLOOR)).collect();
    writeln!(out, "{}", header.join(","))?;
    let mut line = String::new();
    for row in rows {
        line.clear();
        push_number(&mut line, Some(file.stamp(row.start_ms)?));
        for count in counts(row) {
            line.push(',');
            push_number(&mut line, count);
        }
        if file == BinFile::Seconds {
            for value in [row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms] {
                line.push(',');
                push_number(&mut line, value.filter(|value| value.is_finite()));
            }
        }
        if retries {
            line.push(',');
            push_number(&mut line, row.retries);
        }
        if floor {
            line.push(',');
            push_number(&mut line, row.floor);
        }
        line.push('\n');
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

fn counts(row: &BinRow) -> [Option<u64>; 12] {
    [
        Some(row.offered),
        Some(row.sent),
        Some(row.completed),
        Some(row.errors),
        Some(row.hit),
        Some(row.stale),
        Some(row.wait),
        Some(row.load),
        Some(row.shed),
        Some(row.unknown),
        row.origin_starts,
        row.origin_in_flight_max,
    ]
}

pub(crate) fn read_bins(lines: Lines, file: BinFile) -> Result<Vec<BinRow>, ReportError> {
    let mut table = Table::new(lines)?;
    table.require(&[file.first_column()])?;
    // Files of the first weeks have no column `unknown`, and no such outcome.
    let has_unknown = table.has("unknown");
    let required: Vec<&str> = COUNTS.into_iter().filter(|name| *name != "unknown").collect();
    table.require(&required)?;
    let per_row = if file == BinFile::Seconds { 1000 } else { 1 };
    let mut rows = Vec::new();
    while let Some(row) = table.next_row()? {
        let start_ms = row.number::<i64>(file.first_column())?.saturating_mul(per_row);
        rows.push(BinRow {
            start_ms,
            offered: row.number("offered")?,
            sent: row.number("sent")?,
            completed: row.number("completed")?,
            errors: row.number("errors")?,
            hit: row.number("hit")?,
            stale: row.number("stale")?,
            wait: row.number("wait")?,
            load: row.number("load")?,
            shed: row.number("shed")?,
            unknown: if has_unknown { row.number("unknown")? } else { 0 },
            retries: row.maybe(RETRIES)?,
            floor: row.maybe(FLOOR)?,
            origin_starts: row.maybe("origin_starts")?,
            origin_in_flight_max: row.maybe("origin_in_flight_max")?,
            p50_ms: row.maybe("p50_ms")?,
            p95_ms: row.maybe("p95_ms")?,
            p99_ms: row.maybe("p99_ms")?,
            max_ms: row.maybe("max_ms")?,
        });
    }
    Ok(rows)
}

pub(crate) fn write_origin_header(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", ORIGIN.join(","))
}

/// One row; `line` is used again and again.
pub(crate) fn write_origin(out: &mut dyn Write, line: &mut String, row: &OriginRow) -> io::Result<()> {
    line.clear();
    push_text(line, &row.key);
    line.push(',');
    push_number(line, row.replica);
    line.push(',');
    push_text(line, &row.flight);
    line.push(',');
    push_text(line, &row.phase);
    for time in [Some(row.arrived_ns), row.start_ns, row.end_ns] {
        line.push(',');
        push_number(line, time);
    }
    line.push(',');
    push_text(line, &row.outcome);
    line.push('\n');
    out.write_all(line.as_bytes())
}

/// Shows each row; the one shown is used again and again.
pub(crate) fn each_origin(lines: Lines, visit: &mut dyn FnMut(&OriginRow)) -> Result<(), ReportError> {
    let mut table = Table::new(lines)?;
    table.require(&ORIGIN)?;
    let mut shown = OriginRow::default();
    while let Some(row) = table.next_row()? {
        row.text_into("key", &mut shown.key);
        shown.replica = row.maybe("replica")?;
        row.text_into("flight", &mut shown.flight);
        row.text_into("phase", &mut shown.phase);
        shown.arrived_ns = row.number("arrived_ns")?;
        shown.start_ns = row.maybe("start_ns")?;
        shown.end_ns = row.maybe("end_ns")?;
        row.text_into("outcome", &mut shown.outcome);
        visit(&shown);
    }
    Ok(())
}

pub(crate) fn write_containers(out: &mut dyn Write, rows: &[ContainerRow]) -> io::Result<()> {
    writeln!(out, "{}", CONTAINERS.join(","))?;
    let mut line = String::new();
    for row in rows {
        line.clear();
        push_number(&mut line, Some(row.t_ns));
        line.push(',');
        push_text(&mut line, &row.container);
        let finite = |value: f64| Some(value).filter(|value| value.is_finite());
        line.push(',');
        push_number(&mut line, finite(row.cpu_cores));
        for bytes in [row.memory_bytes, row.received_bytes, row.sent_bytes] {
            line.push(',');
            push_number(&mut line, Some(bytes));
        }
        line.push(',');
        push_number(&mut line, finite(row.throttled_ms));
        line.push('\n');
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

pub(crate) fn read_containers(lines: Lines) -> Result<Vec<ContainerRow>, ReportError> {
    let mut table = Table::new(lines)?;
    table.require(&CONTAINERS)?;
    let mut rows = Vec::new();
    while let Some(row) = table.next_row()? {
        rows.push(ContainerRow {
            t_ns: row.number("t_ns")?,
            container: row.text("container"),
            cpu_cores: row.number("cpu_cores")?,
            memory_bytes: row.number("memory_bytes")?,
            received_bytes: row.number("received_bytes")?,
            sent_bytes: row.number("sent_bytes")?,
            throttled_ms: row.number("throttled_ms")?,
        });
    }
    Ok(rows)
}

/// A CSV file with a header line.
struct Table {
    columns: Vec<String>,
    lines: Lines,
}

/// One record of a [`Table`].
struct Row<'t> {
    line: Line<'t>,
    cells: Vec<Cow<'t, str>>,
    columns: &'t [String],
}

impl Table {
    fn new(mut lines: Lines) -> Result<Self, ReportError> {
        let Some(header) = lines.next(csv::is_open)? else {
            return Err(lines.fault(1, "the file is empty, where a header line is expected"));
        };
        let names = csv::record(header.text).map_err(|problem| header.fault(problem))?;
        let columns = names.into_iter().map(Cow::into_owned).collect();
        Ok(Self { columns, lines })
    }

    fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }

    fn require(&self, names: &[&str]) -> Result<(), ReportError> {
        match names.iter().find(|name| !self.has(name)) {
            Some(name) => Err(self.lines.fault(
                1,
                format!("the header has no column {name:?}; was this file written by another version of the lab?"),
            )),
            None => Ok(()),
        }
    }

    fn next_row(&mut self) -> Result<Option<Row<'_>>, ReportError> {
        let Some(line) = self.lines.next(csv::is_open)? else { return Ok(None) };
        let cells = csv::record(line.text).map_err(|problem| line.fault(problem))?;
        if cells.len() != self.columns.len() {
            let problem = format!(
                "{} cells, where the header has {}; the file was cut or edited",
                cells.len(),
                self.columns.len()
            );
            return Err(line.fault(problem));
        }
        Ok(Some(Row { line, cells, columns: &self.columns }))
    }
}

impl Row<'_> {
    /// The raw cell; empty where there is no such column.
    fn cell(&self, column: &str) -> &str {
        let at = self.columns.iter().position(|name| name == column);
        at.and_then(|at| self.cells.get(at)).map_or("", |cell| cell.as_ref())
    }

    fn text(&self, column: &str) -> String {
        csv::unguarded(self.cell(column)).to_owned()
    }

    /// The same into a text that is there already.
    fn text_into(&self, column: &str, place: &mut String) {
        place.clear();
        place.push_str(csv::unguarded(self.cell(column)));
    }

    fn number<T: Number>(&self, column: &str) -> Result<T, ReportError> {
        let cell = self.cell(column);
        let wrong = |problem: String| self.line.fault(format!("column {column:?}: {problem}"));
        let number: T =
            cell.parse().map_err(|_| wrong(format!("found {:?}, where a number is expected", cut(cell, 60))))?;
        number.within(Bound::of([column].into_iter())).map_err(wrong)?;
        Ok(number)
    }

    fn maybe<T: Number>(&self, column: &str) -> Result<Option<T>, ReportError> {
        if self.cell(column).is_empty() { Ok(None) } else { self.number(column).map(Some) }
    }
}

/// A number of a cell, which its column's name bounds.
trait Number: FromStr + Copy {
    /// What is wrong with it.
    fn within(self, bound: Bound) -> Result<(), String>;
}

macro_rules! whole {
    ($($whole:ty),*) => {$(
        impl Number for $whole {
            fn within(self, bound: Bound) -> Result<(), String> {
                bound.check_whole(self.into())
            }
        }
    )*};
}
whole!(u32, u64, i64);

impl Number for f64 {
    fn within(self, bound: Bound) -> Result<(), String> {
        bound.check(self)
    }
}
