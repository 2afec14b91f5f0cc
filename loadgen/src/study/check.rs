//! `loadgen check RUN`: the simulator's checkers over the records of a run, whatever lab it ran in.
//!
//! Records have less than a simulated world tells: no cache reads, no lock's tokens, no single answers. What stays out is
//! in docs/invariants.md. Facts of different replicas are dated as exactly as their clocks were read. What the scenario's
//! events did excuses what it may excuse, from a second before it is told to a second after it is over: a real fault takes
//! effect before anybody can see that it did, and connections need their time to be made again.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::time::Duration;

use evidence::ReadEnd;
use report::RunFolder;
use report::record::{BinRow, EventRow, LabEvent, OriginRow, Run, Strategy};
use report::text::escape::line;
use scenarios::{ActionKind, Scenario, Trouble};
use sim::invariants::{Active, Fact, FactKind, Judge, Terms, Violation};
use sim::{Effect, Read};
use strategies::port::{Event, Stored, Texts, Token, When};
use strategies::time::{Mono, Wall};
use strategies::{Entry, Key, Life, Spec};

use crate::shell::exit::{Exit, Failure};
use crate::shell::output;

/// How long a reply may be under way from the cache: a put is dated when it was acknowledged.
const REPLY: Duration = Duration::from_millis(100);
/// The highest version that an item can come to; whatever is beyond was never stored.
const VERSION_MAX: u64 = 1 << 52;
/// How long before it is told a failed operation of the cache may have begun to do harm, and how long after.
const FELT_NS: i64 = 1_000_000_000;

/// Checks every strategy of a run.
///
/// # Errors
/// [`Failure`] where the records cannot be read, are not all there, or have nothing to be checked, and where an invariant did
/// not hold.
pub fn check(folder: &Path) -> Result<Exit, Failure> {
    let files = RunFolder::at(folder);
    let run = files.read_run().map_err(Failure::usage)?;
    let text = files.read_scenario().map_err(Failure::usage)?;
    let scenario = Scenario::parse(&text, "scenario.toml", &[]).map_err(Failure::usage)?;
    let (mut said, mut broken, mut checked) = (String::new(), 0_usize, 0_usize);
    for strategy in &run.strategies {
        let name = line(&strategy.name);
        let Ok(spec) = Spec::parse(&strategy.name) else {
            let why = match strategy.counters {
                Some(_) => "it counts, and what it promises is in its own figures",
                None => "not a strategy of the lab's: nothing is promised",
            };
            said += &format!("{name:<14} {why}\n");
            continue;
        };
        checked += 1;
        match of_strategy(&files, &run, &scenario, strategy, &spec)? {
            Ok(facts) => said += &format!("{name:<14} {facts} facts, every invariant held\n"),
            Err(violation) => {
                broken += 1;
                said += &format!("{name:<14} {}\n", line(&violation.to_string()));
            }
        }
    }
    output::out(&said)?;
    if checked == 0 {
        return Err(Failure::usage(format!(
            "nothing to check · {} · found no strategy of the lab's in run.json, needed one or more · name the folder of a \
             run of this lab's strategies",
            folder.display()
        )));
    }
    if broken == 0 {
        return Ok(Exit::Ok);
    }
    let (all, shown) = (run.strategies.len(), folder.display());
    Err(Failure::failed(format!("an invariant did not hold · {shown} · {broken} of {all} strategies · see above")))
}

