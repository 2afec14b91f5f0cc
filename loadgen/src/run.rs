//! The run: lab up, strategies one after the other under one plan, everything written after each, lab down, verdict.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::process::shutdown::Shutdown;
use report::compare::{self, Noise};
use report::record::{RUN_SCHEMA, Run, Strategy};
use report::{RunFolder, StrategyFolder};
use scenarios::{Arrivals, LoadKind, Plan, Start, Writes, client_ramps_in_words, ramps_in_words};
use strategies::spec::WriteEffect;
use strategies::units::duration_text;

use crate::cli::Format;
use crate::cli::settings::{Settings, Subject};
use crate::lab::simlab::{self, SimLab};
use crate::lab::trial::{Trial, clear, sweep};
use crate::lab::{self, FoundStack, OpenLab};
use crate::load::drive::Probed;
use crate::load::environment::environment;
use crate::load::live::{self, Feed, News};
use crate::load::record::Log;
use crate::shell::exit::{Exit, Failure};
use crate::shell::interrupt;
use crate::shell::names::{Utc, run_name};
use crate::shell::output;
use crate::study::blocks::Turn;
use crate::study::thresholds;
use crate::study::{noise, otlp};

/// Runs everything that the settings say.
///
/// # Errors
/// [`Failure`] where the lab or the program fails; what was finished by then is written.
pub async fn run(settings: Settings) -> Result<Exit, Failure> {
    record(settings).await.map(|(_, exit)| exit)
}

/// The same, with what is recorded of it.
///
/// # Errors
/// As [`run`].
pub async fn record(settings: Settings) -> Result<(Run, Exit), Failure> {
    let stop = interrupt::listen().map_err(|e| Failure::failed(format!("no signals from the system: {e}")))?;
    let (record, folder) = record_until(settings.clone(), stop.clone()).await?;
    finish(&settings, &record, &folder)?;
    let sent = otlp::export(settings.otlp.as_ref(), &record, &folder, settings.quiet).await;
    let exit = exit(&record, stop.is_said()).min(sent);
    Ok((record, exit))
}

/// The same until somebody else says stop: it is written, and neither drawn nor said.
///
/// # Errors
/// As [`run`].
pub async fn record_until(mut settings: Settings, stop: Shutdown) -> Result<(Run, RunFolder), Failure> {
    let found = lab::choose(&mut settings).await?;
    let settings = &settings;
    lab::check_descriptors(settings)?;
    let first = Turn::of(settings, 1);
    let record = new_record(settings, &first.plan)?;
    let feed = live::open(settings)?;
    let folder = make_folder(&settings.output, &record.run)?;
    match run_in(settings, found, first, record, &folder, stop, feed).await {
        Ok(record) => Ok((record, folder)),
        Err(failure) => {
            clear(folder.path());
            Err(failure)
        }
    }
}

async fn run_in(
    settings: &Settings,
    found: Option<FoundStack>,
    first: Turn,
    mut record: Run,
    folder: &RunFolder,
    stop: Shutdown,
    feed: Feed,
) -> Result<Run, Failure> {
    if settings.simulated {
        record.lab = "sim".into();
        record.cache = simlab::CACHE.into();
        record.environment = simlab::environment();
        announce(settings, &record, "simulated, in virtual time");
        let trial = async |turn: &Turn, subject: &Subject, files: &StrategyFolder, heading: &str| {
            let lab = SimLab::new(&turn.settings, Arc::clone(&turn.plan), stop.clone()).watched_by(feed.clone());
            lab.run(subject, files, heading).await
        };
        blocks(settings, first, &mut record, folder, &stop, &feed, trial).await?;
    } else {
        let world = OpenLab::open(settings, found, &record.run, stop.clone(), feed.clone()).await?;
        record.lab = world.lab.into();
        record.cache.clone_from(&world.cache);
        record.foreign_origin = world.foreign_origin;
        announce(settings, &record, &world.cache_note);
        let trial = async |turn: &Turn, subject: &Subject, files: &StrategyFolder, heading: &str| {
            world.run(&turn.settings, Arc::clone(&turn.plan), subject, files, heading).await
        };
        blocks(settings, first, &mut record, folder, &stop, &feed, trial).await?;
    }
    feed.tell(&News::Over);
    Ok(record)
}

