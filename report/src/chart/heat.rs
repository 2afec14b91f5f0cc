//! Two knobs: a strategy's figures as heat maps, one panel a figure, or one figure of every strategy, one panel a strategy;
//! each cell with its mean over the seeds.

use plotters::style::RGBColor;

use super::Chart;
use super::ink::{ALARM, At, FAINT, FAULT, FLOOR, GRID, Ink, PAPER, TEXT, WIDTH};
use crate::draw::ends;
use crate::sweep::figures_text::{figure_text, seeds_run, setting, title};
use crate::sweep::{Point, Sweep};

const TOP: f64 = 96.0;
const LEFT: f64 = 92.0;
const RIGHT: f64 = WIDTH - 24.0;
/// Above a panel for its title, below it for its labels.
const ABOVE: f64 = 30.0;
const BELOW: f64 = 30.0;
/// A panel's cells are so high at most; together never higher than this.
const CELL_MAX: f64 = 28.0;
const PANEL_MAX: f64 = 480.0;
/// From few to many.
const SHADES: [RGBColor; 4] =
    [RGBColor(0xf4, 0xf8, 0xfc), RGBColor(0x9e, 0xc9, 0xe6), RGBColor(0x1f, 0x78, 0xb8), RGBColor(0x06, 0x2a, 0x5c)];
/// Colours follow the logarithm where the figures are further apart than this.
const LOG_FROM: f64 = 30.0;

/// `charts/heatmap-<strategy>.svg|png`, `charts/map-<figure>.svg|png`.
pub(crate) struct HeatMap<'a> {
    pub(crate) sweep: &'a Sweep,
    pub(crate) of: Of<'a>,
    /// The knobs, as indices: whose values are the columns, and whose the rows.
    pub(crate) knobs: (usize, usize),
    pub(crate) name: String,
}

/// What a chart has a panel for each of.
#[derive(Clone, Copy)]
pub(crate) enum Of<'a> {
    /// The charted figures of this strategy.
    Strategy(&'a str),
    /// The strategies, by this figure.
    Figure(&'a str),
}

/// From a figure to a shade.
#[derive(Clone, Copy)]
struct Range {
    low: f64,
    high: f64,
    /// Whether there is no difference worth a colour.
    flat: bool,
}

impl Chart for HeatMap<'_> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn alt(&self) -> String {
        let (columns, rows) = (&self.columns().name, &self.rows().name);
        let each = |metric: &str| {
            let range = self.range(metric);
            let said = range.map_or_else(
                || "not known".to_owned(),
                |r| format!("from {} to {}", figure_text(metric, r.low), figure_text(metric, r.high)),
            );
            format!("{} {said}", title(metric))
        };
        let (of, all) = match self.of {
            Of::Strategy(strategy) => (strategy.to_owned(), self.sweep.charted.iter().map(|m| each(m)).collect()),
            Of::Figure(metric) => (self.sweep.strategies().join(", "), vec![each(metric)]),
        };
        format!("{of} of {}: by {columns} and {rows}. {}.", self.sweep.scenario, all.join(". "))
    }

    fn height(&self) -> f64 {
        TOP + self.step() * self.panels().len().max(1) as f64 + 30.0
    }

    fn draw(&self, ink: &mut Ink) {
        let (columns, rows) = (&self.columns().name, &self.rows().name);
        let heading = match self.of {
            Of::Strategy(strategy) => format!("{}: {strategy} by {columns} and {rows}", self.sweep.scenario),
            // The axes say the rest.
            Of::Figure(metric) => format!("{}: {}", self.sweep.scenario, title(metric)),
        };
        ink.head(&heading, &[&setting(self.sweep)]);
        self.legend(ink);
        for (at, (strategy, metric)) in self.panels().into_iter().enumerate() {
            self.panel(ink, (strategy, metric), TOP + ABOVE + self.step() * at as f64);
        }
        let below = self.height() - 18.0;
        ink.text(columns, ((LEFT + RIGHT) / 2.0, below), 12.0, TEXT, At::Middle)
    }
}

