//! The two witnesses of every origin read: what the replicas say they led, and what the origin says it saw. They must
//! agree by flight id, exactly; and what the generator received must be what the replicas say they answered.

use std::collections::{BTreeMap, BTreeSet};

use app::control::{LedgerRow, ReadOutcome, ReplicaEvents};
use report::record::Ledgers;

/// Disagreements that are listed; more say no more.
const LISTED_MAX: usize = 20;

/// What the replicas say of their flights, over all phases.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flights {
    /// Led, and how each ended (`done`, `origin-error`, `timed-out`, `vanished`).
    pub ended: BTreeMap<String, String>,
    /// Led, and why (`demand`, `refresh`, `warm`).
    pub led: BTreeMap<String, String>,
    /// Handed to the server as somebody's answer.
    pub answered: BTreeSet<String>,
}

impl Flights {
    /// Reads the flights out of the replicas' events.
    #[must_use]
    pub fn of<'a>(replicas: impl IntoIterator<Item = &'a ReplicaEvents>) -> Self {
        let mut flights = Self::default();
        for line in replicas.into_iter().flat_map(|r| &r.events) {
            let Some(flight) = line.flight.clone() else { continue };
            let detail = line.detail.clone().unwrap_or_default();
            match line.event.as_str() {
                "flight-led" => drop(flights.led.insert(flight, detail)),
                "flight-ended" => drop(flights.ended.insert(flight, detail)),
                "answered" => drop(flights.answered.insert(flight)),
                _ => {}
            }
        }
        flights
    }
}

/// Compares. `received` are the flights whose answers reached the generator, `lost_answers` the requests that failed
/// between generator and replica (each may hide one answered flight).
#[must_use]
pub fn compare(flights: &Flights, rows: &[LedgerRow], received: &[String], lost_answers: u64) -> Ledgers {
    let mut disagree = Vec::new();
    let mut seen: BTreeMap<&str, ReadOutcome> = BTreeMap::new();
    for row in rows {
        if seen.insert(&row.flight, row.outcome).is_some() {
            disagree.push(format!("{}: the origin saw it twice", row.flight));
        }
        match (flights.ended.get(&row.flight).map(String::as_str), row.outcome) {
            (None, _) if flights.led.contains_key(&row.flight) => {
                disagree.push(format!("{}: never ended in its replica", row.flight));
            }
            (None, _) => disagree.push(format!("{:?}: the origin saw it, no replica led it", row.flight)),
            (Some("done"), ReadOutcome::Ok | ReadOutcome::Missing) => {}
            (Some("done"), outcome) => {
                disagree.push(format!("{}: done in its replica, {} at the origin", row.flight, outcome.name()));
            }
            // An answer that came too late, or was lost on its way, leaves a read that ended well at the origin.
            (Some(_), _) => {}
        }
    }
    let unseen = flights.ended.iter().filter(|(f, end)| *end == "done" && !seen.contains_key(f.as_str()));
    disagree.extend(unseen.map(|(f, _)| format!("{f}: done in its replica, and the origin never saw it")));
    disagree.extend(undelivered_mismatch(flights, received, lost_answers));
    let replica_flights = flights.ended.iter().filter(|(f, _)| seen.contains_key(f.as_str())).count();
    disagree.truncate(LISTED_MAX);
    Ledgers {
        origin_rows: rows.len() as u64,
        replica_flights: replica_flights as u64,
        disagree,
        loads_received: received.len() as u64,
        led_undelivered: undelivered(flights, received),
    }
}

/// Flights that were led for a request, ended well, and whose answer the generator never got.
fn undelivered(flights: &Flights, received: &[String]) -> Vec<String> {
    let received: BTreeSet<&str> = received.iter().map(String::as_str).collect();
    let demanded = flights.led.iter().filter(|(_, cause)| *cause == "demand").map(|(f, _)| f);
    let done = demanded.filter(|f| flights.ended.get(*f).is_some_and(|end| end == "done"));
    done.filter(|f| !received.contains(f.as_str())).cloned().collect()
}