/// Block after block, and in each the strategies one after the other, each written when it is over.
async fn blocks(
    settings: &Settings,
    first: Turn,
    record: &mut Run,
    folder: &RunFolder,
    stop: &Shutdown,
    feed: &Feed,
    trial: impl AsyncFn(&Turn, &Subject, &StrategyFolder, &str) -> Result<Trial, Failure>,
) -> Result<(), Failure> {
    // Only repeats are compared: a run without them asks for no file.
    let noise = if settings.repeats > 1 { noise::of(&settings.noise, record)? } else { Noise::default() };
    folder.write_scenario(&resolved(settings, record)).map_err(Failure::failed)?;
    feed.tell(&News::run(settings, record));
    let mut turn = first;
    let mut number = 0;
    loop {
        record.blocks.extend(turn.recorded());
        for (at, subject) in (1..).zip(&turn.subjects) {
            let heading = heading(&turn, at, subject);
            let files = folder.strategy(&subject.folder).map_err(Failure::failed)?;
            number += 1;
            feed.tell(&News::Begin { strategy: subject.name.clone(), number });
            let trial = trial(&turn, subject, &files, &heading).await.inspect_err(|_| sweep(files.path()))?;
            feed.tell(&News::end(&trial.figures.strategy));
            let last = turn.number == settings.repeats && at == turn.subjects.len();
            record.complete = last && !stop.is_said();
            write_trial(folder, &files, record, trial, &turn, &noise)?;
            if stop.is_said() {
                return Ok(());
            }
        }
        if turn.number == settings.repeats {
            return Ok(());
        }
        turn = Turn::of(settings, turn.number + 1);
    }
}

pub(crate) fn heading(turn: &Turn, at: usize, subject: &Subject) -> String {
    let block = match turn.settings.repeats {
        1 => String::new(),
        of => format!("block {}/{of} · ", turn.number),
    };
    format!("{block}{at}/{} {}", turn.subjects.len(), subject.name)
}

/// Says what would be run.
///
/// # Errors
/// [`Failure`] where there is no such lab, or standard output fails.
pub async fn dry_run(mut settings: Settings) -> Result<Exit, Failure> {
    let found = lab::choose(&mut settings).await?;
    let settings = &settings;
    let lab = match (&found, &settings.lab_note) {
        (Some(found), _) => Some(found.lab().to_owned()),
        (None, Some(note)) => Some(format!("local ({note})")),
        (None, None) => None,
    };
    let plan = Plan::new(settings.seed, &settings.scenario, u32::from(settings.replicas));
    let mut text = format!("# plan {}, {} replicas, seed {}\n", plan.hash(), settings.replicas, settings.seed);
    if let Some(lab) = &lab {
        text += &format!("# lab {lab}\n");
    }
    for Subject { name, composition, folder, .. } in &settings.subjects {
        text += &format!("# {folder}: {name} = {composition}\n");
    }
    let each = settings.scenario.load.warmup + settings.scenario.load.duration;
    let runs = settings.subjects.len() * usize::from(settings.repeats);
    let all = each * u32::try_from(runs).unwrap_or(u32::MAX);
    for turn in (1..=settings.repeats).map(|number| Turn::of(settings, number)).filter(|_| settings.repeats > 1) {
        let order: Vec<&str> = turn.subjects.iter().map(|subject| subject.name.as_str()).collect();
        let (number, seed, plan) = (turn.number, turn.settings.seed, turn.plan.hash());
        text += &format!("# block {number}: seed {seed}, plan {plan}: {}\n", order.join(", "));
    }
    text += &format!("# takes about {} s; nothing was run\n\n{}", all.as_secs().max(1), settings.scenario.to_toml());
    output::out(&text)?;
    Ok(Exit::Ok)
}

/// The scenario with everything that was set in it, and what else the plan depends on.
pub(crate) fn resolved(settings: &Settings, record: &Run) -> String {
    let (seed, replicas) = (settings.seed, settings.replicas);
    let lab = if settings.simulated { " --lab sim" } else { "" };
    let repeats = if settings.repeats > 1 { format!(" --repeats {}", settings.repeats) } else { String::new() };
    let again = format!("--scenario scenario.toml --seed {seed} --replicas {replicas}{lab}{repeats}");
    format!("# Makes plan {} again: loadgen {again}\n{}", record.plan_hash, settings.scenario.to_toml())
}

