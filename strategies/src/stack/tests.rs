//! A world that stands still, and what a stack does in it: which view of the cache is read, and what a cache must be able to do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{FutureExt, ready};

use super::sabotage::Seize;
use super::{RunningStrategy, Stack, Unable};
use crate::fill::Cx;
use crate::kit::rng::Rng;
use crate::kit::time::{Mono, Wall};
use crate::port::entry::{Entry, Life};
use crate::port::key::Key;
use crate::port::{
    Acquired, BoxFuture, Bus, Cache, CacheError, Capabilities, Clock, Event, EventSink, Invalidations, Lease, Level,
    LoadCx, Loaded, Lookup, Message, Messages, Origin, OriginError, Released, Removal, Renewed, Spawn, Stored, Token,
    Wake, When,
};
use crate::spec::Spec;
use crate::stack::Ports;
use crate::stack::budgets::Budgets;

const NOW: Wall = Wall(10_000_000_000);
const TTL: Duration = Duration::from_secs(5);

/// A world of one entry, the last one put, in which time stands still.
#[derive(Default)]
pub(crate) struct Still {
    entry: Mutex<Option<Entry>>,
    /// How many more attempts find the lease held.
    held: AtomicU64,
    /// Reads of the origin.
    loads: AtomicU64,
}

impl Still {
    /// What a strategy runs on in it.
    pub(crate) fn ports(self: &Arc<Self>) -> Ports {
        Ports {
            cache: self.clone(),
            can: Capabilities::ONE_SERVER,
            lease: self.clone(),
            connections: crate::port::NoConnections::over(self.clone()),
            origin: self.clone(),
            clock: self.clone(),
            spawn: self.clone(),
            wake: self.clone(),
            invalidations: self.clone(),
            seize: self.clone(),
            events: self.clone(),
            rng: Arc::new(Rng::new(1)),
            budgets: Budgets::USUAL,
            slots: None,
        }
    }
}

impl Cache for Still {
    fn get<'a>(&'a self, _key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        Box::pin(ready(Ok(self
            .entry
            .lock()
            .unwrap()
            .clone()
            .map_or(Lookup::Absent, |entry| Lookup::Found(entry, Level::Shared)))))
    }

    fn put<'a>(&'a self, _key: &'a Key, entry: &'a Entry, _: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        *self.entry.lock().unwrap() = Some(entry.clone());
        Box::pin(ready(Ok(Stored::Stored)))
    }

    fn remove<'a>(&'a self, _key: &'a Key, _: Removal) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(ready(Ok(())))
    }
}

impl Lease for Still {
    fn acquire<'a>(&'a self, _: &'a Key, _: Token, _: Duration) -> BoxFuture<'a, Result<Acquired, CacheError>> {
        let held = self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        Box::pin(ready(Ok(if held { Acquired::Held } else { Acquired::Won })))
    }

    fn renew<'a>(&'a self, _: &'a Key, _: Token, _: Duration) -> BoxFuture<'a, Result<Renewed, CacheError>> {
        Box::pin(ready(Ok(Renewed::Renewed)))
    }

    fn release<'a>(&'a self, _: &'a Key, _: Token) -> BoxFuture<'a, Result<Released, CacheError>> {
        Box::pin(ready(Ok(Released::Released)))
    }
}

impl Seize for Still {
    fn seize<'a>(&'a self, _: &'a Key) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(ready(Ok(())))
    }
}

impl Origin for Still {
    fn load<'a>(&'a self, _: &'a Key, _: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        Box::pin(ready(Err(OriginError::TimedOut)))
    }

    fn store<'a>(&'a self, _: &'a Key, _: LoadCx) -> BoxFuture<'a, Result<Loaded, OriginError>> {
        Box::pin(ready(Err(OriginError::TimedOut)))
    }
}

impl Clock for Still {
    fn mono(&self) -> Mono {
        Mono(0)
    }

    fn wall(&self) -> Wall {
        NOW
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }
}

