//! `events.jsonl` on one time line: phases, faults, the replicas' events, and the expiries that follow from their puts.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;

use evidence::EventLine;
use report::record::{EventRow, Events, LabEvent};
use smol_str::ToSmolStr as _;
use strategies::Key;
use strategies::port::{BreakerState, Cause, Event, LeaderEnd, RefusedBy, Stored};

use super::seen::EventLines;

/// All events, in order of time.
pub struct Timeline {
    lines: Option<Box<dyn EventLines + Send>>,
    /// The lab's own: phases, faults.
    own: Vec<EventRow>,
    end_ns: i64,
}

impl Timeline {
    /// Of what the replicas told, where there are any, and the lab's own. Expiries are told up to `end_ns`, the last moment.
    #[must_use]
    pub fn new(lines: Option<Box<dyn EventLines + Send>>, mut own: Vec<EventRow>, end_ns: i64) -> Self {
        own.sort_by_key(|row| row.t_ns);
        Self { lines, own, end_ns }
    }

    /// Shows every row, expiries included: in order of time, and of one moment first the lab's own, then expiries by key, then the
    /// replicas' by number.
    ///
    /// # Errors
    /// As [`EventLines::each`].
    pub fn each(&self, visit: &mut dyn FnMut(&EventRow) -> io::Result<()>) -> io::Result<()> {
        let mut merge = Merge {
            own: &self.own,
            end_ns: self.end_ns,
            visit,
            expiries: Expiries::default(),
            at: i64::MIN,
            group: Vec::new(),
            row: EventRow::default(),
        };
        if let Some(lines) = &self.lines {
            lines.each(&mut |at, replica, line| merge.line(at, replica, line))?;
        }
        merge.flush()?;
        merge.up_to(i64::MAX)
    }

    /// Shows what the replicas told, and nothing else.
    ///
    /// # Errors
    /// As [`EventLines::each`].
    pub fn lines(&self, visit: &mut dyn FnMut(i64, u32, &EventLine) -> io::Result<()>) -> io::Result<()> {
        self.lines.as_ref().map_or(Ok(()), |lines| lines.each(visit))
    }
}

/// The time line while it is shown.
struct Merge<'a> {
    own: &'a [EventRow],
    end_ns: i64,
    visit: &'a mut dyn FnMut(&EventRow) -> io::Result<()>,
    expiries: Expiries,
    /// What was told at one moment, and at which.
    at: i64,
    group: Vec<(u32, Event)>,
    /// The row that is shown, again and again.
    row: EventRow,
}

impl Merge<'_> {
    fn line(&mut self, at: i64, replica: u32, line: &EventLine) -> io::Result<()> {
        if at != self.at {
            self.flush()?;
            // What is over by now is over, whatever is put in its place at this moment.
            self.up_to(at.saturating_sub(1))?;
            self.at = at;
        }
        if let Event::Put { key, fresh_until, stored: Stored::Stored, .. } = &line.event {
            // Of an entry that was over by the time its put was acknowledged, the expiry is told now.
            let left = i64::try_from(fresh_until.0.saturating_sub(line.mono_ns)).unwrap_or(i64::MAX);
            self.expiries.stored(at, key, at.saturating_add(left));
        }
        self.group.push((replica, line.event.clone()));
        Ok(())
    }

    /// Shows what was told at one moment, and what comes before it.
    fn flush(&mut self) -> io::Result<()> {
        if self.group.is_empty() {
            return Ok(());
        }
        self.up_to(self.at)?;
        self.group.sort_by_key(|(replica, _)| *replica);
        for (replica, event) in std::mem::take(&mut self.group) {
            let row = &mut self.row;
            (row.t_ns, row.replica) = (self.at, Some(replica));
            row.event.clear();
            row.event.push_str(event.name());
            set(&mut row.key, event.key().map(Key::as_str));
            set(&mut row.flight, event.flight().map(|flight| flight.to_smolstr()).as_deref());
            set(&mut row.detail, event.detail().as_deref());
            (self.visit)(&self.row)?;
        }
        Ok(())
    }

    /// Shows the lab's own and expiries up to and with a moment.
    fn up_to(&mut self, at: i64) -> io::Result<()> {
        loop {
            let own = self.own.first().map(|row| row.t_ns).filter(|own| *own <= at);
            match self.expiries.next(own.map_or(at, |own| own.saturating_sub(1))) {
                Some((expiry, key)) if expiry <= self.end_ns => {
                    let (event, key) = (LabEvent::Expiry.name().to_owned(), Some(key.to_string()));
                    (self.visit)(&EventRow { t_ns: expiry, event, key, ..EventRow::default() })?;
                }
                Some(_) => {}
                None => {
                    let Some((row, rest)) = self.own.split_first().filter(|_| own.is_some()) else { return Ok(()) };
                    self.own = rest;
                    (self.visit)(row)?;
                }
            }
        }
    }
}

/// Text in the place of another, whose memory is used again.
fn set(place: &mut Option<String>, text: Option<&str>) {
    match (place.as_mut(), text) {
        (Some(place), Some(text)) => {
            place.clear();
            place.push_str(text);
        }
        _ => *place = text.map(str::to_owned),
    }
}

