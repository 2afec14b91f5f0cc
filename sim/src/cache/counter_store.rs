//! Counters as Redis has them, one command at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strategies::Key;
use strategies::port::{CounterCommand, HeldCounter};
use strategies::time::Mono;

use crate::cache::keymap::KeyMap;

/// Commands before the first look for counters that are over.
const SWEEP_FROM: usize = 1024;

/// Counters by key. One that is over goes when there have been as many commands as there are counters, at the latest.
#[derive(Default)]
pub(crate) struct CounterStore(Mutex<StoredCounters>);

/// All of them, as they were at a moment.
#[derive(Clone, Default)]
pub(crate) struct StoredCounters {
    counters: KeyMap<StoredCounter>,
    commands: usize,
}

/// A counter, and when it ends.
#[derive(Debug, Clone, Copy)]
struct StoredCounter {
    value: i64,
    until: Option<Mono>,
}

impl StoredCounter {
    fn is_there(&self, now: Mono) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl CounterStore {
    pub(crate) fn snapshot(&self) -> StoredCounters {
        self.stored().clone()
    }

    pub(crate) fn restore(&self, past: StoredCounters) {
        *self.stored() = past;
    }

    /// The same of some keys; the others keep what they have.
    pub(crate) fn restore_of(&self, past: &StoredCounters, of: impl Fn(&Key) -> bool) {
        self.stored().counters.take_of(&past.counters, of);
    }

    pub(crate) fn look(&self, key: &Key, now: Mono) -> Option<HeldCounter> {
        let StoredCounter { value, until } = *self.stored().counters.get(key).filter(|there| there.is_there(now))?;
        Some(HeldCounter { value, left: until.map(|until| until.since(now)) })
    }

    pub(crate) fn act(&self, key: &Key, command: CounterCommand, now: Mono) -> Option<i64> {
        let mut stored = self.stored();
        stored.commands += 1;
        if stored.commands >= SWEEP_FROM.max(stored.counters.len()) {
            stored.commands = 0;
            stored.counters.keep(|counter| counter.is_there(now));
        }
        let there = stored.counters.get(key).copied().filter(|there| there.is_there(now));
        let ends = |life: Duration| Some(now.plus(whole_millis(life)));
        let added = |by| there.map_or(0, |there| there.value).wrapping_add(by);
        // An increment in a window: it begins one where there is none, and gives an end to one without, where it repairs.
        let in_window = |by, life, repair: bool| {
            let until = match there {
                None => ends(life),
                Some(StoredCounter { until: None, .. }) if repair => ends(life),
                Some(StoredCounter { until, .. }) => until,
            };
            StoredCounter { value: added(by), until }
        };
        let (next, said) = match command {
            CounterCommand::Read => return there.map(|there| there.value),
            CounterCommand::SetNew(..) if there.is_some() => return None,
            CounterCommand::Set(value, life) | CounterCommand::SetNew(value, life) => {
                (StoredCounter { value, until: ends(life) }, value)
            }
            CounterCommand::Add(by) => {
                let next = StoredCounter { value: added(by), until: there.and_then(|there| there.until) };
                (next, next.value)
            }
            CounterCommand::Expire(life) => (StoredCounter { until: ends(life), ..there? }, 1),
            CounterCommand::Transaction(by, life) => {
                let next = in_window(by, life, false);
                (next, next.value)
            }
            CounterCommand::Script { by, life, repair } => {
                let next = in_window(by, life, repair);
                (next, next.value)
            }
            CounterCommand::Increx(by, life) => {
                let next = in_window(by, life, true);
                (next, next.value)
            }
        };
        stored.counters.insert(key.clone(), next);
        Some(said)
    }

    fn stored(&self) -> MutexGuard<'_, StoredCounters> {
        // Every critical section leaves the map whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A life as Redis counts it: whole milliseconds, at least one.
fn whole_millis(life: Duration) -> Duration {
    Duration::from_millis(u64::try_from(life.as_millis()).unwrap_or(u64::MAX).max(1))
}
