//! Laws: a duration that is constant, or drawn from a distribution.
//!
//! Drawing takes its random numbers as arguments, so that think times and service times stay pure functions of a seed
//! and a position. Nothing here remembers what was drawn before.

use std::f64::consts::{LN_2, TAU};
use std::fmt;
use std::time::Duration;

use crate::schema::fields::LAW;
use crate::schema::tree::Value;
use crate::schema::walk::{Fields, Walk};
use strategies::units::{DURATION, duration_text};

/// The standard normal quantile of 0.99: Φ(2.3263478740408408) = 0.99 (Wichura, algorithm AS 241, Applied Statistics
/// 37(3), 1988).
const NORMAL_P99: f64 = 2.326_347_874_040_840_8;
/// That of 0.9999, from the same.
const NORMAL_P99_99: f64 = 3.719_016_485_455_709;

/// Widest spread of a lognormal law: beyond it the mean is ruled by values that no run will see.
const SPREAD_MAX: u32 = 1000;

const NS: Duration = Duration::from_nanos(1);

/// The law of a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// Always exactly this.
    Constant(Duration),
    /// Memoryless.
    Exponential {
        /// The mean.
        mean: Duration,
    },
    /// Its logarithm is normal: the usual shape of a service time.
    LogNormal {
        /// The median.
        p50: Duration,
        /// The 99th percentile, not below the median.
        p99: Duration,
    },
    /// Evenly spread.
    Uniform {
        /// The least.
        min: Duration,
        /// The most, not below the least.
        max: Duration,
    },
}

#[derive(Clone, Copy)]
enum Dist {
    Exponential,
    LogNormal,
    Uniform,
}

const DISTS: [(&str, Dist); 3] =
    [("exp", Dist::Exponential), ("lognormal", Dist::LogNormal), ("uniform", Dist::Uniform)];

impl Law {
    /// The mean. For a lognormal law p50 · exp(σ²/2) with σ = ln(p99/p50) / Φ⁻¹(0.99) (Johnson, Kotz, Balakrishnan,
    /// Continuous Univariate Distributions 1, 1994, ch. 14).
    #[must_use]
    pub fn mean(&self) -> Duration {
        match *self {
            Self::Constant(value) => value,
            Self::Exponential { mean } => mean,
            Self::LogNormal { p50, p99 } => {
                let sigma = sigma(p50, p99);
                scale(p50, (sigma * sigma / 2.0).exp())
            }
            Self::Uniform { .. } => self.p50(),
        }
    }

    /// The median.
    #[must_use]
    pub fn p50(&self) -> Duration {
        match *self {
            Self::Constant(value) => value,
            Self::Exponential { mean } => scale(mean, LN_2),
            Self::LogNormal { p50, .. } => p50,
            Self::Uniform { min, max } => min + max.saturating_sub(min) / 2,
        }
    }

    /// The 99th percentile.
    #[must_use]
    pub fn p99(&self) -> Duration {
        match *self {
            Self::Constant(value) => value,
            Self::Exponential { mean } => scale(mean, 100.0_f64.ln()),
            Self::LogNormal { p99, .. } => p99,
            Self::Uniform { min, max } => min + scale(max.saturating_sub(min), 0.99),
        }
    }

    /// The quantile of 0.9999.
    #[must_use]
    pub fn seldom_above(&self) -> Duration {
        match *self {
            Self::Constant(value) => value,
            Self::Exponential { mean } => scale(mean, 10_000_f64.ln()),
            Self::LogNormal { p50, p99 } => scale(p50, (sigma(p50, p99) * NORMAL_P99_99).exp()),
            Self::Uniform { max, .. } => max,
        }
    }

    /// One draw, from two independent numbers in [0, 1). To the nanosecond; a constant is exact and ignores them.
    ///
    /// Exponential by inversion of 1 − `u1`; lognormal by the Box–Muller transform (Annals of Math. Stat. 29(2), 1958).
    #[must_use]
    pub fn sample(&self, u1: f64, u2: f64) -> Duration {
        match *self {
            Self::Constant(value) => value,
            Self::Exponential { mean } => scale(mean, -(1.0 - u1).ln()),
            Self::LogNormal { p50, p99 } => {
                let normal = (-2.0 * (1.0 - u1).ln()).sqrt() * (TAU * u2).cos();
                scale(p50, (sigma(p50, p99) * normal).exp())
            }
            Self::Uniform { min, max } => min + scale(max.saturating_sub(min), u1),
        }
    }

    /// The law as a TOML value.
    pub(crate) fn toml(&self) -> String {
        match self {
            Self::Constant(_) => format!("\"{self}\""),
            _ => self.to_string(),
        }
    }