/// The moments at which a key's newest entry stops being fresh with no newer one in its place.
#[derive(Default)]
struct Expiries {
    /// By key: when the last put was, and until when it is fresh. Only ever asked for a key, so its order is nowhere.
    last: HashMap<Key, (i64, i64)>,
    /// When a put's freshness ends. Of those that were replaced meanwhile the line stays until its time.
    due: BinaryHeap<Reverse<(i64, Key)>>,
}

impl Expiries {
    /// A key was written: what is fresh until now or longer is replaced. Of two puts of one moment the one that lasts longer counts.
    fn stored(&mut self, at: i64, key: &Key, expiry: i64) {
        match self.last.get_mut(key) {
            Some((when, until)) if *when == at => *until = expiry.max(*until),
            Some(last) => *last = (at, expiry),
            None => drop(self.last.insert(key.clone(), (at, expiry))),
        }
        self.due.push(Reverse((expiry, key.clone())));
    }

    /// The next that is not after `at`, of those of one moment by key.
    fn next(&mut self, at: i64) -> Option<(i64, Key)> {
        loop {
            let Reverse((expiry, _)) = self.due.peek()?;
            if *expiry > at {
                return None;
            }
            let Reverse((expiry, key)) = self.due.pop()?;
            if self.last.get(&key).is_some_and(|(_, until)| *until == expiry) {
                self.last.remove(&key);
                return Some((expiry, key));
            }
        }
    }
}

/// Which layers spare the origin.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Guards {
    pub(crate) limit: bool,
    pub(crate) breaker: bool,
    /// And which the shared cache.
    pub(crate) cache_breaker: bool,
}

/// Counts of what happened inside the replicas in the measured phase [0, `end_ns`).
pub(crate) struct Counter {
    end_ns: i64,
    guards: Guards,
    counts: Events,
}

impl Counter {
    pub(crate) fn new(end_ns: i64, guards: Guards) -> Self {
        let counts = Events {
            limit_refused: guards.limit.then_some(0),
            breaker_refused: guards.breaker.then_some(0),
            breaker_opened: guards.breaker.then_some(0),
            breaker_closed: guards.breaker.then_some(0),
            cache_breaker_opened: guards.cache_breaker.then_some(0),
            cache_breaker_closed: guards.cache_breaker.then_some(0),
            ..Events::default()
        };
        Self { end_ns, guards, counts }
    }

    pub(crate) fn count(&mut self, at: i64, line: &EventLine) {
        if !(0..self.end_ns).contains(&at) {
            return;
        }
        let counts = &mut self.counts;
        let of_guard = |guard: bool, count: &mut Option<u64>| *count = guard.then(|| count.unwrap_or(0) + 1);
        match &line.event {
            Event::EarlyRefresh(_) => counts.early_refresh += 1,
            Event::FlightLed { cause: Cause::Refresh, .. } => counts.refresh_started += 1,
            Event::RefreshFailed(_) => counts.refresh_failed += 1,
            Event::LockEnded { end: LeaderEnd::LockLost, .. } => counts.lock_lost += 1,
            Event::LockFallback(_) => counts.lock_fallback += 1,
            Event::LockTimeout(_) => counts.lock_timeout += 1,
            Event::Put { stored: Stored::Fenced, .. } => counts.fenced += 1,
            Event::Corrupt(_) => counts.corrupt += 1,
            Event::CacheFailed { .. } => counts.cache_errors += 1,
            Event::FlightEnded { end: LeaderEnd::Vanished, .. } => counts.leader_vanished += 1,
            Event::OriginSpared { by: RefusedBy::Breaker, .. } => {
                of_guard(self.guards.breaker, &mut counts.breaker_refused);
            }
            Event::OriginSpared { .. } => of_guard(self.guards.limit, &mut counts.limit_refused),
            Event::Breaker(BreakerState::Open) => of_guard(self.guards.breaker, &mut counts.breaker_opened),
            Event::Breaker(BreakerState::Closed) => of_guard(self.guards.breaker, &mut counts.breaker_closed),
            Event::CacheBreaker(BreakerState::Open) => {
                of_guard(self.guards.cache_breaker, &mut counts.cache_breaker_opened);
            }
            Event::CacheBreaker(BreakerState::Closed) => {
                of_guard(self.guards.cache_breaker, &mut counts.cache_breaker_closed);
            }
            _ => {}
        }
    }

