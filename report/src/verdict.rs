//! The table at the end of a run, and the sentences under it.
//!
//! Nothing is claimed that one run cannot carry: values within noise of the best share the praise, and a strategy whose
//! numbers are invalid is never the best of anything.

use std::fmt::Write;

use crate::escape;
use crate::record::{Outcomes, Run, Strategy};
use crate::words;

/// Differences below this share of the larger value are noise.
const NOISE_SHARE: f64 = 0.10;
/// So are differences between times below this, milliseconds.
const NOISE_MS: f64 = 1.0;
/// Who failed or shed this share of its requests is compared with nobody who did not.
const FAILED_MAX: f64 = 0.01;
/// Columns of a terminal that has not been made wider, and of one that has.
const NARROW: usize = 80;
const WIDE: usize = 110;
const NAME_LIMIT: usize = 28;
/// What is left of a name where the other columns need the room.
const NAME_LEAST: usize = 16;

/// The table that is printed at the end of a run, and what it shows in a few plain sentences. Plain text, at most 110
/// columns (80 with short names); ends with a newline.
#[must_use]
pub fn verdict_table(run: &Run) -> String {
    let mut out = String::new();
    out.push_str(&grid(run));
    if let Some(legend) = legend(run) {
        out.push_str(&wrapped(&legend, 100));
    }
    out.push('\n');
    for sentence in sentences(run) {
        out.push_str(&wrapped(&sentence, 100));
    }
    out
}

/// A column: two lines of header, and the cell of a strategy.
type Column = (&'static str, &'static str, fn(&Strategy) -> String);

const COLUMNS: [Column; 16] = [
    ("", "strategy", |s| name_of(&s.name)),
    ("", "sent", |s| s.requests.to_string()),
    ("origin", "reads", |s| count(s.origin.as_ref().map(|origin| origin.total))),
    ("times", "floor", |s| words::times_floor(s).map_or_else(unknown, |times| format!("{times:.1}×"))),
    ("max", "/s", |s| count(s.origin.as_ref().map(|origin| origin.max_per_second))),
    ("reads/", "expiry", |s| one_decimal(s.origin.as_ref().and_then(|origin| Some(origin.per_expiry.as_ref()?.mean)))),
    ("by", "theory", |s| one_decimal(s.predicted.as_ref().map(|predicted| predicted.per_expiry))),
    ("p50", "ms", |s| words::ms(s.latency_ms.p50)),
    ("p99", "ms", |s| words::ms(s.latency_ms.p99)),
    ("", "waited", |s| words::share(words::waiting_share(s))),
    ("", "stale", |s| words::share(s.stale.share.filter(|_| s.outcomes.unknown == 0))),
    ("", "failed", |s| words::share((s.outcomes.sum() > 0).then(|| words::failed_share(s)))),
    ("recovered", "after", |s| s.recovery.map_or_else(unknown, words::recovered_after)),
    ("in", "trouble", |s| s.recovery.map_or_else(unknown, |r| format!("{} s", r.troubled_s))),
    ("well", "after", |s| s.recovery.map_or_else(unknown, words::well_after)),
    ("", "valid", |s| if s.valid { "yes" } else { "INVALID" }.to_owned()),
];

/// The table's columns, each with its cells in the order run. Theory's are left out where it has nothing to say, those of a
/// hot key and of faults where there was none, and `recovered after` where it says what `well after` does.
pub(crate) struct Table {
    pub(crate) header: Vec<(&'static str, &'static str)>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn of(run: &Run) -> Self {
        let run = &run.typical();
        let theory = run.strategies.iter().any(|strategy| strategy.predicted.is_some());
        let faults = run.strategies.iter().any(|strategy| strategy.recovery.is_some());
        let two_rules = words::two_rules(run.strategies.iter());
        let says = |(over, under, _): &&Column| match (*over, *under) {
            (_, "expiry") => run.hot_key.is_some(),
            (_, "theory") => theory,
            ("recovered", _) => two_rules,
            (_, "trouble" | "after") => faults,
            _ => true,
        };
        let shown: Vec<&Column> = COLUMNS.iter().filter(says).collect();
        Self {
            header: shown.iter().map(|(over, under, _)| (*over, *under)).collect(),
            rows: run.strategies.iter().map(|s| shown.iter().map(|(_, _, cell)| cell(s)).collect()).collect(),
        }
    }
}

