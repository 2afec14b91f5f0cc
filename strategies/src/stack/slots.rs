//! A replica's own request slots, and how many requests wait in it: what saturates first where fills are slow.
//!
//! A request that finds no slot waits in a line with an end, and is refused (503) where that is full. The slot is a request's for as
//! long as it takes, so waiters for a fill keep those from being answered whose value is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::kit::line::{Entered, Line, Place};
use crate::kit::time::Mono;
use crate::kit::within::within;
use crate::port::Clock;
use crate::port::error::GetError;

/// How many requests a replica works on at a time, and how many may wait for their turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    /// At least 1.
    pub concurrency: u32,
    /// May be 0.
    pub queue: u32,
}

/// The door of a replica.
pub(crate) struct Door {
    line: Option<Line>,
    pub(crate) waiters: Arc<Waiters>,
}

impl Door {
    pub(crate) fn new(slots: Option<Slots>) -> Self {
        Self { line: slots.map(|slots| Line::new(slots.concurrency, slots.queue)), waiters: Arc::default() }
    }

    /// A slot; none where there is no limit to them.
    pub(crate) async fn enter(&self, clock: &dyn Clock, deadline: Mono) -> Result<Option<Place>, GetError> {
        let Some(line) = &self.line else { return Ok(None) };
        let told = match line.enter() {
            Entered::Now(place) => return Ok(Some(place)),
            Entered::Full => return Err(GetError::Full),
            Entered::Waits(told) => told,
        };
        let _waits = Waiters::one(&self.waiters);
        match within(clock, deadline, Box::pin(told)).await {
            Some(Ok(place)) => Ok(Some(place)),
            _ => Err(GetError::OutOfTime),
        }
    }

    /// Whether requests may have to wait for a slot.
    pub(crate) fn is_limited(&self) -> bool {
        self.line.is_some()
    }
}

/// Requests of this replica that wait, for a slot or for a value that is not there: now, and at most since the mark.
#[derive(Default)]
pub(crate) struct Waiters {
    now: AtomicU64,
    peak: AtomicU64,
}

/// A waiting request.
pub(crate) struct WaitingRequest(Arc<Waiters>);

impl Waiters {
    pub(crate) fn one(this: &Arc<Self>) -> WaitingRequest {
        let now = this.now.fetch_add(1, Ordering::AcqRel) + 1;
        this.peak.fetch_max(now, Ordering::AcqRel);
        WaitingRequest(Arc::clone(this))
    }

    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Acquire)
    }

    /// From now on the peak is counted anew.
    pub(crate) fn mark(&self) {
        self.peak.store(self.now.load(Ordering::Acquire), Ordering::Release);
    }
}

impl Drop for WaitingRequest {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::AcqRel);
    }
}
