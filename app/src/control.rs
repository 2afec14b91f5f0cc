//! The control protocol: the JSON that a lab's generator exchanges with replicas and origin on their control listeners.
//!
//! Data, not behaviour: both ends share these types, so they cannot drift apart.

use std::collections::BTreeMap;
use std::time::Duration;

use scenarios::Law;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use strategies::time::nanos;
use strategies::{Budgets, Slots};

use crate::cache_source::{CacheStatus, Refused};

/// `POST /start` on a replica: run this strategy in a fresh namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartReplica {
    /// The cache namespace, `<run>:<strategy>`.
    pub namespace: String,
    /// The strategy's SPEC.
    pub strategy: String,
    /// The scenario's TTL, nanoseconds.
    pub ttl_ns: u64,
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
    /// Whether it is the one that watches the shared cache: see [`CacheWatched`].
    #[serde(default)]
    pub watches_cache: bool,
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
    /// `stampede-replica`, `stampede-origin` or `stampede-cache-proxy`.
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

/// `GET /heartbeat` of a replica or the origin: whether its thread ran and its clocks were let alone, since its strategy was
/// started. Times are of its monotonic clock.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The longest time without a beat, nanoseconds.
    pub longest_ns: u64,
    /// The times without a beat that were longer than [`crate::heartbeat::TOLD_FROM`]; the first thousand.
    pub silences: Vec<Silence>,
    /// How the wall clock moved against the monotonic one; the first thousand times.
    pub steps: Vec<ClockStep>,
    /// Of a replica that watches the cache: what it saw.
    #[serde(default)]
    pub cache: Option<CacheWatched>,
}

/// A time without a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// The last sign before it, nanoseconds.
    pub from_ns: u64,
    /// The first one after it, nanoseconds.
    pub to_ns: u64,
}

impl Silence {
    /// Its length, nanoseconds.
    #[must_use]
    pub const fn ns(&self) -> u64 {
        self.to_ns.saturating_sub(self.from_ns)
    }
}

/// A wall clock that was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockStep {
    /// When that was noticed.
    pub at_ns: u64,
    /// By how much, nanoseconds; negative where it was set back.
    pub by_ns: i64,
}

/// What a replica saw that kept an entry of the lab's own in the cache and asked for it all the time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CacheWatched {
    /// The longest time from a question to the next answer, nanoseconds.
    pub longest_ns: u64,
    /// The times without an answer that were longer than [`crate::heartbeat::TOLD_FROM`]; the first thousand.
    pub silences: Vec<Silence>,
    /// When the entry was found to be gone; the first thousand times.
    pub lost_ns: Vec<u64>,
}

/// `GET /counters` of a replica, since its strategy was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReplicaCounters {
    /// Requests taken.
    pub requests: u64,
    /// Cache and lease operations.
    pub cache_ops: u64,
    /// Requests and background tasks that have not ended.
    pub in_flight: u64,
    /// The most requests that waited at a time since the last `POST /mark`; `None` where that is not known.
    #[serde(default)]
    pub peak_waiters: Option<u64>,
}

/// One of a replica's events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventLine {
    /// When, on the replica's monotonic clock.
    pub mono_ns: u64,
    /// What: the `event` of `events.jsonl`.
    pub event: SmolStr,
    /// Which key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<SmolStr>,
    /// Which flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flight: Option<SmolStr>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<SmolStr>,
    /// For a `stored` event: how long the entry is fresh, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft_ns: Option<u64>,
}

/// `GET /events` of a replica: everything since its strategy was started.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReplicaEvents {
    /// In the order in which they happened.
    pub events: Vec<EventLine>,
    /// Events that the log had no room for; anything but zero makes the run invalid.
    pub dropped: u64,
}

/// `POST /warm`: the replica writes items 1 to `items` through the strategy's own put, in one burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warm {
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

/// The answer to [`Warm`].
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

/// A law of service times on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "law")]
pub enum LawWire {
    /// Always the same.
    Constant {
        /// Nanoseconds.
        ns: u64,
    },
    /// Exponential.
    Exponential {
        /// Its mean, nanoseconds.
        mean_ns: u64,
    },
    /// Lognormal.
    LogNormal {
        /// Its median, nanoseconds.
        p50_ns: u64,
        /// Its 99th percentile, nanoseconds.
        p99_ns: u64,
    },
    /// Evenly spread.
    Uniform {
        /// The least, nanoseconds.
        min_ns: u64,
        /// The most, nanoseconds.
        max_ns: u64,
    },
}

