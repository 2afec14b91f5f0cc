//! Simulating candidates in a world, on all cores, within a budget.

use std::collections::BTreeMap;
use std::sync::Arc;

use app::process::shutdown::Shutdown;
use report::record::Strategy;
use report::sweep::Point;
use report::{Figures, on_all_cores};
use scenarios::Plan;
use strategies::Budgets;

use super::ask::Question;
use super::budget::{Purse, RUN_MAX, RUN_MIN, STEPS_PER_SECOND};
use super::candidates::Candidate;
use super::estimate::{Manners, Reading};
use super::simulated_day::SimulatedDay;
use super::trials::{CandidateRuns, Fate, STILL_WAITING, Unknown};
use crate::cli::settings::{Settings, Subject};
use crate::cli::{AdviseArgs, ArrivalChoice, CacheChoice, Format, LabChoice, RunArgs};
use crate::lab::simlab::SimLab;
use crate::load::drive::ToldStaleness;
use crate::shell::exit::{Exit, Failure};
use crate::study::noise::NOISES;
use crate::study::sweep::outcome::spreads;

/// Runs that share what is left of the budget: a fixed number, whatever the cores.
const TOGETHER: usize = 8;

/// What all simulations share.
pub struct SimRunner {
    base: Settings,
    seeds: Vec<u64>,
    stop: Shutdown,
    /// The budget.
    pub purse: Purse,
}

/// A finished run.
struct Ran {
    fate: Fate,
    figures: Figures,
    invalid_because: Vec<String>,
    steps: u64,
}

impl SimRunner {
    /// A bench with so many seeds.
    ///
    /// # Errors
    /// [`Failure`] where a seed would be too large.
    pub fn of(args: &AdviseArgs, seeds: u64, stop: Shutdown, purse: Purse) -> Result<Self, Failure> {
        let last = args.seed.checked_add(seeds - 1).ok_or_else(|| {
            Failure::usage(format!(
                "the last seed is too large · --seed · found {}, allowed up to 2^64 − 3 · lower it",
                args.seed
            ))
        })?;
        let base = Settings::of(&run_args(args))?;
        Ok(Self { base, seeds: (args.seed..=last).collect(), stop, purse })
    }

    /// The seeds of each setting.
    #[must_use]
    pub fn seeds(&self) -> &[u64] {
        &self.seeds
    }

    /// Runs every candidate in the world with so many seeds, seed by seed, for so many steps in all. What would cost more is cut; no
    /// other seed is run of what was, nor of what would be.
    ///
    /// # Errors
    /// [`Failure`] where a run fails, or Ctrl-C ended it.
    pub fn run(
        &self,
        ask: &Question,
        world: SimulatedDay,
        candidates: &[Candidate],
        seeds: usize,
        steps: u64,
    ) -> Result<Vec<CandidateRuns>, Failure> {
        self.purse.doing(&world.in_words());
        let scenario = world.scenario(ask)?;
        let base = Settings { scenario, ..self.base.clone() };
        let reading = Reading::of(ask, &world);
        let (mut left, mut ran) = (steps, BTreeMap::<usize, Vec<Ran>>::new());
        let all: Vec<usize> = (0..candidates.len()).collect();
        let rounds = self.seeds.iter().take(seeds).flat_map(|seed| all.chunks(TOGETHER).map(move |at| (*seed, at)));
        for (seed, together) in rounds {
            let most = (left / together.len().max(1) as u64).min(RUN_MAX);
            // Not what would be cut: what was cut before, or cost more with another seed.
            let fits = |at: &usize| {
                ran.get(at).is_none_or(|ran| ran.iter().all(|ran| ran.fate.cut_after_s.is_none() && ran.steps < most))
            };
            let together: Vec<usize> = together.iter().copied().filter(fits).collect();
            if most < RUN_MIN || self.stop.is_said() {
                break;
            }
            let run = |at: usize| self.one(&base, &reading, &candidates[together[at]], seed, most);
            for (at, done) in together.iter().zip(on_all_cores(together.len(), run)?) {
                left = left.saturating_sub(done.steps);
                ran.entry(*at).or_default().push(done);
            }
        }
        if self.stop.is_said() {
            let text = "interrupted: nothing was written".to_owned();
            return Err(Failure { exit: Exit::Interrupted, text });
        }
        let entry = |(at, candidate)| entry(candidate, ran.remove(&at).unwrap_or_default(), seeds);
        Ok(candidates.iter().enumerate().map(entry).collect())
    }

