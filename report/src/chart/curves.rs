//! One knob: a panel a figure, a line a strategy, the mean over the seeds with a band from the smallest to the largest.

use super::Chart;
use super::ink::{ALARM, At, COLOURS, FAULT, GRID, Ink, TEXT, WIDTH};
use crate::draw::{AxisScale, DrawnPoint, Frame, HUES, Ticks, ends, last_of, unbroken};
use crate::sweep::figures_text::{figure_text, is_share, seeds_run, setting, title};
use crate::sweep::{Spread, Sweep, SweptKnob};

const TOP: f64 = 84.0;
const PANEL: f64 = 132.0;
const STEP: f64 = PANEL + 40.0;
/// An axis whose ends are further apart than this is logarithmic.
const LOG_FROM: f64 = 50.0;

/// `charts/curves.svg|png`.
pub(crate) struct Curves<'a> {
    pub(crate) sweep: &'a Sweep,
    /// The knob on the x axis, as an index.
    pub(crate) knob: usize,
}

/// A strategy's points in one panel, in the order of x: where, and what; nothing where it is unknown or invalid.
struct Line<'a> {
    name: &'a str,
    order: usize,
    points: Vec<DrawnPoint<Spread>>,
}

impl Chart for Curves<'_> {
    fn name(&self) -> String {
        "curves".to_owned()
    }

    fn alt(&self) -> String {
        let each = |metric: &String| {
            let lines = self.lines(metric).into_iter().map(|line| {
                let known = line.points.iter().filter_map(|(_, spread)| spread.map(|spread| spread.mean));
                let (low, high) = ends(known).unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
                let (low, high) = (figure_text(metric, low), figure_text(metric, high));
                format!("{} between {low} and {high}", line.name)
            });
            format!("{}: {}", title(metric), lines.collect::<Vec<_>>().join(", "))
        };
        let all: Vec<String> = self.sweep.charted.iter().map(each).collect();
        format!("What {} does, mean and range over the seeds. {}.", self.axis().name, all.join(". "))
    }

    fn height(&self) -> f64 {
        TOP + STEP * self.sweep.charted.len().max(1) as f64 + 36.0
    }

    fn draw(&self, ink: &mut Ink) {
        let knob = self.axis();
        let title = format!("{}: what {} does", self.sweep.scenario, knob.name);
        ink.head(&title, &[&setting(self.sweep), &self.legend()]);
        let names = self.sweep.strategies();
        let widest = names.iter().map(|name| ink.width(&ink.fitted_name(name, 12.0, 180.0), 12.0)).fold(0.0, f64::max);
        let right = WIDTH - 24.0 - widest;
        let x = self.x_scale();
        for (at, metric) in self.sweep.charted.iter().enumerate() {
            let lines = self.lines(metric);
            let top = TOP + 22.0 + STEP * at as f64;
            let panel =
                Frame { left: 62.0, right, top, bottom: top + PANEL, x, y: y_scale(&lines, self.limits(metric)) };
            let last = at + 1 == self.sweep.charted.len();
            self.panel(ink, &panel, metric, &lines, last);
        }
        let unit = knob.unit.as_deref().filter(|unit| !unit.is_empty());
        let unit = unit.map_or_else(String::new, |unit| format!(", {unit}"));
        let below = self.height() - 14.0;
        ink.text(&format!("{}{unit}", knob.name), ((62.0 + right) / 2.0, below), 12.0, TEXT, At::Middle)
    }
}

