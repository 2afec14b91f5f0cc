//! Simulating candidates in a world, with the code of sweeps, and what came of each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use app::serve::Shutdown;
use report::record::Strategy;
use report::sweep::{Point, Ranked, Spread};
use report::{figure, metrics};
use schemars::JsonSchema;
use serde::Serialize;

use super::ask::Ask;
use super::candidates::Candidate;
use super::world::World;
use crate::cli::{AdviseArgs, Arrival, CacheChoice, Format, LabChoice, RunArgs};
use crate::exit::{Exit, Failure};
use crate::names::Utc;
use crate::noise::NOISES;
use crate::settings::{Settings, Subject};
use crate::sweep::goal::Goal;
use crate::sweep::grid::{self, Grid};
use crate::sweep::outcome::{self, Identity};
use crate::sweep::rank::rank;
use crate::sweep::runner::run_all;

/// What is noise in a figure, as the verdict on single runs has it: a share of it, or milliseconds of a latency.
const NOISE_SHARE: f64 = 0.1;
const NOISE_MS: f64 = 1.0;

/// Of fewer runs than these no progress is shown.
const RUNS_SHOWN: usize = 20;

/// A candidate's runs in one world.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What it is.
    pub candidate: Candidate,
    /// Its figures over the seeds.
    pub point: Point,
    /// What became of each run.
    pub fates: Vec<Fate>,
}

/// What became of the requests of one run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Fate {
    /// Its seed.
    pub seed: u64,
    /// Requests of the measured time.
    pub requests: u64,
    /// Of these, ended in an error.
    pub errors: u64,
    /// Of these, refused (503).
    pub shed: u64,
    /// Whether it recovered from its event (`recovery.recovered`); `null` where nobody can say.
    pub recovered: Option<bool>,
    /// How long after the event's end, seconds (`recovery.recovered_after_s`).
    pub recovered_after_s: Option<f64>,
    /// Where it was cut because so many requests waited that it cost too much to go on: seconds after t = 0.
    pub cut_after_s: Option<f64>,
}

impl Fate {
    fn of(seed: u64, run: &Strategy) -> Self {
        let figures = metrics(run);
        let count = |metric: &str| figure(&figures, metric).flatten().and_then(serde_json::Number::as_u64).unwrap_or(0);
        Self {
            seed,
            requests: count("requests"),
            errors: count("errors"),
            shed: count("outcomes.shed"),
            recovered: run.recovery.and_then(|recovery| recovery.recovered),
            recovered_after_s: run.recovery.and_then(|recovery| recovery.recovered_after_s),
            cut_after_s: run.cut_after_s,
        }
    }
}

/// A candidate, what came of it, and its place among others.
#[derive(Debug, Clone)]
pub struct Tried {
    /// Its runs.
    pub entry: Entry,
    /// Whether it meets the goal.
    pub meets: bool,
    /// Whether it is as good as the first: not told apart from it, and near it.
    pub alike: bool,
    /// What it misses, in words.
    pub misses: Vec<String>,
}

impl Tried {
    /// What it is.
    #[must_use]
    pub fn candidate(&self) -> &Candidate {
        &self.entry.candidate
    }

    /// A figure over the seeds.
    #[must_use]
    pub fn spread(&self, metric: &str) -> Option<Spread> {
        self.entry.point.figures.get(metric).copied().flatten()
    }
}

/// Ranks what was run in one world: what meets the goal first, the best first. Only what was run with `seeds` seeds can be as good as
/// the best: with fewer, nothing is told apart, and it comes after those.
#[must_use]
pub fn ranked(goal: &Goal, entries: &[Entry], seeds: usize) -> Vec<Tried> {
    let (all, few): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|entry| entry.fates.len() >= seeds);
    let mut ranking = ranked_alone(goal, &all);
    let rest = ranked_alone(goal, &few).into_iter().map(|tried| Tried { alike: false, ..tried });
    ranking.extend(rest);
    ranking.sort_by_key(|tried| !tried.meets);
    ranking
}

