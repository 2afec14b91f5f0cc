//! Whose turn it is to load the machine: a test that judges times has it to itself, any other stands beside a few more.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many loads stand beside one another. A short run of the lab takes a quarter of a core; the rest of its time it waits.
pub const PLACES: usize = 4;

/// Places that are taken in the order in which they were asked for, whether one or all.
// A file lock would also hold between test binaries, but cargo runs those one after the other.
pub struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    came: u64,
    served: u64,
    free: usize,
}

/// Places that are free again when it is dropped.
pub struct Turn<'a> {
    turns: &'a Turns,
    places: usize,
}

impl Turns {
    pub const fn new() -> Self {
        Self { state: Mutex::new(State { came: 0, served: 0, free: PLACES }), changed: Condvar::new() }
    }

    pub fn take(&self, places: usize) -> Turn<'_> {
        let mut state = self.state();
        let number = state.came;
        state.came += 1;
        let waits = |state: &mut State| state.served < number || state.free < places;
        let mut state = self.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        state.served += 1;
        state.free -= places;
        self.changed.notify_all();
        HELD.set(HELD.get() + 1);
        Turn { turns: self, places }
    }

    /// How many have asked for a turn so far.
    pub fn came(&self) -> u64 {
        self.state().came
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        HELD.set(HELD.get().saturating_sub(1));
        self.turns.state().free += self.places;
        self.turns.changed.notify_all();
    }
}

static TURNS: Turns = Turns::new();

thread_local! {
    /// Turns that this thread has.
    static HELD: Cell<u32> = const { Cell::new(0) };
}

/// A place for what loads the machine, where this thread has none yet.
pub fn somewhere() -> Option<Turn<'static>> {
    (HELD.get() == 0).then(beside)
}

/// Nobody else's load meanwhile: for latencies, and for what costs the processors so much that others would be spoiled.
pub fn alone() -> Turn<'static> {
    TURNS.take(PLACES)
}

/// A load whose judgement does not suffer from a few more: [`PLACES`] stand beside one another.
pub fn beside() -> Turn<'static> {
    TURNS.take(1)
}
