//! What a recorded trace is to a scenario and its plan: settings, what was found, and requests one after the other.
//!
//! No file is known here. A caller that can read one hands in an [`OpenTrace`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::values::op::Op;

/// Which trace is replayed, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceSettings {
    /// The file, from the working directory on.
    pub path: String,
    /// `csv`, `twitter` or `combined`; recognised where nothing is said.
    pub format: Option<&'static str>,
    /// The regular expression that finds the key.
    pub key: Option<String>,
    /// How many seconds of the trace go by in one.
    pub speed: f64,
    /// From here on, in the trace's own time, counted from its first row.
    pub from: Duration,
    /// Up to here, likewise.
    pub to: Option<Duration>,
    /// Which of its rows.
    pub ops: ReplayedOps,
    /// What is to be found out of each key.
    pub asks: KeyAsks,
}

/// What is to be found out of each key of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyAsks {
    /// Regular expressions, of which the first that fits says a key's class.
    pub patterns: Vec<String>,
    /// What its rows state.
    pub values: RowValues,
}

/// What of a trace's rows holds for their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowValues {
    /// The TTL that the first of a key's rows states which states one, from 1 ms to 24 h.
    pub ttl: bool,
    /// The size that the first of a key's rows states which states one, from 1 B to 1 MiB.
    pub size: bool,
}

/// What was found out of each key of a trace, from key 1 on; a list is empty where it was not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TracedKeys {
    /// The number of its class, from 1; 0 for none.
    pub class: Vec<u8>,
    /// The TTL that the first of its rows states which states one, nanoseconds; 0 where none does.
    pub ttl_ns: Vec<u64>,
    /// Its size in bytes, likewise.
    pub size: Vec<u32>,
}

/// Which rows of a trace are replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReplayedOps {
    /// All: what reads is a read, what changes something a write.
    #[default]
    All,
    /// Those that read.
    Reads,
}

/// What one look through a trace found, of the rows that are replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceFound {
    /// How many.
    pub requests: u64,
    /// Those of them that write.
    pub writes: u64,
    /// Distinct keys.
    pub keys: u32,
    /// How long the replay is, warm-up included: all moments lie before its end.
    pub length: Duration,
    /// The most requests that begin in one of its seconds.
    pub peak_per_s: u64,
    /// A digest of every moment, key and operation.
    pub digest: u64,
}

/// One request of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedRequest {
    /// When it is sent, nanoseconds after the replay's start.
    pub at_ns: u64,
    /// The key: numbers from 1 on, by first appearance.
    pub key: u32,
    /// What it does.
    pub op: Op,
}

/// A trace that was looked through once.
pub trait RecordedTrace: fmt::Debug + Send + Sync {
    /// What is in it.
    fn found(&self) -> TraceFound;

    /// The shortest and the longest TTL that its rows state, where any does.
    fn stated_ttls(&self) -> Option<(Duration, Duration)>;

    /// What was found out of each key; `None` where nothing was asked for.
    fn keys(&self) -> Option<&TracedKeys>;

    /// Its requests in the order of time, from the first one on, each time that they are asked for.
    fn rows(&self) -> Box<dyn Iterator<Item = RecordedRequest> + Send>;

    /// Reads the first requests in advance, so that the next [`RecordedTrace::rows`] has them at once.
    fn prepare(&self);

    /// Why requests could not be read on, if that happened: then those that were given out are not all.
    fn fault(&self) -> Option<String>;
}

/// Opens a trace and looks through it, or says why not: what was found, ` · `, the remedy.
pub type OpenTrace = fn(&TraceSettings) -> Result<Arc<dyn RecordedTrace>, String>;