impl HeatMap<'_> {
    fn columns(&self) -> &crate::sweep::SweptKnob {
        &self.sweep.knobs[self.knobs.0]
    }

    fn rows(&self) -> &crate::sweep::SweptKnob {
        &self.sweep.knobs[self.knobs.1]
    }

    fn cell(&self) -> (f64, f64) {
        let (columns, rows) = (self.columns().values.len(), self.rows().values.len());
        ((RIGHT - LEFT) / columns.max(1) as f64, (PANEL_MAX / rows.max(1) as f64).min(CELL_MAX))
    }

    fn step(&self) -> f64 {
        self.cell().1 * self.rows().values.len() as f64 + ABOVE + BELOW
    }

    /// Strategy and figure of each panel.
    fn panels(&self) -> Vec<(&str, &str)> {
        match self.of {
            Of::Strategy(strategy) => self.sweep.charted.iter().map(|metric| (strategy, metric.as_str())).collect(),
            Of::Figure(metric) => self.sweep.strategies().into_iter().map(|strategy| (strategy, metric)).collect(),
        }
    }

    fn shows(&self, strategy: &str) -> bool {
        self.panels().iter().any(|(shown, _)| *shown == strategy)
    }

    fn points<'s>(&'s self, strategy: &'s str) -> impl Iterator<Item = (usize, &'s Point)> {
        self.sweep.points.iter().enumerate().filter(move |(_, point)| point.strategy == strategy)
    }

    /// Whether the cells are large enough for all of a panel's figures: some without theirs would look like a choice.
    fn has_room(&self, ink: &Ink, (strategy, metric): (&str, &str)) -> bool {
        let (width, height) = self.cell();
        let known = self.points(strategy).filter_map(|(_, point)| point.figures.get(metric).copied().flatten());
        height >= 13.0 && known.map(|s| ink.width(&figure_text(metric, s.mean), 11.0)).all(|text| text + 3.0 <= width)
    }

    /// What the colours mean is the same in the maps of all strategies.
    fn range(&self, metric: &str) -> Option<Range> {
        let points = self.sweep.points.iter().filter(|point| point.valid);
        let known = points.filter_map(|point| point.figures.get(metric).copied().flatten());
        ends(known.map(|spread| spread.mean)).map(|(low, high)| {
            // Colours that nobody could read from the figures, or that a busy machine alone would paint, say nothing.
            let flat = figure_text(metric, low) == figure_text(metric, high);
            Range { low, high, flat: flat || metric.contains("_ms") && high - low < 1.0 }
        })
    }

    fn legend(&self, ink: &mut Ink) {
        let one = self.sweep.seeds_run().1 == 1;
        let seeds = seeds_run(self.sweep);
        let mean = if one { seeds } else { format!("means over {seeds}") };
        let goal = match &self.sweep.goal {
            None => return ink.text(&mean, (16.0, 61.0), 11.0, FAINT, At::Left),
            Some(goal) => goal,
        };
        ink.text(&format!("{mean}; goal: {}", goal.text), (16.0, 61.0), 11.0, FAINT, At::Left);
        let mut x = 16.0;
        if !goal.conditions.is_empty() {
            ink.rect((x, 72.0), (x + 22.0, 86.0), SHADES[1]);
            corner(ink, (x, 72.0), (x + 22.0, 86.0));
            let said = if one { "misses the goal" } else { "misses the goal with one seed or more" };
            ink.text(said, (x + 28.0, 79.0), 11.0, FAINT, At::Left);
            x += 40.0 + ink.width(said, 11.0);
        }
        let best = self.best().is_some_and(|best| self.shows(&self.sweep.points[best].strategy));
        let equal = self.sweep.equally_best();
        if equal > 1 {
            let said = format!("{equal} of {} settings are equally best: none is framed", self.sweep.settings_run());
            ink.text(&said, (x, 79.0), 11.0, FAINT, At::Left);
        } else if best {
            frame(ink, (x, 72.0), (x + 22.0, 86.0));
            ink.text("best by the goal", (x + 28.0, 79.0), 11.0, FAINT, At::Left);
        } else if self.best().is_some() {
            ink.text("the best by the goal is another strategy's", (x, 79.0), 11.0, FAINT, At::Left);
        }
    }

    /// The best by the goal, where there is one: among equals the first would be the grid's choice.
    fn best(&self) -> Option<usize> {
        self.sweep.ranking.first().filter(|_| self.sweep.equally_best() == 1).map(|ranked| ranked.point)
    }

    fn panel(&self, ink: &mut Ink, of: (&str, &str), top: f64) {
        let (strategy, metric) = of;
        let above = match self.of {
            Of::Strategy(_) => title(metric),
            Of::Figure(_) => ink.fitted(strategy, 12.0, RIGHT - LEFT - 220.0),
        };
        ink.text(&above, (LEFT, top - 12.0), 12.0, TEXT, At::Left);
        let range = self.range(metric);
        if let Some(range) = range {
            scale_bar(ink, metric, range, top - 12.0);
        }
        let (width, height) = self.cell();
        let (rows, room) = (self.rows().values.len(), self.has_room(ink, of));
        let at = |column: usize, row: usize| {
            // The first row stands at the bottom, as on any axis.
            let (x, y) = (LEFT + width * column as f64, top + height * (rows - 1 - row) as f64);
            ((x, y), (x + width, y + height))
        };
        let meeting = self.sweep.meeting();
        for (index, point) in self.points(strategy) {
            let column = self.sweep.value_of(point, self.knobs.0);
            let (Some(column), Some(row)) = (column, self.sweep.value_of(point, self.knobs.1)) else { continue };
            let (from, to) = at(column, row);
            let mean = point.figures.get(metric).copied().flatten().map(|spread| spread.mean);
            match (point.valid, mean, range) {
                (true, Some(mean), Some(range)) => {
                    let missed = meeting.as_ref().is_some_and(|meeting| !meeting.contains(&index));
                    let text = if room { figure_text(metric, mean) } else { String::new() };
                    cell(ink, (from, to), range.shade(mean), &text, missed);
                }
                (false, ..) if point.runs > 0 => said(ink, (from, to), "INVALID", ALARM),
                _ => said(ink, (from, to), "–", FAINT),
            }
        }
        if let Some(best) = self.best().map(|best| &self.sweep.points[best]).filter(|p| p.strategy == strategy)
            && let (Some(column), Some(row)) =
                (self.sweep.value_of(best, self.knobs.0), self.sweep.value_of(best, self.knobs.1))
        {
            let (from, to) = at(column, row);
            frame(ink, from, to);
        }
        self.labels(ink, top)
    }

    fn labels(&self, ink: &mut Ink, top: f64) {
        let (width, height) = self.cell();
        let (columns, rows) = (&self.columns().values, &self.rows().values);
        let bottom = top + height * rows.len() as f64;
        let widest = columns.iter().map(|value| ink.width(&value.text, 11.0)).fold(0.0, f64::max) + 8.0;
        let every = (widest / width).ceil().max(1.0) as usize;
        for (at, value) in columns.iter().enumerate().step_by(every) {
            let x = LEFT + width * (at as f64 + 0.5);
            ink.text(&ink.fitted(&value.text, 11.0, RIGHT - LEFT), (x, bottom + 11.0), 11.0, FAINT, At::Middle);
        }
        let every = (13.0 / height).ceil().max(1.0) as usize;
        for (at, value) in rows.iter().enumerate().step_by(every) {
            let y = bottom - height * (at as f64 + 0.5);
            ink.text(&ink.fitted(&value.text, 11.0, LEFT - 34.0), (LEFT - 7.0, y), 11.0, FAINT, At::Right);
        }
        ink.upward(&self.rows().name, (14.0, (top + bottom) / 2.0), 11.0, TEXT)
    }
}

