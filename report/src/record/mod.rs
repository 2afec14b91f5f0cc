//! The record types: the only things in the lab that are serialised as results.
//!
//! They stand apart from every internal struct so that a rename inside the lab can never break an old result. A number
//! that is unknown is `None` (JSON `null`, an empty CSV cell), never NaN. Every name carries its unit. A change here is a
//! change of [`RUN_SCHEMA`], of its fixture, and an entry in CHANGELOG.md.

pub(crate) mod bounds;
pub(crate) mod figures;
pub(crate) mod herds;
pub(crate) mod json;
pub(crate) mod run_json;
pub(crate) mod walk;

mod comparison;
mod conditions;
mod counters;
mod happened;
mod lab_event;
mod latency;
mod levels;
mod pool;
mod predicted;
mod recovery;
mod row;
mod server;
mod shards;
mod takeovers;
mod traffic;
mod verdict;
mod writes;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use comparison::{Comparison, Metric};
pub use conditions::Conditions;
pub use counters::CounterFigures;
pub use happened::Events;
pub use lab_event::LabEvent;
pub use latency::Latency;
pub use levels::LevelFigures;
pub use pool::PoolFigures;
pub use predicted::{NotPredicted, Predicted};
pub use recovery::{Recovery, Retries};
pub use row::{AnswerRow, BinRow, ContainerRow, EventRow, OriginRow, ServerRow, ShardRow, WriteRow};
pub use server::{MarkFigures, ServerFigures};
pub use shards::ShardFigures;
pub use takeovers::{CommandLatency, TakeoverFigures, TakeoverSums};
pub use traffic::TrafficFigures;
pub use verdict::{Unchecked, Verdict};
pub use writes::{BehindCommit, WriteFigures};

/// The schema of `run.json` that this build writes and reads.
pub const RUN_SCHEMA: &str = "stampede.run/v1";

/// `run.json`: what was run, on what, and what came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Always [`RUN_SCHEMA`].
    #[schemars(extend("const" = RUN_SCHEMA))]
    pub schema: String,
    /// The folder's own name, `20261120T235900Z-hotkey-3f9a`.
    pub run: String,
    /// False where the run was interrupted or crashed before the end of its last strategy.
    pub complete: bool,
    /// The version of the lab that wrote this.
    pub version: String,
    /// When the run began, RFC 3339, UTC.
    pub started_at: String,
    /// The command line that makes this run again.
    pub command: String,
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's one-line summary.
    pub summary: String,
    /// `local`, `docker`, `stack` (containers that are reached by names), `sim` or `target`.
    pub lab: String,
    /// The shared cache: `redis 7.0.15` or `memory`; of a `target` whatever is known of it, or nothing.
    pub cache: String,
    /// What the lab set its own server up with, by the server's names; absent where that is nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cache_settings: BTreeMap<String, String>,
    /// How many replicas shared it; of a `target` how many addresses were driven.
    pub replicas: u32,
    /// The seed of the plan and of every random draw of the replicas.
    pub seed: u64,
    /// Length of the measured phase in seconds.
    pub duration_s: f64,
    /// Length of the warm-up in seconds.
    pub warmup_s: f64,
    /// The load in words: `closed loop, 50 clients, think time 120 ms`.
    pub load: String,
    /// The scenario's TTL in seconds, before any strategy lengthens it.
    pub ttl_s: f64,
    /// The origin's mean service time in seconds.
    pub service_time_s: f64,
    /// Whether a target's own origin was counted by a proxy in front of it: then its places and service time are not the scenario's, whatever
    /// is said of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub foreign_origin: bool,
    /// The hot key, where the scenario has one.
    pub hot_key: Option<String>,
    /// Hash of the plan: the same for every strategy of the run, and for every run with this scenario and seed.
    pub plan_hash: String,
    /// The origin's clock minus the generator's, nanoseconds (the last strategy's measurement).
    pub clock_offset_ns: Option<i64>,
    /// How wrong that offset can be, nanoseconds (the worst of the run).
    pub clock_uncertainty_ns: Option<u64>,
    /// The machine.
    pub environment: Environment,
    /// How many processes drove the load, each its part of the plan; not there where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<u32>,
    /// One entry a strategy, in the order run.
    pub strategies: Vec<Strategy>,
    /// The scenario's thresholds and what became of them; of repeats the medians are held to them.
    pub verdicts: Vec<Verdict>,
    /// The scenario's thresholds that were not checked, for their strategy was not run; absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unchecked: Vec<Unchecked>,
    /// The blocks of a run with repeats, in the order run; empty where each strategy ran once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Block>,
    /// Each strategy against the first one, by the blocks; empty where each ran once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comparisons: Vec<Comparison>,
}

/// One block of a run with repeats: every strategy once, under one plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Block {
    /// The seed of its plan: the run's for the first block, one more for each further one.
    pub seed: u64,
    /// Its plan's hash.
    pub plan_hash: String,
    /// The strategies in the order run, which the seed decides.
    pub order: Vec<String>,
}

