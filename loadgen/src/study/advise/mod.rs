//! `advise`: which strategy, with which settings, for somebody's own numbers, by simulation.
//!
//! | idea | where |
//! |---|---|
//! | the flags; what they say by themselves | [`ask`] |
//! | what is looked for on a day | `day_goal` |
//! | recorded traffic instead of a law | [`traffic`] |
//! | the usual day as a scenario, and days that are not | [`simulated_day`] |
//! | how often the keys are asked for, and the floor | [`population`] |
//! | the origin's places | [`origin`] |
//! | days that would cost too much: fewer keys, a shorter TTL, and back | [`scale`], [`estimate`] |
//! | what an answer may cost; progress | [`budget`] |
//! | what is tried, and what "simplest" means | [`candidates`] |
//! | simulating; what came of it | [`runner`], [`trials`] |
//! | from the candidates to the one that is advised | `search`, [`choose`] |
//! | the other days; in words | `days`, `back`, [`limits`] |
//! | `advice.json`; the words | [`record`], [`sentences`] |

pub mod ask;
mod back;
pub mod budget;
pub mod candidates;
pub mod choose;
mod day_goal;
mod days;
pub mod estimate;
mod job;
pub mod limits;
pub mod numbers;
pub mod origin;
pub mod peak;
pub mod population;
pub mod record;
pub mod runner;
pub mod scale;
mod search;
pub mod sentences;
pub mod simulated_day;
pub mod traffic;
pub mod trials;

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use report::RunFolder;

use crate::cli::{AdviseArgs, Format};
use crate::run::make_folder;
use crate::shell::exit::{Exit, Failure};
use crate::shell::interrupt;
use crate::shell::output;
use ask::Question;
use budget::ALL;
use candidates::{Candidates, lock_in_words};
use days::Days;
use job::{AdviceJob, seeds};
use numbers::thousandths;
use origin::{does_per_s, rounded};
use record::{ADVICE_SCHEMA, Advice, Asked, Capacity, Sampled, Simulated};
use search::{ComesBack, SearchResult};
use simulated_day::{DayChange, SimulatedDay};

/// Answers.
///
/// # Errors
/// [`Failure`] where a flag is bad, or a simulation or a file fails.
pub async fn run(args: &AdviseArgs) -> Result<Exit, Failure> {
    let ask = Question::of(args)?;
    let usual = SimulatedDay::usual(&ask, ask.capacity);
    usual.check_traffic(&ask)?;
    // What is out of a scenario's ranges is told at its flag.
    usual.scenario(&ask)?;
    usual.check(&ask)?;
    let candidates = Candidates::of(&ask, ask.capacity, usual.reduced, usual.scale.is_sampled())?;
    if args.dry_run {
        output::out(&sentences::plan(&ask, usual, &candidates, seeds(usual))?)?;
        return Ok(Exit::Ok);
    }
    let stop = interrupt::listen().map_err(|e| Failure::failed(format!("no signals from the system: {e}")))?;
    let (job, quiet, clock) = (AdviceJob::of(args, ask, usual, candidates, stop)?, args.quiet, Instant::now());
    // Work must not end at a folder that can't be written.
    let named = serde_json::to_string(&asked(&job.ask)).map_err(Failure::failed)?;
    let name = format!("advice-{:08x}", fingerprint(&format!("{named}{}", job.ask.quick)));
    // The same question has the same answer, in the same place; what is no folder of its own is not followed.
    let own = args.output.join(&name);
    let is_there = std::fs::symlink_metadata(&own).is_ok_and(|found| found.is_dir());
    let folder = if is_there { RunFolder::at(own) } else { make_folder(&args.output, &name)? };
    job.runner.purse.announce(quiet);
    let answered = tokio::task::spawn_blocking(move || job.advise().map(|advice| (job, advice))).await;
    let answered = answered.unwrap_or_else(|_| Err(Failure::failed("a simulation panicked: a bug")));
    let (job, (advice, world)) = answered.inspect_err(|_| {
        // Nothing to keep, unless an earlier answer lies there.
        let _ = std::fs::remove_dir(folder.path());
    })?;
    job.runner.purse.clear();
    if !quiet {
        let _ = writeln!(std::io::stderr(), "{:.1} s", clock.elapsed().as_secs_f64());
    }
    let json = serde_json::to_string_pretty(&advice).map_err(Failure::failed)? + "\n";
    write(&folder, &job.ask, world, &advice, &json)?;
    let text = match args.format {
        Format::Json => report::text::escape::json(&json),
        Format::Text => sentences::answer(&job.ask, &advice, folder.path()),
    };
    output::out(&text)?;
    Ok(Exit::Ok)
}

