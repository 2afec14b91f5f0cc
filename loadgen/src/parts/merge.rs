//! One run of all its parts: their seconds are handed over as those of threads are, and what the first part was told is judged with them,
//! so that floor, ledgers, validity and verdicts are those of the whole.

use std::io;
use std::path::PathBuf;

use evidence::{EventLine, OriginRead};
use report::compare::Noise;
use report::record::Run;
use report::{HlogHeader, RunFolder, StrategyFolder};
use strategies::time::nanos;

use super::folders::{folders, no_part};
use super::line::{PartLine, ToldLine};
use super::read::{PartLines, RunPart, RunParts, refused};
use super::record::PartRecord;
use crate::cli::settings::{Settings, Subject};
use crate::cli::{Cli, MergeArgs};
use crate::lab::trial::{
    Collecting, Observation, ShareSeen, Trial, WorldSeen, begin, clear, collector, judge, read_list,
    sweep as sweep_folder,
};
use crate::load::measure::{EventLines, Part};
use crate::load::record::{Collector, SecondBounds};
use crate::run::{exit, finish, heading, make_folder, resolved, write_trial};
use crate::shell::exit::{Exit, Failure};
use crate::shell::names::{Utc, run_name};
use crate::shell::output;
use crate::study::blocks::Turn;
use crate::study::{noise, sweep};

/// For how long behind the load a shard may wait for answers, seconds; far more than time-outs and retries come to.
const WAITS_MAX_S: i64 = 3_600;

/// Merges what is in these folders into a folder of its own: the shards of a run, or the parts of a sweep.
///
/// # Errors
/// [`Failure`] that names the part which is missing, doubled or not of the others' run, or what cannot be read or written.
pub fn merge(args: &MergeArgs) -> Result<Exit, Failure> {
    let folders: Vec<PathBuf> = args.parts.iter().flat_map(|at| folders(at)).collect();
    if let Some(why) = folders.iter().find_map(|at| no_part(at)) {
        return Err(why);
    }
    if !folders.iter().any(|at| PartRecord::is_in(at)) {
        return sweep::merge::merge(args, &folders);
    }
    let parts = RunParts::read(&folders)?;
    let settings = settings(args, &parts)?;
    let first = Turn::of(&settings, 1);
    let mut record = record(&parts, &settings)?;
    if record.plan_hash != first.plan.hash() {
        let found = format!("plan {}", record.plan_hash);
        let needed = format!("{}, which scenario.toml and seed make", first.plan.hash());
        return Err(refused(&parts.lead().at, &found, &needed, "run the shards again"));
    }
    (1..=settings.repeats).try_for_each(|number| check_whole(&parts, &Turn::of(&settings, number)))?;
    let folder = make_folder(&args.output, &record.run)?;
    let noise = if settings.repeats > 1 { noise::of(&settings.noise, &record)? } else { Noise::default() };
    folder.write_scenario(&resolved(&settings, &record)).map_err(Failure::failed)?;
    merge_all(&parts, &settings, first, &mut record, &folder, &noise).inspect_err(|_| clear(folder.path()))?;
    finish(&settings, &record, &folder)?;
    Ok(exit(&record, !record.complete && parts.lost.is_empty()))
}

/// Of shards that were driven together one may have been lost in the middle. Of others, which is each a world of its own, one that lacks a
/// strategy that the first has is a copy that is not whole, or was stopped.
fn check_whole(parts: &RunParts, turn: &Turn) -> Result<(), Failure> {
    let has = |part: &RunPart, subject: &Subject| part.at.join(&subject.folder).join("part.jsonl").is_file();
    let alone = parts.parts.iter().filter(|part| part.record.together.is_none());
    for (part, subject) in alone.flat_map(|part| turn.subjects.iter().map(move |subject| (part, subject))) {
        if has(parts.lead(), subject) && !has(part, subject) {
            let found = format!("no {}/part.jsonl", subject.folder);
            return Err(refused(&part.at, &found, "one for each strategy", "copy it anew, or run it again"));
        }
    }
    Ok(())
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
    let PartRecord { run, repeats, overridden, .. } = &parts.lead().record;
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
        unchecked: run.unchecked.clone(),
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
    // A real process hands its seconds over until its last answer is there, or is given up.
    let waits = if settings.simulated { 0 } else { WAITS_MAX_S };
    let last = seconds(load.duration).saturating_add(waits);
    SecondBounds { numbers: -seconds(load.warmup)..=last, last_key: settings.scenario.keys.last() }
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
    let collecting = Collecting { workers, bounded: !settings.simulated, is_part: false, folder: files.path() };
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
    let seen = Observation { share: ShareSeen::default(), world, collected, reads, lines, probed: None };
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
    for (_, of) in &mut *lines {
        if of.line()?.is_some() {
            return Err(of.spoilt("found more behind its end"));
        }
    }
    Ok((shares, reads, told, world))
}

/// What the first part has behind its seconds.
fn world(lead: &mut PartLines) -> Result<(Vec<OriginRead>, ToldList, WorldSeen), Failure> {
    let (mut reads, mut told) = (Vec::new(), Vec::new());
    loop {
        match lead.line()? {
            Some(PartLine::Read(read)) => {
                let times = [Some(read.arrived_ns), read.start_ns, read.end_ns];
                times.into_iter().flatten().try_for_each(|ns| can_be(lead, ns))?;
                reads.push(read);
            }
            Some(PartLine::Told(line)) => {
                can_be(lead, line.at_ns.unsigned_abs())?;
                told.push(line);
            }
            Some(PartLine::World(world)) => return Ok((reads, ToldList(told), *world)),
            _ => return Err(lead.spoilt("it has nothing on the world")),
        }
    }
}

/// Refuses a time of what the world saw that no run lasts until.
fn can_be(of: &PartLines, ns: u64) -> Result<(), Failure> {
    /// About 18 years.
    const NS_MAX: u64 = 1 << 59;
    if ns <= NS_MAX {
        return Ok(());
    }
    Err(of.spoilt(&format!("found a time of {ns} ns, allowed {NS_MAX}")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_real_shard_has_seconds_behind_its_load() {
        let numbers = |lab: &str| {
            let typed = ["loadgen", "--scenario", "hotkey", "-d", "10s", "-w", "5s", "--lab", lab];
            let cli = <Cli as clap::Parser>::try_parse_from(typed).unwrap();
            bounds(&Settings::of(&cli.run).unwrap()).numbers
        };
        assert_eq!(numbers("sim"), -5..=10);
        // It waited for an answer that took its time-out, and was then late itself.
        assert!(numbers("docker").contains(&17), "{:?}", numbers("docker"));
    }
}