impl Range {
    /// 0 for the lowest, 1 for the highest.
    fn place(self, value: f64) -> f64 {
        let Self { low, high, flat } = self;
        if flat {
            return 0.0;
        }
        if low > 0.0 && high / low >= LOG_FROM {
            return (value / low).ln() / (high / low).ln();
        }
        (value - low) / (high - low)
    }

    fn shade(self, value: f64) -> RGBColor {
        shade(self.place(value))
    }
}

/// A colour between the shades.
fn shade(place: f64) -> RGBColor {
    let steps = (SHADES.len() - 1) as f64;
    let along = place.clamp(0.0, 1.0) * steps;
    let from = (along.floor() as usize).min(SHADES.len() - 2);
    let part = along - from as f64;
    let (one, two) = (SHADES[from], SHADES[from + 1]);
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * part).round() as u8;
    RGBColor(mix(one.0, two.0), mix(one.1, two.1), mix(one.2, two.2))
}

/// Dark ink on light cells and light ink on dark ones.
fn ink_on(colour: RGBColor) -> RGBColor {
    let light = 0.299 * f64::from(colour.0) + 0.587 * f64::from(colour.1) + 0.114 * f64::from(colour.2);
    if light > 140.0 { TEXT } else { PAPER }
}

type Corners = ((f64, f64), (f64, f64));

