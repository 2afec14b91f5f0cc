//! What the origin is told and asked: its start, its faults, its counts and its ledger.

use std::time::Duration;

use scenarios::Law;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use strategies::time::nanos;

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

/// `POST /fault` on the origin: from now on, for `for_ns`.
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
