//! Herds: which reads of a key were at the origin together. The one place that says it, for figures and charts alike.

use std::collections::BTreeMap;

use crate::record::{EventRow, LabEvent, OriginRow};

/// Reads of one key that were at the origin together. Nanoseconds since t = 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Herd {
    /// When the first one arrived.
    pub from_ns: i64,
    /// When the last one ended; `None` where one never did, or none of them brought an answer.
    pub over_ns: Option<i64>,
    /// How many there were.
    pub reads: u64,
    /// How many of them the replica had that had most; `None` where the ledger does not say of each whose it was.
    pub fullest: Option<u64>,
}

/// The herds among the reads of one key. `rows` are in order of arrival, of any keys; `events` are those of the strategy, or
/// `None` where nobody tells, as of a target; the clocks of both agree to `clocks_ns` (the record's `clock_uncertainty_ns`).
///
/// A read is at the origin from its arrival until its end, its wait in the queue included. It belongs to the herd before it
///
/// 1. where it arrives while any read of that herd is still there (before its end, not at it), whether or not the first one
///    has ended: a herd goes on for as long as reads overlap;
/// 2. where none of that herd has brought an answer: what failed, was rejected or came too late for its caller refreshed
///    nothing, and the next read is for the same expiry;
/// 3. where nothing since the herd's end is a reason to read again: no expiry of the key, no early refresh of it, no
///    write that took it out of the cache, no fault.
///    Its reader looked at the cache before the answer was there, and came late: a lock without a re-read does that.
///
/// So early refreshes that follow one another closely are a herd of one each. Without events the third rule cannot be told
/// from a refresh, and only what overlaps is a herd.
#[must_use]
pub fn herds(key: &str, rows: &[OriginRow], events: Option<&[EventRow]>, clocks_ns: u64) -> Vec<Herd> {
    let reasons = |events: &[EventRow]| events.iter().filter(|e| is_reason(key, e)).map(|e| e.t_ns).collect();
    let mut herds = Herds::new(events.map(reasons), clocks_ns);
    for row in rows.iter().filter(|row| row.key == key) {
        herds.take_row(row);
    }
    herds.so_far()
}

/// Whether an event is a reason to read a key again: its expiry, an early refresh of it, a write that took it out of the cache, or a
/// fault.
#[must_use]
pub fn is_reason(key: &str, event: &EventRow) -> bool {
    let of_the_key = || event.key.as_deref() == Some(key);
    match event.of_the_lab() {
        Some(LabEvent::Expiry) => of_the_key(),
        Some(of_the_lab) => of_the_lab.is_of_an_action(),
        None => matches!(event.event.as_str(), "early-refresh" | "invalidated") && of_the_key(),
    }
}

/// [`herds`] of reads that pass by one after the other.
#[derive(Debug)]
pub struct Herds {
    reasons: Option<Vec<i64>>,
    clocks_ns: i64,
    over: Vec<Herd>,
    running: Option<Running>,
}

impl Herds {
    /// None yet. `reasons` are the moments of all [reasons](is_reason) to read the key, nanoseconds since t = 0, or `None` where
    /// nobody tells of any; they and the reads are told by clocks that agree to `clocks_ns`.
    #[must_use]
    pub fn new(mut reasons: Option<Vec<i64>>, clocks_ns: u64) -> Self {
        reasons.iter_mut().for_each(|reasons| reasons.sort_unstable());
        let clocks_ns = i64::try_from(clocks_ns).unwrap_or(i64::MAX);
        Self { reasons, clocks_ns, over: Vec::new(), running: None }
    }

    /// The next read of the key.
    pub(crate) fn take_row(&mut self, row: &OriginRow) {
        self.take(row.arrived_ns, row.end_ns, matches!(row.outcome.as_str(), "ok" | "missing"), row.replica);
    }

