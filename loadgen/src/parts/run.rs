//! Drives a part of a run, and writes down what it saw. Nothing is concluded from a part.

use std::path::Path;
use std::sync::Arc;

use report::RunFolder;
use report::record::Run;

use super::line::{ShareSeen, finish};
use super::record::{PART_SCHEMA, PartRecord};
use crate::cli::settings::Settings;
use crate::lab::simlab::{self, SimLab};
use crate::run::{heading, make_folder, new_record, resolved};
use crate::shell::exit::{Exit, Failure};
use crate::shell::interrupt;
use crate::shell::output;
use crate::shell::part::PartOf;
use crate::study::blocks::Turn;
use app::process::shutdown::Shutdown;

/// Drives it.
///
/// # Errors
/// [`Failure`] where the lab or the program fails.
pub async fn run(settings: Settings, part: PartOf) -> Result<Exit, Failure> {
    if !settings.simulated {
        return Err(Failure::usage("a shard of a run that is not simulated · --shard · found no --lab sim · add it"));
    }
    let stop = interrupt::listen().map_err(|e| Failure::failed(format!("no signals from the system: {e}")))?;
    let first = Turn::of(&settings, 1);
    let mut run = new_record(&settings, &first.plan)?;
    run.run = format!("{}-shard-{}-of-{}", run.run, part.index, part.of);
    let folder = make_folder(&settings.output, &run.run)?;
    folder.write_scenario(&resolved(&settings, &run)).map_err(Failure::failed)?;
    (run.lab, run.cache, run.environment) = ("sim".into(), simlab::CACHE.into(), simlab::environment());
    let mut record = record(&settings, part, run);
    simulate(&settings, part, first, &stop, &folder, &mut record).await?;
    say(&settings, folder.path(), &record)?;
    Ok(if stop.is_said() { Exit::Interrupted } else { Exit::Ok })
}

fn record(settings: &Settings, part: PartOf, run: Run) -> PartRecord {
    PartRecord {
        schema: PART_SCHEMA.into(),
        index: part.index,
        of: part.of,
        together: None,
        build: app::BUILD.into(),
        strategies: settings.subjects.iter().map(|subject| subject.name.clone()).collect(),
        repeats: settings.repeats,
        whole: settings.command.clone(),
        overridden: settings.overridden.clone(),
        unchecked: settings.unchecked.clone(),
        lost: Vec::new(),
        run,
    }
}

/// Strategy after strategy, each written when it is over.
async fn simulate(
    settings: &Settings,
    part: PartOf,
    first: Turn,
    stop: &Shutdown,
    folder: &RunFolder,
    record: &mut PartRecord,
) -> Result<(), Failure> {
    record.write_in(folder.path()).map_err(Failure::failed)?;
    let mut turn = first;
    loop {
        for (at, subject) in (1..).zip(&turn.subjects) {
            let files = folder.strategy(&subject.folder).map_err(Failure::failed)?;
            let lab = SimLab::new(&turn.settings, Arc::clone(&turn.plan), stop.clone());
            let seen = lab.observed(subject, &files, &heading(&turn, at, subject)).await?;
            let share = ShareSeen { stopped: seen.world.stopped, ..ShareSeen::default() };
            finish(seen, &share, part.index == 0).map_err(Failure::failed)?;
            if stop.is_said() {
                return Ok(());
            }
        }
        if turn.number == settings.repeats {
            record.run.complete = true;
            return record.write_in(folder.path()).map_err(Failure::failed);
        }
        turn = Turn::of(settings, turn.number + 1);
    }
}

fn say(settings: &Settings, folder: &Path, record: &PartRecord) -> Result<(), Failure> {
    if settings.quiet {
        return Ok(());
    }
    let PartRecord { index, of, .. } = record;
    let path = folder.display();
    output::out(&format!(
        "shard    {index} of {of}: what it saw, and no figures yet\nresults  {path}\nnext     loadgen merge with the folders of all {of}\n"
    ))
}
