//! The question and its answers.

use std::time::Duration;

use crate::key::KeyHash;
use crate::rate::PeakSecond;

/// What herds are forecast for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HerdQuestion {
    /// d: how long the origin takes for a read, above 0 and at most a day.
    pub service: Duration,
    /// T, where the trace states none; without it such keys never expire.
    pub ttl: Option<Duration>,
}

/// A trace as a load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TraceLoad {
    pub(crate) duration: Duration,
    pub(crate) reads: u64,
    pub(crate) distinct: u32,
}

/// A key as a load.
#[derive(Debug, Clone)]
pub(crate) struct KeyLoad {
    pub(crate) number: u32,
    pub(crate) key: KeyHash,
    pub(crate) name: Option<Box<[u8]>>,
    pub(crate) reads: u32,
}

/// What theory says of a key's herds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictedHerds {
    /// Reads of the origin at an expiry without protection: 1 + r·d.
    pub per_expiry: f64,
    /// From one herd's first read to the next one's, seconds: T + 1/r + L + d, L being how long after the first its last read begins.
    pub cycle_s: f64,
    /// The share of time in which a herd is under way: (L + d) / cycle.
    pub herd_share: f64,
    /// Herds in the trace, the one of the empty cache included; `None` where it has too few cycles for the renewal formula.
    pub herds: Option<f64>,
    /// Reads of the origin in the trace without protection; `None` likewise.
    pub reads: Option<f64>,
    /// The same with a single flight for the fleet: one a cycle of T + 1/r + d; `None` likewise.
    pub single_flight: Option<f64>,
}

/// What the trace's own arrivals say of a key's herds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CountedHerds {
    /// Reads of the origin at an expiry without protection, in the mean; 0 where there was none.
    pub per_expiry: f64,
    /// The share of time in which a herd is under way.
    pub herd_share: f64,
    /// Herds, the one of the empty cache included.
    pub herds: u32,
    /// Reads of the origin without protection.
    pub reads: u32,
    /// The same with a single flight for the fleet.
    pub single_flight: u32,
}

/// A key's herds.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyHerds {
    /// Its item number, from 1.
    pub number: u32,
    /// Its hash.
    pub key: KeyHash,
    /// Its name or pseudonym, where the reader keeps it.
    pub name: Option<Box<[u8]>>,
    /// r: its reads a second in the mean.
    pub reads_per_s: f64,
    /// T; `None` where it never expires.
    pub ttl: Option<Duration>,
    /// By theory, or why there is none: a clause.
    pub predicted: Result<PredictedHerds, &'static str>,
    /// By the trace's own arrivals.
    pub counted: CountedHerds,
}

/// What the whole trace would read of the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OriginReads {
    /// In all.
    pub reads: u64,
    /// The second in which the most begin.
    pub peak: PeakSecond,
}

/// The herds of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct HerdForecast {
    /// What was asked.
    pub question: HerdQuestion,
    /// All reads of the trace.
    pub reads: u64,
    /// Of the keys with the most rows, the first one first.
    pub keys: Vec<KeyHerds>,
    /// Of all keys without protection, counted.
    pub unprotected: OriginReads,
    /// Of all keys with a single flight for the fleet, counted.
    pub single_flight: OriginReads,
    /// Keys that are read and never expire.
    pub keys_without_ttl: u32,
}