fn of_strategy(
    files: &RunFolder,
    run: &Run,
    scenario: &Scenario,
    strategy: &Strategy,
    spec: &Spec,
) -> Result<Result<usize, Violation>, Failure> {
    let records = files.strategy(&strategy.folder).map_err(Failure::usage)?;
    let (events, origin) =
        (records.read_events().map_err(Failure::usage)?, records.read_origin().map_err(Failure::usage)?);
    let seconds = records.read_seconds().map_err(Failure::usage)?;
    check_whole(strategy, &events, &origin, &seconds)?;
    let slack = Duration::from_nanos(run.clock_uncertainty_ns.unwrap_or(0));
    let terms = Terms {
        promise: spec.clone().fitted(&scenario.budgets).promise(scenario.ttl_max()),
        replicas: u16::try_from(run.replicas).unwrap_or(u16::MAX),
        budgets: scenario.budgets,
        places: scenario.origin.concurrency as usize,
        queue: scenario.origin.queue as usize,
        write_every: scenario.origin.write_every,
        clocks: Duration::ZERO,
        // Two clocks may be wrong in opposite directions.
        slack: if run.lab == "sim" { Duration::ZERO } else { slack * 2 + REPLY },
        retry_share: scenario.load.retry.and_then(|retry| retry.budget),
        sees_cache: false,
    };
    // A row has the retries of its own requests, and not those that were sent in it: only the sum can be judged.
    let (first, retries) =
        seconds.iter().fold((0, 0), |(first, more), row| (first + row.sent, more + row.retries.unwrap_or(0)));
    let sent = Fact { at_ns: 0, node: None, what: FactKind::Sent { first, retries } };
    Ok(judge(terms, &events, &origin).and_then(|seen| Judge::new(terms).see(&sent).map(|()| seen + 1)))
}

/// Refuses records that are not all there: of what was cut or emptied every invariant holds. What the record itself says of
/// them is counted by the other witness.
fn check_whole(
    strategy: &Strategy,
    events: &[EventRow],
    origin: &[OriginRow],
    seconds: &[BinRow],
) -> Result<(), Failure> {
    let rows = origin.len() as u64;
    let sent: u64 = seconds.iter().filter(|row| row.start_ms >= 0).map(|row| row.sent).sum();
    let (expected_rows, answered) = match &strategy.ledgers {
        Some(ledgers) => (ledgers.origin_rows + strategy.unwitnessed, ledgers.replica_flights),
        None => (rows, 0),
    };
    let seen: BTreeSet<&str> = origin.iter().map(|row| row.flight.as_str()).collect();
    let ended = events.iter().filter(|row| row.event == "flight-ended").filter_map(|row| row.flight.as_deref());
    let flights = ended.filter(|flight| seen.contains(flight)).collect::<BTreeSet<_>>().len() as u64;
    for (file, what, found, needed) in [
        ("seconds.csv", "requests of the measured phase", sent, strategy.requests),
        ("origin.csv", "origin reads", rows, expected_rows),
        ("events.jsonl", "ended flights that the origin saw", flights, answered),
    ] {
        if found != needed {
            return Err(Failure::usage(format!(
                "records that are not those of the run · {}/{file} · found {found} {what}, needed {needed} as run.json says · \
                 check the folder as the run left it",
                strategy.folder
            )));
        }
    }
    if strategy.requests == 0 {
        return Err(Failure::usage(format!(
            "nothing to check · {} · found no request in it · run it again",
            strategy.folder
        )));
    }
    Ok(())
}

/// Runs the checkers over a strategy's records.
///
/// # Errors
/// The first invariant that did not hold.
pub fn judge(terms: Terms, events: &[EventRow], origin: &[OriginRow]) -> Result<usize, Violation> {
    let mut judge = Judge::new(terms);
    let first = events.iter().map(|row| row.t_ns).chain(origin.iter().map(|row| row.arrived_ns)).min().unwrap_or(0);
    let last = events.last().map_or(0, |row| row.t_ns - first);
    let mut facts: Vec<Fact> = events.iter().filter_map(|row| fact(row, first)).collect();
    facts.extend(faults(events, first));
    // Each trouble before what it may excuse; what is of one time stays in its order.
    facts.sort_by_key(|fact| fact.at_ns);
    let died =
        facts.iter().any(|fact| matches!(&fact.what, FactKind::Trouble(trouble) if trouble.kind == Trouble::Crash));
    let life = |flight: &'_ str| flight.split('-').next().unwrap_or_default().to_owned();
    let lives: HashSet<String> = events.iter().filter_map(|event| event.flight.as_deref().map(life)).collect();
    let told = |row: &OriginRow| lives.contains(&life(&row.flight));
    // Nobody is left to tell of the flights of a replica that died.
    let witnessed = origin.iter().filter(|row| !died || told(row));
    let mut reads: Vec<Read> = witnessed.filter_map(|row| read(row, first)).collect();
    reads.sort_by_key(|read| read.arrived);
    let reads = reads.into_iter().map(|read| Fact { at_ns: last, node: None, what: FactKind::Read(read) });
    let over = Fact { at_ns: last, node: None, what: FactKind::Over(0) };
    let mut seen = 0;
    for fact in facts.into_iter().chain(reads).chain([over]) {
        seen += 1;
        judge.see(&fact)?;
    }
    Ok(seen)
}

