//! The control protocol: the JSON that a lab's generator exchanges with replicas and origin on their control listeners.
//!
//! Data, not behaviour: both ends share these types, so they cannot drift apart.

mod items;
mod meet;
mod origin;

use std::collections::BTreeMap;
use std::time::Duration;

use evidence::CacheStatus;
use serde::{Deserialize, Serialize};
use strategies::time::nanos;
use strategies::{Budgets, Slots};

use crate::wire::refused::Refused;

pub use items::{GroupsWire, ItemsWire};
pub use meet::{Meet, Met};
pub use origin::{FaultOrigin, LawWire, SizesWire, StartOrigin};

/// `POST /start` on a replica: run this strategy in a fresh namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartReplica {
    /// The cache namespace, `<run>:<strategy>`.
    pub namespace: String,
    /// The strategy's SPEC.
    pub strategy: String,
    /// The TTL of each item, nanoseconds.
    pub ttls_ns: ItemsWire<u64>,
    /// How long a counter lives, nanoseconds: the strategy counts. Else it reads.
    #[serde(default)]
    pub window_ns: Option<u64>,
    /// The run's seed.
    pub seed: u64,
    /// How long things may take; the usual where nothing is said.
    #[serde(default)]
    pub budgets: BudgetsWire,
    /// Its request slots; no limit where nothing is said.
    #[serde(default)]
    pub slots: Option<SlotsWire>,
    /// The replica's index in the fleet, from 0, where the lab knows better than the program that it runs as.
    #[serde(default)]
    pub index: Option<u16>,
    /// Whether it is the one that watches the shared cache: see [`evidence::CacheWatched`].
    #[serde(default)]
    pub watches_cache: bool,
}

/// `POST /endless` on a replica that counts: which of the items 1 to so many have a counter without an end?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookAtCounters {
    /// How many items.
    pub items: u32,
}

/// Items whose counters have no end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndlessCounters {
    /// Their numbers, in order.
    pub items: Vec<u32>,
}

/// A replica's request slots on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotsWire {
    /// Requests that it works on at a time.
    pub concurrency: u32,
    /// Requests that may wait for their turn.
    pub queue: u32,
}

impl From<Slots> for SlotsWire {
    fn from(Slots { concurrency, queue }: Slots) -> Self {
        Self { concurrency, queue }
    }
}

impl From<SlotsWire> for Slots {
    fn from(SlotsWire { concurrency, queue }: SlotsWire) -> Self {
        Self { concurrency: concurrency.max(1), queue }
    }
}

/// A replica's budgets on the wire, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetsWire {
    /// A request's.
    pub replica_ns: u64,
    /// An origin read's.
    pub origin_read_ns: u64,
    /// A wait's for a lock.
    pub lock_wait_ns: u64,
}

impl Default for BudgetsWire {
    fn default() -> Self {
        Budgets::USUAL.into()
    }
}

impl From<Budgets> for BudgetsWire {
    fn from(budgets: Budgets) -> Self {
        let Budgets { replica, origin_read, lock_wait } = budgets;
        Self { replica_ns: nanos(replica), origin_read_ns: nanos(origin_read), lock_wait_ns: nanos(lock_wait) }
    }
}

impl From<BudgetsWire> for Budgets {
    fn from(wire: BudgetsWire) -> Self {
        let d = Duration::from_nanos;
        Self { replica: d(wire.replica_ns), origin_read: d(wire.origin_read_ns), lock_wait: d(wire.lock_wait_ns) }
    }
}

/// `GET /identity` of any of the programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `stampede-replica`, `stampede-origin`, `stampede-cache-proxy` or `stampede-origin-proxy`.
    pub program: String,
    /// Its version.
    pub version: String,
    /// A hash of the sources that it was built from: [`crate::BUILD`] there.
    #[serde(default)]
    pub build: String,
    /// What it was set to use, without secrets: the same on every replica of a fleet.
    #[serde(default)]
    pub settings: String,
    /// Which life of it, hexadecimal: drawn at its start, and the first part of its flights' names.
    pub incarnation: String,
}

impl Identity {
    /// This build as one of its programs.
    #[must_use]
    pub fn new(program: &str, incarnation: u64, settings: &str) -> Self {
        Self {
            program: program.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            build: crate::BUILD.into(),
            settings: settings.into(),
            incarnation: format!("{incarnation:016x}"),
        }
    }
}

/// `GET /clock`: the program's monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockReading {
    /// Nanoseconds since the program's start.
    pub mono_ns: u64,
}

/// `POST /warm`: the replica writes items 1 to `items` through the strategy's own put, in one burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmBurst {
    /// How many.
    pub items: u32,
    /// Origin reads at once while their values are fetched: no more than the origin has places.
    pub at_once: u32,
    /// Whether each entry gets only a part of its life, as [`scenarios::Warm::BurstAged`] has it.
    #[serde(default)]
    pub aged: bool,
    /// How long reading them all may take, nanoseconds.
    pub within_ns: u64,
}

/// The answer to [`WarmBurst`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warmed {
    /// When the last put was acknowledged, on the replica's monotonic clock.
    pub last_put_mono_ns: u64,
}

/// `POST /expire`: the replica removes items `first` to `last` from the shared cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expire {
    /// The first, from 1.
    pub first: u32,
    /// The last, included.
    pub last: u32,
}

/// `POST /unheard`: the connections on which the replica hears of changes end, and stay down for so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutChanges {
    /// Nanoseconds.
    pub for_ns: u64,
}

/// `GET /held` of a replica: the locks that it holds, as it sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HeldLocks {
    /// Token by key.
    pub tokens: BTreeMap<String, String>,
}

/// `POST /delay` on the cache proxy: from now on, for `for_ns`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CacheDelay {
    /// By how much an operation takes longer, nanoseconds.
    pub added_ns: u64,
    /// Of how many of them: from 0 to 1, which is all.
    pub share: f64,
    /// For how long, nanoseconds.
    pub for_ns: u64,
}

/// `POST /configure` on the cache proxy: settings of the server behind it, until they are configured anew or `for_ns` is over; then each is
/// again what it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigureServer {
    /// Of [`scenarios::SERVER_SETTINGS`], each as a server takes it; those that are not named are as they were.
    pub settings: BTreeMap<String, String>,
    /// For how long, nanoseconds.
    pub for_ns: u64,
}

/// `POST /preflight` of a replica: what it will ask of the shared cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TryCache {
    /// A namespace that is empty before and after.
    pub namespace: String,
    /// How copies will hear of changes, by name ([`Bus::name`](strategies::port::Bus::name)).
    #[serde(default)]
    pub buses: Vec<String>,
}

/// The answer to [`TryCache`]: whether the shared cache lets it do what it will do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preflight {
    /// It does.
    Ready(CacheStatus),
    /// It does not.
    Refused(Refused),
}

/// `POST /flush` on the cache proxy: remove all keys of this namespace, locks included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// `<run>:<strategy>`.
    pub namespace: String,
}

/// The answer to [`Namespace`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flushed {
    /// How many keys there were.
    pub removed: u64,
}

/// `POST /holder` on the cache proxy: who holds the lock of this item?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockOf {
    /// `<run>:<strategy>`.
    pub namespace: String,
    /// The item, from 1.
    pub item: u32,
}

/// The answer to [`LockOf`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The holder's token; `None` where nobody holds it.
    pub token: Option<String>,
}

/// The error body of any control listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// A sentence.
    pub error: String,
}
