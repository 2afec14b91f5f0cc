//! The scale at which a day is simulated that would cost too much as it is: fewer keys, a shorter TTL; and what that leaves unsaid.
//!
//! **Fewer keys.** Load, keys and origin are divided by the same number. A key that is asked for as often as before is read as often as before,
//! under any strategy, and the origin is as busy as before; what the others share with it (a lock of its own, a flight) is a key's own. Keys that are
//! all alike are simply fewer; of a Zipf law, see [`scenarios::Sample`]. Left out: the chance of a larger origin to be evenly used is better, so a
//! smaller one lets reads wait a little longer.
//!
//! **A shorter TTL.** What happens around an expiry does not depend on how long the value was fresh before, as long as every key is asked for many
//! times in between and the origin is nearly idle. So a cycle may be shorter, and is met more often: reads a second, and the shares of
//! requests that wait or are stale, are divided by what a perfect cache reads more often.
//!
//! [`super::estimate`] reads the figures back.

use std::time::Duration;

use strategies::units::duration_text;

use super::ask::{Ask, tidy};
use super::population::Population;
use super::world::whole_ms;

/// Sizes of a sample, the best first; below [`ENOUGH`] keys rather a shorter TTL.
const SAMPLES: [u32; 9] = [20_000, 10_000, 5000, 3000, 2000, 1000, 500, 200, 100];
const ENOUGH: u32 = 1000;
/// Places that a smaller origin keeps, where it has as many; or where it is nearly idle.
const PLACES_KEPT: f64 = 16.0;
const PLACES_IDLE: f64 = 2.0;
/// A TTL may be divided by powers of two up to this one.
const HALVINGS: i32 = 24;
/// A shortened TTL is at least so many reads of the origin long, and so many seconds: early refreshes begin some reads before an expiry.
const READS_LONG: f64 = 50.0;
const SHORTEST_S: f64 = 5.0;
/// It is the same cycle, met more often, where a perfect cache's reads grow nearly as much, or where it hardly caches at all.
const SAME_CYCLE: f64 = 0.8;
const HARDLY: f64 = 1.05;
/// An origin that is used no more than so is nearly idle.
const IDLE: f64 = 0.25;
/// Three TTLs must fit into a day, the longest that a scenario measures.
const TTL_MAX: Duration = Duration::from_secs(8 * 3600);

/// How much smaller what is simulated is than what was asked about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Keys that are simulated.
    pub keys: u32,
    /// Keys that were asked about.
    pub of: u32,
    /// What the requests a second are divided by.
    pub load: f64,
    /// What the origin's capacity is divided by: as `load`, but for the most popular keys, which are all there.
    pub origin: f64,
    /// What the TTL is divided by.
    pub ttl: f64,
}

impl Scale {
    /// As it is.
    #[must_use]
    pub const fn whole(keys: u32) -> Self {
        Self { keys, of: keys, load: 1.0, origin: 1.0, ttl: 1.0 }
    }

