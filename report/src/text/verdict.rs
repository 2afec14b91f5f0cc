//! The table at the end of a run, with the sentences under it (`sentences.rs`).

use crate::record::{Run, Strategy};
use crate::text::escape;
use crate::text::sentences::sentences;
use crate::text::words;

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
pub(crate) fn name_of(name: &str) -> String {
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
