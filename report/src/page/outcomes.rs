//! How requests were answered: every outcome over time, stacked; and the requests that waited beside what they spared the origin.

use super::html::*;
use super::panels::{Panel, PanelGroup, bars, faults, said};
use super::plot::{Plot, values};
use super::reads::cut_and_note;
use super::view::View;
use crate::draw::{AxisScale, whole};
use crate::record::{BinRow, Outcomes};
use crate::text::phrases;

/// An outcome: its name (also its class), its column in `seconds.csv`, its count in `run.json`.
type Outcome = (&'static str, fn(&BinRow) -> u64, fn(&Outcomes) -> u64);

/// From the bottom of the stack to its top.
const OUTCOMES: [Outcome; 7] = [
    ("hit", |bin| bin.hit, |all| all.hit),
    ("stale", |bin| bin.stale, |all| all.stale),
    ("wait", |bin| bin.wait, |all| all.wait),
    ("load", |bin| bin.load, |all| all.load),
    ("unknown", |bin| bin.unknown, |all| all.unknown),
    ("shed", |bin| bin.shed, |all| all.shed),
    ("error", |bin| bin.errors, |all| all.error),
];

/// What each means to the client.
fn meaning(outcome: &str) -> &'static str {
    match outcome {
        "hit" => "from a cache, fresh",
        "stale" => "from a cache, past its TTL",
        "wait" => "waited for another’s origin read",
        "load" => "read the origin",
        "unknown" => "answered, and nothing said how",
        "shed" => "refused",
        _ => "failed",
    }
}

/// Outcomes over time, stacked.
pub(super) fn outcomes(out: &mut Sheet, view: &View<'_>) {
    let columns = view.columns();
    let there: Vec<Outcome> = OUTCOMES
        .into_iter()
        .filter(|(_, bin, all)| {
            view.rows.iter().any(|row| all(&row.first.outcomes) > 0 || row.measured().any(|second| bin(second) > 0))
        })
        .collect();
    let sum = |bin: &BinRow| OUTCOMES.iter().map(|(_, of, _)| of(bin)).sum::<u64>();
    let largest = view.rows.iter().flat_map(|row| row.measured().map(sum)).max().unwrap_or(0);
    let y = AxisScale::counts(largest as f64, 3);
    let keys: String = there
        .iter()
        .map(|(name, ..)| format!("<span><i class=\"swatch o-{name}\"></i><b>{name}</b> {}</span>", meaning(name)))
        .collect();
    let how = format!(
        "Requests a second by what became of them, by their planned send. One scale.{} <span class=\"keys\">{keys}</span>",
        columns.caveat("its mean")
    );
    out.section("outcomes", "What became of the requests", &how);
    let group = PanelGroup::over_time("outcomes-plot", columns);
    group.write(out, view, |_, row| {
        let mut plot = Plot::over_time(view, y, 96).y_ticks(whole(y.ticks(3)));
        let mean = |of: fn(&BinRow) -> u64| columns.mean(row, move |bin| Some(of(bin) as f64));
        let counts: Vec<Vec<Option<f64>>> = there.iter().map(|(_, of, _)| mean(*of)).collect();
        // Each outcome is painted over the sum of those above it.
        for (at, (name, ..)) in there.iter().enumerate().rev() {
            if counts[at].iter().flatten().any(|count| *count > 0.0) {
                let up_to = |column: usize| counts[..=at].iter().map(|of| of[column].unwrap_or(0.0)).sum::<f64>();
                let sums: Vec<Option<f64>> = (0..columns.count).map(|column| Some(up_to(column))).collect();
                plot.area(&format!("o-{name}"), bars(columns, &sums));
            }
        }
        faults(&mut plot, row);
        cut_and_note(&mut plot, row);
        let read: Vec<(&str, &str, Vec<String>)> =
            there.iter().zip(&counts).map(|((name, ..), counts)| (*name, "", said(counts, short))).collect();
        let all = &row.first.outcomes;
        let counted: Vec<String> =
            there.iter().filter(|(.., of)| of(all) > 0).map(|(name, _, of)| format!("{} {name}", of(all))).collect();
        let shares: Vec<String> = there
            .iter()
            .filter(|(.., of)| of(all) > 0)
            .map(|(name, _, of)| format!("{name} {}", phrases::share(Some(of(all) as f64 / all.sum().max(1) as f64))))
            .collect();
        Panel {
            plot,
            figures: if shares.is_empty() { "no requests".to_owned() } else { shares.join(" · ") },
            title: format!("{}: requests a second by outcome", row.name),
            text: counted.join(", "),
            values: values(&read),
        }
    });
    out.push_str("</section>\n");
}

/// The requests that waited, upwards, and the reads that they waited for, downwards.
pub(super) fn waiters(out: &mut Sheet, view: &View<'_>) {
    if view.without_ledger() {
        return;
    }
    let columns = view.columns();
    let waited = |bin: &BinRow| (bin.unknown == 0).then_some((bin.wait + bin.load) as f64);
    let reads = |bin: &BinRow| bin.origin_starts.map(|reads| reads as f64);
    let highest = |of: fn(&BinRow) -> Option<f64>| {
        view.rows.iter().flat_map(|row| row.measured().filter_map(of)).fold(0.0, f64::max)
    };
    let (up, down) = (highest(waited), highest(reads));
    let AxisScale::Linear(_, up) = AxisScale::counts(up, 2) else { return };
    let AxisScale::Linear(_, down) = AxisScale::counts(down, 2) else { return };
    let y = AxisScale::Linear(-down, up);
    let ticks: Vec<(f64, String)> =
        whole(y.ticks(4)).into_iter().map(|(tick, _)| (tick, format!("{:.0}", tick.abs()))).collect();
    let how = format!(
        "Up: requests of that second that waited for an origin read. Down: origin reads that began in it. A lock spares the \
         origin and still fills the request pool; only an answer at once, stale or early, spares both. One scale.{}",
        columns.caveat("its highest second")
    );
    out.section("waiters", "Requests that waited, and the reads that they waited for", &how);
    let group = PanelGroup::over_time("waiters-plot", columns);
    group.write(out, view, |_, row| {
        let mut plot = Plot::over_time(view, y, 96).y_ticks(ticks.clone());
        let (waited, reads) = (columns.highest(row, waited), columns.highest(row, reads));
        plot.bars("o-wait", bars(columns, &waited));
        plot.bars("bar", bars(columns, &reads).map(|(from, to, reads)| (from, to, -reads)));
        plot.level("zero", (0.0, columns.until_s), 0.0);
        faults(&mut plot, row);
        cut_and_note(&mut plot, row);
        let all = &row.first.outcomes;
        let total = row.first.origin.as_ref().map(|origin| origin.total);
        let total = total.map_or_else(|| phrases::NO_LEDGER.to_owned(), |total| format!("{total} reads"));
        let figures = if all.unknown > 0 {
            format!("answers do not say whether they waited · {total}")
        } else {
            format!("{} waited · {total}", all.wait + all.load)
        };
        let count = |value: f64| format!("{value:.0}");
        Panel {
            plot,
            title: format!("{}: requests that waited, and origin reads, in each second", row.name),
            text: figures.clone(),
            figures,
            values: values(&[("waited", "", said(&waited, count)), ("reads", "", said(&reads, count))]),
        }
    });
    out.push_str("</section>\n");
}