impl From<Law> for LawWire {
    fn from(law: Law) -> Self {
        match law {
            Law::Constant(d) => Self::Constant { ns: nanos(d) },
            Law::Exponential { mean } => Self::Exponential { mean_ns: nanos(mean) },
            Law::LogNormal { p50, p99 } => Self::LogNormal { p50_ns: nanos(p50), p99_ns: nanos(p99) },
            Law::Uniform { min, max } => Self::Uniform { min_ns: nanos(min), max_ns: nanos(max) },
        }
    }
}

impl From<LawWire> for Law {
    fn from(wire: LawWire) -> Self {
        let d = Duration::from_nanos;
        match wire {
            LawWire::Constant { ns } => Self::Constant(d(ns)),
            LawWire::Exponential { mean_ns } => Self::Exponential { mean: d(mean_ns) },
            LawWire::LogNormal { p50_ns, p99_ns } => Self::LogNormal { p50: d(p50_ns), p99: d(p99_ns) },
            LawWire::Uniform { min_ns, max_ns } => Self::Uniform { min: d(min_ns), max: d(max_ns) },
        }
    }
}

/// `POST /start` on the origin: these rows, this service, an empty ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartOrigin {
    /// Rows 1 to so many.
    pub items: u32,
    /// Bytes of each value.
    pub value_bytes: u32,
    /// Of these, filler that compression takes away.
    #[serde(default)]
    pub filler_bytes: u32,
    /// Reads that may be served at once.
    pub concurrency: u32,
    /// Reads that may wait for a place beyond that.
    pub queue: u32,
    /// How long a read holds its place.
    pub service_time: LawWire,
    /// The run's seed: values and service times are drawn from it.
    pub seed: u64,
    /// How often every row gets a new version, nanoseconds; `None` for never.
    pub write_every_ns: Option<u64>,
}

/// `GET /counters` of the origin, since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OriginCounters {
    /// Reads that arrived.
    pub arrived: u64,
    /// Reads that have not ended, queue included.
    pub in_flight: u64,
    /// Times that the rows were to get a new version and the database refused.
    #[serde(default)]
    pub writes_missed: u64,
}

/// One read in the origin's ledger. Times on the origin's monotonic clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// The key that was asked for.
    pub key: SmolStr,
    /// The flight, as the asker named it; empty where he did not.
    pub flight: SmolStr,
    /// The replica, as it named itself.
    pub replica: Option<u32>,
    /// When it arrived.
    pub arrived_ns: u64,
    /// When it had its place and its connection; `None` where it never did.
    pub start_ns: Option<u64>,
    /// When it ended; `None` where it has not.
    pub end_ns: Option<u64>,
    /// How it ended.
    pub outcome: ReadOutcome,
}

/// How an origin read ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadOutcome {
    /// It has not.
    Open,
    /// With the item.
    Ok,
    /// There is no such item.
    Missing,
    /// No place and no room in the queue.
    Rejected,
    /// With an error (a fault, or SQLite's own).
    Failed,
    /// It ran to its end, and nobody was listening any more.
    Abandoned,
}

impl ReadOutcome {
    /// The name in `origin.csv`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }
}

/// `POST /fault` on the origin: from now on, for so long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OriginFault {
    /// What.
    pub kind: OriginFaultKind,
    /// For how long, nanoseconds.
    pub for_ns: u64,
}

/// What is wrong with the origin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OriginFaultKind {
    /// Service times are so many times longer.
    Slow(f64),
    /// Every read fails at once.
    Fail,
    /// Reads arrive and are not begun until it is over.
    Pause,
}

/// `GET /held` of a replica: the locks that it holds, as it sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Held {
    /// Token by key.
    pub tokens: BTreeMap<String, String>,
}

/// `POST /delay` on the cache proxy: from now on, for so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheDelay {
    /// By how much each operation takes longer, nanoseconds.
    pub added_ns: u64,
    /// For how long, nanoseconds.
    pub for_ns: u64,
}

/// The answer to `POST /preflight` of a replica with a [`Namespace`]: whether the shared cache lets it do what it will do.
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
