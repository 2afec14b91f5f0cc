//! The meter: innermost around the world's counters, it counts commands and tells of failures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::port::key::Key;
use crate::port::{BoxFuture, CacheError, CounterCommand, CounterServer, Event, EventSink, HeldCounter};

/// A metered port.
pub(crate) struct MeteredCounters {
    pub(crate) inner: Arc<dyn CounterServer>,
    pub(crate) ops: Arc<AtomicU64>,
    pub(crate) events: Arc<dyn EventSink>,
}

impl CounterServer for MeteredCounters {
    fn command<'a>(&'a self, key: &'a Key, command: CounterCommand) -> BoxFuture<'a, Result<Option<i64>, CacheError>> {
        Box::pin(async move {
            self.ops.fetch_add(1, Ordering::Relaxed);
            let said = self.inner.command(key, command).await;
            if let Err(error) = &said {
                self.events.emit(Event::CacheFailed { op: command.name(), class: error.class });
            }
            said
        })
    }

    fn look<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<HeldCounter>, CacheError>> {
        self.inner.look(key)
    }
}
