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
use scenarios::Keys;

use crate::cli::{AdviseArgs, Format};
use crate::exit::{Exit, Failure};
use crate::run::make_folder;
use crate::{interrupt, say};
use ask::{Ask, floor_per_s, ttl_for};
use candidates::{Candidate, Candidates, lock_in_words};
use choose::Choice;
use record::{ADVICE_SCHEMA, Advice, Asked, Capacity, LongerTtl, Rows, Simulated};
use trials::{Bench, Tried};
use world::{Change, World, rounded};

/// Seeds of each setting: of the whole grid, and of the reduced one.
const SEEDS: (u64, u64) = (3, 2);
/// More than any origin needs.
const AMPLE: f64 = 1e6;
/// A capacity that was another origin's peak may be a little short once reads wait for each other.
const ROOM: [f64; 2] = [1.1, 1.5];
/// Standard deviations of a Poisson count that the highest second of a few minutes is above the mean.
const PEAK_DEVIATIONS: f64 = 3.2;

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

/// What came of the candidates.
struct Trial {
    /// Where they were tried at last.
    world: World,
    /// Whether that is the one that was asked about, and something meets the goal there.
    enough: bool,
    /// What came of them there.
    ranking: Vec<Tried>,
    /// Where it is another one: the nearest miss in the one that was asked about, if anything was tried there.
    as_it_is: Option<Tried>,
}

impl Job {
    fn of(args: &AdviseArgs, ask: Ask, usual: World, candidates: Candidates, stop: Shutdown) -> Result<Self, Failure> {
        let bench = Bench::of(args, seeds(usual), stop)?;
        Ok(Self { ask, usual, candidates, bench, quiet: args.quiet })
    }

