//! What a run with repeats, or two runs, say of a difference between two strategies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::compare::stats::Call;

/// The metrics that are compared: four, named beforehand, so that a test of many is not passed by luck. Of all of them
/// less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Metric {
    /// Reads that reached the origin.
    #[serde(rename = "origin.total")]
    OriginTotal,
    /// The most of them in any second.
    #[serde(rename = "origin.max_per_second")]
    OriginPeak,
    /// The 99th percentile of the response time.
    #[serde(rename = "latency_ms.p99")]
    P99,
    /// Requests that failed.
    #[serde(rename = "errors")]
    Errors,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::OriginTotal, Self::OriginPeak, Self::P99, Self::Errors];

    /// Its path in a strategy's record.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::OriginTotal => "origin.total",
            Self::OriginPeak => "origin.max_per_second",
            Self::P99 => "latency_ms.p99",
            Self::Errors => "errors",
        }
    }

    /// In words, for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::OriginTotal => "origin reads",
            Self::OriginPeak => "most reads a second",
            Self::P99 => "p99",
            Self::Errors => "errors",
        }
    }

    /// What counts as one of it; a time has no such thing.
    pub(crate) fn unit(self) -> f64 {
        match self {
            Self::OriginTotal | Self::OriginPeak | Self::Errors => 1.0,
            Self::P99 => 0.0,
        }
    }
}

/// One metric of one strategy against the same metric of another, by runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Whose metric.
    pub strategy: String,
    /// Against whose: another strategy of the same run, or `BASE` where it is the same strategy's in another run.
    pub against: String,
    /// Which metric.
    pub metric: Metric,
    /// How many runs of each, or blocks where they are pairs.
    pub runs: u64,
    /// Median of the runs of `against`.
    pub from: f64,
    /// Median of the runs of `strategy`.
    pub to: f64,
    /// The effect: the median ratio of the two; below 1 is better.
    pub ratio: f64,
    /// Its interval of 95 %; `None` where there are too few runs for one.
    pub interval: Option<(f64, f64)>,
    /// The p-value.
    pub p: f64,
    /// The p-value adjusted for the metrics compared (Holm).
    pub p_holm: f64,
    /// How far the same thing against itself may differ, as a share: 0.02 is 2 %.
    pub noise: f64,
    /// Whether `loadgen aa` has measured that on such a machine, or it is assumed.
    pub noise_measured: bool,
    /// What it comes to.
    pub verdict: Call,
    /// Of origin reads: how many times as long an entry is fresh as under `against`, on average. `None` (and absent) where that
    /// is the same, or not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lives: Option<f64>,
}

impl Comparison {
    /// The effect and its interval for each life of an entry, where lives differ: what is left of a difference in origin reads
    /// when entries live equally long.
    #[must_use]
    pub fn per_life(&self) -> Option<(f64, (f64, f64))> {
        let (lives, (low, high)) = (self.lives?, self.interval?);
        Some((self.ratio * lives, (low * lives, high * lives)))
    }

    /// Whether it is called better, or worse, for no other reason than that entries live longer, or less long.
    #[must_use]
    pub fn is_of_life(&self) -> bool {
        let band = 1.0 + self.noise;
        match (self.verdict, self.per_life()) {
            (Call::Improved, Some((_, (_, high)))) => high >= 1.0 / band,
            (Call::Regressed, Some((_, (low, _)))) => low <= band,
            _ => false,
        }
    }
}
