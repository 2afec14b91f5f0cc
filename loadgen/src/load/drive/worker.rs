//! One worker: its part of the load, and what its clients share.

use std::cell::RefCell;

use scenarios::Op;
use strategies::time::Mono;

use super::shared::Drive;
use crate::load::record::{IssuedRequest, Recorder};
use crate::shell::part::PartOf;

/// Which part of the load is a worker's: every `workers`-th client or arrival, from `number` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) number: usize,
    pub(super) workers: usize,
}

impl Share {
    /// Of one of several workers, which have a part of the load between them.
    pub(super) fn of(part: Option<PartOf>, number: usize, workers: usize) -> Self {
        let PartOf { index, of } = part.unwrap_or(PartOf { index: 0, of: 1 });
        let (index, of) = (index as usize, of as usize);
        Self { number: index + of * number, workers: of * workers }
    }
}

/// What a worker's clients share. One thread's own, so a cell will do.
pub(super) struct WorkerContext {
    pub(super) drive: Drive,
    pub(super) recorder: RefCell<Recorder>,
    pub(super) share: Share,
}

impl WorkerContext {
    /// A request that is decided on.
    pub(super) fn issue(&self, intended: Mono, t0: Mono, key: u32, op: Op, client: Option<u32>) -> IssuedRequest {
        IssuedRequest { intended_ns: self.since(intended, t0), key, hot: self.drive.is_hot(key), op, client }
    }

    /// Nanoseconds from t = 0 to `at`; negative before it.
    pub(super) fn since(&self, at: Mono, t0: Mono) -> i64 {
        since(at, t0)
    }
}

/// Nanoseconds from t = 0 to `at`; negative before it.
pub(super) fn since(at: Mono, t0: Mono) -> i64 {
    i64::try_from(i128::from(at.0) - i128::from(t0.0)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the parts and workers: each request is one worker's, and it is of the part that its number says.
    #[test]
    fn the_workers_of_all_parts_have_each_request_once() {
        for (of, workers) in [(1, 1), (1, 3), (3, 1), (3, 2), (5, 4)] {
            let mut seen = vec![0; 240];
            for index in 0..of {
                for number in 0..workers {
                    let part = PartOf { index, of };
                    let share = Share::of(Some(part), number, workers);
                    for request in (0..seen.len()).skip(share.number).step_by(share.workers) {
                        assert!(part.has(request as u64));
                        seen[request] += 1;
                    }
                }
            }
            assert!(seen.iter().all(|times| *times == 1), "{of} parts of {workers}");
        }
        assert_eq!(Share::of(None, 1, 2), Share { number: 1, workers: 2 });
    }
}