/// What the table's columns about faults are.
pub(crate) fn legend(run: &Run) -> Option<String> {
    words::fault_legend(run.typical().strategies.iter(), !run.blocks.is_empty())
}

fn unknown() -> String {
    words::UNKNOWN.to_owned()
}

fn one_decimal(value: Option<f64>) -> String {
    value.map_or_else(unknown, |value| format!("{value:.1}"))
}

fn count(value: Option<u64>) -> String {
    value.map_or_else(unknown, |value| value.to_string())
}

/// A column's header in one line.
pub(crate) fn heading((over, under): (&str, &str)) -> String {
    format!("{over} {under}").trim().replace("/ ", "/")
}

/// A strategy's name as the table and the sentences have it.
fn name_of(name: &str) -> String {
    words::cut_in_middle(&escape::line(name), NAME_LIMIT)
}

fn grid(run: &Run) -> String {
    let Table { header, mut rows } = Table::of(run);
    let widths = |rows: &[Vec<String>]| -> Vec<usize> {
        let width = |(column, (over, under)): (usize, &(&str, &str))| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([over.chars().count(), under.chars().count()]).max().unwrap_or(0)
        };
        header.iter().enumerate().map(width).collect()
    };
    let tight = |widths: &[usize]| widths.iter().sum::<usize>() + header.len() - 1;
    let over = tight(&widths(&rows)).saturating_sub(WIDE);
    for (row, strategy) in rows.iter_mut().zip(&run.strategies).filter(|_| over > 0) {
        let limit = NAME_LIMIT.saturating_sub(over).max(NAME_LEAST);
        row[0] = words::cut_in_middle(&escape::line(&strategy.name), limit);
    }
    let widths = widths(&rows);
    // One space between columns, a second one from the left on as far as there is room for it.
    let tight = tight(&widths);
    let room = if tight <= NARROW { NARROW } else { WIDE };
    let doubled = room.saturating_sub(tight);
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 => format!("{cell:<width$}"),
            _ if column <= doubled => format!("  {cell:>width$}"),
            _ => format!(" {cell:>width$}"),
        });
        format!("{}\n", padded.collect::<String>().trim_end())
    };
    let mut out = line(header.iter().map(|column| column.0).collect());
    out.push_str(&line(header.iter().map(|column| column.1).collect()));
    for row in &rows {
        out.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    out
}

/// What the numbers show, what is wrong with them, and how far they carry: one sentence a line.
pub(crate) fn sentences(run: &Run) -> Vec<String> {
    let recoveries = recoveries(run);
    let run = &run.typical();
    let mut said = Vec::new();
    if !run.complete {
        said.push(interruption(run));
    }
    for strategy in run.strategies.iter().filter(|strategy| !strategy.valid) {
        let reasons = escape::line(&words::reasons(strategy));
        said.push(format!("INVALID: {}: {reasons}", name_of(&strategy.name)));
    }
    said.extend(recoveries);
    let valid: Vec<&Strategy> = run.strategies.iter().filter(|strategy| strategy.valid).collect();
    if run.strategies.is_empty() {
        said.push("No strategy was run.".to_owned());
    } else if valid.is_empty() {
        said.push("No strategy has valid numbers, so nothing can be compared.".to_owned());
    } else if valid.len() > 1 {
        said.extend(peak_sentence(&valid));
        said.extend(p99_sentence(&valid));
    }
    said.extend(service_sentence(run));
    for verdict in run.verdicts.iter().filter(|verdict| !verdict.met) {
        let measured = verdict.measured.map_or_else(|| "unknown".to_owned(), |value| format!("{value}"));
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
    said.extend(few_expiries(&valid));
    match run.blocks.len() {
        _ if valid.is_empty() => {}
        0 => said.push("One run: differences below ~10 % (or 1 ms) are noise.".to_owned()),
        blocks => said.push(format!("Medians of {blocks} runs of each; what they tell apart is said below.")),
    }
    said
}

/// Who did not come back after the events were over, and who did. Said only where somebody did not. Of repeats, how often not.
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
    let (name, whole) = (name_of(&cut.name), words::seconds(run.duration_s));
    format!("INTERRUPTED: {name} was cut short after {after:.1} s of {whole}, and nothing was run after it.")
}

