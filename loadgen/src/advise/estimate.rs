//! From the figures of a day at a smaller scale to those of the day that was asked about; of a day as it is they are its own.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use report::record::Strategy;
use report::{Figures, figure, metrics};
use scenarios::METRICS;
use serde_json::Number;

use super::ask::Ask;
use super::origin::PEAK_DEVIATIONS;
use super::world::World;
use crate::record::quantile_ms;

/// How a day's figures are read.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    whole: bool,
    /// Requests of the whole load for each that was simulated.
    load: f64,
    /// Origin reads for each that was simulated.
    reads: f64,
    /// How much oftener than on the day that was asked about a request finds nothing.
    oftener: f64,
    /// How much longer the TTL is.
    ttl: f64,
    measured_s: f64,
}

impl Reading {
    /// That of a day. Of one on which something happens nothing is read back for the TTL: what happened counts as it was.
    #[must_use]
    pub fn of(ask: &Ask, world: &World) -> Self {
        let (scale, steady) = (world.scale, world.change.is_steady());
        let reads = if steady { world.floor(ask) / world.simulated_floor(ask) } else { scale.origin };
        Self {
            whole: scale.is_whole(),
            load: scale.load,
            reads,
            oftener: if steady { (scale.load / reads).max(1.0) } else { 1.0 },
            ttl: scale.ttl,
            measured_s: world.times(ask).0.as_secs_f64(),
        }
    }

    /// Requests of the whole load for so many simulated ones.
    #[must_use]
    pub fn requests(&self, simulated: u64) -> u64 {
        if self.whole { simulated } else { (simulated as f64 * self.load).round() as u64 }
    }

    /// The figures; unknown where the scale does not tell one. `lengthens`: whether the strategy lengthens TTLs.
    #[must_use]
    pub fn figures(&self, run: &Strategy, response: Option<&Histogram<u64>>, lengthens: bool) -> Figures {
        let seen = metrics(run);
        if self.whole {
            return seen;
        }
        let value = |metric: &str| figure(&seen, metric).flatten().and_then(Number::as_f64);
        let mean = value("origin.total").unwrap_or(0.0) / self.measured_s;
        let read = |metric: &str| {
            let value = value(metric)?;
            let read = match metric {
                "requests" | "errors" | "outcomes.shed" | "outcomes.error" => (value * self.load).round(),
                "origin.total" | "origin.floor" => (value * self.reads).round(),
                "origin.max_per_second" => self.peak(mean, value),
                "hit_ratio" => 1.0 - (1.0 - value) / self.oftener,
                "stale.share" => value / self.oftener,
                "stale.overage_ms_max" if lengthens => value * self.ttl,
                "cache_ops_per_request" => 1.0 + (value - 1.0) / self.oftener,
                "latency_ms.p50" => self.quantile(response?, 0.5)?,
                "latency_ms.p95" => self.quantile(response?, 0.95)?,
                "latency_ms.p99" => self.quantile(response?, 0.99)?,
                "latency_ms.p99_9" => self.quantile(response?, 0.999)?,
                "latency_ms.max" | "stale.overage_ms_max" => value,
                "recovery.recovered" | "recovery.recovered_after_s" => value,
                _ => return None,
            };
            Number::from_f64((read * 1e6).round() / 1e6)
        };
        METRICS.iter().map(|metric| ((*metric).to_owned(), read(metric))).collect::<BTreeMap<_, _>>()
    }

    /// Of the requests that were asked about a smaller part waits, and the others are the fastest.
    fn quantile(&self, response: &Histogram<u64>, quantile: f64) -> Option<f64> {
        quantile_ms(response, (1.0 - (1.0 - quantile) * self.oftener).max(0.0))
    }

    /// The highest second, from the mean and the highest of what was simulated. As far above the mean as chance brings a Poisson count, it
    /// is chance, and grows with the root of the mean; what is beyond that came together, and grows with the load.
    fn peak(&self, mean: f64, highest: f64) -> f64 {
        let by_chance = |mean: f64| PEAK_DEVIATIONS * mean.sqrt() + 1.0;
        let all = mean * self.reads;
        let chance = (highest - mean).clamp(0.0, by_chance(mean));
        let together = (highest - mean - by_chance(mean)).max(0.0);
        (all + chance * by_chance(all) / by_chance(mean) + together * self.load).ceil()
    }
}
