//! A plot: axes, marks and the values that a reader can ask for, as a box of HTML with an SVG in it.
//!
//! The SVG is stretched to the box and holds no text, the labels are HTML beside it: so a plot is as wide as a phone or a
//! screen and its text keeps its size. Its marks take the colour of the strategy from the style sheet.

use super::html::*;
use super::view::View;
use crate::draw::{AxisScale, DrawnPoint, Frame, Ticks, pushed_apart, unbroken};

/// The SVG's own width and height; what it shows is stretched to the box.
const SIDE: f64 = 1000.0;
/// Labels that are less than this part of a plot apart run into one another on a phone.
const LABEL_PHONE: f64 = 0.16;

/// Cells that are narrower than this part of a plot are lost between the pixels of a phone.
const CELLS_SEEN: f64 = 300.0;

/// One plot.
pub(super) struct Plot {
    frame: Frame,
    height_px: u32,
    marks: String,
    over: String,
    x_ticks: Ticks,
    y_ticks: Ticks,
    aside: String,
}

/// How the values of a group of plots are found: value `i` is of the place `x0 + i × dx` and so wide.
pub(super) struct Readout<'a> {
    /// The domain of x.
    pub(super) x: (f64, f64),
    /// Where the first value begins.
    pub(super) x0: f64,
    /// From one to the next.
    pub(super) dx: f64,
    /// How many.
    pub(super) count: usize,
    /// What stands before the place, `at `.
    pub(super) before: &'a str,
    /// Its unit, ` s`.
    pub(super) unit: &'a str,
    /// Places in words instead of numbers.
    pub(super) labels: Option<Vec<String>>,
    /// Groups of the same name move together.
    pub(super) sync: &'a str,
    /// Where its plots are cut into rows of cells: the rows' ends in words, from the bottom to the top. Else empty.
    pub(super) rows: Vec<String>,
}

/// Neighbours in a row of cells that look the same: the row from the bottom, the first column, and the one behind the last.
pub(super) type CellRun = (usize, usize, usize);

/// A name at the right edge of a plot.
pub(super) struct Named {
    /// The strategy's classes.
    pub(super) class: String,
    /// The strategy's place on the page.
    pub(super) row: usize,
    /// What it reads out, as [`values`] has it.
    pub(super) values: String,
    /// What stands there.
    pub(super) html: String,
    /// The point that it names.
    pub(super) at: (f64, f64),
}

impl Plot {
    pub(super) fn new(x: AxisScale, y: AxisScale, height_px: u32) -> Self {
        let frame = Frame { left: 0.0, right: SIDE, top: 0.0, bottom: SIDE, x, y };
        let (marks, over, aside) = Default::default();
        Self { frame, height_px, marks, over, x_ticks: x.ticks(12), y_ticks: y.ticks(4), aside }
    }

    /// A plot over the whole of the measured phase.
    pub(super) fn over_time(view: &View<'_>, y: AxisScale, height_px: u32) -> Self {
        Self::new(AxisScale::Linear(0.0, view.duration_s()), y, height_px)
    }

    /// Where its x axis ends.
    pub(super) fn end(&self) -> f64 {
        self.frame.x.ends().1
    }

    /// Other ticks than the scales' own.
    pub(super) fn x_ticks(mut self, ticks: Ticks) -> Self {
        self.x_ticks = ticks;
        self
    }

    pub(super) fn y_ticks(mut self, ticks: Ticks) -> Self {
        self.y_ticks = ticks;
        self
    }

    /// Filled columns that stand on nought, or hang from it; each is (from, to, value).
    pub(super) fn bars(&mut self, class: &str, bars: impl Iterator<Item = (f64, f64, f64)>) {
        let mut path = String::new();
        let zero = tenth(self.frame.y(0.0));
        for (from, to, value) in bars.filter(|bar| bar.2 != 0.0) {
            let (left, right) = (self.frame.x(from), self.frame.x(to));
            // A sliver stays white between two bars while they are wide enough for it.
            let gap = ((right - left) * 0.12).min(1.2);
            let (left, right) = (tenth(left + gap / 2.0), tenth(right - gap / 2.0));
            put!(path, "M{left} {zero}V{}H{right}V{zero}z", tenth(self.frame.y(value)));
        }
        self.path(class, &path);
    }

