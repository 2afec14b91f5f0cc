//! One flight per key and fleet: a lock in the shared cache, with losers that poll.
//!
//! The winner re-reads the cache (its inner [`Load`](super::Load) does), loads, stores and lets go by compare-and-delete.
//! Acquiring runs on `Spawn` with the rest of the winner's work: a client that goes away between the command and its
//! reply would otherwise leave a lock that nobody owns. The put is *not* fenced: a winner that is frozen past its lease
//! writes late. That is what the `lease` layer is for.

use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;

use super::{Coalesce, Cx, Fill, Filled, Mode, Want};
use crate::error::GetError;
use crate::key::Key;
use crate::port::{Acquired, BoxFuture, Cache, CacheError, Event, LeaderEnd, Lookup, OriginError, Released, Token};
use crate::rng::Rng;
use crate::spec::OnTimeout;
use crate::stack::Ports;

/// A leader gives up this long before its lock ends, so that it never works on unlocked.
pub(crate) const LEASE_MARGIN: Duration = Duration::from_millis(500);

/// The `lock` layer's parameters; see `strategies list`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LockSettings {
    pub(crate) lease: Duration,
    pub(crate) poll: Duration,
    pub(crate) wait: Duration,
    pub(crate) on_timeout: OnTimeout,
}

/// Fleet-wide lock around an inner fill.
pub(crate) struct Lock(Arc<Inner>);

struct Inner {
    ports: Ports,
    cache: Arc<dyn Cache>,
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
        cache: Arc<dyn Cache>,
        inner: Arc<dyn Fill>,
        settings: LockSettings,
        incarnation: u64,
    ) -> Self {
        let fallback = Coalesce::new(Arc::clone(&inner), Arc::clone(&ports.clock), Arc::clone(&ports.spawn));
        // Tokens differ between two lives of one replica, or the second would own the first one's locks.
        let rng = ports.rng.fork(&format!("lock/{incarnation:016x}"));
        Self(Arc::new(Inner { ports: ports.clone(), cache, rng, inner, fallback, settings }))
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
        let held_until = self.ports.clock.mono().plus(self.settings.lease);
        match self.acquire(key, token).await {
            Err(_) => return Attempt::CacheLost,
            Ok(Acquired::Held) => return Attempt::Held,
            Ok(Acquired::Won) => {}
        }
        let mut holding = Holding { lock: self, key, ended: false };
        let deadline = held_until.minus(LEASE_MARGIN);
        let answer = self.inner.fill(Cx { deadline, ..cx }, key, want).await;
        let released = self.release(key, token).await;
        holding.end(match (&answer, released) {
            (Err(GetError::Origin { error: OriginError::TimedOut, .. }), _) => LeaderEnd::TimedOut,
            (Err(GetError::LeadersVanished), _) => LeaderEnd::Vanished,
            (Err(_), _) => LeaderEnd::OriginError,
            (Ok(_), Ok(Released::NotOwner)) => LeaderEnd::LockLost,
            // A release that failed leaves a lock that ends with its lease; the answer is good.
            (Ok(_), _) => LeaderEnd::Done,
        });
        Attempt::Led(answer)
    }

    /// Acquires, asking a second time with the same token where the first reply was lost: it may have taken effect.
    async fn acquire(&self, key: &Key, token: Token) -> Result<Acquired, CacheError> {
        let lease = &self.ports.lease;
        match lease.acquire(key, token, self.settings.lease).await {
            Err(_) => lease.acquire(key, token, self.settings.lease).await,
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

    /// What a caller gets who has waited long enough.
    async fn give_up(&self, cx: Cx, key: &Key, want: Want) -> Result<Filled, GetError> {
        self.ports.events.emit(Event::LockTimeout(key.clone()));
        let retry_after = Duration::from_secs(1);
        match self.settings.on_timeout {
            OnTimeout::Load => self.inner.fill(cx, key, want).await,
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
            loop {
                match this.attempt(cx, key, want).await {
                    Some(Attempt::Led(answer)) => return answer,
                    Some(Attempt::CacheLost) => {
                        this.ports.events.emit(Event::LockFallback(key.clone()));
                        return this.fallback.fill(cx, key, want).await;
                    }
                    Some(Attempt::Held) if want.mode == Mode::Try => {
                        return Ok(Filled::Busy { retry_in: this.settings.poll });
                    }
                    // Its lock, if it had one, ends with its lease; until then this caller waits like any other.
                    Some(Attempt::Held) | None => {}
                }
                let left = give_up_at.since(clock.mono());
                if left.is_zero() {
                    return this.give_up(cx, key, want).await;
                }
                clock.sleep(this.settings.poll.min(left)).await;
                if let Ok(Lookup::Found(entry)) = this.cache.get(key).await
                    && entry.answers(want.newer_than, clock.wall())
                {
                    return Ok(Filled::Joined(entry));
                }
            }
        })
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
