//! The sentences under the table at the end of a run: what its numbers show, what is wrong with them, how far they carry.
//!
//! Nothing is claimed that one run cannot carry: values within noise of the best share the praise, and a strategy whose
//! numbers are invalid, or that is wrong on purpose, is never the best of anything.

use std::fmt::Write;

use crate::record::{Outcomes, Run, Strategy, Verdict};
use crate::text::escape;
use crate::text::phrases;
use crate::text::phrases::name_of;
use crate::text::{names, theory, truth};

/// Differences below this share of the larger value are noise.
const NOISE_SHARE: f64 = 0.10;
/// So are differences between times below this, milliseconds.
const NOISE_MS: f64 = 1.0;
/// A strategy that failed or shed this much more of its requests than another is not compared with it.
const FAILED_MAX: f64 = 0.01;

/// What the numbers show, what is wrong with them, and how far they carry: one sentence a line.
pub(crate) fn sentences(run: &Run) -> Vec<String> {
    of_shown(&names::shortened(run, phrases::NAME_LIMIT))
}

/// Of a run whose strategies have the names that are shown.
fn of_shown(run: &Run) -> Vec<String> {
    let recoveries = recoveries(run);
    let run = &run.typical();
    let mut said = Vec::new();
    if !run.complete {
        said.push(interruption(run));
    }
    for strategy in run.strategies.iter().filter(|strategy| !strategy.valid) {
        let reasons = escape::line(&phrases::reasons(strategy));
        said.push(format!("INVALID: {}: {reasons}", name_of(&strategy.name)));
    }
    let wrong: Vec<String> =
        run.strategies.iter().filter(|s| phrases::wrong_on_purpose(s)).map(|s| name_of(&s.name)).collect();
    if !wrong.is_empty() {
        said.push(format!("WRONG ON PURPOSE: {}. Whatever they save, it is not compared.", wrong.join(", ")));
    }
    said.extend(recoveries);
    said.extend(truth::of_run(run));
    let valid: Vec<&Strategy> = run.strategies.iter().filter(|strategy| strategy.valid).collect();
    if run.strategies.is_empty() {
        said.push("No strategy was run.".to_owned());
    } else if valid.is_empty() {
        said.push("No strategy has valid numbers, so nothing can be compared.".to_owned());
    } else if valid.len() > 1 && run.blocks.is_empty() {
        // Of repeats the comparisons by blocks say it, and one run's rule of thumb does not.
        let right: Vec<&Strategy> =
            valid.iter().copied().filter(|s| !phrases::wrong_on_purpose(s) && !truth::counts_wrong(s)).collect();
        if !counts(run) {
            said.extend(peak_sentence(&right));
        }
        said.extend(p99_sentence(&right));
    }
    said.extend(longer_lives(run));
    said.extend(service_sentence(run));
    for verdict in run.verdicts.iter().filter(|verdict| !verdict.met) {
        let measured = verdict.measured.map_or_else(|| unknown_because(run, verdict), |value| format!("{value}"));
        let missed = format!(
            "THRESHOLD MISSED: {} {} is {measured}, wanted {}.",
            name_of(&verdict.strategy),
            verdict.metric,
            verdict.bound
        );
        said.push(escape::line(&missed));
    }
    said.extend(failures(run));
    said.extend(resent(run));
    said.extend(no_ledger(run));
    said.extend(unknown_answers(run));
    said.extend(theory::silent(run));
    if !counts(run) {
        said.extend(fullest_replicas(run, &valid).into_iter().chain(few_expiries(&valid)));
    }
    match run.blocks.len() {
        _ if valid.is_empty() => {}
        0 => said.push("One run: differences below ~10 % (or 1 ms) are noise.".to_owned()),
        blocks if run.comparisons.is_empty() => said.push(format!("Medians of {blocks} runs of each.")),
        blocks => said.push(format!("Medians of {blocks} runs of each; what they tell apart is said below.")),
    }
    said
}

