//! A sweep's folder: `sweep.json`, `sweep.csv`, `scenario.toml`.

use std::path::{Path, PathBuf};

use super::{Point, SWEEP_SCHEMA, Sweep};
use crate::files::atomic::write_atomic;
use crate::files::csv::{push_number, push_text};
use crate::files::error::ReportError;
use crate::files::{FileKind, read_file};
use crate::record::bounds::STRATEGIES_MAX;
use crate::record::figures::{Figures, figure};
use crate::record::json::{self, Document, DocumentProblem, Fault};

const DOCUMENT: Document = Document { name: "sweep's record", schema: SWEEP_SCHEMA, maker: "loadgen sweep" };

/// The folder of one sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepFolder {
    path: PathBuf,
}

/// A row of `sweep.csv`: one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<'a> {
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
        let path = self.path.join("sweep.json");
        let bytes = read_file(&path, FileKind::Sweep)?;
        parse_sweep(&bytes).map_err(|problem| ReportError::Document { path, problem })
    }

    /// Writes `sweep.json`, pretty.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`], or [`ReportError::Document`] where a number in it is not finite.
    pub fn write(&self, sweep: &Sweep) -> Result<(), ReportError> {
        let path = self.path.join("sweep.json");
        let document = |fault| ReportError::Document { path: path.clone(), problem: problem(fault) };
        let text = serde_json::to_string_pretty(sweep)
            .map_err(|error| document(Fault::Nonsense { problem: error.to_string() }))?;
        // JSON turns NaN into null, which a plain number cannot be read from: better found here than next year.
        parse(text.as_bytes()).map_err(document)?;
        write_atomic(&path, |out| writeln!(out, "{text}"))
    }

    /// Writes `scenario.toml`.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn write_scenario(&self, toml: &str) -> Result<(), ReportError> {
        write_atomic(&self.path.join("scenario.toml"), |out| out.write_all(toml.as_bytes()))
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
        rows: impl Iterator<Item = Row<'a>>,
    ) -> Result<(), ReportError> {
        write_atomic(&self.path.join("sweep.csv"), |out| {
            let mut line = String::from("strategy,spec");
            for name in knobs.iter().map(String::as_str).chain(["seed", "valid"]).chain(metrics.iter().copied()) {
                line.push(',');
                push_text(&mut line, name);
            }
            writeln!(out, "{line}")?;
            for row in rows {
                line.clear();
                push_text(&mut line, row.strategy.0);
                for text in [row.strategy.1].into_iter().chain(row.values.iter().map(String::as_str)) {
                    line.push(',');
                    push_text(&mut line, text);
                }
                line.push_str(&format!(",{},{}", row.seed, row.valid));
                for metric in metrics {
                    line.push(',');
                    push_number(&mut line, figure(&row.figures, metric).flatten());
                }
                writeln!(out, "{line}")?;
            }
            Ok(())
        })
    }
}

/// Reads the bytes of a `sweep.json`.
///
/// # Errors
///
/// [`DocumentProblem`]: no JSON, another schema, a key that is there twice, or what no sweep can be.
pub fn parse_sweep(bytes: &[u8]) -> Result<Sweep, DocumentProblem> {
    parse(bytes).map_err(problem)
}

fn problem(fault: Fault) -> DocumentProblem {
    DocumentProblem { document: DOCUMENT, fault }
}

fn parse(bytes: &[u8]) -> Result<Sweep, Fault> {
    let sweep: Sweep = json::read(bytes, SWEEP_SCHEMA)?;
    let dangling = sweep.ranking.iter().find(|ranked| ranked.point >= sweep.points.len());
    let strategies = sweep.strategies().len();
    let too_many = sweep.points.iter().find(|point| point.runs as usize > sweep.seeds.len());
    if strategies > STRATEGIES_MAX {
        return Err(Fault::Nonsense {
            problem: format!("points: found {strategies} strategies, allowed {STRATEGIES_MAX}"),
        });
    }
    if let Some(Point { name, runs, .. }) = too_many {
        let seeds = sweep.seeds.len();
        return Err(Fault::Nonsense {
            problem: format!("{name:?} has {runs} runs, allowed {seeds}, one for each seed"),
        });
    }
    let odd = sweep.points.iter().find(|point| point.values.len() != sweep.knobs.len());
    match (dangling, odd) {
        (Some(ranked), _) => Err(Fault::Nonsense { problem: format!("its ranking names point {}", ranked.point) }),
        (_, Some(point)) => Err(Fault::Nonsense { problem: format!("{} has no value of some knob", point.name) }),
        (None, None) => Ok(sweep),
    }
}
