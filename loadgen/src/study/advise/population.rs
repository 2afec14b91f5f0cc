//! How often the keys are asked for, in classes of keys that are asked for alike: what needs no simulation.

use std::collections::BTreeMap;
use std::time::Duration;

use scenarios::{KeyKind, Keys};

/// Ranks of a Zipf law that are classes of their own; beyond them a class is a hundredth as wide as its rank, and has the weight of its
/// middle: for an exponent s that is right to s(s + 1)/24 · 10⁻⁴ of it.
const SINGLE: u32 = 1000;
const WIDTH: f64 = 0.01;

/// Keys that are asked for alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Class {
    /// How many.
    pub keys: f64,
    /// The share of all requests that each of them has.
    pub share: f64,
}

/// All keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Population(Vec<Class>);

impl Population {
    /// The keys of a scenario.
    #[must_use]
    pub fn of(keys: &Keys) -> Self {
        let n = f64::from(keys.n);
        Self(match keys.kind {
            // A trace's are counted: see [`Population::counted`].
            KeyKind::Traced => vec![Class { keys: n, share: 1.0 / n }],
            KeyKind::Single => vec![Class { keys: 1.0, share: 1.0 }],
            KeyKind::Uniform => vec![Class { keys: n, share: 1.0 / n }],
            KeyKind::Hot { share } if keys.n < 2 => vec![Class { keys: 1.0, share }],
            KeyKind::Hot { share } => {
                vec![Class { keys: 1.0, share }, Class { keys: n - 1.0, share: (1.0 - share) / (n - 1.0) }]
            }
            KeyKind::Zipf { exponent } => zipf(keys, exponent),
        })
    }

    /// Keys of which each was asked for so often.
    #[must_use]
    pub fn counted(counts: &[u32]) -> Self {
        let mut alike: BTreeMap<u32, u32> = BTreeMap::new();
        counts.iter().for_each(|count| *alike.entry(*count).or_default() += 1);
        let all: f64 = counts.iter().copied().map(f64::from).sum();
        let class = |(count, keys): (u32, u32)| Class { keys: keys.into(), share: f64::from(count) / all.max(1.0) };
        Self(alike.into_iter().map(class).collect())
    }

    /// The share of all requests that the least popular key has.
    #[must_use]
    pub fn least_share(&self) -> f64 {
        self.0.iter().map(|class| class.share).fold(1.0, f64::min)
    }

    /// Origin reads a second, in the mean, of a perfect cache that reads a key once for all and never before somebody asks: after a
    /// read that takes d in the mean the value is fresh for T, and the next request comes 1/λ later, so Σ λ / (1 + λ(T + d)) over the
    /// keys (renewal theory, for Poisson arrivals).
    #[must_use]
    pub fn floor(&self, rate: f64, ttl: Duration, service: Duration) -> f64 {
        let cycle = (ttl + service).as_secs_f64();
        let reads = |class: &Class| class.keys * rate * class.share / (1.0 + rate * class.share * cycle);
        self.0.iter().map(reads).sum()
    }

    /// Requests a second that come while their key is read, where everybody waits for that: λd for each read.
    #[must_use]
    pub fn waiting(&self, rate: f64, ttl: Duration, service: Duration) -> f64 {
        let (cycle, service) = ((ttl + service).as_secs_f64(), service.as_secs_f64());
        let waiting = |class: &Class| {
            let lambda = rate * class.share;
            class.keys * lambda / (1.0 + lambda * cycle) * lambda * service
        };
        self.0.iter().map(waiting).sum()
    }
}

