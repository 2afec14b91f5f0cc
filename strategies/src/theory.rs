//! What theory predicts of one hot key, to be printed beside what was measured.
//!
//! Symbols as in the literature: r reads of the key a second, T its TTL, d the origin's service time (a pure delay), R
//! replicas, β XFetch's knob. A cycle goes from one load of the key to the next; in it the cache serves, the entry
//! ends or is refreshed, and a herd of N reads reaches the origin. A formula is only used where its premises hold; where
//! none does, there is no prediction, and that is said by `None`.

use std::time::Duration;

use crate::policy::Early;
use crate::spec::{CacheLayer, FillLayer, RefreshMode, Spec};

/// Euler's constant γ.
const GAMMA: f64 = 0.577_215_664_901_532_9;
/// XFetch's lead follows a Gumbel law where so many reads at least fall into β·d; below, it is cut off at the expiry.
const READS_IN_LEAD_MIN: f64 = 3.0;
/// A key is hot where so many reads at least fall into a TTL.
const READS_IN_TTL_MIN: f64 = 3.0;

/// Who asks for the key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Readers {
    /// A Poisson process (or equal gaps) of so many reads a second, whatever happens.
    Open {
        /// r.
        per_s: f64,
    },
    /// Clients who wait for their answer, think, and ask again, for this key with a probability.
    Closed {
        /// C.
        clients: u32,
        /// z, mean.
        think: Duration,
        /// Whether z is always the same, or exponential.
        constant: bool,
        /// h: the share of their requests that is for this key.
        share: f64,
    },
}

impl Readers {
    /// r while answers come from the cache, which takes no time.
    fn per_s(self) -> f64 {
        match self {
            Self::Open { per_s } => per_s,
            Self::Closed { clients, think, share, .. } => f64::from(clients) * share / think.as_secs_f64(),
        }
    }

    /// How many of them, the first included, ask within `d` of the first, if none of them is answered before.
    ///
    /// Open: 1 + r·d. Closed: each of the other C − 1 clients with the probability that one of its questions in d is for
    /// the key: with constant think time it asks ⌊d/z⌋ times, and once more with probability d/z − ⌊d/z⌋; with
    /// exponential think time it asks for the key at rate h/z.
    fn herd(self, d: f64) -> f64 {
        match self {
            Self::Open { per_s } => 1.0 + per_s * d,
            Self::Closed { clients, think, constant, share } => {
                let times = d / think.as_secs_f64();
                let others = f64::from(clients.saturating_sub(1));
                let asked = if constant {
                    let missed = |n: f64| (1.0 - share).powf(n);
                    let (whole, part) = (times.floor(), times.fract());
                    1.0 - (1.0 - part) * missed(whole) - part * missed(whole + 1.0)
                } else {
                    1.0 - (-share * times).exp()
                };
                1.0 + others * asked
            }
        }
    }
}

/// The circumstances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circumstances {
    /// Who asks.
    pub readers: Readers,
    /// T.
    pub ttl: Duration,
    /// d.
    pub service: Duration,
    /// R.
    pub replicas: u32,
    /// W: reads that the origin serves at once. A herd beyond it queues, and the formulas no longer hold.
    pub places: u32,
}

/// What is to be expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Origin reads at an expiry, or at an early refresh: N.
    pub per_expiry: f64,
    /// From one such moment to the next, seconds; `None` where only the herd is known.
    pub cycle_s: Option<f64>,
    /// Share of the key's requests that wait for the origin, once the cache is filled.
    pub wait_share: Option<f64>,
    /// Share of the key's requests that are answered with a stale value.
    pub stale_share: Option<f64>,
    /// The formula of N, in words.
    pub formula: &'static str,
}

/// Predicts. `None` where no formula covers the strategy in these circumstances: wrong ones, keys that are not hot, herds
/// that the origin can't serve at once, answers that must be given up.
#[must_use]
pub fn predict(spec: &Spec, at: &Circumstances) -> Option<Prediction> {
    let shape = Shape::of(spec, at)?;
    let prediction = shape.predict(at)?;
    (prediction.per_expiry <= f64::from(at.places)).then_some(prediction)
}

/// What of a strategy matters here. Times in seconds.
struct Shape {
    early: Early,
    /// The TTL after jitter, mean: each put draws T·(1 + U(0, s)), so T·(1 + s/2).
    ttl: f64,
    d: f64,
    r: f64,
    /// Stale values are served for as long as a refresh takes, at least.
    stale: bool,
    locked: bool,
    coalesced: bool,
}

