//! One run of all its parts: their seconds are handed over as those of threads are, and what the first part was told is judged with them,
//! so that floor, ledgers, validity and verdicts are those of the whole.

use std::io;

use evidence::{EventLine, OriginRead};
use report::compare::Noise;
use report::record::Run;
use report::{HlogHeader, RunFolder, StrategyFolder};
use strategies::time::nanos;

use super::line::{PartLine, ShareSeen, ToldLine};
use super::read::{PartLines, RunParts, refused};
use super::record::PartRecord;
use crate::cli::settings::{Settings, Subject};
use crate::cli::{Cli, MergeArgs};
use crate::lab::trial::{
    Collecting, Observation, Trial, WorldSeen, begin, clear, collector, judge, read_list, sweep as sweep_folder,
};
use crate::load::measure::{EventLines, Part};
use crate::load::record::{Collector, SecondBounds};
use crate::run::{exit, finish, heading, make_folder, resolved, write_trial};
use crate::shell::exit::{Exit, Failure};
use crate::shell::names::{Utc, run_name};
use crate::shell::output;
use crate::study::blocks::Turn;
use crate::study::{noise, sweep};

/// Merges what is in these folders into a folder of its own: the shards of a run, or the parts of a sweep.
///
/// # Errors
/// [`Failure`] that names the part which is missing, doubled or not of the others' run, or what cannot be read or written.
pub fn merge(args: &MergeArgs) -> Result<Exit, Failure> {
    if !args.parts.iter().any(|at| PartRecord::is_in(at)) {
        return sweep::merge::merge(args);
    }
    let parts = RunParts::read(&args.parts)?;
    let settings = settings(args, &parts)?;
    let first = Turn::of(&settings, 1);
    let mut record = record(&parts, &settings)?;
    if record.plan_hash != first.plan.hash() {
        let found = format!("plan {}", record.plan_hash);
        let needed = format!("{}, which scenario.toml and seed make", first.plan.hash());
        return Err(refused(&parts.lead().at, &found, &needed, "run the shards again"));
    }
    let folder = make_folder(&args.output, &record.run)?;
    let noise = if settings.repeats > 1 { noise::of(&settings.noise, &record)? } else { Noise::default() };
    folder.write_scenario(&resolved(&settings, &record)).map_err(Failure::failed)?;
    merge_all(&parts, &settings, first, &mut record, &folder, &noise).inspect_err(|_| clear(folder.path()))?;
    finish(&settings, &record, &folder)?;
    Ok(exit(&record, !record.complete && parts.lost.is_empty()))
}

/// Turn after turn, strategy after strategy, as far as the first part has them.
fn merge_all(
    parts: &RunParts,
    settings: &Settings,
    first: Turn,
    record: &mut Run,
    folder: &RunFolder,
    noise: &Noise,
) -> Result<(), Failure> {
    let mut turn = first;
    loop {
        record.blocks.extend(turn.recorded());
        for (at, subject) in (1..).zip(&turn.subjects) {
            let bounds = bounds(&turn.settings);
            let Some(lead) = PartLines::open(parts.lead(), &subject.folder, &bounds)? else {
                return if record.strategies.is_empty() { Err(nothing(parts)) } else { Ok(()) };
            };
            let files = folder.strategy(&subject.folder).map_err(Failure::failed)?;
            if !settings.quiet {
                output::err(&format!("{}\n", heading(&turn, at, subject)));
            }
            let trial = merged(parts, lead, &turn.settings, subject, &files, &bounds);
            let trial = trial.inspect_err(|_| sweep_folder(files.path()))?;
            let last = turn.number == settings.repeats && at == turn.subjects.len();
            record.complete = last && parts.lead().record.run.complete;
            write_trial(folder, &files, record, trial, &turn, noise)?;
        }
        if turn.number == settings.repeats {
            return Ok(());
        }
        turn = Turn::of(settings, turn.number + 1);
    }
}

/// The first part was stopped before it had anything.
fn nothing(parts: &RunParts) -> Failure {
    refused(&parts.lead().at, "nothing of any strategy in the first shard", "one at least", "run the shards again")
}

