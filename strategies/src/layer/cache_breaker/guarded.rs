//! Cache and leases behind the breaker, and what there is instead while it is open.

use std::sync::Arc;
use std::time::Duration;

use super::guard::Guard;
use crate::kit::time::{Mono, Wall};
use crate::layer::near::{Copies, HeldCopy};
use crate::port::entry::{Entry, Freshness};
use crate::port::key::Key;
use crate::port::{
    Acquired, BoxFuture, Cache, CacheError, CacheErrorClass, Clock, Lease, Level, Lookup, Released, Removal, Renewed,
    Stored, Token, When,
};

/// What there is while the breaker is open.
pub(super) enum Fallback {
    /// Nothing: the cache is lost.
    Lost,
    /// Nothing, and no read of the origin either.
    Shed,
    /// What this process has seen; past its TTL only where that is said, and only what was fresh when the breaker opened.
    Kept { copies: Arc<Copies>, past_ttl: bool },
}

/// For how much longer a value past its life is served, each time that it is.
const MOMENT: Duration = Duration::from_secs(1);

fn open(class: CacheErrorClass) -> CacheError {
    CacheError { class, message: "its breaker is open".into() }
}

impl Fallback {
    fn copies(&self) -> Option<&Arc<Copies>> {
        match self {
            Self::Kept { copies, .. } => Some(copies),
            Self::Lost | Self::Shed => None,
        }
    }

    fn keep(&self, key: &Key, entry: &Entry) {
        if let Some(copies) = self.copies() {
            copies.insert(key, HeldCopy { entry: entry.clone(), until: Mono(u64::MAX) });
        }
    }

    fn get(&self, key: &Key, open_since: Option<Wall>, clock: &dyn Clock) -> Result<Lookup, CacheError> {
        let (copies, past_ttl) = match self {
            Self::Lost => return Err(open(CacheErrorClass::Open)),
            Self::Shed => return Err(open(CacheErrorClass::Shed)),
            Self::Kept { copies, past_ttl } => (copies, *past_ttl),
        };
        let Some(HeldCopy { mut entry, .. }) = copies.look_up(key) else { return Ok(Lookup::Absent) };
        let now = clock.wall();
        // What had ended before is not what the cache had then.
        let was_fresh = open_since.is_some_and(|since| entry.expiry() >= since);
        if past_ttl && was_fresh && entry.freshness(now) == Freshness::Expired {
            entry.life.hard = entry.age(now) + MOMENT;
        }
        Ok(if entry.freshness(now) == Freshness::Expired { Lookup::Absent } else { Lookup::Found(entry, Level::Near) })
    }
}

/// A cache behind a breaker.
pub(super) struct GuardedCache {
    pub(super) inner: Arc<dyn Cache>,
    pub(super) guard: Arc<Guard>,
    pub(super) fallback: Fallback,
    pub(super) clock: Arc<dyn Clock>,
}

impl Cache for GuardedCache {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        Box::pin(async move {
            let Some(answer) = self.guard.call(self.inner.get(key)).await else {
                return self.fallback.get(key, self.guard.open_since(), &*self.clock);
            };
            if let Ok(Lookup::Found(entry, _)) = &answer {
                self.fallback.keep(key, entry);
            }
            answer
        })
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        Box::pin(async move {
            let answer = self.guard.call(self.inner.put(key, entry, when)).await;
            match &answer {
                Some(Ok(Stored::Fenced)) => {}
                Some(_) => self.fallback.keep(key, entry),
                None if self.fallback.copies().is_some() => {
                    self.fallback.keep(key, entry);
                    return Ok(Stored::Stored);
                }
                None => {}
            }
            answer.unwrap_or_else(|| Err(open(CacheErrorClass::Open)))
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, what: Removal) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(async move {
            if let Some(copies) = self.fallback.copies() {
                copies.forget(key);
            }
            self.guard.call(self.inner.remove(key, what)).await.unwrap_or_else(|| Err(open(CacheErrorClass::Open)))
        })
    }
}

/// Leases behind the same breaker.
pub(super) struct GuardedLease {
    pub(super) inner: Arc<dyn Lease>,
    pub(super) guard: Arc<Guard>,
}

impl GuardedLease {
    async fn call<T>(&self, work: BoxFuture<'_, Result<T, CacheError>>) -> Result<T, CacheError> {
        self.guard.call(work).await.unwrap_or_else(|| Err(open(CacheErrorClass::Open)))
    }
}

impl Lease for GuardedLease {
    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        token: Token,
        life: Duration,
    ) -> BoxFuture<'a, Result<Acquired, CacheError>> {
        Box::pin(self.call(self.inner.acquire(key, token, life)))
    }

    fn renew<'a>(&'a self, key: &'a Key, token: Token, life: Duration) -> BoxFuture<'a, Result<Renewed, CacheError>> {
        Box::pin(self.call(self.inner.renew(key, token, life)))
    }

    fn release<'a>(&'a self, key: &'a Key, token: Token) -> BoxFuture<'a, Result<Released, CacheError>> {
        Box::pin(self.call(self.inner.release(key, token)))
    }
}
