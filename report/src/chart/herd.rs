//! The herd from close by: origin reads around an expiry, in bins of 20 ms, averaged over the expiries of the run.

use plotters::prelude::DrawingBackend;

use super::axis::{Panel, Scale};
use super::comparison::label;
use super::ink::{At, BAR, BAR_INVALID, Drawn, EXPIRY, FAINT, Ink, TEXT};
use super::{Chart, WIDTH};
use crate::record::{Run, Strategy};
use crate::render::digest::{Aligned, Digest, HERD_BIN_S, HERD_SPAN_S};
use crate::text::theory;
use crate::text::words;

const TOP: f64 = 84.0;
const PANEL: f64 = 78.0;
const STEP: f64 = PANEL + 38.0;
/// How long after the last read the axis ends, and its earliest end, seconds.
const MARGIN_S: f64 = 0.1;
const END_MIN_S: f64 = 0.4;

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
        let each = |(strategy, digest): (&Strategy, &Digest)| format!("{}: {}", strategy.name, said(strategy, digest));
        let all: Vec<String> = self.run.strategies.iter().zip(self.digests).map(each).collect();
        format!("Origin reads in bins of 20 ms around an expiry, on one scale. {}.", all.join(". "))
    }

    fn height(&self) -> f64 {
        TOP + STEP * self.run.strategies.len().max(1) as f64 + 36.0
    }

    fn draw<DB: DrawingBackend>(&self, ink: &Ink<'_, DB>) -> Drawn<DB> {
        ink.paper()?;
        let title = match &self.run.hot_key {
            Some(_) => format!("{}: origin reads of the hot key around its expiry", self.run.scenario),
            None => format!("{}: origin reads of all keys around the first wave of expiries", self.run.scenario),
        };
        ink.text(&ink.fitted(&title, 19.0, WIDTH - 32.0), (16.0, 22.0), 19.0, TEXT, At::Left)?;
        let how = "bins of 20 ms; each bar is the mean over the expiries that lie whole within the measured phase";
        let how = if self.run.hot_key.is_some() { how } else { "bins of 20 ms; one wave, so no mean" };
        ink.text(how, (16.0, 45.0), 11.0, FAINT, At::Left)?;
        ink.text(&ink.fitted(&words::load_caption(self.run), 11.0, WIDTH - 32.0), (16.0, 61.0), 11.0, FAINT, At::Left)?;
        let largest = self.digests.iter().flat_map(|digest| digest.herd.bins.iter().copied()).fold(0.0, f64::max);
        let (x, y) = (Scale::Linear(HERD_SPAN_S.0, self.end_s()), Scale::counts(largest, 4));
        let mut top = TOP + 22.0;
        for (at, (strategy, digest)) in self.run.strategies.iter().zip(self.digests).enumerate() {
            let panel = Panel { left: 62.0, right: WIDTH - 24.0, top, bottom: top + PANEL, x, y };
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

impl HerdChart<'_> {
    /// Where the axis ends: a little after the last read of the widest herd.
    fn end_s(&self) -> f64 {
        let last = self.digests.iter().filter_map(|digest| digest.herd.end_s()).reduce(f64::max);
        last.map_or(HERD_SPAN_S.1, |last| (last + MARGIN_S).clamp(END_MIN_S, HERD_SPAN_S.1))
    }
}

fn draw_panel<DB: DrawingBackend>(
    ink: &Ink<'_, DB>,
    panel: &Panel,
    strategy: &Strategy,
    digest: &Digest,
    last: bool,
) -> Drawn<DB> {
    // Why there is no theory is said where there is room for all of it.
    label(ink, panel, strategy, &[&said(strategy, digest), &what(strategy, digest, "")])?;
    panel.y_axis(ink, &panel.y.ticks(4))?;
    let zero = panel.x(0.0);
    ink.line(&[(zero, panel.top), (zero, panel.bottom)], EXPIRY, 1.5)?;
    for (at, reads) in digest.herd.bins.iter().enumerate().filter(|(_, reads)| **reads > 0.0) {
        let start = HERD_SPAN_S.0 + at as f64 * HERD_BIN_S;
        let colour = if strategy.valid { BAR } else { BAR_INVALID };
        ink.rect((panel.x(start) + 0.5, panel.y(*reads)), (panel.x(start + HERD_BIN_S) - 0.5, panel.bottom), colour)?;
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

/// What the zero of a panel is, and how many reads followed it.
pub(crate) fn said(strategy: &Strategy, digest: &Digest) -> String {
    let by_theory = match (&strategy.predicted, theory::no_herd(strategy)) {
        (Some(predicted), _) => format!(", by theory {:.1}", predicted.per_expiry),
        (None, Some(because)) => format!(" (no theory: {because})"),
        (None, None) => String::new(),
    };
    what(strategy, digest, &by_theory)
}

fn what(strategy: &Strategy, digest: &Digest, by_theory: &str) -> String {
    if strategy.origin.is_none() {
        return words::NO_LEDGER.to_owned();
    }
    if digest.herd_lacks().is_some() {
        return "not known".to_owned();
    }
    let reads: f64 = digest.herd.bins.iter().sum();
    match digest.herd.aligned {
        Aligned::Expiries(count) => {
            format!(
                "mean of {count} {}: {reads:.1} reads each in {:.0} s{by_theory}",
                plural(count, "expiry", "expiries"),
                HERD_SPAN_S.1
            )
        }
        Aligned::Refreshes(count) => {
            format!(
                "never seen to expire, so zero is the first read of each of its {count} {}: {reads:.1} reads each in {:.0} s{by_theory}",
                plural(count, "refresh", "refreshes"),
                HERD_SPAN_S.1
            )
        }
        Aligned::FirstWave(at) => {
            format!("zero is the first expiry of any key, {at:.2} s into the run; {reads:.0} reads shown")
        }
        Aligned::FirstRead(at) => {
            format!("no expiry seen, so zero is the first read, {at:.2} s into the run; {reads:.0} reads shown")
        }
        Aligned::Nothing => "nothing to align on: no expiry and no read whole within the measured phase".to_owned(),
    }
}

fn plural(count: usize, one: &'static str, more: &'static str) -> &'static str {
    if count == 1 { one } else { more }
}
