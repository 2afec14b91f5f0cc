//! Drives a part of a run, and writes down what it saw. Nothing is concluded from a part.

use std::path::Path;
use std::sync::Arc;

use app::process::shutdown::Shutdown;
use report::record::Run;
use report::{RunFolder, StrategyFolder};
use scenarios::Trouble;

use super::line::finish;
use super::record::{PART_SCHEMA, PartRecord};
use crate::cli::Format;
use crate::cli::settings::{Settings, Subject};
use crate::lab::simlab::{self, SimLab};
use crate::lab::trial::{Observation, sweep};
use crate::lab::{self, OpenLab};
use crate::run::{heading, make_folder, new_record, resolved};
use crate::shell::command_line::command_without;
use crate::shell::exit::{Exit, Failure};
use crate::shell::interrupt;
use crate::shell::output;
use crate::shell::part::PartOf;
use crate::study::blocks::Turn;

/// Drives it.
///
/// # Errors
/// [`Failure`] where the lab or the program fails, or another part of the run is lost.
pub async fn run(mut settings: Settings, part: PartOf) -> Result<Exit, Failure> {
    let found = lab::choose(&mut settings).await?;
    if found.is_none() && !settings.simulated {
        return Err(Failure::usage(
            "a shard of a lab that is its process's own · --shard · found the local lab, allowed --lab docker, --stack or --lab sim · \
             choose one of them",
        ));
    }
    let settings = &settings;
    check_events(settings)?;
    let stop = interrupt::listen().map_err(|e| Failure::failed(format!("no signals from the system: {e}")))?;
    let first = Turn::of(settings, 1);
    let mut run = new_record(settings, &first.plan)?;
    let world = match found {
        Some(found) => {
            let world = OpenLab::join(settings, found, part, &run.run, stop.clone()).await?;
            (run.lab, run.cache) = (world.lab.into(), world.cache.clone());
            world.run_name().clone_into(&mut run.run);
            Some(world)
        }
        None => {
            (run.lab, run.cache, run.environment) = ("sim".into(), simlab::CACHE.into(), simlab::environment());
            None
        }
    };
    let together = world.as_ref().map(|_| run.run.clone());
    run.run = format!("{}-shard-{}-of-{}", run.run, part.index, part.of);
    let folder = make_folder(&settings.output, &run.run)?;
    folder.write_scenario(&resolved(settings, &run)).map_err(Failure::failed)?;
    let record = PartRecord { together, ..record(settings, part, run) };
    let mut drives = Drives { world, part, stop, record, folder: &folder };
    drives.all(settings, first).await?;
    drives.say(settings)
}

/// A replica that is started again listens somewhere else, and only the process that starts it knows where.
fn check_events(settings: &Settings) -> Result<(), Failure> {
    let moves = |event: &&scenarios::ScenarioEvent| event.action.kind.row().trouble == Trouble::Crash;
    let Some(event) = settings.scenario.events.iter().find(moves).filter(|_| !settings.simulated) else {
        return Ok(());
    };
    Err(Failure::usage(format!(
        "an event that several processes can't share · [[event]] do = {:?} with --shard · found a replica that comes back elsewhere, which \
         one process alone learns · take it out, or use --lab sim",
        event.action.kind.row().word
    )))
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
        whole: command_without(&["--shard", "-o", "--output"]),
        overridden: settings.overridden.clone(),
        lost: Vec::new(),
        run,
    }
}

/// A part that is being driven.
struct Drives<'a> {
    /// A world that several processes drive; `None` where each simulates its own.
    world: Option<OpenLab>,
    part: PartOf,
    stop: Shutdown,
    record: PartRecord,
    folder: &'a RunFolder,
}

impl Drives<'_> {
    /// Strategy after strategy, each written when it is over; until the end, Ctrl-C, or a part that is lost.
    async fn all(&mut self, settings: &Settings, first: Turn) -> Result<(), Failure> {
        self.write()?;
        let mut turn = first;
        loop {
            for (at, subject) in (1..).zip(&turn.subjects) {
                let files = self.folder.strategy(&subject.folder).map_err(Failure::failed)?;
                let seen = self.observe(&turn, subject, &files, &heading(&turn, at, subject)).await;
                let seen = seen.inspect_err(|_| sweep(files.path()))?;
                finish(seen, self.part.index == 0).map_err(Failure::failed)?;
                self.record.lost = self.world.as_ref().map(OpenLab::lost).unwrap_or_default();
                if !self.record.lost.is_empty() {
                    return self.write();
                }
                if self.stop.is_said() {
                    return Ok(());
                }
            }
            if turn.number == settings.repeats {
                self.record.run.complete = true;
                return self.write();
            }
            turn = Turn::of(settings, turn.number + 1);
        }
    }

    async fn observe(
        &self,
        turn: &Turn,
        subject: &Subject,
        files: &StrategyFolder,
        heading: &str,
    ) -> Result<Observation, Failure> {
        let plan = Arc::clone(&turn.plan);
        let Some(world) = &self.world else {
            return SimLab::new(&turn.settings, plan, self.stop.clone()).observed(subject, files, heading).await;
        };
        let mut settings = turn.settings.clone();
        if self.part.index > 0 {
            // The first one makes them happen, for all.
            settings.scenario.events.clear();
        }
        world.observe(&settings, plan, subject, files, heading).await
    }

    fn write(&self) -> Result<(), Failure> {
        self.record.write_in(self.folder.path()).map_err(Failure::failed)
    }

    fn say(&self, settings: &Settings) -> Result<Exit, Failure> {
        let PartRecord { index, of, .. } = &self.record;
        if let Format::Json = settings.format {
            let text = PartRecord::text_in(self.folder.path()).map_err(Failure::failed)?;
            output::out(&report::text::escape::json(&text))?;
        }
        if let Some(lost) = self.world.as_ref().and_then(OpenLab::lost_in_words) {
            return Err(lost);
        }
        if settings.format == Format::Text && !settings.quiet {
            say(self.folder.path(), *index, *of)?;
        }
        Ok(if self.stop.is_said() { Exit::Interrupted } else { Exit::Ok })
    }
}

fn say(folder: &Path, index: u32, of: u32) -> Result<(), Failure> {
    let path = folder.display();
    output::out(&format!(
        "shard    {index} of {of}: what it saw, and no figures yet\nresults  {path}\nnext     loadgen merge with the folders of all {of}\n"
    ))
}
