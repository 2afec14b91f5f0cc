//! The shared cache as a server that can fail, and each replica's connection to it.
//!
//! What it holds is the [`MemoryCache`]; what it does wrong is here. A write is carried out by the server, not by its
//! caller: a caller that crashes, or gives up, after the command was sent leaves its effect behind.

pub(crate) mod keymap;
pub(crate) mod link;
pub(crate) mod memory;

mod changes;
mod condition;
mod connections;
mod counter_store;
mod counters;
mod effect;
mod find;
mod listeners;
mod memory_changes;
mod memory_hears;
mod port;
mod redirects;
mod replica;
mod seize;
mod slots;
mod wake;
pub(crate) mod work;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_channel::oneshot;
use scenarios::MigrationWay;
use strategies::Key;
use strategies::port::{CacheError, CacheErrorClass, Lookup, Removal, Subscribers, Token};
use strategies::rng::Rng;
use strategies::time::Mono;

pub use connections::SimConnections;
pub use effect::{Effect, Watcher};
pub use port::CachePort;

use crate::cache::condition::Condition;
use crate::cache::keymap::KeyMap;
use crate::cache::link::{Draws, Link};
use crate::cache::listeners::Changes;
use crate::cache::memory::{MemoryCache, Snapshot};
use crate::cache::redirects::SimRedirects;
use crate::cache::replica::NodeRole;
use crate::cache::work::{Carried, Replies, ServerWork};
use crate::world::Handle;

/// The seed of what the server draws for itself.
const DRAWS: u64 = 0x00CA_C4E5;

/// What carrying out one command of many that wait takes, as Redis' own few microseconds.
const COMMAND: Duration = Duration::from_micros(5);

/// The cache server that a fleet shares.
pub struct CacheServer {
    world: Handle,
    memory: MemoryCache,
    /// Whether anything is wrong at all: what a read that meets no trouble looks at.
    troubled: AtomicBool,
    trouble: Mutex<Condition>,
    holders: Mutex<KeyMap<(Token, u16)>>,
    subscribers: Mutex<Vec<Arc<Subscriber>>>,
    changes: Changes,
    watcher: OnceLock<Watcher>,
    draws: Draws,
    pub(crate) work: ServerWork,
    pub(crate) redirects: SimRedirects,
}

impl CacheServer {
    /// An empty cache that works.
    #[must_use]
    pub fn new(world: Handle, memory: MemoryCache) -> Arc<Self> {
        Self::busy(world, memory, ServerWork::default())
    }

    /// The same, whose commands take it a time.
    #[must_use]
    pub fn busy(world: Handle, memory: MemoryCache, work: ServerWork) -> Arc<Self> {
        Arc::new(Self {
            world,
            memory,
            troubled: AtomicBool::new(false),
            trouble: Mutex::default(),
            holders: Mutex::default(),
            subscribers: Mutex::default(),
            changes: Changes::default(),
            watcher: OnceLock::new(),
            draws: Draws::from(&Rng::new(DRAWS)),
            work,
            redirects: SimRedirects::default(),
        })
    }

    /// From now on `watcher` is told of every effect. Only the first one is.
    pub fn watch(&self, watcher: Watcher) {
        let _ = self.watcher.set(watcher);
    }

    /// Tells the watcher, if there is one.
    fn tell(&self, replica: u16, effect: impl FnOnce() -> Effect) {
        if let Some(watcher) = self.watcher.get() {
            watcher(replica, effect());
        }
    }

    /// What it holds.
    #[must_use]
    pub fn memory(&self) -> &MemoryCache {
        &self.memory
    }

    /// Gone for `length`, and empty when it is back. Zero is a restart.
    pub fn stop(self: &Arc<Self>, length: Duration) {
        self.empty();
        self.cut_listeners(None, self.world.now().plus(length));
        // Subscriptions end with their connections; each replica makes its own anew when somebody next listens.
        lock(&self.subscribers).iter().for_each(|s| lock(&s.listeners).clear());
        self.change(|trouble, now| trouble.down_until = trouble.down_until.max(now.plus(length)));
    }