impl Shape {
    fn of(spec: &Spec, at: &Circumstances) -> Option<Self> {
        let (d, r) = (at.service.as_secs_f64(), at.readers.per_s());
        let life = spec.policy.life(at.ttl);
        // Of a jitter both ways no formula is known.
        if spec.cache.iter().any(|CacheLayer::Jitter { symmetric, .. }| *symmetric) {
            return None;
        }
        let spread: f64 = spec.cache.iter().map(|CacheLayer::Jitter { spread, .. }| spread / 2.0).sum();
        let ttl = life.soft.as_secs_f64() * (1.0 + spread);
        let (mut locked, mut coalesced) = (false, false);
        for layer in &spec.fill {
            match layer {
                FillLayer::Coalesce => coalesced = true,
                FillLayer::Lock(settings) => {
                    locked = true;
                    if settings.hold.budget() <= at.service || settings.wait <= at.service {
                        return None;
                    }
                }
            }
        }
        let stale = spec.policy.stale.of(at.ttl) > at.service;
        let hot = r.is_finite() && r * ttl >= READS_IN_TTL_MIN && d > 0.0 && d < ttl;
        (spec.flaw.is_none() && hot).then_some(Self { early: spec.policy.early, ttl, d, r, stale, locked, coalesced })
    }

    fn predict(&self, at: &Circumstances) -> Option<Prediction> {
        match self.early {
            Early::Never if self.stale => self.stale_while_revalidate(at),
            Early::Never => self.lazy(at),
            Early::XFetch { beta, mode: RefreshMode::Background } => self.xfetch(beta),
            Early::Ahead { theta } => self.early_by((1.0 - theta) * self.ttl, "1 at θT"),
            Early::SoftWindow { window, probability } => {
                // The first of the reads that come at rate r and refresh with this probability: Exp(r·q) into the window.
                let (window, first) = (window.of(at.ttl).as_secs_f64(), 1.0 / (self.r * probability));
                let surely = first * READS_IN_LEAD_MIN < window;
                surely.then(|| self.early_by(window - first, "1, at Exp(r·q) into the window"))?
            }
            Early::XFetch { mode: RefreshMode::Sync, .. } | Early::XFetchTurned { .. } => None,
        }
    }

    /// Whoever asks in the d of a load waits; without anything that holds them together, each reads.
    ///
    /// Nobody together: N = herd, and the late puts renew the TTL: a cycle is T + 2d (+ e^(−rd)/r for a key that is
    /// hardly hot). By process: requests come to the replicas in turns, so
    /// N = E\[min(R, herd)\]. By fleet: N = 1, a cycle is T + d + 1/r.
    fn lazy(&self, at: &Circumstances) -> Option<Prediction> {
        let Self { ttl, d, r, .. } = *self;
        let waiting = at.readers.herd(d);
        let (per_expiry, cycle, formula) = match (self.locked, self.coalesced) {
            (true, _) => (1.0, ttl + d + 1.0 / r, "1 by the lock"),
            (false, true) => {
                let cycle = ttl + d + 1.0 / r + self.last_flight(at.replicas);
                (self.flights(at.replicas, waiting), cycle, "min(R, 1 + rd), in the mean")
            }
            (false, false) => {
                let formula = match at.readers {
                    Readers::Open { .. } => "1 + rd",
                    Readers::Closed { .. } => "1 + the other clients that ask in d",
                };
                (waiting, ttl + 2.0 * d + (-r * d).exp() / r, formula)
            }
        };
        // Clients of a closed loop ask no more while they wait: between herds they are as many as ever.
        let (cycle_s, asked) = match at.readers {
            Readers::Open { .. } => (Some(cycle), r * cycle),
            Readers::Closed { .. } => (self.locked.then_some(cycle), r * ttl + waiting),
        };
        let (wait_share, stale_share) = (Some(waiting / asked), Some(0.0));
        Some(Prediction { per_expiry, cycle_s, wait_share, stale_share, formula })
    }

    /// The old value for whoever asks in the d of the refresh: by one refresher for the fleet, or by one per process.
    fn stale_while_revalidate(&self, at: &Circumstances) -> Option<Prediction> {
        let Self { ttl, d, r, .. } = *self;
        let (per_expiry, formula, last) = match (self.locked, self.coalesced) {
            (true, _) => (1.0, "1 by the lock", 0.0),
            (false, true) => {
                (self.flights(at.replicas, 1.0 + r * d), "min(R, 1 + rd), in the mean", self.last_flight(at.replicas))
            }
            (false, false) => return None,
        };
        // Served stale: all that come between the expiry and the first refresh's end, d after the first of them.
        let cycle = ttl + d + 1.0 / r + last;
        let stale_share = Some((1.0 + r * d) / (r * cycle));
        Some(Prediction { per_expiry, cycle_s: Some(cycle), wait_share: Some(0.0), stale_share, formula })
    }

