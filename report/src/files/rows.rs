//! The rows of `seconds.csv`, `bins100ms.csv`, `origin.csv` and `containers.csv`: record to line and back. Those of writes stand beside
//! them, in `write_rows.rs`.
//!
//! Columns are found by name, so an older reader survives a new column. An unknown number is an empty cell, never NaN.

use std::borrow::Cow;
use std::io::{self, Write};
use std::str::FromStr;

use crate::files::csv::{self, CsvLine};
use crate::files::error::ReportError;
use crate::files::lines::{FileLines, FileRow};
use crate::record::bounds::NumberBound;
use crate::record::{BinRow, ContainerRow, OriginRow};
use crate::text::phrases::cut;

/// Which of the two files of [`BinRow`] is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BinFile {
    /// `seconds.csv`: first column `second`, and percentiles.
    Seconds,
    /// `bins100ms.csv`: first column `start_ms`, no percentiles.
    Bins,
}

/// Where a column's number is kept.
enum DocumentPlace<'r> {
    Count(&'r mut u64),
    MaybeCount(&'r mut Option<u64>),
    Ms(&'r mut Option<f64>),
    MaybeMs(&'r mut Option<f64>),
}

/// A column of [`BinRow`] after the first.
struct Column {
    name: &'static str,
    place: fn(&mut BinRow) -> DocumentPlace<'_>,
    /// Whether every file has it: `seconds.csv` alone has percentiles, and retries and floor are there where any row knows them.
    always: bool,
}

const fn always(name: &'static str, place: fn(&mut BinRow) -> DocumentPlace<'_>) -> Column {
    Column { name, place, always: true }
}

const fn perhaps(name: &'static str, place: fn(&mut BinRow) -> DocumentPlace<'_>) -> Column {
    Column { name, place, always: false }
}

const COLUMNS: [Column; 22] = [
    always("offered", |row| DocumentPlace::Count(&mut row.offered)),
    always("sent", |row| DocumentPlace::Count(&mut row.sent)),
    always("completed", |row| DocumentPlace::Count(&mut row.completed)),
    always("errors", |row| DocumentPlace::Count(&mut row.errors)),
    always("hit", |row| DocumentPlace::Count(&mut row.hit)),
    always("stale", |row| DocumentPlace::Count(&mut row.stale)),
    always("wait", |row| DocumentPlace::Count(&mut row.wait)),
    always("load", |row| DocumentPlace::Count(&mut row.load)),
    always("shed", |row| DocumentPlace::Count(&mut row.shed)),
    always("unknown", |row| DocumentPlace::Count(&mut row.unknown)),
    always("origin_starts", |row| DocumentPlace::MaybeCount(&mut row.origin_starts)),
    always("origin_in_flight_max", |row| DocumentPlace::MaybeCount(&mut row.origin_in_flight_max)),
    perhaps("p50_ms", |row| DocumentPlace::Ms(&mut row.p50_ms)),
    perhaps("p95_ms", |row| DocumentPlace::Ms(&mut row.p95_ms)),
    perhaps("p99_ms", |row| DocumentPlace::Ms(&mut row.p99_ms)),
    perhaps("max_ms", |row| DocumentPlace::Ms(&mut row.max_ms)),
    perhaps("retries", |row| DocumentPlace::MaybeCount(&mut row.retries)),
    perhaps("near", |row| DocumentPlace::MaybeCount(&mut row.near)),
    perhaps("pool_wait_p99_ms", |row| DocumentPlace::MaybeMs(&mut row.pool_wait_p99_ms)),
    perhaps("pool_in_use_max", |row| DocumentPlace::MaybeCount(&mut row.pool_in_use_max)),
    perhaps("pool_waiting_max", |row| DocumentPlace::MaybeCount(&mut row.pool_waiting_max)),
    perhaps("floor", |row| DocumentPlace::MaybeCount(&mut row.floor)),
];
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
    let mut rows = rows.to_vec();
    let mut written = Vec::new();
    for column in &COLUMNS {
        let there = match (column.place)(&mut BinRow::default()) {
            DocumentPlace::Ms(_) => file == BinFile::Seconds,
            _ => {
                let known = |row: &mut BinRow| {
                    matches!((column.place)(row), DocumentPlace::MaybeCount(Some(_)) | DocumentPlace::MaybeMs(Some(_)))
                };
                column.always || rows.iter_mut().any(known)
            }
        };
        written.extend(there.then_some(column));
    }
    let names: Vec<&str> = [file.first_column()].into_iter().chain(written.iter().map(|column| column.name)).collect();
    writeln!(out, "{}", names.join(","))?;
    let mut line = CsvLine::default();
    for row in &mut rows {
        line.number(Some(file.stamp(row.start_ms)?));
        for column in &written {
            match (column.place)(row) {
                DocumentPlace::Count(count) => line.number(Some(*count)),
                DocumentPlace::MaybeCount(count) => line.number(*count),
                DocumentPlace::Ms(ms) | DocumentPlace::MaybeMs(ms) => line.number(ms.filter(|ms| ms.is_finite())),
            };
        }
        line.end(out)?;
    }
    Ok(())
}

pub(crate) fn read_bins(lines: FileLines, file: BinFile) -> Result<Vec<BinRow>, ReportError> {
    let mut table = CsvTable::new(lines)?;
    table.require(&[file.first_column()])?;
    // Files of the first weeks have no column `unknown`, and no such outcome.
    let has_unknown = table.has("unknown");
    let there = |column: &&Column| has_unknown || column.name != "unknown";
    let required: Vec<&str> = COLUMNS.iter().filter(|column| column.always).filter(there).map(|c| c.name).collect();
    table.require(&required)?;
    let per_row = if file == BinFile::Seconds { 1000 } else { 1 };
    let mut rows = Vec::new();
    while let Some(cells) = table.next_row()? {
        let start_ms = cells.number::<i64>(file.first_column())?.saturating_mul(per_row);
        let mut row = BinRow { start_ms, ..BinRow::default() };
        for column in COLUMNS.iter().filter(there) {
            match (column.place)(&mut row) {
                DocumentPlace::Count(count) => *count = cells.number(column.name)?,
                DocumentPlace::MaybeCount(count) => *count = cells.maybe(column.name)?,
                DocumentPlace::Ms(ms) | DocumentPlace::MaybeMs(ms) => *ms = cells.maybe(column.name)?,
            }
        }
        rows.push(row);
    }
    Ok(rows)
}

pub(crate) fn write_origin_header(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", ORIGIN.join(","))
}

/// One row; `line` is used again and again.
pub(crate) fn write_origin(out: &mut dyn Write, line: &mut CsvLine, row: &OriginRow) -> io::Result<()> {
    line.text(&row.key).number(row.replica).text(&row.flight).text(&row.phase);
    line.number(Some(row.arrived_ns)).number(row.start_ns).number(row.end_ns).text(&row.outcome).end(out)
}

/// Shows each row; the one shown is used again and again.
pub(crate) fn each_origin(lines: FileLines, visit: &mut dyn FnMut(&OriginRow)) -> Result<(), ReportError> {
    let mut table = CsvTable::new(lines)?;
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
    let mut line = CsvLine::default();
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    for row in rows {
        line.number(Some(row.t_ns)).text(&row.container).number(finite(row.cpu_cores)).number(Some(row.memory_bytes));
        line.number(Some(row.received_bytes)).number(Some(row.sent_bytes)).number(finite(row.throttled_ms)).end(out)?;
    }
    Ok(())
}

pub(crate) fn read_containers(lines: FileLines) -> Result<Vec<ContainerRow>, ReportError> {
    let mut table = CsvTable::new(lines)?;
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
pub(super) struct CsvTable {
    columns: Vec<String>,
    lines: FileLines,
}

/// One record of a [`CsvTable`].
pub(super) struct Cells<'t> {
    line: FileRow<'t>,
    cells: Vec<Cow<'t, str>>,
    columns: &'t [String],
}

impl CsvTable {
    pub(super) fn new(mut lines: FileLines) -> Result<Self, ReportError> {
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

    pub(super) fn require(&self, names: &[&str]) -> Result<(), ReportError> {
        match names.iter().find(|name| !self.has(name)) {
            Some(name) => Err(self.lines.fault(
                1,
                format!("the header has no column {name:?}; was this file written by another version of the lab?"),
            )),
            None => Ok(()),
        }
    }

    pub(super) fn next_row(&mut self) -> Result<Option<Cells<'_>>, ReportError> {
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
        Ok(Some(Cells { line, cells, columns: &self.columns }))
    }
}

impl Cells<'_> {
    /// The raw cell; empty where there is no such column.
    fn cell(&self, column: &str) -> &str {
        let at = self.columns.iter().position(|name| name == column);
        at.and_then(|at| self.cells.get(at)).map_or("", |cell| cell.as_ref())
    }

    pub(super) fn text(&self, column: &str) -> String {
        csv::unguarded(self.cell(column)).to_owned()
    }

    /// The same into a text that is there already.
    pub(super) fn text_into(&self, column: &str, place: &mut String) {
        place.clear();
        place.push_str(csv::unguarded(self.cell(column)));
    }

    pub(super) fn number<T: Number>(&self, column: &str) -> Result<T, ReportError> {
        let cell = self.cell(column);
        let wrong = |problem: String| self.line.fault(format!("column {column:?}: {problem}"));
        let number: T =
            cell.parse().map_err(|_| wrong(format!("found {:?}, where a number is expected", cut(cell, 60))))?;
        number.within(NumberBound::of([column].into_iter())).map_err(wrong)?;
        Ok(number)
    }

    pub(super) fn maybe<T: Number>(&self, column: &str) -> Result<Option<T>, ReportError> {
        if self.cell(column).is_empty() { Ok(None) } else { self.number(column).map(Some) }
    }
}

/// A number of a cell, which its column's name bounds.
pub(super) trait Number: FromStr + Copy {
    /// What is wrong with it.
    fn within(self, bound: NumberBound) -> Result<(), String>;
}

macro_rules! whole {
    ($($whole:ty),*) => {$(
        impl Number for $whole {
            fn within(self, bound: NumberBound) -> Result<(), String> {
                bound.check_whole(self.into())
            }
        }
    )*};
}
whole!(u32, u64, i64);

impl Number for f64 {
    fn within(self, bound: NumberBound) -> Result<(), String> {
        bound.check(self)
    }
}
