//! The rows of a strategy's files: what happened in a second or a tenth, to a read, at a moment, in a container.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::bounds::{NumberBound, TEXT_MAX};

/// One row of `seconds.csv` or `bins100ms.csv`: the requests whose *intended send* lies in the bin, and the origin's
/// reads that arrived in it. Rows before t = 0 are the warm-up; measured rows sum to the figures of `run.json`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BinRow {
    /// Start of the bin, milliseconds since t = 0; negative in the warm-up.
    pub start_ms: i64,
    /// Requests that the plan has here.
    pub offered: u64,
    /// Of these, sent.
    pub sent: u64,
    /// Of these, answered well or shed; with the errors it makes up those sent.
    pub completed: u64,
    /// Of these, failed. Outcome error.
    pub errors: u64,
    /// Outcome hit.
    pub hit: u64,
    /// Outcome stale.
    pub stale: u64,
    /// Outcome wait.
    pub wait: u64,
    /// Outcome load.
    pub load: u64,
    /// Outcome shed.
    pub shed: u64,
    /// Outcome unknown; nought in files that have no such column.
    pub unknown: u64,
    /// Attempts beyond the first at the requests of this bin; `None` (and no column) where clients do not try again.
    pub retries: Option<u64>,
    /// Answered from a copy in the replica's process; `None` (and no column) where no strategy of the run keeps any.
    pub near: Option<u64>,
    /// The most connections of its replica's pool that a request found in use; only in `seconds.csv`, and `None` (and no column) where
    /// no request asked a pool.
    pub pool_in_use_max: Option<u64>,
    /// The most operations that a request found waiting for a connection, likewise.
    pub pool_waiting_max: Option<u64>,
    /// How long requests waited for connections of a pool, 99th percentile, milliseconds, likewise.
    pub pool_wait_p99_ms: Option<f64>,
    /// Origin reads that arrived in the bin; `None` where there is no ledger.
    pub origin_starts: Option<u64>,
    /// Largest number of origin reads arrived and not ended, queue included, at any moment of the bin; `None` where there
    /// is no ledger.
    pub origin_in_flight_max: Option<u64>,
    /// Origin reads of a perfect lazy refresher for the same arrivals, its cache being empty when an event is over; only in
    /// measured rows of `seconds.csv`, and `None` (and no column) in a scenario without events.
    pub floor: Option<u64>,
    /// Response time, median, milliseconds; only in `seconds.csv`.
    pub p50_ms: Option<f64>,
    /// Response time, 95th percentile, milliseconds; only in `seconds.csv`.
    pub p95_ms: Option<f64>,
    /// Response time, 99th percentile, milliseconds; only in `seconds.csv`.
    pub p99_ms: Option<f64>,
    /// Response time, largest, milliseconds; only in `seconds.csv`.
    pub max_ms: Option<f64>,
}

/// One row of `origin.csv`: a read as the origin saw it. Times are nanoseconds since t = 0 on the generator's clock.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OriginRow {
    /// The item's key.
    pub key: String,
    /// The replica that asked.
    pub replica: Option<u32>,
    /// The flight that it belongs to, `<incarnation>-<number>`.
    pub flight: String,
    /// `warmup`, `measured` or `drain`: the phase in which it arrived.
    pub phase: String,
    /// When it arrived.
    pub arrived_ns: i64,
    /// When it got its place and connection; `None` where it was rejected.
    pub start_ns: Option<i64>,
    /// When it ended.
    pub end_ns: Option<i64>,
    /// `ok`, `missing`, `rejected`, `failed`, `abandoned` or `open`.
    pub outcome: String,
}

/// One row of `writes.csv`: a write as the origin saw it. Times are nanoseconds since t = 0 on the generator's clock.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WriteRow {
    /// The item's key.
    pub key: String,
    /// The version that it made; `None` where it made none.
    pub version: Option<u64>,
    /// The replica that asked.
    pub replica: Option<u32>,
    /// The write's name, `<incarnation>-<number>`.
    pub flight: String,
    /// `warmup`, `measured` or `drain`: the phase in which it arrived.
    pub phase: String,
    /// When it arrived.
    pub arrived_ns: i64,
    /// When it got its place; `None` where it was rejected.
    pub start_ns: Option<i64>,
    /// When its commit began: no read before that found the version. `None` where it was not committed.
    pub commit_began_ns: Option<i64>,
    /// When it was committed: every read from then on finds the version, or a later one. `None` where it was not.
    pub committed_ns: Option<i64>,
    /// When it ended.
    pub end_ns: Option<i64>,
    /// `ok`, `missing`, `rejected`, `failed`, `abandoned` (it may have been committed) or `open`.
    pub outcome: String,
}

/// One row of `answers.csv`, of a run whose items are written: which version an answer had, or a client's own write made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AnswerRow {
    /// When its request was sent, nanoseconds since t = 0.
    pub began_ns: i64,
    /// The client; `None` where requests come from nobody in particular.
    pub client: Option<u32>,
    /// The item's key.
    pub key: u32,
    /// `read` or `write`.
    pub op: String,
    /// The version.
    pub version: u64,
}

