//! What became of increments: computed from what the generator saw of each, and from samples of what the server holds.
//!
//! Every time here is the generator's own clock, so no two clocks are compared: an increment took effect at some moment between its sending
//! and its answer, and that interval is all the uncertainty there is. What could have been right within it is not counted as wrong.
//!
//! - **acknowledged**: increments that were answered well. **unknown**: their answers were lost (time-out, reset, a cache that did not
//!   reply), and they may have been counted. **refused**: the server said no, or was not reached.
//! - A **stretch** of a key (of each sub-key, where there are several) is what one SET, or one increment that found nothing, began: the values
//!   that it tells are 1, 2, 3 … each once. An increment that tells 1, or no more than what another told before it was sent, is of a new one.
//! - **resets**: stretches that began within less than T after the one before them: its window cannot have been over.
//! - **windows**: stretches that are no resets, with all resets that followed them.
//! - **lost**: acknowledged increments that no window's last stretch counts: per key, acknowledged − Σ of the last stretches' highest values,
//!   each with what it may have counted at most. **extra**: Σ of these with what they counted at least − acknowledged − unknown, per key. Lost and
//!   extra ones of one key hide each other. Neither is known where increments are gathered before they are sent.
//! - **long windows**: stretches that counted on for longer than the longest life after they began, by values that no window which began
//!   unseen could have.
//! - **begun**: in each second of the generator's clock, windows that began, each key's first left out.
//! - **immortal**: keys that two samples running found without an end. Between the two commands of `incr-expire` a key has none for a moment;
//!   samples are further apart than that takes.
//! - **let through**: increments that were told no more than the limit; **above the limit**: of these, in each window and its resets, what is
//!   beyond the limit, each stretch with what it counted at least. Where increments are told estimates (sub-keys, batches) windows are T from
//!   the first increment on, one after the other.
//!
//! Two passes over a tape: the first finds the longest answer, by which the second knows how long ago something may have overlapped. So
//! what is held grows with keys and with what was under way, never with requests.

mod immortal;
mod increment;
mod limiter;
mod sorted;
mod stretches;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

pub use immortal::{CounterSample, Immortals, ImmortalsSeen};
pub use increment::{IncrementEnd, IncrementTape, SeenIncrement};

use report::record::CounterFigures;

use limiter::Limiter;
use sorted::in_order;
use stretches::Stretches;

const SECOND_NS: i64 = 1_000_000_000;

/// What increments are held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountingTerms {
    /// The shortest that a window may live, and the longest: T, or with jitter around it.
    pub window: (Duration, Duration),
    /// In how many keys a counter lies.
    pub parts: u32,
    /// Whether the server's answer is told, and not an estimate of what it will be.
    pub told: bool,
    /// How many a window lets through; `None` where nothing is limited.
    pub per_window: Option<u64>,
}

/// What became of increments, but for what only the server can tell: keys without an end. What each figure means is told above.
///
/// # Errors
/// Where the tape cannot be read back.
pub fn counting(tape: &IncrementTape, terms: &CountingTerms) -> io::Result<CounterFigures> {
    let mut figures = CounterFigures::default();
    let (mut longest, mut latest, mut disorder) = (0, i64::MIN, 0);
    let mut unknown: BTreeMap<u32, u64> = BTreeMap::new();
    tape.each(|record| {
        let seen = SeenIncrement::read(record);
        match seen.end {
            IncrementEnd::Acknowledged { .. } => figures.acknowledged += 1,
            IncrementEnd::Unknown => {
                figures.unknown += 1;
                *unknown.entry(seen.key).or_default() += 1;
            }
            IncrementEnd::Refused => figures.refused += 1,
        }
        longest = longest.max(seen.done_ns - seen.sent_ns);
        disorder = disorder.max(latest.saturating_sub(seen.done_ns));
        latest = latest.max(seen.done_ns);
        Ok(())
    })?;
    let mut keys: BTreeMap<(u32, u32), Stretches> = BTreeMap::new();
    let mut limiters: BTreeMap<u32, Limiter> = BTreeMap::new();
    // Windows that began in each second.
    let mut begun: BTreeMap<i64, u64> = BTreeMap::new();
    let exact = terms.told && terms.parts == 1;
    in_order(tape, disorder, |seen| {
        if let (true, IncrementEnd::Acknowledged { part, told, .. }) = (terms.told, seen.end) {
            let excused = || unknown.get(&seen.key).copied().unwrap_or_default();
            let new = || Stretches::new(terms.window, terms.per_window.unwrap_or(u64::MAX), longest, excused());
            let stretches = keys.entry((seen.key, part)).or_insert_with(new);
            if stretches.acknowledged(seen.sent_ns, seen.done_ns, told) {
                *begun.entry(seen.sent_ns.div_euclid(SECOND_NS)).or_default() += 1;
            }
        }
        if let (Some(limit), IncrementEnd::Acknowledged { value, .. }) = (terms.per_window, seen.end) {
            limiters.entry(seen.key).or_insert_with(|| Limiter::new(limit, terms.window.0)).told(&seen, value);
        }
    })?;
    let mut above = 0;
    if terms.told {
        let sums: Vec<_> = keys.into_values().map(Stretches::end).collect();
        let sum = |of: fn(&stretches::StretchSums) -> u64| Some(sums.iter().map(of).sum());
        (figures.windows, figures.resets) = (sum(|s| s.windows), sum(|s| s.resets));
        (figures.lost, figures.extra) = (sum(|s| s.lost), sum(|s| s.extra));
        above = sums.iter().map(|s| s.above).sum();
        figures.long_windows = sum(|s| s.long);
        figures.begun_max_per_second = Some(begun.into_values().max().unwrap_or(0));
    }
    if terms.per_window.is_some() {
        let sums: Vec<(u64, u64)> = limiters.into_values().map(Limiter::end).collect();
        figures.let_through = Some(sums.iter().map(|(through, _)| through).sum());
        let estimated = sums.iter().map(|(_, above)| above).sum();
        figures.above_limit = Some(if exact { above } else { estimated });
    }
    Ok(figures)
}

#[cfg(test)]
mod tests;