fn cell(ink: &mut Ink, (from, to): Corners, colour: RGBColor, text: &str, missed: bool) {
    ink.rect(from, to, colour);
    if missed {
        corner(ink, from, to);
    }
    let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
    ink.text(text, middle, 11.0, ink_on(colour), At::Middle)
}

/// A cell without a figure.
fn said(ink: &mut Ink, (from, to): Corners, text: &str, colour: RGBColor) {
    ink.rect(from, to, GRID);
    let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
    ink.text(&ink.fitted(text, 10.0, to.0 - from.0), middle, 10.0, colour, At::Middle)
}

/// The mark of a cell that misses the goal: its upper left corner.
fn corner(ink: &mut Ink, from: (f64, f64), to: (f64, f64)) {
    let size = (to.0 - from.0).min(to.1 - from.1).min(9.0);
    ink.triangle([from, (from.0 + size, from.1), (from.0, from.1 + size)], FAULT)
}

/// The mark of the best cell.
fn frame(ink: &mut Ink, from: (f64, f64), to: (f64, f64)) {
    let width = 2.5;
    ink.rect(from, (to.0, from.1 + width), FLOOR);
    ink.rect((from.0, to.1 - width), to, FLOOR);
    ink.rect(from, (from.0 + width, to.1), FLOOR);
    ink.rect((to.0 - width, from.1), to, FLOOR)
}

/// What the lightest and the darkest shade stand for.
fn scale_bar(ink: &mut Ink, metric: &str, range: Range, y: f64) {
    const STEPS: usize = 40;
    if range.flat {
        let [low, high] = [range.low, range.high].map(|value| figure_text(metric, value));
        let said = if low == high { format!("{low} everywhere") } else { format!("{low} to {high}: all the same") };
        return ink.text(&said, (RIGHT, y), 10.5, FAINT, At::Right);
    }
    let [low, high] = [range.low, range.high].map(|value| figure_text(metric, value));
    let right = RIGHT - ink.width(&high, 10.5) - 6.0;
    let left = right - 120.0;
    for step in 0..STEPS {
        let x = |step: usize| left + 120.0 * step as f64 / STEPS as f64;
        let colour = shade(step as f64 / (STEPS - 1) as f64);
        ink.rect((x(step), y - 4.0), (x(step + 1), y + 4.0), colour);
    }
    ink.text(&high, (right + 6.0, y), 10.5, FAINT, At::Left);
    ink.text(&low, (left - 6.0, y), 10.5, FAINT, At::Right)
}
