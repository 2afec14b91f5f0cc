//! Which level of the cache answered, and what became of the copies that replicas keep in their processes.

use evidence::{NearCounts, ReplicaCounters};
use report::record::LevelFigures;
use scenarios::Scenario;
use strategies::Spec;

use super::round::round;
use crate::load::record::Collected;

/// The figures of a strategy, of what its clients saw and its replicas counted in `end_ns` nanoseconds.
pub(super) fn levels(
    (scenario, spec): (&Scenario, Option<&Spec>),
    collected: &Collected,
    counters: ReplicaCounters,
    replicas: u32,
    end_ns: i64,
) -> LevelFigures {
    let (sent, near, unknown) = (collected.sent, collected.near, collected.outcomes.unknown);
    let near_share = (sent > 0 && unknown == 0).then(|| round(near as f64 / sent as f64, 1e6));
    // Nothing is counted where a replica's counts ended with it.
    let counted = Some(counters).filter(|counters| counters.requests > 0);
    let measured_s = end_ns.max(0) as f64 / 1e9;
    let reads = counted.map(|counters| counters.cache_reads);
    let of = |count: fn(NearCounts) -> u64| counted.map(|counters| count(counters.near));
    let by_writers = spec.and_then(|spec| spec.bus()).is_some_and(strategies::port::Bus::is_told_by_writers);
    let lost = |near: NearCounts| (near.told * u64::from(replicas)).saturating_sub(near.heard);
    LevelFigures {
        near,
        near_share,
        shared_reads: reads,
        shared_reads_per_s: reads.filter(|_| measured_s > 0.0).map(|reads| round(reads as f64 / measured_s, 1e3)),
        shared_reads_by_theory: spec
            .and_then(|spec| scenario.predict_shared_reads(spec, replicas))
            .map(|reads| round(reads, 1e3)),
        told: of(|near| near.told),
        heard: of(|near| near.heard),
        lost: counted.filter(|_| by_writers).map(|counters| lost(counters.near)),
        flushed: of(|near| near.flushed),
        overtaken: of(|near| near.overtaken),
        evicted: of(|near| near.evicted),
        entries_max: of(|near| near.entries_max),
        bytes_max: of(|near| near.bytes_max),
    }
}
