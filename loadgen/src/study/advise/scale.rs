//! The scale at which a day is simulated that would cost too much as it is: fewer keys, fewer requests, a shorter TTL; and what that leaves
//! unsaid.
//!
//! **Fewer keys.** Load, keys and origin are divided by the same number. A key that is asked for as often as before is read as often as before,
//! under any strategy, and the origin is as busy as before; what the others share with it (a lock of its own, a flight) is a key's own. Keys that are
//! all alike are simply fewer; of a Zipf law, see [`scenarios::Sample`]. Left out: the chance of a larger origin to be evenly used is better, so a
//! smaller one lets reads wait a little longer.
//!
//! **Fewer requests.** Where every key is asked for many times during each read on every replica, more requests are more hits and longer waiting
//! lists, and no more reads, for any strategy that shares a read. Of one that does not, each of them is one; so requests are left out only where
//! that alone is more than the origin may see in a second, and such a strategy fails whatever it is asked for.
//!
//! **A shorter TTL.** What happens around an expiry does not depend on how long the value was fresh before, as long as every key is asked for many
//! times in between and the origin is nearly idle. So a cycle may be shorter, and is met more often: reads a second, and the shares of
//! requests that wait or are stale, are divided by what a perfect cache reads more often.
//!
//! [`super::estimate`] reads the figures back.

use std::time::Duration;

use scenarios::{KeyKind, Keys};
use strategies::units::duration_text;

use super::ask::{KeyFields, Question};
use super::numbers::{tidy, whole_ms};
use super::peak::peak_max;
use super::population::Population;