/// Facts about the machine: an allow-list, with no host name, user or environment variable in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// Operating system and kernel, `linux 6.1.0`.
    pub os: String,
    /// Processor architecture, `x86_64`.
    pub arch: String,
    /// The processor's own name.
    pub cpu: Option<String>,
    /// Logical cores that this process may use.
    pub cores: u32,
    /// Memory in MiB.
    pub memory_mib: Option<u64>,
    /// `release` or `debug`.
    pub build: String,
    /// Load average over one minute when the run began, times 100.
    pub load_average_percent: Option<u32>,
}

/// One strategy's result over the measured phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Strategy {
    /// What the user asked for: a preset's name, or the SPEC as typed.
    pub name: String,
    /// The full composition, `plain + lock(lease=10s, poll=50ms)`.
    pub spec: String,
    /// The strategy's folder inside the run's folder.
    pub folder: String,
    /// Seconds of the measured phase before Ctrl-C cut it short: all figures are of these. `None` where it ran to its end.
    #[serde(default)]
    pub cut_after_s: Option<f64>,
    /// Whether the numbers may be believed.
    pub valid: bool,
    /// Why not, one sentence each.
    pub invalid_because: Vec<String>,
    /// Requests whose intended send lies in the measured phase and that were sent.
    pub requests: u64,
    /// Requests that got no good answer and were not shed: 5xx, time-outs, broken connections, wrong bodies.
    pub errors: u64,
    /// The errors by kind, `timeout`, `reset`, `http-502` …
    pub error_kinds: BTreeMap<String, u64>,
    /// Share of requests that were answered without a wait for the origin (hit and stale); `None` where any answer is
    /// [unknown](Outcomes::unknown).
    pub hit_ratio: Option<f64>,
    /// What reached the origin; `None` where there is no ledger of it, as before a foreign target.
    pub origin: Option<OriginFigures>,
    /// The hot key's own figures, where the scenario has a hot key.
    pub hot: Option<Hot>,
    /// What theory predicts of the hot key; `None` where a premise of its formulas fails, which `not_predicted` names. Absent from
    /// older records.
    #[serde(default)]
    pub predicted: Option<Predicted>,
    /// Why figures of `predicted`, or all of it, are `null`: a row for each premise that fails. Absent from older records.
    #[serde(default)]
    pub not_predicted: Vec<NotPredicted>,
    /// Response time from the intended send, milliseconds.
    pub latency_ms: Latency,
    /// Service time, from the actual send, milliseconds.
    pub service_ms: Latency,
    /// Schedule lag: actual minus intended send, milliseconds. The generator's own lateness.
    pub lag_ms: Latency,
    /// Answers by outcome.
    pub outcomes: Outcomes,
    /// What happened inside the replicas; `None` of a target, which has none that tell.
    pub events: Option<Events>,
    /// How stale the answers were by the cache's own word: past their TTL.
    pub stale: Stale,
    /// How stale they were by the truth: behind a commit. `None` (and absent) where nothing is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<BehindCommit>,
    /// What the writes came to; `None` (and absent) where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<WriteFigures>,
    /// Which level of the cache answered; `None` (and absent) where no strategy of the run keeps values in the replicas' processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<LevelFigures>,
    /// How long requests waited for connections to the shared cache; `None` (and absent) where it takes none from a pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolFigures>,
    /// What went between the replicas and the shared cache; `None` (and absent) where nothing goes over a connection, and where an event ended
    /// a replica, for its counts ended with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<TrafficFigures>,
    /// What the cache's server did of its own meanwhile, and how many of the slowest requests were near it; `None` (and absent) where nobody
    /// watched it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerFigures>,
    /// How the load lay on a cluster's nodes; `None` where the cache is none. Absent from older records.
    #[serde(default)]
    pub shards: Option<ShardFigures>,
    /// What happened while servers took each other's place; `None` (and absent) where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takeovers: Option<TakeoverSums>,
    /// What became of its increments; `None` (and absent) where it does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counters: Option<CounterFigures>,
    /// How long an entry is fresh on average, seconds: the TTL, or what jitter or a window of the strategy's own make of it.
    /// Whose entries live longer reads the origin less often for that alone. `None` of a target; absent from older records.
    #[serde(default)]
    pub life_s: Option<f64>,
    /// Cache operations (of all replicas) per request.
    pub cache_ops_per_request: Option<f64>,
    /// The most requests that waited in one replica at a time in the measured phase: for one of its slots, or for a value that was not
    /// in the cache, their own read included. `None` where that is not known: of a target, of a replica that was restarted, in older
    /// records.
    #[serde(default)]
    pub peak_waiters: Option<u64>,
    /// Planned requests that the generator could not send.
    pub unsent: u64,
    /// Requests that another replica was asked, because theirs was down. Absent from older records.
    #[serde(default)]
    pub moved_on: u64,
    /// Requests that were sent again on a fresh connection, because their server had closed the kept one before a byte of
    /// an answer; `None` (and absent) in the sim lab, which has no connections. Absent from older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resent: Option<u64>,
    /// What clients that try again came to; `None` (and absent) where they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<Retries>,
    /// How long the scenario's events hurt; `None` where it has none, begins with one, or was cut short before. Absent from older records.
    #[serde(default)]
    pub recovery: Option<Recovery>,
    /// Processor time of the generator's workers over the time for which they ran, warm-up included: 1 is one core. `None`
    /// where it is not known, as in a simulated run. Absent from older records.
    #[serde(default)]
    pub generator_cpu_cores: Option<f64>,
    /// How the lab itself fared; `None` (and absent) of a simulated run and in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Conditions>,
    /// Origin reads of a replica incarnation that a scenario event ended: no witness is left for them.
    pub unwitnessed: u64,
    /// The two ledgers side by side, over all phases; `None` of a target, which keeps none.
    pub ledgers: Option<Ledgers>,
    /// Its runs in the second and all further blocks; the figures beside this field are the first block's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeats: Vec<Strategy>,
}

