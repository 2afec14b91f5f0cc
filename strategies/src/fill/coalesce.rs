//! One flight per key and process: followers share the leader's answer.
//!
//! It cannot see other processes. With R replicas a hot key costs R reads an expiry.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_channel::oneshot;

use super::{Cx, Fill, Filled, LockSettings, Mode, Want};
use crate::port::Cache;
use crate::port::error::GetError;
use crate::port::key::Key;
use crate::port::{BoxFuture, Clock, Spawn};
use crate::spec::{Alone, FillLayer, Layer, LayerInfo, Slot};
use crate::stack::Ports;
use crate::stack::budgets::Budgets;

/// Its row.
pub(crate) const COALESCE: LayerInfo = LayerInfo {
    name: "coalesce",
    slot: Slot::Fill,
    summary: "one flight per key and process; followers share the leader's answer",
    params: &[],
    make: |_| Ok(Layer::Fill(Arc::new(Settings))),
};

#[derive(Debug)]
struct Settings;

impl FillLayer for Settings {
    fn around(&self, inner: Arc<dyn Fill>, _cache: Arc<dyn Cache>, ports: &Ports, _incarnation: u64) -> Arc<dyn Fill> {
        Arc::new(Coalesce::new(inner, ports))
    }

    fn reach(&self) -> Alone {
        Alone::InProcess
    }

    fn lock(&self) -> Option<LockSettings> {
        None
    }

    fn fitted(&self, _budgets: &Budgets) -> Arc<dyn FillLayer> {
        Arc::new(Self)
    }
}

/// How often a follower starts over behind leaders that vanish, before it gives up.
const LEADERS_MAX: u32 = 3;

type Answer = Result<Filled, GetError>;

/// Coalesces fills of one key in this process.
pub(crate) struct Coalesce {
    inner: Arc<dyn Fill>,
    clock: Arc<dyn Clock>,
    spawn: Arc<dyn Spawn>,
    flying: Flying<Answer>,
    /// A leader's own budget, a request's: it outlives the request that it began for, but not for ever.
    budget: Duration,
}

impl Coalesce {
    pub(crate) fn new(inner: Arc<dyn Fill>, ports: &Ports) -> Self {
        let (clock, spawn) = (Arc::clone(&ports.clock), Arc::clone(&ports.spawn));
        Self { inner, clock, spawn, flying: Flying::default(), budget: ports.budgets.replica }
    }

    fn lead(&self, cx: Cx, landing: Landing<Answer>, want: Want) -> oneshot::Receiver<Answer> {
        let (tell, told) = oneshot::channel();
        let cx = Cx { deadline: self.clock.mono().plus(self.budget), ..cx };
        let inner = Arc::clone(&self.inner);
        self.spawn.spawn(Box::pin(async move {
            let answer = inner.fill(cx, &landing.key, want).await;
            landing.land(&as_followers_see(&answer));
            let _ = tell.send(answer);
        }));
        told
    }
}

impl Fill for Coalesce {
    fn fill<'a>(&'a self, cx: Cx, key: &'a Key, want: Want) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let mut vanished = 0;
            while vanished < LEADERS_MAX {
                let told = match self.flying.board(key, want.mode) {
                    FlightPlace::Leads(landing) => self.lead(cx, landing, want),
                    FlightPlace::Follows(told) => told,
                    FlightPlace::None => return Ok(Filled::Busy { retry_in: Duration::ZERO }),
                };
                match told.await {
                    // The flight was a background refresh that found somebody else at it: start over, and wait.
                    Ok(Ok(Filled::Busy { .. })) if want.mode == Mode::Wait => {}
                    Ok(Err(GetError::LeadersVanished)) | Err(oneshot::Canceled) => vanished += 1,
                    Ok(answer) => return answer,
                }
            }
            Err(GetError::LeadersVanished)
        })
    }
}

/// Somebody else's read is their answer.
pub(crate) fn as_followers_see(answer: &Answer) -> Answer {
    match answer {
        Ok(Filled::Led(entry, _)) => Ok(Filled::Joined(entry.clone())),
        other => other.clone(),
    }
}

/// The followers of each flight that is under way. Their answers are of type `T`.
pub(crate) struct Flying<T>(Arc<Mutex<BTreeMap<Key, Vec<oneshot::Sender<T>>>>>);

impl<T> Default for Flying<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Flying<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// A place in a key's flight.
pub(crate) enum FlightPlace<T> {
    Leads(Landing<T>),
    Follows(oneshot::Receiver<T>),
    /// Somebody else leads, and the asker would not wait.
    None,
}

impl<T> Flying<T> {
    /// Joins the key's flight, or begins one.
    pub(crate) fn board(&self, key: &Key, mode: Mode) -> FlightPlace<T> {
        let mut flights = self.lock();
        if let Some(followers) = flights.get_mut(key) {
            if mode == Mode::Try {
                return FlightPlace::None;
            }
            let (tell, told) = oneshot::channel();
            followers.push(tell);
            return FlightPlace::Follows(told);
        }
        flights.insert(key.clone(), Vec::new());
        FlightPlace::Leads(Landing { key: key.clone(), flying: self.clone(), landed: false })
    }

    /// A poisoned map is as good as any: every critical section leaves it whole.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Vec<oneshot::Sender<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes a flight, also where its leader vanishes: then the followers' senders are dropped, and they start over.
pub(crate) struct Landing<T> {
    pub(crate) key: Key,
    flying: Flying<T>,
    landed: bool,
}

impl<T: Clone> Landing<T> {
    /// Tells every follower this.
    pub(crate) fn land(mut self, answer: &T) {
        self.landed = true;
        let followers = self.flying.lock().remove(&self.key).unwrap_or_default();
        for follower in followers {
            // A follower that has gone away needs no answer.
            let _ = follower.send(answer.clone());
        }
    }
}

impl<T> Drop for Landing<T> {
    fn drop(&mut self) {
        if !self.landed {
            self.flying.lock().remove(&self.key);
        }
    }
}
