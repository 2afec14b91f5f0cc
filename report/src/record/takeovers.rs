//! What happened while a server took another's place: a primary was lost, or slots moved.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happened while servers took each other's place: over all times when one did.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Takeovers")]
pub struct TakeoverSums {
    /// The longest of them, milliseconds.
    pub took_ms_max: f64,
    /// Operations on the cache that failed meanwhile.
    pub failed: u64,
    /// Flights that were led meanwhile and within a second after each: reads of the origin.
    pub led: u64,
    /// Of these those that began while another replica led one of the same key, neither for want of the cache: where there is a lock, it was
    /// held twice.
    pub led_twice: u64,
    /// Entries that a put had been acknowledged for and that were lost.
    pub puts_lost: u64,
    /// Of a cluster's commands meanwhile, the share that was sent elsewhere by `ASK`, 0 to 1; `None` where there were none.
    pub ask_share: Option<f64>,
    /// How many times as long as that of a plain command the median of those was that met `ASK`; `None` where none did.
    pub ask_p50_times: Option<f64>,
    /// The same of the 99th percentiles of those that met `MOVED`.
    pub moved_p99_times: Option<f64>,
    /// Each of them, in order of time.
    pub each: Vec<TakeoverFigures>,
}

/// What happened while a server took another's place.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Takeover")]
pub struct TakeoverFigures {
    /// Which event it was: `cache-failover` or `cluster-migrate`.
    pub action: String,
    /// When it began, milliseconds after t = 0.
    pub at_ms: f64,
    /// How long until the keys took writes again, or the slots had moved.
    pub took_ms: f64,
    /// Operations on the cache that failed meanwhile.
    pub failed: u64,
    /// Flights that were led meanwhile and within a second after it: reads of the origin.
    pub led: u64,
    /// Of these those that were led without a lock, for the cache could not be asked or the wait for one was over.
    pub unlocked: u64,
    /// Of the others those that began while another replica led one of the same key: where there is a lock, it was held twice.
    pub led_twice: u64,
    /// Entries that a put had been acknowledged for and that were looked for afterwards, while they should have been fresh, in vain.
    pub puts_lost: u64,
    /// Of a cluster's commands meanwhile, the share that was sent elsewhere by `ASK`, 0 to 1.
    pub ask_share: Option<f64>,
    /// How long those took that had a reply at once.
    pub plain: Option<CommandLatency>,
    /// Those that were answered with `MOVED` before.
    pub moved: Option<CommandLatency>,
    /// With `ASK`.
    pub ask: Option<CommandLatency>,
    /// With `TRYAGAIN`.
    pub try_again: Option<CommandLatency>,
}

/// How long commands took, from a replica's wish to its reply, redirections included. A command without a reply is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct CommandLatency {
    /// How many.
    pub commands: u64,
    /// The median, milliseconds.
    pub p50_ms: f64,
    /// The 99th percentile.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}
