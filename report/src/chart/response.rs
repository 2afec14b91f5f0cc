//! Response time over time: the percentiles of each second as lines, for every chart that has a panel of them.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::ink::Ink;
use crate::draw::{AxisScale, DrawnPoint, Frame, last_of};
use crate::record::BinRow;

const P50: RGBColor = RGBColor(0x6f, 0xa3, 0xc7);
const P95: RGBColor = RGBColor(0x2f, 0x78, 0xb0);
const P99: RGBColor = RGBColor(0x08, 0x30, 0x6b);
/// Service time's p99, dashed: another colour, because it often lies on that of response time.
pub(crate) const SERVICE_P99: RGBColor = RGBColor(0x00, 0x9e, 0x73);

/// The lines of one panel.
pub(crate) struct Percentiles {
    lines: Vec<Line>,
}

/// One of them: seconds since t = 0, and milliseconds; `None` in a second without answers.
struct Line {
    name: &'static str,
    colour: RGBColor,
    dashed: bool,
    points: Vec<DrawnPoint>,
}

impl Percentiles {
    /// Response time's p50, p95 and p99 by row, and service time's p99 by the row's start in milliseconds (none where the
    /// map is empty). A row's point stands in the middle of its second, but never beyond `until_s`.
    pub(crate) fn of<'r>(
        rows: impl Iterator<Item = &'r BinRow> + Clone,
        service_p99: &BTreeMap<i64, f64>,
        until_s: f64,
    ) -> Self {
        let line = |name, colour, value: &dyn Fn(&BinRow) -> Option<f64>| {
            let at = |row: &BinRow| (row.start_ms as f64 / 1000.0 + 0.5).min(until_s);
            Line { name, colour, dashed: false, points: rows.clone().map(|row| (at(row), value(row))).collect() }
        };
        let mut lines = vec![
            line("p50", P50, &|row| row.p50_ms),
            line("p95", P95, &|row| row.p95_ms),
            line("p99", P99, &|row| row.p99_ms),
        ];
        if !service_p99.is_empty() {
            let service = line("service p99", SERVICE_P99, &|row| service_p99.get(&row.start_ms).copied());
            lines.push(Line { dashed: true, ..service });
        }
        Self { lines }
    }

    /// The scale that holds every point.
    pub(crate) fn scale(&self) -> AxisScale {
        AxisScale::log_around(self.lines.iter().flat_map(|line| &line.points).filter_map(|(_, ms)| *ms))
    }

    /// Draws the lines, and their names at the panel's right edge.
    pub(crate) fn draw(&self, ink: &mut Ink, panel: &Frame) {
        let mut named = Vec::new();
        for Line { name, colour, dashed, points } in &self.lines {
            panel.series(ink, points, *colour, *dashed);
            named.extend(last_of(points).map(|last| ((*name).to_owned(), *colour, last)));
        }
        if named.is_empty() {
            return panel.say(ink, "no response times were recorded");
        }
        panel.names(ink, &named, 11.0)
    }
}
