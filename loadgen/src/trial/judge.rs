//! From what was seen of a strategy's run, in whichever lab, to its figures, its events and the doubts about them.

use std::time::Duration;

use app::control::{LedgerRow, ReplicaCounters, ReplicaEvents};
use report::record::{Conditions, EventRow, OriginRow};
use scenarios::{LoadKind, Scenario};
use strategies::time::nanos;

use super::Trial;
use crate::faults::Aftermath;
use crate::lab::Offset;
use crate::measure::{
    Circumstances, During, Evidence, Figures, Flights, Floor, Hurt, OriginSeen, Part, Seen, compare, conditions,
    doubts, event_rows, figures,
};
use crate::record::Collected;
use crate::settings::Subject;

/// What was seen.
pub struct Observed<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// What was measured.
    pub subject: &'a Subject,
    /// t = 0 on the generator's clock.
    pub t0_ns: i64,
    /// Where the measured phase ended, nanoseconds since t = 0.
    pub end_ns: i64,
    /// Whether Ctrl-C cut it short.
    pub stopped: bool,
    /// What the recorder has.
    pub collected: Collected,
    /// The origin's ledger and its clock, where it is ours.
    pub origin: Option<(Vec<LedgerRow>, Offset)>,
    /// Each replica's events and its clock; none of a target.
    pub replicas: Vec<(ReplicaEvents, Offset)>,
    /// What the replicas counted between t = 0 and the end of the load, summed.
    pub counters: ReplicaCounters,
    /// The planned events: what took effect, and what did not; and what follows from them.
    pub aftermath: Aftermath,
    /// How the lab's parts fared; none of a simulated one.
    pub parts: Vec<Part>,
    /// What is known beside all that. What follows from the rest is filled in here.
    pub circumstances: Circumstances,
}

/// Judges it.
#[must_use]
pub fn judge(observed: Observed<'_>) -> Trial {
    let Observed { scenario, subject, t0_ns, end_ns, stopped, collected, origin, replicas, aftermath, .. } = observed;
    let clocks = replicas.iter().map(|(_, clock)| clock).chain(origin.as_ref().map(|(_, clock)| clock));
    let uncertainty = clocks.map(|c| c.uncertainty_ns).max();
    let seen: Vec<Seen<'_>> = (0_u32..)
        .zip(&replicas)
        .map(|(replica, (events, clock))| Seen { replica, events, offset_ns: clock.to_ours_ns - t0_ns })
        .collect();
    let mut own = phases(scenario.load.warmup, end_ns);
    let faults_failed = aftermath.rows.iter().filter(|e| e.event == "fault-failed").count() as u64;
    own.extend(aftermath.rows.iter().cloned());
    let events = event_rows(&seen, own, end_ns);
    // A target's caches keep no list of flights, so there is nothing to compare the origin's with.
    let two_ledgers = origin.as_ref().filter(|_| !replicas.is_empty());
    let ledgers = two_ledgers.map(|(ledger, _)| {
        let flights = Flights::of(replicas.iter().map(|(events, _)| events));
        let witnessed = |flight: &str| !aftermath.is_unwitnessed(flight);
        let rows: Vec<LedgerRow> = ledger.iter().filter(|row| witnessed(&row.flight)).cloned().collect();
        let received: Vec<String> = collected.flights.iter().filter(|flight| witnessed(flight)).cloned().collect();
        // Of an attempt that was not the last, or was sent again, the answer may have been lost, too.
        let lost = collected.errors_of_all_phases + collected.retries_of_all_phases + collected.resent_of_all_phases;
        compare(&flights, &rows, &received, lost)
    });
    let mut figures = figures(&Evidence {
        scenario,
        subject,
        replicas: u32::try_from(replicas.len()).unwrap_or(u32::MAX),
        end_ns,
        collected: &collected,
        origin: origin.as_ref().map(|(ledger, c)| OriginSeen { ledger, offset_ns: c.to_ours_ns - t0_ns }),
        events: (!replicas.is_empty()).then_some(&events),
        ledgers,
        hurt: hurt(scenario, subject, &aftermath.rows),
        counters: observed.counters,
    });
    let rows = origin.iter().flat_map(|(ledger, _)| ledger);
    figures.strategy.unwitnessed = rows.filter(|row| aftermath.is_unwitnessed(&row.flight)).count() as u64;
    let unexplained = |event: &str| -> Vec<&EventRow> {
        events.iter().filter(|e| e.event == event && !aftermath.explains(e.t_ns, e.replica)).collect()
    };
    let (failed, unheard) = (unexplained("cache-failed"), unexplained("wake-lost"));
    let during = During { from_ns: -since_start(scenario.load.warmup), to_ns: end_ns };
    let (fared, against) = conditions(&observed.parts, during, &aftermath);
    if !observed.parts.is_empty() {
        figures.strategy.conditions = Some(Conditions {
            wakes_lost: (!replicas.is_empty()).then(|| events.iter().filter(|e| e.event == "wake-lost").count() as u64),
            writes_missed: observed.circumstances.writes_missed,
            ..fared
        });
    }
    // Of answers that do not say how they were made, none can be told to be a hit.
    let warm = !scenario.load.warmup.is_zero() && !stopped && figures.strategy.outcomes.unknown == 0;
    let reads_min = collected.floor_least.filter(|_| is_undisturbed(scenario, &figures, &events));
    let circumstances = Circumstances {
        reads_min: reads_min.filter(|_| !stopped),
        open_loop: matches!(scenario.load.kind, LoadKind::Open { .. }) && !stopped,
        planned: collected.offered,
        clock_uncertainty_ns: uncertainty.unwrap_or(0),
        foreign: subject.strategy.is_none(),
        hits_before_start: collected.warmth.as_ref().filter(|_| warm).and_then(|w| w.hits(&collected.seconds)),
        cache_errors: failed.len() as u64,
        cache_error_classes: classes(&failed),
        wakes_lost: unheard.len() as u64,
        against,
        events_dropped: replicas.iter().map(|(r, _)| r.dropped).sum(),
        wrong_bodies: collected.errors.get("wrong-body").copied().unwrap_or(0),
        faults_failed,
        ..observed.circumstances
    };
    figures.strategy.invalid_because = doubts(&figures.strategy, &circumstances);
    figures.strategy.valid = figures.strategy.invalid_because.is_empty();
    let origin_clock = origin.map(|(_, clock)| clock);
    Trial {
        figures,
        events,
        log: collected.log,
        origin_clock,
        clock_uncertainty_ns: uncertainty,
        probed: None,
        containers: None,
    }
}

