//! `batched(100ms)`: increments are counted in the process and sent as one when so much time is over.
//!
//! They are acknowledged at once. A crash loses what was not sent: up to one interval's increments of each replica. What was sent and not
//! answered is not sent again, because it may have been counted: it is lost, or not, and the failure is an event.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::layer::{
    CountAnswer, CountError, CounterInfo, CounterLayer, CounterPart, CounterTerm, Increments, LayerPorts,
};
use crate::kit::time::Mono;
use crate::port::key::Key;
use crate::port::{BoxFuture, Clock, Spawn};
use crate::spec::{ParamInfo, Range};

/// Its row.
pub(crate) const BATCHED: CounterInfo = CounterInfo {
    name: "batched",
    part: CounterPart::Around,
    summary: "increments of one interval are sent as one: a crash loses what was not sent",
    params: &[ParamInfo {
        name: "every",
        default: "100ms",
        what: "how long increments are gathered",
        range: Range::Time(Duration::from_millis(1), Duration::from_secs(10)),
    }],
    make: |args| Ok(CounterTerm::Around(Arc::new(BatchSettings { every: args.duration("every")? }))),
};

#[derive(Debug)]
struct BatchSettings {
    every: Duration,
}

impl CounterLayer for BatchSettings {
    fn around(&self, inner: Arc<dyn Increments>, ports: &LayerPorts) -> Arc<dyn Increments> {
        let batch = Batch {
            inner,
            every: self.every,
            window: ports.window,
            clock: Arc::clone(&ports.clock),
            gathered: Mutex::default(),
        };
        Arc::new(Batched { batch: Arc::new(batch), spawn: Arc::clone(&ports.spawn) })
    }

    fn holds_back(&self) -> Duration {
        self.every
    }
}

struct Batched {
    batch: Arc<Batch>,
    spawn: Arc<dyn Spawn>,
}

struct Batch {
    inner: Arc<dyn Increments>,
    every: Duration,
    window: Duration,
    clock: Arc<dyn Clock>,
    /// The keys that were counted in the last interval: one is forgotten when nothing was added to it in one.
    gathered: Mutex<BTreeMap<Key, Gathered>>,
}

/// What is known of a key.
#[derive(Debug, Default)]
struct Gathered {
    /// Not sent yet.
    waiting: i64,
    /// What the server said last, and when.
    seen: Option<(u64, Mono)>,
}

impl Batch {
    fn gathered(&self) -> MutexGuard<'_, BTreeMap<Key, Gathered>> {
        // Every critical section leaves the map whole.
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds; the value as far as it is known here, and whether the key is new here.
    fn add(&self, key: &Key, by: i64) -> (u64, bool) {
        let now = self.clock.mono();
        let mut gathered = self.gathered();
        let is_new = !gathered.contains_key(key);
        let there = gathered.entry(key.clone()).or_default();
        there.waiting += by;
        let seen = there.seen.filter(|(_, at)| now.since(*at) < self.window).map_or(0, |(value, _)| value);
        (seen.saturating_add_signed(there.waiting), is_new)
    }

    /// Sends what was gathered, again and again, until nothing is.
    async fn send(&self, key: Key) {
        loop {
            self.clock.sleep(self.every).await;
            let waiting = {
                let mut gathered = self.gathered();
                let waiting = gathered.get_mut(&key).map_or(0, |there| std::mem::take(&mut there.waiting));
                if waiting == 0 {
                    gathered.remove(&key);
                    return;
                }
                waiting
            };
            let counted = self.inner.count(&key, waiting).await;
            let now = self.clock.mono();
            if let (Ok(counted), Some(there)) = (counted, self.gathered().get_mut(&key)) {
                there.seen = Some((counted.value, now));
            }
        }
    }
}

impl Increments for Batched {
    fn count<'a>(&'a self, key: &'a Key, by: i64) -> BoxFuture<'a, Result<CountAnswer, CountError>> {
        Box::pin(async move {
            let (value, is_new) = self.batch.add(key, by);
            if is_new {
                let (batch, key) = (Arc::clone(&self.batch), key.clone());
                self.spawn.spawn(Box::pin(async move { batch.send(key).await }));
            }
            Ok(CountAnswer { value, told: None })
        })
    }
}
