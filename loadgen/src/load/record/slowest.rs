//! The slowest requests, one by one: from when to when each was under way. So many are kept, and whether they are surely the slowest is
//! known.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

/// Of a second of a worker, and of a run.
const OF_SECOND: usize = 1024;
const OF_RUN: usize = 1 << 16;

/// The slowest of the requests that it was shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Slowest {
    most: usize,
    /// (how long, since when), the shortest on top; nanoseconds.
    kept: BinaryHeap<Reverse<(i64, i64)>>,
    /// The longest that is not kept; `None` where all are.
    passed_over: Option<i64>,
}

impl Slowest {
    /// Of the requests of a second.
    pub(super) fn of_second() -> Self {
        Self { most: OF_SECOND, kept: BinaryHeap::new(), passed_over: None }
    }

    /// Of those of a run.
    pub(crate) fn of_run() -> Self {
        Self { most: OF_RUN, ..Self::of_second() }
    }

    /// A request that was meant to be sent at a moment, and had its answer at another.
    pub(crate) fn see(&mut self, from_ns: i64, done_ns: i64) {
        self.keep(done_ns.saturating_sub(from_ns), from_ns);
    }

    fn keep(&mut self, long: i64, from_ns: i64) {
        if self.kept.len() < self.most {
            self.kept.push(Reverse((long, from_ns)));
            return;
        }
        let shortest = self.kept.peek().map_or(i64::MAX, |Reverse((long, _))| *long);
        let passed_over = if long > shortest {
            self.kept.pop();
            self.kept.push(Reverse((long, from_ns)));
            shortest
        } else {
            long
        };
        self.passed_over = Some(self.passed_over.map_or(passed_over, |before| before.max(passed_over)));
    }

    /// Takes in what another has seen.
    pub(super) fn merge(&mut self, other: Self) {
        self.passed_over = self.passed_over.max(other.passed_over);
        other.kept.into_iter().for_each(|Reverse((long, from_ns))| self.keep(long, from_ns));
    }

    /// How long each took that is kept, and since when.
    pub(super) fn all(&self) -> impl Iterator<Item = i64> + '_ {
        self.kept.iter().flat_map(|Reverse((long, from))| [*long, *from])
    }

    /// The `count` slowest, from when to when; `None` where one that is not kept may be among them, or there are not so many.
    #[must_use]
    pub fn first(&self, count: usize) -> Option<Vec<(i64, i64)>> {
        let mut all: Vec<(i64, i64)> = self.kept.iter().map(|Reverse(request)| *request).collect();
        all.sort_unstable_by_key(|request| Reverse(*request));
        let first = all.get(..count)?;
        let shortest = first.last().map_or(i64::MAX, |(long, _)| *long);
        let surely = self.passed_over.is_none_or(|passed_over| passed_over <= shortest);
        surely.then(|| first.iter().map(|(long, from)| (*from, from.saturating_add(*long))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_of_many_are_kept_and_doubt_is_told() {
        let mut run = Slowest::of_run();
        for second in 0..3 {
            let mut of = Slowest::of_second();
            (0..5000_i64).for_each(|at| of.see(at, at + (at * 7919 + second) % 5000));
            run.merge(of);
        }
        let first = run.first(15).unwrap();
        assert_eq!(first.iter().map(|(from, to)| to - from).max(), Some(4999));
        assert!(first.iter().all(|(from, to)| to - from >= 4995), "{first:?}");
        assert_eq!(run.first(3 * 1024 + 1), None, "not so many are kept");
        let mut uneven = Slowest::of_run();
        let mut slow = Slowest::of_second();
        (0..2000).for_each(|at| slow.see(at, at + 1_000_000 + at));
        let mut fast = Slowest::of_second();
        (0..2000).for_each(|at| fast.see(at, at + 1));
        uneven.merge(slow);
        uneven.merge(fast);
        assert!(uneven.first(1000).is_some() && uneven.first(1500).is_none(), "a second had more than are kept of it");
    }
}
