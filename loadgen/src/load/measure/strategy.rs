//! A strategy's record, put together from everything that was seen of it.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use evidence::{OriginRead, ReadEnd, ReplicaCounters};
use report::Herds;
use report::record::{
    BinRow, Events, Hot, Ledgers, LevelFigures, OriginFigures, OriginRow, PoolFigures, Retries, Stale, Strategy,
};
use scenarios::Scenario;
use strategies::ByItem;
use strategies::time::nanos;

use super::impact::Impact;
use super::levels::levels;
use super::origin::{MeasuredRead, per_expiry};
use super::pool::pool;
use super::predicted::predicted;
use super::recovery::recovery;
use super::round::round;
use super::seen::Reads;
use super::tally::{AnySecond, Bins, InFlight, WholeSeconds};
use super::traffic::traffic;
use crate::cli::settings::Subject;
use crate::load::drive::ToldStaleness;
use crate::load::record::{Collected, latency};

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
    /// Origin reads of which nobody is left to tell.
    pub unwitnessed: u64,
    /// What the origin saw; `None` where it is nobody of ours.
    pub origin: Option<OriginTally>,
    /// What happened inside the replicas; `None` where there are none to tell of it.
    pub events: Option<Events>,
    /// The two ledgers, compared, where there are two.
    pub ledgers: Option<Ledgers>,
    /// When the scenario's events impact, where it has any.
    pub impact: Option<Impact>,
    /// Whether any strategy of the run keeps values in the replicas' processes.
    pub levels: bool,
    /// What the replicas counted between t = 0 and the end of the load, summed.
    pub counters: ReplicaCounters,
}

/// The figures, and the rows that the origin's side completes.
pub struct StrategyFigures {
    /// The record; `valid` is still to be judged.
    pub strategy: Strategy,
    /// `seconds.csv`.
    pub seconds: Vec<BinRow>,
    /// `bins100ms.csv`.
    pub bins: Vec<BinRow>,
}

/// What is counted while the origin's reads are gone through once, in the order of their arrival.
pub struct OriginTally {
    end_ns: i64,
    hot_key: Option<String>,
    seconds: Bins,
    bins: Bins,
    /// Of the measured phase.
    total: u64,
    hot_total: u64,
    /// Whether any read was of a key that is a number, as those of plans are.
    has_numbers: bool,
    any_second: AnySecond,
    whole_seconds: WholeSeconds,
    in_flight: InFlight,
    /// The hot key's, of all phases.
    herds: Herds,
}

impl OriginTally {
    /// Nothing counted yet. `end_ns` is where the measured phase ended, nanoseconds since t = 0; `herds` knows the reasons to read
    /// the hot key again.
    #[must_use]
    pub fn new(scenario: &Scenario, collected: &Collected, herds: Herds, end_ns: i64) -> Self {
        Self {
            end_ns,
            hot_key: scenario.keys.hot_key().map(|key| key.to_string()),
            seconds: Bins::new(collected.seconds.clone(), 1000),
            bins: Bins::new(collected.bins.clone(), 100),
            total: 0,
            hot_total: 0,
            has_numbers: false,
            any_second: AnySecond::default(),
            whole_seconds: WholeSeconds::default(),
            in_flight: InFlight::within(0, end_ns),
            herds,
        }
    }

    /// The next read; `offset_ns` from the origin's clock to nanoseconds since t = 0.
    pub fn count(&mut self, row: &OriginRead, offset_ns: i64) {
        let arrived_ns = since_start(row.arrived_ns, offset_ns);
        let read = MeasuredRead { arrived_ns, end_ns: row.end_ns.map(|at| since_start(at, offset_ns)) };
        let is_hot = self.hot_key.as_deref() == Some(row.key.as_str());
        self.has_numbers = self.has_numbers || row.key.bytes().all(|byte| byte.is_ascii_digit());
        self.in_flight.arrive(read);
        if (0..self.end_ns).contains(&arrived_ns) {
            self.total += 1;
            self.hot_total += u64::from(is_hot);
            self.any_second.arrive(arrived_ns);
            self.whole_seconds.arrive(arrived_ns);
        }
        if arrived_ns < self.end_ns {
            // Reads of the drain belong to no row: a row has what belongs to its phase.
            self.seconds.arrive(read);
            self.bins.arrive(read);
        }
        if is_hot {
            let answered = matches!(row.outcome, Some(ReadEnd::Ok | ReadEnd::Missing));
            self.herds.take(arrived_ns, read.end_ns, answered, row.replica);
        }
    }
}

