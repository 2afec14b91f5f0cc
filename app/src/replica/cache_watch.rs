//! One replica's watch over the shared cache: it keeps an entry of the lab's own beside the strategy's and asks for it twenty
//! times a second, unmetered. So a cache that stood still is told by its silence, and one that somebody else emptied by what
//! is gone. The entry prolongs itself and is forgotten half a minute after the last strategy.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use evidence::{CacheWatched, Silence};
use strategies::port::{Cache, CacheError, Clock, Lookup, When};
use strategies::time::Mono;
use strategies::{Entry, Key, Life};
use tokio::task::AbortHandle;

use crate::process::heartbeat::{BEAT, note, push};
use crate::process::runtime::RealClock;

/// The entry's key; items have numbers.
const KEY: &str = "sentinel";
const VALUE: &[u8] = b"written by the lab, to see whether anybody else removes it";
/// How long the entry lives, and how often it is written anew.
const LIFE: Duration = Duration::from_secs(30);
const PROLONGED_EVERY: Duration = Duration::from_secs(5);

/// A watch that lasts until it is dropped.
pub(super) struct CacheWatch {
    watched: Arc<Mutex<CacheWatched>>,
    task: AbortHandle,
}

impl CacheWatch {
    /// Watches a namespace's cache, on the current runtime.
    pub(super) fn begin(cache: Arc<dyn Cache>, clock: RealClock) -> Self {
        let watched = Arc::<Mutex<CacheWatched>>::default();
        let task = tokio::spawn(watch(cache, clock, Arc::clone(&watched))).abort_handle();
        Self { watched, task }
    }

    /// What was seen since the beginning.
    pub(super) fn told(&self) -> CacheWatched {
        lock(&self.watched).clone()
    }
}

impl Drop for CacheWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn watch(cache: Arc<dyn Cache>, clock: RealClock, watched: Arc<Mutex<CacheWatched>>) {
    let Ok(key) = Key::new(KEY) else { return };
    let (mut written, mut unanswered): (Option<Mono>, Option<Mono>) = (None, None);
    loop {
        let asked = clock.mono();
        let answer = cache.get(&key).await;
        let now = clock.mono();
        match answer {
            // It counts from the first question without an answer.
            Err(_) => drop(unanswered.get_or_insert(asked)),
            Ok(found) => {
                let mut watched = lock(&watched);
                let CacheWatched { longest_ns, silences, lost_ns } = &mut *watched;
                note(Silence { from_ns: unanswered.take().unwrap_or(asked).0, to_ns: now.0 }, longest_ns, silences);
                if !is_ours(&found) && written.take().is_some() {
                    push(lost_ns, now.0);
                }
            }
        }
        if unanswered.is_none() && written.is_none_or(|at| now.since(at) >= PROLONGED_EVERY) {
            written = write(&*cache, &key, &clock).await.ok().map(|()| now).or(written);
        }
        clock.sleep(BEAT).await;
    }
}

fn is_ours(found: &Lookup) -> bool {
    matches!(found, Lookup::Found(entry, _) if entry.value.as_deref() == Some(VALUE))
}

async fn write(cache: &dyn Cache, key: &Key, clock: &RealClock) -> Result<(), CacheError> {
    let now = clock.wall();
    let entry = Entry {
        value: Some(Bytes::from_static(VALUE)),
        version: 1,
        read_at: now,
        stored_at: now,
        life: Life::new(LIFE, Duration::ZERO),
        delta: Duration::ZERO,
    };
    cache.put(key, &entry, When::Always).await.map(drop)
}

fn lock(watched: &Mutex<CacheWatched>) -> MutexGuard<'_, CacheWatched> {
    watched.lock().unwrap_or_else(PoisonError::into_inner)
}
