//! From what was seen of a strategy's run, in whichever lab, to its figures, its events and the doubts about them.

use std::collections::BTreeSet;
use std::time::Duration;

use evidence::{ErrorKind, OriginRead, ReplicaCounters, ReplicaEvents};
use report::Herds;
use report::record::{Conditions, EventRow, Events, LabEvent, Ledgers};
use scenarios::{LoadKind, Scenario};
use strategies::port::Event;
use strategies::time::nanos;

use super::{OriginRecord, Trial};
use crate::cli::settings::Subject;
use crate::lab::Offset;
use crate::lab::faults::Aftermath;
use crate::load::measure::{
    Counter, During, EventLines, Evidence, Floor, Guards, Impact, KnownFlights, LineLists, OriginTally, Part, ReadList,
    Reads, RunFacts, StrategyFigures, Timeline, conditions, doubts, figures,
};
use crate::load::record::Collected;
use crate::shell::exit::Failure;

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
    pub origin: Option<(Box<dyn Reads + Send>, Offset)>,
    /// What the replicas told; `None` of a target.
    pub replicas: Option<ReplicaEvidence>,
    /// What the replicas counted between t = 0 and the end of the load, summed.
    pub counters: ReplicaCounters,
    /// The planned events: what took effect, and what did not; and what follows from them.
    pub aftermath: Aftermath,
    /// How the lab's parts fared; none of a simulated one.
    pub parts: Vec<Part>,
    /// What is known beside all that. What follows from the rest is filled in here.
    pub circumstances: RunFacts,
}

/// What the replicas told.
pub struct ReplicaEvidence {
    /// How many there are.
    pub count: u32,
    /// What they told.
    pub lines: Box<dyn EventLines + Send>,
    /// Events that their logs had no room for.
    pub dropped: u64,
    /// How wrong their clocks can be, nanoseconds; the worst.
    pub uncertainty_ns: u64,
}

impl ReplicaEvidence {
    /// Of the lists that replicas have sent, and each one's clock; `None` where there are none.
    #[must_use]
    pub fn of(lists: Vec<(ReplicaEvents, Offset)>, t0_ns: i64) -> Option<Self> {
        let uncertainty_ns = lists.iter().map(|(_, clock)| clock.uncertainty_ns).max()?;
        let dropped = lists.iter().map(|(list, _)| list.dropped).sum();
        let count = u32::try_from(lists.len()).unwrap_or(u32::MAX);
        let lists = lists.into_iter().map(|(list, clock)| (list, clock.to_ours_ns - t0_ns)).collect();
        Some(Self { count, lines: Box::new(LineLists::new(lists)), dropped, uncertainty_ns })
    }
}

/// The ledger that an origin has sent.
#[must_use]
pub fn read_list(rows: Vec<OriginRead>) -> Box<dyn Reads + Send> {
    Box::new(ReadList::new(rows))
}

