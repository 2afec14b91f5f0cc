//! The reader: rows one after the other, each with its moment in the replay.
//!
//! Whatever the file's length, what is kept is a line, the rows of a second at most, and those that wait to be put in order.

use std::fs::metadata;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bad::BadRows;
use crate::class::KeyClasses;
use crate::error::TraceError;
use crate::format::{FieldRow, ParsedRow, RowParser, SkipReason, TraceFormat, recognise};
use crate::key::{KeyHash, hashed};
use crate::options::TraceOptions;
use crate::row::{TraceOp, TraceRow};
use crate::source::{LINE_BYTES_MAX, Lines, TraceLine, open};
use crate::time::{Order, PendingRow, SecondSpread, TooLate};

/// What was read so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadCounts {
    /// Rows that were looked at, and the bad ones.
    pub bad: BadRows,
    /// Rows in which the expression for keys found nothing.
    pub without_key: u64,
    /// Rows of an access log that are neither a read nor a write.
    pub no_request: u64,
    /// Rows that were put in order.
    pub moved: u64,
    /// Whole seconds with so many rows that those are spread over them roughly.
    pub crowded_seconds: u64,
    /// Rows before `from`.
    pub before: u64,
    /// Rows that were given out.
    pub given: u64,
}

/// Reads a trace.
pub struct TraceReader {
    path: PathBuf,
    options: TraceOptions,
    format: TraceFormat,
    spreads: bool,
    lines: Lines,
    parser: RowParser,
    classes: KeyClasses,
    order: Order,
    spread: SecondSpread,
    counts: ReadCounts,
    /// The first row's time, once it is known.
    first_ns: Option<u64>,
    ended: bool,
    finished: bool,
    /// Whether there was a row behind the window.
    beyond: bool,
    /// The last row's moment.
    last_ns: u64,
}

impl std::fmt::Debug for TraceReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TraceReader").field("path", &self.path).field("format", &self.format).finish_non_exhaustive()
    }
}

impl TraceReader {
    /// Opens a trace and recognises its format.
    ///
    /// # Errors
    /// A setting or an expression that cannot be used; a file that cannot be read, is packed by something else than gzip, or whose
    /// format is neither said nor recognised.
    pub fn open(path: &Path, options: &TraceOptions) -> Result<Self, TraceError> {
        options.check()?;
        let classes = KeyClasses::new(&options.classes)?;
        let source = open(path)?;
        let recognised = recognise(path, &source.head, source.whole, options.format)?;
        let parser = RowParser::new(recognised.format, options.key.as_deref())?;
        let whole_seconds = recognised.format.has_whole_seconds() || recognised.whole_seconds;
        let spreads = options.spread.unwrap_or(whole_seconds);
        Ok(Self {
            path: path.to_owned(),
            options: options.clone(),
            format: recognised.format,
            spreads,
            lines: source.lines,
            parser,
            classes,
            order: Order::new(ns(options.disorder)),
            spread: SecondSpread::new(spreads),
            counts: ReadCounts::default(),
            first_ns: None,
            ended: false,
            finished: false,
            beyond: false,
            last_ns: 0,
        })
    }

    /// The format, said or recognised.
    #[must_use]
    pub fn format(&self) -> TraceFormat {
        self.format
    }

    /// How long the window `from` to `to` is in the replay, where the trace goes on behind it; known at the end.
    #[must_use]
    pub fn whole_window(&self) -> Option<Duration> {
        let to = self.options.to.filter(|_| self.beyond)?;
        Some(Duration::from_nanos(scaled(ns(to - self.options.from), self.options.speed)))
    }

    /// Whether rows that share a whole second are spread over it.
    #[must_use]
    pub fn spreads_seconds(&self) -> bool {
        self.spreads
    }

    /// What was read so far.
    #[must_use]
    pub fn counts(&self) -> ReadCounts {
        ReadCounts { moved: self.order.moved, crowded_seconds: self.spread.crowded, ..self.counts.clone() }
    }

    /// The file's length as it lies there, packed or not: with [`TraceReader::counts`] for whoever shows progress.
    #[must_use]
    pub fn file_bytes(&self) -> Option<u64> {
        metadata(&self.path).ok().map(|found| found.len())
    }

    /// The next row, in the order of time; nothing after the last one.
    ///
    /// # Errors
    /// [`TraceError::Read`] where the file cannot be read on, [`TraceError::TooManyBad`] where more than 1 % of the rows are bad (after
    /// 1 000 rows, and at the end), [`TraceError::Empty`] where there was no row at all.
    pub fn next_row(&mut self) -> Result<Option<TraceRow>, TraceError> {
        while !self.finished {
            if let Some(row) = self.spread.pop() {
                if let Some(row) = self.in_window(row)? {
                    return Ok(Some(row));
                }
            } else if let Some(row) = self.order.pop(self.ended) {
                self.spread.push(row);
            } else if !self.ended {
                self.read_line()?;
            } else if !self.spread.finish() {
                self.finish()?;
            }
        }
        Ok(None)
    }

