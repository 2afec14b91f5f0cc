//! The latency spectrum: every percentile of every strategy, the rare ones as wide as the common ones.
//!
//! In an open loop by two clocks: response time counts from the planned send, service time from the actual one. What lies
//! between them is the wait that a generator which only looks at its own sends would hide (coordinated omission).

use super::Chart;
use super::ink::{ALARM, At, COLOURS, FAINT, GRID, Ink, TEXT, WIDTH};
use crate::draw::{AxisScale, Frame, HUES, percentile_ticks, percentiles_of, pushed_apart};
use crate::record::Run;
use crate::render::digest::Digest;
use crate::text::phrases;

const RESPONSE_WIDTH: f64 = 2.0;
const THIN_WIDTH: f64 = 1.0;
const SERVICE_WIDTH: f64 = 1.5;

/// `charts/latency-spectrum.svg|png`.
pub(crate) struct Spectrum<'a> {
    pub(crate) run: &'a Run,
    pub(crate) digests: &'a [Digest],
}

/// One strategy's lines.
struct Line<'a> {
    name: &'a str,
    valid: bool,
    /// What is said in red behind the name; may be empty.
    mark: String,
    order: usize,
    /// Response time: (log10 of 1/(1−p), milliseconds).
    points: Vec<(f64, f64)>,
    /// Service time, the same; empty in a closed loop and where none was recorded.
    service: Vec<(f64, f64)>,
}

impl Chart for Spectrum<'_> {
    fn name(&self) -> String {
        "latency-spectrum".to_owned()
    }

    fn alt(&self) -> String {
        let each = self.run.strategies.iter().map(|strategy| {
            let latency = &strategy.latency_ms;
            let invalid = if strategy.valid { "" } else { " (INVALID)" };
            let [p50, p99, service] = [latency.p50, latency.p99, strategy.service_ms.p99].map(phrases::ms_with_unit);
            format!("{}{invalid}: p50 {p50}, p99 {p99}, service p99 {service}", strategy.name)
        });
        format!("Response time at every percentile, one line a strategy. {}.", each.collect::<Vec<_>>().join(". "))
    }

    fn height(&self) -> f64 {
        578.0
    }

    fn draw(&self, ink: &mut Ink) {
        let lines = self.lines();
        let both = if lines.iter().all(|line| line.service.is_empty()) { "" } else { " and service time" };
        let title = format!("{}: response time{both} at every percentile", self.run.scenario);
        ink.head(&title, &[&phrases::setting(self.run)]);
        self.clocks(ink, &lines);
        let labels = lines.iter().map(|line| line.label_width(ink)).fold(0.0, f64::max);
        let right = WIDTH - 30.0 - labels.max(20.0);
        let points = || lines.iter().flat_map(|line| line.points.iter().chain(&line.service));
        let decades = points().map(|point| point.0).fold(2.0, f64::max);
        let y = AxisScale::log_around(points().map(|point| point.1));
        let panel = Frame { left: 62.0, right, top: 104.0, bottom: 524.0, x: AxisScale::Linear(0.0, decades), y };
        panel.y_axis(ink, &panel.y.ticks(13));
        let ticks = percentile_ticks(decades);
        for (tick, _) in &ticks {
            panel.vertical(ink, *tick, GRID, 1.0);
        }
        panel.x_axis(ink, &ticks, true);
        ink.text(
            "percentile of all requests of the measured phase (each grid step leaves a tenth of them)",
            ((62.0 + right) / 2.0, 558.0),
            11.0,
            FAINT,
            At::Middle,
        );
        ink.upward("milliseconds, log scale", (14.0, 314.0), 11.0, FAINT);
        let lacking = self.run.strategies.iter().zip(self.digests);
        let lacking = lacking.filter(|(_, digest)| digest.missing.contains(&"latency.hlog"));
        let names: Vec<&str> = lacking.map(|(strategy, _)| strategy.name.as_str()).collect();
        if !names.is_empty() {
            let text = format!("no latency.hlog: {}", names.join(", "));
            let text = ink.fitted(&text, 11.0, right - panel.left - 16.0);
            ink.text(&text, (panel.left + 8.0, panel.top + 12.0), 11.0, TEXT, At::Left);
        } else if lines.is_empty() {
            return panel.say(ink, "no response times were recorded");
        }
        draw_lines(ink, &panel, &lines)
    }
}

