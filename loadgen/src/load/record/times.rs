//! The times of one second of one tag: a short list while they are few, a histogram from then on.
//!
//! A histogram of this range has 180 KiB, which a day of seconds with a request each would clear 86 400 times for each tag.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::histogram::{add, histogram, ms, quantile_ms};

/// How many are kept one by one.
const FEW_MAX: usize = 64;

/// Values of a histogram that come from a file, and the count of each.
const MANY_MAX: usize = 1 << 16;
const COUNT_MAX: u64 = 1 << 44;

/// Times in nanoseconds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "TimesText", into = "TimesText")]
pub(super) struct Times {
    few: Vec<u64>,
    many: Option<Histogram<u64>>,
}

/// The same, to be written down: a histogram as (value, count).
#[derive(Serialize, Deserialize)]
struct TimesText {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    few: Vec<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    many: Vec<(u64, u64)>,
}

impl From<Times> for TimesText {
    fn from(Times { few, many }: Times) -> Self {
        // Of the lowest bucket, where nothing is above 0, 0: its highest value would be a maximum that there was not.
        let counted = |all: &Histogram<u64>| {
            let most = all.max();
            let row = |(ns, count): (u64, u64)| (ns.min(most), count);
            all.iter_recorded().map(|at| row((at.value_iterated_to(), at.count_at_value()))).collect()
        };
        let many = many.as_ref().map(counted).unwrap_or_default();
        Self { few, many }
    }
}

impl From<TimesText> for Times {
    fn from(TimesText { few, many }: TimesText) -> Self {
        let mut times = Self::default();
        if !many.is_empty() {
            let all = times.many.insert(histogram());
            // More than a second can have, which is noticed afterwards, but no sum that overflows.
            many.into_iter().take(MANY_MAX).for_each(|(ns, count)| all.saturating_record_n(ns, count.min(COUNT_MAX)));
        }
        few.into_iter().for_each(|ns| times.record(ns));
        times
    }
}

impl Times {
    pub(super) fn record(&mut self, ns: u64) {
        self.record_n(ns, 1);
    }

    /// The same time so many times.
    pub(super) fn record_n(&mut self, ns: u64, count: u64) {
        match &mut self.many {
            Some(many) => many.saturating_record_n(ns, count),
            None if self.few.len() as u64 + count <= FEW_MAX as u64 => self.few.extend((0..count).map(|_| ns)),
            None => {
                let mut many = histogram();
                self.few.drain(..).for_each(|ns| many.saturating_record(ns));
                many.saturating_record_n(ns, count);
                self.many = Some(many);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.few.is_empty() && self.many.is_none()
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.few.len() as u64 + self.many.as_ref().map_or(0, Histogram::len)
    }

    /// Takes in another's times.
    pub(super) fn add(&mut self, other: Self) {
        other.few.into_iter().for_each(|ns| self.record(ns));
        match (&mut self.many, other.many) {
            (Some(mine), Some(theirs)) => add(mine, &theirs),
            (None, Some(mut theirs)) => {
                self.few.drain(..).for_each(|ns| theirs.saturating_record(ns));
                self.many = Some(theirs);
            }
            (_, None) => {}
        }
    }

    /// Adds them to a sum.
    pub(super) fn add_to(&self, sum: &mut Histogram<u64>) {
        self.few.iter().for_each(|ns| sum.saturating_record(*ns));
        if let Some(many) = &self.many {
            add(sum, many);
        }
    }

    /// Quantiles in milliseconds, as the histogram of the same times has them; `like` is any. Of few nobody walks through 180 KiB.
    pub(super) fn quantiles_ms<const N: usize>(&self, like: &Histogram<u64>, all: [f64; N]) -> [Option<f64>; N] {
        if let Some(many) = &self.many {
            return all.map(|quantile| quantile_ms(many, quantile));
        }
        let mut few = self.few.clone();
        few.sort_unstable();
        // As a histogram has it, whose lowest bucket is 0 where nothing is above that.
        let most = few.last().map_or(0, |ns| if *ns == 0 { 0 } else { u64::MAX });
        all.map(|quantile| {
            let rank = ((quantile * few.len() as f64).ceil() as usize).max(1);
            few.get(rank - 1).map(|ns| ms(like.highest_equivalent((*ns).min(like.high())).min(most)))
        })
    }

    /// Shows them as a histogram. `scratch` is an empty one, and is empty afterwards.
    pub(super) fn look<T>(&self, scratch: &mut Histogram<u64>, look: impl FnOnce(&Histogram<u64>) -> T) -> T {
        if let Some(many) = &self.many {
            return look(many);
        }
        self.add_to(scratch);
        let seen = look(scratch);
        scratch.reset();
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_or_many_they_are_the_histogram_of_all() {
        let rng = strategies::rng::Rng::new(7);
        let mut scratch = histogram();
        for round in 0..200 {
            let (mut all, mut sum) = (histogram(), histogram());
            let mut parts = [Times::default(), Times::default()];
            let longest = [1, 3_000_000_000][round as usize % 2];
            for at in 0..rng.next_u64() % (3 * FEW_MAX as u64) {
                let (ns, count) = (rng.next_u64() % longest, 1 + rng.next_u64() % 3 * (round % 40));
                all.saturating_record_n(ns, count);
                parts[(at % 2) as usize].record_n(ns, count);
            }
            let [mut one, two] = parts; // one of them comes from a file
            let written = serde_json::to_string(&one).unwrap();
            one = serde_json::from_str(&written).unwrap();
            one.add(two);
            assert_eq!(one.is_empty(), all.is_empty());
            one.add_to(&mut sum);
            // Not `==`: the library's `add` leaves zeros alone with another least value than recording them does.
            let counts = |of: &Histogram<u64>| {
                let rows = of.iter_recorded().map(|row| (row.value_iterated_to(), row.count_at_value()));
                (of.max(), rows.collect::<Vec<_>>())
            };
            assert_eq!(counts(&sum), counts(&all), "round {round}");
            // Nor is the maximum of one that was reset 0.
            assert_eq!(one.look(&mut scratch, counts).1, counts(&all).1, "round {round}");
            assert!(scratch.is_empty(), "round {round}");
            let quantiles = [0.5, 0.95, 0.99, 1.0];
            assert_eq!(one.quantiles_ms(&scratch, quantiles), quantiles.map(|quantile| quantile_ms(&all, quantile)));
        }
    }
}
