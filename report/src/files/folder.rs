//! A run's folder: which file lies where, each with its type.
//!
//! A lab writes through this, a report reads through it, and neither spells a file name.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use crate::files::atomic::{AtomicFile, refuse_links, write_inside};
use crate::files::csv::CsvLine;
use crate::files::error::{ReportError, io_error};
use crate::files::hlog::{HlogHeader, HlogWriter, read_hlog_header};
use crate::files::lines::FileLines;
use crate::files::rows::{self, BinFile};
use crate::files::{FileKind, read_file, read_text};
use crate::files::{server_rows, shard_rows, write_rows};
use crate::record::run_json::{parse_run, print_run};
use crate::record::{AnswerRow, BinRow, ContainerRow, EventRow, OriginRow, Run, ServerRow, ShardRow, WriteRow};

/// The head of `latency.hlog` lies within so many bytes.
const HLOG_HEAD_MAX: u64 = 4096;

/// Writes one row of a file.
pub type Write<'a, T> = &'a mut dyn FnMut(&T) -> io::Result<()>;

/// The folder of one run, `results/20261120T235900Z-hotkey-3f9a`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Names the folder; nothing is read, and writing makes it where it is missing.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads `run.json`.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::RunJson`] with what is wrong in it.
    pub fn read_run(&self) -> Result<Run, ReportError> {
        let path = self.path.join("run.json");
        let bytes = read_file(&path, FileKind::Document)?;
        parse_run(&bytes).map_err(|problem| ReportError::RunJson { path, problem })
    }

    /// Writes `run.json`, pretty.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::RunJson`] where a number in it is not finite.
    pub fn write_run(&self, run: &Run) -> Result<(), ReportError> {
        let path = self.path.join("run.json");
        let text = print_run(run).map_err(|problem| ReportError::RunJson { path: path.clone(), problem })?;
        write_inside(&self.path, &path, |out| out.write_all(text.as_bytes()))
    }

    /// Reads `scenario.toml` as text; this crate does not know what it means.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn read_scenario(&self) -> Result<String, ReportError> {
        read_text(&self.path.join("scenario.toml"), FileKind::Settings)
    }

    /// Writes `scenario.toml`.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn write_scenario(&self, toml: &str) -> Result<(), ReportError> {
        write_inside(&self.path, &self.path.join("scenario.toml"), |out| out.write_all(toml.as_bytes()))
    }

    /// The folder of one strategy, by [`crate::record::Strategy::folder`].
    ///
    /// # Errors
    ///
    /// [`ReportError::FolderName`] for a name that would leave the run's folder.
    pub fn strategy(&self, folder: &str) -> Result<StrategyFolder, ReportError> {
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
        if folder.is_empty() || folder.contains(['\\', '\0']) || !Path::new(folder).components().all(plain) {
            return Err(ReportError::FolderName { name: folder.to_owned() });
        }
        Ok(StrategyFolder { run: self.path.clone(), path: self.path.join(folder) })
    }
}

/// The folder of one strategy (or of one of its repeats) inside a run's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategyFolder {
    pub(crate) run: PathBuf,
    path: PathBuf,
}

impl StrategyFolder {
    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `seconds.csv`; each row must start on a whole second.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn write_seconds(&self, rows: &[BinRow]) -> Result<(), ReportError> {
        self.write("seconds.csv", |out| rows::write_bins(out, BinFile::Seconds, rows))
    }

    /// Reads `seconds.csv`.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::Row`] with the line.
    pub fn read_seconds(&self) -> Result<Vec<BinRow>, ReportError> {
        rows::read_bins(self.lines("seconds.csv", FileKind::Rows)?, BinFile::Seconds)
    }

