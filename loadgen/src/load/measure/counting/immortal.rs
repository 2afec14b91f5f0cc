//! Keys that have no end, from samples of what the server holds.

use std::collections::BTreeSet;

/// What a sample found of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CounterSample {
    /// When it was answered, nanoseconds since t = 0.
    pub at_ns: i64,
    /// Of which key.
    pub key: u32,
    /// Whether any of its keys in the server was there without an end.
    pub endless: bool,
}

/// Keys without an end over time.
#[derive(Debug, Default)]
pub struct Immortals {
    /// Keys that the round before found without an end, and those of the round that goes on.
    before: BTreeSet<u32>,
    now: BTreeSet<u32>,
    seen: ImmortalsSeen,
}

/// What was seen of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ImmortalsSeen {
    /// Each round's end, nanoseconds since t = 0, and how many keys two rounds running had found without an end.
    pub series: Vec<(i64, u32)>,
    /// The most at a time.
    pub most: u32,
    /// How many at the end.
    pub at_end: u32,
}

impl Immortals {
    /// Takes a sample of the round that goes on.
    pub fn sample(&mut self, sample: CounterSample) {
        if sample.endless {
            self.now.insert(sample.key);
        }
    }

    /// The round is over: every key was sampled.
    pub fn round(&mut self, at_ns: i64) {
        let now = std::mem::take(&mut self.now);
        let immortal = u32::try_from(self.before.intersection(&now).count()).unwrap_or(u32::MAX);
        self.before = now;
        self.seen.series.push((at_ns, immortal));
        self.seen.most = self.seen.most.max(immortal);
        self.seen.at_end = immortal;
    }

    /// What was seen.
    #[must_use]
    pub fn end(self) -> ImmortalsSeen {
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_immortal_where_two_rounds_running_found_it_without_an_end() {
        let mut immortals = Immortals::default();
        for (at_ns, endless) in
            [(1, vec![]), (2, vec![7]), (3, vec![8]), (4, vec![7, 8]), (5, vec![7, 8, 9]), (6, vec![8])]
        {
            endless.into_iter().for_each(|key| immortals.sample(CounterSample { at_ns, key, endless: true }));
            immortals.sample(CounterSample { at_ns, key: 1, endless: false });
            immortals.round(at_ns);
        }
        let seen = immortals.end();
        assert_eq!(seen.series, [(1, 0), (2, 0), (3, 0), (4, 1), (5, 2), (6, 1)]);
        assert_eq!((seen.most, seen.at_end), (2, 1));
    }
}
