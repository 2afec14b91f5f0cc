//! The recorder's other half, told what is to be expected of a subject and what is kept of it.

use std::path::Path;

use report::{HlogHeader, ReportError, StrategyFolder};
use scenarios::Scenario;

use crate::cli::settings::Subject;
use crate::load::measure::IncrementTape;
use crate::load::record::{Collector, PartWriter, VersionTape};
use crate::shell::exit::Failure;

/// What a collector is for.
#[derive(Debug, Clone, Copy)]
pub struct Collecting<'a> {
    /// How many hand their seconds over.
    pub workers: usize,
    /// Whether what nobody can have read less than is wanted, which is of real runs.
    pub bounded: bool,
    /// Whether this is a part of a run, from which nothing is concluded: a floor would be the part's alone.
    pub is_part: bool,
    /// On whose disk tapes lie.
    pub folder: &'a Path,
}

/// Starts one.
///
/// # Errors
/// [`Failure`] where the system gives no thread.
pub fn collector(scenario: &Scenario, subject: &Subject, of: Collecting<'_>) -> Result<Collector, Failure> {
    let floor =
        subject.floor(scenario).filter(|_| !of.is_part).map(|floor| if of.bounded { floor.bounded() } else { floor });
    let no_thread = |error| Failure::failed(format!("no thread for the collector: {error}"));
    let collector = Collector::start(of.workers, floor).map_err(no_thread)?;
    subject.warmth(scenario).into_iter().for_each(|warmth| collector.expects(warmth));
    if scenario.writes.is_some() {
        collector.keeps(VersionTape::new(of.folder));
    }
    if subject.counter.is_some() {
        collector.keeps_increments(IncrementTape::new(of.folder));
    }
    Ok(collector)
}

/// Begins what it writes: the latency log, or of a part of a run its seconds as they are.
///
/// # Errors
/// [`ReportError`].
pub fn begin(
    collector: &Collector,
    files: &StrategyFolder,
    header: HlogHeader,
    is_part: bool,
) -> Result<(), ReportError> {
    if !is_part {
        collector.begin(files.begin_latency(header)?);
        return Ok(());
    }
    let mut part = PartWriter::begin(files)?;
    part.line("log", &(header.warmup_began, header.t0_offset_ms))?;
    collector.writes(part);
    Ok(())
}
