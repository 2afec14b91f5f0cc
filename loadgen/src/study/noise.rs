//! Where noise files lie, and what they say of a run.

use std::path::{Path, PathBuf};

use report::compare::{Noise, machine_class, read_noise};
use report::record::Run;

use crate::shell::exit::Failure;

/// Where noise files lie: one a class of machines.
pub(crate) const NOISES: &str = "results/noise";

/// The noise file of the machine that a record is of.
pub(crate) fn path(folder: &Path, record: &Run) -> PathBuf {
    folder.join(format!("{}.json", machine_class(&record.environment)))
}

/// What is known of the noise of a run, in a folder of noise files. A simulated run has none.
///
/// # Errors
/// [`Failure`] for a file that can't be read.
pub(crate) fn of(folder: &Path, record: &Run) -> Result<Noise, Failure> {
    let file = read_noise(&path(folder, record)).map_err(Failure::usage)?;
    Ok(file.map_or_else(Noise::default, |file| Noise::of_scenario(&file, &record.scenario, &record.lab)))
}