/// Whether nothing was read: the load counted.
fn counts(run: &Run) -> bool {
    run.strategies.iter().all(|strategy| strategy.counters.is_some())
}

/// Whose entries live longer than the TTL, which makes fewer origin reads of nothing else. Said beside strategies of which that is
/// not so.
fn longer_lives(run: &Run) -> Option<String> {
    let times = |strategy: &Strategy| strategy.life_s.map(|life| life / run.ttl_s).filter(|times| times.is_finite());
    let longer = |strategy: &&Strategy| times(strategy).is_some_and(|times| times > 1.001);
    let of = |strategy: &Strategy| Some(format!("{} ({:.2} TTLs)", name_of(&strategy.name), times(strategy)?));
    let named: Vec<String> = run.strategies.iter().filter(longer).filter_map(of).collect();
    (!named.is_empty() && named.len() < run.strategies.len()).then(|| {
        let named = named.join(", ");
        format!("Entries live longer than the TTL under {named}: fewer origin reads there may be that alone.")
    })
}

/// That a threshold's figure is not known, and why not.
pub(crate) fn unknown_because(run: &Run, verdict: &Verdict) -> String {
    let strategy = run.strategies.iter().find(|strategy| strategy.name == verdict.strategy);
    let never = strategy.and_then(|s| s.recovery).is_some_and(|recovery| recovery.recovered == Some(false));
    let no_ledger = strategy.is_some_and(|strategy| strategy.origin.is_none());
    let because = match verdict.metric.as_str() {
        "recovery.recovered_after_s" if never => return "never".to_owned(),
        metric if metric.starts_with("recovery.") && strategy.is_some_and(|s| s.recovery.is_none()) => {
            "there was no event"
        }
        "recovery.recovered" | "recovery.recovered_after_s" => "too little was measured before or after the events",
        "recovery.after_s" => "the run ended in trouble, or before the events were over",
        metric if metric.starts_with("recovery.") => "there was no event, or nothing was measured before it",
        metric if no_ledger && (metric.starts_with("origin.") || metric == "hot.origin_total") => "there is no ledger",
        "origin.floor" => "entries live longer than the TTL",
        metric if metric.starts_with("origin.per_expiry") && strategy.is_some_and(has_several_entries) => {
            "a key has several entries, which have no expiry in common"
        }
        metric if metric.starts_with("origin.per_expiry") => "no herd began and ended within the measured time",
        "hit_ratio" | "stale.share" | "stale.overage_ms_max" => "answers did not say how they were made",
        _ => "nothing of it was measured",
    };
    format!("not known ({because})")
}

/// The strategies that did not come back after the events were over, and those that did. Said only where one did not. Of
/// repeats, how often not.
fn recoveries(run: &Run) -> Vec<String> {
    let lost: Vec<String> = run.strategies.iter().filter_map(lost).collect();
    if lost.is_empty() {
        return Vec::new();
    }
    let mut said = vec![format!(
        "DID NOT RECOVER: {}. Nothing was wrong any more, and to the end requests failed, or the origin was read far more than \
         before.",
        lost.join(", ")
    )];
    let back = run.typical().strategies.into_iter().filter_map(|strategy| {
        let after = strategy.recovery.filter(|recovery| recovery.recovered == Some(true))?.recovered_after_s?;
        Some(format!("{} {after:.0} s after the last event was over", name_of(&strategy.name)))
    });
    let back: Vec<String> = back.collect();
    if !back.is_empty() {
        said.push(format!("Recovered: {}.", back.join(", ")));
    }
    said
}

/// A strategy's name where a run of it did not recover, and of how many.
fn lost(strategy: &Strategy) -> Option<String> {
    let not = |run: &&Strategy| run.recovery.is_some_and(|recovery| recovery.recovered == Some(false));
    let (lost, all) = (strategy.runs().filter(not).count(), strategy.runs().count());
    let name = name_of(&strategy.name);
    (lost > 0).then(|| if all == 1 { name } else { format!("{name} (in {lost} of {all} runs)") })
}