/// Computes the figures.
#[must_use]
pub fn figures(mut evidence: Evidence<'_>) -> StrategyFigures {
    let end_ns = evidence.end_ns;
    let origin = evidence.origin.take();
    let mut strategy = record(&evidence, origin.as_ref(), end_ns);
    let (mut seconds, mut bins) = match origin {
        Some(tally) => (tally.seconds.rows(), tally.bins.rows()),
        None => (evidence.collected.seconds.clone(), evidence.collected.bins.clone()),
    };
    if evidence.scenario.load.retry.is_none() {
        seconds.iter_mut().chain(&mut bins).for_each(|row| row.retries = None);
    }
    if !evidence.levels {
        seconds.iter_mut().chain(&mut bins).for_each(|row| row.near = None);
    }
    strategy.recovery = evidence.impact.and_then(|impact| recovery(&seconds, impact, end_ns));
    StrategyFigures { strategy, seconds, bins }
}

fn record(evidence: &Evidence<'_>, tally: Option<&OriginTally>, end_ns: i64) -> Strategy {
    let Evidence { collected, scenario, subject, .. } = *evidence;
    let spec = subject.strategy.as_ref();
    let planned_ns = i64::try_from(nanos(scenario.load.duration)).unwrap_or(i64::MAX);
    let (outcomes, sent) = (collected.outcomes, collected.sent);
    // Where answers did not say how they were made, no share of the others is known.
    let share = |part: u64| (sent > 0 && outcomes.unknown == 0).then(|| round(part as f64 / sent as f64, 1e6));
    let (prediction, not_predicted) = predicted(scenario, subject, evidence.replicas, end_ns);
    let operations = evidence.counters.cache_ops as f64 / evidence.counters.requests as f64;
    Strategy {
        counters: None,
        levels: evidence.levels.then(|| levels_of(evidence)),
        pool: pool_of(evidence),
        traffic: traffic(spec, evidence.counters),
        server: None,
        shards: None,
        takeovers: None,
        name: subject.name.clone(),
        spec: subject.composition.clone(),
        folder: subject.folder.clone(),
        cut_after_s: (end_ns < planned_ns).then(|| round(end_ns as f64 / 1e9, 1e3)),
        valid: false,
        invalid_because: Vec::new(),
        requests: sent,
        errors: outcomes.error,
        error_kinds: collected.errors.iter().map(|(kind, count)| (kind.to_string(), *count)).collect(),
        hit_ratio: share(outcomes.hit + outcomes.stale),
        origin: tally.map(|tally| origin(evidence, tally, end_ns)),
        hot: hot(evidence, tally),
        predicted: prediction,
        not_predicted,
        latency_ms: latency(&collected.measured[0]),
        service_ms: latency(&collected.measured[1]),
        lag_ms: latency(&collected.measured[2]),
        outcomes,
        events: evidence.events,
        stale: Stale {
            // Where no answer says that it is stale, and none can, it is not known that none was.
            share: share(outcomes.stale).filter(|_| outcomes.stale > 0 || subject.staleness != ToldStaleness::Nothing),
            overage_ms_max: (outcomes.unknown == 0 && subject.staleness == ToldStaleness::Age)
                .then(|| collected.overage_us_max.div_ceil(1000)),
        },
        behind: None,
        writes: None,
        peak_waiters: evidence.counters.peak_waiters,
        life_s: spec.map(|spec| spec.soft_life_mean(scenario.cache.ttl).as_secs_f64()),
        cache_ops_per_request: operations.is_finite().then(|| round(operations, 1e4)),
        unsent: collected.offered - sent.min(collected.offered),
        moved_on: collected.moved_on,
        resent: Some(collected.resent),
        retries: scenario.load.retry.map(|_| retries(collected)),
        recovery: None,
        generator_cpu_cores: None,
        conditions: None,
        unwitnessed: evidence.unwitnessed,
        ledgers: evidence.ledgers.clone(),
        repeats: Vec::new(),
    }
}

fn retries(collected: &Collected) -> Retries {
    Retries {
        attempts: collected.sent + collected.retries,
        retried: collected.tries.retried,
        saved: collected.tries.saved,
        refused_by_budget: collected.tries.unpaid,
    }
}

fn levels_of(evidence: &Evidence<'_>) -> LevelFigures {
    let what = (evidence.scenario, evidence.subject.strategy.as_ref());
    levels(what, evidence.collected, evidence.counters, evidence.replicas, evidence.end_ns)
}

