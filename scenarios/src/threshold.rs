//! Thresholds: what a strategy's figures must be for the run to pass.
//!
//! Metrics are dotted paths into a strategy's record in `run.json`. The list of them stands here, not in `report`, which
//! a scenario must not know; a name that is not in it would be a threshold that never bites.

use std::fmt::Write as _;

use crate::schema::nearest::did_you_mean;
use crate::schema::source::safe;
use crate::schema::walk::{Fields, Walk};
use crate::values::keys::Keys;

/// The figures that a threshold may name.
pub const METRICS: [&str; 126] = [
    "requests",
    "errors",
    "errors.share",
    "shed.share",
    "hit_ratio",
    "origin.total",
    "origin.max_per_second",
    "origin.max_in_flight",
    "origin.floor",
    "origin.per_expiry.mean",
    "origin.per_expiry.p50",
    "origin.per_expiry.max",
    "hot.requests",
    "hot.origin_total",
    "hot.outcomes.hit",
    "hot.outcomes.stale",
    "hot.outcomes.wait",
    "hot.outcomes.load",
    "hot.outcomes.shed",
    "hot.outcomes.error",
    "latency_ms.p50",
    "latency_ms.p95",
    "latency_ms.p99",
    "latency_ms.p99_9",
    "latency_ms.max",
    "outcomes.hit",
    "outcomes.stale",
    "outcomes.wait",
    "outcomes.load",
    "outcomes.shed",
    "outcomes.error",
    "events.early_refresh",
    "events.refresh_started",
    "events.refresh_failed",
    "events.lock_lost",
    "events.lock_fallback",
    "events.lock_timeout",
    "events.fenced",
    "events.corrupt",
    "events.cache_errors",
    "events.leader_vanished",
    "events.limit_refused",
    "events.breaker_refused",
    "events.breaker_opened",
    "events.cache_breaker_opened",
    "events.cache_breaker_closed",
    "events.breaker_closed",
    "retries.attempts",
    "retries.retried",
    "retries.saved",
    "retries.refused_by_budget",
    "stale.share",
    "stale.overage_ms_max",
    "behind.share",
    "behind.stale",
    "behind.age_ms.max",
    "behind.wrong_ms_max",
    "behind.own_writes_missed",
    "behind.went_back",
    "writes.acknowledged",
    "writes.wrong_sets",
    "writes.keys_left_wrong",
    "levels.near",
    "levels.near_share",
    "levels.shared_reads",
    "levels.shared_reads_per_s",
    "levels.told",
    "levels.heard",
    "levels.lost",
    "levels.flushed",
    "levels.overtaken",
    "pool.asked",
    "pool.waited",
    "pool.waited_share",
    "pool.waited_elsewhere",
    "pool.wait_ms.p99",
    "pool.wait_ms.max",
    "pool.in_use_max",
    "pool.gave_up",
    "traffic.commands_per_request",
    "traffic.read_per_request",
    "traffic.written_per_request",
    "traffic.round_trips_per_request",
    "traffic.torn",
    "shards.operations",
    "shards.fullest_share",
    "shards.moved",
    "shards.ask",
    "shards.try_again",
    "takeovers.took_ms_max",
    "takeovers.failed",
    "takeovers.led",
    "takeovers.led_twice",
    "takeovers.puts_lost",
    "takeovers.ask_share",
    "takeovers.ask_p50_times",
    "takeovers.moved_p99_times",
    "server.hit_ratio",
    "server.evicted",
    "server.forks",
    "server.fork_ms_max",
    "server.saves",
    "server.rewrites",
    "server.slow_commands",
    "server.slowest_near_share",
    "cache_ops_per_request",
    "peak_waiters",
    "unsent",
    "moved_on",
    "resent",
    "recovery.troubled_s",
    "recovery.after_s",
    "recovery.recovered",
    "recovery.recovered_after_s",
    "unwitnessed",
    "counters.acknowledged",
    "counters.unknown",
    "counters.refused",
    "counters.windows",
    "counters.lost",
    "counters.extra",
    "counters.resets",
    "counters.long_windows",
    "counters.begun_max_per_second",
    "counters.immortal_at_end",
    "counters.above_limit",
];