impl Strategy {
    /// Its runs, one a block.
    pub fn runs(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.repeats)
    }

    /// How long it was measured, seconds.
    #[must_use]
    pub fn measured_s(&self, run: &Run) -> f64 {
        self.cut_after_s.unwrap_or(run.duration_s)
    }
}

/// What reached the origin in the measured phase, from the origin's own ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Origin")]
pub struct OriginFigures {
    /// Reads that arrived.
    pub total: u64,
    /// The largest number of arrivals in any window of one second.
    pub max_per_second: u64,
    /// The largest number of reads that had arrived and not ended, the queue included.
    pub max_in_flight: u64,
    /// Whole seconds with more than so many arrivals.
    pub seconds_over: BTreeMap<String, u64>,
    /// What a perfect lazy refresher would have read for the same arrivals; `None` where TTLs are lengthened.
    pub floor: Option<u64>,
    /// Reads of the hot key per expiry; `None` without a hot key, and where no herd began and ended in the measured time.
    pub per_expiry: Option<PerExpiry>,
}

/// Herds of the hot key: reads that were at the origin together (docs/scenarios.md has the rule). One that the beginning or
/// the end of the measured time cuts is not counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PerExpiry {
    /// How many herds there were.
    pub count: u64,
    /// Mean reads a herd.
    pub mean: f64,
    /// Median reads a herd.
    pub p50: f64,
    /// Largest herd.
    pub max: u64,
    /// Of each herd the reads of the replica that had most of them: 1 where each of three read once, 3 where one did it all. Not there
    /// where the ledger does not know whose each read was (a request without the header `lab-replica`), and no figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fullest_replica: Option<FullestReplica>,
}

/// What one replica read of a herd, of each herd the one that read most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FullestReplica {
    /// Mean reads a herd.
    pub mean: f64,
    /// The most of any herd.
    pub max: u64,
}

/// The hot key's own counts in the measured phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hot {
    /// The key.
    pub key: String,
    /// Requests for it.
    pub requests: u64,
    /// Their outcomes.
    pub outcomes: Outcomes,
    /// Origin reads of it; `None` where there is no ledger.
    pub origin_total: Option<u64>,
}

/// Answers by outcome. Their sum is the number of requests sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Outcomes {
    /// Served from a cache, within TTL.
    pub hit: u64,
    /// Served from a cache, past TTL.
    pub stale: u64,
    /// Answered by somebody else's origin read.
    pub wait: u64,
    /// This request's flight read the origin.
    pub load: u64,
    /// Refused (503).
    pub shed: u64,
    /// Failed, or never answered.
    pub error: u64,
    /// Answered well, and nothing said how (a target without `Cache-Status`). Absent from older records.
    #[serde(default)]
    pub unknown: u64,
}

impl Outcomes {
    /// Every request that was sent has exactly one outcome, so this is the number sent.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.hit + self.stale + self.wait + self.load + self.shed + self.error + self.unknown
    }
}

/// How stale the stale answers were.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Stale {
    /// Share of requests answered with a stale value; `None` where any answer is [unknown](Outcomes::unknown).
    pub share: Option<f64>,
    /// The largest time past the TTL of a stale answer, milliseconds, rounded up; 0 where there was none, `None` where any
    /// answer is unknown.
    pub overage_ms_max: Option<u64>,
}

/// The two witnesses of every origin read, over all phases after the quiesce. Empty where [`Strategy::origin`] is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Ledgers {
    /// Rows in the origin's ledger.
    pub origin_rows: u64,
    /// Flights that the replicas say the origin answered.
    pub replica_flights: u64,
    /// Flight ids that only one of the two has (at most 20 are listed).
    pub disagree: Vec<String>,
    /// Answers of outcome `load` that the generator received.
    pub loads_received: u64,
    /// Flights led for a request whose answer never reached the generator.
    pub led_undelivered: Vec<String>,
}