/// What an interrupted run has, and what it has not.
pub(crate) fn interruption(run: &Run) -> String {
    let Some((cut, after)) = run.strategies.iter().find_map(|s| Some((s, s.cut_after_s?))) else {
        return "INTERRUPTED: the run ended before all its strategies were run.".to_owned();
    };
    let (name, whole) = (name_of(&cut.name), phrases::seconds(run.duration_s));
    format!("INTERRUPTED: {name} was cut short after {after:.1} s of {whole}, and nothing was run after it.")
}

/// Fewer measured expiries than this say little about the herd.
const EXPIRIES_MIN: u64 = 5;

/// A warning where the herd was hardly ever seen.
fn few_expiries(valid: &[&Strategy]) -> Option<String> {
    valid.iter().find(|s| s.hot.is_some())?;
    let seen = |s: &&&Strategy| s.origin.as_ref().and_then(|o| o.per_expiry.as_ref()).map_or(0, |p| p.count);
    let fewest = valid.iter().filter(|s| !has_several_entries(s)).filter(|s| s.origin.is_some()).min_by_key(seen)?;
    let count = seen(&fewest);
    let reads = fewest.hot.as_ref().and_then(|hot| hot.origin_total);
    (count < EXPIRIES_MIN).then(|| {
        let name = name_of(&fewest.name);
        let read = reads.map_or_else(|| "an unknown number of times".to_owned(), phrases::times);
        let whole = phrases::counted(count, "herd", "herds");
        format!(
            "Few expiries: {name} read the hot key {read}, and {whole} of reads began and ended within the measured time; measure \
             longer (-d) before you believe a figure per expiry."
        )
    })
}

/// A herd of fewer reads than this is one read, now and then two: whose it was is nobody's question.
const HERD_MIN: f64 = 1.5;

/// How many of a herd's reads came from one replica, at most: one each of three, or three of one. Said where there are herds, and more
/// than one replica that they may be of.
fn fullest_replicas(run: &Run, valid: &[&Strategy]) -> Option<String> {
    let of = |strategy: &&Strategy| {
        let herds = strategy.origin.as_ref()?.per_expiry.as_ref().filter(|herds| herds.mean >= HERD_MIN)?;
        let fullest = herds.fullest_replica.filter(|fullest| run.replicas > 1 || fullest.mean < herds.mean)?;
        Some(format!("{} {:.1} of {:.1}", name_of(&strategy.name), fullest.mean, herds.mean))
    };
    let named: Vec<String> = valid.iter().filter_map(of).collect();
    (!named.is_empty()).then(|| format!("Of an expiry's reads the replica with most made: {}.", named.join(", ")))
}

/// Whether a key has several entries in the fleet.
fn has_several_entries(strategy: &Strategy) -> bool {
    strategy.not_predicted.iter().any(|not| SEVERAL_ENTRIES.contains(&not.premise.as_str()))
}

/// The premises of theory that fail where a key has several entries in the fleet, which have no expiry in common.
const SEVERAL_ENTRIES: [&str; 2] = ["one-entry", "shared-cache"];

/// So many kinds of failures are named of each strategy.
const KINDS_NAMED: usize = 4;

/// How many requests failed, of how many, and why. Said only where any did.
fn failures(run: &Run) -> Option<String> {
    let failed = run.strategies.iter().filter(|strategy| strategy.outcomes.error + strategy.outcomes.shed > 0);
    let failed: Vec<String> = failed.map(failure).collect();
    (!failed.is_empty()).then(|| format!("Failed: {}.", failed.join("; ")))
}

