//! Numbers as scenarios and answers have them.

use std::time::Duration;

/// A number with no more than two places.
#[must_use]
pub fn tidy(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    // What is tiny keeps what it says.
    if rounded == 0.0 { format!("{value}") } else { format!("{rounded}") }
}

/// Down to a millisecond.
#[must_use]
pub fn whole_ms(length: Duration) -> Duration {
    Duration::from_millis(u64::try_from(length.as_millis()).unwrap_or(u64::MAX))
}

/// To a thousandth.
#[must_use]
pub fn thousandths(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
