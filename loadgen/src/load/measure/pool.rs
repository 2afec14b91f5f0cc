//! How long requests waited for connections of their replica's pool.

use evidence::{PoolCounts, ReplicaCounters};
use report::record::PoolFigures;
use scenarios::Scenario;
use strategies::Spec;
use strategies::theory::pool_waits;

use super::round::round;
use crate::load::record::{Collected, POOL, latency};

/// The figures of a strategy that has a pool, of what its clients saw and its replicas counted in `end_ns` nanoseconds; else `None`.
pub(super) fn pool(
    (scenario, spec): (&Scenario, Option<&Spec>),
    collected: &Collected,
    counters: ReplicaCounters,
    replicas: u32,
    end_ns: i64,
) -> Option<PoolFigures> {
    let settings = spec?.pool()?;
    let seen = &collected.pool;
    let counted = Some(counters).filter(|counters| counters.requests > 0).map(|counters| counters.pool);
    let measured_s = end_ns.max(0) as f64 / 1e9;
    let held = counted.and_then(PoolCounts::held_mean);
    let per_s = counted.filter(|_| measured_s > 0.0).map(|pool| pool.takes as f64 / measured_s / f64::from(replicas));
    let offered = held.zip(per_s).map(|(held, per_s)| held.as_secs_f64() * per_s);
    // Premises: a steady Poisson stream, all of it to one replica (several get it in turns, in more even gaps), one line for all, and
    // nobody who leaves it.
    let streams = replicas == 1 && scenario.load.is_steady_poisson();
    let holds = streams && settings.split.is_none() && counted.is_some_and(|pool| pool.gave_up == 0);
    let variation = counted.and_then(PoolCounts::held_variation);
    let theory = held.zip(offered).zip(variation).filter(|_| holds);
    let theory = theory.and_then(|((held, offered), variation)| pool_waits(settings.size, offered, held, variation));
    let share = |part: u64, of: u64| (of > 0).then(|| round(part as f64 / of as f64, 1e6));
    Some(PoolFigures {
        asked: seen.asked,
        waited: seen.waited,
        waited_share: share(seen.waited, seen.asked),
        waited_elsewhere: scenario.keys.hot_key().map(|_| seen.waited_elsewhere),
        wait_ms: latency(&collected.measured[POOL]),
        in_use_mean: (seen.asked > 0).then(|| round(seen.in_use_sum as f64 / seen.asked as f64, 1e3)),
        in_use_max: seen.in_use_max,
        waiting_max: seen.waiting_max,
        taken: counted.map(|pool| pool.takes),
        gave_up: counted.map(|pool| pool.gave_up),
        held_ms_mean: held.map(|held| round(held.as_secs_f64() * 1e3, 1e3)),
        held_variation: variation.map(|variation| round(variation, 1e3)),
        offered: offered.map(|offered| round(offered, 1e3)),
        waited_share_by_theory: theory.map(|waits| round(waits.share, 1e6)),
        wait_p99_ms_by_theory: theory.map(|waits| round(waits.p99.as_secs_f64() * 1e3, 1e3)),
    })
}