    /// All that it holds goes: entries, leases, counters, the stream of changes.
    pub fn empty(self: &Arc<Self>) {
        self.memory.clear();
        self.all_changed();
    }

    /// A key's entry ends now; every key's, where none is named.
    pub fn expire(self: &Arc<Self>, key: Option<&Key>) {
        match key {
            Some(key) => {
                self.memory.forget(key, Removal::Entry);
                self.changed(key);
            }
            None => {
                self.memory.forget_all();
                self.all_untracked();
            }
        }
    }

    /// Takes commands and answers none for `length`; then it carries out what has come.
    pub fn pause(&self, length: Duration) {
        self.change(|trouble, now| trouble.paused_until = trouble.paused_until.max(now.plus(length)));
    }

    /// That share of the operations takes so much longer, for `length`.
    pub fn slow(&self, by: Duration, share: f64, length: Duration) {
        self.change(|trouble, now| {
            (trouble.slow_by, trouble.slow_share, trouble.slow_until) = (by, share, now.plus(length));
        });
    }

    /// Refuses what needs memory (puts and new leases) for `length`, as a full Redis does.
    pub fn refuse_writes(&self, length: Duration) {
        self.change(|trouble, now| trouble.full_until = trouble.full_until.max(now.plus(length)));
    }

    /// A replica takes over that had seen everything up to `past` and nothing since.
    pub fn fail_over(self: &Arc<Self>, past: &Snapshot) {
        self.memory.restore(past);
        self.all_changed();
        // What was connected to the other one, and tracked there, is gone.
        self.cut_listeners(None, self.world.now());
    }

    /// The server that has a key dies, or stands still, until another one takes its place; which it is.
    pub fn lose_server(self: &Arc<Self>, key: &Key, until: Mono, silent: bool) -> usize {
        let slots = &self.work.slots;
        let shard = slots.owner(key, self.world.now());
        slots.lose(shard, until, silent);
        if slots.shards() == 1 {
            self.cut_listeners(None, until);
        }
        shard
    }

    /// A server takes the place of one that was lost, and had seen everything up to `past`.
    pub fn take_over(self: &Arc<Self>, shard: usize, past: &Snapshot) {
        let now = self.world.now();
        self.memory.restore_of(past, |key| self.work.slots.owner(key, now) == shard);
        self.all_changed();
    }

    /// The server that has a key stands still, and has lost nothing when it goes on.
    pub fn stand_still(&self, key: &Key, until: Mono) {
        self.work.slots.lose(self.work.slots.owner(key, self.world.now()), until, true);
    }

    /// Slots move to another server, a key's or so many; when all have. `None` where there is no other.
    pub fn migrate(&self, which: Result<&Key, u32>, how: MigrationWay) -> Option<Mono> {
        let which = which.map(|key| self.work.slots.slot(key));
        let mut keys: BTreeMap<u16, u32> = BTreeMap::new();
        self.memory.each_key(|key| *keys.entry(self.work.slots.slot(key)).or_default() += 1);
        self.work.slots.migrate(which, how, self.world.now(), |slot| keys.get(&slot).copied().unwrap_or(0))
    }

    /// The replica that holds a key's lease now.
    #[must_use]
    pub fn holder(&self, key: &Key) -> Option<u16> {
        let token = self.memory.holder(key)?;
        lock(&self.holders).get(key).filter(|(held, _)| *held == token).map(|(_, replica)| *replica)
    }

    fn change(&self, change: impl FnOnce(&mut Condition, Mono)) {
        change(&mut lock(&self.trouble), self.world.now());
        self.troubled.store(true, Relaxed);
    }

    fn trouble(&self) -> Option<Condition> {
        if !self.troubled.load(Relaxed) {
            return None;
        }
        let trouble = *lock(&self.trouble);
        if trouble.is_over(self.world.now()) {
            self.troubled.store(false, Relaxed);
            return None;
        }
        Some(trouble)
    }