    /// The row as it is given out, unless it lies outside the window.
    fn in_window(&mut self, row: PendingRow) -> Result<Option<TraceRow>, TraceError> {
        let first_ns = *self.first_ns.get_or_insert(row.at_ns);
        let into_ns = row.at_ns.saturating_sub(first_ns);
        if self.options.to.is_some_and(|to| into_ns >= ns(to)) {
            self.beyond = true;
            self.finish()?;
            return Ok(None);
        }
        let Some(at_ns) = into_ns.checked_sub(ns(self.options.from)) else {
            self.counts.before += 1;
            return Ok(None);
        };
        // Only where a file states moments of seconds that are else spread can one lie before the last.
        self.last_ns = self.last_ns.max(scaled(at_ns, self.options.speed));
        self.counts.given += 1;
        Ok(Some(TraceRow {
            at_ns: self.last_ns,
            key: row.key,
            op: row.op,
            size: row.size,
            ttl: row.ttl_ns.map(Duration::from_nanos),
            class: row.class,
            failed: row.failed,
            name: row.name,
            line: row.line,
        }))
    }

    fn finish(&mut self) -> Result<(), TraceError> {
        self.finished = true;
        if self.counts.bad.too_many(true) {
            return Err(self.too_many());
        }
        if self.counts.given == 0 {
            let rows = self.counts.bad.rows;
            let found = match (self.first_ns, rows) {
                (None, 0) => "at all".to_owned(),
                (None, _) => format!("can be used of {rows}"),
                (Some(_), _) => "lies between from and to".to_owned(),
            };
            return Err(TraceError::Empty { path: self.path.clone(), found });
        }
        Ok(())
    }

    fn too_many(&self) -> TraceError {
        TraceError::TooManyBad { path: self.path.clone(), rows: self.counts.bad.clone() }
    }

    /// Reads a line into the order, if it is a row.
    fn read_line(&mut self) -> Result<(), TraceError> {
        let before = self.lines.number();
        let line = self.lines.next_line();
        let line = line.map_err(|source| TraceError::Read { path: self.path.clone(), line: before, source })?;
        let Some(TraceLine { number, bytes, too_long }) = line else {
            self.ended = true;
            return Ok(());
        };
        if bytes.is_empty() || (number == 1 && self.parser.is_header(bytes)) {
            return Ok(());
        }
        self.counts.bad.rows += 1;
        if too_long {
            self.counts
                .bad
                .add_saying(number, "the line", bytes, || format!("a line has {LINE_BYTES_MAX} bytes at most"));
        } else {
            match self.parser.row(bytes) {
                ParsedRow::Skip(SkipReason::NoKey) => self.counts.without_key += 1,
                ParsedRow::Skip(SkipReason::NoRequest) => self.counts.no_request += 1,
                ParsedRow::Bad(flaw) => self.counts.bad.add(number, flaw),
                ParsedRow::Row(row) => {
                    let row = pending(&row, number, &self.options, &self.classes);
                    if let Err(late) = self.order.push(row) {
                        add_late(&mut self.counts.bad, number, bytes, late, self.options.disorder);
                    }
                }
            }
        }
        if self.counts.bad.too_many(false) { Err(self.too_many()) } else { Ok(()) }
    }
}

fn add_late(bad: &mut BadRows, number: u64, bytes: &[u8], late: TooLate, disorder: Duration) {
    bad.add_saying(number, "the order", bytes, || {
        let back = Duration::from_nanos(late.back_ns);
        let latest = late.latest_line;
        format!("it lies {back:?} before line {latest}, allowed {disorder:?}: sort the file by time")
    });
}

fn pending(row: &FieldRow<'_>, line: u64, options: &TraceOptions, classes: &KeyClasses) -> PendingRow {
    let (number, class) = classes.of(row.key).unzip();
    let key: KeyHash = hashed(options.seed, row.key);
    let op: TraceOp = row.op;
    PendingRow {
        at_ns: row.at_ns,
        line,
        key,
        ttl_ns: row.ttl_ns.or(class.and_then(|class| class.ttl).map(ns)),
        size: row.size.or(class.and_then(|class| class.size)),
        class: number,
        op,
        failed: row.failed,
        name: options.names.of(row.key),
    }
}

/// A time of the trace in the replay. Exact at speed 1; else rounded to a nanosecond, and to 2⁻⁵³ of itself, which is below a
/// microsecond for 285 years.
fn scaled(ns: u64, speed: f64) -> u64 {
    if speed == 1.0 { ns } else { (ns as f64 / speed).round() as u64 }
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