/// Fewer measured expiries than this say little about the herd.
const EXPIRIES_MIN: u64 = 5;

/// A warning where the herd was hardly ever seen.
fn few_expiries(valid: &[&Strategy]) -> Option<String> {
    valid.iter().find(|s| s.hot.is_some())?;
    let seen = |s: &&&Strategy| s.origin.as_ref().and_then(|o| o.per_expiry.as_ref()).map_or(0, |p| p.count);
    let fewest = valid.iter().filter(|s| s.origin.is_some()).min_by_key(seen)?;
    let count = seen(&fewest);
    (count < EXPIRIES_MIN).then(|| {
        let name = name_of(&fewest.name);
        format!("Few expiries: the hot key of {name} was reloaded {count} times; measure longer (-d) before you believe a figure.")
    })
}

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
    let of = if words::without_ledger(run) { String::new() } else { format!(" of {}", without.join(", ")) };
    (!without.is_empty()).then(|| format!("No ledger{of}: what reached the origin is not known."))
}

/// How many good answers did not say where they came from, and what is therefore not known.
fn unknown_answers(run: &Run) -> Option<String> {
    let silent = run.strategies.iter().filter(|strategy| strategy.outcomes.unknown > 0).map(|strategy| {
        let share = strategy.outcomes.unknown as f64 / strategy.outcomes.sum() as f64;
        format!("{} of {}", words::share(Some(share)), name_of(&strategy.name))
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
        strategy.origin.as_ref().map_or_else(String::new, |origin| format!("{} reads", origin.max_per_second))
    };
    compared(valid, "peak at the origin in any second", peak, show, counts_differ)
}

fn p99_sentence(valid: &[&Strategy]) -> Option<String> {
    let p99 = |strategy: &Strategy| strategy.latency_ms.p99;
    let show = |strategy: &Strategy| words::ms_with_unit(strategy.latency_ms.p99);
    compared(valid, "p99", p99, show, times_differ)
}

/// What p99 would be for somebody who counts from the actual send, where an open loop's requests had to wait for it.
fn service_sentence(run: &Run) -> Option<String> {
    let differing = run.strategies.iter().filter_map(|strategy| {
        let (response, service) = (strategy.latency_ms.p99?, strategy.service_ms.p99?);
        let [response_ms, service_ms] = [response, service].map(|ms| words::ms_with_unit(Some(ms)));
        times_differ(response, service)
            .then(|| format!("{} {service_ms} instead of {response_ms}", name_of(&strategy.name)))
    });
    let differing: Vec<String> = differing.collect();
    (!words::closed_loop(run) && !differing.is_empty()).then(|| {
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
    // Who turns requests away is not the best of anything, unless everybody does.
    let serves = |strategy: &Strategy| words::failed_share(strategy) < FAILED_MAX;
    let mut left_out = Vec::new();
    if known.iter().any(|(strategy, _)| serves(strategy)) {
        left_out = known.extract_if(.., |(strategy, _)| !serves(strategy)).collect();
    }
    let first_counts = known.iter().any(|(strategy, _)| std::ptr::eq(*strategy, first));
    // A stable sort: among equals the order run decides.
    known.sort_by(|one, two| one.1.total_cmp(&two.1));
    let lowest = known.first()?.1;
    let best: Vec<&Strategy> =
        known.iter().filter(|(_, value)| !differ(*value, lowest)).map(|(strategy, _)| *strategy).collect();
    let named = |strategy: &Strategy| format!("{} ({}{})", name_of(&strategy.name), show(strategy), caveat(strategy));
    left_out.retain(|(strategy, value)| *value < lowest && differ(*value, lowest) && !std::ptr::eq(*strategy, first));
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
    let _ = write!(said, "; {} had {}{}.{left_out}", name_of(&first.name), show(first), caveat(first));
    Some(said)
}

/// A low peak or a quick answer is cheap for whoever turns requests away.
fn caveat(strategy: &Strategy) -> String {
    let failed = words::failed_share(strategy);
    if failed < FAILED_MAX {
        String::new()
    } else {
        format!(", with {} of its requests failed or shed", words::share(Some(failed)))
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

/// A sentence in lines of at most `width` characters (a longer word stays whole), the later ones indented.
fn wrapped(sentence: &str, width: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in sentence.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            out.push_str("\n  ");
            used = 2;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out.push('\n');
    out
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
