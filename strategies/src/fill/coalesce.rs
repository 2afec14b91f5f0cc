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
    flights: Arc<Mutex<BTreeMap<Key, Vec<oneshot::Sender<Answer>>>>>,
    /// A leader's own budget, a request's: it outlives the request that it began for, but not for ever.
    budget: Duration,
    /// See [`Coalesce::attached`].
    attached: bool,
}

impl Coalesce {
    /// Coalescing whose flight runs in the first caller's own future and dies with it: wrong on purpose, for
    /// `broken-callers-flight`.
    pub(crate) fn attached(self) -> Self {
        Self { attached: true, ..self }
    }

    pub(crate) fn new(inner: Arc<dyn Fill>, ports: &Ports) -> Self {
        let (clock, spawn) = (Arc::clone(&ports.clock), Arc::clone(&ports.spawn));
        Self { inner, clock, spawn, flights: Arc::default(), budget: ports.budgets.replica, attached: false }
    }

    /// Joins the key's flight, or leads one. `None` where there is one and the asker would not wait.
    fn board(&self, cx: Cx, key: &Key, want: Want) -> Option<oneshot::Receiver<Answer>> {
        let mut flights = lock(&self.flights);
        if let Some(followers) = flights.get_mut(key) {
            if want.mode == Mode::Try {
                return None;
            }
            let (tell, told) = oneshot::channel();
            followers.push(tell);
            return Some(told);
        }
        flights.insert(key.clone(), Vec::new());
        drop(flights);
        Some(self.lead(cx, key, want))
    }

    fn lead(&self, cx: Cx, key: &Key, want: Want) -> oneshot::Receiver<Answer> {
        let (tell, told) = oneshot::channel();
        let cx = Cx { deadline: self.clock.mono().plus(self.budget), ..cx };
        let inner = Arc::clone(&self.inner);
        let landing = Landing { key: key.clone(), flights: Arc::clone(&self.flights), landed: false };
        self.spawn.spawn(Box::pin(async move {
            let answer = inner.fill(cx, &landing.key, want).await;
            landing.land(&answer);
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
                if self.attached && !lock(&self.flights).contains_key(key) {
                    lock(&self.flights).insert(key.clone(), Vec::new());
                    let landing = Landing { key: key.clone(), flights: Arc::clone(&self.flights), landed: false };
                    let answer = self.inner.fill(cx, key, want).await;
                    landing.land(&answer);
                    return answer;
                }
                let Some(told) = self.board(cx, key, want) else {
                    return Ok(Filled::Busy { retry_in: Duration::ZERO });
                };
                match told.await {
                    // The flight was a background refresh that found somebody else at it: start over, and wait.
                    Ok(Ok(Filled::Busy { .. })) if want.mode == Mode::Wait => {}
                    Err(oneshot::Canceled) if self.attached => break,
                    Ok(Err(GetError::LeadersVanished)) | Err(oneshot::Canceled) => vanished += 1,
                    Ok(answer) => return answer,
                }
            }
            Err(GetError::LeadersVanished)
        })
    }
}

/// Closes a flight, also where its leader vanishes: then the followers' senders are dropped, and they start over.
struct Landing {
    key: Key,
    flights: Arc<Mutex<BTreeMap<Key, Vec<oneshot::Sender<Answer>>>>>,
    landed: bool,
}

impl Landing {
    fn land(mut self, answer: &Answer) {
        self.landed = true;
        let followers = lock(&self.flights).remove(&self.key).unwrap_or_default();
        let shared = match answer {
            Ok(Filled::Led(entry, _)) => Ok(Filled::Joined(entry.clone())),
            other => other.clone(),
        };
        for follower in followers {
            // A follower that has gone away needs no answer.
            let _ = follower.send(shared.clone());
        }
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        if !self.landed {
            lock(&self.flights).remove(&self.key);
        }
    }
}

/// A poisoned map is as good as any: every critical section above leaves it whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
