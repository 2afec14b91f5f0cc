//! The two witnesses of every origin read: what the replicas say they led, and what the origin says it saw. They must
//! agree by flight id, exactly; and what the generator received must be what the replicas say they answered.
//!
//! A flight's name is its replica's life and a running number, so what is known of it is a few bits in a row: two million
//! flights are two megabytes.

use std::collections::BTreeMap;

use evidence::{EventLine, OriginRead, ReadEnd};
use report::record::Ledgers;
use strategies::port::{Cause, Event, FlightId, LeaderEnd};

/// Disagreements that are listed; more say no more.
const LISTED_MAX: usize = 20;
/// Flights of which the marks lie beside each other.
const PAGE: u64 = 64;

/// Led for a request; else for a refresh, or to warm the cache.
const DEMANDED: u8 = 1;
const LED: u8 = 2;
/// Ended, and with the value.
const ENDED: u8 = 4;
const DONE: u8 = 8;
/// Handed to the server as somebody's answer.
const ANSWERED: u8 = 16;
/// Seen by the origin.
const SEEN: u8 = 32;
/// Received by the generator.
const RECEIVED: u8 = 64;
/// And once more.
const AGAIN: u8 = 128;

/// Some bits of what is known of each flight.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Marks {
    /// By life and page.
    pages: BTreeMap<(u64, u64), [u8; PAGE as usize]>,
    /// Names that no replica of ours gives.
    strange: BTreeMap<String, u8>,
}

impl Marks {
    fn of(&mut self, flight: &str) -> &mut u8 {
        // `a-01` and `A-1` are no names of ours, whatever they can be read as.
        match flight.parse::<FlightId>().ok().filter(|id| id.to_string() == flight) {
            Some(flight) => self.of_ours(flight),
            None => self.strange.entry(flight.to_owned()).or_insert(0),
        }
    }

    fn of_ours(&mut self, FlightId { incarnation, number }: FlightId) -> &mut u8 {
        let page = self.pages.entry((incarnation, number / PAGE)).or_insert([0; PAGE as usize]);
        &mut page[(number % PAGE) as usize]
    }

    /// Every flight of which anything is known.
    fn all(&self) -> impl Iterator<Item = (String, u8)> {
        let of_page = |((incarnation, page), marks): (&(u64, u64), &[u8; PAGE as usize])| {
            let (incarnation, first) = (*incarnation, page * PAGE);
            let marked = (0..).zip(*marks).filter(|(_, marks)| *marks != 0);
            marked.map(move |(at, marks)| (FlightId { incarnation, number: first + at }.to_string(), marks))
        };
        self.pages.iter().flat_map(of_page).chain(self.strange.iter().map(|(name, marks)| (name.clone(), *marks)))
    }

    /// Those with these marks, and without those, as they sort.
    fn with(&self, these: u8, without: u8) -> Vec<String> {
        let wanted = |marks: u8| marks & these == these && marks & without == 0;
        let mut names: Vec<String> = self.all().filter(|(_, marks)| wanted(*marks)).map(|(name, _)| name).collect();
        names.sort_unstable();
        names
    }
}

/// Flights whose answers reached the generator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received(Marks);

impl Received {
    /// An answer says that this flight was led for it.
    pub fn answer(&mut self, flight: &str) {
        let marks = self.0.of(flight);
        *marks |= if *marks == 0 { RECEIVED } else { AGAIN };
    }
}

/// What is known of each flight, over all phases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownFlights {
    marks: Marks,
    rows: u64,
    disagree: Vec<String>,
}

impl KnownFlights {
    /// A replica tells of a flight of its own.
    pub fn told(&mut self, line: &EventLine) {
        let (flight, marks, without) = match &line.event {
            Event::FlightLed { flight, cause: Cause::Demand, .. } => (*flight, LED | DEMANDED, 0),
            Event::FlightLed { flight, .. } => (*flight, LED, DEMANDED),
            Event::FlightEnded { flight, end: LeaderEnd::Done, .. } => (*flight, ENDED | DONE, 0),
            Event::FlightEnded { flight, .. } => (*flight, ENDED, DONE),
            Event::Answered(flight) => (*flight, ANSWERED, 0),
            _ => return,
        };
        let known = self.marks.of_ours(flight);
        *known = *known & !without | marks;
    }

