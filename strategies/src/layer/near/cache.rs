//! The cache with copies in front of it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;

use super::copies::Copies;
use super::copies::HeldCopy;
use super::listener;
use super::settings::NearLayer;
use crate::fill::{FlightPlace, Flying, Mode};
use crate::kit::rng::Rng;
use crate::port::entry::{Entry, Freshness};
use crate::port::key::Key;
use crate::port::{
    BoxFuture, Bus, Cache, CacheError, CacheErrorClass, Clock, Invalidations, Level, Lookup, Removal, Spawn, Stored,
    When,
};
use crate::stack::Ports;

/// The cache with that layer around it.
pub(crate) fn near(layer: &NearLayer, inner: Arc<dyn Cache>, copies: Arc<Copies>, ports: &Ports) -> Arc<dyn Cache> {
    let gone = layer.bus.map(|bus| {
        let (gone, ends) = oneshot::channel();
        let (copies, clock) = (Arc::clone(&copies), Arc::clone(&ports.clock));
        let work = listener::listen(copies, Arc::clone(&ports.invalidations), bus, clock, ends);
        ports.spawn.attend(Box::pin(work));
        gone
    });
    let shared = Arc::new(SharedSide {
        inner,
        tracked: (layer.bus == Some(Bus::TrackingDefault)).then(|| Arc::clone(&ports.invalidations)),
        copies,
        clock: Arc::clone(&ports.clock),
        rng: ports.rng.fork("near"),
        lives: layer.lives(),
        marks: layer.marks,
    });
    let (spawn, stale) = (Arc::clone(&ports.spawn), layer.stale);
    let flying = layer.coalesces.then(Flying::default);
    Arc::new(Near { shared, spawn, flying, stale, _gone: gone })
}

struct Near {
    shared: Arc<SharedSide>,
    spawn: Arc<dyn Spawn>,
    /// The reads that are under way, where one is enough for all.
    flying: Option<Flying<Answer>>,
    stale: Duration,
    /// Ends what listens.
    _gone: Option<oneshot::Sender<Infallible>>,
}

type Answer = Result<Lookup, CacheError>;

/// The way to the shared cache, and what is kept of what comes back.
struct SharedSide {
    inner: Arc<dyn Cache>,
    /// Reads that the server remembers.
    tracked: Option<Arc<dyn Invalidations>>,
    copies: Arc<Copies>,
    clock: Arc<dyn Clock>,
    rng: Rng,
    /// The shortest and the longest life of a copy.
    lives: (Duration, Duration),
    marks: bool,
}

impl SharedSide {
    /// Reads the shared cache, and keeps what is fresh there.
    async fn read(&self, key: &Key) -> Answer {
        let mark = Marked::new(self, key);
        let answer = match &self.tracked {
            Some(tracked) => tracked.tracked(key).await,
            None => self.inner.get(key).await,
        };
        if let Ok(Lookup::Found(entry, _)) = &answer
            && entry.freshness(self.clock.wall()) == Freshness::Fresh
        {
            mark.keep(entry.clone());
        }
        answer
    }

    fn copy(&self, entry: Entry) -> HeldCopy {
        let (least, most) = self.lives;
        let life = if least == most { least } else { least + (most - least).mul_f64(self.rng.next_unit()) };
        HeldCopy { entry, until: self.clock.mono().plus(life) }
    }
}

/// A mark that goes with its read, also where that is given up.
struct Marked<'a> {
    of: &'a SharedSide,
    key: &'a Key,
    mark: Option<super::copies::Mark>,
}

impl<'a> Marked<'a> {
    fn new(of: &'a SharedSide, key: &'a Key) -> Self {
        Self { of, key, mark: Some(of.copies.mark(key)) }
    }

    fn keep(mut self, entry: Entry) {
        if let Some(mark) = self.mark.take() {
            self.of.copies.keep(self.key, mark, self.of.copy(entry), self.of.marks);
        }
    }
}

impl Drop for Marked<'_> {
    fn drop(&mut self) {
        if let Some(mark) = self.mark.take() {
            self.of.copies.unmark(self.key, mark);
        }
    }
}

impl Near {
    /// Reads the shared cache: alone, or with all others that ask for the key now.
    async fn read(&self, key: &Key) -> Answer {
        let Some(flying) = &self.flying else { return self.shared.read(key).await };
        let told = match flying.board(key, Mode::Wait) {
            FlightPlace::Follows(told) => told,
            FlightPlace::Leads(landing) => {
                let (tell, told) = oneshot::channel();
                let (shared, key) = (Arc::clone(&self.shared), key.clone());
                // On a task of its own: the client that it began for may go away, and the others still wait.
                self.spawn.spawn(Box::pin(async move {
                    let answer = shared.read(&key).await;
                    landing.land(&answer);
                    let _ = tell.send(answer);
                }));
                told
            }
            FlightPlace::None => return self.shared.read(key).await,
        };
        let vanished = || CacheError { class: CacheErrorClass::Slow, message: "the read vanished".into() };
        told.await.unwrap_or_else(|oneshot::Canceled| Err(vanished()))
    }

    /// A copy past its life, where the shared cache is lost and that is allowed.
    fn instead(&self, held: Option<HeldCopy>) -> Option<Lookup> {
        let HeldCopy { mut entry, until } = held?;
        let (now, wall) = (self.shared.clock.mono(), self.shared.clock.wall());
        if now >= until.plus(self.stale) {
            return None;
        }
        entry.life.hard = entry.life.hard.max(entry.life.soft.saturating_add(self.stale));
        (entry.freshness(wall) != Freshness::Expired).then_some(Lookup::Found(entry, Level::Near))
    }
}

impl Cache for Near {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let clock = &self.shared.clock;
            let held = self.shared.copies.look_up(key);
            if let Some(HeldCopy { entry, until }) = &held
                && clock.mono() < *until
                && entry.freshness(clock.wall()) == Freshness::Fresh
            {
                return Ok(Lookup::Found(entry.clone(), Level::Near));
            }
            let answer = self.read(key).await;
            match answer {
                Err(error) => self.instead(held).ok_or(error),
                answer => answer,
            }
        })
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        Box::pin(async move {
            let mark = Marked::new(&self.shared, key);
            let stored = self.shared.inner.put(key, entry, when).await;
            match &stored {
                // Something newer is there; or the server tells of changes to what was read, and this was not.
                Ok(Stored::Fenced) => self.shared.copies.forget(key),
                _ if self.shared.tracked.is_some() => self.shared.copies.forget(key),
                // What the shared cache could not take is the origin's word all the same.
                Ok(Stored::Stored) | Err(_) => mark.keep(entry.clone()),
            }
            stored
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, what: Removal) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(async move {
            self.shared.copies.forget(key);
            let removed = self.shared.inner.remove(key, what).await;
            // What was read meanwhile may be what was removed.
            self.shared.copies.forget(key);
            removed
        })
    }
}
