//! One worker: its part of the load, and what its clients share.

use std::cell::RefCell;

use scenarios::Op;
use strategies::time::Mono;

use super::shared::Drive;
use crate::load::record::{IssuedRequest, Recorder};

/// Which part of the load is a worker's: every `workers`-th client or arrival, from `number` on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    pub(super) number: usize,
    pub(super) workers: usize,
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