pub(crate) fn new_record(settings: &Settings, plan: &Plan) -> Result<Run, Failure> {
    let (scenario, began) = (&settings.scenario, Utc::now());
    let entropy = app::wire::auth::entropy().map_err(Failure::failed)?;
    Ok(Run {
        schema: RUN_SCHEMA.into(),
        run: run_name(began, &scenario.name, entropy),
        complete: false,
        version: env!("CARGO_PKG_VERSION").into(),
        started_at: began.rfc3339(),
        command: settings.command.clone(),
        scenario: scenario.name.clone(),
        summary: scenario.summary.clone(),
        lab: String::new(),
        cache: String::new(),
        cache_settings: if settings.simulated { Default::default() } else { scenario.cache.redis.in_words() },
        replicas: settings.replicas.into(),
        seed: settings.seed,
        duration_s: scenario.load.duration.as_secs_f64(),
        warmup_s: scenario.load.warmup.as_secs_f64(),
        load: load_in_words(settings),
        ttl_s: scenario.cache.ttl.as_secs_f64(),
        service_time_s: scenario.origin.service_time.mean().as_secs_f64(),
        foreign_origin: false,
        hot_key: scenario.keys.hot_key().map(|key| key.to_string()),
        plan_hash: plan.hash(),
        clock_offset_ns: None,
        clock_uncertainty_ns: None,
        environment: environment(),
        shards: None,
        strategies: Vec::new(),
        verdicts: Vec::new(),
        unchecked: settings.unchecked.clone(),
        blocks: Vec::new(),
        comparisons: Vec::new(),
    })
}

fn load_in_words(settings: &Settings) -> String {
    let writes = settings.scenario.writes.as_ref().map(Writes::in_words).unwrap_or_default();
    let batch = Some(settings.scenario.load.batch).filter(|batch| *batch > 1);
    let batch = batch.map(|batch| format!(", {batch} items a request")).unwrap_or_default();
    let more = format!("{batch}{}{writes}", settings.scenario.keys.in_words());
    match &settings.scenario.load.kind {
        LoadKind::Closed { clients, think, ramps } => {
            format!("closed loop, {clients} clients{}, think time {think}{more}", client_ramps_in_words(ramps))
        }
        LoadKind::Open { rate_per_s, arrivals, start, ramps } => {
            let spacing = match arrivals {
                Arrivals::Poisson => "Poisson",
                Arrivals::Constant => "constant",
            };
            let start = if *start == Start::Staggered { ", staggered start" } else { "" };
            format!("open loop, {rate_per_s} requests/s{}, {spacing} arrivals{start}{more}", ramps_in_words(ramps))
        }
        LoadKind::Trace(trace) => format!("replay of {}{more}", trace.in_words()),
    }
}

/// Makes the run's folder before the load begins: an hour's work must not end at a folder that can't be written, nor in another
/// run's.
pub(crate) fn make_folder(output: &Path, run: &str) -> Result<RunFolder, Failure> {
    let path: PathBuf = output.join(run);
    std::fs::create_dir_all(output).and_then(|()| std::fs::create_dir(&path)).map_err(|e| {
        let what = match e.kind() {
            ErrorKind::AlreadyExists if path.is_dir() => format!("{run} is there already, another run's"),
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => "a file is in the way".to_owned(),
            _ => e.to_string(),
        };
        Failure::usage(format!(
            "cannot make the results folder · -o {} · {what} · choose a folder that can be written",
            output.display()
        ))
    })?;
    Ok(RunFolder::at(path))
}

fn announce(settings: &Settings, record: &Run, cache_note: &str) {
    if settings.quiet {
        return;
    }
    let scenario = &settings.scenario;
    let service = format!("origin {} × {} places", scenario.origin.service_time, scenario.origin.concurrency);
    let of_load = match &scenario.counting {
        None => format!("TTL {}, {service}", duration_text(scenario.cache.ttl)),
        Some(counting) => {
            let limit = counting.per_window.map(|limit| format!(", limit {limit} a window")).unwrap_or_default();
            format!("windows {}{limit}", duration_text(counting.window))
        }
    };
    let world = match &settings.target {
        None => format!(
            "lab {}, {} replicas, cache {} ({cache_note}); {}; {of_load}",
            record.lab, record.replicas, record.cache, record.load
        ),
        Some(target) => {
            let origin = target.origin_in_words(record.foreign_origin, service);
            format!("target {}; {}; {origin}", target.urls.join(" "), record.load)
        }
    };
    let (name, summary, seed, plan) = (&record.scenario, &record.summary, record.seed, &record.plan_hash);
    let note = settings.lab_note.as_ref().map(|note| format!("({note})\n")).unwrap_or_default();
    let text = format!("{name}: {summary}\n{world}; seed {seed}, plan {plan}\n{note}");
    let warnings: String = warnings(settings).iter().map(|warning| format!("warning: {warning}\n")).collect();
    output::err(&(text + &warnings));
}