/// `target 82 of 4000 requests (http-503 80, timeout 2)`, the most frequent kind first.
fn failure(strategy: &Strategy) -> String {
    let Outcomes { error, shed, .. } = strategy.outcomes;
    let mut kinds: Vec<(&str, u64)> =
        strategy.error_kinds.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    kinds.push(("shed", shed));
    kinds.retain(|(_, count)| *count > 0);
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let more = kinds.len().saturating_sub(KINDS_NAMED);
    let mut named: Vec<String> =
        kinds.iter().take(KINDS_NAMED).map(|(kind, count)| format!("{} {count}", name_of(kind))).collect();
    if more > 0 {
        named.push(format!("{more} kinds more"));
    }
    format!("{} {} of {} requests ({})", name_of(&strategy.name), error + shed, strategy.requests, named.join(", "))
}

/// How many requests were lost with a kept connection and sent again.
fn resent(run: &Run) -> Option<String> {
    let resent = run.strategies.iter().filter_map(|s| Some((s, s.resent.filter(|resent| *resent > 0)?)));
    let resent: Vec<String> =
        resent.map(|(s, resent)| format!("{} {resent} of {}", name_of(&s.name), s.requests)).collect();
    (!resent.is_empty())
        .then(|| format!("Sent again, once, because the server had closed a kept connection: {}.", resent.join(", ")))
}

/// Which strategies nobody can say of what they did to the origin.
fn no_ledger(run: &Run) -> Option<String> {
    let without: Vec<String> = run.strategies.iter().filter(|s| s.origin.is_none()).map(|s| name_of(&s.name)).collect();
    let of = if phrases::without_ledger(run) { String::new() } else { format!(" of {}", without.join(", ")) };
    (!without.is_empty()).then(|| format!("No ledger{of}: what reached the origin is not known."))
}

/// How many good answers did not say where they came from, and what is therefore not known.
fn unknown_answers(run: &Run) -> Option<String> {
    let silent = run.strategies.iter().filter(|s| s.outcomes.unknown > 0 && s.counters.is_none()).map(|strategy| {
        let share = strategy.outcomes.unknown as f64 / strategy.outcomes.sum() as f64;
        format!("{} of {}", phrases::share(Some(share)), name_of(&strategy.name))
    });
    let silent: Vec<String> = silent.collect();
    (!silent.is_empty()).then(|| {
        let silent = silent.join(", ");
        format!("Answered without Cache-Status: {silent}; so how many waited or were stale is not known.")
    })
}

fn peak_sentence(valid: &[&Strategy]) -> Option<String> {
    let peak = |strategy: &Strategy| Some(strategy.origin.as_ref()?.max_per_second as f64);
    let show = |strategy: &Strategy| {
        strategy
            .origin
            .as_ref()
            .map_or_else(String::new, |origin| phrases::counted(origin.max_per_second, "read", "reads"))
    };
    compared(valid, "peak at the origin in any second", peak, show, counts_differ)
}

fn p99_sentence(valid: &[&Strategy]) -> Option<String> {
    let p99 = |strategy: &Strategy| strategy.latency_ms.p99.filter(|_| phrases::carries(strategy, 0.99));
    let show = |strategy: &Strategy| phrases::ms_with_unit(strategy.latency_ms.p99);
    compared(valid, "p99", p99, show, times_differ)
}

/// What p99 would be if it were counted from the actual send, where an open loop's requests had to wait for it.
fn service_sentence(run: &Run) -> Option<String> {
    let differing = run.strategies.iter().filter_map(|strategy| {
        let (response, service) = (strategy.latency_ms.p99?, strategy.service_ms.p99?);
        let [response_ms, service_ms] = [response, service].map(|ms| phrases::ms_with_unit(Some(ms)));
        times_differ(response, service)
            .then(|| format!("{} {service_ms} instead of {response_ms}", name_of(&strategy.name)))
    });
    let differing: Vec<String> = differing.collect();
    (!phrases::closed_loop(run) && !differing.is_empty()).then(|| {
        let differing = differing.join(", ");
        format!(
            "Counted from the actual send (service p99): {differing}; the rest is a wait to be sent, which coordinated \
             omission would hide."
        )
    })
}