/// The troubles that were made. What excuses whatever a trouble may excuse: a row without an action, as older records have them, and
/// an event that failed, which may have taken effect in part.
fn faults(events: &[EventRow], first: i64) -> Vec<Fact> {
    let mut facts = Vec::new();
    for row in events {
        let action = match row.of_the_lab() {
            Some(LabEvent::Fault) => row.action.as_deref().and_then(ActionKind::of),
            Some(LabEvent::FaultFailed) => None,
            _ => continue,
        };
        let kind = action.map_or(Trouble::Other, |action| action.row().trouble);
        let node = row.replica.and_then(|replica| u16::try_from(replica).ok());
        // A replica that died may be dead to the end, and one that was started anew has lost what the old one knew.
        let endless = matches!(kind, Trouble::Crash | Trouble::Other);
        let length = if endless { u64::MAX } else { row.for_ns.unwrap_or(0) };
        let (at_ns, length) = (row.t_ns - first, i64::try_from(length).unwrap_or(i64::MAX));
        let from_ns = (at_ns - FELT_NS).max(0);
        let until_ns = at_ns.saturating_add(length).saturating_add(FELT_NS);
        facts.push(Fact { at_ns: from_ns, node, what: FactKind::Trouble(Active { kind, node, from_ns, until_ns }) });
    }
    facts
}

fn fact(row: &EventRow, first: i64) -> Option<Fact> {
    let at_ns = row.t_ns - first;
    let node = row.replica.and_then(|replica| u16::try_from(replica).ok());
    let (key, flight, detail) = (row.key.as_deref(), row.flight.as_deref(), row.detail.as_deref());
    // Runs before versions were recorded have no detail of what was stored, and so no event.
    let what = match Event::of(Texts { event: &row.event, key, flight, detail }, Mono(0))? {
        Event::Put { key, version, fenced, stored: Stored::Stored, .. } if version <= VERSION_MAX => {
            let when = if fenced { When::Fenced(Token(0)) } else { When::Always };
            FactKind::Cache(Effect::Put(key, entry(version), when, Stored::Stored))
        }
        Event::CacheFailed { .. } => {
            let (kind, from_ns, until_ns) = (Trouble::CachePaused, at_ns - FELT_NS, at_ns + FELT_NS);
            FactKind::Trouble(Active { kind, node, from_ns, until_ns })
        }
        event @ (Event::FlightLed { .. }
        | Event::FlightEnded { .. }
        | Event::Written { .. }
        | Event::WriteFailed { .. }
        | Event::Invalidated(_)
        | Event::OriginSpared { .. }
        | Event::Breaker(_)
        | Event::CacheBreaker(_)) => FactKind::Told(event),
        _ => return None,
    };
    Some(Fact { at_ns, node, what })
}

/// An entry of which only the version is known: it is in the cache until something newer is.
fn entry(version: u64) -> Entry {
    let life = Life { soft: Duration::ZERO, hard: Duration::MAX };
    let (read_at, stored_at) = (Wall::default(), Wall::default());
    Entry { value: None, version, read_at, stored_at, life, delta: Duration::ZERO }
}

fn read(row: &OriginRow, first: i64) -> Option<Read> {
    let at = |ns: i64| Mono((ns - first).max(0).unsigned_abs());
    Some(Read {
        key: Key::new(&row.key).ok()?,
        flight: row.flight.parse().ok()?,
        replica: row.replica.and_then(|replica| u16::try_from(replica).ok())?,
        arrived: at(row.arrived_ns),
        start: row.start_ns.map(at),
        end: row.end_ns.map(at),
        outcome: ReadEnd::named(&row.outcome),
    })
}
