//! From what was seen of a strategy's run, in whichever lab, to its figures, its events and the doubts about them.

use std::collections::BTreeSet;
use std::time::Duration;

use evidence::{ErrorKind, OriginWrite};
use report::Herds;
use report::record::{Conditions, EventRow, Events, LabEvent, Ledgers, Strategy};
use scenarios::{LoadKind, Scenario};
use strategies::port::{CacheErrorClass, Event};
use strategies::time::nanos;

use super::counting::counted as increments_counted;
use super::seen::{Observation, Tellers, WorldSeen};
use super::{OriginRecord, Trial, WriteRecord};
use crate::cli::settings::Subject;
use crate::lab::Offset;
use crate::lab::faults::Aftermath;
use crate::load::measure::{
    Against, Counter, During, EventLines, Evidence, Floor, Guards, Impact, KnownFlights, OriginTally, Part, Reads,
    RunFacts, StrategyFigures, Timeline, ToldWrites, WriteLedger, WritesSeen, compare_writes, conditions, doubts,
    figures, takeovers,
};
use crate::load::record::{Collected, CollectedWrites};
use crate::shell::exit::Failure;

/// What one look at everything that the replicas told has found.
struct Heard {
    flights: KnownFlights,
    /// Of a run whose items are written.
    writes: Option<ToldWrites>,
    events: Events,
    /// Cache operations that failed, and that no event of the scenario explains; and in how many different ways.
    cache_failed: u64,
    cache_failures: BTreeSet<String>,
    /// Wake-ups that were lost, and of these those that no event explains.
    wakes_lost: u64,
    wakes_unexplained: u64,
    /// Whether anything kept a flight that was needed from the origin.
    spared: bool,
}

impl Heard {
    /// The different failures of cache operations, for a sentence: `get down, put down`.
    fn cache_failures(self) -> String {
        self.cache_failures.into_iter().collect::<Vec<_>>().join(", ")
    }
}

/// What one look at everything that the origin saw has found.
struct Saw {
    tally: OriginTally,
    unwitnessed: u64,
    /// The longest read, from its arrival to its end.
    longest_ns: i64,
}

/// Judges what was seen of a subject; `levels` says whether any strategy of the run keeps values in the replicas' processes.
///
/// # Errors
/// [`Failure`] where what was kept of the run cannot be read back.
pub fn judge(scenario: &Scenario, subject: &Subject, levels: bool, seen: Observation) -> Result<Trial, Failure> {
    let Observation { mut world, mut collected, reads, lines, probed, .. } = seen;
    let (t0_ns, end_ns, stopped) = (world.t0_ns, world.end_ns, world.stopped);
    let (aftermath, told, origin_clock) = (std::mem::take(&mut world.aftermath), world.told, world.origin_clock);
    let uncertainty = uncertainty_ns(told, origin_clock);
    let origin = reads.zip(origin_clock);
    let mut heard = lines.as_ref().map(|lines| hear(&**lines, scenario, subject, &aftermath, end_ns)).transpose()?;
    let (is_told, own) = (lines.is_some(), own(scenario.load.warmup, end_ns, &aftermath.rows));
    let events = Timeline::new(lines, own, end_ns);
    let saw = |(reads, clock): &(Box<dyn Reads + Send>, Offset)| {
        let herds = Herds::new(reasons(scenario, &events, is_told)?, uncertainty.unwrap_or(0));
        let tally = OriginTally::new(scenario, &collected, herds, end_ns);
        see(&**reads, tally, clock.to_ours_ns.saturating_sub(t0_ns), heard.as_mut(), &aftermath)
    };
    let saw = origin.as_ref().map(saw).transpose()?;
    // A target's caches keep no list of flights, so there is nothing to compare the origin's with.
    let ledgers = heard
        .as_mut()
        .filter(|_| origin.is_some())
        .map(|heard| compare(std::mem::take(&mut heard.flights), &collected, &aftermath));
    let calm = is_calm(scenario, saw.as_ref(), heard.as_ref(), &aftermath);
    let mut figures = figures(Evidence {
        scenario,
        subject,
        replicas: told.map_or(0, |told| told.count),
        end_ns,
        collected: &collected,
        unwitnessed: saw.as_ref().map_or(0, |saw| saw.unwitnessed),
        origin: saw.map(|saw| saw.tally),
        events: heard.as_ref().map(|heard| heard.events),
        ledgers,
        impact: impact(scenario, subject, &aftermath.rows),
        levels,
        counters: world.counters,
    });
    figures.strategy.takeovers = takeovers(&aftermath.windows, &events).map_err(Failure::failed)?;
    let (ledger, offset_ns) = write_ledger(std::mem::take(&mut world.writes), origin_clock, t0_ns);
    let told_writes = heard.as_mut().and_then(|heard| heard.writes.take());
    let writes =
        add_writes(&mut figures.strategy, collected.writes.take().zip(told_writes), ledger, end_ns, &aftermath)?;
    let against;
    (figures.strategy.conditions, against) =
        fared(&world.parts, scenario, end_ns, heard.as_ref(), &world.facts, &aftermath);
    let facts = RunFacts {
        reads_min: collected.floor_least.filter(|_| calm && !stopped && is_undisturbed(scenario, &figures)),
        open_loop: !matches!(scenario.load.kind, LoadKind::Closed { .. }) && !stopped,
        clock_uncertainty_ns: uncertainty.unwrap_or(0),
        foreign: subject.is_target(),
        hits_before_start: hits_before_start(scenario, &collected, &figures).filter(|_| !stopped),
        against,
        events_dropped: told.map_or(0, |told| told.dropped),
        ..counted(std::mem::take(&mut world.facts), &collected, heard, &aftermath)
    };
    declare(&mut figures.strategy, &facts);
    add_counters(&mut figures.strategy, scenario, subject, &collected, &world)?;
    world.add_sampled(&mut figures.strategy, collected.slowest.as_ref());
    let origin = origin.map(|(reads, _)| OriginRecord { reads, offset_ns, end_ns });
    let (log, sampled) = (collected.log, world.sampled);
    Ok(Trial { figures, events, origin, writes, log, origin_clock, clock_uncertainty_ns: uncertainty, probed, sampled })
}

