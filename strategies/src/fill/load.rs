//! The innermost fill: read the origin and store what it said, as one act.
//!
//! It runs on [`Spawn`](crate::port::Spawn), never in the request's own future: HTTP servers drop that when the client
//! goes away, and its followers must not die with it.

use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;

use super::{Backoff, Cx, Fill, Filled, Flights, Mode, Want};
use crate::kit::within::within;
use crate::port::entry::{Entry, Life};
use crate::port::error::GetError;
use crate::port::key::Key;
use crate::port::{
    BoxFuture, Cache, CacheError, Cause, FlightId, LeaderEnd, LoadCx, Loaded, Lookup, OriginError, Removal, When,
};
use crate::stack::Ports;

/// Load and store. With `reread` the leader looks into the cache once more before it loads, which is what a leader that
/// had to win something (a place in the process, a lock) must do: the value may have come while it was winning.
#[derive(Clone)]
pub(crate) struct LoadFill {
    pub(crate) ports: Ports,
    /// What a leader looks into: what all replicas share, and never a copy.
    pub(crate) shared: Arc<dyn Cache>,
    /// What it stores in, copies included.
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) flights: Arc<Flights>,
    pub(crate) backoff: Arc<Backoff>,
    pub(crate) reread: bool,
    /// How long "no such item" is stored; not at all where there is no `negative` layer.
    pub(crate) negative: Option<Duration>,
    /// Whether an older version is never put over a newer one, whatever else is asked for.
    pub(crate) ordered: bool,
}

/// An item that was loaded and is yet to be stored: the two halves of a fill, for warming a cache in one burst.
#[derive(Debug, Clone)]
pub struct Prefetched {
    loaded: Loaded,
    delta: Duration,
}

impl LoadFill {
    /// Reads the origin in a flight of its own; the answer goes nowhere but to the caller.
    pub(crate) async fn prefetch(&self, cx: Cx, key: &Key, cause: Cause) -> Result<(Prefetched, FlightId), GetError> {
        let clock = &*self.ports.clock;
        let leading = self.flights.lead(key, cause);
        let flight = leading.flight;
        let begun = clock.mono();
        let deadline = cx.deadline.min(begun.plus(self.ports.budgets.origin_read));
        let read = self.ports.origin.load(key, LoadCx { flight, replica: cx.replica, deadline });
        let answer = within(clock, deadline, read).await.unwrap_or(Err(OriginError::TimedOut));
        leading.end(match &answer {
            Ok(_) => LeaderEnd::Done,
            Err(OriginError::TimedOut) => LeaderEnd::TimedOut,
            Err(OriginError::Refused { .. }) => LeaderEnd::Refused,
            Err(_) => LeaderEnd::OriginError,
        });
        let delta = clock.mono().since(begun);
        match answer {
            Ok(loaded) => Ok((Prefetched { loaded, delta }, flight)),
            Err(OriginError::Refused { retry_after }) => Err(GetError::Refused { retry_after, flight }),
            Err(error) => Err(GetError::Origin { error, flight }),
        }
    }

    /// Stores what was loaded, on a condition. A put that fails or is fenced off is counted by the cache's
    /// meter and otherwise ignored: the value is good all the same. That an item does not exist is stored for its own,
    /// shorter life, and only where a `negative` layer says so.
    pub(crate) async fn store(
        &self,
        key: &Key,
        item: Prefetched,
        life: Life,
        when: When,
    ) -> (Entry, Result<(), CacheError>) {
        let missing = item.loaded.value.is_none();
        let life = if missing { self.negative.map_or(life, |ttl| Life::new(ttl, Duration::ZERO)) } else { life };
        let entry = Entry {
            value: item.loaded.value,
            version: item.loaded.version,
            read_at: item.loaded.read_at,
            stored_at: self.ports.clock.wall(),
            life,
            delta: item.delta,
        };
        let mut put = Ok(());
        if !missing || self.negative.is_some() {
            put = self.cache.put(key, &entry, when).await.map(drop);
        }
        (entry, put)
    }

    /// Looks, loads and stores, in the future of whatever awaits it.
    pub(crate) async fn lead(&self, cx: Cx, key: &Key, want: Want) -> Result<Filled, GetError> {
        if self.reread {
            match self.shared.get(key).await {
                Ok(Lookup::Found(entry, _)) if entry.answers(want.newer_than, self.ports.clock.wall()) => {
                    return Ok(Filled::Joined(entry));
                }
                // The bytes where a fenced put looks for a version may say anything, and fence off every put.
                Ok(Lookup::Corrupt) => drop(self.cache.remove(key, Removal::Entry).await),
                Ok(Lookup::Found(..) | Lookup::Absent) | Err(_) => {}
            }
        }
        if let Some(error) = self.backoff.error(key) {
            return Err(error);
        }
        // A read that nobody could wait for is not begun: the origin would never see it, or work for nobody.
        if self.ports.clock.mono() >= cx.deadline {
            return Err(GetError::OutOfTime);
        }
        let cause = match want.mode {
            Mode::Wait => Cause::Demand,
            Mode::Try => Cause::Refresh,
        };
        let (item, flight) = self.prefetch(cx, key, cause).await.inspect_err(|e| self.backoff.failed(key, e))?;
        self.backoff.succeeded(key);
        let when = if self.ordered && want.when == When::Always { When::NotOlder } else { want.when };
        Ok(Filled::Led(self.store(key, item, want.life, when).await.0, flight))
    }
}

impl Fill for LoadFill {
    fn fill<'a>(&'a self, cx: Cx, key: &'a Key, want: Want) -> BoxFuture<'a, Result<Filled, GetError>> {
        let (tell, told) = oneshot::channel();
        let (leader, key) = (self.clone(), key.clone());
        self.ports.spawn.spawn(Box::pin(async move {
            // Nobody may be listening any more; the value is stored all the same.
            let _ = tell.send(leader.lead(cx, &key, want).await);
        }));
        Box::pin(async { told.await.unwrap_or(Err(GetError::LeadersVanished)) })
    }
}
