//! The origin by the same service model as the real one: W places, a queue with an end, service times by (seed, number),
//! rows with versions, faults, and a ledger of its own.
//!
//! A read that has arrived runs to its end whether or not its caller is still there: load that outlives its caller is
//! what feeds a collapse.

pub(crate) mod ledger;

pub(crate) mod port;
mod writes;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use evidence::{OriginFault, OriginWrite, ReadEnd};
use futures_channel::oneshot;
use scenarios::{OriginModel, Scenario, ServiceModel, SizeLaw};
use strategies::ByItem;
use strategies::Key;
use strategies::port::{LoadCx, Loaded, OriginError};
use strategies::time::{Mono, nanos};

pub use crate::origin::ledger::Read;
use crate::origin::ledger::ReadSink;
use crate::origin::ledger::SimLedger;
use crate::world::Handle;

/// The origin.
pub struct SimOrigin {
    world: Handle,
    model: ServiceModel,
    /// Of writes.
    write_model: ServiceModel,
    seed: u64,
    items: u32,
    /// How large values are, where that matters.
    sizes: Option<ByItem<SizeLaw>>,
    write_every: Option<Duration>,
    queue: u32,
    commits: OnceLock<CommitWatcher>,
    state: Mutex<State>,
}

/// What lies around a value in the body of a real item, to a few bytes.
const BODY_BYTES: usize = 56;

/// Told of each write at its commit: the key, and the version that it made.
pub(crate) type CommitWatcher = Box<dyn Fn(&Key, u64) + Send + Sync>;

struct State {
    ledger: SimLedger,
    /// The ledger of writes, in the order of their arrival; times are virtual.
    writes: Vec<OriginWrite>,
    free: u32,
    waiting: VecDeque<oneshot::Sender<()>>,
    /// Reads that have had a place: the number that service times are drawn by.
    begun: u64,
    /// How often each item was written on its own.
    written: BTreeMap<u32, u64>,
    trouble: Option<(OriginFault, Mono)>,
}

impl SimOrigin {
    /// An origin with items 1 to `items` at version 1 and an empty ledger.
    #[must_use]
    pub fn new(world: Handle, model: &OriginModel, items: u32, seed: u64) -> Arc<Self> {
        Self::of(world, model, items, None, seed)
    }

    /// A scenario's, with values as large as its items are.
    #[must_use]
    pub fn sized(world: Handle, scenario: &Scenario, seed: u64) -> Arc<Self> {
        Self::of(world, &scenario.origin, scenario.keys.existing(), Some(scenario.sizes()), seed)
    }