    /// A filled outline of steps from the base line: (from, to, value).
    pub(super) fn area(&mut self, class: &str, steps: impl Iterator<Item = (f64, f64, f64)>) {
        let (mut path, mut last) = (String::new(), None);
        let mut end = 0.0;
        for (from, to, value) in steps {
            let y = tenth(self.frame.y(value));
            if last.is_none() {
                put!(path, "M{} 1000", tenth(self.frame.x(from)));
            }
            if last.as_ref() != Some(&y) {
                if last.is_some() {
                    put!(path, "H{}", tenth(self.frame.x(from)));
                }
                put!(path, "V{y}");
                last = Some(y);
            }
            end = self.frame.x(to);
        }
        if last.is_some() {
            put!(path, "H{}V1000z", tenth(end));
        }
        self.path(class, &path);
    }

    /// A line through the points; it is broken where there is no value. A value between two breaks is a dot.
    pub(super) fn line(&mut self, class: &str, points: &[DrawnPoint]) {
        let mut path = String::new();
        for known in unbroken(points) {
            for (at, (x, y)) in known.iter().enumerate() {
                let step = if at == 0 { 'M' } else { 'L' };
                put!(path, "{step}{} {}", tenth(self.frame.x(*x)), tenth(self.frame.y(*y)));
            }
            if known.len() == 1 {
                path.push_str("h0");
            }
        }
        self.path(class, &path);
    }

    /// A line at one height, from x to x.
    pub(super) fn level(&mut self, class: &str, (from, to): (f64, f64), value: f64) {
        self.line(class, &[(from, Some(value)), (to, Some(value))]);
    }

    /// A stroke at one place, from y to y.
    pub(super) fn tick(&mut self, class: &str, x: f64, (from, to): (f64, f64)) {
        let (x, from, to) = (tenth(self.frame.x(x)), tenth(self.frame.y(from)), tenth(self.frame.y(to)));
        self.path(class, &format!("M{x} {from}V{to}"));
    }

    /// Short strokes at the top of the plot.
    pub(super) fn strokes(&mut self, class: &str, places: impl Iterator<Item = f64>) {
        let length = tenth(6.0 / f64::from(self.height_px) * SIDE);
        let path: String = self.within(places).map(|x| format!("M{} 0v{length}", tenth(self.frame.x(x)))).collect();
        self.path(class, &path);
    }

    /// Lines from top to bottom.
    pub(super) fn verticals(&mut self, class: &str, places: impl Iterator<Item = f64>) {
        let path: String = self.within(places).map(|x| format!("M{} 0V1000", tenth(self.frame.x(x)))).collect();
        self.path(class, &path);
    }

    fn within(&self, places: impl Iterator<Item = f64>) -> impl Iterator<Item = f64> {
        let (from, to) = self.frame.x.ends();
        places.filter(move |x| (from..=to).contains(x))
    }

    /// Cells of a grid that fills the plot: each column so wide from nought on, so many rows from the bottom to the top.
    /// What looks the same has a class; of what is too narrow for a screen the later class is seen. A run is a thick line of
    /// its row, which is half of what a rectangle costs.
    pub(super) fn cells(&mut self, (width, rows): (f64, usize), looks: &[(String, Vec<CellRun>)]) {
        let (x, y, end) = (self.frame.x(width), SIDE / rows.max(1) as f64, self.end() / width);
        let least = (end / CELLS_SEEN).ceil() as usize;
        put!(self.marks, "<g class=\"cells\" transform=\"scale({x} {y})translate(0 .5)\">");
        for (class, runs) in looks {
            let (mut path, mut here) = (String::new(), None);
            for (at, (row, from, to)) in runs.iter().enumerate() {
                match here {
                    Some((this, last)) if this == row => put!(path, "m{} 0", from - last),
                    _ => put!(path, "M{from} {}", rows - 1 - row),
                }
                let next = runs.get(at + 1).filter(|next| next.0 == *row).map_or(usize::MAX, |next| next.1);
                let to = (*to).max(from + least).min(next);
                put!(path, "h{}", tenth((to as f64).min(end) - *from as f64));
                here = Some((row, to));
            }
            self.path(class, &path);
        }
        self.marks.push_str("</g>");
    }

    /// A grey part.
    pub(super) fn shade(&mut self, (from, to): (f64, f64)) {
        let path = format!("M{} 0H{}V1000H{0}z", tenth(self.frame.x(from)), tenth(self.frame.x(to)));
        self.path("shade", &path);
    }

    fn path(&mut self, class: &str, d: &str) {
        if !d.is_empty() {
            put!(self.marks, "<path class=\"{class}\" d=\"{d}\"/>");
        }
    }

    /// A sentence over the plot, or a label at a place in it.
    pub(super) fn say(&mut self, text: &str) {
        put!(self.over, "<p class=\"say\">{}</p>", escaped(text));
    }

    /// A small mark with text at the top of the plot, at `x`.
    pub(super) fn flag(&mut self, x: f64, text: &str) {
        put!(self.over, "<b class=\"flag\" style=\"left:{}%\">{}</b>", tenth(self.frame.x(x) / 10.0), escaped(text));
    }