/// The classes of a Zipf law, or of a sample of one, by rank.
fn zipf(keys: &Keys, exponent: f64) -> Vec<Class> {
    let of = keys.sample_of.unwrap_or(keys.n);
    let mut ranks: Vec<(f64, f64)> = Vec::new();
    let mut rank = 1_u32;
    while rank <= of {
        let width = if rank <= SINGLE { 1 } else { (f64::from(rank) * WIDTH) as u32 };
        let width = width.min(of - rank + 1).max(1);
        let middle = f64::from(rank) + f64::from(width - 1) / 2.0;
        ranks.push((f64::from(width), middle.powf(-exponent)));
        rank += width;
    }
    let whole: f64 = ranks.iter().map(|(width, weight)| width * weight).sum();
    let Some(sample) = keys.sample() else {
        return ranks.into_iter().map(|(keys, weight)| Class { keys, share: weight / whole }).collect();
    };
    // What a key of the sample is asked for is what its ranks are, together: the difference of what is asked for up to its last rank and up
    // to the last one before.
    let mut ends = vec![(0.0, 0.0)];
    for (width, weight) in ranks {
        let (rank, sum) = ends.last().copied().unwrap_or_default();
        ends.push((rank + width, sum + width * weight / whole));
    }
    let up_to = |rank: f64| {
        let at = ends.partition_point(|(end, _)| *end < rank).max(1).min(ends.len() - 1);
        let ((from, low), (to, high)) = (ends[at - 1], ends[at]);
        low + (high - low) * ((rank - from) / (to - from).max(1.0)).clamp(0.0, 1.0)
    };
    let (own, mut before) = (sample.themselves, 0.0);
    let share = |key: u32| {
        let last =
            if key <= own { f64::from(key) } else { f64::from(own) + (f64::from(key - own) * sample.width).ceil() };
        let sum = up_to(last.min(f64::from(of)));
        let share = sum - std::mem::replace(&mut before, sum);
        Class { keys: 1.0, share }
    };
    (1..=keys.n).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(kind: KeyKind, n: u32) -> Keys {
        Keys::alike(kind, n, scenarios::SizeLaw::Constant(256))
    }

    #[test]
    fn the_floor_is_one_read_a_cycle_for_each_key() {
        let (ttl, service) = (Duration::from_secs(5), Duration::from_millis(200));
        let floor = |rate, keys| Population::of(&keys).floor(rate, ttl, service);
        // A read, 5.2 s served, and 10 ms until somebody asks again.
        assert!((floor(100.0, keys(KeyKind::Single, 1)) - 1.0 / 5.21).abs() < 1e-9);
        // Asked for once in 100 s, nearly every request is a read.
        assert!((floor(10.0, keys(KeyKind::Uniform, 1000)) - 10.0 / 1.052).abs() < 1e-9);
        let even = floor(100.0, keys(KeyKind::Zipf { exponent: 0.0 }, 50));
        assert!((even - floor(100.0, keys(KeyKind::Uniform, 50))).abs() < 1e-9, "an exponent of nought is even");
        let hot = floor(100.0, keys(KeyKind::Hot { share: 0.02 }, 50));
        assert!((even - hot).abs() < 1e-9, "a fiftieth for one of fifty is even, too");
    }

    #[test]
    fn classes_of_a_wide_law_are_right_to_a_thousandth_of_a_percent() {
        let (ttl, service, rate, n) = (Duration::from_secs(60), Duration::from_millis(200), 20_000.0, 1_000_000);
        for exponent in [0.8, 1.1, 2.0] {
            let whole: f64 = (1..=n).map(|rank| f64::from(rank).powf(-exponent)).sum();
            let reads = |rank: u32| {
                let lambda = rate * f64::from(rank).powf(-exponent) / whole;
                lambda / (1.0 + lambda * 60.2)
            };
            let exact: f64 = (1..=n).map(reads).sum();
            let floor = Population::of(&keys(KeyKind::Zipf { exponent }, n)).floor(rate, ttl, service);
            assert!((floor / exact - 1.0).abs() < 1e-5, "{exponent}: {floor}, exactly {exact}");
        }
    }

    /// A sample of the keys, with load divided as it says, has the floor divided so; the keys that are there themselves add a little.
    #[test]
    fn a_samples_floor_is_its_part_of_the_whole() {
        let (ttl, service, rate) = (Duration::from_secs(60), Duration::from_millis(200), 20_000.0);
        let all = keys(KeyKind::Zipf { exponent: 1.1 }, 1_000_000);
        let sample = Keys { n: 5000, sample_of: Some(1_000_000), ..all.clone() };
        let width = sample.sample().unwrap().width;
        let whole = Population::of(&all).floor(rate, ttl, service);
        let part = Population::of(&sample).floor(rate / width, ttl, service);
        assert!((1.0..1.1).contains(&(part * width / whole)), "{part} × {width} of {whole}");
    }
}