    fn advise(&self) -> Result<(Advice, World), Failure> {
        let (ask, seeds) = (&self.ask, self.bench.seeds());
        let scenario = self.usual.scenario(ask)?;
        let Trial { world, enough, ranking, as_it_is } = self.tried()?;
        let nothing = || Failure::failed("nothing was simulated: a bug");
        let choice = Choice::of(ranking).ok_or_else(nothing)?;
        let rows = self.rows(world, "scenario.toml");
        let (measured, warmup) = world.times();
        let goal = ask.goal(Change::None, world.capacity, &scenario.keys)?;
        let short = ask.floor > ask.capacity;
        let advice = Advice {
            schema: ADVICE_SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            asked: asked(ask),
            capacity: Capacity {
                floor_per_s: thousandths(ask.floor),
                enough,
                simulated_per_s: world.capacity,
                longer_ttl: self.longer_ttl(&scenario.keys).filter(|_| short),
                as_it_is: as_it_is.as_ref().map(|tried| rows.setting(tried)),
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
            layers: choice.chosen().candidate.spec.layers().iter().map(|layer| layer.name).collect(),
            runner_up: choice.runner_up().map(|tried| rows.setting(tried)),
            ranking: choice.ranking.iter().map(|tried| rows.setting(tried)).collect(),
            main_knob: self.main_knob(world, &choice)?,
            lock: lock_in_words(ask, &choice.chosen().candidate.spec),
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
    fn tried(&self) -> Result<Trial, Failure> {
        let all = &self.candidates.tried;
        let mut given = None;
        if self.ask.floor <= self.ask.capacity {
            let ranking = self.race("the usual day", self.usual)?;
            if ranking.iter().any(|tried| tried.meets) {
                return Ok(Trial { world: self.usual, enough: true, ranking, as_it_is: None });
            }
            given = Some(ranking);
        }
        // One seed of one setting a preset shows about how much would do.
        let firsts: Vec<Candidate> = all.iter().filter(|candidate| candidate.first).cloned().collect();
        let ample = self.usual.of_capacity(AMPLE);
        let ample = self.run_with(&self.bench.with_seeds(1), "an origin that is never short", ample, &firsts)?;
        let peaks = ample.iter().filter(|tried| tried.meets).filter_map(|tried| tried.spread("origin.max_per_second"));
        if let Some(least) = peaks.map(|peak| peak.max).min_by(f64::total_cmp) {
            for room in ROOM {
                let world = self.usual.of_capacity((least * room).ceil());
                let ranking = self.race("an origin that can do it", world)?;
                if ranking.iter().any(|tried| tried.meets) {
                    let as_it_is = given.and_then(|given| given.into_iter().next());
                    return Ok(Trial { world, enough: false, ranking, as_it_is });
                }
            }
        }
        let ranking = given.map_or_else(|| self.race("the usual day", self.usual), Ok)?;
        Ok(Trial { world: self.usual, enough: false, ranking, as_it_is: None })
    }

    /// Everything with one seed, and of every preset that passed its first setting and its best with all seeds. A condition
    /// that is missed with one seed is missed, so more of them would tell nothing of the others.
    fn race(&self, what: &str, world: World) -> Result<Vec<Tried>, Failure> {
        let once = self.run_with(&self.bench.with_seeds(1), what, world, &self.candidates.tried)?;
        let best = |at: usize, tried: &Tried| {
            once[..at].iter().all(|better| better.candidate.family != tried.candidate.family)
        };
        let (again, rest): (Vec<_>, Vec<_>) =
            once.iter().enumerate().partition(|(at, tried)| tried.meets && (tried.candidate.first || best(*at, tried)));
        if again.is_empty() {
            return Ok(once);
        }
        let again: Vec<Candidate> = again.into_iter().map(|(_, tried)| tried.candidate.clone()).collect();
        let mut ranking = self.run(&format!("{what}, the best of it"), world, &again)?;
        // With one seed nothing is told apart.
        let rest = rest.into_iter().map(|(_, tried)| Tried { alike: false, ..tried.clone() });
        ranking.extend(rest);
        ranking.sort_by_key(|tried| !tried.meets);
        Ok(ranking)
    }

    /// The TTL with which a perfect cache would keep even its highest seconds within the capacity. By arithmetic: from an empty
    /// cache an origin that is far too small never gets there, so there is nothing to simulate.
    fn longer_ttl(&self, keys: &Keys) -> Option<LongerTtl> {
        // m + z√m = capacity, solved for m.
        let (z, capacity) = (PEAK_DEVIATIONS, self.ask.capacity);
        let mean = (((z * z + 4.0 * capacity).sqrt() - z) / 2.0).powi(2);
        let ttl = ttl_for(&self.ask, keys, mean)?;
        let floor = floor_per_s(self.ask.rate, keys, ttl, self.ask.service.mean());
        Some(LongerTtl { ttl_s: ttl.as_secs(), floor_per_s: thousandths(floor) })
    }

    fn run(&self, what: &str, world: World, all: &[Candidate]) -> Result<Vec<Tried>, Failure> {
        self.run_with(&self.bench, what, world, all)
    }

    fn run_with(&self, bench: &Bench, what: &str, world: World, all: &[Candidate]) -> Result<Vec<Tried>, Failure> {
        self.say(what, all.len());
        let goal = self.ask.goal(world.change, world.capacity, &world.scenario(&self.ask)?.keys)?;
        bench.run(&self.ask, world, all, &goal)
    }

    fn say(&self, what: &str, settings: usize) {
        if !self.quiet {
            let s = if settings == 1 { "" } else { "s" };
            let _ = writeln!(std::io::stderr(), "{what}: {settings} setting{s}");
        }
    }
}

fn thousandths(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

fn asked(ask: &Ask) -> Asked {
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

/// Writes the scenarios and the answer. The folder is named by the question, so that the same question has the same answer in
/// the same place.
fn write(output: &Path, ask: &Ask, world: World, advice: &Advice, json: &str) -> Result<PathBuf, Failure> {
    let folder = make_folder(output, &format!("advice-{:08x}", fingerprint(&format!("{ask:?}"))))?;
    let path = folder.path();
    let mut files = vec![("advice.json".to_owned(), json.to_owned())];
    let names = |settings: &[&record::Setting]| settings.iter().map(|s| s.strategy.clone()).collect::<Vec<_>>();
    let both: Vec<&record::Setting> = [&advice.chosen].into_iter().chain(&advice.runner_up).collect();
    for change in [Change::None].into_iter().chain(Change::days(ask)) {
        let mut scenario = world.with(change).scenario(ask)?;
        scenario.strategies = names(&both);
        let name = change.name();
        let again = format!("--scenario {name}.toml --seed {} --replicas {} --lab sim", ask.seed, ask.replicas);
        files.push((format!("{name}.toml"), format!("# loadgen {again}\n{}", scenario.to_toml())));
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