/// Between generator and replica nothing is invented, and nothing is lost but what failed.
fn undelivered_mismatch(flights: &Flights, received: &[String], lost_answers: u64) -> Vec<String> {
    let mut disagree = Vec::new();
    let mut once = BTreeSet::new();
    for flight in received {
        if !once.insert(flight.as_str()) {
            disagree.push(format!("{flight}: two answers claim it"));
        }
        if !flights.answered.contains(flight) {
            disagree.push(format!("{flight:?}: received, and no replica answered it"));
        }
    }
    let missing: Vec<_> = flights.answered.iter().filter(|f| !once.contains(f.as_str())).collect();
    if missing.len() as u64 > lost_answers {
        let some = missing.iter().map(|f| format!("{f}: answered by its replica, never received"));
        disagree.extend(some.take(LISTED_MAX));
    }
    disagree
}

#[cfg(test)]
mod tests {
    use app::control::EventLine;

    use super::*;

    fn row(flight: &str, outcome: ReadOutcome) -> LedgerRow {
        LedgerRow {
            key: "1".into(),
            flight: flight.into(),
            replica: Some(0),
            arrived_ns: 1,
            start_ns: Some(1),
            end_ns: Some(2),
            outcome,
        }
    }

    fn events(lines: &[(&str, &str, &str)]) -> ReplicaEvents {
        let line = |(event, flight, detail): &(&str, &str, &str)| EventLine {
            mono_ns: 1,
            event: (*event).into(),
            key: None,
            flight: Some((*flight).into()),
            detail: Some((*detail).into()),
            soft_ns: None,
        };
        ReplicaEvents { events: lines.iter().map(line).collect(), dropped: 0 }
    }

    fn disagreements(lines: &[(&str, &str, &str)], rows: &[LedgerRow], received: &[&str], lost: u64) -> Vec<String> {
        let received: Vec<String> = received.iter().map(|f| (*f).to_owned()).collect();
        compare(&Flights::of([&events(lines)]), rows, &received, lost).disagree
    }

    const DEMAND: [(&str, &str, &str); 3] =
        [("flight-led", "a-1", "demand"), ("flight-ended", "a-1", "done"), ("answered", "a-1", "")];

    #[test]
    fn what_agrees_says_nothing() {
        assert!(disagreements(&DEMAND, &[row("a-1", ReadOutcome::Ok)], &["a-1"], 0).is_empty());
        let refresh = [("flight-led", "a-2", "refresh"), ("flight-ended", "a-2", "done")];
        assert!(disagreements(&refresh, &[row("a-2", ReadOutcome::Ok)], &[], 0).is_empty());
        for end in ["origin-error", "timed-out", "vanished"] {
            let failed = [("flight-led", "a-3", "demand"), ("flight-ended", "a-3", end)];
            assert!(disagreements(&failed, &[row("a-3", ReadOutcome::Abandoned)], &[], 0).is_empty(), "{end}");
            assert!(disagreements(&failed, &[], &[], 0).is_empty(), "{end}: it may never have arrived");
        }
    }

    #[test]
    fn each_way_to_disagree_is_noticed() {
        for (lines, rows, received, words) in [
            (&DEMAND[..], vec![], vec!["a-1"], "the origin never saw it"),
            (&[], vec![row("b-1", ReadOutcome::Ok)], vec![], "no replica led it"),
            (&DEMAND, vec![row("a-1", ReadOutcome::Ok), row("a-1", ReadOutcome::Ok)], vec!["a-1"], "saw it twice"),
            (&DEMAND, vec![row("a-1", ReadOutcome::Failed)], vec!["a-1"], "failed at the origin"),
            (&DEMAND[..1], vec![row("a-1", ReadOutcome::Open)], vec![], "never ended"),
            (&DEMAND, vec![row("a-1", ReadOutcome::Ok)], vec![], "never received"),
            (&DEMAND, vec![row("a-1", ReadOutcome::Ok)], vec!["a-1", "a-1"], "two answers claim it"),
            (&DEMAND[..2], vec![row("a-1", ReadOutcome::Ok)], vec!["a-1"], "no replica answered it"),
        ] {
            let said = disagreements(lines, &rows, &received, 0);
            assert!(said.iter().any(|s| s.contains(words)), "{words}: {said:?}");
        }
    }

    #[test]
    fn an_answer_lost_on_its_way_is_listed_and_is_no_disagreement() {
        let rows = [row("a-1", ReadOutcome::Ok)];
        let ledgers = compare(&Flights::of([&events(&DEMAND)]), &rows, &[], 1);
        assert!(ledgers.disagree.is_empty());
        assert_eq!((ledgers.led_undelivered, ledgers.replica_flights), (vec!["a-1".to_owned()], 1));
    }
}
