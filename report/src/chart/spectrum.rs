//! The latency spectrum: every percentile of every strategy, the rare ones as wide as the common ones.

use hdrhistogram::Histogram;
use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

use super::axis::{Panel, Scale, pushed_apart};
use super::ink::{ALARM, At, Drawn, FAINT, GRID, Ink, TEXT};
use super::{Chart, WIDTH};
use crate::digest::Digest;
use crate::record::Run;
use crate::words;

/// Okabe and Ito's palette without its yellow, which is not to be seen on white.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0x00, 0x00, 0x00),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
];
/// Steps to a decade of 1/(1−p).
const STEPS: usize = 60;

/// `charts/latency-spectrum.svg|png`.
pub(crate) struct Spectrum<'a> {
    pub(crate) run: &'a Run,
    pub(crate) digests: &'a [Digest],
}

/// One strategy's line: (log10 of 1/(1−p), milliseconds).
struct Line<'a> {
    name: &'a str,
    valid: bool,
    order: usize,
    points: Vec<(f64, f64)>,
}

impl Chart for Spectrum<'_> {
    fn name(&self) -> String {
        "latency-spectrum".to_owned()
    }

    fn alt(&self) -> String {
        let each = self.run.strategies.iter().map(|strategy| {
            let latency = &strategy.latency_ms;
            let invalid = if strategy.valid { "" } else { " (INVALID)" };
            format!(
                "{}{invalid}: p50 {}, p99 {}",
                strategy.name,
                words::ms_with_unit(latency.p50),
                words::ms_with_unit(latency.p99)
            )
        });
        format!("Response time at every percentile, one line a strategy. {}.", each.collect::<Vec<_>>().join(". "))
    }

    fn height(&self) -> f64 {
        560.0
    }

    fn draw<DB: DrawingBackend>(&self, ink: &Ink<'_, DB>) -> Drawn<DB> {
        ink.paper()?;
        let title = format!("{}: response time at every percentile", self.run.scenario);
        ink.text(&ink.fitted(&title, 19.0, WIDTH - 32.0), (16.0, 22.0), 19.0, TEXT, At::Left)?;
        ink.text(&ink.fitted(&words::setting(self.run), 11.0, WIDTH - 32.0), (16.0, 45.0), 11.0, FAINT, At::Left)?;
        let how = "counted from the intended send · measured phase, all outcomes · milliseconds, log scale";
        ink.text(how, (16.0, 61.0), 11.0, FAINT, At::Left)?;
        let lines = self.lines();
        let labels = lines.iter().map(|line| line.label_width(ink)).fold(0.0, f64::max);
        let right = WIDTH - 30.0 - labels.max(20.0);
        let decades = lines.iter().flat_map(|line| &line.points).map(|point| point.0).fold(2.0, f64::max);
        let y = Scale::log_around(lines.iter().flat_map(|line| &line.points).map(|point| point.1));
        let panel = Panel { left: 62.0, right, top: 86.0, bottom: 506.0, x: Scale::Linear(0.0, decades), y };
        panel.y_axis(ink, &panel.y.ticks(13))?;
        let ticks = percentiles(decades);
        for (tick, _) in &ticks {
            ink.line(&[(panel.x(*tick), panel.top), (panel.x(*tick), panel.bottom)], GRID, 1.0)?;
        }
        panel.x_axis(ink, &ticks, true)?;
        ink.text(
            "percentile of all requests (each grid step leaves a tenth of them)",
            ((62.0 + right) / 2.0, 540.0),
            11.0,
            FAINT,
            At::Middle,
        )?;
        ink.upward("response time, ms", (14.0, 296.0), 11.0, FAINT)?;
        if lines.is_empty() {
            return panel.say(ink, "no response times were recorded");
        }
        draw_lines(ink, &panel, &lines)
    }
}

impl Line<'_> {
    fn label<DB: DrawingBackend>(&self, ink: &Ink<'_, DB>) -> String {
        ink.fitted_name(self.name, 13.0, 230.0)
    }

    fn label_width<DB: DrawingBackend>(&self, ink: &Ink<'_, DB>) -> f64 {
        let mark = if self.valid { 0.0 } else { 6.0 + ink.width("INVALID", 11.0) };
        ink.width(&self.label(ink), 13.0) + mark
    }
}

impl Spectrum<'_> {
    fn lines(&self) -> Vec<Line<'_>> {
        let both = self.run.strategies.iter().zip(self.digests).enumerate();
        both.filter_map(|(order, (strategy, digest))| {
            let points = points(digest.response.as_ref()?);
            Some(Line { name: &strategy.name, valid: strategy.valid, order, points })
        })
        .collect()
    }
}

/// Percentiles of a histogram of nanoseconds, from p0 to the one that a single request still makes.
fn points(histogram: &Histogram<u64>) -> Vec<(f64, f64)> {
    let decades = (histogram.len() as f64).log10();
    let steps = (decades * STEPS as f64).ceil() as usize;
    let at = |step: usize| (step as f64 / STEPS as f64).min(decades);
    let value = |x: f64| histogram.value_at_quantile(1.0 - 10_f64.powf(-x)) as f64 / 1e6;
    (0..=steps).map(|step| (at(step), value(at(step)))).collect()
}

/// Ticks at 0 %, 50 %, 90 %, 99 % …
fn percentiles(decades: f64) -> Vec<(f64, String)> {
    let mut ticks = vec![(0.0, "0 %".to_owned()), (2_f64.log10(), "50 %".to_owned())];
    for nines in 1..=decades.floor() as i32 {
        let decimals = (nines - 2).max(0) as usize;
        ticks.push((f64::from(nines), format!("{:.decimals$} %", 100.0 - 100.0 / 10_f64.powi(nines))));
    }
    ticks
}

fn draw_lines<DB: DrawingBackend>(ink: &Ink<'_, DB>, panel: &Panel, lines: &[Line<'_>]) -> Drawn<DB> {
    let mut ends = Vec::new();
    for line in lines {
        let colour = COLOURS[line.order % COLOURS.len()];
        let points: Vec<(f64, f64)> = line.points.iter().map(|(x, y)| panel.at(*x, *y)).collect();
        // The second round of the palette, and what is invalid, is dashed.
        if line.order >= COLOURS.len() || !line.valid {
            ink.dashed(&points, colour, 2.0)?;
        } else {
            ink.line(&points, colour, 2.0)?;
        }
        ends.push(points.last().copied().unwrap_or((panel.left, panel.bottom)));
    }
    let wanted: Vec<f64> = ends.iter().map(|end| end.1).collect();
    let places = pushed_apart(&wanted, 17.0, panel.top, panel.bottom);
    for ((line, end), y) in lines.iter().zip(ends).zip(places) {
        let colour = COLOURS[line.order % COLOURS.len()];
        ink.line(&[(end.0 + 2.0, end.1), (panel.right + 14.0, y)], colour, 1.0)?;
        let name = line.label(ink);
        ink.text(&name, (panel.right + 18.0, y), 13.0, colour, At::Left)?;
        if !line.valid {
            ink.text("INVALID", (panel.right + 24.0 + ink.width(&name, 13.0), y), 11.0, ALARM, At::Left)?;
        }
    }
    Ok(())
}