    pub(crate) fn counts(self) -> Events {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use evidence::ReplicaEvents;
    use strategies::port::FlightId;
    use strategies::time::Mono;

    use super::*;
    use crate::load::measure::LineLists;

    fn stored(mono_ns: u64, key: &str, soft_ns: u64) -> EventLine {
        let (key, fresh_until) = (Key::new(key).unwrap(), Mono(mono_ns + soft_ns));
        EventLine { mono_ns, event: Event::Put { key, fresh_until, version: 1, fenced: false, stored: Stored::Stored } }
    }

    fn rows(lists: Vec<(ReplicaEvents, i64)>, own: Vec<EventRow>, end_ns: i64) -> Vec<EventRow> {
        let mut rows = Vec::new();
        let timeline = Timeline::new(Some(Box::new(LineLists::new(lists))), own, end_ns);
        let mut keep = |row: &EventRow| {
            rows.push(row.clone());
            Ok(())
        };
        timeline.each(&mut keep).unwrap();
        rows
    }

    #[test]
    fn an_entry_expires_where_nothing_newer_has_come() {
        let one = ReplicaEvents { events: vec![stored(1000, "a", 500), stored(1300, "b", 500)], dropped: 0 };
        // This replica's clock started 100 later.
        let two = ReplicaEvents { events: vec![stored(1200, "a", 500), stored(1900, "a", 500)], dropped: 0 };
        let rows = rows(vec![(one, -1000), (two, -900)], Vec::new(), 1000);
        let expired: Vec<_> =
            rows.iter().filter(|r| r.event == "expiry").map(|r| (r.t_ns, r.key.as_deref().unwrap())).collect();
        // a: put at 0 (replaced at 300), at 300 (expires at 800), at 1000 (expires after the end). b: put at 300.
        assert_eq!(expired, [(800, "a"), (800, "b")]);
        assert!(rows.is_sorted_by_key(|r| r.t_ns));
    }

    /// As the rows were made while they were all held: everything in a list, which is sorted.
    fn all_at_once(lists: &[(ReplicaEvents, i64)], own: Vec<EventRow>, end_ns: i64) -> Vec<EventRow> {
        let mut puts: std::collections::BTreeMap<&str, Vec<(i64, i64)>> = std::collections::BTreeMap::new();
        for (list, offset) in lists {
            for line in &list.events {
                if let Event::Put { key, fresh_until, .. } = &line.event {
                    let at = line.mono_ns as i64 + offset;
                    puts.entry(key.as_str()).or_default().push((at, fresh_until.0 as i64 + offset));
                }
            }
        }
        let mut rows = own;
        for (key, mut puts) in puts {
            puts.sort_unstable();
            for (at, (_, expiry)) in puts.iter().enumerate() {
                let replaced = puts.get(at + 1).is_some_and(|(next, _)| next <= expiry);
                if !replaced && *expiry <= end_ns {
                    let (event, key) = (LabEvent::Expiry.name().to_owned(), Some(key.to_owned()));
                    rows.push(EventRow { t_ns: *expiry, event, key, ..EventRow::default() });
                }
            }
        }
        for (replica, (list, offset)) in (0..).zip(lists) {
            rows.extend(list.events.iter().map(|line| EventRow {
                t_ns: line.mono_ns as i64 + offset,
                event: line.event.name().into(),
                replica: Some(replica),
                key: line.event.key().map(ToString::to_string),
                detail: line.event.detail().map(Into::into),
                ..EventRow::default()
            }));
        }
        rows.sort_by_key(|row| row.t_ns);
        rows
    }

    #[test]
    fn one_after_the_other_they_are_the_rows_that_a_list_of_all_would_be() {
        let rng = strategies::rng::Rng::new(4);
        let below = |n: u64| rng.next_u64() % n;
        for round in 0..300 {
            // Few moments and keys, so that all that can happen at one moment does.
            let list = |_| {
                let mut at = 0;
                let mut line = |_| {
                    at += below(4);
                    stored(at, ["1", "2", "10"][below(3) as usize], below(6))
                };
                (ReplicaEvents { events: (0..below(12)).map(&mut line).collect(), dropped: 0 }, below(3) as i64 - 1)
            };
            let lists: Vec<_> = (0..3).map(list).collect();
            let own = |at| EventRow { t_ns: at, event: "phase".into(), ..EventRow::default() };
            let own = vec![own(0), own(below(20) as i64), own(12)];
            let end_ns = 5 + below(20) as i64;
            assert_eq!(rows(lists.clone(), own.clone(), end_ns), all_at_once(&lists, own, end_ns), "round {round}");
        }
    }

    #[test]
    fn only_the_measured_phase_counts() {
        let mut counter = Counter::new(100, Guards::default());
        let (key, flight) = (Key::of_item(1), FlightId { incarnation: 1, number: 1 });
        for (at, event) in [
            (-1, Event::EarlyRefresh(key.clone())),
            (0, Event::EarlyRefresh(key.clone())),
            (99, Event::FlightLed { flight, key: key.clone(), cause: Cause::Refresh }),
            (99, Event::FlightLed { flight, key: key.clone(), cause: Cause::Demand }),
            (50, Event::LockEnded { key: key.clone(), end: LeaderEnd::LockLost }),
            (60, Event::Breaker(BreakerState::Open)),
            (100, Event::Corrupt(key)),
        ] {
            counter.count(at, &EventLine { mono_ns: 0, event });
        }
        let expected = Events { early_refresh: 1, refresh_started: 1, lock_lost: 1, ..Events::default() };
        assert_eq!(counter.counts(), expected, "of a breaker that is not there nothing is said");
    }
}
