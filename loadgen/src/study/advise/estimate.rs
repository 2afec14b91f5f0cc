//! From the figures of a day at a smaller scale to those of the day that was asked about; of a day as it is they are its own.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use report::record::Strategy;
use report::{Figures, figure, metrics};
use scenarios::METRICS;
use serde_json::Number;
use strategies::Spec;

use super::ask::Question;
use super::peak::PEAK_DEVIATIONS;
use super::simulated_day::SimulatedDay;
use crate::load::record::quantile_ms;

/// How a day's figures are read.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    whole: bool,
    /// Requests of the whole load for each that was simulated.
    load: f64,
    /// Reads of a perfect cache, for each that it would make of what was simulated: of all keys with the TTL that was simulated.
    keys: f64,
    /// How much oftener a perfect cache reads with the TTL that was simulated than with the one that was asked about.
    ttl: f64,
    /// How much longer the TTL is.
    longer: f64,
    /// Reads of a perfect cache in what was simulated: of all requests, and a second.
    floor_share: f64,
    floor_per_s: f64,
    measured_s: f64,
}

/// What a strategy does that a reading must know.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// Whether it lengthens TTLs.
    pub lengthens_ttl: bool,
    /// Whether each request that finds nothing reads for itself.
    pub herds: bool,
}

impl Manners {
    /// Those of a strategy.
    #[must_use]
    pub fn of(spec: &Spec) -> Self {
        let shares = |name| ["coalesce", "lock", "lease"].contains(&name);
        Self { lengthens_ttl: spec.lengthens_ttl(), herds: !spec.layers().iter().any(|layer| shares(layer.name)) }
    }
}

impl Reading {
    /// That of a day. Of one on which something happens nothing is read back for the TTL: what happened counts as it was.
    #[must_use]
    pub fn of(ask: &Question, world: &SimulatedDay) -> Self {
        let (scale, steady) = (world.scale, world.change.is_steady());
        let own = world.simulated_floor(ask);
        let all = world.floor_with(ask, scale.ttl_of(ask));
        Self {
            whole: scale.is_whole(),
            load: scale.load,
            keys: if steady { all / own } else { scale.origin },
            ttl: if steady { (all / world.floor(ask)).max(1.0) } else { 1.0 },
            longer: scale.ttl,
            floor_share: own / world.simulated_rate(ask),
            floor_per_s: own,
            measured_s: world.times(ask).0.as_secs_f64(),
        }
    }

    /// Requests of the whole load for so many simulated ones.
    #[must_use]
    pub fn requests(&self, simulated: u64) -> u64 {
        if self.whole { simulated } else { (simulated as f64 * self.load).round() as u64 }
    }

    /// The figures; unknown where the scale does not tell one.
    #[must_use]
    pub fn figures(&self, run: &Strategy, response: Option<&Histogram<u64>>, manners: Manners) -> Figures {
        let seen = metrics(run);
        if self.whole {
            return seen;
        }
        let value = |metric: &str| figure(&seen, metric).flatten().and_then(Number::as_f64);
        let total = value("origin.total").unwrap_or(0.0);
        let misses = value("hit_ratio").map_or(0.0, |hits| 1.0 - hits);
        let oftener = self.oftener(misses);
        let read = |metric: &str| {
            let value = value(metric)?;
            let read = match metric {
                "requests" | "errors" | "outcomes.shed" | "outcomes.error" => (value * self.load).round(),
                "origin.total" => self.reads(value, manners),
                "origin.floor" => value * self.keys / self.ttl,
                "origin.max_per_second" => self.peak(total, value, manners),
                "hit_ratio" => 1.0 - misses / oftener,
                "stale.share" => value / self.oftener(value),
                "stale.overage_ms_max" if manners.lengthens_ttl => value * self.longer,
                "cache_ops_per_request" => 1.0 + (value - 1.0) / oftener,
                "latency_ms.p50" => quantile(response?, 0.5, oftener)?,
                "latency_ms.p95" => quantile(response?, 0.95, oftener)?,
                "latency_ms.p99" => quantile(response?, 0.99, oftener)?,
                "latency_ms.p99_9" => quantile(response?, 0.999, oftener)?,
                "latency_ms.max" | "stale.overage_ms_max" | "errors.share" | "shed.share" => value,
                "recovery.recovered" | "recovery.recovered_after_s" => value,
                _ => return None,
            };
            Number::from_f64((read * 1e6).round() / 1e6)
        };
        METRICS.iter().map(|metric| ((*metric).to_owned(), read(metric))).collect::<BTreeMap<_, _>>()
    }

    /// Origin reads for so many simulated ones. Those that a perfect cache makes, too, are read back as its own; what is beyond them is a
    /// herd, which grows with the load, or else what a shared read costs too much, a part of them.
    fn reads(&self, simulated: f64, manners: Manners) -> f64 {
        let floor = simulated.min(self.floor_per_s * self.measured_s);
        let beyond = if manners.herds { self.load } else { self.keys };
        (floor * self.keys + (simulated - floor) * beyond) / self.ttl
    }

    /// How much oftener than on the day that was asked about something happens to a share of the requests. One of each read is the one that
    /// reads; the others came while it did, and their share is the same at any scale of the keys.
    fn oftener(&self, share: f64) -> f64 {
        let first = share.min(self.floor_share);
        let asked = (first * self.keys / self.load + share - first) / self.ttl;
        if asked > 0.0 { (share / asked).max(1.0) } else { self.ttl }
    }

    /// The highest second, from the mean and the highest of what was simulated. As far above the mean as chance brings a Poisson count, it
    /// is chance, and grows with the root of the mean; what is beyond that came together, and grows with the load, or with the keys.
    fn peak(&self, total: f64, highest: f64, manners: Manners) -> f64 {
        let by_chance = |mean: f64| PEAK_DEVIATIONS * mean.sqrt() + 1.0;
        let (mean, all) = (total / self.measured_s, self.reads(total, manners) / self.measured_s);
        let chance = (highest - mean).clamp(0.0, by_chance(mean));
        let together = (highest - mean - by_chance(mean)).max(0.0);
        let grows = if manners.herds { self.load } else { self.keys };
        (all + chance * by_chance(all) / by_chance(mean) + together * grows).ceil()
    }
}

/// Of the requests that were asked about a smaller part waits, and the others are the fastest.
fn quantile(response: &Histogram<u64>, quantile: f64, oftener: f64) -> Option<f64> {
    quantile_ms(response, (1.0 - (1.0 - quantile) * oftener).max(0.0))
}
