//! A layer's parameter: its name, default and range, stated once for the parser, `list`, sweeps and messages.

use std::time::Duration;

use crate::kit::units::duration_text;

/// A parameter of a layer.
#[derive(Debug, Clone, Copy)]
pub struct ParamInfo {
    /// Its name in a SPEC.
    pub name: &'static str,
    /// Its default, as it would be typed.
    pub default: &'static str,
    /// What it is; of a word also what each means, of a spread nothing.
    pub(crate) what: &'static str,
    /// What it may be.
    pub(crate) range: Range,
}

/// What a parameter may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Range {
    /// A time, or a multiple of the TTL from 0 to 1000.
    Span,
    /// A number above 0 and below this one.
    Below(f64),
    /// A number above 0, and at most this one.
    AtMost(f64),
    /// A whole number, from and to.
    Count(u32, u32),
    /// The word `all`, or a whole number, from and to.
    AllOrCount(u32, u32),
    /// A time, from and to.
    Time(Duration, Duration),
    /// A number of bytes, with its unit.
    Size,
    /// The word `auto`, which stands for this, or a time, from and to.
    AutoOrTime(&'static str, Duration, Duration),
    /// One of these words.
    Word(&'static [&'static str]),
    /// How much is added at most (`0.2`), up to the first; or added or taken away (`±0.1`), up to the second.
    Spread(f64, f64),
}

impl ParamInfo {
    /// What it is and what is allowed, in a clause.
    #[must_use]
    pub fn allowed(&self) -> String {
        let what = self.what;
        match self.range {
            Range::Span | Range::Word(_) => what.to_owned(),
            Range::Below(most) => format!("{what}; between 0 and {most}"),
            Range::AtMost(most) => format!("{what}; above 0, at most {most}"),
            Range::Count(from, to) => format!("{what}; {from} to {to}"),
            Range::AllOrCount(from, to) => format!("{what}: all, or {from} to {to}"),
            Range::Size => format!("{what}; a size with its unit, above 0B, at most 4095MiB"),
            Range::Time(from, to) => format!("{what}; {}", times(from, to)),
            Range::AutoOrTime(auto, from, to) => format!("{what}: auto ({auto}), or {}", times(from, to)),
            Range::Spread(up, both) => format!("0 to {up}, or both ways: ±0 to ±{both} (or +-0.1)"),
        }
    }
}

fn times(from: Duration, to: Duration) -> String {
    let to = duration_text(to);
    if from.is_zero() { format!("up to {to}") } else { format!("{} to {to}", duration_text(from)) }
}