/// The beginnings of metrics that exist only where one key is hot.
const OF_THE_HOT_KEY: [&str; 2] = ["hot.", "origin.per_expiry."];

/// The beginning of metrics that exist only where the load counts.
const OF_COUNTERS: &str = "counters.";

/// What one figure of one strategy must be.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// The strategy, as the scenario's list writes it.
    pub strategy: String,
    /// One of [`METRICS`].
    pub metric: String,
    /// The bound.
    pub bound: Bound,
}

/// A bound, in the metric's own unit; the bound itself passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

impl Threshold {
    /// Reads one threshold of a scenario with these strategies and keys, where they are known, and whose load counts or does not.
    pub(crate) fn read(
        walk: &mut Walk<'_>,
        fields: &Fields<'_>,
        strategies: Option<&[String]>,
        keys: Option<&Keys>,
        counts: bool,
    ) -> Option<Self> {
        let strategy = read_strategy(walk, fields, strategies);
        let metric = read_metric(walk, fields, keys, counts);
        let bound = read_bound(walk, fields);
        Some(Self { strategy: strategy?, metric: metric?, bound: bound? })
    }

    pub(crate) fn write(&self, out: &mut String) {
        let quoted = crate::schema::quoted::quoted;
        let (word, value) = match self.bound {
            Bound::AtMost(value) => ("at_most", value),
            Bound::AtLeast(value) => ("at_least", value),
        };
        let (strategy, metric) = (quoted(&self.strategy), quoted(&self.metric));
        let _ = writeln!(out, "\n[[threshold]]\nstrategy = {strategy}\nmetric = {metric}\n{word} = {value:?}");
    }
}

fn read_strategy(walk: &mut Walk<'_>, fields: &Fields<'_>, strategies: Option<&[String]>) -> Option<String> {
    let strategy = walk.text(fields, "strategy", "singleflight")?;
    let (Some(strategies), Some(node)) = (strategies, fields.get("strategy")) else {
        return Some(strategy);
    };
    if strategies.contains(&strategy) {
        return Some(strategy);
    }
    let guess = did_you_mean(&strategy, strategies.iter().map(String::as_str));
    let what = format!("`{}` is not in the scenario's strategies{guess}", safe(&strategy, 60));
    walk.refuse(node, what, &safe(&strategies.join(", "), 200), "write it as in the list, or add it there");
    None
}

fn read_metric(walk: &mut Walk<'_>, fields: &Fields<'_>, keys: Option<&Keys>, counts: bool) -> Option<String> {
    let words: Vec<(&'static str, &'static str)> = METRICS.iter().map(|metric| (*metric, *metric)).collect();
    let metric = walk.word(fields, "metric", &words, None)?;
    let hot = OF_THE_HOT_KEY.iter().any(|start| metric.starts_with(start));
    if hot
        && keys.is_some_and(|keys| keys.hot_key().is_none())
        && let Some(node) = fields.get("metric")
    {
        walk.refuse(
            node,
            "the metric is about the hot key, and these keys have none",
            "it with kind = \"hot\" or kind = \"single\"",
            "choose another metric, or other keys",
        );
        return None;
    }
    if let (false, true, Some(node)) = (counts, metric.starts_with(OF_COUNTERS), fields.get("metric")) {
        walk.refuse(
            node,
            "the metric is about counters, and this load reads",
            "it with kind = \"count\" in [load]",
            "choose another metric, or another kind of load",
        );
        return None;
    }
    Some(metric.to_owned())
}

fn read_bound(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<Bound> {
    let not_negative = |value: f64| value >= 0.0;
    match (fields.has("at_most"), fields.has("at_least")) {
        (true, false) => walk.number(fields, "at_most", "0 or more", not_negative).map(Bound::AtMost),
        (false, true) => walk.number(fields, "at_least", "0 or more", not_negative).map(Bound::AtLeast),
        (false, false) => {
            walk.missing(fields, "at_most", "write at_most = 15, or at_least = 0.9");
            None
        }
        (true, true) => {
            walk.report(
                &fields.place,
                "a threshold has one bound",
                "found at_most and at_least, allowed one of them",
                "write two thresholds",
            );
            None
        }
    }
}
