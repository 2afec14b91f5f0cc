//! The rule: of what nobody could tell apart, the simplest, as it is, unless another one costs noticeably less.
//!
//! This is the only place that knows it. Everything that was tried comes in groups: the best, with what nobody could tell from it by the goal's
//! figure (within a tenth, or a millisecond of a latency: `near`), then the best of the rest with its like, and so on. Within a group:
//!
//! 1. the fewest parts come first ([`parts`]);
//! 2. of these, a preset as it is before one with a knob turned;
//! 3. but whatever has as few parts and *pays* comes before it: it takes a tenth fewer operations of the cache a request, or a tenth fewer reads of
//!    the origin (and by more than chance: two standard errors of a count), and not a tenth more of the other;
//! 4. of what is left equal, what reads the origin least.

use super::candidates::parts;
use super::trials::{Tried, near};

/// What is noticed of a cost: a tenth of it.
const NOTICED: f64 = 0.1;
/// The costs of a setting that are weighed.
const COSTS: [&str; 2] = ["cache_ops_per_request", "origin.total"];

/// Everything that was tried, ranked, and which of it is advised.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What meets the goal first, the best first.
    pub ranking: Vec<Tried>,
    /// The one that is advised.
    pub chosen: usize,
    /// The best of another family: what else there is.
    pub runner_up: Option<usize>,
}

impl Choice {
    /// Chooses by the rule; where none meets the goal, the nearest miss. `None` where nothing was tried.
    #[must_use]
    pub fn of(metric: &str, ranking: Vec<Tried>) -> Option<Self> {
        let chosen = preference(metric, &ranking).first().copied().unwrap_or(0);
        Self::with(ranking, chosen)
    }

    /// The same ranking with another one chosen. `None` where there is none.
    #[must_use]
    pub fn with(ranking: Vec<Tried>, chosen: usize) -> Option<Self> {
        let family = &ranking.get(chosen)?.candidate().family;
        // One that was run with as many seeds, if there is one.
        let runs = ranking[chosen].entry.fates.len();
        let other = |tried: &Tried| tried.candidate().family != *family;
        let full = ranking.iter().position(|tried| other(tried) && tried.entry.fates.len() >= runs);
        let runner_up = full.or_else(|| ranking.iter().position(other));
        Some(Self { ranking, chosen, runner_up })
    }

    /// What is advised.
    #[must_use]
    pub fn chosen(&self) -> &Tried {
        &self.ranking[self.chosen]
    }

    /// What else there is.
    #[must_use]
    pub fn runner_up(&self) -> Option<&Tried> {
        self.ranking.get(self.runner_up?)
    }
}

/// What meets the goal and is as well known as the best, by the rule: the first is to be advised, or else the next.
#[must_use]
pub fn preference(metric: &str, ranking: &[Tried]) -> Vec<usize> {
    let best = ranking.iter().position(|tried| tried.meets && tried.alike);
    let runs = |at: usize| ranking[at].entry.fates.len();
    let full = best.map_or(0, runs);
    let good = |tried: &Tried| tried.meets && tried.entry.fates.len() >= full;
    let mut left: Vec<usize> = (0..ranking.len()).filter(|at| good(&ranking[*at])).collect();
    let mut order = Vec::new();
    while let Some(best) = left.first().copied() {
        let figure = |at: usize| ranking[at].spread(metric);
        let like = |at: &usize| {
            *at == best || figure(*at).zip(figure(best)).is_some_and(|(own, best)| near(metric, own, best))
        };
        let (mut group, rest): (Vec<usize>, Vec<usize>) = left.into_iter().partition(like);
        left = rest;
        let reads = |at: usize| cost(&ranking[at], "origin.total");
        group.sort_by(|a, b| simple(&ranking[*a]).cmp(&simple(&ranking[*b])).then(reads(*a).total_cmp(&reads(*b))));
        order.extend(by_cost(ranking, group));
    }
    order
}

/// How simple a setting is: its parts, then whether a knob of it is turned.
fn simple(tried: &Tried) -> (u32, bool) {
    (parts(&tried.candidate().spec), !tried.candidate().first)
}

/// The same, but what pays comes before what has as many parts.
fn by_cost(ranking: &[Tried], group: Vec<usize>) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::with_capacity(group.len());
    for at in group {
        let cheaper = |known: &usize| {
            let (own, other) = (&ranking[at], &ranking[*known]);
            simple(own).0 == simple(other).0 && pays(own, other)
        };
        // Before the first of those that it beats, if it beats all from there on.
        let beaten = order.iter().rev().take_while(|known| cheaper(known)).count();
        order.insert(order.len() - beaten, at);
    }
    order
}

/// Whether one setting costs noticeably less than another, and nothing noticeably more.
fn pays(own: &Tried, other: &Tried) -> bool {
    let less = |metric: &&str| {
        let (own_cost, other_cost) = (cost(own, metric), cost(other, metric));
        // Of both counts together, each a mean over the seeds.
        let runs = f64::from(own.entry.point.runs.max(1));
        let chance = if *metric == "origin.total" { 2.0 * ((own_cost + other_cost) / runs).sqrt() } else { 0.0 };
        own_cost < other_cost * (1.0 - NOTICED) && other_cost - own_cost > chance
    };
    let more = |metric: &&str| cost(own, metric) > cost(other, metric) * (1.0 + NOTICED);
    COSTS.iter().any(less) && !COSTS.iter().any(more)
}