    fn one(
        &self,
        base: &Settings,
        reading: &Reading,
        candidate: &Candidate,
        seed: u64,
        most: u64,
    ) -> Result<Ran, Failure> {
        let subject = subject(candidate, &base.scenario.budgets);
        let strategies = vec![candidate.spec.name().to_owned()];
        let scenario = scenarios::Scenario { strategies, ..base.scenario.clone() };
        let settings = Settings { scenario, seed, subjects: vec![subject.clone()], ..base.clone() };
        let plan = Arc::new(Plan::new(seed, &settings.scenario, u32::from(settings.replicas)));
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let lab = SimLab::new(&settings, plan, self.stop.clone()).of_steps(most);
        let failed = |failure: Failure| Failure { text: format!("{} · seed {seed}", failure.text), ..failure };
        let measured = lab.measured(&subject, None, &subject.name).map_err(failed)?;
        let (measured_for, warmup) = (settings.scenario.load.duration, settings.scenario.load.warmup);
        let steps = u64::from(measured.steps) + (warmup + measured_for).as_secs() * STEPS_PER_SECOND;
        self.purse.pay(steps);
        let run: Strategy = measured.trial.figures.strategy;
        let figures = reading.figures(&run, measured.response.as_ref(), Manners::of(&candidate.spec));
        let fate = Fate::of(seed, &run, reading);
        Ok(Ran { fate, figures, invalid_because: run.invalid_because, steps })
    }
}

/// What came of a candidate that was to run with so many seeds.
fn entry(candidate: &Candidate, ran: Vec<Ran>, seeds: usize) -> CandidateRuns {
    let mut invalid_because: Vec<String> = Vec::new();
    for reason in ran.iter().flat_map(|ran| &ran.invalid_because) {
        if !invalid_because.contains(reason) {
            invalid_because.push(reason.clone());
        }
    }
    let cut = ran.iter().find_map(|ran| Some((ran.fate.cut_after_s?, ran.steps)));
    let unknown = match cut {
        Some((after_s, steps)) => Some(Unknown::Cut { after_s, steps }),
        None if ran.is_empty() => Some(Unknown::NotRun),
        None => invalid_because.first().filter(|why| !why.contains(STILL_WAITING)).cloned().map(Unknown::Invalid),
    };
    let figures: Vec<Figures> = ran.iter().map(|ran| ran.figures.clone()).collect();
    let point = Point {
        strategy: candidate.family.clone(),
        name: candidate.spec.name().to_owned(),
        spec: candidate.spec.canonical().to_owned(),
        values: Vec::new(),
        runs: u32::try_from(ran.len()).unwrap_or(u32::MAX),
        valid: unknown.is_none() && invalid_because.is_empty(),
        invalid_because,
        figures: spreads(&figures),
    };
    CandidateRuns {
        candidate: candidate.clone(),
        point,
        seeds,
        unknown,
        fates: ran.into_iter().map(|ran| ran.fate).collect(),
    }
}

/// As `--strategy` makes it: what says `auto` follows the scenario's budgets.
fn subject(candidate: &Candidate, budgets: &Budgets) -> Subject {
    let (name, composition) = (candidate.spec.name().to_owned(), candidate.spec.canonical().to_owned());
    Subject {
        folder: "advice".into(),
        name,
        composition,
        strategy: Some(candidate.spec.clone().fitted(budgets)),
        counter: None,
        staleness: ToldStaleness::Age,
    }
}

/// A run in the sim lab, whose scenario and strategy are replaced.
fn run_args(args: &AdviseArgs) -> RunArgs {
    RunArgs {
        scenario: Some("hotkey-open".into()),
        lab: LabChoice::Sim,
        stack: None,
        token_file: Default::default(),
        strategy: Some("naive".into()),
        redis: None,
        redis_primary: None,
        access: Default::default(),
        cache: CacheChoice::Auto,
        redis_server: None,
        target: Vec::new(),
        asked: Default::default(),
        asserts: Vec::new(),
        i_own_this_target: false,
        max_rate: None,
        origin_control: None,
        origin_token_file: None,
        duration: None,
        warmup: None,
        clients: None,
        rate: None,
        trace: None,
        arrival: None::<ArrivalChoice>,
        replicas: Some(args.replicas),
        seed: args.seed,
        set: Vec::new(),
        output: args.output.clone(),
        format: Format::Text,
        repeats: None,
        noise: NOISES.into(),
        live: None,
        otlp: None,
        shard: None,
        quiet: true,
        dry_run: false,
    }
}