/// Adds what became of increments, where the subject counts.
fn add_counters(
    strategy: &mut Strategy,
    scenario: &Scenario,
    subject: &Subject,
    collected: &Collected,
    world: &WorldSeen,
) -> Result<(), Failure> {
    let counters = increments_counted(scenario, subject, collected.increments.as_ref(), world.immortals.as_ref());
    strategy.counters = counters.map_err(Failure::failed)?;
    Ok(())
}

/// Says whether the run may be believed, and why not.
fn declare(strategy: &mut Strategy, facts: &RunFacts) {
    strategy.invalid_because = doubts(strategy, facts);
    strategy.valid = strategy.invalid_because.is_empty();
}

/// The origin's ledger of writes, and what takes its clock to the run's.
fn write_ledger(rows: Vec<OriginWrite>, clock: Option<Offset>, t0_ns: i64) -> (WriteLedger, i64) {
    let (to_ours_ns, uncertainty_ns) = clock.map_or((t0_ns, 0), |clock| (clock.to_ours_ns, clock.uncertainty_ns));
    let offset_ns = to_ours_ns.saturating_sub(t0_ns);
    (WriteLedger { rows, offset_ns, uncertainty_ns }, offset_ns)
}

/// How the lab's parts fared, where there are any, and what speaks against them.
fn fared(
    parts: &[Part],
    scenario: &Scenario,
    end_ns: i64,
    heard: Option<&Heard>,
    facts: &RunFacts,
    aftermath: &Aftermath,
) -> (Option<Conditions>, Against) {
    let during = During { from_ns: -since_start(scenario.load.warmup), to_ns: end_ns };
    let (fared, against) = conditions(parts, during, aftermath);
    let wakes_lost = heard.map(|heard| heard.wakes_lost);
    let writes_missed = facts.writes_missed;
    let start_spread_ms = facts.start_spread_ns.map(|ns| (ns as f64 / 1e3).round() / 1e3);
    let fared = Conditions { wakes_lost, writes_missed, start_spread_ms, ..fared };
    ((!parts.is_empty()).then_some(fared), against)
}

/// Hits at the end of the warm-up, where any were to be expected. Of answers that do not say how they were made, none can be told to be
/// one.
fn hits_before_start(scenario: &Scenario, collected: &Collected, figures: &StrategyFigures) -> Option<u64> {
    let warm = !scenario.load.warmup.is_zero() && figures.strategy.outcomes.unknown == 0;
    collected.warmth.as_ref().filter(|_| warm).and_then(|warmth| warmth.hits(&collected.seconds))
}