    /// The origin saw a read. To be told when the replicas have told everything.
    pub fn seen(&mut self, row: &OriginRead) {
        self.rows += 1;
        let known = self.marks.of(&row.flight);
        let before = *known;
        *known |= SEEN;
        let flight = &row.flight;
        let mut disagree = |what: String| {
            if self.disagree.len() < LISTED_MAX {
                self.disagree.push(what);
            }
        };
        if before & SEEN != 0 {
            disagree(format!("{flight}: the origin saw it twice"));
        }
        match (before & ENDED != 0, before & DONE != 0, row.outcome) {
            (false, ..) if before & LED != 0 => disagree(format!("{flight}: never ended in its replica")),
            (false, ..) => disagree(format!("{:?}: the origin saw it, no replica led it", flight.as_str())),
            (true, true, Some(ReadEnd::Ok | ReadEnd::Missing)) => {}
            (true, true, _) => {
                disagree(format!("{flight}: done in its replica, {} at the origin", row.standing()));
            }
            // An answer that came too late, or was lost on its way, leaves a read that ended well at the origin.
            (true, false, _) => {}
        }
    }

    /// Compares. `received` are the flights whose answers reached the generator, of which those count that are `witnessed`;
    /// `lost_answers` the requests that failed between generator and replica (each may hide one answered flight).
    #[must_use]
    pub fn compare(mut self, received: &Received, witnessed: impl Fn(&str) -> bool, lost_answers: u64) -> Ledgers {
        let mut disagree = std::mem::take(&mut self.disagree);
        let unseen = self.marks.with(ENDED | DONE, SEEN);
        disagree.extend(unseen.iter().map(|f| format!("{f}: done in its replica, and the origin never saw it")));
        let mut loads_received = 0;
        // Between generator and replica nothing is invented, and nothing is lost but what failed.
        for (flight, marks) in received.0.all().filter(|(flight, _)| witnessed(flight)) {
            loads_received += 1;
            let known = self.marks.of(&flight);
            *known |= RECEIVED;
            if marks & AGAIN != 0 {
                loads_received += 1;
                disagree.push(format!("{flight}: two answers claim it"));
            }
            if *known & ANSWERED == 0 {
                disagree.push(format!("{flight:?}: received, and no replica answered it"));
            }
        }
        let missing = self.marks.with(ANSWERED, RECEIVED);
        if missing.len() as u64 > lost_answers {
            disagree.extend(missing.iter().map(|f| format!("{f}: answered by its replica, never received")));
        }
        disagree.truncate(LISTED_MAX);
        Ledgers {
            origin_rows: self.rows,
            replica_flights: self.marks.all().filter(|(_, marks)| marks & (ENDED | SEEN) == ENDED | SEEN).count()
                as u64,
            disagree,
            loads_received,
            // Led for a request, ended well, and the generator never got the answer.
            led_undelivered: self.marks.with(LED | DEMANDED | ENDED | DONE, RECEIVED),
        }
    }
}

#[cfg(test)]
mod tests {
    use strategies::Key;
    use strategies::port::Texts;
    use strategies::time::Mono;

    use super::*;

    fn row(flight: &str, outcome: impl Into<Option<ReadEnd>>) -> OriginRead {
        OriginRead {
            key: "1".into(),
            flight: flight.into(),
            replica: Some(0),
            arrived_ns: 1,
            start_ns: Some(1),
            end_ns: Some(2),
            outcome: outcome.into(),
        }
    }

    /// A flight's name, as a replica of ours gives it, of a short one.
    fn ours(name: &str) -> String {
        name.parse::<FlightId>().unwrap().to_string()
    }

    fn compare(lines: &[(&str, &str, &str)], rows: &[OriginRead], received: &[&str], lost: u64) -> Ledgers {
        let mut flights = KnownFlights::default();
        for (event, flight, detail) in lines {
            let texts = Texts { event, key: Some("1"), flight: Some(flight), detail: Some(detail) };
            flights.told(&EventLine { mono_ns: 1, event: Event::of(texts, Mono(0)).unwrap() });
        }
        rows.iter().for_each(|row| flights.seen(&OriginRead { flight: ours(&row.flight).into(), ..row.clone() }));
        let mut answers = Received::default();
        received.iter().for_each(|flight| answers.answer(&ours(flight)));
        flights.compare(&answers, |_| true, lost)
    }

