//! Scales, and the ticks on them with their labels.

/// Places, each with its label.
pub(crate) type Ticks = Vec<(f64, String)>;

/// How values become a place between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum AxisScale {
    /// From, to.
    Linear(f64, f64),
    /// From, to; both above zero.
    Log(f64, f64),
}

impl AxisScale {
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
        let Some((low, high)) = ends(usable) else { return Self::Log(1.0, 10.0) };
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

    /// Its two ends.
    pub(crate) fn ends(self) -> (f64, f64) {
        match self {
            Self::Linear(from, to) | Self::Log(from, to) => (from, to),
        }
    }

    /// Ticks with their labels, about `at_most` of them.
    pub(crate) fn ticks(self, at_most: usize) -> Ticks {
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

/// The smallest and the largest of the values; `None` of nothing.
pub(crate) fn ends(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.map(|value| (value, value)).reduce(|(low, high), (value, _)| (low.min(value), high.max(value)))
}

/// The ticks at whole numbers: there is no half read.
pub(crate) fn whole(ticks: Ticks) -> Ticks {
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
fn nice_step(raw: f64) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: AxisScale, at_most: usize) -> Vec<String> {
        scale.ticks(at_most).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        for (largest, expected) in [(54.0, "0 20 40 60"), (60.0, "0 20 40 60"), (7.0, "0 2 4 6 8"), (0.0, "0 0.5 1.0")]
        {
            assert_eq!(labels(AxisScale::counts(largest, 4), 4).join(" "), expected, "{largest}");
        }
        assert_eq!(labels(AxisScale::Linear(0.0, 65.0), 4), ["0", "20", "40", "60"]);
        assert_eq!(
            labels(AxisScale::Linear(-0.2, 2.0), 12),
            ["−0.2", "0", "0.2", "0.4", "0.6", "0.8", "1.0", "1.2", "1.4", "1.6", "1.8", "2.0"]
        );
        assert_eq!(labels(AxisScale::Log(0.2, 500.0), 9), ["1", "10", "100"]);
        assert_eq!(labels(AxisScale::log_around([3.0, 7.0].into_iter()), 9), ["2", "5", "10"]);
        assert_eq!(AxisScale::log_around(std::iter::empty()), AxisScale::Log(1.0, 10.0));
    }
}
