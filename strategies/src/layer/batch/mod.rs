//! `batch`: how a request for several items reads them from the shared cache.
//!
//! `sequential` asks for one after the other, each in a round trip of its own. `pipeline` asks for all at once, each by a command of its own:
//! one round trip, and as many commands at the server. `mget` sends what all items of the request ask for at a moment as one command. `slots` sends
//! it as one for each slot of a cluster, one after the other, as a client does that groups its keys by their slots and waits for each group.
//! Nothing else is changed: each item is looked up, judged and filled by the layers that a request for it alone would go through.

mod settings;
mod trips;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use futures_channel::oneshot;
use futures_util::future::poll_fn;
use futures_util::stream::{FuturesUnordered, StreamExt};

pub(crate) use settings::BatchMode;
pub(crate) use trips::RoundTrips;

use crate::counter::slot_of;
use crate::kit::current::{Current, enter};
use crate::port::entry::Entry;
use crate::port::key::Key;
use crate::port::{BoxFuture, Cache, CacheError, CacheErrorClass, Lookup, Removal, Stored, When};
use crate::spec::{Layer, LayerInfo, ParamInfo, Range, Slot};
use crate::stack::Ports;
use trips::CountedTrips;

/// Its row.
pub(crate) const BATCH: LayerInfo = LayerInfo {
    name: "batch",
    slot: Slot::Cache,
    summary: "how a request for several items reads them; without it as by pipeline",
    params: &[ParamInfo {
        name: "mode",
        default: "mget",
        what: "mget (one command), pipeline (a command each, all at once), sequential (one after the other) or slots (one for each slot of a cluster, one after the other)",
        range: Range::Word(&["mget", "pipeline", "sequential", "slots"]),
    }],
    make: |args| {
        let modes = [BatchMode::Mget, BatchMode::Pipeline, BatchMode::Sequential, BatchMode::Slots];
        args.word("mode", &modes).map(Layer::Batch)
    },
};

/// The same, over a cache.
#[derive(Default)]
pub(crate) struct Batching {
    pub(crate) way: BatchWay,
    /// The round trips of requests for several items, where a layer says how they read them.
    pub(crate) trips: Option<Arc<RoundTrips>>,
}

/// How they are read.
#[derive(Default)]
pub(crate) enum BatchWay {
    /// One after the other.
    InTurn,
    /// All at once.
    #[default]
    AtOnce,
    /// All at once, and what they read from this cache by one command, or by one for each slot in turn.
    Gathered { cache: Arc<dyn Cache>, by_slot: bool },
}

impl BatchMode {
    /// Puts it around the cache of these ports, where it has to be.
    pub(crate) fn around(self, ports: &mut Ports) -> Batching {
        let cache: Arc<dyn Cache> = Arc::new(CountedTrips(Arc::clone(&ports.cache)));
        ports.cache = Arc::clone(&cache);
        let way = match self {
            Self::Sequential => BatchWay::InTurn,
            Self::Pipeline => BatchWay::AtOnce,
            Self::Mget | Self::Slots => {
                ports.cache = Arc::new(GatheredReads(Arc::clone(&cache)));
                BatchWay::Gathered { cache, by_slot: self == Self::Slots }
            }
        };
        Batching { way, trips: Some(Arc::default()) }
    }
}

type Told = oneshot::Sender<Result<Lookup, CacheError>>;

/// Reads that a request's items have asked for and that were not sent yet.
#[derive(Default)]
struct Gathered(Mutex<Vec<(Key, Told)>>);

thread_local! {
    /// Of the request for several items whose work is polled on this thread now.
    static CURRENT: RefCell<Option<Arc<Gathered>>> = const { RefCell::new(None) };
}

impl Gathered {
    fn ask(&self, key: Key) -> oneshot::Receiver<Result<Lookup, CacheError>> {
        let (tell, told) = oneshot::channel();
        self.asked().push((key, tell));
        told
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, Vec<(Key, Told)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does a request's work, and sends what its items ask of the cache together: whenever none of them can go on without it.
pub(crate) async fn gathering<T>(cache: &Arc<dyn Cache>, by_slot: bool, work: impl Future<Output = T>) -> T {
    const HERE: &Current<Gathered> = &CURRENT;
    let gathered = Arc::<Gathered>::default();
    let mut work = pin!(work);
    let mut sent = FuturesUnordered::new();
    poll_fn(|cx| {
        loop {
            let entered = enter(HERE, Arc::clone(&gathered));
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(done);
            }
            drop(entered);
            let asked = std::mem::take(&mut *gathered.asked());
            if !asked.is_empty() {
                sent.push(read_all(Arc::clone(cache), asked, by_slot));
            }
            // What has come may let the work go on.
            if !matches!(sent.poll_next_unpin(cx), Poll::Ready(Some(()))) {
                return Poll::Pending;
            }
        }
    })
    .await
}

/// Reads what was asked for, by one command or by one for each slot.
async fn read_all(cache: Arc<dyn Cache>, asked: Vec<(Key, Told)>, by_slot: bool) {
    if !by_slot {
        return read(cache, asked).await;
    }
    let mut of: BTreeMap<u16, Vec<(Key, Told)>> = BTreeMap::new();
    asked.into_iter().for_each(|one| of.entry(slot_of(one.0.whole().0)).or_default().push(one));
    for (_, asked) in of {
        read(Arc::clone(&cache), asked).await;
    }
}

/// Reads what was asked for, and tells those that asked.
async fn read(cache: Arc<dyn Cache>, asked: Vec<(Key, Told)>) {
    let (keys, told): (Vec<Key>, Vec<Told>) = asked.into_iter().unzip();
    // One that has gone does not need to be told.
    match cache.get_many(&keys).await {
        Ok(found) => told.into_iter().zip(found).for_each(|(tell, one)| _ = tell.send(Ok(one))),
        Err(error) => told.into_iter().for_each(|tell| _ = tell.send(Err(error.clone()))),
    }
}

/// A cache whose reads are gathered where they are those of a request for several items.
struct GatheredReads(Arc<dyn Cache>);

impl Cache for GatheredReads {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        Box::pin(async move {
            let Some(gathered) = CURRENT.with_borrow(Clone::clone) else { return self.0.get(key).await };
            let gone = || CacheError { class: CacheErrorClass::Slow, message: "the request has ended".into() };
            gathered.ask(key.clone()).await.unwrap_or_else(|_| Err(gone()))
        })
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Lookup>, CacheError>> {
        self.0.get_many(keys)
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry, when: When) -> BoxFuture<'a, Result<Stored, CacheError>> {
        self.0.put(key, entry, when)
    }

    fn remove<'a>(&'a self, key: &'a Key, what: Removal) -> BoxFuture<'a, Result<(), CacheError>> {
        self.0.remove(key, what)
    }
}
