//! What reached the origin, second by second: the bars and the marks of every panel that has them.

use super::ink::{ALARM, At, BAR_WARMUP, FLOOR, Ink, WIDTH, bar_colour};
use crate::draw::{Frame, floor_rate};
use crate::record::{BinRow, Run, Strategy};

/// A bar for each second with reads.
pub(crate) fn bars<'r>(
    ink: &mut Ink,
    panel: &Frame,
    (run, strategy): (&Run, &Strategy),
    rows: impl Iterator<Item = &'r BinRow>,
) {
    for row in rows {
        let Some(reads) = row.origin_starts.filter(|reads| *reads > 0) else { continue };
        let start = row.start_ms as f64 / 1000.0;
        let (from, to) = (panel.x(start), panel.x((start + 1.0).min(run.duration_s.max(1.0))));
        let gap = ((to - from) * 0.15).min(1.5);
        let colour = if row.start_ms < 0 { BAR_WARMUP } else { bar_colour(strategy) };
        ink.rect((from + gap / 2.0, panel.y(reads as f64)), (to - gap / 2.0, panel.bottom), colour);
    }
}

/// The floor, its label `em` pixels high, and where the run was cut short.
pub(crate) fn floor_and_cut(ink: &mut Ink, panel: &Frame, (run, strategy): (&Run, &Strategy), em: f64) {
    if let Some(rate) = floor_rate(run, strategy) {
        let (width, gap) = if em < 11.0 { (1.2, 5.0) } else { (1.5, 6.0) };
        ink.dashed(&[panel.at(0.0, rate), panel.at(strategy.measured_s(run), rate)], FLOOR, width);
        let said = ink.fitted(&floor_text(rate), em, WIDTH - panel.right - gap - 1.0);
        ink.text(&said, (panel.right + gap, panel.y(rate)), em, FLOOR, At::Left);
    }
    if let Some(cut) = strategy.cut_after_s {
        cut_mark(ink, panel, cut);
    }
}

/// `floor 1.9/s`, `floor 201/s`.
fn floor_text(rate: f64) -> String {
    if rate < 99.95 { format!("floor {rate:.1}/s") } else { format!("floor {rate:.0}/s") }
}

/// Where a strategy's run was cut short, and that what is empty behind it was not measured.
fn cut_mark(ink: &mut Ink, panel: &Frame, cut_s: f64) {
    panel.vertical(ink, cut_s, ALARM, 1.5);
    let x = panel.x(cut_s);
    let said = format!("cut short after {cut_s:.1} s");
    let fits = x + 6.0 + ink.width(&said, 11.0) <= panel.right;
    let (at, side) = if fits { (x + 6.0, At::Left) } else { (x - 6.0, At::Right) };
    ink.text(&said, (at, panel.top + 9.0), 11.0, ALARM, side)
}
