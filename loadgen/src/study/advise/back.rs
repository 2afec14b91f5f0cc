//! Whether a strategy comes back by itself from a day, and how bad that day was.

use super::simulated_day::DayChange;
use super::trials::{CandidateRuns, Fate, Tried};

/// What is different from the usual day where a strategy has to come back by itself.
pub(super) const COMES_BACK: [DayChange; 2] = [DayChange::Cold, DayChange::LostCache];

/// How much less must fail with another one before it is worth a change: half, and a hundredth.
const MUCH_LESS: (f64, f64) = (0.5, 0.01);

/// Whether a share of requests that fail is so much less than another that it is worth a change.
pub(super) fn much_less(own: f64, other: f64) -> bool {
    own < other * MUCH_LESS.0 && own < other - MUCH_LESS.1
}

/// Whether a strategy comes back by itself from a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Back {
    /// With every seed.
    Yes {
        /// The largest share of requests that failed with any seed.
        lost: f64,
    },
    /// Not with every seed.
    No,
    /// A run was too costly, or ended before anybody could say.
    Unknown,
}

/// Whether every run came back by itself. On a day that is steady there is nothing to come back from.
pub(super) fn back(change: DayChange, entry: &CandidateRuns) -> Back {
    if entry.unknown.is_some() {
        return Back::Unknown;
    }
    if entry.fates.iter().any(|fate| is_gone(change, fate)) {
        return Back::No;
    }
    let unsaid = COMES_BACK.contains(&change) && entry.fates.iter().any(|fate| fate.recovered.is_none());
    if unsaid || !entry.point.valid { Back::Unknown } else { Back::Yes { lost: worst(change, entry) } }
}

/// Whether it is known that a run did not recover. Where a replica is gone the others read for it, too: that is no harm by itself.
pub(super) fn is_gone(change: DayChange, fate: &Fate) -> bool {
    fate.recovered == Some(false) && (change != DayChange::Crash || failed(change, fate) > 0.0)
}

/// Requests that fail or are refused. Of a replica that is killed its own are lost whatever the strategy.
pub(super) fn failed(change: DayChange, fate: &Fate) -> f64 {
    let errors = if change == DayChange::Crash { 0 } else { fate.errors };
    (errors + fate.shed) as f64 / fate.requests.max(1) as f64
}

/// The largest share of requests that failed with any seed.
fn worst(change: DayChange, entry: &CandidateRuns) -> f64 {
    entry.fates.iter().map(|fate| failed(change, fate)).fold(0.0, f64::max)
}

/// How bad a day was: the largest share of requests that failed with any seed; 1 more where it is not known whether it comes back, 2 more
/// where it does not, and a trifle for what misses the goal, so that of equals it comes last.
pub(super) fn severity(change: DayChange, tried: &Tried) -> f64 {
    let gone = match back(change, &tried.entry) {
        Back::Yes { .. } => 0.0,
        Back::Unknown => 1.0,
        Back::No => 2.0,
    };
    let missed = if tried.meets { 0.0 } else { 1e-6 };
    gone + worst(change, &tried.entry) + missed
}
