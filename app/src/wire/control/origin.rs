//! What the origin is told and asked: its start, its faults, its counts and its ledger.

use std::time::Duration;

use evidence::OriginFault;
use scenarios::{Law, SizeLaw};
use serde::{Deserialize, Serialize};
use strategies::time::nanos;

use super::items::ItemsWire;

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

/// A law of sizes on the wire, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "law", rename_all = "lowercase")]
pub enum SizesWire {
    /// Always so many.
    Constant {
        /// How many.
        bytes: u32,
    },
    /// Its logarithm is normal.
    LogNormal {
        /// The median.
        p50: u32,
        /// The 99th percentile.
        p99: u32,
    },
}

impl From<SizeLaw> for SizesWire {
    fn from(law: SizeLaw) -> Self {
        match law {
            SizeLaw::Constant(bytes) => Self::Constant { bytes },
            SizeLaw::LogNormal { p50, p99 } => Self::LogNormal { p50, p99 },
        }
    }
}

impl From<SizesWire> for SizeLaw {
    fn from(wire: SizesWire) -> Self {
        match wire {
            SizesWire::Constant { bytes } => Self::Constant(bytes),
            SizesWire::LogNormal { p50, p99 } => Self::LogNormal { p50, p99 },
        }
    }
}

/// `POST /start` on the origin: these rows, this service, an empty ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartOrigin {
    /// Rows 1 to so many.
    pub items: u32,
    /// How large each item's values are.
    pub sizes: ItemsWire<SizesWire>,
    /// The share of each value that is filler, which compression takes away: 0 to 1.
    #[serde(default)]
    pub compressible: f64,
    /// Reads that may be served at once.
    pub concurrency: u32,
    /// Reads that may wait for a place beyond that.
    pub queue: u32,
    /// How long a read holds its place.
    pub service_time: LawWire,
    /// How long a write holds its place; `None`: as long as a read.
    #[serde(default)]
    pub write_time: Option<LawWire>,
    /// The run's seed: values and service times are drawn from it.
    pub seed: u64,
    /// How often every row gets a new version, nanoseconds; `None` for never.
    pub write_every_ns: Option<u64>,
}

/// `POST /fault` on the origin: from now on, for `for_ns`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FaultOrigin {
    /// What.
    pub kind: OriginFault,
    /// For how long, nanoseconds.
    pub for_ns: u64,
}
