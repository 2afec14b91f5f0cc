//! What every invariant's checker is, and what it knows.

use std::time::Duration;

use strategies::Budgets;
use strategies::spec::Promise;

use super::fact::Fact;
use super::troubles::Troubles;

pub(super) const MS: i64 = 1_000_000;

/// What the checkers go by.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// What the strategy promises.
    pub promise: Promise,
    /// How many replicas.
    pub replicas: u16,
    /// How long things may take in a replica.
    pub budgets: Budgets,
    /// The origin's places.
    pub places: usize,
    /// Reads that may wait for one.
    pub queue: usize,
    /// How often each item gets a new version, from time zero.
    pub write_every: Option<Duration>,
    /// How far wall clocks may be apart.
    pub clocks: Duration,
    /// How exactly facts are dated, the travel of a message included.
    pub slack: Duration,
    /// Retries for each first attempt that the clients' budget allows; `None` where there is no budget.
    pub retry_share: Option<f64>,
    /// Whether the log has everything that takes effect in the cache, locks included.
    pub sees_cache: bool,
}

/// What checkers know beside the fact before them.
#[derive(Debug)]
pub struct Known {
    /// The terms.
    pub terms: Terms,
    /// What has gone wrong so far.
    pub troubles: Troubles,
}

impl Known {
    pub(super) fn clocks(&self) -> i64 {
        nanos(self.terms.clocks)
    }

    pub(super) fn slack(&self) -> i64 {
        nanos(self.terms.slack)
    }
}

/// What a checker found.
pub(super) type CheckerVerdict = Result<(), String>;

/// An invariant.
pub(super) trait Checker {
    /// Its name, `I7 one answer`.
    fn name(&self) -> &'static str;
    /// Looks at the next fact.
    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict;
    /// Whether what it says of a fact is about that fact's key, and not about a replica or all of them.
    fn of_one_key(&self) -> bool {
        true
    }
}

pub(super) fn nanos(d: Duration) -> i64 {
    i64::try_from(d.as_nanos()).unwrap_or(i64::MAX)
}

pub(super) fn ms(ns: i64) -> String {
    format!("{:.3} ms", ns as f64 / 1e6)
}
