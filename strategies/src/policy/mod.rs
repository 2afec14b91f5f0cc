//! Policies: when to refresh early × how long stale may be served.
//!
//! A policy is a point of that grid; `plain`, `swr` and `xfetch` are names for points of it, and any of them takes
//! `stale=`. It alone turns a lookup into an answer with an outcome.

mod ahead;
mod early;
mod plain;
mod soft_window;
mod swr;
mod xfetch;

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub(crate) use ahead::AHEAD;
pub(crate) use early::{Early, RefreshMode};
pub(crate) use plain::PLAIN;
pub(crate) use soft_window::SOFT_WINDOW;
pub(crate) use swr::SWR;
pub(crate) use xfetch::XFETCH;

use crate::fill::{Cx, Fill, Filled, Mode, Want};
use crate::kit::rng::Rng;
use crate::kit::time::Wall;
use crate::kit::within::within;
use crate::port::entry::{Entry, Freshness, Stamp};
use crate::port::error::GetError;
use crate::port::key::Key;
use crate::port::lives::EntryLives;
use crate::port::outcome::Outcome;
use crate::port::{BoxFuture, Cache, CacheError, CacheErrorClass, Event, FlightId, Level, Lookup, When};
use crate::spec::{ParamInfo, Range};
use crate::stack::Ports;
use crate::stack::slots::Waiters;

/// A parameter of every policy.
const STALE: ParamInfo = ParamInfo {
    name: "stale",
    default: "0s",
    what: "how long past the TTL an old value may be served (5s, T, 0.5T)",
    range: Range::Span,
};

/// An answer, and how it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The payload; `None` where there is no such item.
    pub value: Option<Bytes>,
    /// The origin's version of it.
    pub version: u64,
    /// How the answer was made.
    pub outcome: Outcome,
    /// The cache that had it, or was asked last.
    pub level: Level,
    /// Time since the value was stored.
    pub age: Duration,
    /// Nanoseconds of freshness left; negative when stale.
    pub ttl_left_ns: i64,
    /// The flight, where this request led it.
    pub flight: Option<FlightId>,
}

impl Served {
    fn new(entry: Entry, outcome: Outcome, flight: Option<FlightId>, now: Wall) -> Self {
        Self {
            level: Level::Shared,
            age: entry.age(now),
            ttl_left_ns: entry.ttl_left(now),
            version: entry.version,
            value: entry.value,
            outcome,
            flight,
        }
    }
}

/// An answer at once, or the way to one.
enum Decided<'a> {
    Serve(Served),
    Fill(BoxFuture<'a, Result<Served, GetError>>),
}

/// Turns ports into answers.
pub(crate) struct Policy {
    pub(crate) ports: Ports,
    /// What all replicas share.
    pub(crate) shared: Arc<dyn Cache>,
    /// The same, and nearer copies around it where a layer has them.
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) fill: Arc<dyn Fill>,
    pub(crate) early: Early,
    pub(crate) lives: EntryLives,
    pub(crate) rng: Rng,
    pub(crate) waiters: Arc<Waiters>,
}

impl Policy {
    pub(crate) async fn get(&self, cx: Cx, key: &Key) -> Result<Served, GetError> {
        let found = self.cache.get(key).await;
        match self.decide(cx, key, found) {
            Decided::Serve(served) => Ok(served),
            Decided::Fill(work) => work.await,
        }
    }

