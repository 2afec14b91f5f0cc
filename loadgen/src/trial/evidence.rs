//! What a strategy did: its ledgers and events, collected, compared and judged.

use std::time::Duration;

use app::cache_source::CacheStatus;
use app::control::{LedgerRow, ReplicaEvents};
use app::control_client::ControlError;
use report::record::EventRow;
use scenarios::LoadKind;
use strategies::time::nanos;

use super::{Before, Bench, Load, Trial};
use crate::measure::{Circumstances, Evidence, Flights, OriginSeen, Seen, compare, doubts, event_rows, figures};
use crate::settings::Subject;

impl Bench<'_> {
    pub(super) async fn evidence(
        &self,
        subject: &Subject,
        before: &Before,
        load: Load,
        not_quiet: u64,
    ) -> Result<Trial, ControlError> {
        let ledger: Option<Vec<LedgerRow>> = match &self.endpoints.origin {
            Some(origin) => Some(origin.get("/ledger").await?),
            None => None,
        };
        let mut replicas: Vec<ReplicaEvents> = Vec::new();
        for control in &self.endpoints.replicas {
            replicas.push(control.get("/events").await?);
        }
        let cache_after = match self.endpoints.replicas.first() {
            Some(replica) => Some(replica.get::<CacheStatus>("/cache").await),
            None => None,
        };
        let identities = self.identities().await?;
        let clocks = before.replica_clocks.iter().chain(&before.origin_clock);
        let uncertainty = clocks.map(|c| c.uncertainty_ns).max();

        let t0_ns = i64::try_from(load.t0.0).unwrap_or(i64::MAX);
        let seen: Vec<Seen<'_>> = (0_u32..)
            .zip(replicas.iter().zip(&before.replica_clocks))
            .map(|(replica, (events, clock))| Seen { replica, events, offset_ns: clock.to_ours_ns - t0_ns })
            .collect();
        let end_ns = load.end_ns;
        let mut own = phases(self.settings.scenario.load.warmup, end_ns);
        own.extend(load.faults.iter().cloned());
        let events = event_rows(&seen, own, end_ns);
        let collected = &load.collected;
        let origin = ledger.as_deref().zip(before.origin_clock);
        // A target's caches keep no list of flights, so there is nothing to compare the origin's with.
        let ledgers = ledger
            .as_deref()
            .filter(|_| !replicas.is_empty())
            .map(|ledger| compare(&Flights::of(&replicas), ledger, &collected.flights, collected.errors_of_all_phases));
        let evidence = Evidence {
            scenario: &self.settings.scenario,
            subject,
            end_ns,
            collected,
            origin: origin.map(|(ledger, clock)| OriginSeen { ledger, offset_ns: clock.to_ours_ns - t0_ns }),
            events: (!replicas.is_empty()).then_some(&events),
            ledgers,
            counters: load.counters,
        };
        let mut figures = figures(&evidence);
        let restarted = identities.iter().zip(&before.identities).filter(|(now, then)| now != then).count();
        let failed: Vec<&EventRow> = events.iter().filter(|e| e.event == "cache-failed").collect();
        let has_warmup = !self.settings.scenario.load.warmup.is_zero() && !self.stop.is_said();
        // Of answers that do not say how they were made, none can be told to be a hit.
        let warm = has_warmup && figures.strategy.outcomes.unknown == 0;
        let open_loop = matches!(self.settings.scenario.load.kind, LoadKind::Open { .. });
        let caches = cache_after.as_ref().and_then(|now| now.as_ref().ok()).zip(before.cache.as_ref());
        let circumstances = Circumstances {
            open_loop: open_loop && !self.stop.is_said(),
            planned: collected.offered,
            clock_uncertainty_ns: uncertainty.unwrap_or(0),
            foreign: subject.strategy.is_none(),
            hits_before_start: warm.then_some(collected.hits_before_start),
            cache_errors: failed.len() as u64,
            cache_error_classes: classes(&failed),
            cache_fault_planned: false,
            evicted: caches.map_or(0, |(now, then)| now.evicted.saturating_sub(then.evicted)),
            cache_restarted: caches.is_some_and(|(now, then)| now.incarnation != then.incarnation),
            cache_unknown: cache_after.as_ref().and_then(|now| now.as_ref().err()).map(ToString::to_string),
            replicas_restarted: u32::try_from(restarted).unwrap_or(u32::MAX),
            events_dropped: replicas.iter().map(|r| r.dropped).sum(),
            not_quiet,
            wrong_bodies: collected.errors.get("wrong-body").copied().unwrap_or(0),
            worker_died: load.worker_died,
            faults_failed: load.faults.iter().filter(|e| e.event == "fault-failed").count() as u64,
        };
        figures.strategy.invalid_because = doubts(&figures.strategy, &circumstances);
        figures.strategy.valid = figures.strategy.invalid_because.is_empty();
        Ok(Trial {
            figures,
            events,
            log: load.collected.log,
            origin_clock: before.origin_clock,
            clock_uncertainty_ns: uncertainty,
            probed: None,
        })
    }
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
