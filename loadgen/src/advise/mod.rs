//! `advise`: which strategy, with which settings, for somebody's own numbers, by simulation.
//!
//! | idea | where |
//! |---|---|
//! | the flags; what they say by themselves (the floor) | [`ask`] |
//! | the usual day as a scenario, and four days that are not | [`world`] |
//! | what is tried, and what "simplest" means | [`candidates`] |
//! | simulating, with the code of sweeps | [`trials`] |
//! | the rule of choice | [`choose`] |
//! | `advice.json`; the words | [`record`], [`words`], [`limits`] |

pub mod ask;
pub mod candidates;
pub mod choose;
pub mod limits;
pub mod record;
pub mod trials;
pub mod words;
pub mod world;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use app::serve::Shutdown;

use crate::cli::{AdviseArgs, Format};
use crate::exit::{Exit, Failure};
use crate::run::make_folder;
use crate::{interrupt, say};
use ask::{Ask, ttl_that_would_do};
use candidates::{Candidate, Candidates};
use choose::Choice;
use record::{ADVICE_SCHEMA, Advice, Asked, Capacity, Rows, Simulated};
use trials::{Bench, Tried};
use world::{Change, World, rounded};

/// Seeds of each setting: of the whole grid, and of the reduced one.
const SEEDS: (u64, u64) = (3, 2);
/// More than any origin needs.
const AMPLE: f64 = 1e6;
/// A capacity that was another origin's peak may be a little short once reads wait for each other.
const ROOM: [f64; 2] = [1.1, 1.5];

/// Answers.
///
/// # Errors
/// [`Failure`] where a flag is bad, or a simulation or a file fails.
pub async fn run(args: &AdviseArgs) -> Result<Exit, Failure> {
    let ask = Ask::of(args)?;
    let usual = World::usual(&ask, ask.capacity);
    usual.check(&ask)?;
    let candidates = Candidates::of(&ask, usual.reduced)?;
    if args.dry_run {
        say::out(&words::plan(&ask, usual, &candidates, seeds(usual))?)?;
        return Ok(Exit::Ok);
    }
    let stop = interrupt::listen().map_err(|e| Failure::failed(format!("no signals from the system: {e}")))?;
    let (job, quiet, clock) = (Job::of(args, ask, usual, candidates, stop)?, args.quiet, Instant::now());
    let answered = tokio::task::spawn_blocking(move || job.advise().map(|advice| (job, advice))).await;
    let (job, (advice, world)) = answered.map_err(|_| Failure::failed("a simulation panicked: a bug"))??;
    if !quiet {
        let _ = writeln!(std::io::stderr(), "{:.1} s", clock.elapsed().as_secs_f64());
    }
    let json = serde_json::to_string_pretty(&advice).map_err(Failure::failed)? + "\n";
    let folder = write(&args.output, &job.ask, world, &advice, &json)?;
    let text = match args.format {
        Format::Json => json,
        Format::Text => words::answer(&job.ask, &advice, &folder),
    };
    say::out(&text)?;
    Ok(Exit::Ok)
}

const fn seeds(world: World) -> u64 {
    if world.reduced { SEEDS.1 } else { SEEDS.0 }
}

/// What is to be found out.
struct Job {
    ask: Ask,
    usual: World,
    candidates: Candidates,
    bench: Bench,
    quiet: bool,
}

impl Job {
    fn of(args: &AdviseArgs, ask: Ask, usual: World, candidates: Candidates, stop: Shutdown) -> Result<Self, Failure> {
        let bench = Bench::of(args, seeds(usual), stop)?;
        Ok(Self { ask, usual, candidates, bench, quiet: args.quiet })
    }

    fn advise(&self) -> Result<(Advice, World), Failure> {
        let (ask, seeds) = (&self.ask, self.bench.seeds());
        let scenario = self.usual.scenario(ask)?;
        let (world, enough, ranking) = self.tried()?;
        let nothing = || Failure::failed("nothing was simulated: a bug");
        let choice = Choice::of(ranking).ok_or_else(nothing)?;
        let rows = self.rows(world, "scenario.toml");
        let (measured, warmup) = world.times();
        let goal = ask.goal(world.capacity, &scenario.keys)?;
        let short = ask.floor > ask.capacity;
        let advice = Advice {
            schema: ADVICE_SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            asked: asked(ask),
            capacity: Capacity {
                floor_per_s: (ask.floor * 1e3).round() / 1e3,
                enough,
                simulated_per_s: world.capacity,
                ttl_that_would_do_s: ttl_that_would_do(ask, &scenario).filter(|_| short).map(|ttl| ttl.as_secs()),
                rounded: rounded(ask, world.capacity),
            },
            simulated: Simulated {
                scenario: rows.file.to_owned(),
                warmup_s: warmup.as_secs_f64(),
                measured_s: measured.as_secs_f64(),
                seeds: seeds.to_vec(),
                settings: self.candidates.tried.len(),
                reduced: world.reduced,
            },
            goal: goal.text.clone(),
            goal_met: choice.chosen().meets,
            chosen: rows.setting(choice.chosen()),
            runner_up: choice.runner_up().map(|tried| rows.setting(tried)),
            ranking: choice.ranking.iter().map(|tried| rows.setting(tried)).collect(),
            main_knob: self.main_knob(world, &choice)?,
            limits: self.limits(world, &choice)?,
            left_out: self.candidates.left_out.clone(),
            not_simulated: words::NOT_SIMULATED,
        };
        Ok((advice, world))
    }

