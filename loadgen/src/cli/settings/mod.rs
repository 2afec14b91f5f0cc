//! Raw arguments → validated settings: the second of the two stages. After this nothing is checked again.

mod asserts;
mod lab;
mod redis;
mod server;
mod strategies_typed;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use report::record::Unchecked;
use scenarios::{LoadKind, Problem, Scenario, ScenarioErrors, Threshold};
use strategies::Spec;
use strategies::counter::CounterSpec;
use strategies::spec::{Unfit, WriteEffect};
use strategies::time::nanos;
use strategies::units::duration_text;

pub use redis::GivenRedis;
pub(crate) use strategies_typed::split_list;
use strategies_typed::{counters, strategies, strategy_texts};

use crate::cli::{ArrivalChoice, CacheChoice, Format, LabChoice, RunArgs};
use crate::lab::StackNames;
use crate::lab::target::Target;
use crate::load::drive::ToldStaleness;
use crate::load::measure::{Floor, Warmth};
use crate::load::replay::open_trace;
use crate::shell::command_line::command_without;
use crate::shell::exit::Failure;
use crate::shell::part::PartOf;
use crate::study::otlp::SpanCollector;
use crate::study::thresholds;

/// What to run, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The scenario, with everything that the command line sets in it.
    pub scenario: Scenario,
    /// What is measured, in the order run.
    pub subjects: Vec<Subject>,
    /// Which lab was asked for.
    pub lab: LabChoice,
    /// Why `--lab auto` chose as it did, for people.
    pub lab_note: Option<String>,
    /// Whether everything is simulated, in virtual time.
    pub simulated: bool,
    /// An HTTP service instead of a lab.
    pub target: Option<Target>,
    /// A stack that is reached by the names of its parts.
    pub stack: Option<StackNames>,
    /// The scenario's thresholds on strategies that are not run.
    pub unchecked: Vec<Unchecked>,
    /// Thresholds of the command line.
    pub asserts: Vec<Threshold>,
    /// The scenario's fields that the command line sets, by their paths.
    pub overridden: Vec<String>,
    /// How many replicas.
    pub replicas: u16,
    /// The seed; of the first block where there are repeats.
    pub seed: u64,
    /// How often every strategy runs.
    pub repeats: u16,
    /// A given Redis.
    pub redis: Option<GivenRedis>,
    /// Which cache, where no Redis is given.
    pub cache: CacheChoice,
    /// The program that a private server is started from, where one is named.
    pub redis_server: Option<PathBuf>,
    /// Where run folders are made.
    pub output: PathBuf,
    /// Where noise files lie.
    pub noise: PathBuf,
    /// What comes out.
    pub format: Format,
    /// No progress.
    pub quiet: bool,
    /// Where a page shows the run as it happens.
    pub live: Option<SocketAddr>,
    /// Where the run's spans are sent.
    pub otlp: Option<SpanCollector>,
    /// Which part of the run this process drives, where others drive the rest.
    pub part: Option<PartOf>,
    /// The command that makes this run again.
    pub command: String,
}

/// One thing that is measured: a strategy on a lab's replicas, or a target as it is.
#[derive(Debug, Clone)]
pub struct Subject {
    /// What the user asked for: a preset's name, a SPEC as typed, or `target`.
    pub name: String,
    /// The full composition; a target's URLs.
    pub composition: String,
    /// Its folder in the run's folder.
    pub folder: String,
    /// The strategy; `None` for a target, and for one that counts.
    pub strategy: Option<Spec>,
    /// The strategy, where it counts.
    pub counter: Option<CounterSpec>,
    /// What is known of stale answers.
    pub staleness: ToldStaleness,
}

impl Subject {
    fn strategy((spec, folder): (Spec, String)) -> Self {
        let (name, composition) = (spec.name().to_owned(), spec.canonical().to_owned());
        Self { name, composition, folder, strategy: Some(spec), counter: None, staleness: ToldStaleness::Age }
    }

    fn counter((spec, folder): (CounterSpec, String)) -> Self {
        let (name, composition) = (spec.name().to_owned(), spec.canonical().to_owned());
        Self { name, composition, folder, strategy: None, counter: Some(spec), staleness: ToldStaleness::Age }
    }

    /// Whether it is somebody else's service.
    #[must_use]
    pub fn is_target(&self) -> bool {
        self.strategy.is_none() && self.counter.is_none()
    }

