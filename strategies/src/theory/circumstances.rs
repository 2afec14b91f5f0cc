//! What theory must know of a scenario, as plain numbers.
//!
//! Whatever a scenario has that is not here must be refused where this is made (`scenarios/src/expect.rs`), which takes a scenario
//! apart field by field, so that a new field does not compile before somebody has thought of it.

use std::time::Duration;

use crate::stack::budgets::Budgets;

/// The clients that ask.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Readers {
    /// So many requests a second for all keys, whatever happens.
    Open {
        /// Of all keys.
        per_s: f64,
        /// How they are spaced.
        gaps: Gaps,
    },
    /// Clients that wait for their answer, think, and ask again.
    Closed {
        /// C.
        clients: u32,
        /// z.
        think: Think,
    },
}

/// The spacing of an open load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gaps {
    /// Exponential gaps.
    Poisson,
    /// All the same.
    Equal,
}

/// How long a client thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Think {
    /// Constant: clients that were answered together ask together again.
    Constant(Duration),
    /// Exponential, with this mean.
    Exponential(Duration),
    /// By a law for which there are no formulas.
    Other,
}

/// How the hot key came into the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilledBy {
    /// By the first request, at the beginning of a warm-up of this length.
    ByLoad(Duration),
    /// In some other way: when it will expire is not known.
    Otherwise,
}

/// The circumstances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circumstances {
    /// h: the hot key's share of all requests; `None` where no key is singled out.
    pub share: Option<f64>,
    /// How many other keys there are.
    pub others: u32,
    /// The share of all requests that ask for what does not exist.
    pub missing: f64,
    /// The clients that ask.
    pub readers: Readers,
    /// Whether they ask at the same rate throughout.
    pub steady: bool,
    /// How many events are planned.
    pub events: usize,
    /// Whether items are written during the run.
    pub writes: bool,
    /// Whether the cache throws entries out, or refuses them, for want of memory.
    pub evicts: bool,
    /// How many items a request asks for.
    pub batch: u32,
    /// Whether a command takes the cache's server a time of its own, so that others may have to wait.
    pub busy_cache: bool,
    /// Whether keys are replaced by new ones during the load.
    pub churn: bool,
    /// Whether keys differ in more than how often they are asked for.
    pub classes: bool,
    /// Whether a replica works on so many requests at a time, and others wait for their turn.
    pub slots: bool,
    /// T.
    pub ttl: Duration,
    /// d; `None` where it varies.
    pub service: Option<Duration>,
    /// W: reads that the origin serves at once.
    pub places: u32,
    /// R.
    pub replicas: u32,
    /// How long a replica gives what it waits for.
    pub budgets: Budgets,
    /// How long a request may take before its client or its replica gives it up.
    pub patience: Duration,
    /// How the hot key came into the cache.
    pub filled: FilledBy,
    /// The measured time.
    pub measured: Duration,
}

impl Circumstances {
    /// h, or 0 where no key is singled out.
    pub(super) fn h(&self) -> f64 {
        self.share.unwrap_or(0.0)
    }

    /// d, seconds; 0 where it varies.
    pub(super) fn d(&self) -> f64 {
        self.service.unwrap_or_default().as_secs_f64()
    }

    /// z, the mean, seconds; `None` in an open loop, or where the law is another.
    pub(super) fn think_s(&self) -> Option<f64> {
        match self.readers {
            Readers::Closed { think: Think::Constant(z) | Think::Exponential(z), .. } => Some(z.as_secs_f64()),
            Readers::Closed { think: Think::Other, .. } | Readers::Open { .. } => None,
        }
    }

    /// Requests a second for all keys while answers come from the cache, which takes no time.
    pub(super) fn all_per_s(&self) -> f64 {
        match self.readers {
            Readers::Open { per_s, .. } => per_s,
            Readers::Closed { clients, .. } => self.think_s().map_or(0.0, |z| f64::from(clients) / z),
        }
    }

    /// r, likewise.
    pub(super) fn r(&self) -> f64 {
        self.all_per_s() * self.h()
    }

    /// Whether clients keep step with each other.
    pub(super) fn in_step(&self) -> bool {
        matches!(self.readers, Readers::Closed { think: Think::Constant(_), .. })
    }
}
