//! Figures of the origin's reads that are counted while they pass by, in the order of their arrival: what is held is the reads
//! that are under way, and those of the last second.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use report::record::BinRow;

use super::origin::MeasuredRead;

const SECOND_NS: i64 = 1_000_000_000;

/// The largest number of arrivals in *any* window of one second, half-open: two reads exactly a second apart are not in
/// one.
#[derive(Default)]
pub struct AnySecond {
    last: VecDeque<i64>,
    most: usize,
}

impl AnySecond {
    /// The next arrival.
    pub fn arrive(&mut self, at: i64) {
        while self.last.pop_front_if(|first| *first <= at - SECOND_NS).is_some() {}
        self.last.push_back(at);
        self.most = self.most.max(self.last.len());
    }

    /// The largest number so far.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.most as u64
    }
}

/// Whole seconds since t = 0 by their arrivals.
#[derive(Default)]
pub struct WholeSeconds(BTreeMap<i64, u64>);

impl WholeSeconds {
    /// An arrival.
    pub fn arrive(&mut self, at: i64) {
        *self.0.entry(at.div_euclid(SECOND_NS)).or_insert(0) += 1;
    }

    /// How many had more than `limit`.
    #[must_use]
    pub fn over(&self, limit: u64) -> u64 {
        self.0.values().filter(|count| **count > limit).count() as u64
    }
}

/// Reads that have arrived and not ended. One that ends as another arrives is not beside it, and one that ends as it arrives
/// was never there.
#[derive(Default)]
struct UnderWay(BinaryHeap<Reverse<i64>>);

impl UnderWay {
    /// How many there are at a moment, which must not come before those of earlier calls.
    fn at(&mut self, at: i64) -> u64 {
        while self.0.peek().is_some_and(|Reverse(end)| *end <= at) {
            self.0.pop();
        }
        self.0.len() as u64
    }

    fn arrive(&mut self, at: i64, end_ns: Option<i64>) -> u64 {
        let end = end_ns.unwrap_or(i64::MAX);
        if end > at {
            self.0.push(Reverse(end));
        }
        self.at(at)
    }
}

/// The largest number of reads under way at any moment of a span.
pub struct InFlight {
    from_ns: i64,
    to_ns: i64,
    open: UnderWay,
    most: u64,
}

impl InFlight {
    /// In [`from_ns`, `to_ns`).
    #[must_use]
    pub fn within(from_ns: i64, to_ns: i64) -> Self {
        Self { from_ns, to_ns, open: UnderWay::default(), most: 0 }
    }

    /// The next read.
    pub fn arrive(&mut self, read: MeasuredRead) {
        if read.arrived_ns < self.to_ns {
            // Of the time before the span only what is left of it counts.
            let open = self.open.arrive(read.arrived_ns.max(self.from_ns), read.end_ns);
            self.most = self.most.max(open);
        }
    }

    /// The largest number so far.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.most
    }
}

/// Fills in the origin's columns of rows that are `width_ms` wide each, and in order of time.
pub struct Bins {
    rows: Vec<BinRow>,
    width_ns: i64,
    /// The row that is counted in.
    at: usize,
    entered: bool,
    open: UnderWay,
    most: u64,
    starts: u64,
}

impl Bins {
    /// Of these rows.
    #[must_use]
    pub fn new(rows: Vec<BinRow>, width_ms: i64) -> Self {
        let width_ns = width_ms * 1_000_000;
        Self { rows, width_ns, at: 0, entered: false, open: UnderWay::default(), most: 0, starts: 0 }
    }

    fn from(&self) -> Option<i64> {
        self.rows.get(self.at).map(|row| row.start_ms * 1_000_000)
    }

    /// Goes on to the row that a moment lies in; false before the first one and after the last.
    fn enter(&mut self, at: i64) -> bool {
        while let Some(from) = self.from().filter(|from| *from <= at) {
            if !self.entered {
                (self.entered, self.most, self.starts) = (true, self.open.at(from), 0);
            }
            if at < from + self.width_ns {
                return true;
            }
            self.close();
        }
        false
    }

    fn close(&mut self) {
        if let Some(row) = self.rows.get_mut(self.at) {
            row.origin_starts = Some(self.starts);
            row.origin_in_flight_max = Some(self.most);
        }
        self.at += 1;
        self.entered = false;
    }

    /// The next read.
    pub fn arrive(&mut self, read: MeasuredRead) {
        let within = self.enter(read.arrived_ns);
        let open = self.open.arrive(read.arrived_ns, read.end_ns);
        if within {
            self.most = self.most.max(open);
            self.starts += 1;
        }
    }

