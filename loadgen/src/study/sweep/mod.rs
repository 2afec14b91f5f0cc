//! `sweep`: one scenario at every point of a grid of settings, in virtual time, on all cores.
//!
//! | idea | where |
//! |---|---|
//! | `0.5..3:0.25`, `2s,5s,10s` | [`values`], [`decimal`] |
//! | what a knob turns, and of which strategies | [`knob`] |
//! | every point as the settings of an ordinary run | [`grid`] |
//! | one simulation a thread | [`runner`] |
//! | `min origin.total where latency.p99 <= 20ms` | [`goal`], [`rank`] |
//! | the parts of a sweep that several processes did | [`merge`] |
//! | what is written, what is said | [`outcome`], [`sentences`] |

pub mod decimal;
pub mod goal;
pub mod grid;
pub mod knob;
pub mod merge;
pub mod outcome;
pub mod rank;
pub mod runner;
pub mod sentences;
pub mod values;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use app::process::shutdown::Shutdown;
use report::record::Strategy;
use report::sweep::{Sweep, SweepFolder, render_sweep};
use report::text::escape;
use report::{FileKind, read_text};
use scenarios::Plan;

use crate::cli::settings::Settings;
use crate::cli::{Format, RunArgs, SweepArgs};
use crate::lab::simlab::SimLab;
use crate::run::make_folder;
use crate::shell::exit::{Exit, Failure};
use crate::shell::interrupt;
use crate::shell::names::{Utc, run_name};
use crate::shell::output;
use goal::Goal;
use grid::Grid;
use outcome::SweepIdentity;
use runner::{Finished, run_all};

/// Runs the grid, writes the folder, says what came out.
///
/// # Errors
/// [`Failure`] where an argument or any point of the grid is bad, or a run or a file fails; what was finished by then is
/// written.
pub async fn run(args: &SweepArgs) -> Result<Exit, Failure> {
    let grid = Arc::new(Grid::of(args)?);
    let goal = args.goal.as_deref().map(|text| Goal::parse(text, has_hot_key(&grid))).transpose();
    let goal = goal.map_err(Failure::usage)?;
    if !args.run.quiet || args.run.dry_run {
        output::err(&sentences::announce(&grid));
    }
    if args.run.dry_run {
        return Ok(Exit::Ok);
    }
    let stop = interrupt::listen().map_err(|e| Failure::failed(format!("no signals from the system: {e}")))?;
    let began = Utc::now();
    let entropy = app::wire::auth::entropy().map_err(Failure::failed)?;
    let of_part = grid.part.map(|part| format!("-part-{}-of-{}", part.index, part.of)).unwrap_or_default();
    let name = run_name(began, &format!("sweep-{}", grid.base.scenario.name), entropy) + &of_part;
    let folder = SweepFolder::at(make_folder(&args.run.output, &name)?.path());

    let (running, quiet, told, clock) = (Arc::clone(&grid), args.run.quiet, stop.clone(), Instant::now());
    let finished = tokio::task::spawn_blocking(move || run_all(&running, simulate, &told, quiet)).await;
    let finished = finished.map_err(|_| Failure::failed("a sweep's thread panicked: a bug"))?;
    if !quiet {
        output::err(&sentences::took(finished.count(), clock.elapsed()));
    }
    if finished.count() == 0 && grid.runs() > 0 {
        // Nothing to keep.
        let _ = std::fs::remove_dir(folder.path());
        return finished.failure.map_or(Ok(Exit::Interrupted), Err);
    }
    let sweep = outcome::record(&SweepIdentity { name, began }, &grid, goal.as_ref(), &finished);
    write(&folder, &grid, &sweep, &finished).map_err(Failure::failed)?;
    let rendered = render_sweep(folder.path()).map_err(Failure::failed)?;
    say(args.run.format, &folder, &sweep, Some(&args.run), rendered.files.len())?;
    finished.failure.map_or_else(|| Ok(exit(&sweep, stop.is_said())), Err)
}

