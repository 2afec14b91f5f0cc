//! What counts in a replica, and what its cache holds of counters.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use strategies::counter::{CounterPorts, CounterSpec, CounterStack};
use strategies::port::{CacheError, CounterServer};
use strategies::{Key, Ports};

/// How many counters are looked at at once.
const LOOKS_AT_ONCE: usize = 64;

/// What counts in a replica, and what its strategy needs to know of its keys.
pub(super) struct Counters {
    spec: CounterSpec,
    pub(super) stack: CounterStack,
    server: Arc<dyn CounterServer>,
}

impl Counters {
    /// A counter strategy over a replica's ports; `server` is what the cache calls itself, for a refusal.
    ///
    /// # Errors
    /// A sentence where the SPEC is none, or needs more than the cache can.
    pub(super) fn over(
        text: &str,
        window: Duration,
        server: (Arc<dyn CounterServer>, String),
        ports: &Ports,
    ) -> Result<Self, String> {
        let spec = CounterSpec::parse(text).map_err(|e| e.to_string())?;
        let (counters, name) = server;
        let ports = CounterPorts {
            counters: Arc::clone(&counters),
            can: ports.can,
            server: name,
            clock: Arc::clone(&ports.clock),
            spawn: Arc::clone(&ports.spawn),
            events: Arc::clone(&ports.events),
            rng: Arc::clone(&ports.rng),
        };
        let stack = CounterStack::build(&spec, &ports, window).map_err(|e| e.to_string())?;
        Ok(Self { spec, stack, server: counters })
    }

    /// The full composition.
    pub(super) fn canonical(&self) -> &str {
        self.spec.canonical()
    }

    /// Which of the items 1 to `items` have a counter without an end.
    ///
    /// # Errors
    /// The first of the cache's.
    pub(super) async fn endless(&self, items: u32) -> Result<Vec<u32>, CacheError> {
        let keys = (1..=items).flat_map(|item| {
            let parts = self.spec.keys(&Key::of_item(item));
            parts.into_iter().map(move |part| (item, part))
        });
        let looks = keys.map(|(item, part)| async move { (item, self.server.look(&part).await) });
        let mut looks = futures_util::stream::iter(looks).buffered(LOOKS_AT_ONCE);
        let mut endless = Vec::new();
        while let Some((item, held)) = looks.next().await {
            if held?.is_some_and(|held| held.left.is_none()) && endless.last() != Some(&item) {
                endless.push(item);
            }
        }
        Ok(endless)
    }
}
