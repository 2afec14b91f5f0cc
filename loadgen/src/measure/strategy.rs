//! A strategy's record, put together from everything that was seen of it.

use std::collections::BTreeMap;

use app::control::{LedgerRow, ReplicaCounters};
use report::record::{BinRow, EventRow, Hot, Ledgers, Origin, OriginRow, Retries, Stale, Strategy};
use scenarios::Scenario;
use strategies::time::nanos;

use super::events::{Guards, counts};
use super::origin::{Read, in_flight_max, max_in_window, per_expiry, seconds_over};
use super::predicted::predicted;
use super::recovery::{Hurt, recovery};
use crate::record::{Collected, latency};
use crate::settings::Subject;

/// Seconds with more than so many origin reads are counted, as in the primer's tables.
const SECONDS_OVER: u64 = 50;

/// What was seen of a strategy's run.
pub struct Evidence<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// What was measured.
    pub subject: &'a Subject,
    /// How many replicas there are.
    pub replicas: u32,
    /// Where the measured phase ended, nanoseconds since t = 0: earlier than planned where Ctrl-C cut it short.
    pub end_ns: i64,
    /// What the recorder has.
    pub collected: &'a Collected,
    /// What the origin saw; `None` where it is nobody of ours.
    pub origin: Option<OriginSeen<'a>>,
    /// All events in order of time; `None` where there are no replicas to tell of any.
    pub events: Option<&'a [EventRow]>,
    /// The two ledgers, compared, where there are two.
    pub ledgers: Option<Ledgers>,
    /// When the scenario's events hurt, where it has any.
    pub hurt: Option<Hurt>,
    /// What the replicas counted between t = 0 and the end of the load, summed.
    pub counters: ReplicaCounters,
}

/// The origin's ledger, and where its clock stands.
#[derive(Debug, Clone, Copy)]
pub struct OriginSeen<'a> {
    /// Its rows.
    pub ledger: &'a [LedgerRow],
    /// From the origin's clock to nanoseconds since t = 0.
    pub offset_ns: i64,
}

/// The figures, and the rows that the origin's side completes.
pub struct Figures {
    /// The record; `valid` is still to be judged.
    pub strategy: Strategy,
    /// `origin.csv`, where the origin's ledger was read.
    pub origin_rows: Option<Vec<OriginRow>>,
    /// `seconds.csv`.
    pub seconds: Vec<BinRow>,
    /// `bins100ms.csv`.
    pub bins: Vec<BinRow>,
}

/// Computes the figures.
#[must_use]
pub fn figures(evidence: &Evidence<'_>) -> Figures {
    let end_ns = evidence.end_ns;
    let origin_rows = evidence.origin.map(|seen| origin_rows(seen, end_ns));
    let mut seconds = evidence.collected.seconds.clone();
    let mut bins = evidence.collected.bins.clone();
    if evidence.scenario.load.retry.is_none() {
        seconds.iter_mut().chain(&mut bins).for_each(|row| row.retries = None);
    }
    if let Some(rows) = &origin_rows {
        // Reads of the drain belong to no row: a row has what belongs to its phase.
        let counted: Vec<Read> = rows.iter().filter(|r| r.phase != "drain").map(read).collect();
        add_origin(&mut seconds, &counted, 1000);
        add_origin(&mut bins, &counted, 100);
    }
    let mut strategy = record(evidence, origin_rows.as_deref(), end_ns);
    strategy.recovery = evidence.hurt.and_then(|hurt| recovery(&seconds, hurt, end_ns));
    Figures { strategy, origin_rows, seconds, bins }
}

fn read(row: &OriginRow) -> Read {
    Read { arrived_ns: row.arrived_ns, end_ns: row.end_ns }
}

fn record(evidence: &Evidence<'_>, rows: Option<&[OriginRow]>, end_ns: i64) -> Strategy {
    let (collected, scenario) = (evidence.collected, evidence.scenario);
    let hot_key = scenario.keys.hot_key().map(|k| k.to_string());
    let subject = evidence.subject;
    let planned_ns = i64::try_from(nanos(scenario.load.duration)).unwrap_or(i64::MAX);
    let outcomes = collected.outcomes;
    let sent = collected.sent;
    // Where answers did not say how they were made, no share of the others is known.
    let share = |part: u64| (sent > 0 && outcomes.unknown == 0).then(|| round(part as f64 / sent as f64, 1e6));
    let theory = predicted(scenario, subject, evidence.replicas, end_ns);
    let operations = evidence.counters.cache_ops as f64 / evidence.counters.requests as f64;
    Strategy {
        name: subject.name.clone(),
        spec: subject.composition.clone(),
        folder: subject.folder.clone(),
        cut_after_s: (end_ns < planned_ns).then(|| round(end_ns as f64 / 1e9, 1e3)),
        valid: false,
        invalid_because: Vec::new(),
        requests: sent,
        errors: outcomes.error,
        error_kinds: collected.errors.clone(),
        hit_ratio: share(outcomes.hit + outcomes.stale),
        origin: rows.map(|rows| origin(evidence, rows, end_ns)),
        hot: hot_key.map(|key| Hot {
            requests: collected.hot_outcomes.sum(),
            outcomes: collected.hot_outcomes,
            origin_total: rows.map(|rows| measured_arrivals(rows, Some(&key)).len() as u64),
            key,
        }),
        predicted: theory.0,
        not_predicted: theory.1,
        latency_ms: latency(&collected.measured[0]),
        service_ms: latency(&collected.measured[1]),
        lag_ms: latency(&collected.measured[2]),
        outcomes,
        events: evidence.events.map(|events| {
            let layers = subject.strategy.as_ref().map(strategies::Spec::layers).unwrap_or_default();
            let has = |name: &str| layers.iter().any(|layer| layer.name == name);
            counts(events, end_ns, Guards { limit: has("limit"), breaker: has("breaker") })
        }),
        stale: Stale {
            share: share(outcomes.stale),
            overage_ms_max: (outcomes.unknown == 0).then(|| collected.overage_us_max.div_ceil(1000)),
        },
        peak_waiters: evidence.counters.peak_waiters,
        life_s: subject.strategy.as_ref().map(|spec| spec.soft_life_mean(scenario.cache.ttl).as_secs_f64()),
        cache_ops_per_request: operations.is_finite().then(|| round(operations, 1e4)),
        unsent: collected.offered - sent.min(collected.offered),
        moved_on: collected.moved_on,
        resent: Some(collected.resent),
        retries: scenario.load.retry.map(|_| Retries {
            attempts: sent + collected.retries,
            retried: collected.tries.retried,
            saved: collected.tries.saved,
            refused_by_budget: collected.tries.unpaid,
        }),
        recovery: None,
        generator_cpu_cores: None,
        conditions: None,
        unwitnessed: 0,
        ledgers: evidence.ledgers.clone(),
        repeats: Vec::new(),
    }
}

