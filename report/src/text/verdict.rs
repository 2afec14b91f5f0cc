//! The table at the end of a run, with the sentences under it (`sentences.rs`).

use crate::record::{Run, Strategy};
use crate::text::figures::FIGURES;
use crate::text::names;
use crate::text::phrases::{self, NAME_LIMIT};
use crate::text::sentences::sentences;

/// Columns of a terminal that has not been made wider, and of one that has.
const NARROW: usize = 80;
const WIDE: usize = 110;
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

/// The table's columns, each with its cells in the order run. Left out is what this run has nothing to say of.
pub(crate) struct Table {
    pub(crate) header: Vec<(&'static str, &'static str)>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn of(run: &Run) -> Self {
        let run = &run.typical();
        let shown = FIGURES.iter().filter(|figure| figure.shown.is(&[run], run.strategies.iter()));
        let shown: Vec<_> = shown.filter_map(|figure| Some((figure.head?, figure.cell))).collect();
        let names: Vec<&str> = run.strategies.iter().map(|strategy| strategy.name.as_str()).collect();
        let names = names::distinct(&names, NAME_LIMIT);
        let row = |strategy: &Strategy| {
            let cells = shown.iter().map(|(_, cell)| cell(strategy).text);
            cells.collect::<Vec<_>>()
        };
        Self {
            header: std::iter::once(("", "strategy")).chain(shown.iter().map(|(head, _)| *head)).collect(),
            rows: names
                .into_iter()
                .zip(run.strategies.iter().map(row))
                .map(|(name, cells)| [vec![name], cells].concat())
                .collect(),
        }
    }
}

/// What the table's columns about faults are.
pub(crate) fn legend(run: &Run) -> Option<String> {
    phrases::fault_legend(run.typical().strategies.iter(), !run.blocks.is_empty())
}

/// A column's header in one line.
pub(crate) fn heading((over, under): (&str, &str)) -> String {
    format!("{over} {under}").trim().replace("/ ", "/")
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
    if over > 0 {
        let names: Vec<&str> = run.strategies.iter().map(|strategy| strategy.name.as_str()).collect();
        let limit = NAME_LIMIT.saturating_sub(over).max(NAME_LEAST);
        rows.iter_mut().zip(names::distinct(&names, limit)).for_each(|(row, name)| row[0] = name);
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