/// Adds what the writes came to; what cannot be is a difference of the ledgers.
fn add_writes(
    strategy: &mut Strategy,
    writes: Option<(CollectedWrites, ToldWrites)>,
    ledger: WriteLedger,
    end_ns: i64,
    aftermath: &Aftermath,
) -> Result<Option<WriteRecord>, Failure> {
    let Some((writes, told)) = writes else { return Ok(None) };
    let witnessed = |flight: &str| !aftermath.is_unwitnessed(flight);
    let seen = compare_writes(&writes, &told, &ledger, end_ns, witnessed);
    let WritesSeen { figures, behind, disagree } = seen.map_err(Failure::failed)?;
    strategy.ledgers.get_or_insert_default().disagree.extend(disagree);
    (strategy.writes, strategy.behind) = (Some(figures), Some(behind));
    Ok(Some(WriteRecord { rows: ledger.rows, seen: writes.seen, offset_ns: ledger.offset_ns, end_ns }))
}

/// What was counted of the requests, of the cache's failures and of the events.
fn counted(known: RunFacts, collected: &Collected, heard: Option<Heard>, aftermath: &Aftermath) -> RunFacts {
    RunFacts {
        planned: collected.offered,
        wrong_bodies: collected.errors.get(&ErrorKind::WrongBody).copied().unwrap_or(0),
        cache_errors: heard.as_ref().map_or(0, |heard| heard.cache_failed),
        wakes_lost: heard.as_ref().map_or(0, |heard| heard.wakes_unexplained),
        cache_error_classes: heard.map(Heard::cache_failures).unwrap_or_default(),
        faults_failed: aftermath.rows.iter().filter(|row| row.of_the_lab() == Some(LabEvent::FaultFailed)).count()
            as u64,
        ..known
    }
}

/// How wrong the worst of these clocks can be; `None` where there was only ours.
fn uncertainty_ns(replicas: Option<Tellers>, origin: Option<Offset>) -> Option<u64> {
    replicas.map(|told| told.uncertainty_ns).into_iter().chain(origin.map(|clock| clock.uncertainty_ns)).max()
}

/// The two ledgers against each other, and against what the generator received.
fn compare(flights: KnownFlights, collected: &Collected, aftermath: &Aftermath) -> Ledgers {
    // Of an attempt that was not the last, or was sent again, the answer may have been lost, too.
    let lost = collected.errors_of_all_phases + collected.retries_of_all_phases + collected.resent_of_all_phases;
    flights.compare(&collected.flights, |flight| !aftermath.is_unwitnessed(flight), lost)
}

/// Whether nothing in the run made a read longer, kept one from the origin or was done to the fleet.
fn is_calm(scenario: &Scenario, saw: Option<&Saw>, heard: Option<&Heard>, aftermath: &Aftermath) -> bool {
    let soon = since_start(Floor::answer_max(scenario.origin.service_time.mean()));
    saw.is_none_or(|saw| saw.longest_ns <= soon)
        && heard.is_none_or(|heard| !heard.spared)
        && !aftermath.rows.iter().any(|row| row.of_the_lab() == Some(LabEvent::Fault))
}

/// When there was a reason to read the hot key again; `None` where there is no such key, or nobody tells.
fn reasons(scenario: &Scenario, events: &Timeline, told: bool) -> Result<Option<Vec<i64>>, Failure> {
    let Some(key) = scenario.keys.hot_key().filter(|_| told).map(|key| key.to_string()) else { return Ok(None) };
    let mut reasons = Vec::new();
    let gone = events.each(&mut |row| {
        reasons.extend(report::is_reason(&key, row).then_some(row.t_ns));
        Ok(())
    });
    gone.map_err(Failure::failed)?;
    Ok(Some(reasons))
}

/// Goes through what the replicas told.
fn hear(
    lines: &dyn EventLines,
    scenario: &Scenario,
    subject: &Subject,
    aftermath: &Aftermath,
    end_ns: i64,
) -> Result<Heard, Failure> {
    let layers = subject.strategy.as_ref().map(strategies::Spec::layers).unwrap_or_default();
    let has = |name: &str| layers.iter().any(|layer| layer.name == name);
    let guards = Guards { limit: has("limit"), breaker: has("breaker"), cache_breaker: has("cache-breaker") };
    let mut counter = Counter::new(end_ns, guards);
    let mut heard = Heard {
        flights: KnownFlights::default(),
        writes: scenario.writes.map(|_| ToldWrites::default()),
        events: Events::default(),
        cache_failed: 0,
        cache_failures: BTreeSet::new(),
        wakes_lost: 0,
        wakes_unexplained: 0,
        spared: false,
    };
    let gone = lines.each(&mut |at, replica, line| {
        counter.count(at, line);
        heard.flights.told(line);
        if let Some(writes) = &mut heard.writes {
            writes.told(at, replica, line, (0..end_ns).contains(&at));
        }
        let unexplained = || !aftermath.explains(at, Some(replica));
        match &line.event {
            // Puts that fill the cache before the run are made again, or there is no run.
            Event::CacheFailed { .. } if scenario.warm.is_some() && at < 0 => {}
            // A pool that has no connection left is the strategy's own doing, and no fault of the lab's.
            Event::CacheFailed { class: CacheErrorClass::Exhausted, .. } => heard.spared = true,
            Event::CacheFailed { class, .. } => {
                heard.spared = true;
                // A server whose memory the scenario bounds is full, and says so.
                let full = *class == CacheErrorClass::Full && scenario.cache.redis.bounds_memory();
                if !full && unexplained() {
                    heard.cache_failed += 1;
                    heard.cache_failures.extend(line.event.detail().map(Into::into));
                }
            }
            Event::WakeLost(_) => {
                heard.wakes_lost += 1;
                heard.wakes_unexplained += u64::from(unexplained());
            }
            Event::OriginSpared { .. } | Event::RefreshFailed(_) | Event::LockTimeout(_) | Event::LockFallback(_) => {
                heard.spared = true;
            }
            _ => {}
        }
        Ok(())
    });
    gone.map_err(Failure::failed)?;
    heard.events = counter.counts();
    Ok(heard)
}

