//! How large values are: all alike, or each item's by a law.

use std::fmt;
use std::time::Duration;

use crate::schema::fields::SIZES;
use crate::schema::tree::Value;
use crate::schema::walk::{Fields, Walk};
use crate::values::law::Law;
use strategies::rng::mix;
use strategies::time::nanos;
use strategies::units::{SIZE, size_text};

/// The largest value, bytes.
pub const VALUE_SIZE_MAX: u32 = 1 << 20;
const VALUE_SIZE_DEFAULT: u32 = 256;
/// Of what is drawn for sizes alone.
const DRAWS: u64 = 0x7369_7a65;

/// The law of a value's size in bytes. Every version of an item is as large as the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SizeLaw {
    /// Always so many.
    Constant(u32),
    /// Its logarithm is normal: most are small, and a few are not.
    LogNormal {
        /// The median.
        p50: u32,
        /// The 99th percentile, not below the median.
        p99: u32,
    },
}

impl SizeLaw {
    /// The size of an item's value: a function of the run's seed and the item's number. At least 1, at most [`VALUE_SIZE_MAX`].
    #[must_use]
    pub fn of(&self, seed: u64, item: u32) -> u32 {
        if let Self::Constant(bytes) = *self {
            return bytes;
        }
        let first = mix(mix(seed ^ DRAWS) ^ u64::from(item));
        let unit = |word: u64| (word >> 11) as f64 / (1_u64 << 53) as f64;
        let bytes = nanos(self.law().sample(unit(first), unit(mix(first))));
        u32::try_from(bytes).unwrap_or(u32::MAX).clamp(1, VALUE_SIZE_MAX)
    }

    /// The mean, bytes, without regard to [`VALUE_SIZE_MAX`].
    #[must_use]
    pub fn mean(&self) -> f64 {
        nanos(self.law().mean()) as f64
    }

    /// The median, bytes.
    #[must_use]
    pub fn p50(&self) -> u32 {
        match *self {
            Self::Constant(bytes) | Self::LogNormal { p50: bytes, .. } => bytes,
        }
    }

    /// The 99th percentile, bytes.
    #[must_use]
    pub fn p99(&self) -> u32 {
        match *self {
            Self::Constant(bytes) | Self::LogNormal { p99: bytes, .. } => bytes,
        }
    }

    /// The same law of durations, whose nanoseconds stand for bytes.
    fn law(&self) -> Law {
        let bytes = |bytes: u32| Duration::from_nanos(bytes.into());
        match *self {
            Self::Constant(all) => Law::Constant(bytes(all)),
            Self::LogNormal { p50, p99 } => Law::LogNormal { p50: bytes(p50), p99: bytes(p99) },
        }
    }

    /// The law as a TOML value.
    pub(crate) fn toml(&self) -> String {
        match self {
            Self::Constant(_) => format!("\"{self}\""),
            Self::LogNormal { .. } => self.to_string(),
        }
    }

    /// Reads `keys.value_size`: a size, or a table with a `dist`.
    pub(crate) fn read(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<Self> {
        const NAME: &str = "value_size";
        let table = fields.get(NAME).and_then(|node| match &node.value {
            Value::Table(table) => Some((table, node)),
            _ => None,
        });
        let Some((table, node)) = table else {
            let default = Some(VALUE_SIZE_DEFAULT);
            return walk.quantity(fields, NAME, &SIZE, 1..=VALUE_SIZE_MAX, default).map(Self::Constant);
        };
        let law = walk.open(table, format!("`{NAME}`"), &node.place, &SIZES);
        walk.word(&law, "dist", &[("lognormal", ())], None)?;
        let p50 = walk.quantity(&law, "p50", &SIZE, 1..=VALUE_SIZE_MAX, None);
        let p99 = walk.quantity(&law, "p99", &SIZE, p50.unwrap_or(1)..=VALUE_SIZE_MAX, None);
        Some(Self::LogNormal { p50: p50?, p99: p99? })
    }
}

/// Scenario syntax, as a `--set` takes it: `256B`, `{ dist = "lognormal", p50 = "2KiB", p99 = "200KiB" }`.
impl fmt::Display for SizeLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Constant(bytes) => write!(f, "{}", size_text(bytes)),
            Self::LogNormal { p50, p99 } => {
                write!(f, "{{ dist = \"lognormal\", p50 = \"{}\", p99 = \"{}\" }}", size_text(p50), size_text(p99))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_their_percentiles_and_are_the_items_own() {
        let law = SizeLaw::LogNormal { p50: 2048, p99: 204_800 };
        let mut drawn: Vec<u32> = (1..=100_000).map(|item| law.of(42, item)).collect();
        assert_eq!((law.of(42, 7), law.of(42, 7) == law.of(43, 7)), (drawn[6], false));
        drawn.sort_unstable();
        let near = |measured: u32, expected: u32| (f64::from(measured) / f64::from(expected) - 1.0).abs() < 0.05;
        assert!(near(drawn[50_000], 2048) && near(drawn[99_000], 204_800), "{} {}", drawn[50_000], drawn[99_000]);
        assert!(drawn[0] >= 1 && drawn[99_999] <= VALUE_SIZE_MAX);
        assert_eq!(SizeLaw::Constant(300).of(1, 2), 300);
    }
}
