//! The values of a field: which there are, and how each is typed.

use std::time::Duration;

use strategies::units::{duration_text, rate_text, size_text};

use crate::study::sweep::values::{Dimension, TypedValue, single};

/// What a field's numbers count, and whether they are whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadScale {
    /// What they count.
    pub dimension: Dimension,
    /// Whether there is nothing between 1 and 2.
    pub whole: bool,
}

impl LoadScale {
    /// Rates.
    pub const PER_SECOND: Self = Self { dimension: Dimension::PerSecond, whole: false };
    /// Counts.
    pub const WHOLE: Self = Self { dimension: Dimension::Plain, whole: true };

    /// That of a value as it was typed, and its number; `None` where it is no number above 0 with a unit that is known.
    #[must_use]
    pub fn of(text: &str) -> Option<(Self, f64)> {
        let TypedValue { text, number } = single(text.trim());
        let (number, dimension) = number.filter(|(number, _)| *number > 0.0 && number.is_finite())?;
        let whole = match dimension {
            Dimension::Ttl => return None,
            Dimension::Bytes => true,
            Dimension::Plain => !text.contains('.'),
            Dimension::Seconds | Dimension::PerSecond => false,
        };
        Some((Self { dimension, whole }, number))
    }

    /// The nearest value that there is: of five digits, or a whole one.
    #[must_use]
    pub fn nearest(self, value: f64) -> f64 {
        let value = if self.whole { value.round().max(1.0) } else { value };
        let digits = format!("{value:.4e}").parse().unwrap_or(value);
        if self.whole { f64::round(digits) } else { digits }
    }

    /// A value as it is typed.
    #[must_use]
    pub fn text(self, value: f64) -> String {
        match self.dimension {
            Dimension::PerSecond => rate_text(value),
            Dimension::Seconds => duration_text(Duration::try_from_secs_f64(value).unwrap_or(Duration::MAX)),
            Dimension::Bytes => size_text(value as u32),
            Dimension::Plain | Dimension::Ttl => value.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_typed_as_its_field_takes_it() {
        for (text, value, typed) in [
            ("400/s", 123.456_789, "123.46/s"),
            ("50", 12.4, "12"),
            ("0.5", 0.123_456, "0.12346"),
            ("50ms", 0.012_345_6, "12346us"),
            ("2KiB", 2048.0, "2KiB"),
        ] {
            let (scale, _) = LoadScale::of(text).unwrap();
            assert_eq!(scale.text(scale.nearest(value)), typed, "{text}");
        }
        for none in ["0", "-3", "fast", "0.5T", "", "nan", "{ dist = \"exp\" }"] {
            assert_eq!(LoadScale::of(none), None, "{none}");
        }
    }
}