/// Goes through what the origin saw. Of flights that nobody is left to tell of there is nothing to compare.
fn see(
    reads: &dyn Reads,
    mut tally: OriginTally,
    offset_ns: i64,
    heard: Option<&mut Heard>,
    aftermath: &Aftermath,
) -> Result<Saw, Failure> {
    let (mut unwitnessed, mut longest_ns) = (0, 0);
    let mut flights = heard.map(|heard| &mut heard.flights);
    let gone = reads.each(&mut |row| {
        tally.count(row, offset_ns);
        let took = row.end_ns.map_or(u64::MAX, |end| end.saturating_sub(row.arrived_ns));
        longest_ns = longest_ns.max(i64::try_from(took).unwrap_or(i64::MAX));
        if aftermath.is_unwitnessed(&row.flight) {
            unwitnessed += 1;
        } else if let Some(flights) = &mut flights {
            flights.seen(row);
        }
        Ok(())
    });
    gone.map_err(Failure::failed)?;
    Ok(Saw { tally, unwitnessed, longest_ns })
}

/// Whether no needed flight failed to read the origin, and every answer came soon enough, for the least number of reads to be
/// a bound.
fn is_undisturbed(scenario: &Scenario, figures: &StrategyFigures) -> bool {
    let strategy = &figures.strategy;
    let soon = Floor::answer_max(scenario.origin.service_time.mean());
    let answered = strategy.latency_ms.max.is_some_and(|max| max <= soon.as_secs_f64() * 1e3);
    let all_read = strategy.errors + strategy.outcomes.shed + strategy.unsent == 0;
    all_read && answered && scenario.events.is_empty()
}

fn since_start(length: Duration) -> i64 {
    i64::try_from(nanos(length)).unwrap_or(i64::MAX)
}

/// From the first event's moment to the end of the last one, as planned or as it was seen, whichever is later.
fn impact(scenario: &Scenario, subject: &Subject, seen: &[EventRow]) -> Option<Impact> {
    let from_ns = scenario.events.iter().map(|event| since_start(event.at)).min()?;
    let planned = scenario.events.iter().map(|event| since_start(event.over()));
    let emptied_ns = planned.max()?;
    let seen = seen.iter().filter(|row| row.of_the_lab().is_some_and(LabEvent::is_of_an_action)).map(|row| row.t_ns);
    let service = scenario.origin.service_time.mean();
    Some(Impact {
        from_ns,
        over_ns: seen.max().map_or(emptied_ns, |seen| seen.max(emptied_ns)),
        emptied_ns,
        service,
        service_max: scenario.origin.service_time.seldom_above(),
        capacity: f64::from(scenario.origin.concurrency) / service.as_secs_f64(),
        clients: scenario.load.kind.clients_max(),
        clients_ramp: scenario.load.kind.clients_ramp(),
        life: subject.soft_life_max(scenario.ttl_max()),
    })
}

/// The lab's own events: phases and faults.
fn own(warmup: Duration, end_ns: i64, faults: &[EventRow]) -> Vec<EventRow> {
    let begun = -i64::try_from(nanos(warmup)).unwrap_or(i64::MAX);
    let row = |t_ns, phase: &str| EventRow {
        t_ns,
        event: LabEvent::Phase.name().into(),
        detail: Some(phase.into()),
        ..EventRow::default()
    };
    let mut rows = vec![row(0, "measured"), row(end_ns, "drain")];
    if begun < 0 {
        rows.insert(0, row(begun, "warmup"));
    }
    rows.extend_from_slice(faults);
    rows
}