    /// Reads a field that is a duration or a table with a `dist`. None of its durations may be above `max`.
    pub(crate) fn read(walk: &mut Walk<'_>, fields: &Fields<'_>, name: &'static str, max: Duration) -> Option<Self> {
        let Some(node) = fields.get(name) else {
            walk.missing(
                fields,
                name,
                &format!("write {name} = \"200ms\", or {name} = {{ dist = \"exp\", mean = \"200ms\" }}"),
            );
            return None;
        };
        let Value::Table(table) = &node.value else {
            return walk.quantity(fields, name, &DURATION, Duration::ZERO..=max, None).map(Self::Constant);
        };
        let law = walk.open(table, format!("`{name}`"), &node.place, &LAW);
        match walk.word(&law, "dist", &DISTS, None)? {
            Dist::Exponential => {
                walk.foreign(&law, &["p50", "p99"], "with dist = \"lognormal\"");
                walk.foreign(&law, &["min", "max"], "with dist = \"uniform\"");
                let mean = walk.quantity(&law, "mean", &DURATION, NS..=max, None)?;
                Some(Self::Exponential { mean })
            }
            Dist::LogNormal => {
                walk.foreign(&law, &["mean"], "with dist = \"exp\"");
                walk.foreign(&law, &["min", "max"], "with dist = \"uniform\"");
                let p50 = walk.quantity(&law, "p50", &DURATION, NS..=max, None);
                let widest = p50.map_or(max, |p50| max.min(p50.saturating_mul(SPREAD_MAX)));
                let p99 = walk.quantity(&law, "p99", &DURATION, p50.unwrap_or(NS)..=widest, None);
                Some(Self::LogNormal { p50: p50?, p99: p99? })
            }
            Dist::Uniform => {
                walk.foreign(&law, &["mean"], "with dist = \"exp\"");
                walk.foreign(&law, &["p50", "p99"], "with dist = \"lognormal\"");
                let least = walk.quantity(&law, "min", &DURATION, Duration::ZERO..=max, None);
                let most = walk.quantity(&law, "max", &DURATION, least.unwrap_or(NS).max(NS)..=max, None);
                Some(Self::Uniform { min: least?, max: most? })
            }
        }
    }
}

/// Scenario syntax, as a `--set` takes it: `200ms`, `{ dist = "exp", mean = "200ms" }`.
impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |duration: &Duration| duration_text(*duration);
        match self {
            Self::Constant(value) => write!(f, "{}", text(value)),
            Self::Exponential { mean } => write!(f, "{{ dist = \"exp\", mean = \"{}\" }}", text(mean)),
            Self::LogNormal { p50, p99 } => {
                write!(f, "{{ dist = \"lognormal\", p50 = \"{}\", p99 = \"{}\" }}", text(p50), text(p99))
            }
            Self::Uniform { min, max } => {
                write!(f, "{{ dist = \"uniform\", min = \"{}\", max = \"{}\" }}", text(min), text(max))
            }
        }
    }
}

fn sigma(p50: Duration, p99: Duration) -> f64 {
    (p99.as_secs_f64() / p50.as_secs_f64()).ln() / NORMAL_P99
}

/// `duration` × `factor` to the nearest nanosecond; what does not fit becomes the longest that does.
fn scale(duration: Duration, factor: f64) -> Duration {
    Duration::from_nanos((duration.as_nanos() as f64 * factor).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use strategies::rng::Rng;

    const MS: Duration = Duration::from_millis(1);

    fn draws(law: Law) -> Vec<Duration> {
        let rng = Rng::new(7);
        let mut draws: Vec<Duration> = (0..100_000).map(|_| law.sample(rng.next_unit(), rng.next_unit())).collect();
        draws.sort();
        draws
    }

    fn near(measured: Duration, expected: Duration) {
        let ratio = measured.as_secs_f64() / expected.as_secs_f64();
        assert!((ratio - 1.0).abs() < 0.02, "{measured:?} for {expected:?}");
    }

    fn mean(draws: &[Duration]) -> Duration {
        draws.iter().sum::<Duration>() / u32::try_from(draws.len()).unwrap()
    }

    #[test]
    fn a_constant_is_exact() {
        let law = Law::Constant(Duration::from_nanos(123_456_789));
        assert_eq!(law.sample(0.3, 0.9), Duration::from_nanos(123_456_789));
        assert_eq!(law.mean(), Duration::from_nanos(123_456_789));
    }

    #[test]
    fn an_exponential_has_its_mean_and_its_tail() {
        let draws = draws(Law::Exponential { mean: 120 * MS });
        near(mean(&draws), 120 * MS);
        near(draws[99_000], Duration::from_secs_f64(0.12 * 100_f64.ln()));
    }

    #[test]
    fn a_lognormal_has_its_percentiles_and_its_mean() {
        let law = Law::LogNormal { p50: 200 * MS, p99: 600 * MS };
        let draws = draws(law);
        near(draws[50_000], 200 * MS);
        near(draws[99_000], 600 * MS);
        near(mean(&draws), law.mean());
        let above = draws.iter().filter(|draw| **draw > law.seldom_above()).count();
        assert!((3..=25).contains(&above), "{above} of 100 000, where 10 are expected");
    }

    #[test]
    fn a_uniform_law_is_even_between_its_ends() {
        let law = Law::Uniform { min: 50 * MS, max: 150 * MS };
        let draws = draws(law);
        near(mean(&draws), 100 * MS);
        near(draws[25_000], 75 * MS);
        near(draws[99_000], law.p99());
        assert!(draws[0] >= 50 * MS && draws[99_999] < 150 * MS, "{:?} to {:?}", draws[0], draws[99_999]);
        assert_eq!((law.mean(), law.p99()), (100 * MS, 149 * MS));
    }

    #[test]
    fn the_percentiles_are_those_of_the_draws() {
        for law in [
            Law::Constant(120 * MS),
            Law::Exponential { mean: 120 * MS },
            Law::LogNormal { p50: 200 * MS, p99: 600 * MS },
        ] {
            let draws = draws(law);
            near(draws[50_000], law.p50());
            near(draws[99_000], law.p99());
        }
    }

    #[test]
    fn extremes_neither_panic_nor_wrap() {
        let law = Law::LogNormal { p50: NS, p99: Duration::from_secs(u64::MAX) };
        for u in [0.0, 0.5, 1.0 - f64::EPSILON / 2.0] {
            let _ = (law.sample(u, u), law.mean());
            let _ = Law::Exponential { mean: Duration::MAX }.sample(u, u);
        }
    }
}