impl Curves<'_> {
    fn axis(&self) -> &SweptKnob {
        &self.sweep.knobs[self.knob]
    }

    fn legend(&self) -> String {
        let seeds = match self.sweep.seeds_run() {
            (_, 1) => "one seed: how far chance alone moves a line is not known".to_owned(),
            _ => format!("line: mean over {}; band: smallest to largest", seeds_run(self.sweep)),
        };
        match &self.sweep.goal {
            Some(goal) if goal.conditions.is_empty() => seeds,
            Some(_) => format!("{seeds}; dashed: a limit of the goal"),
            None => seeds,
        }
    }

    /// Where a value stands: at its number, or at its place in the list.
    fn place(&self, value: usize) -> f64 {
        let numbers = self.axis().unit.is_some();
        self.axis().values[value].number.filter(|_| numbers).unwrap_or(value as f64)
    }

    fn x_scale(&self) -> AxisScale {
        let places = (0..self.axis().values.len()).map(|value| self.place(value));
        let (low, high) = ends(places).unwrap_or((0.0, 0.0));
        if self.axis().unit.is_none() {
            return AxisScale::Linear(low - 0.3, high + 0.3);
        }
        match () {
            () if high <= low => AxisScale::Linear(low - 0.5, high + 0.5),
            () if low > 0.0 && high / low >= LOG_FROM => AxisScale::Log(low / 1.1, high * 1.1),
            () => AxisScale::Linear(low - (high - low) * 0.02, high + (high - low) * 0.02),
        }
    }

    fn x_ticks(&self, ink: &Ink, panel: &Frame) -> Ticks {
        // The values themselves where there is room for them, else round numbers.
        let values = &self.axis().values;
        let number = |value: &crate::sweep::SweptValue| value.number.map(|n| ((n * 1e6).round() / 1e6).to_string());
        let text = |value: usize| {
            let numbers = self.axis().unit.is_some();
            number(&values[value]).filter(|_| numbers).unwrap_or_else(|| values[value].text.clone())
        };
        let ticks: Ticks = (0..values.len()).map(|value| (self.place(value), text(value))).collect();
        let mut places: Vec<(f64, f64)> =
            ticks.iter().map(|(x, label)| (panel.x(*x), ink.width(label, 11.0) / 2.0 + 4.0)).collect();
        places.sort_by(|one, two| one.0.total_cmp(&two.0));
        let fits = places.windows(2).all(|pair| pair[1].0 - pair[1].1 >= pair[0].0 + pair[0].1);
        if fits || self.axis().unit.is_none() { ticks } else { panel.x.ticks(12) }
    }

    fn lines(&self, metric: &str) -> Vec<Line<'_>> {
        let strategies = self.sweep.strategies().into_iter().enumerate();
        let mut lines: Vec<Line<'_>> =
            strategies.map(|(order, name)| Line { name, order, points: Vec::new() }).collect();
        for point in &self.sweep.points {
            let line = lines.iter_mut().find(|line| line.name == point.strategy);
            let (Some(line), Some(value)) = (line, self.sweep.value_of(point, self.knob)) else { continue };
            let spread = point.figures.get(metric).copied().flatten().filter(|_| point.valid);
            line.points.push((self.place(value), spread));
        }
        for line in &mut lines {
            line.points.sort_by(|one, two| one.0.total_cmp(&two.0));
        }
        lines
    }

    /// The limits that the goal sets to a figure, each as it was typed.
    fn limits(&self, metric: &str) -> Ticks {
        let conditions = self.sweep.goal.iter().flat_map(|goal| &goal.conditions);
        let of = conditions.filter(|condition| condition.metric == metric);
        of.map(|condition| (condition.limit, condition.text.clone())).collect()
    }

    fn panel(&self, ink: &mut Ink, panel: &Frame, metric: &str, lines: &[Line<'_>], last: bool) {
        let log = if matches!(panel.y, AxisScale::Log(..)) { ", log scale" } else { "" };
        ink.text(&format!("{}{log}", title(metric)), (panel.left, panel.top - 13.0), 12.0, TEXT, At::Left);
        panel.y_axis(ink, &y_ticks(panel, metric));
        for (tick, _) in self.x_ticks(ink, panel) {
            panel.vertical(ink, tick, GRID, 1.0);
        }
        for (limit, said) in self.limits(metric) {
            let y = panel.y(limit);
            ink.dashed(&[(panel.left, y), (panel.right, y)], FAULT, 1.2);
            ink.text(&said, (panel.left + 4.0, y - 8.0), 10.5, FAULT, At::Left);
        }
        // Bands first, so that none hides a line.
        for line in lines {
            for run in unbroken(&line.points) {
                ink.band(&band(panel, &run), COLOURS[line.order % HUES]);
            }
        }
        for line in lines {
            let colour = COLOURS[line.order % HUES];
            for run in unbroken(&line.points) {
                let points: Vec<(f64, f64)> = run.iter().map(|(x, spread)| panel.at(*x, spread.mean)).collect();
                ink.line(&points, colour, 1.8);
                for (x, y) in points {
                    ink.rect((x - 2.0, y - 2.0), (x + 2.0, y + 2.0), colour);
                }
            }
        }
        let ticks = self.x_ticks(ink, panel);
        panel.x_axis(ink, &ticks, last);
        self.names(ink, panel, lines);
        self.invalid(ink, panel)
    }

    /// The strategies' names at the right, each beside the end of its line.
    fn names(&self, ink: &mut Ink, panel: &Frame, lines: &[Line<'_>]) {
        let named = lines.iter().filter_map(|line| {
            let name = ink.fitted_name(line.name, 12.0, 180.0);
            Some((name, COLOURS[line.order % HUES], last_of(&line.points)?.mean))
        });
        let named: Vec<_> = named.collect();
        if named.is_empty() {
            return panel.say(ink, "not known of any run");
        }
        panel.names(ink, &named, 12.0)
    }

    /// A red mark on the axis where a run was invalid.
    fn invalid(&self, ink: &mut Ink, panel: &Frame) {
        for point in self.sweep.points.iter().filter(|point| !point.valid && point.runs > 0) {
            let Some(value) = self.sweep.value_of(point, self.knob) else { continue };
            let x = panel.x(self.place(value));
            ink.pointer((x, panel.bottom), ALARM);
            ink.text(&format!("{} invalid", point.strategy), (x + 5.0, panel.top + 9.0), 10.0, ALARM, At::Left);
        }
    }
}

/// Round numbers; shares in percent.
fn y_ticks(panel: &Frame, metric: &str) -> Ticks {
    let percent = |share: f64| format!("{}%", (share * 1e6).round() / 1e4);
    let ticks = panel.y.ticks(4).into_iter();
    ticks.map(|(tick, label)| (tick, if is_share(metric) { percent(tick) } else { label })).collect()
}

/// From the smallest values forth to the largest ones back.
fn band(panel: &Frame, run: &[(f64, Spread)]) -> Vec<(f64, f64)> {
    let low = run.iter().map(|(x, spread)| panel.at(*x, spread.min));
    let high = run.iter().rev().map(|(x, spread)| panel.at(*x, spread.max));
    low.chain(high).collect()
}

/// The scale that holds every band and every limit near it; logarithmic where the strategies are far apart.
fn y_scale(lines: &[Line<'_>], limits: Vec<(f64, String)>) -> AxisScale {
    let spreads = || lines.iter().flat_map(|line| &line.points).filter_map(|(_, spread)| *spread);
    let most = spreads().map(|spread| spread.max).fold(0.0, f64::max);
    let least = spreads().map(|spread| spread.min).fold(f64::INFINITY, f64::min);
    // A limit far above everything would flatten what is to be seen.
    let near: Vec<f64> = limits.into_iter().map(|(limit, _)| limit).filter(|limit| *limit <= most * 2.0).collect();
    if least > 0.0 && most / least >= LOG_FROM {
        return AxisScale::log_around(spreads().flat_map(|spread| [spread.min, spread.max]).chain(near));
    }
    AxisScale::counts(near.into_iter().fold(most, f64::max), 4)
}