    fn of(world: Handle, model: &OriginModel, items: u32, sizes: Option<ByItem<SizeLaw>>, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            world,
            model: model.service_model(),
            write_model: model.write_model(),
            seed,
            items,
            sizes,
            write_every: model.write_every,
            queue: model.queue,
            commits: OnceLock::new(),
            state: Mutex::new(State {
                ledger: SimLedger::default(),
                writes: Vec::new(),
                free: model.concurrency,
                waiting: VecDeque::new(),
                begun: 0,
                written: BTreeMap::new(),
                trouble: None,
            }),
        })
    }

    /// From now on `watcher` is told of every commit. Only the first one is.
    pub(crate) fn watch_commits(&self, watcher: CommitWatcher) {
        let _ = self.commits.set(watcher);
    }

    /// Injects a fault for `length`.
    pub fn trouble(&self, trouble: OriginFault, length: Duration) {
        self.state().trouble = Some((trouble, self.world.now().plus(length)));
    }

    /// Hands reads over from now on, once they and all that came before them are over. The ledger keeps the others.
    pub fn hand_over_to(&self, sink: ReadSink) {
        self.state().ledger.hand_over_to(sink);
    }

    /// How many reads have arrived.
    #[must_use]
    pub fn arrived(&self) -> u64 {
        self.state().ledger.len() as u64
    }

    /// Looks at the ledger as it stands.
    pub fn look<T>(&self, look: impl FnOnce(&[Read]) -> T) -> T {
        look(self.state().ledger.held())
    }

    /// The ledger, which is empty from then on.
    #[must_use]
    pub fn take_ledger(&self) -> Vec<Read> {
        self.state().ledger.take()
    }

    /// The replica whose read of a key is under way: of several, the one that came last.
    #[must_use]
    pub fn reader(&self, key: &Key) -> Option<u16> {
        let mut state = self.state();
        state.ledger.held().iter().rev().find(|read| read.end.is_none() && read.key == *key).map(|read| read.replica)
    }

    fn arrive(&self, key: &Key, cx: LoadCx) -> usize {
        self.state().ledger.arrive(Read {
            key: key.clone(),
            flight: cx.flight,
            replica: cx.replica,
            arrived: self.world.now(),
            start: None,
            end: None,
            outcome: None,
        })
    }

    /// A read, from its arrival to its end.
    async fn serve(&self, row: usize, key: &Key) -> Result<Loaded, OriginError> {
        let answer = self.work(row, key).await;
        let outcome = match &answer {
            Ok(loaded) if loaded.value.is_some() => ReadEnd::Ok,
            Ok(_) => ReadEnd::Missing,
            Err(Refusal::Full) => ReadEnd::Rejected,
            Err(Refusal::Failing) => ReadEnd::Failed,
        };
        let now = self.world.now();
        let mut state = self.state();
        if let Some(read) = state.ledger.get_mut(row) {
            read.end = Some(now);
            // Once abandoned, always: the caller had gone before the read ended.
            read.outcome.get_or_insert(outcome);
        }
        state.ledger.settle();
        drop(state);
        answer.map_err(|refusal| OriginError::Failed(refusal.said().into()))
    }

    async fn work(&self, row: usize, key: &Key) -> Result<Loaded, Refusal> {
        self.begin().await?;
        let begun = self.world.now();
        if let Some(read) = self.state().ledger.get_mut(row) {
            read.start = Some(begun);
        }
        let loaded = self.select(key, begun);
        self.world.sleep(self.service_time(self.model, begun)).await;
        self.free_place();
        Ok(loaded)
    }

    /// Waits for a place, unless the origin fails.
    async fn begin(&self) -> Result<(), Refusal> {
        let now = self.world.now();
        let trouble = self.state().trouble.filter(|(_, until)| now < *until);
        match trouble {
            Some((OriginFault::Fail, _)) => return Err(Refusal::Failing),
            Some((OriginFault::Pause, until)) => self.world.sleep_until(until).await,
            Some((OriginFault::Slow(_), _)) | None => {}
        }
        self.take_place().await
    }

    /// How long the next one takes that begins now.
    fn service_time(&self, model: ServiceModel, begun: Mono) -> Duration {
        let mut state = self.state();
        state.begun += 1;
        let slower = match state.trouble.filter(|(_, until)| begun < *until) {
            Some((OriginFault::Slow(factor), _)) => factor,
            _ => 1.0,
        };
        model.service_time(self.seed, state.begun - 1).mul_f64(slower)
    }

    fn number(&self, key: &Key) -> Option<u32> {
        key.item().filter(|number| (1..=self.items).contains(number))
    }

    fn version(&self, number: u32, now: Mono) -> u64 {
        let of_all = self.write_every.map_or(0, |every| now.0 / nanos(every).max(1));
        1 + of_all + self.state().written.get(&number).copied().unwrap_or(0)
    }

    /// A version's value says whose and which it is, so that another's is noticed; then come as many bytes as a real one has.
    fn value(&self, number: u32, version: u64) -> Bytes {
        let mut value = item(number, version).to_vec();
        if let Some(sizes) = &self.sizes {
            value.resize(BODY_BYTES + sizes.of(number).of(self.seed, number) as usize, 0);
        }
        value.into()
    }

    /// The row as it is now.
    fn select(&self, key: &Key, now: Mono) -> Loaded {
        let number = self.number(key);
        let version = number.map_or(0, |number| self.version(number, now));
        Loaded { value: number.map(|number| self.value(number, version)), version, read_at: Default::default() }
    }

    async fn take_place(&self) -> Result<(), Refusal> {
        let told = {
            let mut state = self.state();
            if state.free > 0 {
                state.free -= 1;
                return Ok(());
            }
            if state.waiting.len() >= self.queue as usize {
                return Err(Refusal::Full);
            }
            let (tell, told) = oneshot::channel();
            state.waiting.push_back(tell);
            told
        };
        // A read that frees a place hands it to the first in the queue.
        told.await.map_err(|_| Refusal::Failing)
    }

    fn free_place(&self) {
        let next = {
            let mut state = self.state();
            let next = state.waiting.pop_front();
            state.free += u32::from(next.is_none());
            next
        };
        if let Some(next) = next {
            let _ = next.send(());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a read was not carried out.
enum Refusal {
    Full,
    Failing,
}

impl Refusal {
    fn said(&self) -> &'static str {
        match self {
            Self::Full => "HTTP 503 Service Unavailable",
            Self::Failing => "HTTP 500 Internal Server Error",
        }
    }
}

/// An item's value: its number and version. It proves which it is, and costs nothing to carry.
#[must_use]
pub fn item(number: u32, version: u64) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    bytes[4..].copy_from_slice(&version.to_be_bytes());
    bytes
}
