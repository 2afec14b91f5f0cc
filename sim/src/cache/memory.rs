//! A shared cache in memory: entries as they are (no envelope), and leases, behind the same ports as Redis.
//!
//! It passes the same contract tests as the Redis adapter (`strategies::conformance`). It must never differ from Redis
//! in an answer, only in the time that the answer takes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_channel::oneshot;
use strategies::port::{
    Acquired, BoxFuture, Cache, CacheError, Clock, Lease, Level, Lookup, Message, Messages, Released, Removal, Renewed,
    Stored, Subscribers, Token, Wake, When,
};
use strategies::{Entry, Key, time::Mono};

use crate::cache::counter_store::{CounterStore, StoredCounters};
use crate::cache::keymap::KeyMap;
use crate::cache::memory_changes::MemoryChanges;
use crate::cache::replica::Unheard;

/// How much longer than its hard life an entry is kept: what a reader may still want to know of it.
const GRACE: Duration = Duration::from_secs(1);

/// Puts before the first look for entries that are over.
const SWEEP_FROM: usize = 1024;

/// A cache that all replicas of a process share. Bounded by the number of keys that its users have; an entry goes when it
/// is read after its end, or at the latest when there have been as many puts as there are entries.
pub struct MemoryCache {
    pub(crate) clock: Arc<dyn Clock>,
    state: Mutex<State>,
    pub(crate) counters: CounterStore,
    pub(super) changes: MemoryChanges,
}

/// What a cache held at a moment.
#[derive(Clone)]
pub struct Snapshot {
    entries: KeyMap<(Entry, Mono)>,
    spoilt: BTreeSet<Key>,
    leases: KeyMap<(Token, Mono)>,
    counters: StoredCounters,
}

#[derive(Default)]
struct State {
    entries: KeyMap<(Entry, Mono)>,
    /// Those of the entries whose bytes are damaged.
    spoilt: BTreeSet<Key>,
    leases: KeyMap<(Token, Mono)>,
    listeners: BTreeMap<Key, Vec<oneshot::Sender<()>>>,
    subscribers: Subscribers,
    /// What replicas have not heard of yet, where anybody reads from them.
    unheard: Option<Unheard<(Entry, Mono)>>,
    /// Since those that are over were last looked for.
    puts: usize,
}

impl State {
    /// The token that holds a key now.
    fn holder(&self, key: &Key, now: Mono) -> Option<Token> {
        self.leases.get(key).filter(|(_, until)| now < *until).map(|(token, _)| *token)
    }

    /// Whether what there is of a key, if anything, is no newer than that.
    fn is_not_newer(&self, key: &Key, version: u64, now: Mono) -> bool {
        let held = self.entries.get(key).filter(|(_, until)| now < *until);
        held.is_none_or(|(held, _)| held.version <= version)
    }

    /// An entry is about to change.
    fn note(&mut self, key: &Key, now: Mono) {
        if let Some(unheard) = &mut self.unheard {
            unheard.changes(key, self.entries.get(key).cloned(), now);
        }
    }

    /// All of it has changed, for replicas, too.
    fn replace(&mut self) {
        self.unheard.iter_mut().for_each(Unheard::heard_all);
    }

    fn put(&mut self, key: &Key, entry: &Entry, now: Mono) {
        self.puts += 1;
        // To look at all of them once in as many puts costs a put no more however many there are.
        if self.puts >= SWEEP_FROM.max(self.entries.len() + self.leases.len()) {
            self.puts = 0;
            self.entries.keep(|(_, until)| now < *until);
            self.leases.keep(|(_, until)| now < *until);
        }
        let until = now.plus(entry.life.hard.saturating_add(GRACE));
        self.note(key, now);
        self.entries.insert(key.clone(), (entry.clone(), until));
        self.spoilt.remove(key);
    }
}

