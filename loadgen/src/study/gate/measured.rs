//! The gate of real runs. Counts are hard, for they hardly vary: reads an expiry, reads in all, errors, the origin's own
//! service time, and the herd of the unprotected strategy, without which the lab shows nothing. Times are a
//! machine's, and advisory where nobody says otherwise.

use report::compare::baseline::Measured;
use report::compare::stats::{Call, RUNS_MIN, median};
use report::compare::{Noise, unpaired};
use report::record::{Comparison, Metric, Strategy};

/// A count may grow by this share over the largest of the baseline's runs,
const GROWTH: f64 = 0.25;
/// and by so many reads.
const READS: f64 = 1.0;
/// Where every herd of the baseline was one read, it is one: of twenty expiries not a single one may have two.
const ALONE: f64 = 1.05;
/// The least share of the baseline's smallest herd that the unprotected strategy must show.
const HERD: f64 = 0.6;
/// The origin's own service time may differ by this share.
const SERVICE: f64 = 0.15;

/// One thing that was held against the baseline.
pub(super) struct Check {
    /// Of which strategy.
    pub(super) strategy: String,
    /// What, in a few words.
    pub(super) what: String,
    /// What became of it.
    pub(super) found: CheckResult,
}

/// What a check found.
pub(super) enum CheckResult {
    /// Nothing, with the figures.
    Well(String),
    /// A change that may be the machine's, in a sentence.
    Advice(String),
    /// A regression, in a paragraph.
    Regression(String),
}

/// Everything that is held against a baseline, strategy by strategy; and the comparisons by runs.
pub(super) fn checks(base: &Measured, new: &Measured, noise: &Noise, strict: bool) -> (Vec<Check>, Vec<Comparison>) {
    let (mut checks, mut comparisons) = (Vec::new(), Vec::new());
    for was in &base.run.strategies {
        let Some(is) = new.run.strategies.iter().find(|is| is.name == was.name) else { continue };
        let mut add = |what: &str, found: Option<CheckResult>| {
            checks.extend(found.map(|found| Check { strategy: was.name.clone(), what: what.to_owned(), found }));
        };
        add("reads an expiry", more_reads(was, is, "reads of the hot key an expiry", herd_of, one_stays_one));
        add("reads in all", more_reads(was, is, "origin reads", |run| Some(run.origin.as_ref()?.total as f64), grown));
        add(
            "most reads a second",
            more_reads(
                was,
                is,
                "reads in its worst second",
                |run| Some(run.origin.as_ref()?.max_per_second as f64),
                grown,
            ),
        );
        add("errors", Some(errors(was, is)));
        add("refused", Some(more_failures(was, is, "requests that were shed (503)", |run| run.outcomes.shed)));
        add("the herd is there", herd(was, is));
        let origin = |measured: &Measured| measured.origin_ms.get(&was.name).copied();
        add(
            "the origin's service time",
            origin(base).zip(origin(new)).map(|(was_ms, is_ms)| service(&was.name, was_ms, is_ms)),
        );
        let compared = unpaired(was, is, noise);
        for one in &compared {
            add(&format!("{} by runs", one.metric.words()), tested(one, strict));
        }
        comparisons.extend(compared);
    }
    (checks, comparisons)
}

/// A figure of each run of a strategy; `None` where a run does not have it.
fn of_runs(strategy: &Strategy, figure: impl Fn(&Strategy) -> Option<f64>) -> Option<Vec<f64>> {
    strategy.runs().map(figure).collect()
}