/// What may be meant so, and surprises those who did not mean it.
fn warnings(settings: &Settings) -> Vec<String> {
    let scenario = &settings.scenario;
    let mut warnings = scenario.warnings();
    warnings.extend(settings.without_server());
    if scenario.writes.is_none() {
        let acts = |subject: &&Subject| {
            subject.strategy.as_ref().is_some_and(|spec| spec.write_effect() != WriteEffect::Nothing)
        };
        warnings.extend(settings.subjects.iter().filter(acts).map(|subject| {
            format!("{}: nobody writes in this scenario, so its write layer never acts; --set writes.rate=20/s makes writes", subject.name)
        }));
    }
    let unheard = |subject: &&Subject| {
        let spec = subject.strategy.as_ref();
        spec.is_some_and(|spec| spec.bus().is_some() && spec.write_effect() == WriteEffect::Nothing)
    };
    warnings.extend(settings.subjects.iter().filter(unheard).map(|subject| {
        format!(
            "{}: no write layer changes the shared cache, so no copy hears of a write; add invalidate",
            subject.name
        )
    }));
    for event in &scenario.events {
        if event.over() > scenario.load.duration {
            warnings.push(format!("the event at {} lasts beyond the end of the run", duration_text(event.at)));
        }
    }
    warnings
}

pub(crate) fn write_trial(
    folder: &RunFolder,
    files: &StrategyFolder,
    record: &mut Run,
    trial: Trial,
    turn: &Turn,
    noise: &Noise,
) -> Result<(), Failure> {
    let settings = &turn.settings;
    let Trial { figures, events, origin, writes, log, origin_clock, clock_uncertainty_ns, probed, sampled } = trial;
    let write = || {
        files.write_seconds(&figures.seconds)?;
        files.write_bins(&figures.bins)?;
        if let Some(origin) = &origin {
            files.stream_origin(|write| origin.each(write))?;
        }
        if let Some(writes) = &writes {
            files.stream_writes(|write| writes.each_write(write))?;
            files.stream_answers(|write| writes.each_answer(write))?;
        }
        files.stream_events(|write| events.each(write))?;
        sampled.write(files)?;
        log.map_or(Ok(()), Log::commit)
    };
    write().map_err(Failure::failed)?;
    if let Some(Probed { cache, .. }) = probed {
        record.cache = cache.unwrap_or_default();
    }
    record.clock_offset_ns = origin_clock.map(|clock| -clock.to_ours_ns);
    record.clock_uncertainty_ns = record.clock_uncertainty_ns.max(clock_uncertainty_ns);
    keep(record, figures.strategy, settings);
    record.verdicts = thresholds::judge(&settings.bounds(), &record.typical().strategies);
    record.comparisons = compare::within(record, noise);
    folder.write_run(record).map_err(Failure::failed)
}

/// A strategy's first run is its entry, in the scenario's order; further ones are its repeats.
fn keep(record: &mut Run, ran: Strategy, settings: &Settings) {
    if let Some(entry) = record.strategies.iter_mut().find(|entry| entry.name == ran.name) {
        entry.repeats.push(ran);
        return;
    }
    record.strategies.push(ran);
    record.strategies.sort_by_key(|entry| settings.subjects.iter().position(|subject| subject.name == entry.name));
}

pub(crate) fn finish(settings: &Settings, record: &Run, folder: &RunFolder) -> Result<(), Failure> {
    let rendered = report::render(folder.path()).map_err(Failure::failed)?;
    let text = match settings.format {
        Format::Json => report::text::escape::json(
            &report::read_text(&folder.path().join("run.json"), report::FileKind::Document).map_err(Failure::failed)?,
        ),
        Format::Text => {
            let charts = rendered.files.iter().filter(|f| f.extension().is_some_and(|e| e == "png")).count();
            let path = folder.path().display();
            let table = report::verdict_table(record);
            let comparisons = report::compare::comparison_table(&record.comparisons);
            let comparisons = if comparisons.is_empty() { comparisons } else { format!("\n{comparisons}") };
            let thresholds = thresholds::in_words(&record.verdicts, &settings.unchecked, &settings.overridden);
            let cache = if record.cache.is_empty() { "unknown" } else { &record.cache };
            format!(
                "{table}{comparisons}\n{thresholds}lab      {}, cache {cache}\nresults  {path}\ncharts   {path}/charts ({charts}, as PNG and SVG)\n\
                 page     {path}/report.html\n",
                record.lab
            )
        }
    };
    output::out(&text)
}

/// Where several exit codes apply, the contract's order decides.
pub(crate) fn exit(record: &Run, interrupted: bool) -> Exit {
    let exits = [
        interrupted.then_some(Exit::Interrupted),
        record.strategies.iter().any(|s| s.runs().any(|run| !run.valid)).then_some(Exit::Invalid),
        record.verdicts.iter().any(|v| !v.met).then_some(Exit::ThresholdMissed),
    ];
    exits.into_iter().flatten().min().unwrap_or(Exit::Ok)
}
