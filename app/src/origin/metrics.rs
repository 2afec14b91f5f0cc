//! `/metrics` of the origin: what has arrived since it started, whichever runs it was.
//!
//! A read that arrives while another of the same key is under way is what a stampede is made of. The origin is the one
//! place that sees all of them, so they are counted here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use evidence::ReadEnd;
use prometheus::{Gauge, Histogram, IntCounter, IntGauge};

use crate::wire::metrics::{ByKind, Families, SECONDS};
use crate::wire::programs;

/// The origin's counters.
pub(super) struct OriginMetrics {
    pub(super) families: Families,
    reads: IntCounter,
    overlapping: IntCounter,
    ended: ByKind<ReadEnd>,
    duration: Histogram,
    in_flight: IntGauge,
    pub(super) queued: IntGauge,
    places: IntGauge,
    service_time: Gauge,
    items: IntGauge,
    under_way: Mutex<BTreeMap<String, u32>>,
}

impl OriginMetrics {
    /// Everything at zero.
    pub(super) fn new() -> Result<Arc<Self>, String> {
        let of = Families::new(programs::ORIGIN)?;
        Ok(Arc::new(Self {
            reads: of.counter("stampede_origin_reads_total", "Reads that arrived.")?,
            overlapping: of.counter(
                "stampede_origin_overlapping_reads_total",
                "Reads that arrived while another of the same key was under way.",
            )?,
            ended: of.counters(
                "stampede_origin_reads_ended_total",
                "Reads that ended, by how.",
                ("outcome", &ReadEnd::ALL, ReadEnd::name),
            )?,
            duration: of.histogram(
                "stampede_origin_read_duration_seconds",
                "From a read's arrival to its end, the queue included.",
                &SECONDS,
            )?,
            in_flight: of.gauge("stampede_origin_reads_in_flight", "Reads that have not ended, queue included.")?,
            queued: of.gauge("stampede_origin_reads_queued", "Reads that wait for a place.")?,
            places: of.gauge("stampede_origin_places", "Reads that are served at once.")?,
            service_time: of
                .seconds("stampede_origin_service_time_seconds", "The mean time for which a read holds its place.")?,
            items: of.gauge("stampede_origin_items", "Items that there are.")?,
            under_way: Mutex::default(),
            families: of,
        }))
    }

    /// What a run set.
    pub(super) fn started(&self, places: u32, service_time: Duration, items: u32) {
        self.places.set(places.into());
        self.service_time.set(service_time.as_secs_f64());
        self.items.set(items.into());
    }

    /// A read of a key arrives; it is under way until what is returned ends or is dropped.
    pub(super) fn arrive(self: &Arc<Self>, key: &str) -> ReadUnderWay {
        self.reads.inc();
        self.in_flight.inc();
        let mut keys = self.keys();
        if let Some(others) = keys.get_mut(key) {
            *others += 1;
            self.overlapping.inc();
        } else {
            keys.insert(key.to_owned(), 1);
        }
        ReadUnderWay { metrics: Arc::clone(self), key: key.to_owned() }
    }

    fn keys(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A read under way.
pub(super) struct ReadUnderWay {
    metrics: Arc<OriginMetrics>,
    key: String,
}

impl ReadUnderWay {
    /// It has ended.
    pub(super) fn end(self, outcome: ReadEnd, after: Duration) {
        self.metrics.ended.inc(outcome);
        self.metrics.duration.observe(after.as_secs_f64());
    }
}

impl Drop for ReadUnderWay {
    fn drop(&mut self) {
        self.metrics.in_flight.dec();
        let mut keys = self.metrics.keys();
        match keys.get_mut(&self.key) {
            Some(reads) if *reads > 1 => *reads -= 1,
            _ => drop(keys.remove(&self.key)),
        }
    }
}
