//! The names of the schema: which tables there are and which fields each takes.
//!
//! One list serves the refusal of unknown fields and the dotted paths of `--set`, so that the two can't drift apart.

use crate::values::{server, simulated};

pub(crate) const TOP: [&str; 15] = [
    "schema",
    "name",
    "summary",
    "strategies",
    "load",
    "limit",
    "keys",
    "writes",
    "cache",
    "origin",
    "replica",
    "budgets",
    "warm",
    "event",
    "threshold",
];
pub(crate) const LOAD: [&str; 22] = [
    "kind", "window", "clients", "think", "rate", "arrivals", "start", "batch", "warmup", "duration", "timeout",
    "on_down", "ramp", "retry", "trace", "format", "key", "speed", "from", "to", "ops", "found",
];
/// What one look through a trace found.
pub(crate) const FOUND: [&str; 6] = ["requests", "writes", "keys", "length", "peak_per_s", "digest"];
pub(crate) const LIMIT: [&str; 1] = ["per_window"];
pub(crate) const RETRY: [&str; 5] = ["attempts", "base", "cap", "budget", "retry_after"];
/// `to` is of a rate, `clients` of a closed load.
pub(crate) const RAMP: [&str; 4] = ["at", "to", "clients", "over"];
pub(crate) const KEYS: [&str; 13] = [
    "kind",
    "n",
    "hot_share",
    "exponent",
    "sample_of",
    "value_size",
    "compressible",
    "slots",
    "missing_share",
    "missing_n",
    "churn",
    "from_rows",
    "class",
];
pub(crate) const CLASS: [&str; 8] = ["share", "n", "kind", "hot_share", "exponent", "pattern", "ttl", "value_size"];
pub(crate) const WRITES: [&str; 5] = ["rate", "share", "kind", "hot_share", "exponent"];
pub(crate) const CACHE: [&str; 3] = ["ttl", "redis", "simulated"];
pub(crate) const ORIGIN: [&str; 5] = ["service_time", "write_time", "concurrency", "queue", "write_every"];
pub(crate) const REPLICA: [&str; 2] = ["concurrency", "queue"];
/// The client's is `load.timeout`.
pub(crate) const BUDGETS: [&str; 3] = ["replica", "origin_read", "lock_wait"];
pub(crate) const WARM: [&str; 2] = ["burst", "ages"];
pub(crate) const EVENT: [&str; 11] =
    ["at", "do", "for", "factor", "share", "add", "target", "key", "keys", "slots", "how"];
pub(crate) const THRESHOLD: [&str; 4] = ["strategy", "metric", "at_most", "at_least"];
/// Of a law of sizes.
pub(crate) const SIZES: [&str; 3] = ["dist", "p50", "p99"];
pub(crate) const LAW: [&str; 6] = ["dist", "mean", "p50", "p99", "min", "max"];

/// Fields of the top that hold a value, not a table.
const PLAIN: [&str; 4] = ["schema", "name", "summary", "strategies"];
/// Tables whose fields a `--set` can reach. Thresholds are a list and have no path; of events, see [`OF_EVENTS`].
const TABLES: [(&str, &[&str]); 12] = [
    ("load", &LOAD),
    ("load.retry", &RETRY),
    ("limit", &LIMIT),
    ("keys", &KEYS),
    ("writes", &WRITES),
    ("cache", &CACHE),
    (SERVER, &server::NAMES),
    ("cache.simulated", &simulated::NAMES),
    ("origin", &ORIGIN),
    ("replica", &REPLICA),
    ("budgets", &BUDGETS),
    ("warm", &WARM),
];
/// The table of what a real Redis is set up with.
const SERVER: &str = "cache.redis";
/// Fields of events that a `--set event.FIELD` can reach: in every event that has it.
pub(crate) const OF_EVENTS: [&str; 3] = ["for", "factor", "how"];
/// Fields that may be a law, and so have fields of their own.
const LAWS: [&str; 3] = ["load.think", "origin.service_time", "origin.write_time"];

/// Every dotted path that a `--set` may name.
pub(crate) fn paths() -> Vec<String> {
    PLAIN.iter().map(|name| (*name).to_owned()).chain(all()).collect()
}

/// Every dotted path of a field that shapes what happens in every lab: those of `--set` but the scenario's names, its strategies, and the
/// settings of a real Redis.
#[must_use]
pub fn settable() -> Vec<String> {
    all().into_iter().filter(|path| !path.starts_with(SERVER)).collect()
}

fn all() -> Vec<String> {
    let inner = TABLES.iter().flat_map(|(table, fields)| fields.iter().map(move |field| format!("{table}.{field}")));
    let laws = LAWS.iter().flat_map(|law| LAW.iter().map(move |field| format!("{law}.{field}")));
    let events = OF_EVENTS.iter().map(|field| format!("event.{field}"));
    inner.chain(laws).chain(events).collect()
}