/// What one look at everything that the replicas told has found.
struct Heard {
    flights: KnownFlights,
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

/// Judges it.
///
/// # Errors
/// [`Failure`] where what was kept of the run cannot be read back.
pub fn judge(observed: Observed<'_>) -> Result<Trial, Failure> {
    let Observed { scenario, subject, t0_ns, end_ns, stopped, collected, origin, replicas, aftermath, .. } = observed;
    let uncertainty = uncertainty_ns(replicas.as_ref(), origin.as_ref().map(|(_, clock)| *clock));
    let (count, dropped) = replicas.as_ref().map_or((0, 0), |told| (told.count, told.dropped));
    let mut heard = replicas.as_ref().map(|told| hear(&*told.lines, subject, &aftermath, end_ns)).transpose()?;
    let told = replicas.is_some();
    let own = own(scenario.load.warmup, end_ns, &aftermath.rows);
    let events = Timeline::new(replicas.map(|told| told.lines), own, end_ns);
    let mut saw = None;
    if let Some((reads, clock)) = &origin {
        let herds = Herds::new(reasons(scenario, &events, told)?, uncertainty.unwrap_or(0));
        let tally = OriginTally::new(scenario, &collected, herds, end_ns);
        let flights = heard.as_mut().map(|heard| &mut heard.flights);
        saw = Some(see(&**reads, tally, clock.to_ours_ns - t0_ns, flights, &aftermath)?);
    }
    // A target's caches keep no list of flights, so there is nothing to compare the origin's with.
    let compared = heard.as_mut().filter(|_| origin.is_some());
    let ledgers = compared.map(|heard| compare(std::mem::take(&mut heard.flights), &collected, &aftermath));
    let unwitnessed = saw.as_ref().map_or(0, |saw| saw.unwitnessed);
    let calm = is_calm(scenario, saw.as_ref(), heard.as_ref(), &aftermath);
    let mut figures = figures(Evidence {
        scenario,
        subject,
        replicas: count,
        end_ns,
        collected: &collected,
        origin: saw.map(|saw| saw.tally),
        events: heard.as_ref().map(|heard| heard.events),
        ledgers,
        impact: impact(scenario, subject, &aftermath.rows),
        counters: observed.counters,
    });
    figures.strategy.unwitnessed = unwitnessed;
    let during = During { from_ns: -since_start(scenario.load.warmup), to_ns: end_ns };
    let (fared, against) = conditions(&observed.parts, during, &aftermath);
    figures.strategy.conditions = (!observed.parts.is_empty()).then(|| Conditions {
        wakes_lost: heard.as_ref().map(|heard| heard.wakes_lost),
        writes_missed: observed.circumstances.writes_missed,
        ..fared
    });
    // Of answers that do not say how they were made, none can be told to be a hit.
    let warm = !scenario.load.warmup.is_zero() && !stopped && figures.strategy.outcomes.unknown == 0;
    let reads_min = collected.floor_least.filter(|_| calm && is_undisturbed(scenario, &figures));
    let circumstances = RunFacts {
        reads_min: reads_min.filter(|_| !stopped),
        open_loop: matches!(scenario.load.kind, LoadKind::Open { .. }) && !stopped,
        clock_uncertainty_ns: uncertainty.unwrap_or(0),
        foreign: subject.strategy.is_none(),
        hits_before_start: collected.warmth.as_ref().filter(|_| warm).and_then(|w| w.hits(&collected.seconds)),
        against,
        events_dropped: dropped,
        ..counted(observed.circumstances, &collected, heard, &aftermath)
    };
    figures.strategy.invalid_because = doubts(&figures.strategy, &circumstances);
    figures.strategy.valid = figures.strategy.invalid_because.is_empty();
    let (log, clock_uncertainty_ns) = (collected.log, uncertainty);
    let origin_clock = origin.as_ref().map(|(_, clock)| *clock);
    let origin = origin.map(|(reads, clock)| OriginRecord { reads, offset_ns: clock.to_ours_ns - t0_ns, end_ns });
    Ok(Trial { figures, events, origin, log, origin_clock, clock_uncertainty_ns, probed: None, containers: None })
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
fn uncertainty_ns(replicas: Option<&ReplicaEvidence>, origin: Option<Offset>) -> Option<u64> {
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
fn hear(lines: &dyn EventLines, subject: &Subject, aftermath: &Aftermath, end_ns: i64) -> Result<Heard, Failure> {
    let layers = subject.strategy.as_ref().map(strategies::Spec::layers).unwrap_or_default();
    let has = |name: &str| layers.iter().any(|layer| layer.name == name);
    let mut counter = Counter::new(end_ns, Guards { limit: has("limit"), breaker: has("breaker") });
    let mut heard = Heard {
        flights: KnownFlights::default(),
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
        let unexplained = || !aftermath.explains(at, Some(replica));
        match &line.event {
            Event::CacheFailed { .. } => {
                heard.spared = true;
                if unexplained() {
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
    mut flights: Option<&mut KnownFlights>,
    aftermath: &Aftermath,
) -> Result<Saw, Failure> {
    let (mut unwitnessed, mut longest_ns) = (0, 0);
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
    let clients = match scenario.load.kind {
        LoadKind::Closed { clients, .. } => Some(clients),
        LoadKind::Open { .. } => None,
    };
    Some(Impact {
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
