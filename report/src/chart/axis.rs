//! Scales, ticks, and the panel that carries them.

use plotters::prelude::DrawingBackend;

use super::ink::{At, Drawn, FAINT, GRID, Ink, PAPER, TEXT};

/// How values become a place between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scale {
    /// From, to.
    Linear(f64, f64),
    /// From, to; both above zero.
    Log(f64, f64),
}

impl Scale {
    /// Zero to the first of about `ticks` ticks at or above the largest value, so that no bar stands above them all; never
    /// empty.
    pub(crate) fn counts(largest: f64, ticks: usize) -> Self {
        if largest <= 0.0 {
            return Self::Linear(0.0, 1.0);
        }
        let step = nice_step(largest / ticks.max(1) as f64);
        Self::Linear(0.0, (largest / step - 1e-9).ceil() * step)
    }

    /// Whole steps of 1, 2, 5 around the values above zero; one decade where there are none.
    pub(crate) fn log_around(values: impl Iterator<Item = f64>) -> Self {
        let usable = values.filter(|value| value.is_finite() && *value > 0.0);
        let (low, high) = usable.fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        if high <= 0.0 {
            return Self::Log(1.0, 10.0);
        }
        let low = step_below(low.max(0.001));
        let high = step_above(high.max(low * 1.01));
        Self::Log(low, high)
    }

    /// 0 at the scale's start, 1 at its end; cut off beyond.
    pub(crate) fn place(self, value: f64) -> f64 {
        let place = match self {
            Self::Linear(from, to) => (value - from) / (to - from),
            Self::Log(from, to) => (value.max(from) / from).ln() / (to / from).ln(),
        };
        place.clamp(0.0, 1.0)
    }

    /// Ticks with their labels, about `at_most` of them.
    pub(crate) fn ticks(self, at_most: usize) -> Vec<(f64, String)> {
        match self {
            Self::Linear(from, to) => {
                let step = nice_step((to - from) / at_most.max(1) as f64);
                let first = (from / step - 1e-9).ceil() as i64;
                let last = (to / step + 1e-9).floor() as i64;
                (first..=last).map(|n| n as f64 * step).map(|tick| (tick, plain(tick, step))).collect()
            }
            Self::Log(from, to) => {
                let each_decade = 3.0 * (to / from).log10() > at_most as f64;
                let every = if each_decade { &[1.0][..] } else { &[1.0, 2.0, 5.0][..] };
                let decades = from.log10().floor() as i32..=to.log10().ceil() as i32;
                let ticks = decades.flat_map(|decade| every.iter().map(move |step| step * 10_f64.powi(decade)));
                ticks
                    .filter(|tick| *tick >= from * 0.999 && *tick <= to * 1.001)
                    .map(|tick| (tick, plain(tick, tick)))
                    .collect()
            }
        }
    }
}

/// The ticks at whole numbers: there is no half read.
pub(crate) fn whole(ticks: Vec<(f64, String)>) -> Vec<(f64, String)> {
    ticks
        .into_iter()
        .filter(|(tick, _)| (tick - tick.round()).abs() < 1e-9)
        .map(|(tick, _)| (tick, format!("{tick:.0}")))
        .collect()
}

/// A number with as many decimals as its step needs.
fn plain(value: f64, step: f64) -> String {
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.trim_start_matches('-').parse() == Ok(0.0) { "0".to_owned() } else { text.replace('-', "−") }
}

/// The next of 1, 2, 5, 10, 20 … at or above a raw step.
pub(crate) fn nice_step(raw: f64) -> f64 {
    if raw.is_finite() && raw > 0.0 { step_above(raw * 0.999_999) } else { 1.0 }
}

fn step_above(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * decade).find(|step| *step >= value).unwrap_or(10.0 * decade)
}

fn step_below(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|step| step * decade).find(|step| *step <= value).unwrap_or(decade)
}

/// A rectangle with an x and a y scale.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
    pub(crate) x: Scale,
    pub(crate) y: Scale,
}

impl Panel {
    pub(crate) fn x(&self, value: f64) -> f64 {
        self.left + self.x.place(value) * (self.right - self.left)
    }