fn pool_of(evidence: &Evidence<'_>) -> Option<PoolFigures> {
    let what = (evidence.scenario, evidence.subject.strategy.as_ref());
    pool(what, evidence.collected, evidence.counters, evidence.replicas, evidence.end_ns)
}

/// The hot key's own figures, where there is one.
fn hot(evidence: &Evidence<'_>, tally: Option<&OriginTally>) -> Option<Hot> {
    let outcomes = evidence.collected.hot_outcomes;
    Some(Hot {
        key: evidence.scenario.keys.hot_key()?.to_string(),
        requests: outcomes.sum(),
        outcomes,
        // A proxy's ledger may have names where the plan has numbers: which of them is the hot key's nobody knows.
        origin_total: tally.filter(|tally| tally.has_numbers || tally.total == 0).map(|tally| tally.hot_total),
    })
}

fn origin(evidence: &Evidence<'_>, tally: &OriginTally, end_ns: i64) -> OriginFigures {
    OriginFigures {
        total: tally.total,
        max_per_second: tally.any_second.most(),
        max_in_flight: tally.in_flight.most(),
        seconds_over: BTreeMap::from([(SECONDS_OVER.to_string(), tally.whole_seconds.over(SECONDS_OVER))]),
        floor: evidence.collected.floor,
        // Several entries of a key have no expiry in common.
        per_expiry: tally
            .hot_key
            .as_ref()
            .filter(|_| evidence.subject.has_one_entry())
            .and_then(|_| per_expiry(&tally.herds.so_far(), end_ns)),
    }
}

/// The start of each key's last load before t = 0, nanoseconds since t = 0: what the warm-up or the burst left in the
/// cache, as the origin saw it.
pub struct WarmState<'a> {
    scenario: &'a Scenario,
    ttls: ByItem<Duration>,
    offset_ns: i64,
    state: BTreeMap<u32, i64>,
}

impl<'a> WarmState<'a> {
    /// Nothing known yet. `offset_ns` from the origin's clock to nanoseconds since t = 0.
    #[must_use]
    pub fn new(scenario: &'a Scenario, offset_ns: i64) -> Self {
        Self { scenario, ttls: scenario.ttls(), offset_ns, state: BTreeMap::new() }
    }

    /// The origin saw a read.
    pub fn see(&mut self, row: &OriginRead) {
        let arrived = since_start(row.arrived_ns, self.offset_ns);
        let Some(key) = row.key.parse::<u32>().ok().filter(|_| arrived < 0) else { return };
        // A burst stores every key at t = 0, whenever its value was read; with so much of its life behind it.
        let start = self.scenario.warm.map_or(arrived, |warm| {
            let behind = self.ttls.of(key).mul_f64(1.0 - warm.life_left(key));
            -i64::try_from(nanos(self.scenario.origin.service_time.mean() + behind)).unwrap_or(0)
        });
        let last = self.state.entry(key).or_insert(start);
        *last = start.max(*last);
    }

    /// The same of every read.
    ///
    /// # Errors
    /// As [`Reads::each`].
    pub fn see_all(&mut self, reads: &dyn Reads) -> io::Result<()> {
        reads.each(&mut |row| {
            self.see(row);
            Ok(())
        })
    }

    /// All of it.
    #[must_use]
    pub fn known(self) -> BTreeMap<u32, i64> {
        self.state
    }
}

/// From the origin's clock to nanoseconds since t = 0.
fn since_start(mono_ns: u64, origin_offset_ns: i64) -> i64 {
    i64::try_from(mono_ns).unwrap_or(i64::MAX).saturating_add(origin_offset_ns)
}

/// A read as a row of `origin.csv`, in the place of another row, whose memory is used again.
pub fn origin_row(into: &mut OriginRow, row: &OriginRead, offset_ns: i64, end_ns: i64) {
    let at = |mono_ns: u64| since_start(mono_ns, offset_ns);
    let phase = match at(row.arrived_ns) {
        ..0 => "warmup",
        arrived if arrived < end_ns => "measured",
        _ => "drain",
    };
    for (place, text) in [
        (&mut into.key, row.key.as_str()),
        (&mut into.flight, row.flight.as_str()),
        (&mut into.phase, phase),
        (&mut into.outcome, row.standing()),
    ] {
        place.clear();
        place.push_str(text);
    }
    (into.replica, into.arrived_ns) = (row.replica, at(row.arrived_ns));
    (into.start_ns, into.end_ns) = (row.start_ns.map(at), row.end_ns.map(at));
}