    /// Whether a key has one entry for the whole fleet, as far as is known.
    #[must_use]
    pub fn has_one_entry(&self) -> bool {
        self.strategy.as_ref().is_none_or(Spec::has_one_entry)
    }

    fn target(target: &Target) -> Self {
        let name = target.name.clone();
        let staleness = target.sites.first().map(|site| site.staleness()).unwrap_or_default();
        Self {
            composition: target.urls.join(" "),
            folder: name.clone(),
            name,
            strategy: None,
            counter: None,
            staleness,
        }
    }

    /// How long an entry is fresh, before any jitter; of a target nothing but the scenario's word is known.
    #[must_use]
    pub fn soft_life(&self, ttl: Duration) -> Duration {
        self.strategy.as_ref().map_or(ttl, |spec| spec.soft_life(ttl))
    }

    /// How long an entry may be fresh at most, with all jitter.
    #[must_use]
    pub fn soft_life_max(&self, ttl: Duration) -> Duration {
        self.strategy.as_ref().map_or(ttl, |spec| spec.soft_life_max(ttl))
    }

    /// The floor of its origin reads, where it can be computed: the strategy is known. It is told where TTLs are not lengthened;
    /// where they are, reads after an event are held to that of the shortest life. Where writes change what the cache has, no TTL says
    /// what must be read; and a request for several items says one of their keys here.
    #[must_use]
    pub fn floor(&self, scenario: &Scenario) -> Option<Floor> {
        let spec = self.strategy.as_ref()?;
        if self.cache_is_written(scenario) || scenario.load.batch > 1 {
            return None;
        }
        let (service, lives) = (scenario.origin.service_time.mean(), scenario.ttls().map(|ttl| spec.soft_life(*ttl)));
        let over = scenario.events.iter().map(scenarios::ScenarioEvent::over);
        let over_ns = over.map(|over| i64::try_from(nanos(over)).unwrap_or(i64::MAX)).collect();
        let floor = Floor::new(scenario.keys.existing(), service, lives, spec.negative_life()).emptied_at(over_ns);
        Some(if spec.lengthens_ttl() { floor.untold() } else { floor })
    }

    /// Whether writes change what the cache has.
    fn cache_is_written(&self, scenario: &Scenario) -> bool {
        let effect = self.strategy.as_ref().map(Spec::write_effect);
        scenario.writes.is_some() && effect.is_some_and(|effect| effect != WriteEffect::Nothing)
    }

    /// What the warm-up is to leave in the cache, where no write may take it away.
    #[must_use]
    pub fn warmth(&self, scenario: &Scenario) -> Option<Warmth> {
        let lives = scenario.ttls().map(|ttl| self.strategy.as_ref().map_or(*ttl, |spec| spec.shortest_life(*ttl)));
        (!self.cache_is_written(scenario))
            .then(|| Warmth::new(scenario.keys.existing(), scenario.origin.service_time.p99(), lives))
    }
}

impl Settings {
    /// Checks the arguments.
    ///
    /// # Errors
    /// [`Failure`] with everything that is wrong with the scenario and its overrides, or with the first other problem.
    pub fn of(args: &RunArgs) -> Result<Self, Failure> {
        let (name, overrides) = (args.scenario.as_deref(), overrides(args)?);
        let name = name.ok_or_else(|| {
            Failure::usage(format!("no scenario · --scenario · found nothing · name one of: {}", shipped_names()))
        })?;
        let (text, file) = scenario_text(name)?;
        let pairs: Vec<(String, String)> = overrides.iter().map(|(p, v, _)| (p.clone(), v.clone())).collect();
        let scenario = Scenario::parse_opening(&text, &file, &pairs, Some(open_trace));
        let mut scenario = scenario.map_err(|e| named_by_flag(e, &overrides))?;
        let target = Target::of(args, &scenario)?;
        let subjects = subjects(args, target.as_ref(), &scenario)?;
        let redis = GivenRedis::of(args)?;
        let running: Vec<&str> = subjects.iter().map(|subject| subject.name.as_str()).collect();
        let unchecked =
            scenario.thresholds.iter().filter(|t| target.is_none() && !running.contains(&t.strategy.as_str()));
        let unchecked: Vec<Unchecked> = unchecked.map(thresholds::unchecked).collect();
        scenario.thresholds.retain(|threshold| running.contains(&threshold.strategy.as_str()));
        if target.is_none() {
            scenario.strategies = subjects.iter().map(|subject| subject.name.clone()).collect();
        }
        let sites = target.as_ref().map(|target| u16::try_from(target.sites.len()).unwrap_or(u16::MAX));
        let asserts = asserts::read(&args.asserts, &running, &scenario)?;
        let mut settings = Self {
            scenario,
            asserts,
            subjects,
            unchecked,
            overridden: overrides.iter().map(|(path, ..)| path.clone()).collect(),
            replicas: sites.or(args.replicas).unwrap_or(REPLICAS_DEFAULT),
            lab: args.lab,
            lab_note: None,
            simulated: args.lab == LabChoice::Sim,
            target,
            stack: StackNames::of(args)?,
            seed: args.seed,
            repeats: args.repeats.unwrap_or(1),
            redis,
            cache: args.cache,
            redis_server: args.redis_server.clone(),
            output: args.output.clone(),
            noise: args.noise.clone(),
            format: args.format,
            quiet: args.quiet,
            live: args.live,
            otlp: args.otlp.as_deref().map(SpanCollector::of).transpose()?,
            part: args.shard,
            command: command_without(&["--shard"]),
        };
        settings.check_lab(args)?;
        if args.arrival == Some(ArrivalChoice::Closed)
            && !matches!(settings.scenario.load.kind, LoadKind::Closed { .. })
        {
            return Err(Failure::usage(
                "a closed loop without clients · --arrival closed · found a scenario with a rate or a trace, needed load.clients and \
                 load.think · write --set load.clients=50 --set load.think=120ms",
            ));
        }
        Ok(settings)
    }
}

