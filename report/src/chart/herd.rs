//! The herd from close by: origin reads around an expiry, in bins of 20 ms, averaged over the expiries of the run.

use plotters::prelude::DrawingBackend;

use super::comparison::label;
use super::ink::{At, Drawn, EXPIRY, FAINT, Ink, bar_colour};
use super::{Chart, WIDTH};
use crate::draw::{Frame, Scale, herd_bars, herd_end_s, herd_said, herd_what};
use crate::record::{Run, Strategy};
use crate::render::digest::{Digest, HERD_SPAN_S};
use crate::text::words;

const TOP: f64 = 84.0;
const PANEL: f64 = 78.0;
const STEP: f64 = PANEL + 38.0;

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
        TOP + STEP * self.run.strategies.len().max(1) as f64 + 36.0
    }

    fn draw<DB: DrawingBackend>(&self, ink: &Ink<'_, DB>) -> Drawn<DB> {
        let (title, how) = match &self.run.hot_key {
            Some(_) => (
                "origin reads of the hot key around its expiry",
                "bins of 20 ms; each bar is the mean over the expiries that lie whole within the measured phase",
            ),
            None => {
                ("origin reads of all keys around the first wave of expiries", "bins of 20 ms; one wave, so no mean")
            }
        };
        ink.sheet(&format!("{}: {title}", self.run.scenario), &[how, &words::load_caption(self.run)])?;
        let largest = self.digests.iter().flat_map(|digest| digest.herd.bins.iter().copied()).fold(0.0, f64::max);
        let (x, y) = (Scale::Linear(HERD_SPAN_S.0, herd_end_s(self.digests.iter())), Scale::counts(largest, 4));
        let mut top = TOP + 22.0;
        for (at, (strategy, digest)) in self.run.strategies.iter().zip(self.digests).enumerate() {
            let panel = Frame { left: 62.0, right: WIDTH - 24.0, top, bottom: top + PANEL, x, y };
            draw_panel(ink, &panel, strategy, digest, at + 1 == self.run.strategies.len())?;
            top += STEP;
        }
        ink.upward(
            "origin reads per 20 ms",
            (14.0, TOP + STEP * self.run.strategies.len().max(1) as f64 / 2.0),
            11.0,
            FAINT,
        )?;
        let below = self.height() - 18.0;
        ink.text("seconds since the expiry (or what the panel says)", (WIDTH / 2.0, below), 11.0, FAINT, At::Middle)
    }
}

fn draw_panel<DB: DrawingBackend>(
    ink: &Ink<'_, DB>,
    panel: &Frame,
    strategy: &Strategy,
    digest: &Digest,
    last: bool,
) -> Drawn<DB> {
    // Why there is no theory is said where there is room for all of it.
    label(ink, panel, strategy, &[&herd_said(strategy, digest), &herd_what(strategy, digest, "")])?;
    panel.y_axis(ink, &panel.y.ticks(4))?;
    let zero = panel.x(0.0);
    ink.line(&[(zero, panel.top), (zero, panel.bottom)], EXPIRY, 1.5)?;
    for (from, to, reads) in herd_bars(digest).filter(|(.., reads)| *reads > 0.0) {
        let corner = (panel.x(to) - 0.5, panel.bottom);
        ink.rect((panel.x(from) + 0.5, panel.y(reads)), corner, bar_colour(strategy))?;
    }
    panel.x_axis(ink, &panel.x.ticks(12), last)?;
    if strategy.origin.is_none() {
        return panel.say(ink, words::NO_LEDGER);
    }
    match digest.herd_lacks() {
        Some(file) => panel.say(ink, &format!("no {file} in this strategy's folder")),
        None => Ok(()),
    }
}