fn cost(tried: &Tried, metric: &str) -> f64 {
    tried.spread(metric).map_or(f64::INFINITY, |spread| spread.mean)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use report::sweep::{Point, Spread};
    use strategies::Spec;

    use super::super::candidates::Candidate;
    use super::super::trials::CandidateRuns;
    use super::*;

    const P99: &str = "latency_ms.p99";

    /// (family, SPEC, whether it is the family's first, meets, p99, cache operations, reads); alike as `ranked` has it.
    type Row = (&'static str, &'static str, bool, bool, f64, f64, f64);

    fn ranking(tried: &[Row]) -> Vec<Tried> {
        let one = |value: f64| Some(Spread { mean: value, min: value, max: value });
        let best = one(tried[0].4).unwrap();
        let tried = tried.iter().map(|(family, text, first, meets, p99, ops, reads)| {
            let figures = [(P99, *p99), ("cache_ops_per_request", *ops), ("origin.total", *reads)];
            Tried {
                entry: CandidateRuns {
                    candidate: Candidate { family: (*family).into(), spec: Spec::parse(text).unwrap(), first: *first },
                    point: Point {
                        strategy: (*family).into(),
                        name: (*text).into(),
                        spec: String::new(),
                        values: Vec::new(),
                        runs: 3,
                        valid: true,
                        invalid_because: Vec::new(),
                        figures: figures
                            .into_iter()
                            .map(|(name, value)| (name.to_owned(), one(value)))
                            .collect::<BTreeMap<_, _>>(),
                    },
                    seeds: 3,
                    unknown: None,
                    fates: Vec::new(),
                },
                meets: *meets,
                alike: *meets && near(P99, one(*p99).unwrap(), best),
                misses: Vec::new(),
            }
        });
        tried.collect()
    }

    fn names(rows: &[Row]) -> Vec<&'static str> {
        preference(P99, &ranking(rows)).into_iter().map(|at| rows[at].1).collect()
    }

    /// The case of the docs: a tenth of a millisecond is nothing, and polling five times as often costs a fifth more operations.
    #[test]
    fn a_preset_as_it_is_comes_before_one_with_a_knob_turned_that_nobody_would_notice() {
        let poll = ("singleflight", "singleflight(poll=10ms)", false, true, 206.01, 2.795, 7700.0);
        let preset = ("singleflight", "singleflight", true, true, 206.05, 2.37, 7700.0);
        assert_eq!(names(&[poll, preset]), ["singleflight", "singleflight(poll=10ms)"]);
        // Also where both are far behind the best, and so advised only where the best does not come back.
        let best = ("best", "best", true, true, 0.26, 1.02, 7700.0);
        assert_eq!(names(&[best, poll, preset]), ["best", "singleflight", "singleflight(poll=10ms)"]);
        // Where it pays, the other way round: nobody notices the poll of 200 ms, but the cache does.
        let seldom = ("singleflight", "singleflight(poll=200ms)", false, true, 206.9, 2.1, 7700.0);
        assert_eq!(names(&[preset, seldom])[0], "singleflight(poll=200ms)");
        // Seven reads instead of eight are chance.
        let lucky = ("ahead", "ahead(theta=0.8)", false, true, 0.26, 1.05, 7.0);
        assert_eq!(names(&[("ahead", "ahead", true, true, 0.26, 1.05, 8.0), lucky])[0], "ahead");
        // Not where it reads the origin noticeably more for that.
        let reads = ("singleflight", "singleflight(poll=200ms)", false, true, 206.9, 2.1, 8600.0);
        assert_eq!(names(&[preset, reads])[0], "singleflight");
    }

    #[test]
    fn of_what_is_as_good_the_fewest_parts() {
        let rows = [
            ("best", "best", true, true, 0.26, 1.0, 10.0),
            ("xfetch", "xfetch(beta=4)", false, true, 0.26, 1.0, 10.0),
            ("xfetch", "xfetch(beta=1)", true, true, 0.26, 1.0, 10.0),
            ("naive", "naive", true, true, 2.0, 1.0, 10.0),
            ("coalesce", "coalesce", true, false, 0.26, 1.0, 10.0),
        ];
        let choice = Choice::of(P99, ranking(&rows)).unwrap();
        // Naive is not as good, coalesce misses the goal.
        assert_eq!(choice.chosen().candidate().spec.name(), "xfetch(beta=1)");
        assert_eq!(choice.runner_up().unwrap().candidate().spec.name(), "best");
    }

    #[test]
    fn where_nothing_meets_the_goal_the_nearest_miss() {
        let rows = [("best", "best", true, false, 5.0, 1.0, 1.0), ("naive", "naive", true, false, 1.0, 1.0, 1.0)];
        let choice = Choice::of(P99, ranking(&rows)).unwrap();
        assert_eq!(choice.chosen().candidate().spec.name(), "best");
        assert_eq!(choice.runner_up().unwrap().candidate().spec.name(), "naive");
        assert!(Choice::of(P99, Vec::new()).is_none());
    }
}
