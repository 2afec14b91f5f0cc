//! What the lab's theory says of one key of a trace: the same formulas, by the same code, as of a scenario's hot key.

use std::time::Duration;

use strategies::theory::{Circumstances, FilledBy, Gaps, Prediction, Readers, Theory, predict};
use strategies::{Budgets, Spec};

use super::answer::{PredictedHerds, TraceLoad};

/// After the first read the cache is filled d later, and a loser of a lock has looked so long after that. That time counts as a warm-up,
/// in which the one herd of the empty cache is.
const LOOK_S: f64 = 0.2;
/// Mean gaps that the first read may be waited for, as the theory has it.
const GAPS: f64 = 5.0;

/// The key's herds, or why theory has none. `reads` of it over the whole trace, a service time, and its TTL.
pub(super) fn predicted(
    load: TraceLoad,
    reads: u32,
    service: Duration,
    ttl: Option<Duration>,
) -> Result<PredictedHerds, &'static str> {
    let duration = load.duration.as_secs_f64();
    let ttl = ttl.ok_or("it never expires: no TTL is stated")?;
    if reads < 2 || duration <= 0.0 {
        return Err("it is read too seldom");
    }
    let r = f64::from(reads) / duration;
    let warmup_s = service.as_secs_f64() + LOOK_S + GAPS / r;
    if warmup_s >= duration {
        return Err("it is read too seldom");
    }
    let at = Circumstances {
        share: Some(f64::from(reads) / load.reads.max(1) as f64),
        others: load.distinct.saturating_sub(1),
        missing: 0.0,
        readers: Readers::Open { per_s: load.reads as f64 / duration, gaps: Gaps::Poisson },
        steady: true,
        events: 0,
        writes: false,
        evicts: false,
        batch: 1,
        busy_cache: false,
        churn: false,
        classes: false,
        slots: false,
        ttl,
        service: Some(service),
        places: u32::MAX,
        replicas: 1,
        budgets: budgets(service),
        patience: service.saturating_mul(10).saturating_add(Duration::from_secs(10)),
        filled: FilledBy::ByLoad(Duration::from_secs_f64(warmup_s)),
        measured: load.duration.saturating_sub(Duration::from_secs_f64(warmup_s)),
    };
    let herds = of("naive", &at)?;
    let cycle_s = herds.cycle_s.ok_or("the length of its cycle is not known")?;
    let (ttl_s, gap_s) = (ttl.as_secs_f64(), 1.0 / r);
    // What lies in the warm-up: the herd of the empty cache, and where a cycle is shorter than that, those that follow.
    let whole = |prediction: &Prediction| {
        let before = (warmup_s / prediction.cycle_s?).max(1.0) * prediction.per_expiry;
        Some(before + prediction.total?)
    };
    let all = whole(&herds);
    Ok(PredictedHerds {
        per_expiry: herds.per_expiry,
        cycle_s,
        herd_share: ((cycle_s - ttl_s - gap_s) / cycle_s).clamp(0.0, 1.0),
        herds: all.map(|reads| reads / herds.per_expiry),
        reads: all,
        single_flight: of("singleflight", &at).ok().as_ref().and_then(whole),
    })
}

fn of(spec: &str, at: &Circumstances) -> Result<Prediction, &'static str> {
    let spec = Spec::parse(spec).map_err(|_| "its strategy is none")?;
    let Theory { prediction, not } = predict(&spec, at);
    prediction.ok_or_else(|| not.first().map_or("theory has no formula", |(premise, _)| premise.otherwise))
}

/// Those that a scenario has for such an origin, or longer ones: nobody gives up in a forecast.
fn budgets(service: Duration) -> Budgets {
    let usual = Budgets::USUAL;
    let read = usual.origin_read.max(service.saturating_mul(3));
    Budgets { replica: read.saturating_mul(2), origin_read: read, lock_wait: usual.lock_wait.max(read) }
}
