//! Strokes: the few marks that all charts are made of, in nominal pixels.

use plotters::drawing::{DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{PathElement, Polygon, Rectangle};
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle};

use crate::draw::HUES;
use crate::record::Strategy;
use crate::text::escape;
use crate::text::phrases;

/// Width of every chart, in nominal pixels.
pub(crate) const WIDTH: f64 = 960.0;
/// Charts are drawn at so many times their nominal size.
pub(crate) const SCALE: u32 = 2;
/// The family that the embedded font is registered under; in an SVG the viewer's own sans-serif takes its place.
pub(crate) const FONT: &str = "sans-serif";

/// Okabe and Ito's palette without its yellow, which is not to be seen on white: a strategy's colour by its place.
pub(crate) const COLOURS: [RGBColor; HUES] = [
    RGBColor(0x00, 0x00, 0x00),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
];

pub(crate) const PAPER: RGBColor = RGBColor(255, 255, 255);
pub(crate) const TEXT: RGBColor = RGBColor(0x1f, 0x24, 0x28);
pub(crate) const FAINT: RGBColor = RGBColor(0x5c, 0x66, 0x70);
pub(crate) const GRID: RGBColor = RGBColor(0xe3, 0xe6, 0xe9);
pub(crate) const SHADE: RGBColor = RGBColor(0xf3, 0xf4, 0xf6);
const BAR: RGBColor = RGBColor(0x00, 0x72, 0xb2);
pub(crate) const BAR_WARMUP: RGBColor = RGBColor(0xb4, 0xbd, 0xc6);
const BAR_INVALID: RGBColor = RGBColor(0x9a, 0x9a, 0x9a);
pub(crate) const FLOOR: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
pub(crate) const EXPIRY: RGBColor = RGBColor(0xe6, 0x9f, 0x00);
pub(crate) const FAULT: RGBColor = RGBColor(0x8e, 0x2f, 0x7d);
pub(crate) const ALARM: RGBColor = RGBColor(0xb0, 0x00, 0x20);

/// The colour of a strategy's bars.
pub(crate) fn bar_colour(strategy: &Strategy) -> RGBColor {
    if strategy.valid { BAR } else { BAR_INVALID }
}

/// Where a text's given point lies in it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At {
    Left,
    Middle,
    Right,
}

/// A place in device pixels.
type Place = (i32, i32);

/// What a text looks like.
#[derive(Debug, Clone, Copy)]
struct Letters {
    em: f64,
    colour: RGBColor,
    at: At,
    /// Whether it reads from bottom to top.
    upward: bool,
}

/// One mark of a drawing, in device pixels.
enum Mark {
    Rect([Place; 2], RGBColor),
    Line(Vec<Place>, ShapeStyle),
    Shape(Vec<Place>, ShapeStyle),
    Text(String, Letters, Place),
}

/// A drawing under way: its marks, which are given in nominal pixels, in the order in which they cover one another.
#[derive(Default)]
pub(crate) struct Ink(Vec<Mark>);