fn ranked_alone(goal: &Goal, entries: &[&Entry]) -> Vec<Tried> {
    let points: Vec<Point> = entries.iter().map(|entry| entry.point.clone()).collect();
    let ranking = rank(goal, &points);
    let mean = |ranked: &Ranked| points[ranked.point].figures.get(goal.metric).copied().flatten();
    let best = ranking.first().and_then(mean);
    let near = |ranked: &Ranked| mean(ranked).zip(best).is_some_and(|(own, best)| near(goal.metric, own, best));
    let tried = |ranked: &Ranked| Tried {
        entry: entries[ranked.point].clone(),
        meets: ranked.meets,
        alike: ranked.as_good_as_best && near(ranked),
        misses: ranked.misses.iter().map(|miss| missed(goal, miss)).collect(),
    };
    // An invalid run is never ranked; that it was tried is not hidden.
    let invalid = entries.iter().filter(|entry| !entry.point.valid);
    let invalid = invalid.map(|entry| Tried {
        entry: (*entry).clone(),
        meets: false,
        alike: false,
        misses: vec![invalid_in_words(entry)],
    });
    ranking.iter().map(tried).chain(invalid).collect()
}

/// What all simulations share.
#[derive(Clone)]
pub struct Bench {
    base: Settings,
    seeds: Vec<u64>,
    stop: Shutdown,
    quiet: bool,
}

impl Bench {
    /// A bench with so many seeds.
    ///
    /// # Errors
    /// [`Failure`] where a seed would be too large.
    pub fn of(args: &AdviseArgs, seeds: u64, stop: Shutdown) -> Result<Self, Failure> {
        let last = args.seed.checked_add(seeds - 1).ok_or_else(|| {
            Failure::usage(format!(
                "the last seed is too large · --seed · found {}, allowed up to 2^64 − 3 · lower it",
                args.seed
            ))
        })?;
        let base = Settings::of(&run_args(args))?;
        Ok(Self { base, seeds: (args.seed..=last).collect(), stop, quiet: args.quiet })
    }

    /// The same with no more than so many seeds.
    #[must_use]
    pub fn with_seeds(&self, n: usize) -> Self {
        Self { seeds: self.seeds.iter().copied().take(n).collect(), ..self.clone() }
    }

    /// The seeds of each setting.
    #[must_use]
    pub fn seeds(&self) -> &[u64] {
        &self.seeds
    }

    /// Runs every candidate in the world with every seed; what costs far more than its load should is cut.
    ///
    /// # Errors
    /// [`Failure`] where a run fails, or Ctrl-C ended it.
    pub fn run(&self, ask: &Ask, world: World, candidates: &[Candidate]) -> Result<Vec<Entry>, Failure> {
        let scenario = world.scenario(ask)?;
        let settings = |candidate: &Candidate| Settings {
            subjects: vec![subject(candidate)],
            scenario: scenarios::Scenario { strategies: vec![candidate.spec.name().to_owned()], ..scenario.clone() },
            ..self.base.clone()
        };
        let point = |candidate: &Candidate| grid::Point {
            strategy: candidate.family.clone(),
            at: Vec::new(),
            settings: settings(candidate),
        };
        let grid = Arc::new(Grid {
            base: Settings { scenario: scenario.clone(), ..self.base.clone() },
            knobs: Vec::new(),
            seeds: self.seeds.clone(),
            points: candidates.iter().map(point).collect(),
            left_out: Vec::new(),
        });
        let steps_max = world.steps_max(ask);
        let cut_after: Mutex<BTreeMap<(String, u64), f64>> = Mutex::default();
        let simulate = |settings: &Settings, stop: &Shutdown| {
            let mut strategy = crate::sweep::simulate_within(settings, stop, Some(steps_max))?;
            if let (Some(cut), false) = (strategy.cut_after_s, stop.is_said()) {
                // It is what came of it, not a run that somebody ended.
                strategy.cut_after_s = None;
                strategy.valid = false;
                let mut cuts = cut_after.lock().unwrap_or_else(PoisonError::into_inner);
                cuts.insert((strategy.name.clone(), settings.seed), cut);
            }
            Ok(strategy)
        };
        let mut finished = run_all(&grid, simulate, &self.stop, self.quiet || grid.runs() < RUNS_SHOWN);
        if self.stop.is_said() {
            let text = "interrupted: nothing was written".to_owned();
            return Err(Failure { exit: Exit::Interrupted, text });
        }
        if let Some(failure) = finished.failure.take() {
            return Err(failure);
        }
        let cuts = cut_after.into_inner().unwrap_or_else(PoisonError::into_inner);
        let identity = Identity { name: String::new(), began: Utc::now() };
        let points = outcome::record(&identity, &grid, None, &finished).points;
        let entry = |((candidate, point), runs): ((&Candidate, Point), &Vec<Option<Strategy>>)| {
            let seeds = self.seeds.iter().zip(runs).filter_map(|(seed, run)| Some((*seed, run.as_ref()?)));
            let fate = |(seed, run): (u64, &Strategy)| Fate {
                cut_after_s: cuts.get(&(run.name.clone(), seed)).copied(),
                ..Fate::of(seed, run)
            };
            Entry { candidate: candidate.clone(), point, fates: seeds.map(fate).collect() }
        };
        Ok(candidates.iter().zip(points).zip(&finished.runs).map(entry).collect())
    }
}

