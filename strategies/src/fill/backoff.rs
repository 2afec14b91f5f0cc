//! After an origin error a key backs off for a moment, per process: the herd that the error set free must not elect its
//! next leader at once, and its next, each to the same error.
//!
//! Meanwhile a caller that would lead gets the same error without a read; stale values within hard life are served before a
//! fill is asked for at all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::kit::rng::Rng;
use crate::kit::time::Mono;
use crate::port::Clock;
use crate::port::error::GetError;
use crate::port::key::Key;

/// The shortest back-off; it is stretched by up to as much again, so that replicas do not come back together.
const SHORTEST: Duration = Duration::from_millis(100);
/// Keys that may be remembered before those that are over are swept out.
const SWEEP_FROM: usize = 1024;

/// Which keys back off, until when, and with which error.
pub(crate) struct Backoff {
    clock: Arc<dyn Clock>,
    rng: Rng,
    keys: Mutex<BTreeMap<Key, (Mono, GetError)>>,
}

impl Backoff {
    pub(crate) fn new(clock: Arc<dyn Clock>, rng: Rng) -> Self {
        Self { clock, rng, keys: Mutex::default() }
    }

    /// The error to give without a read, while the key backs off.
    pub(crate) fn error(&self, key: &Key) -> Option<GetError> {
        let now = self.clock.mono();
        self.keys().get(key).filter(|(until, _)| now < *until).map(|(_, error)| error.clone())
    }

    /// A read failed: the key backs off from now on.
    pub(crate) fn failed(&self, key: &Key, error: &GetError) {
        let now = self.clock.mono();
        let until = now.plus(SHORTEST + SHORTEST.mul_f64(self.rng.next_unit()));
        let mut keys = self.keys();
        if keys.len() >= SWEEP_FROM {
            keys.retain(|_, (until, _)| now < *until);
        }
        keys.insert(key.clone(), (until, error.clone()));
    }

    /// A read succeeded: the key is as any other.
    pub(crate) fn succeeded(&self, key: &Key) {
        self.keys().remove(key);
    }

    fn keys(&self) -> MutexGuard<'_, BTreeMap<Key, (Mono, GetError)>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