    /// The next read, whether it brought an answer, and whose it was.
    pub fn take(&mut self, arrived_ns: i64, end_ns: Option<i64>, answered: bool, replica: Option<u32>) {
        let mut herd = match self.running.take() {
            Some(herd) if herd.goes_on(arrived_ns) || !self.renewed(herd.last_end_ns, arrived_ns) => herd,
            before => {
                self.over.extend(before.map(|herd| herd.herd()));
                Running { from_ns: arrived_ns, last_end_ns: i64::MIN, ..Running::default() }
            }
        };
        herd.reads += 1;
        herd.last_end_ns = herd.last_end_ns.max(end_ns.unwrap_or(i64::MAX));
        herd.answered |= answered;
        if let Some(replica) = replica {
            *herd.of.entry(replica).or_default() += 1;
        }
        self.running = Some(herd);
    }

    /// Whether there was a reason after a herd's end.
    fn renewed(&self, over_ns: i64, by_ns: i64) -> bool {
        self.reasons.as_ref().is_none_or(|reasons| {
            let next = reasons.get(reasons.partition_point(|reason| *reason <= over_ns));
            next.is_some_and(|reason| *reason <= by_ns.saturating_add(self.clocks_ns))
        })
    }

    /// All of them, the one that may go on included.
    #[must_use]
    pub fn so_far(&self) -> Vec<Herd> {
        self.over.iter().copied().chain(self.running.as_ref().map(Running::herd)).collect()
    }
}

#[derive(Debug, Default)]
struct Running {
    from_ns: i64,
    last_end_ns: i64,
    reads: u64,
    answered: bool,
    /// Reads of each replica.
    of: BTreeMap<u32, u64>,
}

impl Running {
    fn goes_on(&self, arrived_ns: i64) -> bool {
        !self.answered || arrived_ns < self.last_end_ns
    }