impl AdviceJob {
    fn advise(&self) -> Result<(Advice, SimulatedDay), Failure> {
        let (ask, seeds) = (&self.ask, self.runner.seeds());
        let SearchResult { mut pool, enough, as_it_is } = self.tried()?;
        let world = pool.world;
        let mut days = Days::of(self, world);
        let choice = self.chosen(&mut pool)?;
        let ComesBack { choice, comes_back, instead } = self.choose_recovering(&mut pool, &mut days, choice)?;
        let rows = self.rows(world, "scenario.toml");
        let (measured, warmup) = world.times(ask);
        let goal = self.goal(world)?;
        let short = ask.least > ask.capacity;
        let mut advice = Advice {
            schema: ADVICE_SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            asked: asked(ask),
            capacity: Capacity {
                floor_per_s: thousandths(ask.floor),
                enough,
                simulated_per_s: world.capacity,
                does_per_s: thousandths(does_per_s(ask, world.capacity, &world.scale)),
                longer_ttl: self.longer_ttl().filter(|_| short),
                as_it_is: as_it_is.as_ref().map(|tried| rows.setting(tried)),
                rounded: rounded(ask, world.capacity, &world.scale),
            },
            simulated: Simulated {
                scenario: rows.file.to_owned(),
                warmup_s: warmup.as_secs_f64(),
                measured_s: measured.as_secs_f64(),
                seeds: seeds.to_vec(),
                settings: choice.ranking.len(),
                reduced: world.reduced,
                sample: sampled(ask, world),
                steps: 0,
                steps_max: ALL,
                not_known: choice.ranking.iter().filter(|tried| !tried.is_known()).count(),
            },
            goal: goal.text.clone(),
            goal_met: choice.chosen().meets,
            chosen: rows.setting(choice.chosen()),
            instead,
            comes_back,
            layers: choice.chosen().candidate().spec.layers().iter().map(|layer| layer.name).collect(),
            runner_up: choice.runner_up().map(|tried| rows.setting(tried)),
            ranking: choice.ranking.iter().map(|tried| rows.setting(tried)).collect(),
            main_knob: self.main_knob(&rows, &choice),
            lock: lock_in_words(ask, &choice.chosen().candidate().spec),
            limits: days.limits(&choice)?,
            left_out: self.candidates.left_out.clone(),
            not_simulated: sentences::NOT_SIMULATED,
        };
        advice.simulated.steps = self.runner.purse.spent();
        Ok((advice, world))
    }
}

fn sampled(ask: &Question, world: SimulatedDay) -> Option<Sampled> {
    let scale = world.scale;
    scale.in_words(ask).map(|words| Sampled {
        keys: scale.keys,
        of: scale.of,
        load_divided_by: thousandths(scale.load),
        origin_divided_by: thousandths(scale.origin),
        ttl_s: scale.ttl_of(ask).as_secs_f64(),
        whole: world.unscaled(ask).scenario(ask).is_ok().then_some(WHOLE),
        words,
    })
}

fn asked(ask: &Question) -> Asked {
    Asked {
        rate_per_s: ask.rate,
        keys: ask.keys.clone(),
        ttl_s: ask.ttl.as_secs_f64(),
        service_time: ask::law_text(&ask.service),
        service_time_mean_s: ask.service.mean().as_secs_f64(),
        origin_capacity_per_s: ask.capacity,
        max_stale_s: ask.max_stale.as_secs_f64(),
        replicas: ask.replicas,
        goal: ask.goal.clone(),
        seed: ask.seed,
    }
}

/// The usual day as it was asked, where it was simulated at a smaller scale.
pub const WHOLE: &str = "whole.toml";

/// Writes the scenarios and the answer. The folder is named by the question, so that the same question has the same answer in
/// the same place.
fn write(folder: &RunFolder, ask: &Question, world: SimulatedDay, advice: &Advice, json: &str) -> Result<(), Failure> {
    let path: &Path = folder.path();
    let mut files = vec![("advice.json".to_owned(), json.to_owned())];
    let names = |settings: &[&record::Setting]| settings.iter().map(|s| s.strategy.clone()).collect::<Vec<_>>();
    let both: Vec<&record::Setting> = [&advice.chosen].into_iter().chain(&advice.runner_up).collect();
    for change in [DayChange::None].into_iter().chain(DayChange::days(ask)) {
        let mut scenario = world.with(change).scenario(ask)?;
        scenario.strategies = names(&both);
        let name = change.name();
        let again = format!("--scenario {name}.toml --seed {} --replicas {} --lab sim", ask.seed, ask.replicas);
        files.push((format!("{name}.toml"), format!("# loadgen {again}\n{}", scenario.to_toml())));
    }
    if let Some(Ok(mut scenario)) = advice.simulated.sample.as_ref().map(|_| world.unscaled(ask).scenario(ask)) {
        scenario.strategies = names(&both);
        let again = format!("--scenario {WHOLE} --seed {} --replicas {} --lab sim", ask.seed, ask.replicas);
        files.push((
            WHOLE.to_owned(),
            format!("# As it was asked; it may take long. loadgen {again}\n{}", scenario.to_toml()),
        ));
    }
    for (name, text) in files {
        let (file, draft) = (path.join(&name), path.join(format!("{name}.tmp")));
        let written = std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, &file));
        written.map_err(|e| Failure::failed(format!("cannot write {} · {e} · choose another -o", file.display())))?;
    }
    Ok(())
}

/// FNV-1a, 32 bits.
fn fingerprint(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
