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
mod listeners;
mod memory_changes;
mod memory_hears;
mod seize;
mod wake;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use strategies::port::{
    Acquired, BoxFuture, Cache, CacheError, CacheErrorClass, ConnectionLimits, Lease, Lookup, Released, Removal,
    Renewed, Stored, Subscribers, Token, When,
};
use strategies::rng::Rng;
use strategies::time::Mono;
use strategies::{Entry, Key};

pub use connections::SimConnections;
pub use effect::{Effect, Watcher};

use crate::cache::condition::Condition;
use crate::cache::keymap::KeyMap;
use crate::cache::link::{Draws, Link};
use crate::cache::listeners::Changes;
use crate::cache::memory::{MemoryCache, Snapshot};
use crate::world::{Handle, NOBODY};

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
}

impl CacheServer {
    /// An empty cache that works.
    #[must_use]
    pub fn new(world: Handle, memory: MemoryCache) -> Arc<Self> {
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

/// One replica's connection to the cache.
pub struct CachePort {
    world: Handle,
    server: Arc<CacheServer>,
    replica: u16,
    link: Arc<Link>,
    /// The connection on which it hears of changes.
    listener_link: Arc<Link>,
    subscriber: Arc<Subscriber>,
    replies_to_lose: Arc<AtomicU32>,
    /// How long an operation may take.
    budget: Duration,
}

impl CachePort {
    /// Connects a replica. What its earlier incarnation listened for is forgotten.
    #[must_use]
    pub fn new(server: &Arc<CacheServer>, replica: u16, link: Arc<Link>, listener_link: Arc<Link>) -> Arc<Self> {
        server.changes.forget(replica);
        let subscriber = Arc::new(Subscriber {
            replica,
            link: Arc::clone(&link),
            listeners: Mutex::default(),
            subscribers: Subscribers::default(),
            missed: AtomicBool::default(),
        });
        let mut subscribers = lock(&server.subscribers);
        subscribers.retain(|s| s.replica != replica);
        subscribers.push(Arc::clone(&subscriber));
        drop(subscribers);
        let (world, server) = (server.world.clone(), Arc::clone(server));
        let (replies_to_lose, budget) = (Arc::default(), ConnectionLimits::USUAL.reply);
        Arc::new(Self { world, server, replica, link, listener_link, subscriber, replies_to_lose, budget })
    }

    /// The replies to this replica's next `count` writes are lost, after the effect.
    pub fn lose_replies(&self, count: u32) {
        self.replies_to_lose.store(count, Relaxed);
    }

    /// A read: it has no effect, so a caller that gives it up leaves nothing behind.
    async fn read(&self, key: &Key, tracked: bool) -> Result<Lookup, CacheError> {
        let deadline = self.world.now().plus(self.budget);
        let arrives = self.link.there.deliver(self.world.now());
        let Some(arrives) = arrives.filter(|at| *at <= deadline) else { return self.give_up(deadline).await };
        self.world.sleep_until(arrives).await;
        if self.server.troubled.load(Relaxed) {
            let (server, key, replica) = (Arc::clone(&self.server), key.clone(), self.replica);
            let serve = async move {
                server.admit(false).await?;
                if tracked {
                    server.track(replica, &key);
                }
                Ok(server.memory.look_up(&key))
            };
            return Box::pin(self.reply_to(serve, deadline)).await;
        }
        if tracked {
            self.server.track(self.replica, key);
        }
        let answer = self.server.memory.look_up(key);
        let back = self.link.back.deliver(self.world.now());
        let Some(back) = back.filter(|at| *at <= deadline) else { return self.give_up(deadline).await };
        self.world.sleep_until(back).await;
        Ok(answer)
    }

    async fn give_up<T>(&self, deadline: Mono) -> Result<T, CacheError> {
        self.world.sleep_until(deadline).await;
        Err(no_reply())
    }

    /// A write: the server carries it out once it has arrived, whatever becomes of the caller.
    async fn write<T: Send + 'static>(
        &self,
        needs_memory: bool,
        act: impl FnOnce(&Arc<CacheServer>) -> T + Send + 'static,
    ) -> Result<T, CacheError> {
        let deadline = self.world.now().plus(self.budget);
        let Some(arrives) = self.link.there.deliver(self.world.now()) else { return self.give_up(deadline).await };
        let (world, server) = (self.world.clone(), Arc::clone(&self.server));
        let serve = async move {
            world.sleep_until(arrives).await;
            server.admit(needs_memory).await.map(|()| act(&server))
        };
        self.reply_to(serve, deadline).await
    }

    /// What the server does for a command, on a task of its own, and the way back of its reply.
    async fn reply_to<T: Send + 'static>(
        &self,
        serve: impl Future<Output = Result<T, CacheError>> + Send + 'static,
        deadline: Mono,
    ) -> Result<T, CacheError> {
        let (tell, told) = oneshot::channel();
        let (world, link) = (self.world.clone(), Arc::clone(&self.link));
        let loses = self.replies_to_lose.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok();
        self.world.spawn(NOBODY, async move {
            let answer = serve.await;
            if let Some(back) = link.back.deliver(world.now()).filter(|_| !loses) {
                world.sleep_until(back).await;
                let _ = tell.send(answer);
            }
        });
        match select(told, self.world.sleep_until(deadline)).await {
            Either::Left((Ok(answer), _)) => answer,
            Either::Left((Err(oneshot::Canceled), at_deadline)) => {
                at_deadline.await;
                Err(no_reply())
            }
            Either::Right(_) => Err(no_reply()),
        }
    }
}

