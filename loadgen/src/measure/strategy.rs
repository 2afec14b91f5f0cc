//! A strategy's record, put together from everything that was seen of it.

use std::collections::BTreeMap;
use std::time::Duration;

use app::control::{LedgerRow, ReplicaCounters};
use report::record::{BinRow, EventRow, Hot, Ledgers, Origin, OriginRow, Stale, Strategy};
use scenarios::Scenario;
use strategies::Spec;
use strategies::time::nanos;

use super::events::counts;
use super::floor::floor;
use super::origin::{Read, in_flight_max, max_in_window, per_expiry, seconds_over};
use crate::record::{Collected, latency};

/// Seconds with more than so many origin reads are counted, as in the primer's tables.
const SECONDS_OVER: u64 = 50;

/// What was seen of a strategy's run.
pub struct Evidence<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The strategy.
    pub spec: &'a Spec,
    /// Its folder in the run's folder.
    pub folder: String,
    /// Where the measured phase ended, nanoseconds since t = 0: earlier than planned where Ctrl-C cut it short.
    pub end_ns: i64,
    /// What the recorder has.
    pub collected: &'a Collected,
    /// The origin's ledger.
    pub ledger: &'a [LedgerRow],
    /// From the origin's clock to nanoseconds since t = 0.
    pub origin_offset_ns: i64,
    /// All events in order of time.
    pub events: &'a [EventRow],
    /// The two ledgers, compared.
    pub ledgers: Ledgers,
    /// What the replicas counted between t = 0 and the end of the load, summed.
    pub counters: ReplicaCounters,
}

/// The figures, and the rows that the origin's side completes.
pub struct Figures {
    /// The record; `valid` is still to be judged.
    pub strategy: Strategy,
    /// `origin.csv`.
    pub origin_rows: Vec<OriginRow>,
    /// `seconds.csv`.
    pub seconds: Vec<BinRow>,
    /// `bins100ms.csv`.
    pub bins: Vec<BinRow>,
}

/// Computes the figures.
#[must_use]
pub fn figures(evidence: &Evidence<'_>) -> Figures {
    let end_ns = evidence.end_ns;
    let origin_rows = origin_rows(evidence, end_ns);
    // Reads of the drain belong to no row: a row has what belongs to its phase.
    let counted = origin_rows.iter().filter(|r| r.phase != "drain");
    let counted: Vec<Read> = counted.map(|r| Read { arrived_ns: r.arrived_ns, end_ns: r.end_ns }).collect();
    let reads: Vec<Read> = origin_rows.iter().map(|r| Read { arrived_ns: r.arrived_ns, end_ns: r.end_ns }).collect();
    let mut seconds = evidence.collected.seconds.clone();
    let mut bins = evidence.collected.bins.clone();
    add_origin(&mut seconds, &counted, 1000);
    add_origin(&mut bins, &counted, 100);
    Figures { strategy: record(evidence, &origin_rows, &reads, end_ns), origin_rows, seconds, bins }
}