impl Settings {
    /// The scenario's thresholds, and those of the command line.
    pub(crate) fn bounds(&self) -> Vec<Threshold> {
        self.scenario.thresholds.iter().chain(&self.asserts).cloned().collect()
    }

    /// Whether any strategy of the run keeps values in the replicas' processes.
    #[must_use]
    pub fn keeps_copies(&self) -> bool {
        self.subjects.iter().any(|subject| subject.strategy.as_ref().is_some_and(Spec::keeps_copies))
    }
}

/// What is measured: a target, or the strategies of the family that the load is for.
fn subjects(args: &RunArgs, target: Option<&Target>, scenario: &Scenario) -> Result<Vec<Subject>, Failure> {
    if let Some(target) = target {
        return Ok(vec![Subject::target(target)]);
    }
    let texts = strategy_texts(args.strategy.as_deref(), scenario)?;
    if scenario.counting.is_some() {
        return Ok(counters(&texts)?.into_iter().map(Subject::counter).collect());
    }
    let strategies = strategies(&texts, scenario)?;
    check_soft_lives(&strategies, scenario)?;
    check_times(&strategies, scenario)?;
    Ok(strategies.into_iter().map(Subject::strategy).collect())
}

/// Replicas where nothing is said.
const REPLICAS_DEFAULT: u16 = 3;

/// A strategy that keeps values fresh for longer than the scenario's TTL would win by breaking its rule.
fn check_soft_lives(strategies: &[(Spec, String)], scenario: &Scenario) -> Result<(), Failure> {
    let shortest = scenario.ttl_min();
    let longer = strategies.iter().find(|(spec, _)| spec.soft_life(shortest) > shortest);
    longer.map_or(Ok(()), |(spec, _)| {
        let (soft, ttl) = (duration_text(spec.soft_life(shortest)), duration_text(shortest));
        let (whose, remedy) = match shortest == scenario.cache.ttl {
            true => ("cache.ttl", format!(", or set cache.ttl={soft}")),
            false => ("the shortest of any key", String::new()),
        };
        Err(Failure::usage(format!(
            "a strategy that is fresh for longer than the TTL · --strategy {:?} · found {soft}, allowed at most {ttl} \
             ({whose}) · lower soft{remedy}",
            spec.name()
        )))
    })
}

/// What could not come to anything, whatever the load: a strategy that gives up before a read ends, a cache that takes too
/// long to warm.
fn check_times(strategies: &[(Spec, String)], scenario: &Scenario) -> Result<(), Failure> {
    let read = scenario.origin.service_time.p50();
    let unfit =
        |(spec, _): &(Spec, String)| spec.unfit(read, &scenario.budgets).map(|unfit| (spec.name().to_owned(), unfit));
    if let Some((name, unfit)) = strategies.iter().find_map(unfit) {
        let Unfit { what, found, allowed, remedy } = unfit;
        return Err(Failure::usage(format!(
            "{what} · --strategy {name:?} · found {found}, allowed {allowed} · {remedy}"
        )));
    }
    let (takes, most) = (scenario.warm_takes(read), scenario.warm_budget());
    if scenario.warm.is_some() && takes > most {
        let [takes, most, read] = [takes, most, read].map(duration_text);
        let (items, places) = (scenario.keys.ranks(), scenario.origin.concurrency);
        return Err(Failure::usage(format!(
            "a cache that takes too long to warm · [warm] · found {items} reads of {read}, {places} at once: {takes}, \
             allowed {most} · raise origin.concurrency, lower origin.service_time or keys.n, or leave [warm] out"
        )));
    }
    Ok(())
}

