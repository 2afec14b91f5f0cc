//! `/metrics` of a replica: what its strategies have done since it started, whichever they were.
//!
//! It listens where the event log does, at the events' port: no layer and no policy knows of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::response::Response;
use prometheus::{Gauge, Histogram, IntCounter, IntGauge, IntGaugeVec};
use strategies::port::{BreakerState, CacheErrorClass, Cause, Event, EventSink, LeaderEnd, RefusedBy, Stored};
use strategies::{Outcome, PoolCounters};

use super::event_log::EventLog;
use crate::wire::metrics::{ByKind, Families, SECONDS};
use crate::wire::programs;

/// Upper bounds of how far past its TTL an answer was, seconds: from a refresh's own time to minutes.
const OVERAGE_SECONDS: [f64; 12] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// A replica's counters.
pub(super) struct ReplicaMetrics {
    families: Families,
    requests: ByKind<Outcome>,
    durations: Vec<Histogram>,
    stale_overage: Histogram,
    connections: ConnectionMetrics,
    requests_in_flight: IntGauge,
    background_tasks: IntGauge,
    strategy: IntGaugeVec,
    ttl: Gauge,
    cache_operations: IntCounter,
    /// Operations of the strategies that ran before the one that runs.
    operations_before: Mutex<u64>,
    cache_errors: ByKind<CacheErrorClass>,
    cache_puts: ByKind<Stored>,
    corrupt_entries: IntCounter,
    flights: ByKind<Cause>,
    flights_ended: ByKind<LeaderEnd>,
    early_refreshes: IntCounter,
    refreshes_failed: IntCounter,
    locks: LockMetrics,
    writes: WriteMetrics,
    reads_spared: ByKind<RefusedBy>,
    breakers: BreakerMetrics,
}

