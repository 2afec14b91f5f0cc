//! Which calls are let through, and what each says of the cache.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::kit::rng::Rng;
use crate::kit::time::{Mono, Wall};
use crate::layer::circuit::{CallResult, Circuit, CircuitSettings, Pass, StateChange, Ticket};
use crate::port::{CacheError, CacheErrorClass, Clock, Event, EventSink};
use crate::stack::Ports;

/// A breaker, and the calls that are under way.
pub(super) struct Guard {
    state: Mutex<GuardState>,
    slow: Duration,
    /// How many calls that have not come back within `slow` open it, where these do.
    in_flight: Option<u32>,
    clock: Arc<dyn Clock>,
    events: Arc<dyn EventSink>,
    rng: Rng,
}

struct GuardState {
    circuit: Circuit,
    /// When each call under way began, in that order.
    calls: BTreeMap<u64, Mono>,
    next: u64,
    /// When it opened that was closed before, by the replica's wall clock; until it closes again.
    open_since: Option<Wall>,
}

impl Guard {
    pub(super) fn new(circuit: CircuitSettings, slow: Duration, in_flight: Option<u32>, ports: &Ports) -> Self {
        let state = GuardState { circuit: Circuit::new(circuit), calls: BTreeMap::new(), next: 0, open_since: None };
        let (clock, events) = (Arc::clone(&ports.clock), Arc::clone(&ports.events));
        Self { state: Mutex::new(state), slow, in_flight, clock, events, rng: ports.rng.fork("cache-breaker") }
    }

    /// Does a call, where calls are let through; `None` where not now.
    pub(super) async fn call<T>(
        &self,
        work: impl Future<Output = Result<T, CacheError>>,
    ) -> Option<Result<T, CacheError>> {
        let call = self.begin()?;
        let answer = work.await;
        let failed = answer.as_ref().is_err_and(|error| says_nothing_came(error.class));
        call.end(failed);
        Some(answer)
    }

    fn begin(&self) -> Option<GuardedCall<'_>> {
        let (now, draw) = (self.clock.mono(), self.rng.next_unit());
        let mut state = self.state();
        let hangs = self.in_flight.is_some_and(|most| state.hang(most, now, self.slow));
        let tripped = if hangs { state.circuit.trip(now, draw) } else { None };
        let (pass, change) = state.circuit.ask(now);
        // One that has just been tripped lets nobody through.
        self.changed(&mut state, tripped.or(change));
        let Pass::Let(ticket) = pass else { return None };
        let number = state.next;
        state.next += 1;
        state.calls.insert(number, now);
        Some(GuardedCall { guard: self, number, ticket, begun: now, failed: false, ended: false })
    }

    /// When the trouble began; `None` where it is closed.
    pub(super) fn open_since(&self) -> Option<Wall> {
        self.state().open_since
    }

    fn changed(&self, state: &mut GuardState, change: Option<StateChange>) {
        match change {
            Some(StateChange::Opened) => {
                state.open_since.get_or_insert(self.clock.wall());
            }
            Some(StateChange::Closed) => state.open_since = None,
            Some(StateChange::HalfOpened) | None => {}
        }
        if let Some(change) = change {
            self.events.emit(Event::CacheBreaker(change.into()));
        }
    }

    /// A poisoned lock is as good as any: every critical section leaves its value whole.
    fn state(&self) -> MutexGuard<'_, GuardState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GuardState {
    /// Whether so many calls have not come back in time.
    fn hang(&self, most: u32, now: Mono, slow: Duration) -> bool {
        let oldest = self.calls.values().nth(most.saturating_sub(1) as usize);
        oldest.is_some_and(|begun| now.since(*begun) > slow)
    }
}

/// Whether an error says that the cache, or the way to it, does not do its work. That it refuses something says nothing of the kind.
fn says_nothing_came(class: CacheErrorClass) -> bool {
    matches!(class, CacheErrorClass::Down | CacheErrorClass::Slow | CacheErrorClass::Moved)
}

/// A call that was let through, also where its caller stops waiting for it: one that was slow by then counts, another says nothing.
struct GuardedCall<'a> {
    guard: &'a Guard,
    number: u64,
    ticket: Ticket,
    begun: Mono,
    failed: bool,
    ended: bool,
}

impl GuardedCall<'_> {
    fn end(mut self, failed: bool) {
        (self.failed, self.ended) = (failed, true);
    }
}

impl Drop for GuardedCall<'_> {
    fn drop(&mut self) {
        let (now, draw) = (self.guard.clock.mono(), self.guard.rng.next_unit());
        let result = match self.failed || now.since(self.begun) > self.guard.slow {
            true => CallResult::Failed,
            false if self.ended => CallResult::Well,
            false => CallResult::Unknown,
        };
        let mut state = self.guard.state();
        state.calls.remove(&self.number);
        let change = state.circuit.ended(now, self.ticket, result, draw);
        self.guard.changed(&mut state, change);
    }
}
