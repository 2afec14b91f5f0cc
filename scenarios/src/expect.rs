//! From a scenario to the circumstances that theory speaks of.
//!
//! A scenario is taken apart field by field, and every law variant by variant: whatever is added to it does not compile before somebody
//! has said here what it means to a prediction.

use std::time::Duration;

use strategies::theory::near::shared_reads;
use strategies::theory::{Circumstances, FilledBy, Gaps, Readers, Theory, Think, predict};
use strategies::{Budgets, Spec};

use crate::scenario::{CacheSettings, OriginModel, Scenario};
use crate::values::keys::Keys;
use crate::values::law::Law;
use crate::values::load::{Arrivals, Load, LoadKind};
use crate::values::popularity::KeyKind;
use crate::values::recorded::RowValues;
use crate::values::start::Start;

impl Scenario {
    /// What theory predicts of the hot key under a strategy in so much measured time, and what it does not for which reason.
    #[must_use]
    pub fn predict(&self, spec: &Spec, replicas: u32, measured: Duration) -> Theory {
        predict(spec, &self.circumstances(replicas, measured))
    }

    /// What theory predicts of the reads of the shared cache a second, all replicas together; `None` where it does not.
    #[must_use]
    pub fn predict_shared_reads(&self, spec: &Spec, replicas: u32) -> Option<f64> {
        shared_reads(spec, &self.circumstances(replicas, self.load.duration))
    }

    fn circumstances(&self, replicas: u32, measured: Duration) -> Circumstances {
        // Names and thresholds shape nothing.
        let Self {
            name: _,
            summary: _,
            strategies: _,
            load,
            counting: _,
            keys,
            cache,
            origin,
            writes,
            budgets,
            slots,
            warm,
            events,
            thresholds: _,
        } = self;
        // Where nothing fails nobody moves on or tries again; where something may, a premise fails.
        let Load { kind, warmup, duration: _, timeout, on_down: _, retry: _, batch } = load;
        // What else a server is set up with changes how long it takes, which is told by what it says of itself.
        let CacheSettings { ttl, redis, simulated } = cache;
        // A lock's budget is its strategy's, where that does not say another.
        let Budgets { replica, origin_read: _, lock_wait: _ } = budgets;
        let OriginModel { service_time, write_time: _, concurrency, queue: _, write_every: _ } = origin;
        let (readers, steady, together) = readers(kind);
        let (share, classes) = key_share(keys);
        Circumstances {
            share,
            others: keys.n.saturating_sub(1),
            missing: keys.missing_share,
            readers,
            steady,
            events: events.len(),
            writes: writes.is_some(),
            evicts: redis.bounds_memory(),
            busy_cache: simulated.is_busy(),
            batch: *batch,
            churn: keys.churn.is_some(),
            classes,
            slots: slots.is_some(),
            ttl: *ttl,
            service: always(service_time),
            places: *concurrency,
            replicas,
            budgets: *budgets,
            patience: (*timeout).min(*replica),
            filled: if warm.is_none() && together { FilledBy::ByLoad(*warmup) } else { FilledBy::Otherwise },
            measured,
        }
    }
}

/// The share of the key that is singled out, of all requests, and whether keys differ in more than their popularity.
fn key_share(keys: &Keys) -> (Option<f64>, bool) {
    // The bytes of a value take no time of the origin's, and a value that is written there changes no entry.
    let Keys {
        kind,
        n: _,
        sample_of: _,
        value_size: _,
        compressible: _,
        one_slot: _,
        missing_share,
        missing_n: _,
        churn: _,
        generations: _,
        from_rows,
        classes,
    } = keys;
    let differ = !classes.is_empty() || *from_rows != RowValues::default();
    (hot_share(kind).map(|share| share * (1.0 - missing_share)), differ)
}

/// The share of the key that is singled out, of the requests for keys that exist.
fn hot_share(popularity: &KeyKind) -> Option<f64> {
    match popularity {
        KeyKind::Hot { share } => Some(*share),
        KeyKind::Single => Some(1.0),
        KeyKind::Uniform | KeyKind::Zipf { .. } | KeyKind::Traced => None,
    }
}

/// What a law always says, where it does.
fn always(law: &Law) -> Option<Duration> {
    match law {
        Law::Constant(always) => Some(*always),
        Law::Exponential { .. } | Law::LogNormal { .. } | Law::Uniform { .. } => None,
    }
}

/// How requests come, whether at one rate, and whether entries begin their lives together.
fn readers(kind: &LoadKind) -> (Readers, bool, bool) {
    match kind {
        LoadKind::Open { rate_per_s, arrivals, start, ramps } => {
            let gaps = match arrivals {
                Arrivals::Poisson => Gaps::Poisson,
                Arrivals::Constant => Gaps::Equal,
            };
            let together = match start {
                Start::Together => true,
                Start::Staggered => false,
            };
            (Readers::Open { per_s: *rate_per_s, gaps }, ramps.is_empty(), together)
        }
        LoadKind::Closed { clients, think, ramps } => {
            let think = match think {
                Law::Constant(always) => Think::Constant(*always),
                Law::Exponential { mean } => Think::Exponential(*mean),
                Law::LogNormal { .. } | Law::Uniform { .. } => Think::Other,
            };
            (Readers::Closed { clients: *clients, think }, ramps.is_empty(), true)
        }
        // Nothing is known of its gaps, and its rate is never one: the premise of a steady load fails.
        LoadKind::Trace(trace) => {
            let together = trace.start == Start::Together;
            (Readers::Open { per_s: trace.per_s(), gaps: Gaps::Poisson }, false, together)
        }
    }
}
