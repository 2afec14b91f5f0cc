//! Decimal numbers as people write them, added up exactly: in a range from 0.1 by 0.1 the third value is 0.3.

use std::cmp::Ordering;
use std::fmt;

/// Digits that are read; far more than anything here needs, and few enough that nothing overflows.
const DIGITS_MAX: usize = 18;

/// `units` × 10^−`places`, never below zero, written with as few places as it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    units: i128,
    places: u32,
}

impl Decimal {
    /// Reads `12` or `0.25`; `None` for anything else, signs and exponents included.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) || whole.len() + part.len() > DIGITS_MAX {
            return None;
        }
        let places = u32::try_from(part.len()).ok()?;
        Some(Self { units: format!("{whole}{part}").parse().ok()?, places }.shortest())
    }

    /// A whole number.
    #[must_use]
    pub fn whole(units: u64) -> Self {
        Self { units: i128::from(units), places: 0 }
    }

    /// Whether it is nought.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.units == 0
    }

    /// `self` + `n` × `step`.
    #[must_use]
    pub fn plus(self, n: u64, step: Self) -> Self {
        let places = self.places.max(step.places);
        Self { units: self.at(places) + i128::from(n) * step.at(places), places }.shortest()
    }

    /// How many steps there are from here to `end` at most; `None` for a step of nought or an end before here.
    #[must_use]
    pub fn steps_to(self, end: Self, step: Self) -> Option<u64> {
        let places = self.places.max(step.places).max(end.places);
        let way = end.at(places) - self.at(places);
        (way >= 0 && step.units > 0).then(|| u64::try_from(way / step.at(places)).unwrap_or(u64::MAX))
    }

    /// The nearest floating-point number.
    #[must_use]
    pub fn number(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    fn at(self, places: u32) -> i128 {
        self.units * 10_i128.pow(places - self.places)
    }

    fn shortest(mut self) -> Self {
        while self.places > 0 && self.units % 10 == 0 {
            (self.units, self.places) = (self.units / 10, self.places - 1);
        }
        self
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let places = self.places.max(other.places);
        self.at(places).partial_cmp(&other.at(places))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.places == 0 {
            return write!(f, "{}", self.units);
        }
        let one = 10_i128.pow(self.places);
        write!(f, "{}.{:0places$}", self.units / one, self.units % one, places = self.places as usize)
    }
}
