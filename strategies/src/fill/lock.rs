//! One flight per key and fleet: a lock or a lease in the shared cache, with losers that poll or are woken.
//!
//! The winner re-reads the cache (its inner [`LoadFill`](super::Load) does), loads, stores and lets go by compare-and-delete.
//! Acquiring runs on `Spawn` with the rest of the winner's work: a client that goes away between the command and its
//! reply would otherwise leave a lock that nobody owns. A `lock` ends at a fixed time and its winner's put is *not*
//! fenced: a winner that is frozen past that time writes late. A `lease` is short, renewed while its holder works, and
//! its put is fenced: a late holder can't overwrite a newer value.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::{Either, select};

use super::hold::{Hold, LockSettings, OnTimeout};
use super::{Coalesce, Cx, Fill, Filled, Mode, Want};
use crate::kit::rng::Rng;
use crate::kit::time::Mono;
use crate::port::entry::Entry;
use crate::port::error::GetError;
use crate::port::key::Key;
use crate::port::{
    Acquired, BoxFuture, Cache, CacheError, Event, LeaderEnd, Lookup, OriginError, Released, Renewed, Token,
};
use crate::stack::Ports;

/// Fleet-wide lock around an inner fill.
pub(crate) struct Lock(Arc<Inner>);

struct Inner {
    ports: Ports,
    /// What all replicas share.
    shared: Arc<dyn Cache>,
    rng: Rng,
    inner: Arc<dyn Fill>,
    fallback: Coalesce,
    settings: LockSettings,
}

/// What became of one attempt to lead.
enum Attempt {
    Led(Result<Filled, GetError>),
    Held,
    CacheLost,
}

impl Lock {
    pub(crate) fn new(
        ports: &Ports,
        shared: Arc<dyn Cache>,
        inner: Arc<dyn Fill>,
        settings: LockSettings,
        incarnation: u64,
    ) -> Self {
        let fallback = Coalesce::new(Arc::clone(&inner), ports);
        // Tokens differ between two lives of one replica, or the second would own the first one's locks.
        let rng = ports.rng.fork(&format!("lock/{incarnation:016x}"));
        Self(Arc::new(Inner { ports: ports.clone(), shared, rng, inner, fallback, settings }))
    }
}

impl Inner {
    /// Tries to lead once, on `Spawn`. `None` where the attempt vanished.
    async fn attempt(self: &Arc<Self>, cx: Cx, key: &Key, want: Want) -> Option<Attempt> {
        let (tell, told) = oneshot::channel();
        let (this, key) = (Arc::clone(self), key.clone());
        self.ports.spawn.spawn(Box::pin(async move {
            let _ = tell.send(this.lead(cx, &key, want).await);
        }));
        told.await.ok()
    }

    async fn lead(&self, cx: Cx, key: &Key, want: Want) -> Attempt {
        let token = Token(u128::from(self.rng.next_u64()) << 64 | u128::from(self.rng.next_u64()));
        // Counted from before the command is sent, so that the local deadline is never later than the real one.
        let deadline = self.ports.clock.mono().plus(self.settings.hold.budget());
        match self.acquire(key, token).await {
            Err(_) => return Attempt::CacheLost,
            Ok(Acquired::Held) => return Attempt::Held,
            Ok(Acquired::Won) => {}
        }
        let mut holding = Holding { lock: self, key, ended: false };
        let want = Want { when: self.settings.hold.fence(token), ..want };
        let work = self.inner.fill(Cx { deadline, ..cx }, key, want);
        let answer = match self.settings.hold {
            Hold::Lock { .. } => work.await,
            Hold::Lease { life, .. } => self.renewing(key, token, life, work).await,
        };
        let released = self.release(key, token).await;
        if self.settings.notify && !self.ports.wake.announce(key).await {
            self.ports.events.emit(Event::WakeLost(key.clone()));
        }
        holding.end(match (&answer, released) {
            (Err(GetError::Origin { error: OriginError::TimedOut, .. } | GetError::OutOfTime), _) => {
                LeaderEnd::TimedOut
            }
            (Err(GetError::Refused { .. }), _) => LeaderEnd::Refused,
            (Err(GetError::LeadersVanished), _) => LeaderEnd::Vanished,
            (Err(_), _) => LeaderEnd::OriginError,
            (Ok(_), Ok(Released::NotOwner)) => LeaderEnd::LockLost,
            // A release that failed leaves a lock that ends with its lease; the answer is good.
            (Ok(_), _) => LeaderEnd::Done,
        });
        Attempt::Led(answer)
    }

