//! What is wrong by the ledgers, in words: counters that lost counts or have no end, answers that were behind a commit.

use crate::record::{CounterFigures, Run, Strategy};
use crate::text::phrases;
use crate::text::phrases::name_of;

/// Whose counters were wrong, and how; and how far behind commits each strategy's answers were, the least first. A sentence each.
pub(crate) fn of_run(run: &Run) -> Vec<String> {
    let valid: Vec<&Strategy> = run.strategies.iter().filter(|strategy| strategy.valid).collect();
    counted_wrong(&valid).into_iter().chain(behind(&valid)).collect()
}

/// Whether counts were lost, or a counter was seen without an end.
pub(crate) fn counts_wrong(strategy: &Strategy) -> bool {
    let more = |figure: Option<u64>| figure.is_some_and(|n| n > 0);
    strategy.counters.as_ref().is_some_and(|counters| more(counters.lost) || more(counters.immortal_max))
}

fn counted_wrong(strategies: &[&Strategy]) -> Option<String> {
    let wrong =
        |strategy: &&Strategy| Some(format!("{} ({})", name_of(&strategy.name), faults(strategy.counters.as_ref()?)?));
    let named: Vec<String> = strategies.iter().filter_map(wrong).collect();
    let counting = strategies.iter().filter(|strategy| strategy.counters.is_some()).count();
    let others = if named.len() < counting { " None of it was seen of the others." } else { "" };
    (!named.is_empty()).then(|| format!("COUNTED WRONG: {}.{others}", named.join(", ")))
}

/// `20 keys without an end, 84 counts lost`; `None` where nothing is wrong.
fn faults(counters: &CounterFigures) -> Option<String> {
    let of = |figure: Option<u64>, one: &str, many: &str| {
        figure.filter(|n| *n > 0).map(|n| format!("{n} {}", if n == 1 { one } else { many }))
    };
    let faults: Vec<String> = [
        of(counters.immortal_max, "key without an end", "keys without an end"),
        of(counters.lost, "count lost", "counts lost"),
        of(counters.above_limit, "let through above the limit", "let through above the limit"),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!faults.is_empty()).then(|| faults.join(", "))
}

fn behind(strategies: &[&Strategy]) -> Option<String> {
    let known = |strategy: &&Strategy| {
        let behind = strategy.behind.as_ref()?;
        Some((behind.share?, behind.wrong_ms_max?, name_of(&strategy.name)))
    };
    let right = strategies.iter().filter(|strategy| !phrases::wrong_on_purpose(strategy));
    let mut known: Vec<(f64, f64, String)> = right.filter_map(known).collect();
    known.sort_by(|one, two| one.0.total_cmp(&two.0));
    let said = known.iter().map(|(share, wrong_ms, name)| {
        format!("{name} ({}, a key wrong for {wrong_ms:.0} ms at most)", phrases::share(Some(*share)))
    });
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| format!("Behind a commit: {}.", said.join(", ")))
}