/// (path in the scenario, value, as typed).
pub(crate) type Override = (String, String, String);

fn overrides(args: &RunArgs) -> Result<Vec<Override>, Failure> {
    let arrivals = match args.arrival {
        None | Some(ArrivalChoice::Closed) => None,
        Some(ArrivalChoice::Poisson) => Some("poisson".to_owned()),
        Some(ArrivalChoice::Constant) => Some("constant".to_owned()),
    };
    let flags = [
        ("-d", "load.duration", &args.duration),
        ("-w", "load.warmup", &args.warmup),
        ("-c", "load.clients", &args.clients),
        ("-r", "load.rate", &args.rate),
        ("--trace", "load.trace", &args.trace),
        ("--arrival", "load.arrivals", &arrivals),
    ];
    let mut overrides: Vec<Override> = Vec::new();
    for (flag, path, value) in flags {
        if let Some(value) = value {
            overrides.push((path.into(), value.clone(), format!("{flag} {value}")));
        }
    }
    for set in &args.set {
        let (path, value) = set.split_once('=').ok_or_else(|| {
            Failure::usage(format!(
                "a setting without a value · --set {set} · found no `=` · write --set cache.ttl=10s"
            ))
        })?;
        overrides.push((path.trim().into(), value.trim().into(), format!("--set {set}")));
    }
    Ok(overrides)
}

/// A shipped scenario with (flag, field, value) of a command line and fields of our own set in it.
///
/// # Errors
/// [`Failure`] that shows what is wrong at the flag as it was typed.
pub fn scenario_named(name: &str, flags: &[(&str, &str, &String)], own: &[(&str, &str)]) -> Result<Scenario, Failure> {
    let typed = flags.iter().map(|(flag, path, value)| ((*path).into(), (*value).clone(), format!("{flag} {value}")));
    let own = own.iter().map(|(path, value)| ((*path).into(), (*value).into(), format!("--set {path}={value}")));
    let overrides: Vec<Override> = own.chain(typed).collect();
    let pairs: Vec<(String, String)> = overrides.iter().map(|(p, v, _)| (p.clone(), v.clone())).collect();
    let (text, file) = scenario_text(name)?;
    Scenario::parse(&text, &file, &pairs).map_err(|e| named_by_flag(e, &overrides))
}

/// Problems of an override are shown at the flag as it was typed.
pub(crate) fn named_by_flag(errors: ScenarioErrors, overrides: &[Override]) -> Failure {
    let place = |place: String| {
        let typed = overrides.iter().find(|(path, value, _)| place == format!("--set {path}={value}"));
        typed.map_or(place.clone(), |(_, _, typed)| typed.clone())
    };
    let problems = errors.problems.into_iter().map(|p| Problem { place: place(p.place), ..p }).collect();
    Failure::usage(ScenarioErrors { problems, omitted: errors.omitted })
}

fn scenario_text(name: &str) -> Result<(String, String), Failure> {
    if let Some((name, text)) = scenarios::shipped().iter().find(|(shipped, _)| *shipped == name) {
        return Ok(((*text).to_owned(), format!("{name}.toml")));
    }
    let is_file = name.contains(['/', '\\', '.']) || Path::new(name).exists();
    if is_file {
        return Ok((scenarios::read(Path::new(name)).map_err(Failure::usage)?, name.to_owned()));
    }
    let names = scenarios::shipped().iter().map(|(n, _)| *n);
    let meant = scenarios::nearest(name, names).map(|n| format!("did you mean `{n}`? ")).unwrap_or_default();
    Err(Failure::usage(format!(
        "no such scenario · --scenario · found {name:?}, allowed {} or a file's path · {meant}`loadgen list` lists them",
        shipped_names()
    )))
}

fn shipped_names() -> String {
    scenarios::shipped().iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}
