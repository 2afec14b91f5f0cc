//! The herd from close by: origin reads around an expiry, in bins of 20 ms, averaged over the expiries of the run.

use super::Chart;
use super::comparison::{axes_of, height_of, label, panel_of};
use super::ink::{EXPIRY, Ink, WIDTH, bar_colour};
use crate::draw::{AxisScale, Frame, herd_bars, herd_end_s, herd_said, herd_what};
use crate::record::{Run, Strategy};
use crate::render::digest::{Digest, HERD_SPAN_S};
use crate::text::phrases;

/// `charts/herd.svg|png`.
pub(crate) struct HerdChart<'a> {
    pub(crate) run: &'a Run,
    pub(crate) digests: &'a [Digest],
}

impl Chart for HerdChart<'_> {
    fn name(&self) -> String {
        "herd".to_owned()
    }

    fn alt(&self) -> String {
        let each =
            |(strategy, digest): (&Strategy, &Digest)| format!("{}: {}", strategy.name, herd_said(strategy, digest));
        let all: Vec<String> = self.run.strategies.iter().zip(self.digests).map(each).collect();
        format!("Origin reads in bins of 20 ms around an expiry, on one scale. {}.", all.join(". "))
    }

    fn height(&self) -> f64 {
        height_of(self.run)
    }

    fn draw(&self, ink: &mut Ink) {
        let (title, how) = match &self.run.hot_key {
            Some(_) => (
                "origin reads of the hot key around its expiry",
                "bins of 20 ms; each bar is the mean over the expiries that lie whole within the measured phase",
            ),
            None => {
                ("origin reads of all keys around the first wave of expiries", "bins of 20 ms; one wave, so no mean")
            }
        };
        ink.head(&format!("{}: {title}", self.run.scenario), &[how, &phrases::load_caption(self.run)]);
        let largest = self.digests.iter().flat_map(|digest| digest.herd.bins.iter().copied()).fold(0.0, f64::max);
        let (x, y) = (AxisScale::Linear(HERD_SPAN_S.0, herd_end_s(self.digests.iter())), AxisScale::counts(largest, 4));
        for (at, (strategy, digest)) in self.run.strategies.iter().zip(self.digests).enumerate() {
            let last = at + 1 == self.run.strategies.len();
            draw_panel(ink, &panel_of(at, WIDTH - 24.0, x, y), strategy, digest, last);
        }
        let along = "seconds since the expiry (or what the panel says)";
        axes_of(ink, self.run, "origin reads per 20 ms", along, WIDTH / 2.0);
    }
}

fn draw_panel(ink: &mut Ink, panel: &Frame, strategy: &Strategy, digest: &Digest, last: bool) {
    // Why there is no theory is said where there is room for all of it.
    label(ink, panel, strategy, &[&herd_said(strategy, digest), &herd_what(strategy, digest, "")]);
    panel.y_axis(ink, &panel.y.ticks(4));
    panel.vertical(ink, 0.0, EXPIRY, 1.5);
    for (from, to, reads) in herd_bars(digest).filter(|(.., reads)| *reads > 0.0) {
        let corner = (panel.x(to) - 0.5, panel.bottom);
        ink.rect((panel.x(from) + 0.5, panel.y(reads)), corner, bar_colour(strategy));
    }
    panel.x_axis(ink, &panel.x.ticks(12), last);
    if strategy.origin.is_none() {
        return panel.say(ink, phrases::NO_LEDGER);
    }
    if let Some(file) = digest.herd_lacks() {
        panel.say(ink, &format!("no {file} in this strategy's folder"));
    }
}