    pub(crate) fn y(&self, value: f64) -> f64 {
        self.bottom - self.y.place(value) * (self.bottom - self.top)
    }

    pub(crate) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.x(x), self.y(y))
    }

    /// Horizontal grid lines and the y labels.
    pub(crate) fn y_axis<DB: DrawingBackend>(&self, ink: &Ink<'_, DB>, ticks: &[(f64, String)]) -> Drawn<DB> {
        for (tick, label) in ticks {
            let y = self.y(*tick);
            ink.line(&[(self.left, y), (self.right, y)], GRID, 1.0)?;
            ink.text(label, (self.left - 7.0, y), 11.0, FAINT, At::Right)?;
        }
        Ok(())
    }

    /// The base line with ticks and, where wanted, their labels.
    pub(crate) fn x_axis<DB: DrawingBackend>(
        &self,
        ink: &Ink<'_, DB>,
        ticks: &[(f64, String)],
        labels: bool,
    ) -> Drawn<DB> {
        ink.line(&[(self.left, self.bottom), (self.right, self.bottom)], FAINT, 1.0)?;
        for (tick, label) in ticks {
            let x = self.x(*tick);
            ink.line(&[(x, self.bottom), (x, self.bottom + 4.0)], FAINT, 1.0)?;
            if labels {
                ink.text(label, (x, self.bottom + 13.0), 11.0, FAINT, At::Middle)?;
            }
        }
        Ok(())
    }

    /// A sentence in the middle of a panel that has nothing to show.
    pub(crate) fn say<DB: DrawingBackend>(&self, ink: &Ink<'_, DB>, text: &str) -> Drawn<DB> {
        let middle = ((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0);
        let text = ink.fitted(text, 12.0, self.right - self.left);
        let half = ink.width(&text, 12.0) / 2.0 + 8.0;
        ink.rect((middle.0 - half, middle.1 - 10.0), (middle.0 + half, middle.1 + 12.0), PAPER)?;
        ink.text(&text, middle, 12.0, TEXT, At::Middle)
    }
}

/// Places for labels that want to stand at `wanted` and need `gap` between them: pushed apart, kept within `from..to`
/// while there is room. The order of the input is kept in the output.
pub(crate) fn pushed_apart(wanted: &[f64], gap: f64, from: f64, to: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|one, two| wanted[*one].total_cmp(&wanted[*two]));
    let mut places = wanted.to_vec();
    let mut least = from;
    for at in &order {
        places[*at] = places[*at].max(least);
        least = places[*at] + gap;
    }
    let mut most = to;
    for at in order.iter().rev() {
        places[*at] = places[*at].min(most);
        most = places[*at] - gap;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, at_most: usize) -> Vec<String> {
        scale.ticks(at_most).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        for (largest, expected) in [(54.0, "0 20 40 60"), (60.0, "0 20 40 60"), (7.0, "0 2 4 6 8"), (0.0, "0 0.5 1.0")]
        {
            assert_eq!(labels(Scale::counts(largest, 4), 4).join(" "), expected, "{largest}");
        }
        assert_eq!(labels(Scale::Linear(0.0, 65.0), 4), ["0", "20", "40", "60"]);
        assert_eq!(
            labels(Scale::Linear(-0.2, 2.0), 12),
            ["−0.2", "0", "0.2", "0.4", "0.6", "0.8", "1.0", "1.2", "1.4", "1.6", "1.8", "2.0"]
        );
        assert_eq!(labels(Scale::Log(0.2, 500.0), 9), ["1", "10", "100"]);
        assert_eq!(labels(Scale::log_around([3.0, 7.0].into_iter()), 9), ["2", "5", "10"]);
        assert_eq!(Scale::log_around(std::iter::empty()), Scale::Log(1.0, 10.0));
    }

    #[test]
    fn labels_are_pushed_apart_and_kept_inside() {
        assert_eq!(pushed_apart(&[10.0, 11.0, 12.0], 5.0, 0.0, 100.0), [10.0, 15.0, 20.0]);
        assert_eq!(pushed_apart(&[99.0, 98.0], 5.0, 0.0, 100.0), [100.0, 95.0]);
    }
}
