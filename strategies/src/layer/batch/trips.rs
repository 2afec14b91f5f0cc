//! How many round trips to the shared cache a request for several items waits for, one after the other.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::kit::current::{Current, within};
use crate::port::entry::Entry;
use crate::port::key::Key;
use crate::port::{BoxFuture, Cache, CacheError, Lookup, Removal, Stored, When};

/// What was counted of requests for several items.
#[derive(Debug, Default)]
pub(crate) struct RoundTrips {
    requests: AtomicU64,
    trips: AtomicU64,
}

/// Operations of one request that are under way.
struct UnderWay {
    count: AtomicU32,
    of: Arc<RoundTrips>,
}

thread_local! {
    /// Of the request whose work is polled on this thread now.
    static CURRENT: RefCell<Option<Arc<UnderWay>>> = const { RefCell::new(None) };
}

const HERE: &Current<UnderWay> = &CURRENT;

impl RoundTrips {
    /// Does a request's work, and counts its round trips.
    pub(crate) async fn of<T>(self: &Arc<Self>, work: impl Future<Output = T>) -> T {
        self.requests.fetch_add(1, Relaxed);
        within(HERE, Arc::new(UnderWay { count: AtomicU32::new(0), of: Arc::clone(self) }), work).await
    }

    /// Requests, and round trips of all of them.
    pub(crate) fn counted(&self) -> (u64, u64) {
        (self.requests.load(Relaxed), self.trips.load(Relaxed))
    }
}

/// An operation that is under way until it is dropped.
struct Trip(Option<Arc<UnderWay>>);

impl Trip {
    /// One that begins while none of its request's is under way is a round trip more; the others go along with that.
    fn begin() -> Self {
        let current = CURRENT.with_borrow(Clone::clone);
        if let Some(under_way) = &current
            && under_way.count.fetch_add(1, Relaxed) == 0
        {
            under_way.of.trips.fetch_add(1, Relaxed);
        }
        Self(current)
    }
}

impl Drop for Trip {
    fn drop(&mut self) {
        if let Some(under_way) = &self.0 {
            under_way.count.fetch_sub(1, Relaxed);
        }
    }
}

/// A cache whose operations are counted. What a request has done in the background is no wait of its own, and is not.
pub(super) struct CountedTrips(pub(super) Arc<dyn Cache>);

impl Cache for CountedTrips {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        Box::pin(async move {
            let _trip = Trip::begin();
            self.0.get(key).await
        })
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Lookup>, CacheError>> {
        Box::pin(async move {
            let _trip = Trip::begin();
            self.0.get_many(keys).await
        })
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        Box::pin(async move {
            let _trip = Trip::begin();
            self.0.put(key, entry, when).await
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, what: Removal) -> BoxFuture<'a, Result<(), CacheError>> {
        Box::pin(async move {
            let _trip = Trip::begin();
            self.0.remove(key, what).await
        })
    }
}