/// When the reads of the measured phase arrived, of one key or of all, in order.
fn measured_arrivals(rows: &[OriginRow], key: Option<&str>) -> Vec<i64> {
    let wanted = rows.iter().filter(|row| row.phase == "measured" && key.is_none_or(|key| row.key == key));
    wanted.map(|row| row.arrived_ns).collect()
}

fn origin(evidence: &Evidence<'_>, rows: &[OriginRow], end_ns: i64) -> Origin {
    let scenario = evidence.scenario;
    let arrivals = measured_arrivals(rows, None);
    let reads: Vec<Read> = rows.iter().map(read).collect();
    let hot_key = scenario.keys.hot_key().map(|key| key.to_string());
    Origin {
        total: arrivals.len() as u64,
        max_per_second: max_in_window(&arrivals),
        max_in_flight: in_flight_max(&reads, 0, end_ns),
        seconds_over: BTreeMap::from([(SECONDS_OVER.to_string(), seconds_over(&arrivals, SECONDS_OVER))]),
        floor: evidence.collected.floor,
        per_expiry: hot_key.and_then(|key| per_expiry(&key, rows, evidence.events, end_ns)),
    }
}

/// The start of each key's last load before t = 0, nanoseconds since t = 0: what the warm-up or the burst left in the
/// cache, as the origin saw it.
#[must_use]
pub fn warm_state(scenario: &Scenario, ledger: &[LedgerRow], origin_offset_ns: i64) -> BTreeMap<u32, i64> {
    let service = scenario.origin.service_time.mean();
    let mut state = BTreeMap::new();
    for row in ledger {
        let arrived = since_start(row.arrived_ns, origin_offset_ns);
        let Some(key) = row.key.parse::<u32>().ok().filter(|_| arrived < 0) else { continue };
        // A burst stores every key at t = 0, whenever its value was read; with so much of its life behind it.
        let start = scenario.warm.map_or(arrived, |warm| {
            let behind = scenario.cache.ttl.mul_f64(1.0 - warm.life_left(key));
            -i64::try_from(nanos(service + behind)).unwrap_or(0)
        });
        let last = state.entry(key).or_insert(start);
        *last = start.max(*last);
    }
    state
}

/// From the origin's clock to nanoseconds since t = 0.
fn since_start(mono_ns: u64, origin_offset_ns: i64) -> i64 {
    i64::try_from(mono_ns).unwrap_or(i64::MAX).saturating_add(origin_offset_ns)
}

fn origin_rows(seen: OriginSeen<'_>, end_ns: i64) -> Vec<OriginRow> {
    let at = |mono_ns: u64| since_start(mono_ns, seen.offset_ns);
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
    let mut rows: Vec<OriginRow> = seen.ledger.iter().map(row).collect();
    rows.sort_by_key(|row| row.arrived_ns);
    rows
}

/// Fills in the origin's columns of rows that are `width_ms` wide each, and in order of time.
fn add_origin(rows: &mut [BinRow], reads: &[Read], width_ms: i64) {
    const MS: i64 = 1_000_000;
    // (when, change): an end sorts before an arrival at the same moment.
    let arrivals = reads.iter().map(|read| (read.arrived_ns, 1));
    let ends = reads.iter().filter_map(|read| Some((read.end_ns?, -1)));
    let mut changes: Vec<(i64, i64)> = arrivals.chain(ends).collect();
    changes.sort_unstable();
    let (mut next, mut open) = (0, 0_i64);
    for row in rows {
        let (from, to) = (row.start_ms * MS, (row.start_ms + width_ms) * MS);
        let (mut most, mut starts) = (0, 0);
        while let Some((at, change)) = changes.get(next).copied().filter(|(at, _)| *at < to) {
            if at > from {
                most = most.max(open);
            }
            open += change;
            starts += u64::from(change > 0 && at >= from);
            next += 1;
        }
        row.origin_starts = Some(starts);
        row.origin_in_flight_max = Some(most.max(open).max(0).unsigned_abs());
    }
}

pub(super) fn round(value: f64, to: f64) -> f64 {
    (value * to).round() / to
}