    fn disagreements(lines: &[(&str, &str, &str)], rows: &[OriginRead], received: &[&str], lost: u64) -> Vec<String> {
        compare(lines, rows, received, lost).disagree
    }

    const DEMAND: [(&str, &str, &str); 3] =
        [("flight-led", "a-1", "demand"), ("flight-ended", "a-1", "done"), ("answered", "a-1", "")];

    #[test]
    fn what_agrees_says_nothing() {
        assert!(disagreements(&DEMAND, &[row("a-1", ReadEnd::Ok)], &["a-1"], 0).is_empty());
        let refresh = [("flight-led", "a-2", "refresh"), ("flight-ended", "a-2", "done")];
        assert!(disagreements(&refresh, &[row("a-2", ReadEnd::Ok)], &[], 0).is_empty());
        for end in ["origin-error", "timed-out", "vanished"] {
            let failed = [("flight-led", "a-3", "demand"), ("flight-ended", "a-3", end)];
            assert!(disagreements(&failed, &[row("a-3", ReadEnd::Abandoned)], &[], 0).is_empty(), "{end}");
            assert!(disagreements(&failed, &[], &[], 0).is_empty(), "{end}: it may never have arrived");
        }
    }

    #[test]
    fn each_way_to_disagree_is_noticed() {
        for (lines, rows, received, words) in [
            (&DEMAND[..], vec![], vec!["a-1"], "the origin never saw it"),
            (&[], vec![row("b-1", ReadEnd::Ok)], vec![], "no replica led it"),
            (&DEMAND, vec![row("a-1", ReadEnd::Ok), row("a-1", ReadEnd::Ok)], vec!["a-1"], "saw it twice"),
            (&DEMAND, vec![row("a-1", ReadEnd::Failed)], vec!["a-1"], "failed at the origin"),
            (&DEMAND[..1], vec![row("a-1", None)], vec![], "never ended"),
            (&DEMAND, vec![row("a-1", ReadEnd::Ok)], vec![], "never received"),
            (&DEMAND, vec![row("a-1", ReadEnd::Ok)], vec!["a-1", "a-1"], "two answers claim it"),
            (&DEMAND[..2], vec![row("a-1", ReadEnd::Ok)], vec!["a-1"], "no replica answered it"),
        ] {
            let said = disagreements(lines, &rows, &received, 0);
            assert!(said.iter().any(|s| s.contains(words)), "{words}: {said:?}");
        }
    }

    #[test]
    fn an_answer_lost_on_its_way_is_listed_and_is_no_disagreement() {
        let rows = [row("a-1", ReadEnd::Ok)];
        let ledgers = compare(&DEMAND, &rows, &[], 1);
        assert!(ledgers.disagree.is_empty());
        assert_eq!((ledgers.led_undelivered, ledgers.replica_flights), (vec![ours("a-1")], 1));
    }

    #[test]
    fn names_of_ours_and_strange_ones_are_told_apart_and_cost_a_byte_or_themselves() {
        let mut flights = KnownFlights::default();
        for number in 1..=100_000 {
            let (flight, key) = (FlightId { incarnation: 0xabc, number }, Key::of_item(1));
            let event = Event::FlightLed { flight, key, cause: Cause::Demand };
            flights.told(&EventLine { mono_ns: 1, event });
        }
        assert_eq!(flights.marks.pages.len(), 100_001_usize.div_ceil(PAGE as usize));
        assert_eq!(flights.marks.with(LED, SEEN).len(), 100_000);
        assert!(flights.marks.strange.is_empty());
        for strange in ["", "1", "abc-1", "0000000000000ABC-1", "0000000000000abc-01", "0000000000000abc-+1"] {
            flights.seen(&row(strange, ReadEnd::Ok));
        }
        assert_eq!(flights.marks.strange.len(), 6);
        let said = flights.compare(&Received::default(), |_| true, 0).disagree;
        assert!(said.iter().all(|said| said.contains("no replica led it")), "{said:?}");
    }
}
