//! Cache layers: each is a cache around a cache, so that all of them see every write.

mod jitter;
mod meter;
mod negative;

pub(crate) use jitter::JITTER;
pub(crate) use meter::Metered;
pub(crate) use negative::NEGATIVE;

/// The layer of docs/extending.md, as a reader of it would write it.
#[cfg(test)]
#[path = "../../../docs/extending/shrink.rs"]
mod shrink;

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use futures_util::future::{FutureExt, ready};

    use super::shrink::SHRINK;
    use crate::kit::rng::Rng;
    use crate::kit::time::{Mono, Wall};
    use crate::port::entry::{Entry, Life};
    use crate::port::key::Key;
    use crate::port::{
        Acquired, BoxFuture, Cache, CacheError, Clock, Event, Events, Lease, LoadCx, Loaded, Lookup, Message, Messages,
        Origin, OriginError, Released, Renewed, Spawn, Stored, Token, Wake, When,
    };
    use crate::spec::{Layer, read_layer};
    use crate::stack::Ports;
    use crate::stack::budgets::Budgets;
    use crate::stack::sabotage::Seize;

    /// A world of one entry, the last one put, in which nothing else happens.
    #[derive(Default)]
    struct Still(Mutex<Option<Entry>>);

    impl Cache for Still {
        fn get<'a>(&'a self, _key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
            Box::pin(ready(Ok(self.0.lock().unwrap().clone().map_or(Lookup::Absent, Lookup::Found))))
        }

        fn put<'a>(&'a self, _key: &'a Key, entry: &'a Entry, _: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
            *self.0.lock().unwrap() = Some(entry.clone());
            Box::pin(ready(Ok(Stored::Stored)))
        }

        fn remove<'a>(&'a self, _key: &'a Key) -> BoxFuture<'a, Result<(), CacheError>> {
            Box::pin(ready(Ok(())))
        }
    }

    impl Lease for Still {
        fn acquire<'a>(&'a self, _: &'a Key, _: Token, _: Duration) -> BoxFuture<'a, Result<Acquired, CacheError>> {
            Box::pin(ready(Ok(Acquired::Won)))
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
            Box::pin(ready(Err(OriginError::TimedOut)))
        }

        fn store<'a>(&'a self, _: &'a Key, _: LoadCx) -> BoxFuture<'a, Result<Option<u64>, OriginError>> {
            Box::pin(ready(Err(OriginError::TimedOut)))
        }
    }

    impl Clock for Still {
        fn mono(&self) -> Mono {
            Mono(0)
        }

        fn wall(&self) -> Wall {
            Wall(0)
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(ready(()))
        }
    }

    impl Spawn for Still {
        fn spawn(&self, _: BoxFuture<'static, ()>) {}
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

    impl Events for Still {
        fn emit(&self, _: Event) {}
    }

    #[test]
    fn the_layer_of_the_guide_does_what_its_row_says() {
        let still = Arc::new(Still::default());
        let ports = Ports {
            cache: still.clone(),
            lease: still.clone(),
            origin: still.clone(),
            clock: still.clone(),
            spawn: still.clone(),
            wake: still.clone(),
            seize: still.clone(),
            events: still.clone(),
            rng: Arc::new(Rng::new(1)),
            budgets: Budgets::USUAL,
            slots: None,
        };
        let Layer::Cache(layer) = read_layer(&SHRINK, "shrink(by=0.25)").unwrap() else { panic!("a cache layer") };
        assert_eq!(layer.stretch(), (0.75, 0.75));
        let refused = read_layer(&SHRINK, "shrink(1)").unwrap_err();
        assert!(refused.contains("shrink(by): found 1, which is out of range; by is fraction of the TTL"), "{refused}");
        let (key, life) = (Key::of_item(1), Life::new(Duration::from_secs(4), Duration::ZERO));
        let (read_at, stored_at, delta) = (Wall(0), Wall(0), Duration::ZERO);
        let entry = Entry { value: None, version: 1, read_at, stored_at, life, delta };
        let cache = layer.around(still.clone(), &ports);
        cache.put(&key, &entry, When::Always).now_or_never().unwrap().unwrap();
        let Some(Ok(Lookup::Found(found))) = cache.get(&key).now_or_never() else { panic!("an entry") };
        assert_eq!(found.life.soft, Duration::from_secs(3));
    }
}