    /// The rows, each filled in.
    #[must_use]
    pub fn rows(mut self) -> Vec<BinRow> {
        self.enter(i64::MAX);
        self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn read(arrived_ns: i64, end_ns: i64) -> MeasuredRead {
        MeasuredRead { arrived_ns, end_ns: Some(end_ns) }
    }

    #[test]
    fn the_window_is_any_second_and_half_open() {
        let most = |arrivals: &[i64]| {
            let mut any = AnySecond::default();
            arrivals.iter().for_each(|at| any.arrive(*at));
            any.most()
        };
        assert_eq!(most(&[]), 0);
        // Across the border of two whole seconds: buckets would say 2 and 2.
        assert_eq!(most(&[800 * MS, 900 * MS, 1100 * MS, 1200 * MS]), 4);
        assert_eq!(most(&[0, 1000 * MS]), 1, "exactly a second apart");
        assert_eq!(most(&[0, 1000 * MS - 1]), 2);
        assert_eq!(most(&[5; 49]), 49);
    }

    #[test]
    fn seconds_are_counted_by_what_arrives_in_them() {
        let mut seconds = WholeSeconds::default();
        let herd = |at: i64, n: i64| (0..n).map(move |i| at + i * MS);
        herd(0, 40).chain(herd(4_200 * MS, 50)).chain(herd(8_400 * MS, 45)).for_each(|at| seconds.arrive(at));
        assert_eq!((seconds.over(39), seconds.over(44), seconds.over(50)), (3, 2, 0));
    }

    #[test]
    fn in_flight_counts_what_has_arrived_and_not_ended() {
        let reads = [read(0, 10), read(5, 15), read(10, 20), MeasuredRead { arrived_ns: 30, end_ns: None }];
        let most = |from, to| {
            let mut in_flight = InFlight::within(from, to);
            reads.iter().for_each(|read| in_flight.arrive(*read));
            in_flight.most()
        };
        assert_eq!(most(0, 100), 2, "one ends as another arrives");
        assert_eq!(most(16, 29), 1);
        assert_eq!(most(21, 29), 0);
        assert_eq!(most(90, 100), 1, "never ended");
    }

    /// The same from a list of all changes: an end sorts before an arrival at the same moment.
    fn all_at_once(rows: &mut [BinRow], reads: &[MeasuredRead], width_ms: i64) -> i64 {
        let ends = reads.iter().filter_map(|read| Some((read.end_ns?, -1)));
        let mut changes: Vec<(i64, i64)> = reads.iter().map(|read| (read.arrived_ns, 1)).chain(ends).collect();
        changes.sort_unstable();
        let (mut next, mut open, mut most_of_all) = (0, 0_i64, 0);
        for row in rows {
            let (from, to) = (row.start_ms * MS, (row.start_ms + width_ms) * MS);
            let (mut most, mut starts) = (0, 0);
            while let Some((at, change)) = changes.get(next).copied().filter(|(at, _)| *at < to) {
                if at > from {
                    most = most.max(open);
                }
                open += change;
                starts += u64::from(change > 0 && at >= from);
                next += 1;
            }
            most = most.max(open);
            row.origin_starts = Some(starts);
            row.origin_in_flight_max = Some(most.unsigned_abs());
            most_of_all = most_of_all.max(if row.start_ms >= 0 { most } else { 0 });
        }
        most_of_all
    }

    #[test]
    fn while_they_pass_they_are_counted_as_a_list_of_all_would_be() {
        let rng = strategies::rng::Rng::new(9);
        let below = |n: u64| (rng.next_u64() % n) as i64;
        for round in 0..300 {
            let row = |start_ms| BinRow { start_ms, ..BinRow::default() };
            let mut rows: Vec<BinRow> = (-3..5).map(row).collect();
            let mut at = -5 * MS;
            // Half milliseconds, so that ends, arrivals and the rows' borders fall together; some last no time, some never end.
            let reads: Vec<MeasuredRead> = (0..below(40))
                .map(|_| {
                    at += below(3) * MS / 2;
                    MeasuredRead { arrived_ns: at, end_ns: (below(9) > 0).then(|| at + below(6) * MS / 2) }
                })
                .collect();
            let (mut bins, mut in_flight) = (Bins::new(rows.clone(), 1), InFlight::within(0, 5 * MS));
            for read in &reads {
                bins.arrive(*read);
                in_flight.arrive(*read);
            }
            let most = all_at_once(&mut rows, &reads, 1);
            assert_eq!(bins.rows(), rows, "round {round}");
            assert_eq!(in_flight.most(), most as u64, "round {round}");
        }
    }
}
