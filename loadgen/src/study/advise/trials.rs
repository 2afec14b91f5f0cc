//! What came of candidates in a world, and their places among each other.

use report::record::Strategy;
use report::sweep::{Point, Ranked, Spread};
use report::{figure, metrics};
use schemars::JsonSchema;
use serde::Serialize;

use super::candidates::Candidate;
use super::estimate::Reading;
use crate::study::sweep::goal::Goal;
use crate::study::sweep::rank::rank;

/// What is noise in a figure, as the verdict on single runs has it: a share of it, or milliseconds of a latency.
const NOISE_SHARE: f64 = 0.1;
const NOISE_MS: f64 = 1.0;

/// What the validity of a run says where requests were under way long after its load.
pub(super) const STILL_WAITING: &str = "had not ended";

/// A candidate's runs in one world.
#[derive(Debug, Clone)]
pub struct CandidateRuns {
    /// What it is.
    pub candidate: Candidate,
    /// Its figures over the seeds.
    pub point: Point,
    /// With how many seeds it was to run; where that would cost too much, it was run with fewer.
    pub seeds: usize,
    /// Why it is not known what came of it; `None` where it is.
    pub unknown: Option<Unknown>,
    /// What became of each run.
    pub fates: Vec<Fate>,
}

/// Why it is not known what came of a candidate. None of these is a property of the strategy.
#[derive(Debug, Clone, PartialEq)]
pub enum Unknown {
    /// A run was cut, for it had cost so many steps.
    Cut {
        /// Seconds after t = 0.
        after_s: f64,
        /// The simulator's steps.
        steps: u64,
    },
    /// The budget was used up before.
    NotRun,
    /// A run can't be believed.
    Invalid(String),
}

impl Unknown {
    /// In words.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Cut { after_s, steps } => {
                let millions = *steps as f64 / 1e6;
                format!("not known: too costly to simulate (cut {after_s:.0} s in, after {millions:.1} million steps)")
            }
            Self::NotRun => "not known: not simulated, the budget of the answer was used up".into(),
            Self::Invalid(why) => format!("not known: {why}"),
        }
    }
}

/// What became of the requests of one run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Fate {
    /// Its seed.
    pub seed: u64,
    /// Requests of the measured time; of a sample, those that it stands for.
    pub requests: u64,
    /// Of these, ended in an error.
    pub errors: u64,
    /// Of these, refused (503).
    pub shed: u64,
    /// Whether it recovered from its event (`recovery.recovered`); `null` where nobody can say.
    pub recovered: Option<bool>,
    /// How long after the event's end, seconds (`recovery.recovered_after_s`).
    pub recovered_after_s: Option<f64>,
    /// Where it was cut because it cost too much to go on: seconds after t = 0. Nothing else of it says anything.
    pub cut_after_s: Option<f64>,
}

impl Fate {
    /// That of a run.
    #[must_use]
    pub fn of(seed: u64, run: &Strategy, reading: &Reading) -> Self {
        let figures = metrics(run);
        let count = |metric: &str| figure(&figures, metric).flatten().and_then(serde_json::Number::as_u64).unwrap_or(0);
        let whole = run.cut_after_s.is_none();
        Self {
            seed,
            requests: reading.requests(count("requests")),
            errors: reading.requests(count("errors")),
            shed: reading.requests(count("outcomes.shed")),
            recovered: run.recovery.and_then(|recovery| recovery.recovered).filter(|_| whole),
            recovered_after_s: run.recovery.and_then(|recovery| recovery.recovered_after_s).filter(|_| whole),
            cut_after_s: run.cut_after_s,
        }
    }
}

/// A candidate, what came of it, and its place among others.
#[derive(Debug, Clone)]
pub struct Tried {
    /// Its runs.
    pub entry: CandidateRuns,
    /// Whether it meets the goal; not where that is unknown.
    pub meets: bool,
    /// Whether it is as good as the first: nobody would notice the difference.
    pub alike: bool,
    /// What it misses, or why that is not known, in words.
    pub misses: Vec<String>,
}