/// How a leader ended, as a label.
const ENDS: (&str, &[LeaderEnd], fn(LeaderEnd) -> &'static str) = ("end", &LeaderEnd::ALL, LeaderEnd::name);

/// What happens at locks.
struct LockMetrics {
    wait: Histogram,
    ended: ByKind<LeaderEnd>,
    timeouts: IntCounter,
    fallbacks: IntCounter,
    wakes_lost: IntCounter,
}

impl LockMetrics {
    fn of(of: &Families) -> Result<Self, String> {
        Ok(Self {
            wait: of.histogram("stampede_lock_wait_seconds", "Waits for somebody else's lock.", &SECONDS)?,
            ended: of.counters(
                "stampede_locks_ended_total",
                "Locks that this replica held, by how they ended.",
                ENDS,
            )?,
            timeouts: of.counter("stampede_lock_timeouts_total", "Callers that gave up waiting for a lock.")?,
            fallbacks: of.counter(
                "stampede_lock_fallbacks_total",
                "Fills that coalesced in this replica only, for the cache was lost.",
            )?,
            wakes_lost: of.counter(
                "stampede_wakes_lost_total",
                "Messages between replicas that nobody could listen for, or that were not taken: waiters polled.",
            )?,
        })
    }
}

/// Connections to the shared cache that come from a pool.
struct ConnectionMetrics {
    wait: Histogram,
    in_use: IntGauge,
    waited_for: IntGauge,
}

impl ConnectionMetrics {
    fn of(of: &Families) -> Result<Self, String> {
        Ok(Self {
            wait: of.histogram(
                "stampede_connection_wait_seconds",
                "How long a request waited for connections of the pool to the shared cache, all its operations together.",
                &SECONDS,
            )?,
            in_use: of.gauge("stampede_connections_in_use", "Connections of the pool that are taken.")?,
            waited_for: of
                .gauge("stampede_connections_waited_for", "Operations that wait for a connection of the pool.")?,
        })
    }
}

/// A breaker's state, as a label.
const STATES: (&str, &[BreakerState], fn(BreakerState) -> &'static str) =
    ("state", &BreakerState::ALL, BreakerState::name);

/// What breakers became.
struct BreakerMetrics {
    origin: ByKind<BreakerState>,
    cache: ByKind<BreakerState>,
}

impl BreakerMetrics {
    fn of(of: &Families) -> Result<Self, String> {
        Ok(Self {
            origin: of.counters(
                "stampede_breaker_changes_total",
                "Times that the breaker changed, by what it became.",
                STATES,
            )?,
            cache: of.counters(
                "stampede_cache_breaker_changes_total",
                "Times that the breaker of the shared cache changed, by what it became.",
                STATES,
            )?,
        })
    }
}

/// What becomes of writes.
struct WriteMetrics {
    committed: IntCounter,
    failed: IntCounter,
    told: IntCounter,
    not_told: IntCounter,
}

impl WriteMetrics {
    fn of(of: &Families) -> Result<Self, String> {
        Ok(Self {
            committed: of.counter("stampede_writes_total", "Writes that the origin committed.")?,
            failed: of.counter("stampede_writes_failed_total", "Writes that failed, as far as the replica knows.")?,
            told: of.counter("stampede_invalidations_total", "Keys that a write took out of the cache.")?,
            not_told: of.counter(
                "stampede_invalidations_failed_total",
                "Writes of which the cache could not be told: what it holds is wrong until its life is over.",
            )?,
        })
    }
}

impl ReplicaMetrics {
    /// Everything at zero.
    pub(super) fn new() -> Result<Self, String> {
        let of = Families::new(programs::REPLICA)?;
        let outcome = ("outcome", &Outcome::ALL[..], Outcome::name as fn(Outcome) -> &'static str);
        let stored = |stored| if stored == Stored::Stored { "stored" } else { "fenced" };
        Ok(Self {
            requests: of.counters("stampede_requests_total", "Answers, by how they were made.", outcome)?,
            durations: of.histograms(
                "stampede_request_duration_seconds",
                "From a request's arrival at the strategy to its answer.",
                outcome,
            )?,
            stale_overage: of.histogram(
                "stampede_stale_overage_seconds",
                "How far past its TTL a stale answer was.",
                &OVERAGE_SECONDS,
            )?,
            connections: ConnectionMetrics::of(&of)?,
            requests_in_flight: of.gauge("stampede_requests_in_flight", "Requests without an answer.")?,
            background_tasks: of.gauge("stampede_background_tasks", "Fills and refreshes that have not ended.")?,
            strategy: of.gauges(
                "stampede_strategy_info",
                "The strategy that runs now; always 1.",
                &["strategy", "replica"],
            )?,
            ttl: of.seconds("stampede_strategy_ttl_seconds", "The TTL that the run set.")?,
            cache_operations: of.counter("stampede_cache_operations_total", "Cache and lock operations.")?,
            operations_before: Mutex::new(0),
            cache_errors: of.counters(
                "stampede_cache_errors_total",
                "Cache and lock operations that failed, by kind.",
                ("kind", &CacheErrorClass::ALL, CacheErrorClass::name),
            )?,
            cache_puts: of.counters(
                "stampede_cache_puts_total",
                "Entries written, and those that a newer lock fenced off.",
                ("result", &[Stored::Stored, Stored::Fenced], stored),
            )?,
            corrupt_entries: of.counter("stampede_corrupt_entries_total", "Reads of something that is no entry.")?,
            flights: of.counters(
                "stampede_flights_total",
                "Origin reads begun, by cause.",
                ("cause", &Cause::ALL, Cause::name),
            )?,
            flights_ended: of.counters("stampede_flights_ended_total", "Origin reads ended, by how.", ENDS)?,
            early_refreshes: of.counter("stampede_early_refreshes_total", "Hits that decided to refresh early.")?,
            refreshes_failed: of.counter("stampede_refreshes_failed_total", "Background refreshes that failed.")?,
            locks: LockMetrics::of(&of)?,
            writes: WriteMetrics::of(&of)?,
            reads_spared: of.counters(
                "stampede_origin_reads_spared_total",
                "Origin reads that a layer refused, by which and why.",
                ("by", &RefusedBy::ALL, RefusedBy::name),
            )?,
            breakers: BreakerMetrics::of(&of)?,
            families: of,
        })
    }

    /// A strategy begins, in the place of one that did so many cache operations.
    pub(super) fn started(&self, strategy: &str, replica: u16, ttl: Duration, operations_before: u64) {
        *self.operations_before.lock().unwrap_or_else(PoisonError::into_inner) += operations_before;
        self.strategy.reset();
        self.strategy.with_label_values(&[strategy, &replica.to_string()]).set(1);
        self.ttl.set(ttl.as_secs_f64());
    }

    /// All of them as Prometheus reads them, with what the replica knows of itself now.
    pub(super) fn text(
        &self,
        requests_open: u64,
        background_tasks: u64,
        cache_operations: u64,
        pool: PoolCounters,
    ) -> Response {
        let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.requests_in_flight.set(signed(requests_open));
        self.background_tasks.set(signed(background_tasks));
        self.cache_operations(cache_operations);
        self.connections.in_use.set(pool.in_use.into());
        self.connections.waited_for.set(pool.waiting.into());
        self.families.text()
    }

    /// A request has its answer.
    pub(super) fn answered(&self, outcome: Outcome, after: Duration) {
        self.requests.inc(outcome);
        if let Some(durations) = self.durations.get(outcome as usize) {
            durations.observe(after.as_secs_f64());
        }
    }

    /// An answer was stale by so much.
    pub(super) fn stale_by(&self, overage: Duration) {
        self.stale_overage.observe(overage.as_secs_f64());
    }

    /// A request took a connection of the pool after that wait.
    pub(super) fn took_a_connection(&self, wait: Duration) {
        self.connections.wait.observe(wait.as_secs_f64());
    }

    /// The strategy that runs has done so many cache operations.
    fn cache_operations(&self, running: u64) {
        let before = self.operations_before.lock().unwrap_or_else(PoisonError::into_inner);
        let total = *before + running;
        self.cache_operations.inc_by(total.saturating_sub(self.cache_operations.get()));
    }

    fn count(&self, event: &Event) {
        match event {
            Event::FlightLed { cause, .. } => self.flights.inc(*cause),
            Event::FlightEnded { end, .. } => self.flights_ended.inc(*end),
            // Answers are counted by their outcome, where they are given.
            Event::Answered(_) => {}
            Event::LockEnded { end, .. } => self.locks.ended.inc(*end),
            Event::Written { .. } => self.writes.committed.inc(),
            Event::WriteFailed { .. } => self.writes.failed.inc(),
            Event::Invalidated(_) => self.writes.told.inc(),
            Event::CacheNotTold(_) => self.writes.not_told.inc(),
            Event::Put { stored, .. } => self.cache_puts.inc(*stored),
            Event::EarlyRefresh(_) => self.early_refreshes.inc(),
            Event::RefreshFailed(_) => self.refreshes_failed.inc(),
            Event::LockTimeout(_) => self.locks.timeouts.inc(),
            Event::LockFallback(_) => self.locks.fallbacks.inc(),
            Event::WakeLost(_) => self.locks.wakes_lost.inc(),
            Event::Corrupt(_) => self.corrupt_entries.inc(),
            Event::OriginSpared { by, .. } => self.reads_spared.inc(*by),
            Event::Breaker(state) => self.breakers.origin.inc(*state),
            Event::CacheBreaker(state) => self.breakers.cache.inc(*state),
            Event::CacheFailed { class, .. } => self.cache_errors.inc(*class),
        }
    }
}

/// Where a strategy's events go: counted, and then into the log.
pub(super) struct Counting {
    pub(super) metrics: Arc<ReplicaMetrics>,
    pub(super) log: Arc<EventLog>,
}

impl EventSink for Counting {
    fn emit(&self, event: Event) {
        self.metrics.count(&event);
        self.log.emit(event);
    }

    fn lock_waited(&self, waited: Duration) {
        self.metrics.locks.wait.observe(waited.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use strategies::Key;
    use strategies::port::FlightId;
    use strategies::time::Mono;

    use super::*;
    use crate::process::runtime::RealClock;

    #[tokio::test]
    async fn each_event_has_its_counter_and_goes_on_into_the_log() {
        let metrics = Arc::new(ReplicaMetrics::new().unwrap());
        let log = Arc::new(EventLog::new(Arc::new(RealClock::start())));
        let events = Counting { metrics: Arc::clone(&metrics), log: Arc::clone(&log) };
        let (key, flight) = (Key::of_item(1), FlightId { incarnation: 1, number: 1 });
        let put = |stored| Event::Put { key: key.clone(), fresh_until: Mono(0), version: 1, fenced: false, stored };
        let mut emitted = vec![
            put(Stored::Stored),
            put(Stored::Fenced),
            Event::EarlyRefresh(key.clone()),
            Event::RefreshFailed(key.clone()),
            Event::LockTimeout(key.clone()),
            Event::LockFallback(key.clone()),
            Event::WakeLost(key.clone()),
            Event::Corrupt(key.clone()),
            Event::Written { flight, key: key.clone(), version: Some(2) },
            Event::WriteFailed { flight, key: key.clone() },
            Event::Invalidated(key.clone()),
            Event::CacheNotTold(key.clone()),
        ];
        emitted.extend(Cause::ALL.map(|cause| Event::FlightLed { flight, key: key.clone(), cause }));
        for end in LeaderEnd::ALL {
            emitted.push(Event::FlightEnded { flight, key: key.clone(), end });
            emitted.push(Event::LockEnded { key: key.clone(), end });
        }
        emitted.extend(CacheErrorClass::ALL.map(|class| Event::CacheFailed { op: "get", class }));
        emitted.extend(RefusedBy::ALL.map(|by| Event::OriginSpared { key: key.clone(), by }));
        emitted.extend(BreakerState::ALL.map(Event::Breaker));
        emitted.extend(BreakerState::ALL.map(Event::CacheBreaker));
        for event in &emitted {
            events.emit(event.clone());
        }
        events.lock_waited(Duration::from_millis(300));
        assert_eq!(log.lines().events.len(), emitted.len());
        let text = to_bytes(metrics.families.text().into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&text);
        let counted = |line: &&str| line.ends_with(" 1") && !line.contains("_info") && !line.contains("_bucket");
        let ones: Vec<&str> = text.lines().filter(counted).collect();
        assert_eq!(ones.len(), emitted.len() + 1, "one for each event, one for the wait: {ones:#?}");
        assert!(text.contains("stampede_lock_wait_seconds_bucket{le=\"0.25\"} 0\n"));
        assert!(text.contains("stampede_lock_wait_seconds_bucket{le=\"0.5\"} 1\n"));
    }
}