/// Whether a mean is so close to the best that nobody should pay for the difference: a tenth of it, or a latency's millisecond.
/// A few seeds whose ranges overlap are not enough to say so.
pub(super) fn near(metric: &str, own: Spread, best: Spread) -> bool {
    let noise = if metric.contains("_ms.") { NOISE_MS } else { 0.0 };
    (own.mean - best.mean).abs() <= (NOISE_SHARE * best.mean.abs()).max(noise)
}

/// Why a run can't be believed; where the origin never caught up, that is the finding.
fn invalid_in_words(entry: &Entry) -> String {
    if let Some(cut) = entry.fates.iter().find_map(|fate| fate.cut_after_s) {
        return format!("cut {cut:.0} s in: more and more requests wait");
    }
    match entry.point.invalid_because.first() {
        Some(first) if first.contains("had not ended") => {
            "the origin never catches up: requests were still waiting at the end".into()
        }
        first => format!("invalid: {}", first.map_or("", String::as_str)),
    }
}

/// `origin.max_per_second 188, allowed 50`.
fn missed(goal: &Goal, miss: &report::sweep::Miss) -> String {
    let Some(condition) = goal.conditions.get(miss.condition) else { return String::new() };
    let metric = condition.metric;
    let worst = miss.worst.map_or_else(|| "unknown".into(), |worst| report::sweep::figure_text(metric, worst));
    let what = match metric {
        "origin.max_per_second" => "reads in its highest second",
        "outcomes.shed" => "requests refused",
        "stale.overage_ms_max" => "ms past the TTL",
        "recovery.recovered" => return "it does not recover".into(),
        "errors" => "errors",
        _ => metric,
    };
    let limit = condition.limit;
    if limit == 0.0 { format!("{worst} {what}") } else { format!("{worst} {what}, limit {}", super::ask::tidy(limit)) }
}

fn subject(candidate: &Candidate) -> Subject {
    let (name, composition) = (candidate.spec.name().to_owned(), candidate.spec.canonical().to_owned());
    Subject { folder: "advice".into(), name, composition, strategy: Some(candidate.spec.clone()) }
}

/// A run in the sim lab, whose scenario and strategy are replaced.
fn run_args(args: &AdviseArgs) -> RunArgs {
    RunArgs {
        scenario: Some("hotkey-open".into()),
        lab: LabChoice::Sim,
        strategy: Some("naive".into()),
        redis: None,
        cache: CacheChoice::Auto,
        target: Vec::new(),
        i_own_this_target: false,
        max_rate: None,
        origin_control: None,
        origin_token_file: None,
        duration: None,
        warmup: None,
        clients: None,
        rate: None,
        arrival: None::<Arrival>,
        replicas: Some(args.replicas),
        seed: args.seed,
        set: Vec::new(),
        output: args.output.clone(),
        format: Format::Text,
        repeats: None,
        noise: NOISES.into(),
        live: None,
        quiet: true,
        dry_run: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_is_noise_and_more_is_not() {
        let spread = |mean: f64| Spread { mean, min: mean / 2.0, max: mean * 2.0 };
        for (metric, own, best, is_near) in [
            ("latency_ms.p99", 219.0, 200.0, true),
            ("latency_ms.p99", 221.0, 200.0, false),
            ("latency_ms.p99", 1.2, 0.3, true),
            ("latency_ms.p99", 1.4, 0.3, false),
            ("hit_ratio", 0.9, 0.99, true),
            ("hit_ratio", 0.88, 0.99, false),
            ("origin.total", 1.2, 0.3, false),
        ] {
            assert_eq!(near(metric, spread(own), spread(best)), is_near, "{metric} {own} {best}");
        }
    }
}
