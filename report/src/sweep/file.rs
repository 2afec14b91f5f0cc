//! A sweep's folder: `sweep.json`, `sweep.csv`, `scenario.toml`.

use std::path::{Path, PathBuf};

use super::{PARTS_MAX, Point, SWEEP_SCHEMA, Sweep};
use crate::files::atomic::write_atomic;
use crate::files::csv::CsvLine;
use crate::files::document::Document;
use crate::files::error::ReportError;
use crate::files::{FileKind, read_text};
use crate::record::bounds::STRATEGIES_MAX;
use crate::record::figures::{Figures, figure};

/// The folder of one sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepFolder {
    path: PathBuf,
}

/// A row of `sweep.csv`: one run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow<'a> {
    /// The strategy as the scenario calls it, and its full composition.
    pub strategy: (&'a str, &'a str),
    /// Each knob's value.
    pub values: &'a [String],
    /// The seed.
    pub seed: u64,
    /// Whether its numbers may be believed.
    pub valid: bool,
    /// Its figures.
    pub figures: Figures,
}

impl SweepFolder {
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

    /// Whether there is a sweep in it.
    #[must_use]
    pub fn is_one(&self) -> bool {
        self.path.join("sweep.json").is_file()
    }

    /// Reads `sweep.json`.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::Document`] with what is wrong in it.
    pub fn read(&self) -> Result<Sweep, ReportError> {
        Sweep::read(&self.path.join("sweep.json"))
    }

    /// Writes `sweep.json`, pretty.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::Document`] where a number in it is not finite.
    pub fn write(&self, sweep: &Sweep) -> Result<(), ReportError> {
        sweep.write(&self.path.join("sweep.json"))
    }

    /// Writes `scenario.toml`.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn write_scenario(&self, toml: &str) -> Result<(), ReportError> {
        write_atomic(&self.path.join("scenario.toml"), |out| out.write_all(toml.as_bytes()))
    }

    /// The lines of `sweep.csv`, the names first.
    ///
    /// # Errors
    ///
    /// [`ReportError`] where it cannot be read, or is too large.
    pub fn read_lines(&self) -> Result<Vec<String>, ReportError> {
        let text = read_text(&self.path.join("sweep.csv"), FileKind::Sweep)?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Writes these lines as `sweep.csv`.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn write_lines(&self, lines: &[String]) -> Result<(), ReportError> {
        write_atomic(&self.path.join("sweep.csv"), |out| lines.iter().try_for_each(|line| writeln!(out, "{line}")))
    }

    /// Writes `sweep.csv`: a row a run, a column for each of `knobs` and each of `metrics`. What is unknown is empty.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn write_rows<'a>(
        &self,
        knobs: &[String],
        metrics: &[&str],
        rows: impl Iterator<Item = RunRow<'a>>,
    ) -> Result<(), ReportError> {
        write_atomic(&self.path.join("sweep.csv"), |out| {
            let mut line = CsvLine::default();
            for name in ["strategy", "spec"].into_iter().chain(knobs.iter().map(String::as_str)) {
                line.text(name);
            }
            for name in ["seed", "valid"].into_iter().chain(metrics.iter().copied()) {
                line.text(name);
            }
            line.end(out)?;
            for row in rows {
                line.text(row.strategy.0).text(row.strategy.1);
                for value in row.values {
                    line.text(value);
                }
                line.number(Some(row.seed)).number(Some(row.valid));
                for metric in metrics {
                    line.number(figure(&row.figures, metric).flatten());
                }
                line.end(out)?;
            }
            Ok(())
        })
    }
}

impl Document for Sweep {
    const NAME: &'static str = "sweep's record";
    const SCHEMA: &'static str = SWEEP_SCHEMA;
    const MAKER: &'static str = "loadgen sweep";
    const KIND: FileKind = FileKind::Sweep;

    fn nonsense(&self) -> Option<String> {
        let strategies = self.strategies().len();
        if strategies > STRATEGIES_MAX {
            return Some(format!("points: found {strategies} strategies, allowed {STRATEGIES_MAX}"));
        }
        if let Some(Point { name, runs, .. }) = self.points.iter().find(|point| point.runs as usize > self.seeds.len())
        {
            return Some(format!("{name:?} has {runs} runs, allowed {}, one for each seed", self.seeds.len()));
        }
        if let Some(part) = self.part.as_ref().filter(|part| part.of > PARTS_MAX || part.index >= part.of) {
            return Some(format!(
                "it is part {} of {}, allowed at most {PARTS_MAX}, counted from 0",
                part.index, part.of
            ));
        }
        if let Some(ranked) = self.ranking.iter().find(|ranked| ranked.point >= self.points.len()) {
            return Some(format!("its ranking names point {}", ranked.point));
        }
        let odd = self.points.iter().find(|point| point.values.len() != self.knobs.len())?;
        Some(format!("{} has no value of some knob", odd.name))
    }
}
