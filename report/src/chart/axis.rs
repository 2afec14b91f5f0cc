//! What stands around and in a panel of a chart: axes, names at its edge, lines with gaps, a sentence.

use plotters::style::RGBColor;

use super::ink::{At, FAINT, GRID, Ink, PAPER, TEXT};
use crate::draw::{DrawnPoint, Frame, pushed_apart, unbroken};

impl Frame {
    /// Horizontal grid lines and the y labels.
    pub(crate) fn y_axis(&self, ink: &mut Ink, ticks: &[(f64, String)]) {
        for (tick, label) in ticks {
            let y = self.y(*tick);
            ink.line(&[(self.left, y), (self.right, y)], GRID, 1.0);
            ink.text(label, (self.left - 7.0, y), 11.0, FAINT, At::Right);
        }
    }

    /// The base line with ticks and, where wanted, their labels.
    pub(crate) fn x_axis(&self, ink: &mut Ink, ticks: &[(f64, String)], labels: bool) {
        ink.line(&[(self.left, self.bottom), (self.right, self.bottom)], FAINT, 1.0);
        for (tick, label) in ticks {
            let x = self.x(*tick);
            ink.line(&[(x, self.bottom), (x, self.bottom + 4.0)], FAINT, 1.0);
            if labels {
                ink.text(label, (x, self.bottom + 13.0), 11.0, FAINT, At::Middle);
            }
        }
    }

    /// A line from top to bottom.
    pub(crate) fn vertical(&self, ink: &mut Ink, x: f64, colour: RGBColor, width: f64) {
        let x = self.x(x);
        ink.line(&[(x, self.top), (x, self.bottom)], colour, width);
    }

    /// A sentence in the middle of a panel that has nothing to show.
    pub(crate) fn say(&self, ink: &mut Ink, text: &str) {
        let middle = ((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0);
        let text = ink.fitted(text, 12.0, self.right - self.left);
        let half = ink.width(&text, 12.0) / 2.0 + 8.0;
        ink.rect((middle.0 - half, middle.1 - 10.0), (middle.0 + half, middle.1 + 12.0), PAPER);
        ink.text(&text, middle, 12.0, TEXT, At::Middle)
    }
    /// A line that is broken where there is no value; a value between two breaks is a dot.
    pub(crate) fn series(&self, ink: &mut Ink, points: &[DrawnPoint], colour: RGBColor, dashed: bool) {
        for known in unbroken(points) {
            let line: Vec<(f64, f64)> = known.iter().map(|(x, y)| self.at(*x, *y)).collect();
            match line.as_slice() {
                [(x, y)] => ink.rect((x - 1.5, y - 1.5), (x + 1.5, y + 1.5), colour),
                line if dashed => ink.dashed(line, colour, 1.5),
                line => ink.line(line, colour, 1.5),
            }
        }
    }

    /// Names at the right edge, each beside the value that it names.
    pub(crate) fn names(&self, ink: &mut Ink, named: &[(String, RGBColor, f64)], em: f64) {
        let wanted: Vec<f64> = named.iter().map(|(_, _, value)| self.y(*value)).collect();
        let places = pushed_apart(&wanted, em + 2.0, self.top, self.bottom);
        for ((name, colour, _), y) in named.iter().zip(places) {
            ink.text(name, (self.right + em - 5.0, y), em, *colour, At::Left);
        }
    }
}