impl Tried {
    /// What it is.
    #[must_use]
    pub fn candidate(&self) -> &Candidate {
        &self.entry.candidate
    }

    /// Whether it is known what came of it.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.entry.unknown.is_none()
    }

    /// A figure over the seeds.
    #[must_use]
    pub fn spread(&self, metric: &str) -> Option<Spread> {
        self.entry.point.figures.get(metric).copied().flatten()
    }
}

/// Ranks what was run in one world: what meets the goal first, the best first; what is not known last. Only what was run with `seeds` seeds can
/// be as good as the best: with fewer, nothing is told apart, and it comes after those.
#[must_use]
pub fn ranked(goal: &Goal, entries: &[CandidateRuns], seeds: usize) -> Vec<Tried> {
    let (known, unknown): (Vec<&CandidateRuns>, Vec<&CandidateRuns>) =
        entries.iter().partition(|entry| entry.unknown.is_none());
    let (all, few): (Vec<&CandidateRuns>, Vec<&CandidateRuns>) =
        known.into_iter().partition(|entry| entry.fates.len() >= seeds);
    let mut ranking = ranked_alone(goal, &all);
    let rest = ranked_alone(goal, &few).into_iter().map(|tried| Tried { alike: false, ..tried });
    ranking.extend(rest);
    ranking.sort_by_key(|tried| !tried.meets);
    ranking.extend(unknown.into_iter().map(|entry| Tried {
        entry: entry.clone(),
        meets: false,
        alike: false,
        misses: entry.unknown.iter().map(Unknown::in_words).collect(),
    }));
    ranking
}

fn ranked_alone(goal: &Goal, entries: &[&CandidateRuns]) -> Vec<Tried> {
    let points: Vec<Point> = entries.iter().map(|entry| entry.point.clone()).collect();
    let ranking = rank(goal, &points);
    let mean = |ranked: &Ranked| points[ranked.point].figures.get(goal.metric).copied().flatten();
    let best = ranking.first().and_then(mean);
    let near = |ranked: &Ranked| mean(ranked).zip(best).is_some_and(|(own, best)| near(goal.metric, own, best));
    let tried = |ranked: &Ranked| Tried {
        entry: entries[ranked.point].clone(),
        meets: ranked.meets,
        alike: ranked.meets && near(ranked),
        misses: ranked.misses.iter().map(|miss| missed(goal, miss)).collect(),
    };
    // A run in which requests waited long after its load is never ranked; that it was tried is not hidden.
    let invalid = entries.iter().filter(|entry| !entry.point.valid);
    let invalid = invalid.map(|entry| Tried {
        entry: (*entry).clone(),
        meets: false,
        alike: false,
        misses: vec![invalid_in_words(entry)],
    });
    ranking.iter().map(tried).chain(invalid).collect()
}

/// Whether nobody would notice the difference of a mean from the best: a tenth of it, or a latency's millisecond.
pub(super) fn near(metric: &str, own: Spread, best: Spread) -> bool {
    let noise = if metric.contains("_ms.") { NOISE_MS } else { 0.0 };
    (own.mean - best.mean).abs() <= (NOISE_SHARE * best.mean.abs()).max(noise)
}

/// Why a run can't be ranked.
fn invalid_in_words(entry: &CandidateRuns) -> String {
    let first = entry.point.invalid_because.first().map_or("", String::as_str);
    if first.contains(STILL_WAITING) {
        "requests were still waiting 30 s after the load's end".into()
    } else {
        first.into()
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
        "recovery.recovered" if miss.worst.is_none() => return "whether it recovers is not known".into(),
        "recovery.recovered" => return "it had not recovered when the run ended".into(),
        "errors" => "errors",
        _ => metric,
    };
    let limit = condition.limit;
    if limit == 0.0 {
        format!("{worst} {what}")
    } else {
        format!("{worst} {what}, limit {}", super::numbers::tidy(limit))
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