impl Line<'_> {
    fn label(&self, ink: &Ink) -> String {
        ink.fitted_name(self.name, 13.0, 230.0)
    }

    fn label_width(&self, ink: &Ink) -> f64 {
        let mark = if self.mark.is_empty() { 0.0 } else { 6.0 + ink.width(&self.mark, 11.0) };
        ink.width(&self.label(ink), 13.0) + mark
    }
}

impl Spectrum<'_> {
    fn lines(&self) -> Vec<Line<'_>> {
        let both = self.run.strategies.iter().zip(self.digests).enumerate();
        both.filter_map(|(order, (strategy, digest))| {
            let points = percentiles_of(digest.response.as_ref()?);
            let service = digest.service.as_ref().map(percentiles_of).unwrap_or_default();
            let mark = if strategy.valid { phrases::failed(strategy, "") } else { "INVALID".to_owned() };
            Some(Line { name: &strategy.name, valid: strategy.valid, mark, order, points, service })
        })
        .collect()
    }

    /// From when the times count, and what that means.
    fn clocks(&self, ink: &mut Ink, lines: &[Line<'_>]) {
        if phrases::closed_loop(self.run) {
            let lag = self.run.strategies.iter().filter_map(|strategy| strategy.lag_ms.p99).reduce(f64::max);
            let lag =
                lag.map_or_else(String::new, |lag| format!(" (p99 at most {})", phrases::ms_with_unit(Some(lag))));
            let same = format!(
                "closed loop: a client plans its next send when it has its answer, so response time is service time plus \
                 the generator's lag{lag};"
            );
            say(ink, &same, 16.0, 61.0);
            let not = "the requests that a stall keeps clients from sending are not in it (coordinated omission)";
            return say(ink, not, 16.0, 77.0);
        }
        let recorded = |digest: &Digest| !digest.missing.contains(&"latency.hlog");
        if self.digests.iter().all(recorded) && lines.iter().all(|line| line.service.is_empty()) {
            return say(ink, "response time, from the planned send; no service times were recorded", 16.0, 61.0);
        }
        let (solid, dashed) = ("response time: from the planned send", "service time: from the actual send");
        ink.line(&[(16.0, 61.0), (50.0, 61.0)], TEXT, RESPONSE_WIDTH);
        say(ink, solid, 57.0, 61.0);
        let x = 57.0 + ink.width(solid, 11.0) + 24.0;
        ink.dashed(&[(x, 61.0), (x + 34.0, 61.0)], TEXT, SERVICE_WIDTH);
        say(ink, dashed, x + 41.0, 61.0);
        let between = "between the two a request waited to be sent; counting from the send hides that wait (coordinated omission)";
        say(ink, between, 16.0, 77.0);
    }
}

fn say(ink: &mut Ink, text: &str, x: f64, y: f64) {
    ink.text(&ink.fitted(text, 11.0, WIDTH - 16.0 - x), (x, y), 11.0, FAINT, At::Left);
}

fn draw_lines(ink: &mut Ink, panel: &Frame, lines: &[Line<'_>]) {
    let mut ends = Vec::new();
    for line in lines {
        let colour = COLOURS[line.order % HUES];
        let points: Vec<(f64, f64)> = line.points.iter().map(|(x, y)| panel.at(*x, *y)).collect();
        // The second round of the palette, and what is invalid, is thin.
        let thin = line.order >= HUES || !line.valid;
        ink.line(&points, colour, if thin { THIN_WIDTH } else { RESPONSE_WIDTH });
        let service: Vec<(f64, f64)> = line.service.iter().map(|(x, y)| panel.at(*x, *y)).collect();
        ink.dashed(&service, colour, SERVICE_WIDTH);
        ends.push(points.last().copied().unwrap_or((panel.left, panel.bottom)));
    }
    let wanted: Vec<f64> = ends.iter().map(|end| end.1).collect();
    let places = pushed_apart(&wanted, 17.0, panel.top, panel.bottom);
    for ((line, end), y) in lines.iter().zip(ends).zip(places) {
        let colour = COLOURS[line.order % HUES];
        ink.line(&[(end.0 + 2.0, end.1), (panel.right + 14.0, y)], colour, 1.0);
        let name = line.label(ink);
        ink.text(&name, (panel.right + 18.0, y), 13.0, colour, At::Left);
        ink.text(&line.mark, (panel.right + 24.0 + ink.width(&name, 13.0), y), 11.0, ALARM, At::Left);
    }
}
