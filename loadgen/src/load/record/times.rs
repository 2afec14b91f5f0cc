//! The times of one second of one tag: a short list while they are few, a histogram from then on.
//!
//! A histogram of this range has 180 KiB, which a day of seconds with a request each would clear 86 400 times for each tag.

use hdrhistogram::Histogram;

use super::histogram::{add, histogram, ms, quantile_ms};

/// How many are kept one by one.
const FEW_MAX: usize = 64;

/// Times in nanoseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Times {
    few: Vec<u64>,
    many: Option<Histogram<u64>>,
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
        all.map(|quantile| {
            let rank = ((quantile * few.len() as f64).ceil() as usize).max(1);
            few.get(rank - 1).map(|ns| ms(like.highest_equivalent((*ns).min(like.high()))))
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
            for at in 0..rng.next_u64() % (3 * FEW_MAX as u64) {
                let (ns, count) = (rng.next_u64() % 3_000_000_000, 1 + rng.next_u64() % 3 * (round % 40));
                all.saturating_record_n(ns, count);
                parts[(at % 2) as usize].record_n(ns, count);
            }
            let [mut one, two] = parts;
            one.add(two);
            assert_eq!(one.is_empty(), all.is_empty());
            one.add_to(&mut sum);
            assert!(sum == all && one.look(&mut scratch, |shown| *shown == all), "round {round}");
            assert!(scratch.is_empty(), "round {round}");
            let quantiles = [0.5, 0.95, 0.99, 1.0];
            assert_eq!(one.quantiles_ms(&scratch, quantiles), quantiles.map(|quantile| quantile_ms(&all, quantile)));
        }
    }
}
