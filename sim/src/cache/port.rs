//! A replica's connection to the simulated cache.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::{Either, select, try_join_all};
use strategies::port::{
    Acquired, BoxFuture, Cache, CacheError, ConnectionLimits, Lease, Lookup, ReadFrom, Released, Removal, Renewed,
    Stored, Subscribers, Token, Traffic, When,
};
use strategies::time::Mono;
use strategies::{Entry, Key};

use super::effect::Effect;
use super::link::Link;
use super::replica::NodeRole;
use super::slots::SentOn;
use super::work::{Carried, Replies};
use super::{CacheServer, Subscriber, lock, no_reply};
use crate::world::{Handle, NOBODY};

/// One replica's connection to the cache.
#[derive(Clone)]
pub struct CachePort {
    pub(super) world: Handle,
    pub(super) server: Arc<CacheServer>,
    pub(super) replica: u16,
    pub(super) link: Arc<Link>,
    /// The connection on which it hears of changes.
    pub(super) listener_link: Arc<Link>,
    pub(super) subscriber: Arc<Subscriber>,
    pub(super) replies_to_lose: Arc<AtomicU32>,
    /// What goes over it.
    pub(crate) traffic: Arc<Traffic>,
    /// How long an operation may take.
    pub(super) budget: Duration,
    /// Which servers answer its reads.
    pub(super) reads: ReadFrom,
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
        let (replies_to_lose, traffic, budget) = (Arc::default(), Arc::default(), ConnectionLimits::USUAL.reply);
        let reads = ReadFrom::Primary;
        Arc::new(Self {
            world,
            server,
            replica,
            link,
            listener_link,
            subscriber,
            replies_to_lose,
            traffic,
            budget,
            reads,
        })
    }

    /// The replies to this replica's next `count` writes are lost, after the effect.
    pub fn lose_replies(&self, count: u32) {
        self.replies_to_lose.store(count, Relaxed);
    }

    /// A read: it has no effect, so a caller that gives it up leaves nothing behind. `look` says what there is, and what it brings back.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        (of, at): (&[Key], NodeRole),
        look: impl FnOnce(&CacheServer) -> (T, Replies) + Send + 'static,
    ) -> Result<T, CacheError> {
        self.traffic.asked(self.commands(of));
        let begun = self.world.now();
        let deadline = begun.plus(self.budget);
        let arrives = self.link.there.deliver(begun);
        let Some(arrives) = arrives.filter(|at| *at <= deadline) else { return self.give_up(deadline).await };
        self.world.sleep_until(arrives).await;
        let told = match self.server.may_send_on() {
            true => Box::pin(self.find_all(of, at, deadline)).await?,
            false => None,
        };
        if self.server.troubled.load(Relaxed) {
            let server = Arc::clone(&self.server);
            let serve = async move {
                server.admit(false).await?;
                let (found, replies) = look(&server);
                server.toil_for(&replies).await;
                Ok((found, replies.bytes()))
            };
            let (found, bytes) = Box::pin(self.reply_to(serve, deadline)).await?;
            self.traffic.came(bytes);
            return Ok(found);
        }
        let (found, replies) = look(&self.server);
        self.server.toil_for(&replies).await;
        let back = self.link.back.deliver(self.world.now());
        let Some(back) = back.filter(|at| *at <= deadline) else { return self.give_up(deadline).await };
        self.world.sleep_until(back).await;
        self.traffic.came(replies.bytes());
        self.server.replied(told, self.world.now().since(begun));
        Ok(found)
    }

    /// As how many commands a read of these keys goes: of a cluster one for each slot.
    fn commands(&self, of: &[Key]) -> u64 {
        let slots = &self.server.work.slots;
        if of.len() < 2 || slots.shards() == 1 {
            return 1;
        }
        of.iter().map(|key| slots.slot(key)).collect::<BTreeSet<u16>>().len() as u64
    }

    /// Where a read of several keys goes, of each slot at once; the gravest that it was told.
    async fn find_all(&self, of: &[Key], at: NodeRole, deadline: Mono) -> Result<Option<SentOn>, CacheError> {
        let way = (self.replica, &*self.link);
        let mut by_slot: BTreeMap<u16, Vec<Key>> = BTreeMap::new();
        of.iter().for_each(|key| by_slot.entry(self.server.work.slots.slot(key)).or_default().push(key.clone()));
        let found = by_slot.into_values().map(|keys| {
            let server = &self.server;
            async move { server.find(way, (&keys, at), deadline).await }
        });
        Ok(try_join_all(found).await?.into_iter().max().flatten())
    }

    async fn give_up<T>(&self, deadline: Mono) -> Result<T, CacheError> {
        self.world.sleep_until(deadline).await;
        Err(no_reply())
    }

    /// A write: the server carries it out once it has arrived, whatever becomes of the caller.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        needs_memory: bool,
        (of, bytes): (&Key, u64),
        act: impl FnOnce(&Arc<CacheServer>) -> T + Send + 'static,
    ) -> Result<T, CacheError> {
        let begun = self.world.now();
        let deadline = begun.plus(self.budget);
        let Some(arrives) = self.link.there.deliver(begun) else { return self.give_up(deadline).await };
        let (world, server) = (self.world.clone(), Arc::clone(&self.server));
        let (of, replica, link) = (of.clone(), self.replica, Arc::clone(&self.link));
        let serve = async move {
            world.sleep_until(arrives).await;
            let told = match server.may_send_on() {
                true => {
                    Box::pin(server.find((replica, &link), (std::slice::from_ref(&of), NodeRole::Primary), deadline))
                        .await?
                }
                false => None,
            };
            server.admit(needs_memory).await?;
            let shard = server.work.slots.owner(&of, world.now());
            server.toil(shard, Carried { inwards: bytes, outwards: 0 }).await;
            Ok((told, act(&server)))
        };
        let (told, done) = self.reply_to(serve, deadline).await?;
        self.server.replied(told, self.world.now().since(begun));
        Ok(done)
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
        let (looked_for, at) = (key.clone(), self.reads_at());
        Box::pin(self.read((std::slice::from_ref(key), at), move |server| server.reply(&looked_for, at)))
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Lookup>, CacheError>> {
        let (looked_for, at) = (keys.to_vec(), self.reads_at());
        Box::pin(self.read((keys, at), move |server| server.reply_of_all(&looked_for, at)))
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        let (of, key, entry, replica) = (key, key.clone(), entry.clone(), self.replica);
        let bytes = self.server.work.bytes(&entry);
        self.traffic.sent(bytes);
        Box::pin(self.write(true, (of, bytes), move |server| {
            let stored = server.memory.store(&key, &entry, when);
            if stored == Stored::Stored {
                server.changed(&key);
            }
            server.tell(replica, || Effect::Put(key, entry, when, stored));
            stored
        }))
    }

    fn remove<'a>(&'a self, key: &'a Key, what: Removal) -> BoxFuture<'a, Result<(), CacheError>> {
        let (of, key, replica) = (key, key.clone(), self.replica);
        self.traffic.sent(0);
        Box::pin(self.write(false, (of, 0), move |server| {
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
        let (of, key, replica) = (key, key.clone(), self.replica);
        Box::pin(self.write(true, (of, 0), move |server| {
            let acquired = server.memory.take(&key, token, life);
            server.tell(replica, || Effect::Taken(key.clone(), token, life, acquired));
            if acquired == Acquired::Won {
                lock(&server.holders).insert(key, (token, replica));
            }
            acquired
        }))
    }

    fn renew<'a>(&'a self, key: &'a Key, token: Token, life: Duration) -> BoxFuture<'a, Result<Renewed, CacheError>> {
        let (of, key, replica) = (key, key.clone(), self.replica);
        Box::pin(self.write(false, (of, 0), move |server| {
            let renewed = server.memory.prolong(&key, token, life);
            server.tell(replica, || Effect::Prolonged(key, token, renewed));
            renewed
        }))
    }

    fn release<'a>(&'a self, key: &'a Key, token: Token) -> BoxFuture<'a, Result<Released, CacheError>> {
        let (of, key, replica) = (key, key.clone(), self.replica);
        Box::pin(self.write(false, (of, 0), move |server| {
            let released = server.memory.let_go(&key, token);
            if released == Released::Released {
                lock(&server.holders).remove(&key);
            }
            server.tell(replica, || Effect::LetGo(key, token, released));
            released
        }))
    }
}