    /// Works, and renews the lease at a third of its life until the work is done. A lease that is lost is not renewed any
    /// more; the work goes on, and its put is fenced off.
    async fn renewing<T>(&self, key: &Key, token: Token, life: Duration, work: BoxFuture<'_, T>) -> T {
        let renewals = async {
            loop {
                self.ports.clock.sleep(life / 3).await;
                if let Ok(Renewed::NotOwner) = self.ports.lease.renew(key, token, life).await {
                    return std::future::pending::<Infallible>().await;
                }
            }
        };
        match select(work, Box::pin(renewals)).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        }
    }

    /// Acquires, asking a second time with the same token where the first reply was lost: it may have taken effect.
    async fn acquire(&self, key: &Key, token: Token) -> Result<Acquired, CacheError> {
        let lease = &self.ports.lease;
        match lease.acquire(key, token, self.settings.hold.life()).await {
            Err(_) => lease.acquire(key, token, self.settings.hold.life()).await,
            answer => answer,
        }
    }

    /// Lets go, asking a second time where the first reply was lost.
    async fn release(&self, key: &Key, token: Token) -> Result<Released, CacheError> {
        match self.ports.lease.release(key, token).await {
            Err(_) => match self.ports.lease.release(key, token).await {
                // The first one may have taken effect, so not to own it any more proves nothing.
                Ok(Released::NotOwner) => Ok(Released::Released),
                answer => answer,
            },
            answer => answer,
        }
    }

    /// Waits for the next poll, or for a message before that, and looks into the cache.
    async fn wait(&self, key: &Key, want: Want, poll: Duration) -> Option<Entry> {
        if !self.settings.notify {
            self.ports.clock.sleep(poll).await;
            return self.look(key, want).await;
        }
        // Listen first and look then: a message between the two would otherwise be missed.
        let message = self.ports.wake.listen(key).await;
        if message.is_none() {
            self.ports.events.emit(Event::WakeLost(key.clone()));
        }
        if let Some(entry) = self.look(key, want).await {
            return Some(entry);
        }
        let message = message.unwrap_or_else(|| Box::pin(std::future::pending()));
        select(message, self.ports.clock.sleep(poll)).await;
        self.look(key, want).await
    }

    async fn look(&self, key: &Key, want: Want) -> Option<Entry> {
        match self.shared.get(key).await {
            Ok(Lookup::Found(entry, _)) => entry.answers(want.newer_than, self.ports.clock.wall()).then_some(entry),
            _ => None,
        }
    }

    /// What a caller gets that has waited long enough.
    async fn give_up(&self, cx: Cx, key: &Key, want: Want) -> Result<Filled, GetError> {
        self.ports.events.emit(Event::LockTimeout(key.clone()));
        let retry_after = Duration::from_secs(1);
        match self.settings.on_timeout {
            OnTimeout::Load => {
                let want = Want { when: self.settings.hold.unheld(), ..want };
                self.inner.fill(cx, key, want).await
            }
            OnTimeout::Shed => Err(GetError::Shed { retry_after, stale_will_do: false }),
            OnTimeout::Stale => Err(GetError::Shed { retry_after, stale_will_do: true }),
        }
    }
}

impl Fill for Lock {
    fn fill<'a>(&'a self, cx: Cx, key: &'a Key, want: Want) -> BoxFuture<'a, Result<Filled, GetError>> {
        let this = &self.0;
        Box::pin(async move {
            let clock = &*this.ports.clock;
            let give_up_at = clock.mono().plus(this.settings.wait);
            let mut waiting: Option<Waiting<'_>> = None;
            loop {
                if let Some(waiting) = &mut waiting {
                    waiting.until = Some(clock.mono());
                }
                match this.attempt(cx, key, want).await {
                    Some(Attempt::Led(answer)) => return answer,
                    Some(Attempt::CacheLost) => {
                        this.ports.events.emit(Event::LockFallback(key.clone()));
                        let want = Want { when: this.settings.hold.unheld(), ..want };
                        return this.fallback.fill(cx, key, want).await;
                    }
                    Some(Attempt::Held) if want.mode == Mode::Try => {
                        return Ok(Filled::Busy { retry_in: this.settings.poll });
                    }
                    // Its lock, if it had one, ends with its lease; until then this caller waits like any other.
                    Some(Attempt::Held) | None => {}
                }
                waiting.get_or_insert_with(|| Waiting { lock: this, since: clock.mono(), until: None }).until = None;
                let left = give_up_at.since(clock.mono());
                if left.is_zero() {
                    drop(waiting);
                    return this.give_up(cx, key, want).await;
                }
                if let Some(entry) = this.wait(key, want, this.settings.poll.min(left)).await {
                    return Ok(Filled::Joined(entry));
                }
            }
        })
    }
}

/// Tells how long a caller waited for somebody else's lock, also where the caller goes away.
struct Waiting<'a> {
    lock: &'a Inner,
    since: Mono,
    /// When it last tried to lead. Where that succeeded the wait was over then, and not when its own work was done.
    until: Option<Mono>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let until = self.until.unwrap_or_else(|| self.lock.ports.clock.mono());
        self.lock.ports.events.lock_waited(until.since(self.since));
    }
}

/// Tells how a lock's leader ended, also where it vanishes.
struct Holding<'a> {
    lock: &'a Inner,
    key: &'a Key,
    ended: bool,
}

impl Holding<'_> {
    fn end(&mut self, end: LeaderEnd) {
        self.ended = true;
        self.lock.ports.events.emit(Event::LockEnded { key: self.key.clone(), end });
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(LeaderEnd::Vanished);
        }
    }
}