/// The settings that the first part was run with.
fn settings(args: &MergeArgs, parts: &RunParts) -> Result<Settings, Failure> {
    let PartRecord { run, repeats, overridden, unchecked, .. } = &parts.lead().record;
    let scenario = parts.lead().at.join("scenario.toml");
    let mut typed = vec!["loadgen".into(), "--scenario".into(), scenario.into_os_string()];
    let is_simulated = run.lab == "sim";
    if is_simulated {
        typed.extend(["--lab", "sim", "--replicas"].map(Into::into));
        typed.push(run.replicas.to_string().into());
    }
    typed.extend(["--seed".into(), run.seed.to_string().into(), "--repeats".into(), repeats.to_string().into()]);
    let cli = <Cli as clap::Parser>::try_parse_from(typed);
    let cli = cli.map_err(|why| refused(&parts.lead().at, &why.to_string(), "settings of a run", "run it again"))?;
    let settings = Settings::of(&cli.run)?;
    Ok(Settings {
        replicas: u16::try_from(run.replicas).unwrap_or(u16::MAX),
        overridden: overridden.clone(),
        unchecked: unchecked.clone(),
        output: args.output.clone(),
        format: args.format,
        command: parts.lead().record.whole.clone(),
        ..settings
    })
}

fn record(parts: &RunParts, settings: &Settings) -> Result<Run, Failure> {
    let entropy = app::wire::auth::entropy().map_err(Failure::failed)?;
    let run = run_name(Utc::now(), &settings.scenario.name, entropy);
    let PartRecord { run: of_lead, whole, of, .. } = &parts.lead().record;
    Ok(Run { run, complete: false, command: whole.clone(), shards: Some(*of), ..of_lead.clone() })
}

/// What a second of the run can have.
fn bounds(settings: &Settings) -> SecondBounds {
    let load = &settings.scenario.load;
    let seconds = |length| i64::try_from(nanos(length).div_ceil(1_000_000_000)).unwrap_or(i64::MAX);
    SecondBounds { numbers: -seconds(load.warmup)..=seconds(load.duration), last_key: settings.scenario.keys.last() }
}

/// One strategy's parts, judged as one.
fn merged(
    parts: &RunParts,
    lead: PartLines,
    settings: &Settings,
    subject: &Subject,
    files: &StrategyFolder,
    bounds: &SecondBounds,
) -> Result<Trial, Failure> {
    let mut lines = vec![(0, lead)];
    let mut lost: Vec<u32> = parts.lost.iter().copied().collect();
    for part in &parts.parts[1..] {
        match PartLines::open(part, &subject.folder, bounds)? {
            Some(of) => lines.push((part.record.index, of)),
            None => lost.push(part.record.index),
        }
    }
    lost.sort_unstable();
    lost.dedup();
    let (workers, scenario) = (lines.len(), &settings.scenario);
    let collecting = Collecting { workers, bounded: !settings.simulated, folder: files.path() };
    let collector = collector(scenario, subject, collecting)?;
    let all = seconds(&mut lines, &collector, files, bounds).and_then(|()| behind(&mut lines));
    let (shares, reads, told, mut world) = match all {
        Ok(all) => all,
        Err(why) => {
            // The log that it has begun is gone then.
            collector.abandon();
            return Err(why);
        }
    };
    add_shares(&mut world, shares, lost, parts.lead().record.of);
    let panicked = || Failure::failed("the collector's thread panicked: a bug");
    let collected = collector.collected().ok_or_else(panicked)?.map_err(Failure::failed)?;
    let (reads, lines) = (Some(read_list(reads)), Some(Box::new(told) as Box<dyn EventLines + Send>));
    let seen = Observation { world, collected, reads, lines, probed: None };
    judge(scenario, subject, settings.keeps_copies(), seen)
}

