//! One strategy over time: what reached the origin each second, and what the clients felt.

use std::collections::BTreeMap;

use super::ink::{ALARM, At, EXPIRY, FAINT, FAULT, FLOOR, Ink, PAPER, SHADE, TEXT, WIDTH};
use super::response::{Percentiles, SERVICE_P99};
use super::{Chart, containers, seconds, server};
use crate::draw::{AxisScale, Containers, Frame, floor_rate, whole};
use crate::record::{BinRow, Run, Strategy};
use crate::render::digest::Digest;
use crate::text::phrases;

const LEFT: f64 = 62.0;
const RIGHT: f64 = WIDTH - 88.0;
/// Height of the panel of origin reads, and of the sentence that stands in its place where there is no ledger.
const READS: f64 = 186.0;
const NO_READS: f64 = 44.0;
/// Height of the panel of containers, and from the latency panel's bottom to its top.
const CONTAINERS: f64 = 96.0;
const ABOVE_CONTAINERS: f64 = 62.0;

/// `charts/<folder>.svg|png`.
pub(crate) struct StrategyChart<'a> {
    pub(crate) run: &'a Run,
    pub(crate) strategy: &'a Strategy,
    pub(crate) digest: &'a Digest,
}

impl Chart for StrategyChart<'_> {
    fn name(&self) -> String {
        let name = self.strategy.folder.replace('/', "-");
        // A strategy may be called like one of the run's own charts, and keeps its picture nevertheless.
        if ["comparison", "herd", "latency-spectrum"].contains(&name.as_str()) {
            format!("{name}-strategy")
        } else {
            name
        }
    }

    fn alt(&self) -> String {
        let state =
            if self.strategy.valid { String::new() } else { format!(" INVALID: {}.", phrases::reasons(self.strategy)) };
        format!(
            "{}: origin reads and response times second by second. {}.{state}",
            self.strategy.name,
            phrases::figures(self.strategy)
        )
    }

    fn height(&self) -> f64 {
        let containers = if self.containers().services.is_empty() { 0.0 } else { ABOVE_CONTAINERS + CONTAINERS };
        self.top() + 318.0 + self.reads_height() + containers
    }

    fn draw(&self, ink: &mut Ink) {
        self.head(ink);
        let (reads, latency) = self.panels();
        for panel in [&reads, &latency] {
            self.warmup(ink, panel);
        }
        self.reads(ink, &reads);
        self.latency(ink, &latency);
        self.faults(ink, &reads, &latency);
        self.warmup_label(ink, &reads);
        let (all, mut lowest) = (self.containers(), latency);
        if !all.services.is_empty() {
            let top = latency.bottom + ABOVE_CONTAINERS;
            lowest = Frame { top, bottom: top + CONTAINERS, y: AxisScale::counts(all.most(), 4), ..latency };
            self.warmup(ink, &lowest);
            containers::draw(ink, &lowest, &all);
        }
        let middle = ((LEFT + RIGHT) / 2.0, lowest.bottom + 31.0);
        ink.text("seconds since the measured phase began", middle, 11.0, FAINT, At::Middle)
    }
}

