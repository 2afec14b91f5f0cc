//! Simulating candidates in a world, with the code of sweeps, and what came of each.

use std::sync::Arc;

use app::serve::Shutdown;
use report::sweep::{Point, Ranked, Spread};

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
use crate::sweep::runner::run_all;

/// What is noise in a figure, as the verdict on single runs has it: a share of it, or milliseconds of a latency.
const NOISE_SHARE: f64 = 0.1;
const NOISE_MS: f64 = 1.0;

/// A candidate, and what came of it.
#[derive(Debug, Clone)]
pub struct Tried {
    /// What it is.
    pub candidate: Candidate,
    /// Its figures over the seeds.
    pub point: Point,
    /// Whether it meets the goal.
    pub meets: bool,
    /// Whether it is as good as the first: not told apart from it, and near it.
    pub alike: bool,
    /// What it misses, in words.
    pub misses: Vec<String>,
}

impl Tried {
    /// A figure over the seeds.
    #[must_use]
    pub fn spread(&self, metric: &str) -> Option<Spread> {
        self.point.figures.get(metric).copied().flatten()
    }
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

    /// Runs every candidate in the world with every seed, and ranks them: what meets the goal first, the best first.
    ///
    /// # Errors
    /// [`Failure`] where a run fails or is invalid, or Ctrl-C ended it.
    pub fn run(&self, ask: &Ask, world: World, candidates: &[Candidate], goal: &Goal) -> Result<Vec<Tried>, Failure> {
        let scenario = world.scenario(ask)?;
        let settings = |candidate: &Candidate| Settings {
            subjects: vec![subject(candidate)],
            scenario: scenarios::Scenario { strategies: vec![candidate.spec.name().to_owned()], ..scenario.clone() },
            ..self.base.clone()
        };
        let point = |candidate: &Candidate| grid::Point {
            strategy: candidate.family.to_owned(),
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
        let finished = run_all(&grid, crate::sweep::simulate, &self.stop, self.quiet);
        if self.stop.is_said() {
            let text = "interrupted: nothing was written".to_owned();
            return Err(Failure { exit: Exit::Interrupted, text });
        }
        let sweep = outcome::record(&Identity { name: String::new(), began: Utc::now() }, &grid, Some(goal), &finished);
        if let Some(failure) = finished.failure {
            return Err(failure);
        }
        let mean = |ranked: &Ranked| sweep.points[ranked.point].figures.get(goal.metric).copied().flatten();
        let best = sweep.ranking.first().and_then(mean);
        let near = |ranked: &Ranked| mean(ranked).zip(best).is_some_and(|(own, best)| near(goal.metric, own, best));
        let tried = |ranked: &Ranked| Tried {
            candidate: candidates[ranked.point].clone(),
            point: sweep.points[ranked.point].clone(),
            meets: ranked.meets,
            alike: ranked.as_good_as_best && near(ranked),
            misses: ranked.misses.iter().map(|miss| missed(goal, miss)).collect(),
        };
        // An invalid run is never ranked; that it was tried is not hidden.
        let invalid = sweep.points.iter().zip(candidates).filter(|(point, _)| !point.valid);
        let invalid = invalid.map(|(point, candidate)| Tried {
            candidate: candidate.clone(),
            point: point.clone(),
            meets: false,
            alike: false,
            misses: vec![invalid_in_words(&point.invalid_because)],
        });
        Ok(sweep.ranking.iter().map(tried).chain(invalid).collect())
    }
}

/// Whether a mean is so close to the best that nobody should pay for the difference: a tenth of it, or a latency's millisecond.
/// A few seeds whose ranges overlap are not enough to say so.
fn near(metric: &str, own: Spread, best: Spread) -> bool {
    let noise = if metric.contains("_ms.") { NOISE_MS } else { 0.0 };
    (own.mean - best.mean).abs() <= (NOISE_SHARE * best.mean.abs()).max(noise)
}

/// Why a run can't be believed; where the origin never caught up, that is the finding.
fn invalid_in_words(because: &[String]) -> String {
    match because.first() {
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