    /// XFetch: with x left, a read refreshes with probability e^(−x/(βd)). The first to do so is G before the expiry, with a
    /// Gumbel law of mean βd(ln(rβd) + γ). One refresher for the fleet: one read, every T − E\[G\] + d. Nothing that holds
    /// them together: reads go on firing until the first refresh lands, in all a geometric number of mean e^(1/β),
    /// whatever the load (Vattani, Chierichetti, Lowenstein, PVLDB 8(8), 2015, and design/strategies.md).
    fn xfetch(&self, beta: f64) -> Option<Prediction> {
        let in_lead = self.r * beta * self.d;
        let lead = beta * self.d * (in_lead.ln() + GAMMA);
        // Mostly in time: a standard deviation of the Gumbel law, βdπ/√6, to spare.
        let spread = beta * self.d * std::f64::consts::PI / 6.0_f64.sqrt();
        if in_lead < READS_IN_LEAD_MIN || lead - spread <= self.d {
            return None;
        }
        match (self.locked, self.coalesced) {
            (true, _) => self.early_by(lead, "1, at E[G] = βd(ln(rβd) + γ) before the expiry"),
            (false, false) => Some(Prediction {
                per_expiry: (1.0 / beta).exp(),
                cycle_s: None,
                wait_share: Some(0.0),
                stale_share: Some(0.0),
                formula: "e^(1/β)",
            }),
            (false, true) => None,
        }
    }

    /// One refresh in the background, so long before the expiry: nobody waits where it is done by then.
    fn early_by(&self, lead: f64, formula: &'static str) -> Option<Prediction> {
        let done = lead > self.d;
        (self.locked && done).then_some(Prediction {
            per_expiry: 1.0,
            cycle_s: Some(self.ttl - lead + self.d),
            wait_share: Some(0.0),
            stale_share: Some(0.0),
            formula,
        })
    }

    /// Replicas that lead a flight where `herd` readers come in d. The plan deals requests out in turns, so those after the
    /// first go each to another replica until all have one: E\[min(R, herd)\], the herd being the first and a Poisson
    /// number. (A balancer that throws dice would make it R(1 − e^(−rd/R)). Both are R for a hot key.)
    fn flights(&self, replicas: u32, herd: f64) -> f64 {
        let others = Poisson(herd - 1.0);
        1.0 + (1..replicas.max(1)).map(|k| 1.0 - others.below(k)).sum::<f64>()
    }

    /// How long after the first flight the last one begins, mean: ∫₀ᵈ P(fewer than R − 1 others have come by t, and
    /// another will by d) dt.
    fn last_flight(&self, replicas: u32) -> f64 {
        const STEPS: u32 = 200;
        let step = self.d / f64::from(STEPS);
        let others = replicas.saturating_sub(1);
        let left = |t: f64| Poisson(self.r * t).below(others) * (1.0 - (-self.r * (self.d - t)).exp());
        (0..STEPS).map(|n| left((f64::from(n) + 0.5) * step) * step).sum()
    }
}

/// The Poisson law of that mean.
struct Poisson(f64);

impl Poisson {
    /// P(N < k).
    fn below(&self, k: u32) -> f64 {
        // Beyond this e^(−mean) is nothing, and the law as narrow as its mean is far from any number of replicas near it.
        if self.0 > 700.0 {
            return if f64::from(k) > self.0 { 1.0 } else { 0.0 };
        }
        let (mut term, mut sum) = ((-self.0).exp(), 0.0);
        for n in 0..k {
            sum += term;
            term *= self.0 / f64::from(n + 1);
        }
        sum.min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// hotkey-open: 380 reads a second of the hot key, T 5 s, d 200 ms, three replicas.
    fn open() -> Circumstances {
        let (ttl, service) = (Duration::from_secs(5), Duration::from_millis(200));
        Circumstances { readers: Readers::Open { per_s: 380.0 }, ttl, service, replicas: 3, places: 128 }
    }

    fn predicted(spec: &str, at: &Circumstances) -> Option<Prediction> {
        predict(&Spec::parse(spec).unwrap(), at)
    }

    #[track_caller]
    fn assert_near(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 0.005 * expected.abs().max(0.01), "{found}, expected {expected}");
    }