/// Reads of the hot key an expiry; none where it was never read, unknown where there is no ledger.
fn herd_of(run: &Strategy) -> Option<f64> {
    Some(run.origin.as_ref()?.per_expiry.as_ref().map_or(0.0, |herds| herds.mean))
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// How large a count may be.
fn grown(before: &[f64]) -> f64 {
    most(before) * (1.0 + GROWTH) + READS
}

/// How large a herd may be.
fn one_stays_one(before: &[f64]) -> f64 {
    if most(before) <= 1.0 { ALONE } else { grown(before) }
}

/// A count of reads against the baseline's largest.
fn more_reads(
    was: &Strategy,
    is: &Strategy,
    words: &str,
    figure: impl Fn(&Strategy) -> Option<f64>,
    limit: fn(&[f64]) -> f64,
) -> Option<CheckResult> {
    let (before, now) = (of_runs(was, &figure)?, of_runs(is, &figure)?);
    let limit = limit(&before);
    let middle = median(&now)?;
    let name = &was.name;
    let range = in_words(&before);
    Some(if middle > limit {
        CheckResult::Regression(format!(
            "{name} has {middle:.2} {words}, where the baseline has {range}. That is more than chance explains (at most \
             {limit:.2}): fewer of its requests share a read than did. Is its lock taken, is the value stored before the \
             lock is let go, and is the cache read again after the lock was won?"
        ))
    } else {
        CheckResult::Well(format!("{middle:.2}; baseline {range}, at most {limit:.2}"))
    })
}

fn in_words(values: &[f64]) -> String {
    let (low, high) = (least(values), most(values));
    let one = |value: f64| if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") };
    if one(low) == one(high) { one(low) } else { format!("{} to {}", one(low), one(high)) }
}

/// Errors of a kind that the baseline never had, or more of them than it had in any run.
fn errors(was: &Strategy, is: &Strategy) -> CheckResult {
    let name = &was.name;
    let known = |kind: &String| was.runs().any(|run| run.error_kinds.contains_key(kind));
    let new = is.runs().flat_map(|run| &run.error_kinds).find(|(kind, times)| **times > 0 && !known(kind));
    if let Some((kind, times)) = new {
        return CheckResult::Regression(format!(
            "{name} has {times} errors of a kind that the baseline never had: {kind}. An error that is new is never noise: \
             look at that strategy's seconds.csv for when they came, and at the replicas' log for why."
        ));
    }
    more_failures(was, is, "errors", |run| run.errors)
}

/// Requests without a good answer, against the baseline's largest count of them.
fn more_failures(was: &Strategy, is: &Strategy, words: &str, count: impl Fn(&Strategy) -> u64) -> CheckResult {
    let [before, now] = [was, is].map(|of| of.runs().map(|run| count(run) as f64).collect::<Vec<_>>());
    let (limit, middle, range) = (grown(&before), median(&now).unwrap_or_default(), in_words(&before));
    if middle > limit {
        let name = &was.name;
        return CheckResult::Regression(format!(
            "{name} has {middle:.0} {words}, where the baseline has {range}, and at most {limit:.0} would do. \
             That strategy's seconds.csv says when they came."
        ));
    }
    CheckResult::Well(format!("{middle:.0}; baseline {range}, at most {limit:.0}"))
}

/// The unprotected strategy must show the herd; else no figure of the others means anything.
fn herd(was: &Strategy, is: &Strategy) -> Option<CheckResult> {
    let whole = |run: &Strategy| run.origin.as_ref().is_some_and(|origin| origin.per_expiry.is_some());
    if was.spec != "plain" || !was.runs().all(whole) {
        return None;
    }
    let (before, now) = (of_runs(was, herd_of)?, of_runs(is, herd_of)?);
    let (limit, middle) = (least(&before) * HERD, median(&now)?);
    let (name, range) = (&was.name, in_words(&before));
    Some(if middle < limit {
        CheckResult::Regression(format!(
            "The herd is gone: {name}, which does nothing against it, has {middle:.1} reads an expiry, where the baseline \
             has {range}. That is no progress, the lab is broken: nothing that it says of the other strategies is worth \
             anything until the herd is back. Does something cache in front of the replicas, or is the load not there?"
        ))
    } else {
        CheckResult::Well(format!("{middle:.1}; baseline {range}, at least {limit:.1}"))
    })
}

/// The origin's own service time, by its own ledger.
fn service(name: &str, was_ms: f64, is_ms: f64) -> CheckResult {
    let ratio = is_ms / was_ms;
    if !(1.0 / (1.0 + SERVICE)..=1.0 + SERVICE).contains(&ratio) {
        return CheckResult::Regression(format!(
            "Under {name} the origin takes {is_ms:.1} ms for a read by its own ledger, where it took {was_ms:.1} ms: {ratio:.2} \
             times as long. Herds and latencies grow with it, whatever the strategy does: compare the origin's settings, \
             and what else runs on the machine."
        ));
    }
    CheckResult::Well(format!("{is_ms:.1} ms; baseline {was_ms:.1} ms, within {:.0} %", SERVICE * 100.0))
}

/// What the test by runs says, where there are enough of them. Of counts it is hard, of times only where asked for.
fn tested(one: &Comparison, strict: bool) -> Option<CheckResult> {
    let share = |ratio: f64| format!("{:+.1} %", (ratio - 1.0) * 100.0);
    let interval = one.interval.map(|(low, high)| format!("{} to {}", share(low), share(high))).unwrap_or_default();
    let figures = format!("{} ({interval}), p {:.3}, {} runs of each", share(one.ratio), one.p_holm, one.runs);
    let hard = strict || one.metric != Metric::P99;
    Some(match one.verdict {
        Call::TooFew => return None,
        Call::Regressed => {
            let said = format!(
                "{} of {} grew from {} to {}, by {figures}. The same thing against itself differs by up to {:.1} %.",
                one.metric.words(),
                one.strategy,
                rounded(one.from),
                rounded(one.to),
                one.noise * 100.0
            );
            if hard { CheckResult::Regression(said) } else { CheckResult::Advice(said) }
        }
        Call::Improved | Call::Equivalent | Call::Inconclusive => CheckResult::Well(figures),
    })
}

fn rounded(value: f64) -> String {
    if value >= 100.0 || value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// How many runs the smaller side has: below [`RUNS_MIN`] nothing is tested.
pub(super) fn fewest(base: &Measured, new: &Measured) -> Option<usize> {
    let runs = |measured: &Measured| measured.run.strategies.iter().map(|one| one.runs().count()).min();
    let fewest = runs(base)?.min(runs(new)?);
    (fewest < RUNS_MIN).then_some(fewest)
}
