//! Of a strategy that counts: what becomes of its increments, and of what the server was seen to hold.

use std::time::Duration;

use report::record::CounterFigures;
use scenarios::Scenario;
use strategies::counter::CounterSpec;

use crate::cli::settings::Subject;
use crate::load::measure::{CountingTerms, ImmortalsSeen, IncrementTape, counting};

/// How often the server is looked at, where that is little work.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How many counters are looked at in that time.
const LOOKS_MAX: u32 = 1000;
/// Entries of the series that a record has.
const SERIES_MAX: usize = 600;

/// How often the server is looked at: every 100 ms, and less often where there is more to look at.
pub(crate) fn look_every(scenario: &Scenario, spec: &CounterSpec) -> Duration {
    LOOK_EVERY * scenario.keys.existing().saturating_mul(spec.parts()).div_ceil(LOOKS_MAX).max(1)
}

/// What became of a subject's increments; `None` where it does not count.
///
/// # Errors
/// Where they cannot be read back.
pub(crate) fn counted(
    scenario: &Scenario,
    subject: &Subject,
    tape: Option<&IncrementTape>,
    immortals: Option<&ImmortalsSeen>,
) -> std::io::Result<Option<CounterFigures>> {
    let Some(((spec, load), tape)) = subject.counter.as_ref().zip(scenario.counting).zip(tape) else { return Ok(None) };
    let terms = CountingTerms {
        window: spec.windows(load.window),
        parts: spec.parts(),
        told: spec.holds_back().is_zero(),
        per_window: load.per_window.map(u64::from),
    };
    let (immortal, immortal_every_s) = immortals.map(|seen| thinned(&seen.series)).unwrap_or_default();
    Ok(Some(CounterFigures {
        immortal_at_end: immortals.map(|seen| seen.at_end.into()),
        immortal_max: immortals.map(|seen| seen.most.into()),
        immortal_every_s,
        immortal,
        ..counting(tape, &terms)?
    }))
}

/// The series from t = 0 on in even steps, as many as a record has, and how long one is in seconds: each is the last that was seen by then.
fn thinned(series: &[(i64, u32)]) -> (Vec<u64>, Option<f64>) {
    let Some((end, _)) = series.last().copied().filter(|(end, _)| *end > 0) else { return (Vec::new(), None) };
    let rounds = series.iter().filter(|(at, _)| *at >= 0).count();
    let entries = i64::try_from(rounds.clamp(1, SERIES_MAX)).unwrap_or(1);
    // In tenths of a second, as they were looked at.
    let step = (end / entries).div_euclid(100_000_000).max(1) * 100_000_000;
    let last_by = |at: i64| {
        let seen = series.partition_point(|(seen, _)| *seen <= at);
        seen.checked_sub(1).and_then(|last| series.get(last)).map_or(0, |(_, keys)| u64::from(*keys))
    };
    ((1..=end / step).map(|n| last_by(n * step)).collect(), Some(step as f64 / 1e9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_thinned_to_even_steps() {
        let every_100_ms: Vec<(i64, u32)> = (-10..=100).map(|n| (n * 100_000_000, (n.max(0) / 10) as u32)).collect();
        let (series, step) = thinned(&every_100_ms);
        assert_eq!((series.len(), step), (100, Some(0.1)));
        assert_eq!((series[0], series[99]), (0, 10));
        let long: Vec<(i64, u32)> = (0..=36_000).map(|n| (n * 100_000_000, 7)).collect();
        let (series, step) = thinned(&long);
        assert!(series.len() <= 620 && series.iter().all(|keys| *keys == 7), "{}", series.len());
        assert_eq!(step, Some(6.0));
        assert_eq!(thinned(&[]), (Vec::new(), None));
    }
}