impl MemoryCache {
    /// An empty cache whose entries and leases end by `clock`'s monotonic time.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default(), counters: CounterStore::default(), changes: MemoryChanges::default() }
    }

    /// Forgets every entry, every lease and every counter.
    pub fn clear(&self) {
        self.counters.restore(StoredCounters::default());
        let mut state = self.state();
        state.replace();
        (state.entries, state.spoilt, state.leases) = Default::default();
    }

    /// What it holds now, for [`MemoryCache::restore`].
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let state = self.state();
        Snapshot {
            entries: state.entries.clone(),
            spoilt: state.spoilt.clone(),
            leases: state.leases.clone(),
            counters: self.counters.snapshot(),
        }
    }

    /// Holds what it held then, as a replica does that is promoted before it has caught up.
    pub fn restore(&self, past: &Snapshot) {
        let mut state = self.state();
        state.replace();
        (state.entries, state.leases) = (past.entries.clone(), past.leases.clone());
        state.spoilt = past.spoilt.clone();
        self.counters.restore(past.counters.clone());
    }

    /// The same of some keys; the others keep what they have.
    pub(crate) fn restore_of(&self, past: &Snapshot, of: impl Fn(&Key) -> bool) {
        let mut state = self.state();
        state.replace();
        state.entries.take_of(&past.entries, &of);
        state.leases.take_of(&past.leases, &of);
        state.spoilt.retain(|key| !of(key));
        state.spoilt.extend(past.spoilt.iter().filter(|key| of(key)).cloned());
        self.counters.restore_of(&past.counters, of);
    }

    /// Shows every key of which there is an entry, perhaps one that is over, in no order that means anything.
    pub(crate) fn each_key(&self, see: impl FnMut(&Key)) {
        self.state().entries.each_key(see);
    }

    /// Whether there is an entry of a key.
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.state().entries.get(key).is_some()
    }

    /// Damages a key's bytes, if there are any. Where a fenced put looks for the version they say the highest there is.
    pub fn spoil(&self, key: &Key) -> bool {
        let mut state = self.state();
        let Some((entry, _)) = state.entries.get_mut(key) else { return false };
        entry.version = u64::MAX;
        state.spoilt.insert(key.clone())
    }

    /// The token that holds a key now.
    #[must_use]
    pub fn holder(&self, key: &Key) -> Option<Token> {
        let now = self.clock.mono();
        self.state().holder(key, now)
    }

    // The operations themselves, at once: what stands before them decides when they happen.

    pub(crate) fn look_up(&self, key: &Key) -> Lookup {
        let now = self.clock.mono();
        let state = self.state();
        let found = state.entries.get(key).filter(|(_, until)| now < *until).map(|(entry, _)| entry.clone());
        match found {
            Some(_) if !state.spoilt.is_empty() && state.spoilt.contains(key) => Lookup::Corrupt,
            Some(entry) => Lookup::Found(entry, Level::Shared),
            None => Lookup::Absent,
        }
    }

    /// The same where a replica answers, which has not heard of everything yet.
    pub(crate) fn look_up_behind(&self, key: &Key) -> Lookup {
        let now = self.clock.mono();
        let mut state = self.state();
        let Some(before) = state.unheard.as_mut().and_then(|unheard| unheard.before(key, now)) else {
            drop(state);
            return self.look_up(key);
        };
        let found = before.filter(|(_, until)| now < *until);
        found.map_or(Lookup::Absent, |(entry, _)| Lookup::Found(entry.clone(), Level::Shared))
    }

    /// From now on it knows what replicas have not heard of yet.
    pub(crate) fn have_replicas(&self) {
        self.state().unheard.get_or_insert_default();
    }

    pub(crate) fn store(&self, key: &Key, entry: &Entry, when: When) -> Stored {
        let now = self.clock.mono();
        let mut state = self.state();
        let allowed = match when {
            When::Always => true,
            When::NotOlder => state.is_not_newer(key, entry.version, now),
            When::Fenced(token) => {
                // An item has one lease, however many parts.
                let holder = match key.whole() {
                    (_, None) => state.holder(key, now),
                    (whole, Some(_)) => Key::new(whole).ok().and_then(|whole| state.holder(&whole, now)),
                };
                holder == Some(token) && state.is_not_newer(key, entry.version, now)
            }
        };
        if allowed {
            state.put(key, entry, now);
        }
        if allowed { Stored::Stored } else { Stored::Fenced }
    }

    pub(crate) fn forget(&self, key: &Key, what: Removal) {
        let now = self.clock.mono();
        let mut state = self.state();
        if what == Removal::EntryAndLease {
            state.leases.remove(key);
        }
        state.note(key, now);
        state.entries.remove(key);
        state.spoilt.remove(key);
    }

    pub(crate) fn forget_all(&self) {
        let mut state = self.state();
        state.replace();
        (state.entries, state.spoilt) = Default::default();
    }

    pub(crate) fn take(&self, key: &Key, token: Token, life: Duration) -> Acquired {
        let now = self.clock.mono();
        let mut state = self.state();
        match state.holder(key, now) {
            Some(holder) if holder == token => Acquired::Won,
            Some(_) => Acquired::Held,
            None => {
                state.leases.insert(key.clone(), (token, now.plus(life)));
                Acquired::Won
            }
        }
    }

    pub(crate) fn prolong(&self, key: &Key, token: Token, life: Duration) -> Renewed {
        let now = self.clock.mono();
        let mut state = self.state();
        if state.holder(key, now) != Some(token) {
            return Renewed::NotOwner;
        }
        state.leases.insert(key.clone(), (token, now.plus(life)));
        Renewed::Renewed
    }

    pub(crate) fn let_go(&self, key: &Key, token: Token) -> Released {
        let now = self.clock.mono();
        let mut state = self.state();
        if state.holder(key, now) != Some(token) {
            return Released::NotOwner;
        }
        state.leases.remove(key);
        Released::Released
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every critical section leaves the maps whole, so a poisoned lock is as good as any.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// Each operation does its work when it is polled, not when it is called: a link in front of this cache decides when,
// and whether, a command arrives.

impl Cache for MemoryCache {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        Box::pin(async move { Ok(self.look_up(key)) })
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        Box::pin(async move {
            let stored = self.store(key, entry, when);
            if stored == Stored::Stored {
                self.changes.changed(key);
            }
            Ok(stored)
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, what: Removal) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(async move {
            self.forget(key, what);
            self.changes.changed(key);
            Ok(())
        })
    }
}

impl Lease for MemoryCache {
    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        token: Token,
        life: Duration,
    ) -> BoxFuture<'a, Result<Acquired, CacheError>> {
        Box::pin(async move { Ok(self.take(key, token, life)) })
    }

    fn renew<'a>(&'a self, key: &'a Key, token: Token, life: Duration) -> BoxFuture<'a, Result<Renewed, CacheError>> {
        Box::pin(async move { Ok(self.prolong(key, token, life)) })
    }

    fn release<'a>(&'a self, key: &'a Key, token: Token) -> BoxFuture<'a, Result<Released, CacheError>> {
        Box::pin(async move { Ok(self.let_go(key, token)) })
    }
}

impl Wake for MemoryCache {
    fn listen<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Option<Message>> {
        Box::pin(async move {
            let (tell, told) = oneshot::channel();
            let mut state = self.state();
            let listeners = state.listeners.entry(key.clone()).or_default();
            // Listeners that have gone are forgotten here: a key that is never announced must not gather them.
            listeners.retain(|listener: &oneshot::Sender<()>| !listener.is_canceled());
            listeners.push(tell);
            let heard: Message = Box::pin(async move {
                if told.await.is_err() {
                    std::future::pending::<()>().await;
                }
            });
            Some(heard)
        })
    }

    fn subscribe(&self) -> BoxFuture<'_, Option<Messages>> {
        Box::pin(async move { Some(self.state().subscribers.subscribe()) })
    }

    fn announce<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let mut state = self.state();
            state.subscribers.announce(key);
            let listeners = state.listeners.remove(key).unwrap_or_default();
            drop(state);
            for listener in listeners {
                // One that listens no longer needs no message.
                let _ = listener.send(());
            }
            true
        })
    }
}