    /// When a command that finds the server standing still is carried out: after all those that came before it, or an old
    /// put could come last.
    fn turn(&self) -> Mono {
        let mut trouble = lock(&self.trouble);
        trouble.queued_until = trouble.queued_until.max(trouble.paused_until).plus(COMMAND);
        trouble.queued_until
    }

    /// What there is of a key, and how many bytes it is.
    fn look_up(&self, key: &Key, at: NodeRole) -> (Lookup, u64) {
        let found = match at {
            NodeRole::Primary => self.memory.look_up(key),
            // Nobody tells a replica that a slot moves: what has gone is gone.
            NodeRole::Replica if self.work.slots.has_gone(key, self.world.now()) => Lookup::Absent,
            NodeRole::Replica => self.memory.look_up_behind(key),
        };
        let bytes = if let Lookup::Found(entry, _) = &found { self.work.bytes(entry) } else { 0 };
        (found, bytes)
    }

    /// Waits until the server has done what a command asks of it, and the reply has left.
    async fn toil(&self, shard: usize, carried: Carried) {
        if let Some(at) = self.work.done(self.world.now(), shard, carried) {
            self.world.sleep_until(at).await;
        }
    }

    /// The same for what was read.
    async fn toil_for(&self, replies: &Replies) {
        if let Some(at) = self.work.replied(self.world.now(), replies) {
            self.world.sleep_until(at).await;
        }
    }

    /// What there is of a key, and what it brings back.
    fn reply(&self, key: &Key, at: NodeRole) -> (Lookup, Replies) {
        let (found, bytes) = self.look_up(key, at);
        (found, Replies::One(self.work.node(self.work.slots.owner(key, self.world.now()), at), bytes))
    }

    /// Of several keys: of each slot one command, all at once.
    fn reply_of_all(&self, keys: &[Key], at: NodeRole) -> (Vec<Lookup>, Replies) {
        let now = self.world.now();
        let (mut found, mut of) = (Vec::with_capacity(keys.len()), BTreeMap::<u16, (usize, u64)>::new());
        for key in keys {
            let (lookup, bytes) = self.look_up(key, at);
            found.push(lookup);
            // A server that stands alone has no slots.
            let slot = if self.work.slots.shards() == 1 { 0 } else { self.work.slots.slot(key) };
            of.entry(slot).or_insert_with(|| (self.work.node(self.work.slots.owner(key, now), at), 0)).1 += bytes;
        }
        (found, Replies::Many(of.into_values().collect()))
    }

    /// Lets a command in that has arrived: waits while the server stands still, and for its slowness.
    async fn admit(&self, needs_memory: bool) -> Result<(), CacheError> {
        let mut queued = false;
        while let Some(trouble) = self.trouble() {
            let now = self.world.now();
            if now < trouble.down_until {
                return Err(failed(CacheErrorClass::Down, "connection refused"));
            }
            if now < trouble.paused_until || (!queued && now < trouble.queued_until) {
                self.world.sleep_until(self.turn()).await;
                queued = true;
                continue; // it may have gone down meanwhile
            }
            if now < trouble.slow_until && (trouble.slow_share >= 1.0 || self.draws.unit() < trouble.slow_share) {
                self.world.sleep(trouble.slow_by).await;
            }
            if needs_memory && now < trouble.full_until {
                return Err(failed(CacheErrorClass::Full, "OOM command not allowed"));
            }
            break;
        }
        Ok(())
    }
}

fn failed(class: CacheErrorClass, message: &str) -> CacheError {
    CacheError { class, message: message.into() }
}

fn no_reply() -> CacheError {
    failed(CacheErrorClass::Slow, "timed out")
}

/// A replica's listeners, and the way that messages take to it.
struct Subscriber {
    replica: u16,
    link: Arc<Link>,
    listeners: Mutex<BTreeMap<Key, Vec<oneshot::Sender<()>>>>,
    subscribers: Subscribers,
    /// A message was lost on its way since the last one that came.
    missed: AtomicBool,
}

/// A poisoned lock is as good as any: every critical section above leaves its value whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
