//! Which level of the cache answered: the process, the shared cache, the origin. Stacked over time.

use super::html::*;
use super::panels::{Panel, PanelGroup, bars, faults, said};
use super::plot::{Plot, values};
use super::reads::cut_and_note;
use super::view::View;
use crate::draw::{AxisScale, whole};
use crate::record::{BinRow, LevelFigures};
use crate::text::phrases;

/// A level: its name, the class that gives it its colour, what it means, and its requests in a row.
type Level = (&'static str, &'static str, &'static str, fn(&BinRow) -> u64);

/// From the bottom of the stack to its top.
const LEVELS: [Level; 3] = [
    ("near", "o-hit", "a copy in the replica’s process", |bin| bin.near.unwrap_or(0)),
    ("shared", "o-wait", "the shared cache", |bin| (bin.hit + bin.stale).saturating_sub(bin.near.unwrap_or(0))),
    ("origin", "o-load", "a read of the origin, their own or another’s", |bin| bin.wait + bin.load),
];

/// Answers by level over time, where any strategy keeps values in the replicas' processes.
pub(super) fn levels(out: &mut Sheet, view: &View<'_>) {
    if view.rows.iter().all(|row| row.first.levels.is_none()) {
        return;
    }
    let columns = view.columns();
    let sum = |bin: &BinRow| LEVELS.iter().map(|(.., of)| of(bin)).sum::<u64>();
    let largest = view.rows.iter().flat_map(|row| row.measured().map(sum)).max().unwrap_or(0);
    let y = AxisScale::counts(largest as f64, 3);
    let keys: String = LEVELS
        .iter()
        .map(|(name, class, means, _)| format!("<span><i class=\"swatch {class}\"></i><b>{name}</b> {means}</span>"))
        .collect();
    let how = format!(
        "Answers a second by the level that had them, by their planned send; what was refused or failed is left out. Reads of the shared \
         cache are more than its answers: leaders look again, and callers that wait poll. One scale.{} <span class=\"keys\">{keys}</span>",
        columns.caveat("its mean")
    );
    out.section("levels", "Which cache answered", &how);
    let group = PanelGroup::over_time("levels-plot", columns);
    group.write(out, view, |_, row| {
        let mut plot = Plot::over_time(view, y, 84).y_ticks(whole(y.ticks(3)));
        let counts: Vec<Vec<Option<f64>>> =
            LEVELS.iter().map(|(.., of)| columns.mean(row, |bin| Some(of(bin) as f64))).collect();
        // Each level is painted over the sum of those above it.
        for (at, (_, class, ..)) in LEVELS.iter().enumerate().rev() {
            if counts[at].iter().flatten().any(|count| *count > 0.0) {
                let up_to = |column: usize| counts[..=at].iter().map(|of| of[column].unwrap_or(0.0)).sum::<f64>();
                let sums: Vec<Option<f64>> = (0..columns.count).map(|column| Some(up_to(column))).collect();
                plot.area(class, bars(columns, &sums));
            }
        }
        faults(&mut plot, row);
        cut_and_note(&mut plot, row);
        let read: Vec<(&str, &str, Vec<String>)> =
            LEVELS.iter().zip(&counts).map(|((name, ..), counts)| (*name, "", said(counts, short))).collect();
        let figures = row.first.levels.as_ref().map_or_else(|| phrases::UNKNOWN.to_owned(), figures);
        Panel {
            plot,
            title: format!("{}: answers a second by the level of the cache", row.name),
            text: figures.clone(),
            figures,
            values: values(&read),
        }
    });
    out.push_str("</section>\n");
}

/// `99.9% near · 3.0 shared reads/s · 12 changes lost`.
fn figures(levels: &LevelFigures) -> String {
    let reads = levels.shared_reads_per_s.map_or_else(|| phrases::UNKNOWN.to_owned(), |reads| format!("{reads:.1}"));
    let lost = levels.lost.map(|lost| format!(" · {}", phrases::counted(lost, "change lost", "changes lost")));
    format!("{} near · {reads} shared reads/s{}", phrases::share(levels.near_share), lost.unwrap_or_default())
}
