//! The plan: which key and which replica every request asks for, and when it means to, decided before a run.
//!
//! Item n of client c is a pure function of (seed, c, n): any number of threads, in any order, makes the same load, and
//! every strategy of a run gets the same one. It holds no state, reads no clock and knows nothing of the strategies.

pub(crate) mod draw;

mod arrivals;
mod digest;
mod pick;
pub(crate) mod stagger;
mod writes;
mod zipf;

use std::time::Duration;

pub use arrivals::{Arrival, ArrivalIter};

use crate::plan::draw::{Purpose, PurposeDraws};
use crate::scenario::Scenario;
use crate::values::active::ActiveClients;
use crate::values::counting::CountingLoad;
use crate::values::keys::Keys;
use crate::values::law::Law;
use crate::values::load::{Load, LoadKind};
use crate::values::op::Op;
use crate::values::writes::Writes;
use pick::Picker;
use stagger::Stagger;
use strategies::time::nanos;

/// The plan of a scenario's load under one seed.
#[derive(Debug, Clone)]
pub struct Plan {
    seed: u64,
    replicas: u32,
    load: Load,
    keys: Keys,
    picker: Picker,
    stagger: Option<Stagger>,
    /// How many clients are active, where that changes.
    active: Option<ActiveClients>,
    /// The window of what it counts, where it counts.
    counting: Option<CountingLoad>,
    /// With the keys that they are for.
    writes: Option<(Writes, Picker)>,
}

/// One request: what is asked, and of which replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// The key, from 1; one beyond the scenario's `n` does not exist.
    pub key: u32,
    /// The replica, from 0.
    pub replica: u32,
    /// What is done with the key.
    pub op: Op,
}

impl Plan {
    /// The plan of a scenario for a fleet of `replicas`; none counts as one.
    #[must_use]
    pub fn new(seed: u64, scenario: &Scenario, replicas: u32) -> Self {
        Self {
            seed,
            replicas: replicas.max(1),
            load: scenario.load.clone(),
            keys: scenario.keys.clone(),
            picker: Picker::new(&scenario.keys),
            stagger: Stagger::of(scenario),
            active: match &scenario.load.kind {
                LoadKind::Closed { clients, ramps, .. } if !ramps.is_empty() => {
                    Some(ActiveClients::new(*clients, ramps, scenario.load.warmup))
                }
                LoadKind::Closed { .. } | LoadKind::Open { .. } | LoadKind::Trace(_) => None,
            },
            counting: scenario.counting,
            writes: scenario.writes.map(|writes| {
                let keys = &scenario.keys;
                let picker = match writes.kind {
                    // One law for all of them, those of classes included.
                    Some(kind) if !keys.classes.is_empty() => Picker::of(kind, keys.ranks()),
                    Some(kind) => Picker::new(&Keys { kind, ..keys.clone() }),
                    None => Picker::new(keys),
                };
                (writes, picker)
            }),
        }
    }

    /// The `n`-th request of a client, both from 0, which is meant to be sent so many nanoseconds after the start of the warm-up. Replicas take
    /// turns: (client + n) mod replicas. Only where keys are replaced does the moment make a difference.
    #[must_use]
    pub fn item(&self, client: u32, n: u64, at_ns: u64) -> Item {
        let client = u64::from(client);
        let turn = client.wrapping_add(n) % u64::from(self.replicas);
        if self.is_write(client, n) {
            return Item { key: self.written_key(client, n, at_ns), replica: turn as u32, op: Op::Put };
        }
        let of = |purpose| PurposeDraws::at(self.seed, purpose, client, n);
        let key = || self.key_of(self.picker.pick(of(Purpose::Key), || of(Purpose::Class)), at_ns);
        Item {
            key: self.missing(client, n).unwrap_or_else(key),
            replica: turn as u32,
            op: if self.counting.is_some() { Op::Count } else { Op::Get },
        }
    }