impl Spawn for Still {
    fn spawn(&self, work: BoxFuture<'static, ()>) {
        assert_eq!(work.now_or_never(), Some(()), "nothing here waits");
    }

    fn attend(&self, _: BoxFuture<'static, ()>) {}
}

impl Wake for Still {
    fn listen<'a>(&'a self, _: &'a Key) -> BoxFuture<'a, Option<Message>> {
        Box::pin(ready(None))
    }

    fn subscribe(&self) -> BoxFuture<'_, Option<Messages>> {
        Box::pin(ready(None))
    }

    fn announce<'a>(&'a self, _: &'a Key) -> BoxFuture<'a, bool> {
        Box::pin(ready(true))
    }
}

impl Invalidations for Still {
    fn hear(&self, _: Bus) -> BoxFuture<'_, Option<Messages>> {
        Box::pin(ready(None))
    }

    fn tell<'a>(&'a self, _: Bus, _: &'a Key) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(ready(Ok(())))
    }

    fn tracked<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        self.get(key)
    }
}

impl EventSink for Still {
    fn emit(&self, _: Event) {}
}

fn entry(version: u64, stored_at: Wall) -> Entry {
    let life = Life::new(TTL, Duration::ZERO);
    Entry { value: None, version, read_at: stored_at, stored_at, life, delta: Duration::ZERO }
}

/// A near copy is old enough to be refreshed, and the shared cache has a later value: a leader must see that, and read nothing.
#[test]
fn leaders_look_past_near_copies() {
    for fill in ["lock", "lease", "coalesce + lock"] {
        let aged = entry(1, Wall(NOW.0 - 4_900_000_000));
        let still = Arc::new(Still { entry: Mutex::new(Some(aged)), held: 1.into(), ..Still::default() });
        let spec = Spec::parse(&format!("ahead + near(ttl=60s) + {fill}")).unwrap();
        let stack = Stack::build(&spec, &still.ports(), TTL, 1).unwrap();
        let cx = Cx { request: 1, deadline: Mono(u64::MAX), replica: 0 };
        let get = || {
            let served = stack.get(cx, &Key::of_item(1)).now_or_never().expect("nothing here waits").unwrap();
            (served.version, served.level)
        };
        // Its refresh finds the lease held.
        assert_eq!(get(), (1, Level::Shared), "{fill}");
        *still.entry.lock().unwrap() = Some(entry(2, NOW));
        assert_eq!((get(), stack.cache_reads()), ((1, Level::Near), 2), "{fill}: the leader of its refresh looked");
        assert_eq!(still.loads.load(Ordering::Relaxed), 0, "{fill}: and found the later value");
    }
}

#[test]
fn a_strategy_that_needs_more_than_its_cache_can_is_refused() {
    let build = |text: &str, can| {
        let ports = Ports { can, ..Arc::new(Still::default()).ports() };
        Stack::build(&Spec::parse(text).unwrap(), &ports, TTL, 1).map(drop)
    };
    let all = Capabilities::ONE_SERVER;
    for (text, can, lacks) in [
        ("plain + coalesce", Capabilities::NONE, None),
        ("plain + lock", Capabilities { leases: false, ..all }, Some("leases")),
        ("plain + lease", Capabilities { conditions: false, ..all }, Some("puts on a condition")),
        ("plain + lock", Capabilities { messages: false, ..all }, None),
        ("plain + lock(wake=notify)", Capabilities { messages: false, ..all }, Some("messages between replicas")),
        ("plain + lock(wake=notify)", all, None),
        ("plain + read-from + lock", all, Some("replicas that answer reads, as a cluster has")),
        ("plain + read-from(nodes=any) + lock", Capabilities { replicas: true, ..all }, None),
    ] {
        let found = build(text, can);
        assert_eq!(found.as_ref().err().map(|unable| unable.lacks), lacks, "{text}");
        let said = found.err().map(|unable: Unable| unable.to_string()).unwrap_or_default();
        assert!(lacks.is_none_or(|lacks| said.contains(lacks) && said.contains(text)), "{said}");
    }
}