/// Hands all seconds to the collector, those of one number together.
fn seconds(
    lines: &mut [(u32, PartLines)],
    collector: &Collector,
    files: &StrategyFolder,
    bounds: &SecondBounds,
) -> Result<(), Failure> {
    let tell = collector.teller();
    let before = |line| match line {
        PartLine::Log(warmup_began, t0_offset_ms) => {
            begin(collector, files, HlogHeader { warmup_began, t0_offset_ms }, false).map_err(Failure::failed)
        }
        PartLine::Warm(state) => {
            tell.warm(state.into_iter().filter(|(key, _)| *key <= bounds.last_key).collect());
            Ok(())
        }
        _ => Ok(()),
    };
    for (index, of) in &mut *lines {
        // The first part's head is the whole's.
        of.up_to_a_second(|line| if *index == 0 { before(line) } else { Ok(()) })?;
    }
    while let Some(number) = lines.iter().filter_map(|(_, of)| Some(of.second.as_ref()?.number())).min() {
        for (index, of) in &mut *lines {
            if let Some(second) = of.second.take_if(|second| second.number() == number) {
                tell.again(*second);
                of.up_to_a_second(|line| if *index == 0 { before(line) } else { Ok(()) })?;
            }
        }
    }
    Ok(())
}

/// What the parts have behind their seconds: of each how its generator fared, and what the first one has of the world.
type Behind = (Vec<(u32, ShareSeen)>, Vec<OriginRead>, ToldList, WorldSeen);

fn behind(lines: &mut [(u32, PartLines)]) -> Result<Behind, Failure> {
    let mut shares = Vec::new();
    for (index, of) in &mut *lines {
        let Some(PartLine::Share(share)) = of.after.take() else {
            return Err(of.spoilt("it has nothing on its generator"));
        };
        shares.push((*index, *share));
    }
    let (reads, told, world) = world(&mut lines[0].1)?;
    Ok((shares, reads, told, world))
}

/// What the first part has behind its seconds.
fn world(lead: &mut PartLines) -> Result<(Vec<OriginRead>, ToldList, WorldSeen), Failure> {
    let (mut reads, mut told) = (Vec::new(), Vec::new());
    loop {
        match lead.line()? {
            Some(PartLine::Read(read)) => reads.push(read),
            Some(PartLine::Told(line)) => told.push(line),
            Some(PartLine::World(world)) => return Ok((reads, ToldList(told), *world)),
            _ => return Err(lead.spoilt("it has nothing on the world")),
        }
    }
}

/// Adds what the other parts' generators said of themselves.
fn add_shares(world: &mut WorldSeen, shares: Vec<(u32, ShareSeen)>, lost: Vec<u32>, of: u32) {
    let starts: Vec<_> = shares.iter().filter_map(|(_, share)| share.start).collect();
    let (first, last) =
        (starts.iter().map(|start| start.after_ns).min(), starts.iter().map(|start| start.after_ns).max());
    let uncertainty = starts.iter().map(|start| start.uncertainty_ns).max().unwrap_or(0);
    let spread = first.zip(last).map(|(first, last)| last.abs_diff(first).saturating_add(uncertainty));
    (world.facts.shards, world.facts.shards_lost, world.facts.start_spread_ns) = (of, lost, spread);
    for (index, share) in shares {
        let ShareSeen { heartbeat, to_t0_ns, worker_died, cpu_cores, stopped, .. } = share;
        world.stopped |= stopped;
        if index == 0 {
            continue;
        }
        world.facts.worker_died |= worker_died;
        world.cpu_cores = world.cpu_cores.zip(cpu_cores).map(|(sum, more)| sum + more);
        let part = |heartbeat| Part { name: format!("generator-{index}"), replica: None, to_t0_ns, heartbeat };
        world.parts.extend(heartbeat.map(part));
    }
}

/// What the replicas told, in order of time.
struct ToldList(Vec<ToldLine>);

impl EventLines for ToldList {
    fn each(&self, visit: &mut dyn FnMut(i64, u32, &EventLine) -> io::Result<()>) -> io::Result<()> {
        self.0.iter().try_for_each(|ToldLine { at_ns, replica, line }| visit(*at_ns, *replica, line))
    }
}