    fn herd(&self) -> Herd {
        let over = self.answered && self.last_end_ns < i64::MAX;
        let told = self.of.values().sum::<u64>() == self.reads;
        let fullest = self.of.values().max().copied().filter(|_| told);
        Herd { from_ns: self.from_ns, over_ns: over.then_some(self.last_end_ns), reads: self.reads, fullest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row((arrived_ns, end_ns, outcome): (i64, i64, &str)) -> OriginRow {
        OriginRow {
            key: "1".into(),
            replica: None,
            flight: String::new(),
            phase: "measured".into(),
            arrived_ns,
            start_ns: Some(arrived_ns),
            end_ns: (end_ns >= 0).then_some(end_ns),
            outcome: outcome.into(),
        }
    }

    /// Reads (arrival, end, outcome) to herds (first arrival, end, reads).
    fn with(events: Option<&[EventRow]>, reads: &[(i64, i64, &str)]) -> Vec<(i64, Option<i64>, u64)> {
        let rows: Vec<OriginRow> = reads.iter().copied().map(row).collect();
        herds("1", &rows, events, 0).into_iter().map(|herd| (herd.from_ns, herd.over_ns, herd.reads)).collect()
    }

    fn of(reads: &[(i64, i64, &str)]) -> Vec<(i64, Option<i64>, u64)> {
        with(None, reads)
    }

    #[test]
    fn who_is_there_together_is_a_herd_and_who_comes_at_the_end_is_none() {
        assert_eq!(of(&[]), []);
        assert_eq!(of(&[(0, 10, "ok"), (9, 19, "ok"), (30, 40, "ok")]), [(0, Some(19), 2), (30, Some(40), 1)]);
        // The first has ended, the second has not.
        assert_eq!(of(&[(0, 10, "ok"), (9, 19, "ok"), (12, 22, "ok")]), [(0, Some(22), 3)]);
        // A quick one that ended within a slow one's time does not end the herd.
        assert_eq!(of(&[(0, 50, "ok"), (1, 2, "rejected"), (40, 60, "ok")]), [(0, Some(60), 3)]);
        assert_eq!(of(&[(0, 10, "ok"), (10, 20, "ok"), (21, 31, "missing")]).len(), 3, "never two at a time");
    }

    #[test]
    fn the_fullest_replica_is_known_where_every_read_says_whose_it_is() {
        let of = |replicas: &[(i64, Option<u32>)]| {
            let read =
                |(at, replica): &(i64, Option<u32>)| OriginRow { replica: *replica, ..row((*at, at + 10, "ok")) };
            let rows: Vec<OriginRow> = replicas.iter().map(read).collect();
            herds("1", &rows, None, 0).iter().map(|herd| (herd.reads, herd.fullest)).collect::<Vec<_>>()
        };
        assert_eq!(of(&[(0, Some(0)), (1, Some(1)), (2, Some(2))]), [(3, Some(1))], "one each");
        assert_eq!(of(&[(0, Some(2)), (1, Some(2)), (2, Some(2))]), [(3, Some(3))], "all of one");
        assert_eq!(of(&[(0, Some(2)), (1, Some(0)), (2, Some(2)), (50, Some(0))]), [(3, Some(2)), (1, Some(1))]);
        assert_eq!(of(&[(0, Some(1)), (1, None), (50, None), (90, Some(0))]), [(2, None), (1, None), (1, Some(1))]);
    }

    #[test]
    fn until_one_brings_an_answer_it_is_the_same_expiry() {
        let failing = [(0, 1, "failed"), (5, 5, "rejected"), (9, 19, "abandoned"), (30, 40, "ok"), (41, 51, "ok")];
        assert_eq!(of(&failing), [(0, Some(40), 4), (41, Some(51), 1)]);
        assert_eq!(of(&failing[..3]), [(0, None, 3)], "nobody has an answer yet");
        assert_eq!(of(&[(0, 10, "ok"), (5, -1, "open"), (90, 100, "ok")]), [(0, None, 3)], "one never ended");
    }

    /// Three replicas on a real Redis: the read came 0.7 ms before the expiry that was its reason.
    #[test]
    fn an_expiry_is_a_reason_within_what_the_clocks_are_unsure_of() {
        const MS: i64 = 1_000_000;
        let reads = [(0, 200, "ok"), (20, 220, "ok"), (5219, 5419, "ok"), (5240, 5440, "ok")];
        let rows = reads.map(|(from, to, outcome)| row((from * MS, to * MS, outcome)));
        let expiry =
            [EventRow { t_ns: 5220 * MS, event: "expiry".into(), key: Some("1".into()), ..EventRow::default() }];
        let sizes =
            |clocks_ns: u64| herds("1", &rows, Some(&expiry), clocks_ns).iter().map(|h| h.reads).collect::<Vec<_>>();
        assert_eq!(sizes(1_000_000), [2, 2]);
        assert_eq!(sizes(999_999), [4], "no reason came before it");
    }

    #[test]
    fn who_comes_late_without_a_reason_belongs_to_the_last_one() {
        const S: i64 = 1_000_000_000;
        let event = |at: i64, event: &str, key: Option<&str>| EventRow {
            t_ns: at * S,
            event: event.into(),
            key: key.map(str::to_owned),
            ..EventRow::default()
        };
        let reads = [(0, 10, "ok"), (11, 21, "ok"), (60, 70, "ok"), (75, 85, "ok")];
        let reads = reads.map(|(from, to, outcome)| (from * S, to * S, outcome));
        let reasons = |events: &[EventRow]| with(Some(events), &reads).iter().map(|herd| herd.2).collect::<Vec<_>>();
        assert_eq!(reasons(&[]), [4]);
        assert_eq!(reasons(&[event(0, "expiry", Some("1")), event(59, "expiry", Some("1"))]), [2, 2]);
        assert_eq!(reasons(&[event(59, "expiry", Some("2")), event(5, "early-refresh", Some("1"))]), [4]);
        assert_eq!(reasons(&[event(11, "early-refresh", Some("1")), event(72, "fault", None)]), [1, 2, 1]);
    }
}
