//! All strategies under one another: what reached the origin, one y scale, one x scale. The picture of the README.
//!
//! Without a ledger nobody knows what reached the origin; response times then stand in its place.

use std::collections::BTreeMap;

use super::Chart;
use super::ink::{ALARM, At, FAINT, Ink, TEXT, WIDTH};
use super::response::Percentiles;
use super::seconds;
use crate::draw::{AxisScale, Frame, whole};
use crate::record::{BinRow, Run, Strategy};
use crate::render::digest::Digest;
use crate::text::phrases;

const TOP: f64 = 84.0;
const PANEL: f64 = 78.0;
const STEP: f64 = PANEL + 38.0;

/// How high a chart with a panel a strategy is.
pub(crate) fn height_of(run: &Run) -> f64 {
    TOP + STEP * run.strategies.len().max(1) as f64 + 36.0
}

/// The panel of the strategy at this place in it.
pub(crate) fn panel_of(at: usize, right: f64, x: AxisScale, y: AxisScale) -> Frame {
    let top = TOP + 22.0 + STEP * at as f64;
    Frame { left: 62.0, right, top, bottom: top + PANEL, x, y }
}

/// What its axes are, x in the middle of `x`.
pub(crate) fn axes_of(ink: &mut Ink, run: &Run, up: &str, along: &str, x: f64) {
    let middle = TOP + STEP * run.strategies.len().max(1) as f64 / 2.0;
    ink.upward(up, (14.0, middle), 11.0, FAINT);
    ink.text(along, (x, height_of(run) - 18.0), 11.0, FAINT, At::Middle);
}

/// `charts/comparison.svg|png`.
pub(crate) struct ComparisonChart<'a> {
    pub(crate) run: &'a Run,
    pub(crate) digests: &'a [Digest],
}

impl Chart for ComparisonChart<'_> {
    fn name(&self) -> String {
        "comparison".to_owned()
    }

    fn alt(&self) -> String {
        let each = |strategy: &Strategy| {
            let invalid = if strategy.valid { "" } else { ", INVALID" };
            format!("{}: {}{invalid}", strategy.name, self.figures(strategy))
        };
        let all: Vec<String> = self.run.strategies.iter().map(each).collect();
        let what = if phrases::without_ledger(self.run) { "Response times" } else { "Origin reads" };
        format!("{what} in each second, strategy by strategy, on one scale. {}.", all.join(". "))
    }

    fn height(&self) -> f64 {
        height_of(self.run)
    }

    fn draw(&self, ink: &mut Ink) {
        let without_ledger = phrases::without_ledger(self.run);
        let what = if without_ledger { "response time" } else { "what reached the origin" };
        let title = format!("{}: {what}, second by second", self.run.scenario);
        ink.head(&title, &[&phrases::setting(self.run), &phrases::load_caption(self.run)]);
        let rows = || self.digests.iter().flat_map(|digest| digest.measured(self.run));
        let largest = rows().filter_map(|row| row.origin_starts).map(|reads| reads as f64).fold(0.0, f64::max);
        let y = if without_ledger { self.percentiles(rows()).scale() } else { AxisScale::counts(largest, 4) };
        let x = AxisScale::Linear(0.0, self.run.duration_s.max(1.0));
        for (at, (strategy, digest)) in self.run.strategies.iter().zip(self.digests).enumerate() {
            let last = at + 1 == self.run.strategies.len();
            self.panel(ink, &panel_of(at, WIDTH - 72.0, x, y), strategy, digest, last);
        }
        if self.run.strategies.is_empty() {
            return panel_of(0, WIDTH - 72.0, x, y).say(ink, "no strategy was run");
        }
        let up = if without_ledger { "response time, ms (log)" } else { "origin reads per second" };
        axes_of(ink, self.run, up, "seconds since the measured phase began", (WIDTH - 10.0) / 2.0);
    }
}

impl ComparisonChart<'_> {
    fn panel(&self, ink: &mut Ink, panel: &Frame, strategy: &Strategy, digest: &Digest, last: bool) {
        label(ink, panel, strategy, &[&self.figures(strategy)]);
        if phrases::without_ledger(self.run) {
            panel.y_axis(ink, &panel.y.ticks(4));
            if !digest.missing.contains(&"seconds.csv") {
                self.percentiles(digest.measured(self.run)).draw(ink, panel);
            }
        } else if strategy.origin.is_some() {
            panel.y_axis(ink, &whole(panel.y.ticks(4)));
            seconds::bars(ink, panel, (self.run, strategy), digest.measured(self.run));
            seconds::floor_and_cut(ink, panel, (self.run, strategy), 10.5);
        }
        panel.x_axis(ink, &panel.x.ticks(12), last);
        if digest.missing.contains(&"seconds.csv") {
            return panel.say(ink, "no seconds.csv in this strategy's folder");
        }
        if strategy.origin.is_none() && !phrases::without_ledger(self.run) {
            panel.say(ink, phrases::NO_LEDGER);
        }
    }

    fn percentiles<'r>(&self, rows: impl Iterator<Item = &'r BinRow> + Clone) -> Percentiles {
        Percentiles::of(rows, &BTreeMap::new(), self.run.duration_s)
    }

    /// What is said of a strategy beside its name.
    fn figures(&self, strategy: &Strategy) -> String {
        if phrases::without_ledger(self.run) { phrases::response_figures(strategy) } else { phrases::figures(strategy) }
    }
}

/// A panel's line of words: the strategy's name, in red where it is invalid, and the first of `ways` to say what is to be said
/// for which there is room.
pub(crate) fn label(ink: &mut Ink, panel: &Frame, strategy: &Strategy, ways: &[&str]) {
    let room = panel.right - panel.left;
    // A long name is set small; it keeps its ends, by which compositions differ.
    let em = if ink.width(&strategy.name, 14.0) <= room * 0.45 { 14.0 } else { 11.0 };
    let name = ink.fitted_name(&strategy.name, em, room * 0.45);
    let y = panel.top - 13.0;
    ink.text(&name, (panel.left, y), em, TEXT, At::Left);
    let mut x = panel.left + ink.width(&name, em) + 12.0;
    if !strategy.valid {
        ink.text("INVALID", (x, y), 14.0, ALARM, At::Left);
        x += ink.width("INVALID", 14.0) + 12.0;
    }
    let fits = |said: &&&str| ink.width(said, 11.5) <= panel.right - x;
    let said = ways.iter().find(fits).or(ways.last()).copied().unwrap_or_default();
    let said = if strategy.valid { said.to_owned() } else { format!("{} ({said})", phrases::reasons(strategy)) };
    let colour = if strategy.valid { TEXT } else { FAINT };
    ink.text(&ink.fitted(&said, 11.5, panel.right - x), (x, y), 11.5, colour, At::Left)
}