    /// Has the first requests of a trace read in advance, so that the next [`Plan::arrivals`] need not wait for them.
    pub fn prepare(&self) {
        if let Some(rows) = self.load.trace().and_then(|trace| trace.rows.as_ref()) {
            rows.prepare();
        }
    }

    /// Why the requests of a trace could not be read to their end, where that happened: then what was measured is not the plan's.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        self.load.trace()?.rows.as_ref()?.fault()
    }

    /// The key that a rank has at a moment: its own number, and with churn that plus the number of ranks for each that it had before.
    fn key_of(&self, rank: u32, at_ns: u64) -> u32 {
        let Some(churn) = self.keys.churn else { return rank };
        let before = churn.generation(self.seed, rank, at_ns).min(self.keys.generations.saturating_sub(1));
        rank.saturating_add(self.keys.ranks().saturating_mul(before))
    }

    /// How many items a request asks for.
    #[must_use]
    pub fn batch(&self) -> u32 {
        self.load.batch
    }

    /// The items that a request for a key asks for: so many neighbours, from the key on; the first follows the last.
    pub fn page(&self, key: u32) -> impl Iterator<Item = u32> + use<> {
        let n = self.keys.n;
        (0..self.load.batch).map(move |at| ((u64::from(key) - 1 + u64::from(at)) % u64::from(n)) as u32 + 1)
    }

    /// The key of a request that asks for what does not exist. Drawn apart, so that a share of none leaves a plan as it is.
    fn missing(&self, client: u64, n: u64) -> Option<u32> {
        let (existing, Keys { missing_share, missing_n, .. }) = (self.keys.existing(), &self.keys);
        if *missing_share <= 0.0 {
            return None;
        }
        let draws = PurposeDraws::at(self.seed, Purpose::Missing, client, n);
        (draws.unit(0) < *missing_share).then(|| existing.saturating_add(1 + draws.below(1, *missing_n)))
    }

    /// When a client of a closed load first sends, after the start of the warm-up: client · mean think ÷ clients, so
    /// that the clients are spread over one think time. Zero for an open load, and for clients that a ramp brings: it
    /// spreads them, see [`Plan::next_active`].
    #[must_use]
    pub fn first_send(&self, client: u32) -> Duration {
        let LoadKind::Closed { clients, think, .. } = &self.load.kind else {
            return Duration::ZERO;
        };
        if client >= *clients {
            return Duration::ZERO;
        }
        let ns = think.mean().as_nanos() * u128::from(client) / u128::from((*clients).max(1));
        Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
    }

    /// The first moment from `at_ns` on, nanoseconds after the start of the warm-up, at which a client of a closed load is
    /// active; `None` where it never is again. A client that is active then sends; another one waits until it is.
    #[must_use]
    pub fn next_active(&self, client: u32, at_ns: u64) -> Option<u64> {
        self.active.as_ref().map_or(Some(at_ns), |active| active.next(client, at_ns))
    }

    /// N(t): how many clients of a closed load are active so long after the start of the warm-up, as a number that changes
    /// linearly in a ramp: client i, from 0, is active while it is above i. Zero for an open load.
    #[must_use]
    pub fn clients_at(&self, at: Duration) -> f64 {
        match (&self.active, &self.load.kind) {
            (Some(active), _) => active.number(nanos(at)),
            (None, LoadKind::Closed { clients, .. }) => f64::from(*clients),
            (None, LoadKind::Open { .. } | LoadKind::Trace(_)) => 0.0,
        }
    }

    /// How long a client of a closed load thinks after the answer to its `n`-th request. Zero for an open load.
    #[must_use]
    pub fn think(&self, client: u32, n: u64) -> Duration {
        match &self.load.kind {
            LoadKind::Closed { think: Law::Constant(think), .. } => *think,
            LoadKind::Closed { think, .. } => {
                let draws = PurposeDraws::at(self.seed, Purpose::Think, u64::from(client), n);
                think.sample(draws.unit(0), draws.unit(1))
            }
            LoadKind::Open { .. } | LoadKind::Trace(_) => Duration::ZERO,
        }
    }
}
