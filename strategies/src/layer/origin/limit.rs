//! The limit (a bulkhead): so many reads under way, so many waiting for their turn, and none that comes too late.
//!
//! A read that has to wait until little is left of its budget would reach the origin and come back to nobody. So it is refused
//! as soon as less than a margin is left: when it gets its turn, or while it waits. What is refused costs the origin nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};

use super::margin::Estimate;
use super::settings::LimitSettings;
use crate::kit::line::{Entered, Line, Place};
use crate::kit::time::Mono;
use crate::port::key::Key;
use crate::port::{BoxFuture, Clock, Event, EventSink, LoadCx, Loaded, Origin, OriginError, RefusedBy};
use crate::spec::{BreakerPromise, Layer, LayerInfo, OriginLayer, ParamInfo, Range, Slot};
use crate::stack::Ports;

/// When it is worth asking again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Its row.
pub(crate) const LIMIT: LayerInfo = LayerInfo {
    name: "limit",
    slot: Slot::Origin,
    summary: "at most so many origin reads of a replica under way, so many waiting, and none that comes too late (503)",
    params: &[
        ParamInfo {
            name: "concurrency",
            default: "16",
            what: "reads of a replica under way",
            range: Range::Count(1, 1024),
        },
        ParamInfo {
            name: "queue",
            default: "64",
            what: "reads that wait for their turn",
            range: Range::Count(0, 1_000_000),
        },
        ParamInfo {
            name: "margin",
            default: "auto",
            what: "what a read must have left of its budget after waiting",
            range: Range::AutoOrTime("as long as reads take", Duration::from_millis(1), Duration::from_secs(24 * 3600)),
        },
    ],
    make: |args| {
        Ok(Layer::Origin(Arc::new(LimitSettings {
            concurrency: args.count("concurrency")?,
            queue: args.count("queue")?,
            margin: args.auto_or_duration("margin")?,
        })))
    },
};

impl OriginLayer for LimitSettings {
    fn around(&self, inner: Arc<dyn Origin>, ports: &Ports) -> Arc<dyn Origin> {
        Arc::new(LimitedOrigin::new(inner, ports, *self))
    }

    fn limit(&self) -> Option<LimitSettings> {
        Some(*self)
    }

    fn breaker(&self) -> Option<BreakerPromise> {
        None
    }
}

/// A limit around an origin.
pub(crate) struct LimitedOrigin {
    inner: Arc<dyn Origin>,
    clock: Arc<dyn Clock>,
    events: Arc<dyn EventSink>,
    settings: LimitSettings,
    /// A read's.
    budget: Duration,
    line: Line,
    estimate: Mutex<Estimate>,
}

impl LimitedOrigin {
    pub(crate) fn new(inner: Arc<dyn Origin>, ports: &Ports, settings: LimitSettings) -> Self {
        let (clock, events) = (Arc::clone(&ports.clock), Arc::clone(&ports.events));
        let line = Line::new(settings.concurrency, settings.queue);
        Self { inner, clock, events, settings, budget: ports.budgets.origin_read, line, estimate: Mutex::default() }
    }

    /// What is left of a read's budget beyond the margin; nothing where it is too late for it.
    fn left(&self, deadline: Mono) -> Duration {
        let margin = self.settings.margin.unwrap_or_else(|| lock(&self.estimate).margin(self.budget));
        deadline.since(self.clock.mono()).saturating_sub(margin)
    }

    /// A place, or why there is none.
    async fn place(&self, deadline: Mono) -> Result<Place, RefusedBy> {
        let told = match self.line.enter() {
            Entered::Now(place) => return Ok(place),
            Entered::Full => return Err(RefusedBy::LimitFull),
            Entered::Waits(told) => told,
        };
        let mut waiting = told;
        loop {
            let woken = select(waiting, self.clock.sleep(self.left(deadline))).await;
            // The margin may have changed meanwhile.
            let late = self.left(deadline).is_zero();
            waiting = match woken {
                Either::Left((Ok(place), _)) if !late => return Ok(place),
                Either::Right(((), waiting)) if !late => waiting,
                _ => return Err(RefusedBy::LimitLate),
            };
        }
    }
}

impl Origin for LimitedOrigin {
    fn load<'a>(&'a self, key: &'a Key, cx: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        Box::pin(async move {
            let place = match self.place(cx.deadline).await {
                Ok(place) => place,
                Err(by) => {
                    self.events.emit(Event::OriginSpared { key: key.clone(), by });
                    return Err(OriginError::Refused { retry_after: RETRY_AFTER });
                }
            };
            let begun = self.clock.mono();
            let answer = self.inner.load(key, cx).await;
            if answer.is_ok() {
                lock(&self.estimate).add(self.clock.mono().since(begun));
            }
            drop(place);
            answer
        })
    }

    /// What is guarded is reads: a write passes by.
    fn store<'a>(&'a self, key: &'a Key, cx: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        self.inner.store(key, cx)
    }
}

/// What is locked is whole between any two lines of the critical sections above.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