/// Sizes of a sample, the best first; below [`ENOUGH`] keys rather a shorter TTL.
const SAMPLES: [u32; 9] = [20_000, 10_000, 5000, 3000, 2000, 1000, 500, 200, 100];
const ENOUGH: u32 = 1000;
/// Places that a smaller origin keeps, where it has as many; or where it is nearly idle.
const PLACES_KEPT: f64 = 16.0;
const PLACES_IDLE: f64 = 2.0;
/// A TTL may be divided by powers of two up to this one.
const HALVINGS: i32 = 24;
/// A shortened TTL is at least so many reads of the origin long, and so many seconds: early refreshes begin some reads before an expiry, five to
/// ten with the usual settings, so that reads are overstated by a twentieth at most.
const READS_LONG: f64 = 200.0;
/// Requests that are left for each key, replica and read where requests are left out, and powers of two by which they may be divided.
const ASKED_IN_A_READ: f64 = 20.0;
const THINNINGS: i32 = 10;
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
    pub const fn is_sampled(&self) -> bool {
        self.keys < self.of
    }

    /// Whether all keys are, but not all requests for them.
    #[must_use]
    pub fn is_thin(&self) -> bool {
        !self.is_sampled() && self.load > 1.0
    }

    /// The TTL that is simulated.
    #[must_use]
    pub fn ttl_of(&self, ask: &Question) -> Duration {
        if self.ttl <= 1.0 { ask.ttl } else { whole_ms(ask.ttl.div_f64(self.ttl)) }
    }

    /// The keys that are simulated.
    #[must_use]
    pub fn population(&self, ask: &Question) -> Population {
        if self.keys == self.of { ask.population.clone() } else { Population::of(&ask.keys_of(self)) }
    }

    /// Scales to choose from, the truest first: all of it, then fewer requests, then samples of the keys; where those are small, shorter TTLs
    /// before smaller ones.
    fn all(ask: &Question, capacity: f64) -> impl Iterator<Item = Self> {
        let n = ask.n;
        let thinnest = (1..=THINNINGS).rev().map(|halving| 2.0_f64.powi(halving)).find(|by| bears(ask, capacity, *by));
        let thin = move |load: f64, ttl: f64| Self { load, ttl, ..Self::whole(n) };
        let fewer = (1..=THINNINGS).map(|halving| 2.0_f64.powi(halving));
        let fewer = fewer.take_while(move |by| thinnest.is_some_and(|most| *by <= most)).map(move |by| thin(by, 1.0));
        let fewer_and_short = thinnest.into_iter();
        let fewer_and_short =
            fewer_and_short.flat_map(move |by| (1..=HALVINGS).map(move |halving| thin(by, 2.0_f64.powi(halving))));
        let samples = move |enough: bool| {
            let sizes = SAMPLES.into_iter().filter(move |size| *size < n && (*size >= ENOUGH) == enough);
            std::iter::once(n).filter(move |_| enough).chain(sizes)
        };
        let mut few: Vec<u32> = samples(true).collect();
        few.reverse();
        let shorter = |from: i32| (from..=HALVINGS).map(|halving| 2.0_f64.powi(halving));
        let wide = samples(true).map(|keys| (keys, 1.0));
        let short = few.into_iter().flat_map(move |keys| shorter(1).map(move |ttl| (keys, ttl)));
        let small = samples(false).flat_map(move |keys| shorter(0).map(move |ttl| (keys, ttl)));
        let sampled = move |(keys, ttl)| Self { ttl, ..Self::sampled(ask, keys) };
        let all = std::iter::once(Self::whole(n)).chain(fewer).chain(fewer_and_short);
        all.chain(wide.chain(short).chain(small).map(sampled))
    }

    /// With so many keys.
    fn sampled(ask: &Question, keys: u32) -> Self {
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
    fn is_true(&self, ask: &Question, capacity: f64) -> bool {
        let service = ask.service.mean().as_secs_f64();
        let places = (capacity * service).max(1.0);
        let least = if ask.floor <= capacity * IDLE { PLACES_IDLE } else { PLACES_KEPT };
        let kept = self.origin <= 1.0 || places / self.origin >= least.min(places / 2.0).max(1.0);
        let asked = ask.rate / self.load >= ask.rate.min(1.0);
        // A hot key that is there itself must not be most of what is read.
        let part = self.is_thin() || self.origin >= 0.5 * self.load;
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
    pub fn fitting(
        ask: &Question,
        capacity: f64,
        affordable: impl Fn(&Self) -> bool,
        cost: impl Fn(&Self) -> f64,
    ) -> Self {
        let mut cheapest: Option<(f64, Self)> = None;
        for scale in Self::all(ask, capacity).filter(|scale| scale.is_true(ask, capacity)) {
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
    pub fn in_words(&self, ask: &Question) -> Option<String> {
        let thin = self.is_thin().then(|| {
            let [own, other] = [ask.rate / self.load, ask.rate].map(tidy);
            format!(
                "simulated with {own} requests/s instead of {other}: every key is asked for many times in each read all the same, so \
                 a strategy that shares reads makes no more of them; one that does not is shown as far too good, and misses the goal even so"
            )
        });
        let sample = self.is_sampled().then(|| {
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
        let both: Vec<String> = sample.into_iter().chain(thin).chain(shorter).collect();
        (!both.is_empty()).then(|| both.join("; "))
    }
}

impl Question {
    /// The keys of a day at this scale.
    #[must_use]
    pub fn keys_of(&self, scale: &Scale) -> Keys {
        let zipf = matches!(self.keys_read.kind, KeyKind::Zipf { .. });
        Keys { n: scale.keys, sample_of: (zipf && scale.keys < self.n).then_some(self.n), ..self.keys_read.clone() }
    }

    /// The fields of a scenario that say so.
    pub(super) fn key_fields(&self, scale: &Scale) -> KeyFields {
        let mut fields = self.fields.clone();
        let Keys { n, sample_of, .. } = self.keys_of(scale);
        fields.retain(|(field, _)| *field != "keys.n");
        fields.push(("keys.n", n.to_string()));
        fields.extend(sample_of.map(|of| ("keys.sample_of", of.to_string())));
        fields
    }
}

/// Whether so much fewer requests tell what was asked: every key is asked for many times in a read on every replica, and a herd of all that come
/// in a read, or in a second of it, is more than the origin may see.
fn bears(ask: &Question, capacity: f64, by: f64) -> bool {
    let (service, least) = (ask.service.mean().as_secs_f64(), ask.rate * ask.population.least_share());
    least / by * service / f64::from(ask.replicas.max(1)) >= ASKED_IN_A_READ
        && least * service.min(1.0) > 2.0 * peak_max(capacity)
        && ask.ttl.as_secs_f64() >= READS_LONG * service
}

fn share(part: f64) -> String {
    if part >= 0.1 { format!("{:.0}%", part * 100.0) } else { format!("{:.2}%", part * 100.0) }
}
