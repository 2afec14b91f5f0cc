//! What is found in a trace.

use std::time::Duration;

use super::amounts::{Amounts, CommonTtls};
use super::zipf::ZipfFit;
use crate::forecast::{HerdForecast, HerdQuestion};
use crate::format::TraceFormat;
use crate::key::KeyHash;
use crate::numbers::KEYS_MAX;
use crate::rate::{PeakSecond, RateSeries};
use crate::reader::ReadCounts;
use crate::row::TraceOp;

/// What is to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SummaryOptions {
    /// How many of the keys that are asked for most are listed, at most 1 000.
    pub top: usize,
    /// The most distinct keys.
    pub keys_max: u32,
    /// What herds are to be forecast for, if they are: 56 bytes more a key.
    pub herds: Option<HerdQuestion>,
}

impl Default for SummaryOptions {
    fn default() -> Self {
        Self { top: 20, keys_max: KEYS_MAX, herds: None }
    }
}

/// How many rows did what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpCounts {
    /// Reads.
    pub reads: u64,
    /// Writes.
    pub writes: u64,
    /// Deletions.
    pub deletes: u64,
    /// Increments and decrements.
    pub counts: u64,
    /// Rows that the server answered with an error of its own (5xx), whatever they did.
    pub failed: u64,
}

impl OpCounts {
    pub(super) fn add(&mut self, op: TraceOp, failed: bool) {
        let count = match op {
            TraceOp::Read => &mut self.reads,
            TraceOp::Write => &mut self.writes,
            TraceOp::Delete => &mut self.deletes,
            TraceOp::Count => &mut self.counts,
        };
        *count += 1;
        self.failed += u64::from(failed);
    }

    /// All rows.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.reads + self.writes + self.deletes + self.counts
    }

    /// The share of rows that change something: writes, deletions and counts; 0 of no row.
    #[must_use]
    pub fn write_share(&self) -> f64 {
        (self.all() - self.reads) as f64 / self.all().max(1) as f64
    }
}

/// One of the keys that are asked for most.
#[derive(Debug, Clone, PartialEq)]
pub struct TopKey {
    /// Its item number, from 1.
    pub number: u32,
    /// Its hash.
    pub key: KeyHash,
    /// Its name or pseudonym, where the reader keeps it.
    pub name: Option<Box<[u8]>>,
    /// All its rows, at most 2³² − 1.
    pub rows: u32,
    /// Those that read it.
    pub reads: u32,
    /// Its part of all rows.
    pub share: f64,
    /// Its rows a second; `None` where the trace has no duration.
    pub per_s: Option<f64>,
}

/// What a trace is like.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceSummary {
    /// Its format.
    pub format: TraceFormat,
    /// Whether rows of a whole second were spread over it.
    pub spread_seconds: bool,
    /// What was read, bad rows included.
    pub read: ReadCounts,
    /// From the first row to the last.
    pub duration: Duration,
    /// Rows a second in the mean: the gaps, one fewer than rows, by the duration; `None` where that is none.
    pub mean_per_s: Option<f64>,
    /// The rate over time.
    pub rate: RateSeries,
    /// The second with the most rows.
    pub peak: PeakSecond,
    /// Distinct keys, but for what two keys of one hash come to (see [`crate::numbers`]).
    pub distinct_keys: u32,
    /// Keys with one row alone.
    pub keys_once: u32,
    /// Rows by what they did.
    pub ops: OpCounts,
    /// Sizes, bytes.
    pub sizes: Amounts,
    /// TTLs, milliseconds.
    pub ttls: Amounts,
    /// The TTLs that are stated most.
    pub common_ttls: CommonTtls,
    /// The keys with the most rows, the first one first.
    pub top: Vec<TopKey>,
    /// The Zipf law that comes nearest; `None` of fewer than three keys, or of too few rows.
    pub zipf: Option<ZipfFit>,
    /// The herds, where they were asked for.
    pub herds: Option<HerdForecast>,
}