    /// A dot with its name for a reader who cannot see it.
    pub(super) fn dot(&mut self, class: &str, attributes: &str, (x, y): (f64, f64), diameter_px: f64) {
        put!(
            self.over,
            "<i class=\"dot {class}\" {attributes} style=\"left:{}%;top:{}%;width:{2}px;height:{2}px\"></i>",
            tenth(self.frame.x(x) / 10.0),
            tenth(self.frame.y(y) / 10.0),
            tenth(diameter_px)
        );
    }

    /// Names at the right edge, pushed apart, each with a thin line to the point that it names.
    pub(super) fn names(&mut self, named: &[Named], gap_px: f64) {
        let height = f64::from(self.height_px);
        let wanted: Vec<f64> = named.iter().map(|named| self.frame.y(named.at.1) / SIDE * height).collect();
        let half = gap_px / 2.0;
        let places = pushed_apart(&wanted, gap_px, half, height - half);
        for (Named { class, row, values, html, at }, place) in named.iter().zip(places) {
            let (x, y, to) = (self.frame.x(at.0), self.frame.y(at.1), place / height * SIDE);
            let line = format!("M{} {}L1000 {}", tenth(x), tenth(y), tenth(to));
            put!(self.marks, "<path class=\"lead {class}\" data-s=\"{row}\" d=\"{line}\"/>");
            let top = tenth(to / 10.0);
            put!(self.aside, "<span class=\"{class}\" data-s=\"{row}\" {values} style=\"top:{top}%\">{html}</span>");
        }
    }

    /// The whole box. `title` and `text` are said to a reader who cannot see it; `id` is unique on the page.
    pub(super) fn html(&self, out: &mut Sheet, id: &str, title: &str, text: &str) {
        let (title, text) = (escaped(title), escaped(text));
        let aside = if self.aside.is_empty() { "" } else { " named" };
        put!(
            out,
            "<div class=\"plot{aside}\" style=\"--h:{}px\">\n<div class=\"ys\" aria-hidden=\"true\">",
            self.height_px
        );
        for (tick, label) in &self.y_ticks {
            put!(out, "<span style=\"top:{}%\">{}</span>", tenth(self.frame.y(*tick) / 10.0), escaped(label));
        }
        put!(
            out,
            "</div>\n<div class=\"box\"><svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\" role=\"img\" \
             aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{text}</desc>"
        );
        let grid: String = self.y_ticks.iter().map(|(y, _)| format!("M0 {}H1000", tenth(self.frame.y(*y)))).collect();
        put!(out, "<path class=\"grid\" d=\"{grid}\"/>{}</svg>{}<i class=\"hair\"></i></div>\n", self.marks, self.over);
        if !self.aside.is_empty() {
            put!(out, "<div class=\"names\">{}</div>\n", self.aside);
        }
        out.push_str("<div class=\"xs\" aria-hidden=\"true\">");
        let mut free_from = f64::MIN;
        for (tick, label) in &self.x_ticks {
            let (x, label) = (self.frame.x(*tick), escaped(label));
            let more = if x < free_from { " class=\"more\"" } else { "" };
            if x >= free_from {
                free_from = x + LABEL_PHONE * SIDE;
            }
            put!(out, "<span{more} style=\"left:{}%\">{label}</span>", tenth(x / 10.0));
        }
        out.push_str("</div>\n</div>\n");
    }
}

impl Readout<'_> {
    /// The attributes of the element that holds the group's plots.
    pub(super) fn attributes(&self) -> String {
        let Self { x: (from, to), x0, dx, count, before, unit, labels, sync, rows } = self;
        let labels =
            labels.as_ref().map_or_else(String::new, |all| format!(" data-labels=\"{}\"", escaped(&all.join("|"))));
        let rows = if rows.is_empty() { String::new() } else { format!(" data-rows=\"{}\"", rows.join("|")) };
        format!(
            "data-from=\"{from}\" data-to=\"{to}\" data-x0=\"{x0}\" data-dx=\"{dx}\" data-n=\"{count}\" \
             data-before=\"{before}\" data-unit=\"{unit}\" data-sync=\"{sync}\"{labels}{rows}"
        )
    }
}

/// The values of one or several series, as the page's script reads them: `name:unit:v v v|…`.
pub(super) fn values(series: &[(&str, &str, Vec<String>)]) -> String {
    let all: Vec<String> =
        series.iter().map(|(name, unit, values)| format!("{name}:{unit}:{}", values.join(" "))).collect();
    format!("data-v=\"{}\"", escaped(&all.join("|")))
}

/// A number with a tenth, without needless digits.
fn tenth(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}
