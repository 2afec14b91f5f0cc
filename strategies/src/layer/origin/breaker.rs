//! The breaker: it stops asking an origin that fails, and comes back with a trickle.
//!
//! An origin whose queue is longer than a read's budget works for nobody: each answer comes after its caller has gone. A client that
//! stops asking lets it catch up. What counts as a failure is a read that failed or had no answer in time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::LimitSettings;

use crate::kit::rng::Rng;
use crate::kit::time::Mono;
use crate::layer::circuit::{CallResult, Circuit, CircuitSettings, JITTER, Pass, StateChange, Ticket, TripRule};
use crate::port::key::Key;
use crate::port::{BoxFuture, Clock, Event, EventSink, LoadCx, Loaded, Origin, OriginError, RefusedBy};
use crate::spec::{BreakerPromise, Layer, LayerInfo, OriginLayer, ParamInfo, Range, Slot};
use crate::stack::Ports;

/// Its row.
pub(crate) const BREAKER: LayerInfo = LayerInfo {
    name: "breaker",
    slot: Slot::Origin,
    summary: "stops reading an origin that fails or is too slow (503), and comes back with a trickle",
    params: &[
        ParamInfo { name: "share", default: "0.5", what: "of reads that fail, to open at", range: Range::AtMost(1.0) },
        ParamInfo {
            name: "samples",
            default: "10",
            what: "reads that must have ended before it opens",
            range: Range::Count(1, 10_000),
        },
        ParamInfo { name: "window", default: "10s", what: "over which they are counted", range: TIMES },
        ParamInfo {
            name: "cool_down",
            default: "5s",
            what: "how long it stays open, and up to a fifth longer",
            range: TIMES,
        },
        ParamInfo {
            name: "trickle",
            default: "1",
            what: "reads at a time while it is half open",
            range: Range::Count(1, 1024),
        },
        ParamInfo {
            name: "successes",
            default: "10",
            what: "reads of the trickle that must end well to close it",
            range: Range::Count(1, 10_000),
        },
    ],
    make: |args| {
        Ok(Layer::Origin(Arc::new(CircuitSettings {
            rule: TripRule::Share {
                share: args.number("share")?,
                samples: args.count("samples")?,
                window: args.duration("window")?,
            },
            cool_down: args.duration("cool_down")?,
            trickle: args.count("trickle")?,
            successes: args.count("successes")?,
        })))
    },
};

const TIMES: Range = Range::Time(Duration::from_millis(100), Duration::from_secs(3600));

impl OriginLayer for CircuitSettings {
    fn around(&self, inner: Arc<dyn Origin>, ports: &Ports) -> Arc<dyn Origin> {
        Arc::new(Breaker::new(inner, ports, *self))
    }

    fn limit(&self) -> Option<LimitSettings> {
        None
    }

    fn breaker(&self) -> Option<BreakerPromise> {
        Some(BreakerPromise { open_max: self.cool_down.mul_f64(1.0 + JITTER), trickle: self.trickle })
    }
}

/// A breaker around an origin.
pub(crate) struct Breaker {
    inner: Arc<dyn Origin>,
    clock: Arc<dyn Clock>,
    events: Arc<dyn EventSink>,
    rng: Rng,
    circuit: Mutex<Circuit>,
}

impl Breaker {
    pub(crate) fn new(inner: Arc<dyn Origin>, ports: &Ports, settings: CircuitSettings) -> Self {
        let (clock, events) = (Arc::clone(&ports.clock), Arc::clone(&ports.events));
        Self { inner, clock, events, rng: ports.rng.fork("breaker"), circuit: Mutex::new(Circuit::new(settings)) }
    }

    fn tell(&self, change: Option<StateChange>) {
        let Some(change) = change else { return };
        self.events.emit(Event::Breaker(change.into()));
    }

    fn ended(&self, ticket: Ticket, end: CallResult) {
        let (now, draw) = (self.clock.mono(), self.rng.next_unit());
        let change = self.circuit().ended(now, ticket, end, draw);
        self.tell(change);
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Origin for Breaker {
    fn load<'a>(&'a self, key: &'a Key, cx: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        Box::pin(async move {
            let (pass, change) = self.circuit().ask(self.clock.mono());
            self.tell(change);
            let ticket = match pass {
                Pass::Let(ticket) => ticket,
                Pass::Refused { retry_after } => {
                    self.events.emit(Event::OriginSpared { key: key.clone(), by: RefusedBy::Breaker });
                    return Err(OriginError::Refused { retry_after });
                }
            };
            let watch = Watch { breaker: self, ticket, deadline: cx.deadline, told: false };
            let answer = self.inner.load(key, cx).await;
            watch.end(match &answer {
                Ok(_) => CallResult::Well,
                Err(OriginError::Refused { .. }) => CallResult::Unknown,
                Err(_) => CallResult::Failed,
            });
            answer
        })
    }

    /// What is guarded is reads: a write passes by.
    fn store<'a>(&'a self, key: &'a Key, cx: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        self.inner.store(key, cx)
    }
}

/// Sees how a read ends, also where its asker stops waiting for it: at its deadline that is a failure, before it (the replica
/// goes away) it says nothing.
struct Watch<'a> {
    breaker: &'a Breaker,
    ticket: Ticket,
    deadline: Mono,
    told: bool,
}

impl Watch<'_> {
    fn end(mut self, end: CallResult) {
        self.told = true;
        self.breaker.ended(self.ticket, end);
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if !self.told {
            let late = self.breaker.clock.mono() >= self.deadline;
            self.breaker.ended(self.ticket, if late { CallResult::Failed } else { CallResult::Unknown });
        }
    }
}
