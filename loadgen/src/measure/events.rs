//! `events.jsonl` on one time line: phases, faults, the replicas' events, and the expiries that follow from their puts.

use std::collections::BTreeMap;

use app::control::{EventLine, ReplicaEvents};
use report::record::{EventRow, Events};

/// A replica's events and where its clock stands: add `offset_ns` to its readings for nanoseconds since t = 0.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Which replica.
    pub replica: u32,
    /// Its events.
    pub events: &'a ReplicaEvents,
    /// From its clock to nanoseconds since t = 0.
    pub offset_ns: i64,
}

impl Seen<'_> {
    fn at(&self, line: &EventLine) -> i64 {
        i64::try_from(line.mono_ns).unwrap_or(i64::MAX).saturating_add(self.offset_ns)
    }
}

/// All events in order of time, expiries included. `more` are the lab's own (phases, faults), `end_ns` the last moment.
#[must_use]
pub fn event_rows(seen: &[Seen<'_>], more: Vec<EventRow>, end_ns: i64) -> Vec<EventRow> {
    let mut rows = more;
    rows.extend(expiries(seen, end_ns));
    for replica in seen {
        rows.extend(replica.events.events.iter().map(|line| EventRow {
            t_ns: replica.at(line),
            event: line.event.clone(),
            replica: Some(replica.replica),
            key: line.key.clone(),
            flight: line.flight.clone(),
            detail: line.detail.clone(),
        }));
    }
    rows.sort_by_key(|row| row.t_ns);
    rows
}

/// The moments at which a key's newest entry stopped being fresh with no newer one in its place.
fn expiries(seen: &[Seen<'_>], end_ns: i64) -> Vec<EventRow> {
    let mut puts: BTreeMap<&str, Vec<(i64, i64)>> = BTreeMap::new();
    for replica in seen {
        for line in replica.events.events.iter().filter(|l| l.event == "stored") {
            if let (Some(key), Some(soft)) = (&line.key, line.soft_ns) {
                let stored = replica.at(line);
                let expiry = stored.saturating_add(i64::try_from(soft).unwrap_or(i64::MAX));
                puts.entry(key).or_default().push((stored, expiry));
            }
        }
    }
    let mut rows = Vec::new();
    for (key, mut puts) in puts {
        puts.sort_unstable();
        for (at, (_, expiry)) in puts.iter().enumerate() {
            let replaced = puts.get(at + 1).is_some_and(|(next, _)| next <= expiry);
            if !replaced && *expiry <= end_ns {
                let (event, key) = ("expiry".to_owned(), Some(key.to_owned()));
                rows.push(EventRow { t_ns: *expiry, event, key, ..EventRow::default() });
            }
        }
    }
    rows
}

/// Which layers spare the origin.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Guards {
    pub(super) limit: bool,
    pub(super) breaker: bool,
}

/// Counts of what happened inside the replicas in the measured phase [0, `end_ns`).
#[must_use]
pub(super) fn counts(rows: &[EventRow], end_ns: i64, guards: Guards) -> Events {
    let measured = || rows.iter().filter(|row| (0..end_ns).contains(&row.t_ns));
    let count = |event: &str| measured().filter(|row| row.event == event).count() as u64;
    let with = |event: &str, detail: &str| {
        measured().filter(|row| row.event == event && row.detail.as_deref() == Some(detail)).count() as u64
    };
    Events {
        early_refresh: count("early-refresh"),
        refresh_started: with("flight-led", "refresh"),
        refresh_failed: count("refresh-failed"),
        lock_lost: with("lock-ended", "lock-lost"),
        lock_fallback: count("lock-fallback"),
        lock_timeout: count("lock-timeout"),
        fenced: count("fenced"),
        corrupt: count("corrupt"),
        cache_errors: count("cache-failed"),
        leader_vanished: with("flight-ended", "vanished"),
        limit_refused: guards.limit.then(|| with("origin-spared", "limit-full") + with("origin-spared", "limit-late")),
        breaker_refused: guards.breaker.then(|| with("origin-spared", "breaker")),
        breaker_opened: guards.breaker.then(|| with("breaker", "open")),
        breaker_closed: guards.breaker.then(|| with("breaker", "closed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(mono_ns: u64, key: &str, soft_ns: u64) -> EventLine {
        let (key, soft_ns) = (Some(key.into()), Some(soft_ns));
        EventLine { mono_ns, event: "stored".into(), key, flight: None, detail: None, soft_ns }
    }

    #[test]
    fn an_entry_expires_where_nothing_newer_has_come() {
        let one = ReplicaEvents { events: vec![stored(1000, "a", 500), stored(1300, "b", 500)], dropped: 0 };
        // This replica's clock started 100 later.
        let two = ReplicaEvents { events: vec![stored(1200, "a", 500), stored(1900, "a", 500)], dropped: 0 };
        let seen =
            [Seen { replica: 0, events: &one, offset_ns: -1000 }, Seen { replica: 1, events: &two, offset_ns: -900 }];
        let rows = event_rows(&seen, Vec::new(), 1000);
        let expired: Vec<_> =
            rows.iter().filter(|r| r.event == "expiry").map(|r| (r.t_ns, r.key.as_deref().unwrap())).collect();
        // a: put at 0 (replaced at 300), at 300 (expires at 800), at 1000 (expires after the end). b: put at 300.
        assert_eq!(expired, [(800, "a"), (800, "b")]);
        assert!(rows.is_sorted_by_key(|r| r.t_ns));
    }

    #[test]
    fn only_the_measured_phase_counts() {
        let row = |t_ns, event: &str, detail: &str| EventRow {
            t_ns,
            event: event.into(),
            detail: Some(detail.into()),
            ..EventRow::default()
        };
        let rows = [
            row(-1, "early-refresh", ""),
            row(0, "early-refresh", ""),
            row(99, "flight-led", "refresh"),
            row(99, "flight-led", "demand"),
            row(50, "lock-ended", "lock-lost"),
            row(100, "corrupt", ""),
        ];
        let counts = counts(&rows, 100, Guards::default());
        let expected = Events { early_refresh: 1, refresh_started: 1, lock_lost: 1, ..Events::default() };
        assert_eq!(counts, expected);
    }
}
