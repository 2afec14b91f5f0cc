//! How far the same thing may differ from itself: measured by `loadgen aa`, and kept by the machine's class.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::compare::stats::log_ratio;
use crate::files::document::Document;
use crate::files::error::ReportError;
use crate::record::{Environment, Metric, Strategy};

/// The schema of a noise file that this build writes and reads.
pub const NOISE_SCHEMA: &str = "stampede.noise/v1";
/// What is assumed where nobody measured: 2 %.
pub(super) const ASSUMED: f64 = 0.02;
/// No band is narrower: a difference of less than 1 % is nobody's reason to choose.
const LEAST: f64 = 0.01;
/// The share of pairs whose difference lies in the band.
const LEVEL: f64 = 0.95;

/// What is known of one class of machines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoiseFile {
    /// Always [`NOISE_SCHEMA`].
    #[schemars(extend("const" = NOISE_SCHEMA))]
    pub schema: String,
    /// The class, by processor, cores and architecture: `amd-epyc-processor-2-x86_64`.
    pub machine: String,
    /// One band a scenario, lab, length and strategy.
    pub bands: Vec<NoiseBand>,
}

/// How far pairs of runs of one strategy differed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoiseBand {
    /// The scenario.
    pub scenario: String,
    /// The lab.
    pub lab: String,
    /// Seconds measured.
    pub duration_s: f64,
    /// The strategy.
    pub strategy: String,
    /// When, RFC 3339.
    pub measured_at: String,
    /// Of how many pairs.
    pub pairs: u64,
    /// For each metric the share that 95 % of the pairs differed by at most; of fewer than 20 pairs the largest.
    #[schemars(extend("propertyNames" = { "enum": Metric::ALL.map(Metric::path) }))]
    pub within: BTreeMap<Metric, f64>,
}

impl NoiseBand {
    /// The bands of pairs of runs of the same strategy; `None` for a metric that a run does not know.
    #[must_use]
    pub fn widths(pairs: &[(&Strategy, &Strategy)]) -> BTreeMap<Metric, f64> {
        let width = |metric: Metric| {
            let ratio =
                |(a, b): &(&Strategy, &Strategy)| Some(log_ratio(metric.of(a)?, metric.of(b)?, metric.unit()).abs());
            let mut apart = pairs.iter().map(ratio).collect::<Option<Vec<f64>>>()?;
            apart.sort_by(f64::total_cmp);
            let rank = (apart.len() as f64 * LEVEL).ceil() as usize;
            let widest = apart.get(rank.checked_sub(1)?)?.exp_m1();
            Some((metric, ((widest * 1000.0).ceil() / 1000.0).max(LEAST)))
        };
        Metric::ALL.into_iter().filter_map(width).collect()
    }
}

/// The band of each metric that a comparison uses.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Noise(BTreeMap<Metric, f64>);

impl Noise {
    /// What was measured of a scenario in a lab: of several strategies and lengths the widest. Assumed where nothing was.
    #[must_use]
    pub fn of_scenario(file: &NoiseFile, scenario: &str, lab: &str) -> Self {
        let mut widest = BTreeMap::new();
        for band in file.bands.iter().filter(|band| band.scenario == scenario && band.lab == lab) {
            for (metric, share) in &band.within {
                let held = widest.entry(*metric).or_insert(*share);
                *held = held.max(*share);
            }
        }
        Self(widest)
    }

    /// The share that a metric may differ by.
    pub(crate) fn of(&self, metric: Metric) -> f64 {
        self.0.get(&metric).copied().unwrap_or(ASSUMED)
    }

    /// Whether that is measured, and not assumed.
    pub(crate) fn is_measured(&self, metric: Metric) -> bool {
        self.0.contains_key(&metric)
    }
}

/// A machine's class: what decides how fast it is and how much it wobbles, and names nobody. `amd-epyc-processor-2-x86_64`.
#[must_use]
pub fn machine_class(environment: &Environment) -> String {
    let cpu = environment.cpu.as_deref().unwrap_or("unknown");
    let all = format!("{cpu} {} {}", environment.cores, environment.arch);
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { ' ' };
    let words: String = all.chars().map(plain).collect();
    words.split_whitespace().collect::<Vec<_>>().join("-").chars().take(80).collect()
}

impl Document for NoiseFile {
    const NAME: &'static str = "noise file";
    const SCHEMA: &'static str = NOISE_SCHEMA;
    const MAKER: &'static str = "loadgen aa --scenario … --strategy …";

    fn nonsense(&self) -> Option<String> {
        let mut all = self.bands.iter().flat_map(|band| &band.within);
        let (metric, share) = all.find(|(_, share)| !(0.0..=10.0).contains(*share))?;
        Some(format!("a noise of {share} for {}, allowed 0 to 10", metric.path()))
    }
}

/// Reads a noise file; `None` where there is none.
///
/// # Errors
///
/// As [`Document::read`].
pub fn read_noise(path: &Path) -> Result<Option<NoiseFile>, ReportError> {
    match NoiseFile::read(path) {
        Err(ReportError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}
