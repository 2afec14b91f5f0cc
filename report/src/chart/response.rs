//! Response time over time: the percentiles of each second as lines, for every chart that has a panel of them.

use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

use super::axis::{Panel, Scale, pushed_apart};
use super::ink::{At, Drawn, Ink};
use crate::record::BinRow;

/// A percentile's name, its colour, and where a row keeps it.
type Series = (&'static str, RGBColor, fn(&BinRow) -> Option<f64>);

const SERIES: [Series; 3] = [
    ("p50", RGBColor(0x6f, 0xa3, 0xc7), |row| row.p50_ms),
    ("p95", RGBColor(0x2f, 0x78, 0xb0), |row| row.p95_ms),
    ("p99", RGBColor(0x08, 0x30, 0x6b), |row| row.p99_ms),
];

/// The scale that holds every percentile of the rows.
pub(crate) fn scale<'r>(rows: impl Iterator<Item = &'r BinRow>) -> Scale {
    Scale::log_around(rows.flat_map(|row| SERIES.map(|(_, _, value)| value(row))).flatten())
}

/// The lines of a panel whose x is seconds, and their names at its right edge. A second's point stands in its middle, but
/// never beyond `until_s`; a second without answers parts the line.
pub(crate) fn draw<'r, DB: DrawingBackend>(
    ink: &Ink<'_, DB>,
    panel: &Panel,
    rows: impl Iterator<Item = &'r BinRow> + Clone,
    until_s: f64,
) -> Drawn<DB> {
    let mut ends = Vec::new();
    for (name, colour, value) in SERIES {
        let at = |row: &BinRow| (row.start_ms as f64 / 1000.0 + 0.5).min(until_s);
        let points: Vec<Option<(f64, f64)>> =
            rows.clone().map(|row| value(row).map(|ms| panel.at(at(row), ms))).collect();
        for run in points.split(Option::is_none) {
            let run: Vec<(f64, f64)> = run.iter().copied().flatten().collect();
            match run.as_slice() {
                [] => {}
                [(x, y)] => ink.rect((x - 1.5, y - 1.5), (x + 1.5, y + 1.5), colour)?,
                run => ink.line(run, colour, 1.5)?,
            }
        }
        ends.extend(points.iter().flatten().last().map(|(_, y)| (name, colour, *y)));
    }
    if ends.is_empty() {
        return panel.say(ink, "no response times were recorded");
    }
    let wanted: Vec<f64> = ends.iter().map(|(_, _, y)| *y).collect();
    for ((name, colour, _), y) in ends.iter().zip(pushed_apart(&wanted, 13.0, panel.top, panel.bottom)) {
        ink.text(name, (panel.right + 6.0, y), 11.0, *colour, At::Left)?;
    }
    Ok(())
}