    /// Writes `bins100ms.csv`; percentiles in the rows are left out.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn write_bins(&self, rows: &[BinRow]) -> Result<(), ReportError> {
        self.write("bins100ms.csv", |out| rows::write_bins(out, BinFile::Bins, rows))
    }

    /// Reads `bins100ms.csv`.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::Row`] with the line.
    pub fn read_bins(&self) -> Result<Vec<BinRow>, ReportError> {
        rows::read_bins(self.lines("bins100ms.csv", FileKind::Rows)?, BinFile::Bins)
    }

    /// Writes `origin.csv`.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn write_origin<'a>(&self, rows: impl IntoIterator<Item = &'a OriginRow>) -> Result<(), ReportError> {
        self.stream_origin(|write| rows.into_iter().try_for_each(write))
    }

    /// Writes `origin.csv` from rows that `each` shows one after the other.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn stream_origin(&self, each: impl FnOnce(Write<'_, OriginRow>) -> io::Result<()>) -> Result<(), ReportError> {
        self.write("origin.csv", |out| {
            rows::write_origin_header(out)?;
            let mut line = CsvLine::default();
            each(&mut |row| rows::write_origin(out, &mut line, row))
        })
    }

    /// Reads `origin.csv`.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::Row`] with the line.
    pub fn read_origin(&self) -> Result<Vec<OriginRow>, ReportError> {
        let mut rows = Vec::new();
        self.each_origin(&mut |row| rows.push(row.clone()))?;
        Ok(rows)
    }

    /// Shows the rows of `origin.csv` one after the other.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::Row`] with the line.
    pub fn each_origin(&self, visit: &mut dyn FnMut(&OriginRow)) -> Result<(), ReportError> {
        rows::each_origin(self.lines("origin.csv", FileKind::Ledger)?, visit)
    }

    /// Writes `writes.csv`, which only a run with writes has, from rows that `each` shows one after the other.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn stream_writes(&self, each: impl FnOnce(Write<'_, WriteRow>) -> io::Result<()>) -> Result<(), ReportError> {
        self.write("writes.csv", |out| {
            write_rows::write_writes_header(out)?;
            let mut line = CsvLine::default();
            each(&mut |row| write_rows::write_write(out, &mut line, row))
        })
    }

    /// Shows the rows of `writes.csv` one after the other; none where there is no such file.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::Row`] with the line.
    pub fn each_write(&self, visit: &mut dyn FnMut(&WriteRow)) -> Result<(), ReportError> {
        if !self.path.join("writes.csv").exists() {
            return Ok(());
        }
        write_rows::each_write(self.lines("writes.csv", FileKind::Ledger)?, visit)
    }

    /// Writes `answers.csv`, likewise.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn stream_answers(&self, each: impl FnOnce(Write<'_, AnswerRow>) -> io::Result<()>) -> Result<(), ReportError> {
        self.write("answers.csv", |out| {
            write_rows::write_answers_header(out)?;
            let mut line = CsvLine::default();
            each(&mut |row| write_rows::write_answer(out, &mut line, row))
        })
    }

    /// Shows the rows of `answers.csv` one after the other; none where there is no such file.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::Row`] with the line.
    pub fn each_answer(&self, visit: &mut dyn FnMut(&AnswerRow)) -> Result<(), ReportError> {
        if !self.path.join("answers.csv").exists() {
            return Ok(());
        }
        write_rows::each_answer(self.lines("answers.csv", FileKind::Ledger)?, visit)
    }

    /// Writes `containers.csv`, which only a lab in containers has.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn write_containers(&self, rows: &[ContainerRow]) -> Result<(), ReportError> {
        self.write("containers.csv", |out| rows::write_containers(out, rows))
    }

    /// Reads `containers.csv`; nothing where there is no such file.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::Row`] with the line.
    pub fn read_containers(&self) -> Result<Vec<ContainerRow>, ReportError> {
        if !self.path.join("containers.csv").exists() {
            return Ok(Vec::new());
        }
        rows::read_containers(self.lines("containers.csv", FileKind::Rows)?)
    }

    /// Writes `cache.csv`, which only a run over a server that the generator reaches has.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn write_server(&self, rows: &[ServerRow]) -> Result<(), ReportError> {
        self.write("cache.csv", |out| server_rows::write_server(out, rows))
    }

    /// Reads `cache.csv`; nothing where there is no such file.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::Row`] with the line.
    pub fn read_server(&self) -> Result<Vec<ServerRow>, ReportError> {
        if !self.path.join("cache.csv").exists() {
            return Ok(Vec::new());
        }
        server_rows::read_server(self.lines("cache.csv", FileKind::Rows)?)
    }

    /// Writes `shards.csv`, which only a run over a cluster has.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn write_shards(&self, rows: &[ShardRow]) -> Result<(), ReportError> {
        self.write("shards.csv", |out| shard_rows::write_shards(out, rows))
    }

    /// Reads `shards.csv`; nothing where there is no such file.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::Row`] with the line.
    pub fn read_shards(&self) -> Result<Vec<ShardRow>, ReportError> {
        if !self.path.join("shards.csv").exists() {
            return Ok(Vec::new());
        }
        shard_rows::read_shards(self.lines("shards.csv", FileKind::Rows)?)
    }

    /// Writes `events.jsonl`, one JSON object a line.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn write_events<'a>(&self, rows: impl IntoIterator<Item = &'a EventRow>) -> Result<(), ReportError> {
        self.stream_events(|write| rows.into_iter().try_for_each(write))
    }

    /// Writes `events.jsonl` from rows that `each` shows one after the other.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn stream_events(&self, each: impl FnOnce(Write<'_, EventRow>) -> io::Result<()>) -> Result<(), ReportError> {
        self.write("events.jsonl", |out| {
            let mut line = Vec::new();
            each(&mut |row| {
                line.clear();
                serde_json::to_writer(&mut line, row)?;
                line.push(b'\n');
                out.write_all(&line)
            })
        })
    }

    /// Reads `events.jsonl`.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::Row`] with the line.
    pub fn read_events(&self) -> Result<Vec<EventRow>, ReportError> {
        let mut rows = Vec::new();
        self.each_event(&mut |row| rows.push(row))?;
        Ok(rows)
    }

    /// Shows the lines of `events.jsonl` one after the other.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::Row`] with the line.
    pub fn each_event(&self, visit: &mut dyn FnMut(EventRow)) -> Result<(), ReportError> {
        let mut lines = self.lines("events.jsonl", FileKind::Ledger)?;
        while let Some(line) = lines.next(|_| false)? {
            if !line.text.trim().is_empty() {
                visit(EventRow::read(line.text).map_err(|problem| line.fault(format!("not an event: {problem}")))?);
            }
        }
        Ok(())
    }

    /// Begins `latency.hlog` with its header; it appears when the writer is committed.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn begin_latency(&self, header: HlogHeader) -> Result<HlogWriter<AtomicFile>, ReportError> {
        let path = self.path.join("latency.hlog");
        refuse_links(&self.run, &path)?;
        HlogWriter::begin(AtomicFile::create(&path)?, header).map_err(io_error("write", &path))
    }

    /// Reads what the head of `latency.hlog` says about time.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`] where it cannot be read or says nothing of it.
    pub fn read_latency_header(&self) -> Result<HlogHeader, ReportError> {
        let path = self.path.join("latency.hlog");
        let mut head = String::new();
        let file = File::open(&path).map_err(io_error("read", &path))?;
        file.take(HLOG_HEAD_MAX).read_to_string(&mut head).map_err(io_error("read", &path))?;
        let none = || io::Error::new(io::ErrorKind::InvalidData, "its head does not say when it began");
        read_hlog_header(&head).ok_or_else(none).map_err(io_error("read", &path))
    }

    /// Writes `latency.hlog`: the header, then whatever `fill` writes.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], also for what [`HlogWriter::write`] refuses.
    pub fn write_latency(
        &self,
        header: HlogHeader,
        fill: impl FnOnce(&mut HlogWriter<AtomicFile>) -> io::Result<()>,
    ) -> Result<(), ReportError> {
        let mut log = self.begin_latency(header)?;
        fill(&mut log).map_err(io_error("write", &self.path.join("latency.hlog")))?;
        log.commit()
    }

    fn write(&self, file: &str, fill: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<(), ReportError> {
        write_inside(&self.run, &self.path.join(file), fill)
    }

    fn lines(&self, file: &str, kind: FileKind) -> Result<FileLines, ReportError> {
        FileLines::open(&self.path.join(file), kind)
    }
}