impl Cache for CachePort {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        Box::pin(self.read(key, false))
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        let (key, entry, replica) = (key.clone(), entry.clone(), self.replica);
        Box::pin(self.write(true, move |server| {
            let stored = server.memory.store(&key, &entry, when);
            if stored == Stored::Stored {
                server.changed(&key);
            }
            server.tell(replica, || Effect::Put(key, entry, when, stored));
            stored
        }))
    }

    fn remove<'a>(&'a self, key: &'a Key, what: Removal) -> BoxFuture<'a, Result<(), CacheError>> {
        let (key, replica) = (key.clone(), self.replica);
        Box::pin(self.write(false, move |server| {
            server.memory.forget(&key, what);
            server.changed(&key);
            if what == Removal::EntryAndLease {
                lock(&server.holders).remove(&key);
            }
            server.tell(replica, || Effect::Removed(key, what));
        }))
    }
}

impl Lease for CachePort {
    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        token: Token,
        life: Duration,
    ) -> BoxFuture<'a, Result<Acquired, CacheError>> {
        let (key, replica) = (key.clone(), self.replica);
        Box::pin(self.write(true, move |server| {
            let acquired = server.memory.take(&key, token, life);
            server.tell(replica, || Effect::Taken(key.clone(), token, life, acquired));
            if acquired == Acquired::Won {
                lock(&server.holders).insert(key, (token, replica));
            }
            acquired
        }))
    }

    fn renew<'a>(&'a self, key: &'a Key, token: Token, life: Duration) -> BoxFuture<'a, Result<Renewed, CacheError>> {
        let (key, replica) = (key.clone(), self.replica);
        Box::pin(self.write(false, move |server| {
            let renewed = server.memory.prolong(&key, token, life);
            server.tell(replica, || Effect::Prolonged(key, token, renewed));
            renewed
        }))
    }

    fn release<'a>(&'a self, key: &'a Key, token: Token) -> BoxFuture<'a, Result<Released, CacheError>> {
        let (key, replica) = (key.clone(), self.replica);
        Box::pin(self.write(false, move |server| {
            let released = server.memory.let_go(&key, token);
            if released == Released::Released {
                lock(&server.holders).remove(&key);
            }
            server.tell(replica, || Effect::LetGo(key, token, released));
            released
        }))
    }
}

/// A poisoned lock is as good as any: every critical section above leaves its value whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