fn record(evidence: &Evidence<'_>, rows: &[OriginRow], reads: &[Read], end_ns: i64) -> Strategy {
    let (collected, scenario) = (evidence.collected, evidence.scenario);
    let hot_key = scenario.keys.hot_key().map(|k| k.to_string());
    let measured = |row: &&OriginRow| row.phase == "measured";
    let arrivals: Vec<i64> = rows.iter().filter(measured).map(|r| r.arrived_ns).collect();
    let of_hot = |row: &&OriginRow| Some(&row.key) == hot_key.as_ref();
    let hot_arrivals: Vec<i64> = rows.iter().filter(measured).filter(of_hot).map(|r| r.arrived_ns).collect();
    let planned_ns = i64::try_from(nanos(scenario.load.duration)).unwrap_or(i64::MAX);
    let ttl = evidence.spec.soft_life(scenario.cache.ttl);
    let outcomes = collected.outcomes;
    let sent = collected.sent;
    // Where answers did not say how they were made, no share of the others is known.
    let share = |part: u64| (sent > 0 && outcomes.unknown == 0).then(|| round(part as f64 / sent as f64, 1e6));
    let operations = evidence.counters.cache_ops as f64 / evidence.counters.requests as f64;
    Strategy {
        name: evidence.spec.name().to_owned(),
        spec: evidence.spec.canonical().to_owned(),
        folder: evidence.folder.clone(),
        cut_after_s: (end_ns < planned_ns).then(|| round(end_ns as f64 / 1e9, 1e3)),
        valid: false,
        invalid_because: Vec::new(),
        requests: sent,
        errors: outcomes.error,
        error_kinds: collected.errors.clone(),
        hit_ratio: share(outcomes.hit + outcomes.stale),
        origin: Some(Origin {
            total: arrivals.len() as u64,
            max_per_second: max_in_window(&arrivals),
            max_in_flight: in_flight_max(reads, 0, end_ns),
            seconds_over: BTreeMap::from([(SECONDS_OVER.to_string(), seconds_over(&arrivals, SECONDS_OVER))]),
            floor: (!evidence.spec.lengthens_ttl()).then(|| lazy_floor(evidence, rows, end_ns)),
            per_expiry: hot_key.as_ref().and_then(|_| per_expiry(&hot_arrivals, ttl)),
        }),
        hot: hot_key.clone().map(|key| Hot {
            key,
            requests: collected.hot_outcomes.sum(),
            outcomes: collected.hot_outcomes,
            origin_total: Some(hot_arrivals.len() as u64),
        }),
        latency_ms: latency(&collected.measured[0]),
        service_ms: latency(&collected.measured[1]),
        lag_ms: latency(&collected.measured[2]),
        outcomes,
        events: counts(evidence.events, end_ns),
        stale: Stale {
            share: share(outcomes.stale),
            overage_ms_max: (outcomes.stale > 0).then(|| collected.overage_us_max.div_ceil(1000)),
        },
        cache_ops_per_request: operations.is_finite().then(|| round(operations, 1e4)),
        unsent: collected.offered - sent.min(collected.offered),
        unwitnessed: 0,
        ledgers: evidence.ledgers.clone(),
    }
}

/// The floor for this strategy's own arrivals, from the state that its warm-up or burst left in the cache.
fn lazy_floor(evidence: &Evidence<'_>, rows: &[OriginRow], end_ns: i64) -> u64 {
    let service = evidence.scenario.origin.service_time.mean();
    let burst = evidence.scenario.warm.is_some();
    let mut state = BTreeMap::new();
    for row in rows.iter().filter(|r| r.arrived_ns < 0) {
        if let Ok(key) = row.key.parse::<u32>() {
            // A burst stores every key at t = 0, whenever its value was read.
            let start = if burst { -i64::try_from(nanos(service)).unwrap_or(0) } else { row.arrived_ns };
            let last = state.entry(key).or_insert(start);
            *last = start.max(*last);
        }
    }
    let life = |key| {
        if evidence.scenario.keys.is_missing(key) { evidence.spec.negative_life() } else { evidence.scenario.cache.ttl }
    };
    floor(&evidence.collected.arrivals, &state, service, life, end_ns)
}

fn origin_rows(evidence: &Evidence<'_>, end_ns: i64) -> Vec<OriginRow> {
    let at = |mono_ns: u64| i64::try_from(mono_ns).unwrap_or(i64::MAX).saturating_add(evidence.origin_offset_ns);
    let phase = |arrived: i64| match arrived {
        ..0 => "warmup",
        a if a < end_ns => "measured",
        _ => "drain",
    };
    let row = |row: &LedgerRow| OriginRow {
        key: row.key.clone(),
        replica: row.replica,
        flight: row.flight.clone(),
        phase: phase(at(row.arrived_ns)).into(),
        arrived_ns: at(row.arrived_ns),
        start_ns: row.start_ns.map(at),
        end_ns: row.end_ns.map(at),
        outcome: row.outcome.name().into(),
    };
    let mut rows: Vec<OriginRow> = evidence.ledger.iter().map(row).collect();
    rows.sort_by_key(|row| row.arrived_ns);
    rows
}

/// Fills in the origin's columns of rows that are `width_ms` wide each.
fn add_origin(rows: &mut [BinRow], reads: &[Read], width_ms: i64) {
    const MS: i64 = 1_000_000;
    for row in rows {
        let (from, to) = (row.start_ms * MS, (row.start_ms + width_ms) * MS);
        // Reads are in order of arrival, and none lasts longer than the time-outs allow: look at those near.
        let first = reads.partition_point(|r| r.arrived_ns < from - Duration::from_secs(60).as_nanos() as i64);
        let last = reads.partition_point(|r| r.arrived_ns < to);
        let near = &reads[first.min(last)..last];
        row.origin_starts = Some(near.iter().filter(|r| r.arrived_ns >= from).count() as u64);
        row.origin_in_flight_max = Some(in_flight_max(near, from, to));
    }
}

fn round(value: f64, to: f64) -> f64 {
    (value * to).round() / to
}