/// One line of `events.jsonl`. Times are nanoseconds since t = 0 on the generator's clock.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct EventRow {
    /// When.
    pub t_ns: i64,
    /// What. The lab's own: `phase`, `fault`, `fault-over`, `fault-failed`, `expiry`. The replicas': `flight-led`,
    /// `flight-ended`, `answered`, `written`, `write-failed`, `invalidated`, `cache-not-told`, `stored`, `fenced`, `early-refresh`, `refresh-failed`, `lock-ended`, `lock-timeout`,
    /// `lock-fallback`, `wake-lost`, `origin-spared`, `breaker`, `cache-breaker`, `cache-failed`, `corrupt`.
    pub event: String,
    /// Which replica, where one is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica: Option<u32>,
    /// Which key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Which flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flight: Option<String>,
    /// What else there is to say: how a leader ended, the class of an error, the name of a phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Of a `fault`, a `fault-over` and a `fault-failed`: the word after the event's `do`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Of a `fault` that lasts: for how long, as the scenario says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ns: Option<u64>,
}

impl EventRow {
    /// Reads a line of `events.jsonl`. Of a name that is there twice, and of numbers and texts beyond their bounds, it says so.
    pub(crate) fn read(line: &str) -> Result<Self, String> {
        let row: Self = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let within = |name: &str, found: i128| {
            NumberBound::of([name].into_iter()).check_whole(found).map_err(|problem| format!("{name}: {problem}"))
        };
        within("t_ns", row.t_ns.into())?;
        within("replica", row.replica.unwrap_or(0).into())?;
        within("for_ns", row.for_ns.unwrap_or(0).into())?;
        let texts = [&row.key, &row.flight, &row.detail, &row.action].map(Option::as_ref);
        let texts = texts.into_iter().chain([Some(&row.event)]);
        if let Some(text) = texts.into_iter().flatten().find(|text| text.len() > TEXT_MAX) {
            return Err(format!("found a text of {} bytes, allowed {TEXT_MAX}", text.len()));
        }
        Ok(row)
    }
}

/// One row of `containers.csv`: what a container used since the sample before it, about a second earlier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContainerRow {
    /// When the sample came, nanoseconds since t = 0 on the generator's clock.
    pub t_ns: i64,
    /// Compose's service and number, `app-2`.
    pub container: String,
    /// Processor time over elapsed time: 1 is one core.
    pub cpu_cores: f64,
    /// Memory in use at that moment, without the page cache.
    pub memory_bytes: u64,
    /// Bytes received on all its networks.
    pub received_bytes: u64,
    /// Bytes sent on all its networks.
    pub sent_bytes: u64,
    /// Time for which its processor limit held it back, milliseconds.
    pub throttled_ms: f64,
}

/// One row of `cache.csv`: what a server said of itself, ten times a second. Counts are what was added since the row before; in the first
/// row they are nought.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ServerRow {
    /// When its answer was there, nanoseconds since t = 0 on the generator's clock.
    pub t_ns: i64,
    /// Memory in use by its own count.
    pub used_bytes: Option<u64>,
    /// Memory that the system says it has.
    pub rss_bytes: Option<u64>,
    /// Keys that it holds.
    pub keys: u64,
    /// Commands that it carried out.
    pub commands: u64,
    /// Keys that were looked up and found.
    pub hits: u64,
    /// Keys that were looked up and not found.
    pub misses: u64,
    /// Entries that it threw out for want of memory.
    pub evicted: u64,
    /// Entries that ended by their time.
    pub expired: u64,
    /// Forks; `None` where it does not tell.
    pub forks: Option<u64>,
    /// How long the latest fork took, milliseconds; `None` where there was none.
    pub fork_ms: Option<f64>,
    /// 1 while it saves a snapshot.
    pub saving: u64,
    /// 1 while it writes its append-only file anew.
    pub rewriting: u64,
    /// Bytes of the append-only file; `None` without one.
    pub aof_bytes: Option<u64>,
    /// Writes to it that waited for an fsync; `None` without one.
    pub delayed_fsyncs: Option<u64>,
    /// Commands that were slow by the server's own word; `None` where that may not be asked.
    pub slow_commands: Option<u64>,
    /// The longest of them, milliseconds.
    pub slow_ms: Option<f64>,
    /// What it did since the row before, words with a space between: `fork`, `rewrite-begin`, `rewrite-end`, `save-begin`, `save-end`,
    /// `evictions` and `expiries` where they begin, `slow`, and its own latency events as `latency:fork=41` (milliseconds).
    pub marks: String,
}

/// One row of `shards.csv`: what a node of a cluster said of itself, once a second. Counts are what was added since its row before; in its first
/// row they are nought.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ShardRow {
    /// When its answer was there, nanoseconds since t = 0 on the generator's clock.
    pub t_ns: i64,
    /// `host:port`.
    pub node: String,
    /// `primary` or `replica`.
    pub role: String,
    /// Slots that it serves.
    pub slots: u32,
    /// Commands of clients, those of scripts included.
    pub operations: u64,
    /// Processor time, microseconds.
    pub cpu_us: u64,
    /// `MOVED` that it answered.
    pub moved: u64,
    /// `ASK` that it answered.
    pub ask: u64,
    /// `TRYAGAIN` that it answered.
    pub try_again: u64,
}
