//! What a difference is called. Lower is better: of reads, of latency, of errors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Below so many runs (or blocks) nothing is called anything.
pub const RUNS_MIN: usize = 6;
/// The level of all tests.
pub const ALPHA: f64 = 0.05;

/// What was measured of one metric, as log-ratios of new to old.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighed {
    /// The effect.
    pub effect: f64,
    /// Its interval; `None` where there are too few runs for one.
    pub interval: Option<(f64, f64)>,
    /// The p-value, adjusted for the number of metrics.
    pub p: f64,
    /// How many runs the smaller set has.
    pub runs: usize,
}

/// The verdict on one metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// Lower, surely, and by more than the noise.
    Improved,
    /// Higher, surely, and by more than the noise.
    Regressed,
    /// If there is a difference it is within the noise.
    Equivalent,
    /// These runs do not tell.
    Inconclusive,
    /// Too few runs for a test.
    TooFew,
}

impl Call {
    /// The verdict: equivalent where the whole interval lies within the noise `band` on either side of no change, else a
    /// difference where the test says so and the interval does not hold "no change", else nothing.
    #[must_use]
    pub fn of(seen: Weighed, band: f64) -> Self {
        let (Some((low, high)), true) = (seen.interval, seen.runs >= RUNS_MIN) else { return Self::TooFew };
        if low >= -band && high <= band {
            return Self::Equivalent;
        }
        match () {
            () if seen.p > ALPHA => Self::Inconclusive,
            () if high < 0.0 => Self::Improved,
            () if low > 0.0 => Self::Regressed,
            () => Self::Inconclusive,
        }
    }
}