    /// What to do with what the cache said. Apart from the waiting, so that the future of a hit is small and cheap to make.
    fn decide<'a>(&'a self, cx: Cx, key: &'a Key, found: Result<Lookup, CacheError>) -> Decided<'a> {
        let found = match found {
            Err(error) if error.class == CacheErrorClass::Shed => {
                return Decided::Fill(Box::pin(ready(Err(GetError::CacheSpared))));
            }
            Ok(Lookup::Found(entry, level)) => Some((entry, level)),
            // Corrupt bytes and a lost cache are misses; the cache's meter has counted them.
            Ok(Lookup::Absent | Lookup::Corrupt) | Err(_) => None,
        };
        let now = self.ports.clock.wall();
        let Some((entry, level)) = found else { return Decided::Fill(Box::pin(self.wait(cx, key, None))) };
        let outcome = match entry.freshness(now) {
            Freshness::Fresh if self.early.fires(&entry, now, &self.rng) => {
                self.ports.events.emit(Event::EarlyRefresh(key.clone()));
                match self.early.mode() {
                    RefreshMode::Background => self.refresh(cx, key, &entry),
                    RefreshMode::Sync => return Decided::Fill(Box::pin(self.recompute(cx, key, entry))),
                }
                Outcome::Hit
            }
            Freshness::Fresh => Outcome::Hit,
            Freshness::Stale => {
                self.refresh(cx, key, &entry);
                Outcome::Stale
            }
            Freshness::Expired => return Decided::Fill(Box::pin(self.wait(cx, key, Some(entry.stamp())))),
        };
        Decided::Serve(Served { level, ..Served::new(entry, outcome, None, now) })
    }

    /// The paper's XFetch: the caller computes. What it held serves where that fails.
    async fn recompute(&self, cx: Cx, key: &Key, held: Entry) -> Result<Served, GetError> {
        match self.wait(cx, key, Some(held.stamp())).await {
            Err(error) => {
                self.ports.events.emit(Event::RefreshFailed(key.clone()));
                let now = self.ports.clock.wall();
                match held.freshness(now) {
                    Freshness::Fresh => Ok(Served::new(held, Outcome::Hit, None, now)),
                    Freshness::Stale => Ok(Served::new(held, Outcome::Stale, None, now)),
                    Freshness::Expired => Err(error),
                }
            }
            answer => answer,
        }
    }

    /// Fills in the foreground, within the request's budget.
    async fn wait(&self, cx: Cx, key: &Key, newer_than: Option<Stamp>) -> Result<Served, GetError> {
        let _waits = Waiters::one(&self.waiters);
        let want = Want { newer_than, mode: Mode::Wait, life: self.lives.of(key), when: When::Always };
        let clock = &*self.ports.clock;
        let filled = within(clock, cx.deadline, self.fill.fill(cx, key, want)).await;
        match filled.unwrap_or(Err(GetError::OutOfTime)) {
            Ok(Filled::Led(entry, flight)) => Ok(Served::new(entry, Outcome::Load, Some(flight), clock.wall())),
            Ok(Filled::Joined(entry)) => Ok(Served::new(entry, Outcome::Wait, None, clock.wall())),
            // A fill never says so to one who waits; if one did, there is no answer to give.
            Ok(Filled::Busy { retry_in }) => Err(GetError::Shed { retry_after: retry_in, stale_will_do: true }),
            Err(GetError::Shed { stale_will_do: true, retry_after }) => {
                self.stale_instead(key).await.ok_or(GetError::Shed { retry_after, stale_will_do: true })
            }
            Err(error) => Err(error),
        }
    }

    /// Whatever the cache has within hard life, for a caller who gave up waiting and whose strategy allows it.
    async fn stale_instead(&self, key: &Key) -> Option<Served> {
        let Ok(Lookup::Found(entry, _)) = self.shared.get(key).await else { return None };
        let now = self.ports.clock.wall();
        match entry.freshness(now) {
            Freshness::Fresh => Some(Served::new(entry, Outcome::Wait, None, now)),
            Freshness::Stale => Some(Served::new(entry, Outcome::Stale, None, now)),
            Freshness::Expired => None,
        }
    }

    /// Refreshes in the background: leads at once, or leaves it to the flight that is under way.
    fn refresh(&self, cx: Cx, key: &Key, held: &Entry) {
        let want =
            Want { newer_than: Some(held.stamp()), mode: Mode::Try, life: self.lives.of(key), when: When::Always };
        let deadline = self.ports.clock.mono().plus(self.ports.budgets.replica);
        let cx = Cx { request: 0, deadline, replica: cx.replica };
        let (fill, key, events) = (Arc::clone(&self.fill), key.clone(), Arc::clone(&self.ports.events));
        self.ports.spawn.spawn(Box::pin(async move {
            if fill.fill(cx, &key, want).await.is_err() {
                events.emit(Event::RefreshFailed(key));
            }
        }));
    }
}
