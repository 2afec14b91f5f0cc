//! The plan's hash: short enough for a record, and different whenever the load is.
//!
//! It covers the settings and a sample of the requests themselves, so that a change of the drawing code shows too.

use crate::plan::Plan;
use crate::plan::draw::fold;
use crate::values::classes::ClassKeys;
use crate::values::law::Law;
use crate::values::load::{Arrivals, LoadKind};
use crate::values::popularity::KeyKind;
use crate::values::recorded::RowValues;
use crate::values::size::SizeLaw;
use crate::values::writes::WritePace;

/// The version of what is hashed and of how it is drawn. Raise it whenever the same seed means other requests.
const ALGORITHM: u64 = 1;

const CLIENTS_SAMPLED: u32 = 1000;
const ITEMS_SAMPLED: u64 = 256;
const ARRIVALS_SAMPLED: usize = 100_000;

struct Digest(u64);

impl Digest {
    fn add(&mut self, words: &[u64]) {
        for word in words {
            self.0 = fold(self.0, *word);
        }
    }
}

impl Plan {
    /// 16 hexadecimal digits that two plans share only if they make the same load: the seed, the load, the keys, the
    /// replicas, and a sample of the requests themselves. What does not shape arrivals (strategies, cache, origin) is
    /// not in it. Exponential, lognormal and Zipf draws use the platform's `ln` and `exp`, whose last bit may differ.
    #[must_use]
    pub fn hash(&self) -> String {
        digest(self)
    }
}

fn digest(plan: &Plan) -> String {
    let mut digest = Digest(ALGORITHM);
    let load = &plan.load;
    digest.add(&[plan.seed, u64::from(plan.replicas)]);
    for duration in [load.warmup, load.duration, load.timeout] {
        digest.add(&[nanos(duration)]);
    }
    digest.add(&key_words(plan.keys.kind));
    digest.add(&[u64::from(plan.keys.n), u64::from(plan.keys.value_size.p50())]);
    if let SizeLaw::LogNormal { p99, .. } = plan.keys.value_size {
        digest.add(&[u64::from(p99)]);
    }
    if let Some(of) = plan.keys.sample_of {
        digest.add(&[u64::from(of)]);
    }
    if plan.keys.compressible > 0.0 {
        digest.add(&[plan.keys.compressible.to_bits()]);
    }
    if plan.keys.missing_share > 0.0 {
        digest.add(&[plan.keys.missing_share.to_bits(), u64::from(plan.keys.missing_n)]);
    }
    add_classes_and_churn(&mut digest, plan);
    match &load.kind {
        LoadKind::Closed { clients, think, ramps } => {
            digest.add(&[1, u64::from(*clients)]);
            digest.add(&law_words(*think));
            for ramp in ramps {
                digest.add(&[6, nanos(ramp.at), u64::from(ramp.clients), nanos(ramp.over)]);
            }
            add_items(&mut digest, plan, load.kind.clients_max().unwrap_or(*clients));
        }
        // What was found covers every one of its requests.
        LoadKind::Trace(trace) => {
            digest.add(&[5, trace.found.digest, trace.found.requests]);
            digest.add(&plan.stagger.iter().map(|stagger| stagger.nanos()).collect::<Vec<_>>());
        }
        LoadKind::Open { rate_per_s, arrivals, ramps, .. } => {
            let word = match arrivals {
                Arrivals::Poisson => 1,
                Arrivals::Constant => 2,
            };
            digest.add(&[2, rate_per_s.to_bits(), word]);
            digest.add(&plan.stagger.iter().map(|stagger| stagger.nanos()).collect::<Vec<_>>());
            for ramp in ramps {
                digest.add(&[nanos(ramp.at), ramp.to_per_s.to_bits(), nanos(ramp.over)]);
            }
            for arrival in plan.arrivals().take(ARRIVALS_SAMPLED) {
                digest.add(&[arrival.at_ns, u64::from(arrival.key), u64::from(arrival.replica)]);
            }
        }
    }
    if load.batch > 1 {
        digest.add(&[4, u64::from(load.batch)]);
    }
    if let Some(counting) = plan.counting {
        digest.add(&[3, nanos(counting.window)]);
    }
    add_writes(&mut digest, plan);
    format!("{:016x}", digest.0)
}

/// What of the keys is neither their number nor one law.
fn add_classes_and_churn(digest: &mut Digest, plan: &Plan) {
    let keys = &plan.keys;
    if let Some(churn) = keys.churn {
        digest.add(&[7, nanos(churn.turnover())]);
    }
    if keys.from_rows != RowValues::default() {
        digest.add(&[8, u64::from(keys.from_rows.ttl), u64::from(keys.from_rows.size)]);
    }
    for class in &keys.classes {
        match &class.which {
            ClassKeys::Drawn { share, n, kind } => {
                digest.add(&[9, share.to_bits(), u64::from(*n)]);
                digest.add(&key_words(*kind));
            }
            ClassKeys::Named { pattern } => {
                digest.add(&[10]);
                digest.add(&pattern.bytes().map(u64::from).collect::<Vec<_>>());
            }
        }
        if let Some(sizes) = class.value_size {
            digest.add(&[u64::from(sizes.p50()), u64::from(sizes.p99())]);
        }
    }
}

/// How often is written, and what; of a share the requests themselves have it.
fn add_writes(digest: &mut Digest, plan: &Plan) {
    let Some((writes, _)) = &plan.writes else { return };
    digest.add(&match writes.pace {
        WritePace::Rate(rate) => [1, rate.to_bits()],
        WritePace::Share(share) => [2, share.to_bits()],
    });
    digest.add(&writes.kind.map_or([0, 0], key_words));
    for write in plan.writes().take(ARRIVALS_SAMPLED) {
        digest.add(&[write.at_ns, u64::from(write.key), u64::from(write.replica)]);
    }
}

/// The first requests of every client, or of a thousand of them evenly spaced.
fn add_items(digest: &mut Digest, plan: &Plan, clients: u32) {
    let sampled = clients.min(CLIENTS_SAMPLED);
    for i in 0..sampled {
        let client = (u64::from(i) * u64::from(clients) / u64::from(sampled)) as u32;
        for n in 0..ITEMS_SAMPLED {
            let item = plan.item(client, n, 0);
            let think = nanos(plan.think(client, n));
            digest.add(&[u64::from(item.key), u64::from(item.replica), think]);
        }
    }
}

fn law_words(law: Law) -> [u64; 3] {
    match law {
        Law::Constant(value) => [1, nanos(value), 0],
        Law::Exponential { mean } => [2, nanos(mean), 0],
        Law::LogNormal { p50, p99 } => [3, nanos(p50), nanos(p99)],
        Law::Uniform { min, max } => [4, nanos(min), nanos(max)],
    }
}

fn key_words(kind: KeyKind) -> [u64; 2] {
    match kind {
        KeyKind::Hot { share } => [1, share.to_bits()],
        KeyKind::Uniform => [2, 0],
        KeyKind::Zipf { exponent } => [3, exponent.to_bits()],
        KeyKind::Single => [4, 0],
        KeyKind::Traced => [5, 0],
    }
}

/// Validated durations are a day at most, far below what 64 bits of nanoseconds hold.
fn nanos(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