/// Simulates the settings' only subject, as `loadgen run --lab sim` does, and keeps its figures.
///
/// # Errors
/// [`Failure`] where the run fails.
pub fn simulate(settings: &Settings, stop: &Shutdown) -> Result<Strategy, Failure> {
    simulate_within(settings, stop, None)
}

/// The same; a run that has cost `steps_max` steps of the simulator is cut there ([`Strategy::cut_after_s`]).
///
/// # Errors
/// As [`simulate`].
pub fn simulate_within(settings: &Settings, stop: &Shutdown, steps_max: Option<u32>) -> Result<Strategy, Failure> {
    let Some(subject) = settings.subjects.first() else { return Err(Failure::failed("nothing to simulate: a bug")) };
    let plan = Arc::new(Plan::new(settings.seed, &settings.scenario, u32::from(settings.replicas)));
    let lab = SimLab::new(settings, plan, stop.clone()).of_steps(steps_max.unwrap_or(u32::MAX));
    let trial = lab.simulate(subject, None, &subject.name);
    let seed = settings.seed;
    let failed = |failure: Failure| Failure { text: format!("{} · seed {seed}", failure.text), ..failure };
    Ok(trial.map_err(failed)?.figures.strategy)
}

fn has_hot_key(grid: &Grid) -> bool {
    grid.points.iter().all(|point| point.settings.scenario.keys.hot_key().is_some())
}

fn write(folder: &SweepFolder, grid: &Grid, sweep: &Sweep, finished: &Finished) -> Result<(), report::ReportError> {
    let toml = grid.base.scenario.to_toml();
    folder.write_scenario(&format!("# Where no knob is turned. The sweep: {}\n{toml}", sweep.command))?;
    outcome::write_rows(folder, sweep, finished)?;
    folder.write(sweep)
}

/// What comes out on standard output; `args` are those that a setting can be run with alone.
fn say(
    format: Format,
    folder: &SweepFolder,
    sweep: &Sweep,
    args: Option<&RunArgs>,
    charts: usize,
) -> Result<(), Failure> {
    let text = match format {
        Format::Json => {
            escape::json(&read_text(&folder.path().join("sweep.json"), FileKind::Sweep).map_err(Failure::failed)?)
        }
        Format::Text => sentences::outcome(sweep, args) + &places(folder.path(), sweep, charts),
    };
    output::out(&text)
}

fn places(path: &Path, sweep: &Sweep, charts: usize) -> String {
    if let Some(part) = &sweep.part {
        let next = sentences::merges(path, &sweep.scenario, part.of);
        return format!("results  {}: sweep.csv, sweep.json\nnext     {next}\n", path.display());
    }
    let path = path.display();
    let turned = sweep.knobs.iter().filter(|knob| knob.values.len() > 1).count();
    let charts = match (turned, charts) {
        (0, _) => "none: no knob has more than one value".to_owned(),
        (3.., _) => format!("none of {turned} knobs: one or two can be drawn"),
        (_, files) => format!("{path}/charts ({}, as PNG and SVG)", files / 2),
    };
    format!("\nresults  {path}: sweep.csv, sweep.json\ncharts   {charts}\n")
}

/// Where several exit codes apply, the contract's order decides.
fn exit(sweep: &Sweep, interrupted: bool) -> Exit {
    let invalid = sweep.points.iter().any(|point| !point.valid && point.runs > 0);
    // Whether a part has one that meets the goal says nothing of the whole.
    let missed = sweep.goal.is_some() && sweep.part.is_none() && !sweep.ranking.iter().any(|ranked| ranked.meets);
    let exits = [
        interrupted.then_some(Exit::Interrupted),
        invalid.then_some(Exit::Invalid),
        missed.then_some(Exit::ThresholdMissed),
    ];
    exits.into_iter().flatten().min().unwrap_or(Exit::Ok)
}
