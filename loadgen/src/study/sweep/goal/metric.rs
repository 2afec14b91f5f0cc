//! The metrics of a goal: those of thresholds, and shorter names for some, with the unit that each counts in.

use scenarios::METRICS;
use strategies::units::{DURATION, RATE, UnitFault};

/// What a metric counts in, and so what may be written as its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Milliseconds.
    Time,
    /// A share of requests or runs, 0 to 1.
    Share,
    /// Reads in a second.
    PerSecond,
    /// Things.
    Count,
}

/// A metric as it was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NamedMetric {
    pub(super) path: &'static str,
    /// Whether the name says the unit (`latency_ms.p99`), so that a limit may do without.
    pub(super) unit_in_name: bool,
}

impl MetricKind {
    /// What a metric counts in.
    #[must_use]
    pub fn of(path: &str) -> Self {
        match path {
            "hit_ratio" | "stale.share" | "errors.share" | "shed.share" | "recovery.recovered" => Self::Share,
            "origin.max_per_second" => Self::PerSecond,
            _ if path.contains("_ms") => Self::Time,
            _ => Self::Count,
        }
    }
}

/// The names by which a metric may be called, its own path last.
fn names(path: &'static str) -> Vec<String> {
    match path.strip_prefix("latency_ms.") {
        Some("p99_9") => vec!["latency.p99.9".into(), "latency.p99_9".into(), path.into()],
        Some(percentile) => vec![format!("latency.{percentile}"), path.into()],
        None if path == "stale.overage_ms_max" => vec!["stale.overage".into(), "stale.overage_max".into(), path.into()],
        None => vec![path.into()],
    }
}

impl NamedMetric {
    /// The metric of that name.
    pub(super) fn named(word: &str) -> Option<Self> {
        let path = METRICS.into_iter().find(|path| names(path).iter().any(|name| name == word))?;
        Some(Self { path, unit_in_name: path == word })
    }

    /// Whether there is such a metric only where one key is hot.
    pub(super) fn is_of_the_hot_key(self) -> bool {
        self.path.starts_with("hot.") || self.path.starts_with("origin.per_expiry.")
    }
}

/// The shortest name of every metric.
pub(super) fn all_names() -> Vec<String> {
    METRICS.into_iter().filter_map(|path| names(path).into_iter().next()).collect()
}

/// Reads a limit; an error is (what is wrong, what is allowed, what to write).
pub(super) fn limit(metric: NamedMetric, name: &str, text: &str) -> Result<f64, (String, &'static str, String)> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    match MetricKind::of(metric.path) {
        MetricKind::Time => match ((DURATION.read)(text), number) {
            (Ok(duration), _) => Ok(duration.as_secs_f64() * 1000.0),
            (_, Some(ms)) if metric.unit_in_name => Ok(ms),
            (Err(UnitFault::NoUnit), _) => {
                Err((format!("`{name}` needs a unit"), "a duration in us, ms or s", format!("write {text}ms")))
            }
            _ => Err(("no duration".into(), "a duration in us, ms or s", "write it as 20ms".into())),
        },
        MetricKind::Share => {
            let percent = text.strip_suffix('%').and_then(|p| p.trim().parse::<f64>().ok()).map(|p| p / 100.0);
            let share = percent.or(number).filter(|share| (0.0..=1.0).contains(share));
            let allowed = "0 to 1, or 0% to 100%";
            share.ok_or_else(|| match number {
                Some(number) if number <= 100.0 => ("no share".into(), allowed, format!("write {text}%")),
                _ => ("no share".into(), allowed, "write it as 1%".into()),
            })
        }
        MetricKind::PerSecond => match (number, (RATE.read)(text)) {
            (Some(number), _) => Ok(number),
            (_, Ok(rate)) => Ok(rate),
            _ => Err(("no rate".into(), "a number, or a rate in /s", "write it as 15/s".into())),
        },
        MetricKind::Count => {
            number.ok_or_else(|| ("no number".into(), "a number, 0 or more", "write it without a unit".into()))
        }
    }
}