    fn rows<'a>(&self, world: World, file: &'a str) -> Rows<'a> {
        Rows { file, measured_s: world.times().0.as_secs_f64(), replicas: self.ask.replicas, seed: self.ask.seed }
    }

    /// Everything in the world that was asked about; and where nothing can do there, in one whose origin can just do it.
    fn tried(&self) -> Result<(World, bool, Vec<Tried>), Failure> {
        let all = &self.candidates.tried;
        let mut given = None;
        if self.ask.floor <= self.ask.capacity {
            let ranking = self.run("the usual day", self.usual, all, self.usual.capacity)?;
            if ranking.iter().any(|tried| tried.meets) {
                return Ok((self.usual, true, ranking));
            }
            given = Some(ranking);
        }
        let ample = self.run("with an origin that is never short", self.usual.of_capacity(AMPLE), all, AMPLE)?;
        let peaks = ample.iter().filter(|tried| tried.meets).filter_map(|tried| tried.spread("origin.max_per_second"));
        if let Some(least) = peaks.map(|peak| peak.max).min_by(f64::total_cmp) {
            for room in ROOM {
                let world = self.usual.of_capacity((least * room).ceil());
                let ranking = self.run("with an origin that can do it", world, all, world.capacity)?;
                if ranking.iter().any(|tried| tried.meets) {
                    return Ok((world, false, ranking));
                }
            }
        }
        let given = given.map_or_else(|| self.run("the usual day", self.usual, all, self.usual.capacity), Ok)?;
        Ok((self.usual, false, given))
    }

    fn run(&self, what: &str, world: World, all: &[Candidate], capacity: f64) -> Result<Vec<Tried>, Failure> {
        if !self.quiet {
            let runs = all.len() * self.bench.seeds().len();
            let _ = writeln!(std::io::stderr(), "{what}: {} settings, {runs} runs", all.len());
        }
        let goal = self.ask.goal(capacity, &world.scenario(&self.ask)?.keys)?;
        self.bench.run(&self.ask, world, all, &goal)
    }
}

fn asked(ask: &Ask) -> Asked {
    Asked {
        rate_per_s: ask.rate,
        keys: ask.keys.clone(),
        ttl_s: ask.ttl.as_secs_f64(),
        service_time_s: ask.service.as_secs_f64(),
        origin_capacity_per_s: ask.capacity,
        max_stale_s: ask.max_stale.as_secs_f64(),
        replicas: ask.replicas,
        goal: ask.goal.clone(),
        seed: ask.seed,
    }
}

/// Writes the scenarios and the answer. The folder is named by the question, so that the same question has the same answer in
/// the same place.
fn write(output: &Path, ask: &Ask, world: World, advice: &Advice, json: &str) -> Result<PathBuf, Failure> {
    let folder = make_folder(output, &format!("advice-{:08x}", fingerprint(&format!("{ask:?}"))))?;
    let path = folder.path();
    let mut files = vec![("advice.json".to_owned(), json.to_owned())];
    let names = |settings: &[&record::Setting]| settings.iter().map(|s| s.strategy.clone()).collect::<Vec<_>>();
    for change in [Change::None].into_iter().chain(Change::ALL) {
        let mut scenario = world.with(change).scenario(ask)?;
        let both: Vec<&record::Setting> = [&advice.chosen].into_iter().chain(&advice.runner_up).collect();
        scenario.strategies = names(&both);
        let again =
            format!("--scenario {}.toml --seed {} --replicas {} --lab sim", change.name(), ask.seed, ask.replicas);
        files.push((format!("{}.toml", change.name()), format!("# loadgen {again}\n{}", scenario.to_toml())));
    }
    for (name, text) in files {
        let (file, draft) = (path.join(&name), path.join(format!("{name}.tmp")));
        let written = std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, &file));
        written.map_err(|e| Failure::failed(format!("cannot write {} · {e} · choose another -o", file.display())))?;
    }
    Ok(path.to_owned())
}

/// FNV-1a, 32 bits.
fn fingerprint(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
