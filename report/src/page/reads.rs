//! What reached the origin, second by second, on one scale; and the same from close by, around an expiry.

use super::html::*;
use super::panels::{Panel, PanelGroup, bars, fault_list, faults, said};
use super::plot::{Plot, Readout, values};
use super::view::{StrategyRow, View};
use crate::draw::{AxisScale, floor_rate, herd_bars, herd_end_s, herd_said, whole};
use crate::render::digest::{Aligned, HERD_BIN_S, HERD_SPAN_S};
use crate::text::phrases;

/// Origin reads per second.
pub(super) fn over_the_run(out: &mut Sheet, view: &View<'_>) {
    let columns = view.columns();
    let reads = |row: &StrategyRow<'_>| columns.highest(row, |bin| bin.origin_starts.map(|reads| reads as f64));
    let largest = view.rows.iter().flat_map(|row| reads(row).into_iter().flatten()).fold(0.0, f64::max);
    let y = AxisScale::counts(largest, 3);
    let mut keys = String::new();
    if view.rows.iter().any(|row| !row.digest.expiries_s.is_empty()) {
        keys.push_str("<span><i class=\"swatch exp\"></i>the hot key expires</span>");
    }
    if view.rows.iter().any(|row| floor_rate(row.run, row.first).is_some()) {
        keys.push_str(
            "<span><i class=\"swatch floor\"></i>the floor: what a perfect refresher would read, on average</span>",
        );
    }
    if view.rows.iter().any(|row| !row.digest.faults.is_empty()) {
        keys.push_str("<span><i class=\"swatch fault\"></i>a fault begins or ends</span>");
    }
    let how = format!(
        "Each bar is a second; every panel has the same scale.{} <span class=\"keys\">{keys}</span>",
        columns.caveat("its bar is its highest second")
    );
    out.section("origin", "Origin reads per second", &how);
    let group = PanelGroup { wide: true, ..PanelGroup::over_time("reads", columns) };
    group.write(out, view, |_, row| {
        let reads = reads(row);
        let mut plot = Plot::over_time(view, y, 84).y_ticks(whole(y.ticks(3)));
        plot.bars("bar", bars(columns, &reads));
        if let Some(floor) = floor_rate(row.run, row.first) {
            plot.level("floor", (0.0, row.first.measured_s(row.run)), floor);
        }
        plot.strokes("exp", row.digest.expiries_s.iter().copied());
        faults(&mut plot, row);
        cut_and_note(&mut plot, row);
        let known = row.first.origin.is_some() && !row.digest.missing.contains(&"seconds.csv");
        if known && reads.iter().all(|reads| reads.is_none_or(|reads| reads == 0.0)) {
            plot.say("no read reached the origin");
        }
        let floor = floor_rate(row.run, row.first).map_or_else(String::new, |floor| format!(" · floor {floor:.1}/s"));
        let unmarked = match row.digest.missing.contains(&"events.jsonl") {
            true => " · no events.jsonl: expiries and faults are not marked",
            false => "",
        };
        Panel {
            plot,
            figures: figures(row) + &floor + unmarked,
            title: format!("{}: origin reads per second", row.name),
            text: phrases::figures(row.first),
            values: values(&[("reads", "", said(&reads, |reads| format!("{reads:.0}")))]),
        }
    });
    fault_list(out, view);
    out.push_str("</section>\n");
}

/// `736 reads · at most 58 in any second`.
fn figures(row: &StrategyRow<'_>) -> String {
    match &row.first.origin {
        Some(origin) => format!("{} reads · at most {} in any second", origin.total, origin.max_per_second),
        None => phrases::NO_LEDGER.to_owned(),
    }
}

/// What was not measured is not drawn as if nothing had happened there, and a panel without its file says so.
pub(super) fn cut_and_note(plot: &mut Plot, row: &StrategyRow<'_>) {
    cut(plot, row);
    note(plot, row, "seconds.csv");
}

/// What was not measured is grey.
pub(super) fn cut(plot: &mut Plot, row: &StrategyRow<'_>) {
    let end = row.first.measured_s(row.run);
    if end < plot.end() {
        plot.shade((end, plot.end()));
    }
    if row.first.cut_after_s.is_some() {
        plot.say(&format!("cut short after {end:.1} s"));
    }
}

/// That this file is not there, from which the panel would be drawn.
pub(super) fn note(plot: &mut Plot, row: &StrategyRow<'_>, file: &str) {
    if row.digest.missing.contains(&file) {
        plot.say(&format!("no {file} in this strategy’s folder"));
    }
}

/// Reads around an expiry.
pub(super) fn close_up(out: &mut Sheet, view: &View<'_>) {
    let herds = || view.rows.iter().map(|row| &row.digest.herd);
    let lacking = view.rows.iter().any(|row| row.digest.herd_lacks().is_some());
    if !lacking && herds().all(|herd| herd.aligned == Aligned::Nothing) {
        return;
    }
    let largest = herds().flat_map(|herd| herd.bins.iter().copied()).fold(0.0, f64::max);
    let y = AxisScale::counts(largest, 3);
    let end = herd_end_s(view.rows.iter().map(|row| row.digest));
    let x = AxisScale::Linear(HERD_SPAN_S.0, end);
    let hot = view.runs.iter().any(|run| run.hot_key.is_some());
    let how = if hot {
        "The hot key’s origin reads in steps of 20 ms around its expiry (the line), averaged over the expiries that lie \
         whole within the measured phase. One scale."
    } else {
        "The origin reads of all keys in steps of 20 ms around the first wave of expiries (the line); one wave, so no mean. \
         One scale."
    };
    out.section("expiry", "One expiry from close by", how);
    let readout = Readout {
        x: (HERD_SPAN_S.0, end),
        x0: HERD_SPAN_S.0,
        dx: HERD_BIN_S,
        count: ((end - HERD_SPAN_S.0) / HERD_BIN_S).round() as usize,
        before: "from ",
        unit: " s",
        labels: None,
        sync: "herd",
        rows: Vec::new(),
    };
    let group =
        PanelGroup { id: "herd", readout, wide: false, axis: "seconds from the expiry, or from what the panel names" };
    group.write(out, view, |_, row| {
        let herd = &row.digest.herd;
        let mut plot = Plot::new(x, y, 90).x_ticks(x.ticks(6));
        plot.verticals("exp", [0.0].into_iter());
        plot.bars("bar", herd_bars(row.digest).filter(|(from, ..)| *from < end));
        if let Some(file) = row.digest.herd_lacks() {
            plot.say(&format!("no {file} in this strategy’s folder"));
        }
        let reads = herd.bins.iter().map(|reads| short(*reads)).collect();
        let figures = herd_said(row.first, row.digest);
        Panel {
            plot,
            title: format!("{}: origin reads around an expiry", row.name),
            text: figures.clone(),
            figures,
            values: values(&[("reads", "", reads)]),
        }
    });
    out.push_str("</section>\n");
}