    #[test]
    fn the_table_of_an_open_loop() {
        // (strategy, reads per expiry, cycle, waiting share, stale share), worked out by hand from the published table.
        for (spec, per_expiry, cycle, wait, stale) in [
            ("naive", 77.0, Some(5.4), Some(77.0 / (380.0 * 5.4)), Some(0.0)),
            ("coalesce", 3.0, Some(5.2079), Some(77.0 / (380.0 * 5.2079)), Some(0.0)),
            ("singleflight", 1.0, Some(5.2026), Some(77.0 / (380.0 * 5.2026)), Some(0.0)),
            ("swr", 1.0, Some(5.2026), Some(0.0), Some(77.0 / (380.0 * 5.2026))),
            ("swr + coalesce", 3.0, Some(5.2079), Some(0.0), Some(77.0 / (380.0 * 5.2079))),
            ("xfetch", 1.0, Some(5.0 - 0.98157 + 0.2), Some(0.0), Some(0.0)),
            ("xfetch(beta=2)", 1.0, Some(5.0 - 2.2404 + 0.2), Some(0.0), Some(0.0)),
            ("xfetch + bare", std::f64::consts::E, None, Some(0.0), Some(0.0)),
            ("xfetch(beta=2) + bare", 1.6487, None, Some(0.0), Some(0.0)),
            ("ahead", 1.0, Some(0.9 * 5.0 + 0.2), Some(0.0), Some(0.0)),
            ("jitter", 77.0, Some(5.5 + 0.4), Some(77.0 / (380.0 * 5.9)), Some(0.0)),
            ("best", 1.0, Some(5.25 - 0.98157 + 0.2), Some(0.0), Some(0.0)),
            ("apee-lrm", 1.0, Some(5.0 - 1.0 + 1.0 / 57.0 + 0.2), Some(0.0), Some(0.0)),
        ] {
            let prediction = predicted(spec, &open()).unwrap_or_else(|| panic!("{spec}: no prediction"));
            assert_near(prediction.per_expiry, per_expiry);
            for (found, expected) in
                [(prediction.cycle_s, cycle), (prediction.wait_share, wait), (prediction.stale_share, stale)]
            {
                assert_eq!(found.is_some(), expected.is_some(), "{spec}: {prediction:?}");
                assert_near(found.unwrap_or(0.0), expected.unwrap_or(0.0));
            }
        }
    }

    #[test]
    fn a_closed_loop_caps_the_herd_at_its_clients() {
        let clients = |constant, share| {
            let readers = Readers::Closed { clients: 50, think: Duration::from_millis(120), constant, share };
            predicted("naive", &Circumstances { readers, ..open() }).unwrap().per_expiry
        };
        // The published 48.9 (simulated) and 39.8.
        assert_near(clients(true, 0.95), 49.1);
        assert_near(clients(true, 1.0), 50.0);
        assert_near(clients(false, 1.0), 40.75);
    }

    #[test]
    fn where_a_premise_fails_nothing_is_predicted() {
        let cold = Circumstances { readers: Readers::Open { per_s: 0.5 }, ..open() };
        let lukewarm = Circumstances { readers: Readers::Open { per_s: 10.0 }, ..open() };
        let small = Circumstances { places: 64, ..open() };
        for (spec, at, premise) in [
            ("naive", cold, "the key is hot"),
            ("naive", small, "the herd is served at once"),
            ("xfetch", lukewarm, "somebody is there to fire early"),
            ("xfetch(beta=0.3) + bare", open(), "the refresh lands before the expiry"),
            ("xfetch + coalesce", open(), "a formula is known"),
            ("plain + jitter(±0.1)", open(), "a formula is known"),
            ("swr + bare", open(), "a formula is known"),
            ("plain + lock(wait=100ms)", open(), "who waits is answered"),
            ("broken-xfetch-sign", open(), "it is right"),
            ("ahead(theta=0.97)", open(), "the refresh is done by the expiry"),
        ] {
            assert_eq!(predicted(spec, &at), None, "{spec}: {premise}");
        }
        assert!(predicted("singleflight", &small).is_some(), "one read is");
        // Two others in the mean: 3 − 2·P(0) − P(1).
        assert_near(predicted("coalesce", &lukewarm).unwrap().per_expiry, 3.0 - 4.0 * (-2.0_f64).exp());
    }
}