/// Whether nothing kept anybody from reading the origin that needed it, and every read and every answer came soon enough for
/// the least number of reads to be a bound.
fn is_undisturbed(scenario: &Scenario, figures: &Figures, events: &[EventRow]) -> bool {
    let strategy = &figures.strategy;
    let soon = Floor::answer_max(scenario.origin.service_time.mean());
    let read_took = |row: &OriginRow| row.end_ns.map_or(i64::MAX, |end| end.saturating_sub(row.arrived_ns));
    let soon_read = figures.origin_rows.iter().flatten().all(|row| read_took(row) <= since_start(soon));
    let answered = strategy.latency_ms.max.is_some_and(|max| max <= soon.as_secs_f64() * 1e3);
    let spared = |row: &EventRow| {
        matches!(
            row.event.as_str(),
            "origin-spared" | "refresh-failed" | "lock-timeout" | "lock-fallback" | "cache-failed" | "fault"
        )
    };
    let all_read = strategy.errors + strategy.outcomes.shed + strategy.unsent == 0;
    all_read && soon_read && answered && scenario.events.is_empty() && !events.iter().any(spared)
}

fn since_start(length: Duration) -> i64 {
    i64::try_from(nanos(length)).unwrap_or(i64::MAX)
}

/// From the first event's moment to the end of the last one, as planned or as it was seen, whichever is later.
fn hurt(scenario: &Scenario, subject: &Subject, seen: &[EventRow]) -> Option<Hurt> {
    let from_ns = scenario.events.iter().map(|event| since_start(event.at)).min()?;
    let planned = scenario.events.iter().map(|e| since_start(e.at + e.action.length().unwrap_or_default()));
    let emptied_ns = planned.max()?;
    let seen = seen.iter().filter(|row| row.event.starts_with("fault")).map(|row| row.t_ns);
    let service = scenario.origin.service_time.mean();
    let clients = match scenario.load.kind {
        LoadKind::Closed { clients, .. } => Some(clients),
        LoadKind::Open { .. } => None,
    };
    Some(Hurt {
        from_ns,
        over_ns: seen.max().map_or(emptied_ns, |seen| seen.max(emptied_ns)),
        emptied_ns,
        service,
        service_max: scenario.origin.service_time.seldom_above(),
        capacity: f64::from(scenario.origin.concurrency) / service.as_secs_f64(),
        clients,
        life: subject.soft_life_max(scenario.cache.ttl),
    })
}

fn phases(warmup: Duration, end_ns: i64) -> Vec<EventRow> {
    let begun = -i64::try_from(nanos(warmup)).unwrap_or(i64::MAX);
    let row =
        |t_ns, phase: &str| EventRow { t_ns, event: "phase".into(), detail: Some(phase.into()), ..EventRow::default() };
    let mut rows = vec![row(0, "measured"), row(end_ns, "drain")];
    if begun < 0 {
        rows.insert(0, row(begun, "warmup"));
    }
    rows
}

/// The different failures of cache operations, for a sentence: `get down, put down`.
fn classes(failed: &[&EventRow]) -> String {
    let mut classes: Vec<&str> = failed.iter().filter_map(|e| e.detail.as_deref()).collect();
    classes.sort_unstable();
    classes.dedup();
    classes.join(", ")
}