impl Ink {
    /// Draws it all on paper.
    pub(crate) fn onto<DB: DrawingBackend>(self, backend: DB) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
        let area = backend.into_drawing_area();
        area.fill(&PAPER)?;
        for mark in self.0 {
            match mark {
                Mark::Rect(corners, colour) => area.draw(&Rectangle::new(corners, colour.filled()))?,
                Mark::Line(points, style) => area.draw(&PathElement::new(points, style))?,
                Mark::Shape(corners, style) => area.draw(&Polygon::new(corners, style))?,
                Mark::Text(text, letters, at) => area.draw_text(&text, &letters.style(), at)?,
            }
        }
        area.present()
    }

    /// A chart's title, and the lines under it.
    pub(crate) fn head(&mut self, title: &str, lines: &[&str]) {
        let room = WIDTH - 32.0;
        self.text(&self.fitted(title, 19.0, room), (16.0, 22.0), 19.0, TEXT, At::Left);
        for (at, line) in lines.iter().enumerate() {
            self.text(&self.fitted(line, 11.0, room), (16.0, 45.0 + 16.0 * at as f64), 11.0, FAINT, At::Left);
        }
    }

    /// A filled rectangle; at least one device pixel wide, so that no read is lost to rounding.
    pub(crate) fn rect(&mut self, from: (f64, f64), to: (f64, f64), colour: RGBColor) {
        let (from, to) = (device(from), device(to));
        self.0.push(Mark::Rect([from, (to.0.max(from.0 + 1), to.1)], colour));
    }

    pub(crate) fn line(&mut self, points: &[(f64, f64)], colour: RGBColor, width: f64) {
        let width = (width * f64::from(SCALE)).round().max(1.0) as u32;
        self.0.push(Mark::Line(devices(points), colour.stroke_width(width)));
    }

    /// A dashed line through the points.
    pub(crate) fn dashed(&mut self, points: &[(f64, f64)], colour: RGBColor, width: f64) {
        for dash in dashes(points) {
            self.line(&dash, colour, width);
        }
    }

    /// A filled shape through which what lies under it is seen.
    pub(crate) fn band(&mut self, corners: &[(f64, f64)], colour: RGBColor) {
        self.0.push(Mark::Shape(devices(corners), colour.mix(0.18).filled()));
    }

    /// A downward triangle whose tip is the given point.
    pub(crate) fn pointer(&mut self, tip: (f64, f64), colour: RGBColor) {
        self.triangle([tip, (tip.0 - 4.0, tip.1 - 7.0), (tip.0 + 4.0, tip.1 - 7.0)], colour);
    }

    /// A filled triangle.
    pub(crate) fn triangle(&mut self, corners: [(f64, f64); 3], colour: RGBColor) {
        self.0.push(Mark::Shape(devices(&corners), colour.filled()));
    }

    /// A line of text, `em` pixels high, its vertical middle at `y`.
    pub(crate) fn text(&mut self, text: &str, (x, y): (f64, f64), em: f64, colour: RGBColor, at: At) {
        // Both backends set the middle of a line a little above that of its digits.
        let letters = Letters { em, colour, at, upward: false };
        self.0.push(Mark::Text(escape::line(text), letters, device((x, y + 0.15 * em))));
    }

    /// Text that reads from bottom to top, its middle at the given point.
    pub(crate) fn upward(&mut self, text: &str, at: (f64, f64), em: f64, colour: RGBColor) {
        let letters = Letters { em, colour, at: At::Middle, upward: true };
        self.0.push(Mark::Text(escape::line(text), letters, device(at)));
    }

    /// How wide a text is. What the font cannot measure is guessed.
    pub(crate) fn width(&self, text: &str, em: f64) -> f64 {
        let guess = text.chars().count() as f64 * em * 0.65;
        let measured = font(em).box_size(&escape::line(text));
        measured.map_or(guess, |(width, _)| f64::from(width) / f64::from(SCALE))
    }

    /// The text, cut with an ellipsis at its end to at most `room` pixels.
    pub(crate) fn fitted(&self, text: &str, em: f64, room: f64) -> String {
        self.cut_to(text, em, room, phrases::cut)
    }

    /// The name, cut with an ellipsis in its middle to at most `room` pixels.
    pub(crate) fn fitted_name(&self, name: &str, em: f64, room: f64) -> String {
        self.cut_to(name, em, room, phrases::cut_in_middle)
    }

    fn cut_to(&self, text: &str, em: f64, room: f64, cut: fn(&str, usize) -> String) -> String {
        // Nothing longer than this fits on any chart, so that a hostile name costs no time.
        let mut limit = text.chars().count().min(400);
        let mut fitted = cut(text, limit);
        while limit > 1 && self.width(&fitted, em) > room {
            limit -= 1;
            fitted = cut(text, limit);
        }
        fitted
    }
}

/// A path in pieces of 8 pixels with gaps of 5, measured along it.
fn dashes(points: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
    let (mut dashes, mut dash) = (Vec::new(), Vec::new());
    let (mut drawing, mut left) = (true, 8.0);
    dash.extend(points.first().copied());
    for pair in points.windows(2) {
        let ((mut x, mut y), (to_x, to_y)) = (pair[0], pair[1]);
        let mut length = (to_x - x).hypot(to_y - y);
        while length > left {
            (x, y) = (x + (to_x - x) * left / length, y + (to_y - y) * left / length);
            length -= left;
            if drawing {
                dash.push((x, y));
                dashes.push(std::mem::take(&mut dash));
            } else {
                dash.push((x, y));
            }
            drawing = !drawing;
            left = if drawing { 8.0 } else { 5.0 };
        }
        left -= length;
        if drawing {
            dash.push((to_x, to_y));
        }
    }
    dashes.extend((dash.len() > 1).then_some(dash));
    dashes
}

impl Letters {
    fn style(self) -> TextStyle<'static> {
        let h_pos = match self.at {
            At::Left => HPos::Left,
            At::Middle => HPos::Center,
            At::Right => HPos::Right,
        };
        let style = font(self.em).color(&self.colour).pos(Pos::new(h_pos, VPos::Center));
        if self.upward { style.transform(FontTransform::Rotate270) } else { style }
    }
}

fn font(em: f64) -> FontDesc<'static> {
    // plotters' size is 1.24 times the em square.
    (FONT, em * 1.24 * f64::from(SCALE)).into_font()
}

fn devices(points: &[(f64, f64)]) -> Vec<Place> {
    points.iter().copied().map(device).collect()
}

fn device((x, y): (f64, f64)) -> Place {
    let scale = f64::from(SCALE);
    ((x * scale).round() as i32, (y * scale).round() as i32)
}
