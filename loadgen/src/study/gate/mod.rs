//! `gate` and `promote`: a run against a baseline, and a run made the baseline; `compare`: a run against others.
//!
//! Runs in virtual time are the same bit for bit, so their gate is exact: one changed figure is a finding. Two real runs
//! never are: of those counts are hard and times are advice (`measured.rs`).

mod baseline_file;
mod candidate;
mod circumstances;
mod files;
mod measured;
mod real;
mod sentences;
mod versus;

use std::path::{Path, PathBuf};

use report::Document as _;
use report::compare::baseline::{Baseline, compare};

use crate::cli::{GateArgs, PromoteArgs};
use crate::shell::exit::{Exit, Failure};
use crate::shell::output;
use baseline_file::{no_baseline, replaceable, unwritten};
pub(crate) use candidate::CandidateRun;
pub(crate) use circumstances::circumstances;
pub use versus::compare as compare_runs;
pub(crate) use versus::{COMPARE_SCHEMA, Compared};

/// Holds a run to a baseline.
///
/// # Errors
/// [`Failure`]: 2 for a run that can't be read, 4 for one that is invalid, 3 where there is no baseline, or nothing
/// follows from the two of them.
pub fn gate(args: &GateArgs) -> Result<Exit, Failure> {
    let candidate = CandidateRun::read(&args.run)?;
    let path = baseline_path(&args.baseline, &candidate);
    if !candidate.is_exact() {
        return real::gate(args, &candidate, &path);
    }
    let run = candidate.exact(&args.run)?;
    let baseline = Baseline::read(&path).map_err(|error| no_baseline(&error, &path, &args.run))?;
    match compare(&baseline, &run) {
        Err(differences) => Err(sentences::not_comparable(&path, &args.run, &differences)),
        Ok(changes) if changes.is_empty() => {
            output::out(&sentences::equal(&path, &baseline))?;
            Ok(Exit::Ok)
        }
        Ok(changes) => {
            output::out(&sentences::changed(&path, &args.run, &baseline, &changes))?;
            Ok(Exit::Regression)
        }
    }
}

/// Makes a run the baseline of its scenario and lab.
///
/// # Errors
/// [`Failure`]: 2 for a run that can't be read or a folder that can't be written, 4 for a run that is invalid, 3 for one
/// that nothing could be held to.
pub fn promote(args: &PromoteArgs) -> Result<Exit, Failure> {
    let candidate = CandidateRun::read(&args.run)?;
    let path = args.baseline_dir.join(candidate.file_name());
    if !candidate.is_exact() {
        return real::promote(args, &candidate, &path);
    }
    let run = candidate.exact(&args.run)?;
    let before = replaceable(Baseline::read(&path), &path)?;
    run.write(&path).map_err(unwritten)?;
    output::out(&sentences::promoted(&path, before.as_ref(), &run))?;
    Ok(Exit::Ok)
}

fn baseline_path(given: &Path, candidate: &CandidateRun) -> PathBuf {
    let is_file = given.extension().is_some_and(|extension| extension == "json") || given.is_file();
    if is_file { given.to_owned() } else { given.join(candidate.file_name()) }
}

impl CandidateRun {
    /// What the run came to, where exactly that can be held against it.
    fn exact(&self, path: &Path) -> Result<Baseline, Failure> {
        self.check_whole(path)?;
        self.check_valid(path)?;
        if !self.run.blocks.is_empty() {
            return Err(Failure::not_comparable(format!(
                "a simulated run with repeats · {} · found {} blocks, allowed 1: the figures of one seed are exact, and more \
                 seeds prove no more · run it without --repeats",
                path.display(),
                self.run.blocks.len()
            )));
        }
        Ok(Baseline::of(&self.run, self.settings.clone()))
    }
}