impl StrategyChart<'_> {
    /// Where the panels begin; a banner needs room above them.
    fn top(&self) -> f64 {
        if self.strategy.valid { 98.0 } else { 132.0 }
    }

    fn reads_height(&self) -> f64 {
        if self.strategy.origin.is_some() { READS } else { NO_READS }
    }

    fn head(&self, ink: &mut Ink) {
        let room = WIDTH - 32.0;
        let name = ink.fitted_name(&self.strategy.name, 19.0, room);
        ink.text(&name, (16.0, 22.0), 19.0, TEXT, At::Left);
        let after = 16.0 + ink.width(&name, 19.0) + 14.0;
        if self.strategy.spec != self.strategy.name && WIDTH - after > 120.0 {
            let spec = ink.fitted(&self.strategy.spec, 13.0, WIDTH - 16.0 - after);
            ink.text(&spec, (after, 24.0), 13.0, FAINT, At::Left);
        }
        let state = if self.strategy.valid { "valid" } else { "INVALID" };
        let cut = self.strategy.cut_after_s.map_or_else(String::new, |cut| format!("CUT SHORT after {cut:.1} s · "));
        let figures = format!("{cut}{} · {state}", phrases::figures(self.strategy));
        ink.text(&ink.fitted(&figures, 13.0, room), (16.0, 46.0), 13.0, TEXT, At::Left);
        ink.text(&ink.fitted(&phrases::setting(self.run), 10.5, room), (16.0, 65.0), 10.5, FAINT, At::Left);
        ink.text(&ink.fitted(&phrases::load_caption(self.run), 10.5, room), (16.0, 80.0), 10.5, FAINT, At::Left);
        if self.strategy.valid {
            return;
        }
        ink.rect((16.0, 94.0), (WIDTH - 16.0, 120.0), ALARM);
        let banner = format!("INVALID – do not use these numbers: {}", phrases::reasons(self.strategy));
        ink.text(&ink.fitted(&banner, 13.0, room - 20.0), (26.0, 107.0), 13.0, PAPER, At::Left)
    }

    /// The two panels, one x scale. Rows beyond the measured phase are drains and are left out.
    fn panels(&self) -> (Frame, Frame) {
        // The measured phase sets the scale: a cold warm-up must not flatten what counts.
        let measured =
            self.rows().filter(|row| row.start_ms >= 0).filter_map(|row| row.origin_starts).map(|reads| reads as f64);
        let largest = measured.fold(floor_rate(self.run, self.strategy).unwrap_or(0.0), f64::max);
        let x = AxisScale::Linear(-self.run.warmup_s.max(0.0), self.run.duration_s.max(1.0));
        let top = self.top() + 34.0;
        let reads = Frame {
            left: LEFT,
            right: RIGHT,
            top,
            bottom: top + self.reads_height(),
            x,
            y: AxisScale::counts(largest, 5),
        };
        let top = reads.bottom + 84.0;
        (reads, Frame { left: LEFT, right: RIGHT, top, bottom: top + 152.0, x, y: self.percentiles().scale() })
    }

    /// Rows that lie within the chart.
    fn rows(&self) -> impl Iterator<Item = &BinRow> + Clone {
        let from = -(self.run.warmup_s * 1000.0).ceil() as i64;
        let to = (self.run.duration_s * 1000.0).ceil() as i64;
        // A warm-up of 2.5 s begins in the middle of a row.
        self.digest.seconds.iter().filter(move |row| row.start_ms > from - 1000 && row.start_ms < to)
    }

    /// Whether a moment lies within the chart.
    fn shows(&self, at_s: f64) -> bool {
        at_s >= -self.run.warmup_s && at_s <= self.run.duration_s
    }

    fn containers(&self) -> Containers {
        Containers::of(&self.digest.containers, -self.run.warmup_s, self.run.duration_s)
    }

    fn percentiles(&self) -> Percentiles {
        let none = BTreeMap::new();
        let service = if self.service_differs() { &self.digest.service_p99 } else { &none };
        Percentiles::of(self.rows(), service, self.run.duration_s)
    }

    fn service_differs(&self) -> bool {
        self.digest.service_differs(self.rows())
    }

    fn warmup(&self, ink: &mut Ink, panel: &Frame) {
        if self.run.warmup_s <= 0.0 {
            return;
        }
        ink.rect((panel.left, panel.top), (panel.x(0.0), panel.bottom), SHADE);
    }

    /// The name of the shaded part, and how far its bars would reach beyond the scale.
    fn warmup_label(&self, ink: &mut Ink, panel: &Frame) {
        if self.run.warmup_s <= 0.0 {
            return;
        }
        let highest = self.rows().filter(|row| row.start_ms < 0).filter_map(|row| row.origin_starts).max().unwrap_or(0);
        let beyond = matches!(panel.y, AxisScale::Linear(_, to) if highest as f64 > to);
        let reach = if beyond { format!(", up to {highest}") } else { String::new() };
        ink.text(&format!("grey: warm-up{reach}"), (LEFT, panel.bottom + 29.0), 10.5, FAINT, At::Left)
    }

    fn reads(&self, ink: &mut Ink, panel: &Frame) {
        self.keys(ink, panel);
        if self.strategy.origin.is_none() {
            panel.x_axis(ink, &panel.x.ticks(12), true);
            return panel.say(ink, phrases::NO_LEDGER);
        }
        panel.y_axis(ink, &whole(panel.y.ticks(5)));
        let of = (self.run, self.strategy);
        seconds::bars(ink, panel, of, self.rows());
        seconds::floor_and_cut(ink, panel, of, 11.0);
        for expiry in self.digest.expiries_s.iter().filter(|at| self.shows(**at)) {
            ink.pointer((panel.x(*expiry), panel.top - 1.0), EXPIRY);
        }
        panel.x_axis(ink, &panel.x.ticks(12), true);
        if self.digest.missing.contains(&"seconds.csv") {
            return panel.say(ink, "no seconds.csv in this strategy's folder: nothing can be drawn");
        }
        if self.rows().all(|row| row.origin_starts == Some(0)) {
            panel.say(ink, "no read reached the origin");
        }
    }

    /// The panel's name, and on the right what its marks mean.
    fn keys(&self, ink: &mut Ink, panel: &Frame) {
        let y = self.top() + 10.0;
        ink.text("Origin reads in each second", (16.0, y), 13.0, TEXT, At::Left);
        let mut x = RIGHT;
        if floor_rate(self.run, self.strategy).is_some() {
            let text = "floor: what a perfect refresher would read, on average";
            ink.text(text, (x, y), 10.5, FAINT, At::Right);
            x -= ink.width(text, 10.5) + 26.0;
            ink.dashed(&[(x, y), (x + 21.0, y)], FLOOR, 1.5);
            x -= 18.0;
        }
        if !self.digest.expiries_s.is_empty() {
            let text = "hot key expires";
            ink.text(text, (x, y), 10.5, FAINT, At::Right);
            x -= ink.width(text, 10.5) + 10.0;
            ink.pointer((x, y + 3.0), EXPIRY);
        }
        if self.digest.missing.contains(&"events.jsonl") {
            let text = "no events.jsonl: expiries and faults are not marked";
            ink.text(text, (x, y), 10.5, TEXT, At::Right);
            x -= ink.width(text, 10.5);
        }
        debug_assert!(x > panel.left, "the keys run into the panel's name");
    }

    /// A line through both panels for each fault; a label where there is room for it.
    fn faults(&self, ink: &mut Ink, reads: &Frame, latency: &Frame) {
        // The lower row first: the mark of a later label, in the upper row, then crosses no text.
        // It also leaves the warm-up's label its place.
        let upper = reads.bottom + 31.0;
        let mut rows = [(reads.bottom + 44.0, LEFT), (upper, LEFT + 130.0)];
        for (at, what) in self.digest.faults.iter().filter(|(at, _)| self.shows(*at)) {
            let x = reads.x(*at);
            for panel in [reads, latency] {
                panel.vertical(ink, *at, FAULT, 1.5);
            }
            let label = ink.fitted(what, 10.5, 190.0);
            let width = ink.width(&label, 10.5);
            let from = if x + 4.0 + width > WIDTH - 4.0 { x - 4.0 - width } else { x + 4.0 };
            if let Some((y, free_from)) = rows.iter_mut().find(|(_, free_from)| *free_from <= from) {
                let y = *y;
                *free_from = from + width + 10.0;
                ink.text(&label, (from, y), 10.5, FAULT, At::Left);
                // To a label in the lower row it is drawn through the upper one only where that has no text.
                let through = y == upper || x >= rows[1].1;
                ink.line(&[(x, if through { reads.bottom + 22.0 } else { y - 5.0 }), (x, y + 5.0)], FAULT, 1.0);
            }
        }
    }

    fn latency(&self, ink: &mut Ink, panel: &Frame) {
        ink.text("Response time, milliseconds (log)", (16.0, panel.top - 19.0), 13.0, TEXT, At::Left);
        let y = panel.top - 19.0;
        if self.service_differs() {
            let text = "service p99: from the actual send, not the planned one";
            ink.text(text, (RIGHT, y), 10.5, FAINT, At::Right);
            let x = RIGHT - ink.width(text, 10.5) - 8.0;
            ink.dashed(&[(x - 21.0, y), (x, y)], SERVICE_P99, 1.5);
        } else if !self.digest.service_p99.is_empty() {
            let text = "service time, from the actual send, has the same p99 in each second, within 10 % or 1 ms";
            ink.text(text, (RIGHT, y), 10.5, FAINT, At::Right);
        }
        panel.y_axis(ink, &panel.y.ticks(9));
        panel.x_axis(ink, &panel.x.ticks(12), true);
        if self.digest.missing.contains(&"seconds.csv") {
            return panel.say(ink, "no seconds.csv in this strategy's folder");
        }
        server::marks(ink, panel, &self.digest.server, |at| self.shows(at));
        self.percentiles().draw(ink, panel)
    }
}
