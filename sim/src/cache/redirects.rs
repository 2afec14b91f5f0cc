//! Commands that a cluster's servers send elsewhere: how often, and how long they took.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use evidence::{CommandTimes, RedirectCounts};
use strategies::time::nanos;

use super::slots::SentOn;

/// What all replicas were told instead of replies, and how long their commands took.
#[derive(Debug, Default)]
pub(crate) struct SimRedirects(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    counts: RedirectCounts,
    times: CommandTimes,
}

impl SimRedirects {
    pub(super) fn met(&self, what: SentOn) {
        let counts = &mut self.seen().counts;
        *match what {
            SentOn::Moved => &mut counts.moved,
            SentOn::Ask => &mut counts.ask,
            SentOn::TryAgain => &mut counts.try_again,
        } += 1;
    }

    /// Counts the time of a command that had its reply, with the gravest that it met before.
    pub(super) fn replied(&self, gravest: Option<SentOn>, took: Duration) {
        let times = &mut self.seen().times;
        let of = match gravest {
            None => &mut times.plain,
            Some(SentOn::Moved) => &mut times.moved,
            Some(SentOn::Ask) => &mut times.ask,
            Some(SentOn::TryAgain) => &mut times.try_again,
        };
        // Three figures, upwards: as a histogram has it.
        let ns = nanos(took).max(1);
        let step = 10_u64.pow(ns.ilog10().saturating_sub(2));
        *of.entry(ns.div_ceil(step) * step).or_default() += 1;
    }

    pub(crate) fn counts(&self) -> RedirectCounts {
        self.seen().counts
    }

    pub(crate) fn times(&self) -> CommandTimes {
        self.seen().times.clone()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
