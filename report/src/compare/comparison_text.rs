//! Comparisons in words: a table, and what it comes to.

use std::fmt::Write as _;

use crate::compare::stats::{ALPHA, Call, RUNS_MIN};
use crate::record::{Comparison, Metric};
use crate::text::escape;
use crate::text::phrases;

/// The fewest pairs of which one of four metrics can be told apart: 2 of 2^8 signs, four times, is below 5 %.
const PAIRS_FOR_FOUR: u64 = 8;

/// The table of comparisons, and how to read it. Plain text; empty where there is nothing to compare.
#[must_use]
pub fn comparison_table(comparisons: &[Comparison]) -> String {
    let Some(first) = comparisons.first() else { return String::new() };
    let mut rows =
        vec![["strategy", "metric", "from", "to", "ratio", "95 % interval", "p", "verdict"].map(String::from)];
    let mut last = "";
    // Nothing against nothing (no errors, say) is counted among the tests, and needs no line.
    for one in comparisons.iter().filter(|one| (one.from, one.to) != (0.0, 0.0)) {
        let name = if one.strategy == last { String::new() } else { escape::line(&one.strategy) };
        last = &one.strategy;
        rows.push([
            name,
            one.metric.words().to_owned(),
            value(one.metric, one.from),
            value(one.metric, one.to),
            ratio(one.ratio),
            one.interval
                .map_or_else(|| phrases::UNKNOWN.to_owned(), |(low, high)| format!("{} … {}", ratio(low), ratio(high))),
            if one.verdict == Call::TooFew { phrases::UNKNOWN.to_owned() } else { p(one.p_holm) },
            verdict_of(one).to_owned(),
        ]);
    }
    let against = if first.against == "BASE" { "its runs in BASE".to_owned() } else { escape::line(&first.against) };
    let mut out = format!("against {against}, by {}\n", runs_in_words(comparisons));
    out.push_str(&aligned(&rows));
    for sentence in sentences(comparisons) {
        let _ = writeln!(out, "{sentence}");
    }
    out
}

fn runs_in_words(comparisons: &[Comparison]) -> String {
    let (fewest, most) =
        comparisons.iter().fold((u64::MAX, 0), |(low, high), one| (low.min(one.runs), high.max(one.runs)));
    let runs = if comparisons.iter().all(|one| one.against == "BASE") { "runs of each" } else { "blocks" };
    if fewest == most { format!("{most} {runs}") } else { format!("{fewest} to {most} {runs}") }
}

/// A value as people read it.
pub(crate) fn value(metric: Metric, value: f64) -> String {
    match metric {
        Metric::P99 => format!("{} ms", phrases::ms(Some(value))),
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        _ => format!("{value:.1}"),
    }
}

/// A ratio as people read it.
pub(crate) fn ratio(ratio: f64) -> String {
    match ratio {
        10.0.. => format!("{ratio:.0}×"),
        0.1..10.0 => format!("{ratio:.2}×"),
        _ => format!("{ratio:.4}×"),
    }
}

/// A p-value as people read it.
pub(crate) fn p(p: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") }
}

/// A verdict in a word or two.
#[must_use]
pub(crate) fn verdict(call: Call) -> &'static str {
    match call {
        Call::Improved => "better",
        Call::Regressed => "WORSE",
        Call::Equivalent => "the same",
        Call::Inconclusive => "not told apart",
        Call::TooFew => "too few runs",
    }
}

/// The verdict on a comparison; that of origin reads says where a longer life is all there is to it.
#[must_use]
pub(crate) fn verdict_of(one: &Comparison) -> &'static str {
    match one.verdict {
        Call::Improved if one.is_of_life() => "fewer by longer life",
        Call::Regressed if one.is_of_life() => "more by shorter life",
        call => verdict(call),
    }
}

/// What a comparison of origin reads says of each life of an entry, where lives differ.
fn of_lives(one: &Comparison) -> Option<String> {
    let (lives, (effect, (low, high))) = (one.lives?, one.per_life()?);
    let whose =
        if one.against == "BASE" { "in BASE".to_owned() } else { format!("under {}", escape::line(&one.against)) };
    Some(format!(
        "Entries of {} are fresh {} as long as {whose}, which alone changes how often the origin is read. For each life of an \
         entry its origin reads are {} ({} … {}).",
        escape::line(&one.strategy),
        ratio(lives),
        ratio(effect),
        ratio(low),
        ratio(high)
    ))
}

/// How far the comparisons carry, one sentence a line.
pub(crate) fn sentences(comparisons: &[Comparison]) -> Vec<String> {
    let mut said =
        vec!["Ratios are medians; below 1 is better. p is adjusted for the number of metrics (Holm).".to_owned()];
    let fewest = comparisons.iter().map(|one| one.runs).min().unwrap_or(0);
    let pairs = comparisons.iter().all(|one| one.against != "BASE");
    if fewest < RUNS_MIN as u64 {
        said.push(format!(
            "Too few runs for a test: {fewest}, needed at least {RUNS_MIN}. Run it again with --repeats 10."
        ));
    } else if pairs && fewest < PAIRS_FOR_FOUR {
        said.push(format!(
            "With {fewest} blocks no difference in one of {} metrics can have a p below {ALPHA}, however large it is: \
             {PAIRS_FOR_FOUR} are needed.",
            Metric::ALL.len()
        ));
    }
    let noise = |one: &Comparison| format!("{} {:.1} %", one.metric.words(), one.noise * 100.0);
    let first = &comparisons[0].strategy;
    let of_one: Vec<&Comparison> = comparisons.iter().take_while(|one| one.strategy == *first).collect();
    let bands: Vec<String> = of_one.iter().map(|one| noise(one)).collect();
    said.extend(comparisons.iter().filter_map(of_lives));
    said.push(if of_one.iter().all(|one| one.noise_measured) {
        format!("Noise, as `loadgen aa` measured it on such a machine: {}.", bands.join(", "))
    } else {
        "Noise is assumed to be 2 %; in a real lab `loadgen aa` measures it.".to_owned()
    });
    said
}

fn aligned(rows: &[[String; 8]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..8).map(width).collect();
    let line = |row: &[String; 8]| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 | 1 | 7 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