    /// Whether everything is simulated as it was asked.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.load <= 1.0 && self.ttl <= 1.0
    }

    /// Whether not all keys are simulated.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.load > 1.0
    }

    /// The TTL that is simulated.
    #[must_use]
    pub fn ttl_of(&self, ask: &Ask) -> Duration {
        if self.ttl <= 1.0 { ask.ttl } else { whole_ms(ask.ttl.div_f64(self.ttl)) }
    }

    /// The keys that are simulated.
    #[must_use]
    pub fn population(&self, ask: &Ask) -> Population {
        if self.keys == self.of { ask.population.clone() } else { Population::of(&ask.keys_of(self)) }
    }

    /// Scales to choose from, the truest first: all keys, then samples of them; where those are small, shorter TTLs before smaller ones.
    fn all(ask: &Ask) -> impl Iterator<Item = Self> {
        let n = ask.n;
        let samples = move |enough: bool| {
            let sizes = SAMPLES.into_iter().filter(move |size| *size < n && (*size >= ENOUGH) == enough);
            std::iter::once(n).filter(move |_| enough).chain(sizes)
        };
        let smallest = samples(true).last().unwrap_or(n);
        let shorter = |from: i32| (from..=HALVINGS).map(|halving| 2.0_f64.powi(halving));
        let wide = samples(true).map(|keys| (keys, 1.0));
        let short = shorter(1).map(move |ttl| (smallest, ttl));
        let small = samples(false).flat_map(move |keys| shorter(0).map(move |ttl| (keys, ttl)));
        wide.chain(short).chain(small).map(move |(keys, ttl)| Self { ttl, ..Self::sampled(ask, keys) })
    }

    /// With so many keys.
    fn sampled(ask: &Ask, keys: u32) -> Self {
        let whole = Self::whole(ask.n);
        if keys >= ask.n {
            return whole;
        }
        let load =
            ask.keys_of(&Self { keys, ..whole }).sample().map_or_else(|| ask.stands_for(keys), |sample| sample.width);
        let scale = Self { keys, load, ..whole };
        // The keys that are there themselves read more than their part: the origin has room for that.
        let floor = scale.population(ask).floor(ask.rate / load, ask.ttl, ask.service.mean());
        Self { origin: (ask.floor / floor).clamp(1.0, load), ..scale }
    }

    /// Whether it tells what was asked.
    fn is_true(&self, ask: &Ask, capacity: f64) -> bool {
        let service = ask.service.mean().as_secs_f64();
        let places = (capacity * service).max(1.0);
        let least = if ask.floor <= capacity * IDLE { PLACES_IDLE } else { PLACES_KEPT };
        let kept = self.origin <= 1.0 || places / self.origin >= least.min(places / 2.0).max(1.0);
        let asked = ask.rate / self.load >= ask.rate.min(1.0);
        // A hot key that is there itself must not be most of what is read.
        let part = self.origin >= 0.5 * self.load;
        if self.ttl <= 1.0 {
            return kept && asked && part && ask.ttl <= TTL_MAX;
        }
        let ttl = self.ttl_of(ask);
        let population = self.population(ask);
        let floor = |ttl| population.floor(ask.rate / self.load, ttl, ask.service.mean());
        let oftener = floor(ttl) / floor(ask.ttl);
        let same = oftener >= SAME_CYCLE * self.ttl || oftener <= HARDLY;
        let idle = floor(ttl) * self.origin <= capacity * IDLE || oftener <= HARDLY;
        let long = ttl.as_secs_f64() >= (READS_LONG * service).max(SHORTEST_S);
        kept && asked && part && same && idle && long && ttl <= TTL_MAX
    }

    /// The truest scale with which a day is affordable; where none is, the cheapest of those that tell what was asked.
    #[must_use]
    pub fn fitting(ask: &Ask, capacity: f64, affordable: impl Fn(&Self) -> bool, cost: impl Fn(&Self) -> f64) -> Self {
        let mut cheapest: Option<(f64, Self)> = None;
        for scale in Self::all(ask).filter(|scale| scale.is_true(ask, capacity)) {
            if affordable(&scale) {
                return scale;
            }
            let cost = cost(&scale);
            if cheapest.is_none_or(|(least, _)| cost < least) {
                cheapest = Some((cost, scale));
            }
        }
        // A TTL that no day holds three times is shortened until one does, whatever its keys are asked for.
        let day = (ask.ttl.as_secs_f64() / TTL_MAX.as_secs_f64()).max(1.0);
        cheapest.map_or_else(|| Self { ttl: day, ..Self::whole(ask.n) }, |(_, scale)| scale)
    }

    /// What was done, in words; `None` where everything is simulated as it was asked.
    #[must_use]
    pub fn in_words(&self, ask: &Ask) -> Option<String> {
        let sample = (self.load > 1.0).then(|| {
            format!(
                "estimated from a sample of {} of {} keys, with {} requests/s and {} of the origin",
                self.keys,
                self.of,
                tidy(ask.rate / self.load),
                share(1.0 / self.origin)
            )
        });
        let shorter = (self.ttl > 1.0).then(|| {
            let [own, other] = [self.ttl_of(ask), ask.ttl].map(duration_text);
            format!("simulated with a TTL of {own} instead of {other}, and read back for that")
        });
        let both: Vec<String> = sample.into_iter().chain(shorter).collect();
        (!both.is_empty()).then(|| both.join("; "))
    }
}

fn share(part: f64) -> String {
    if part >= 0.1 { format!("{:.0}%", part * 100.0) } else { format!("{:.2}%", part * 100.0) }
}