/// Which strategies have the lowest value, compared with the first. `None` where fewer than two values are known.
fn compared(
    valid: &[&Strategy],
    what: &str,
    value: impl Fn(&Strategy) -> Option<f64>,
    show: impl Fn(&Strategy) -> String,
    differ: fn(f64, f64) -> bool,
) -> Option<String> {
    let mut known: Vec<(&Strategy, f64)> =
        valid.iter().filter_map(|strategy| value(strategy).map(|value| (*strategy, value))).collect();
    let (first, first_value) = *known.first()?;
    if known.len() < 2 {
        return None;
    }
    // A strategy that turns requests away is not the best of anything beside one that answers more of them.
    let least = known.iter().map(|(strategy, _)| phrases::failed_share(strategy)).fold(f64::INFINITY, f64::min);
    let serves = |strategy: &Strategy| phrases::failed_share(strategy) < least + FAILED_MAX;
    let mut left_out: Vec<(&Strategy, f64)> = known.extract_if(.., |(strategy, _)| !serves(strategy)).collect();
    let first_counts = known.iter().any(|(strategy, _)| std::ptr::eq(*strategy, first));
    // A stable sort: among equals the order run decides.
    known.sort_by(|one, two| one.1.total_cmp(&two.1));
    let lowest = known.first()?.1;
    let best: Vec<&Strategy> =
        known.iter().filter(|(_, value)| !differ(*value, lowest)).map(|(strategy, _)| *strategy).collect();
    let named = |strategy: &Strategy| format!("{} ({}{})", name_of(&strategy.name), show(strategy), caveat(strategy));
    left_out.retain(|(_, value)| *value < lowest && differ(*value, lowest));
    let first_is_left_out = left_out.iter().any(|(strategy, _)| std::ptr::eq(*strategy, first));
    let left_out: Vec<String> = left_out.into_iter().map(|(strategy, _)| named(strategy)).collect();
    let left_out = if left_out.is_empty() { String::new() } else { format!(" Not counted: {}.", left_out.join(", ")) };
    if first_counts && !differ(first_value, lowest) {
        return Some(format!("No strategy has a clearly lower {what} than {}.{left_out}", named(first)));
    }
    let mut said = format!("Lowest {what}: ");
    match best.as_slice() {
        [only] => said.push_str(&named(only)),
        several => {
            let all: Vec<String> = several.iter().map(|strategy| named(strategy)).collect();
            // Writing to a String cannot fail.
            let _ = write!(said, "{}, not distinguishable from one another", all.join(", "));
        }
    }
    if !first_is_left_out {
        let _ = write!(said, "; {} had {}{}", name_of(&first.name), show(first), caveat(first));
    }
    Some(format!("{said}.{left_out}"))
}

/// A low peak or a quick answer is cheap for a strategy that turns requests away.
fn caveat(strategy: &Strategy) -> String {
    let failed = phrases::failed_share(strategy);
    if failed < FAILED_MAX {
        String::new()
    } else {
        format!(", with {} of its requests failed or shed", phrases::share(Some(failed)))
    }
}

/// Counts differ where they are 10 % apart and further than two standard deviations of the difference of two Poisson counts.
pub(crate) fn counts_differ(one: f64, two: f64) -> bool {
    let apart = (one - two).abs();
    apart > NOISE_SHARE * one.max(two) && apart > 2.0 * (one + two).sqrt()
}

/// Times differ where they are 10 % and a millisecond apart.
pub(crate) fn times_differ(one: f64, two: f64) -> bool {
    let apart = (one - two).abs();
    apart > NOISE_SHARE * one.max(two) && apart > NOISE_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_counts_need_a_large_difference() {
        assert!(counts_differ(61.0, 8.0));
        assert!(!counts_differ(8.0, 7.0), "seven and eight reads are one and the same");
        assert!(!counts_differ(1000.0, 950.0), "below ten per cent");
        assert!(times_differ(223.0, 28.0));
        assert!(!times_differ(1.2, 0.6), "half a millisecond is a timer's business");
    }
}
