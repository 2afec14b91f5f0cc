//! Figures of the origin's ledger.

use report::record::{EventRow, OriginRow, PerExpiry};
use report::{Herd, herds};

/// An origin read. Nanoseconds since t = 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// When it arrived.
    pub arrived_ns: i64,
    /// When it ended; `None` where it has not.
    pub end_ns: Option<i64>,
}

const SECOND_NS: i64 = 1_000_000_000;

/// The largest number of arrivals in *any* window of one second, half-open: two reads exactly a second apart are not in
/// one. `arrivals` in order of time.
#[must_use]
pub fn max_in_window(arrivals: &[i64]) -> u64 {
    let mut first = 0;
    let mut most = 0;
    for (last, at) in arrivals.iter().enumerate() {
        while arrivals[first] <= at - SECOND_NS {
            first += 1;
        }
        most = most.max(last - first + 1);
    }
    most as u64
}

/// The largest number of reads that had arrived and not ended at any moment of [`from_ns`, `to_ns`).
#[must_use]
pub fn in_flight_max(reads: &[Read], from_ns: i64, to_ns: i64) -> u64 {
    // (when, change): an end sorts before an arrival at the same moment.
    let mut changes: Vec<(i64, i64)> = Vec::with_capacity(reads.len() * 2);
    for read in reads {
        let end = read.end_ns.unwrap_or(i64::MAX);
        if read.arrived_ns < to_ns && end > from_ns {
            changes.push((read.arrived_ns.max(from_ns), 1));
            changes.push((end, -1));
        }
    }
    changes.sort_unstable();
    let (mut open, mut most) = (0_i64, 0);
    for (_, change) in changes {
        open += change;
        most = most.max(open);
    }
    most.unsigned_abs()
}

/// Whole seconds since t = 0 with more than `limit` arrivals.
#[must_use]
pub fn seconds_over(arrivals: &[i64], limit: u64) -> u64 {
    let mut seconds = std::collections::BTreeMap::new();
    for at in arrivals {
        *seconds.entry(at.div_euclid(SECOND_NS)).or_insert(0_u64) += 1;
    }
    seconds.values().filter(|count| **count > limit).count() as u64
}

/// The [herds] of one key that began and were over in the measured time; `None` where there is none. `rows` are of all phases,
/// in order of time, so that a herd of the warm-up is not taken for one that began at t = 0.
#[must_use]
pub fn per_expiry(key: &str, rows: &[OriginRow], events: Option<&[EventRow]>, end_ns: i64) -> Option<PerExpiry> {
    let whole = |herd: &Herd| herd.from_ns >= 0 && herd.over_ns.is_some_and(|over| over <= end_ns);
    let mut sizes: Vec<u64> = herds(key, rows, events).into_iter().filter(whole).map(|herd| herd.reads).collect();
    sizes.sort_unstable();
    let count = sizes.len();
    let max = *sizes.last()?;
    let p50 = (sizes[(count - 1) / 2] + sizes[count / 2]) as f64 / 2.0;
    let mean = sizes.iter().sum::<u64>() as f64 / count as f64;
    Some(PerExpiry { count: count as u64, mean: (mean * 1000.0).round() / 1000.0, p50, max })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    #[test]
    fn the_window_is_any_second_and_half_open() {
        assert_eq!(max_in_window(&[]), 0);
        // Across the border of two whole seconds: buckets would say 2 and 2.
        assert_eq!(max_in_window(&[800 * MS, 900 * MS, 1100 * MS, 1200 * MS]), 4);
        assert_eq!(max_in_window(&[0, 1000 * MS]), 1, "exactly a second apart");
        assert_eq!(max_in_window(&[0, 1000 * MS - 1]), 2);
        assert_eq!(max_in_window(&[5; 49]), 49);
    }

    #[test]
    fn in_flight_counts_what_has_arrived_and_not_ended() {
        let read = |a: i64, e: i64| Read { arrived_ns: a, end_ns: Some(e) };
        let reads = [read(0, 10), read(5, 15), read(10, 20), Read { arrived_ns: 30, end_ns: None }];
        assert_eq!(in_flight_max(&reads, 0, 100), 2, "one ends as another arrives");
        assert_eq!(in_flight_max(&reads, 16, 29), 1);
        assert_eq!(in_flight_max(&reads, 21, 29), 0);
        assert_eq!(in_flight_max(&reads, 90, 100), 1, "never ended");
    }

    /// Reads that arrive at these milliseconds and take 200 ms each.
    fn reads(arrivals_ms: impl IntoIterator<Item = i64>) -> Vec<OriginRow> {
        let row = |at: i64| OriginRow {
            key: "1".into(),
            replica: None,
            flight: String::new(),
            phase: String::new(),
            arrived_ns: at * MS,
            start_ns: Some(at * MS),
            end_ns: Some((at + 200) * MS),
            outcome: "ok".into(),
        };
        arrivals_ms.into_iter().map(row).collect()
    }

    #[test]
    fn a_herd_is_what_was_at_the_origin_together() {
        let herd = |at: i64, n: i64| at..at + n;
        let rows = reads(herd(0, 40).chain(herd(4_200, 50)).chain(herd(8_400, 45)));
        let expected = PerExpiry { count: 3, mean: 45.0, p50: 45.0, max: 50 };
        assert_eq!(per_expiry("1", &rows, None, 60_000 * MS), Some(expected));
        assert_eq!(per_expiry("1", &[], None, 60_000 * MS), None);
        let arrivals: Vec<i64> = rows.iter().map(|row| row.arrived_ns).collect();
        assert_eq!(seconds_over(&arrivals, 44), 2);
        // Early refreshes may follow one another as soon as the last one has ended: one read each all the same.
        let early = reads((0..40).map(|n| n * 201));
        assert_eq!(
            per_expiry("1", &early, None, 70_000 * MS),
            Some(PerExpiry { count: 40, mean: 1.0, p50: 1.0, max: 1 })
        );
    }

    #[test]
    fn a_herd_that_either_end_of_the_measured_time_cuts_is_not_counted() {
        let herd = |at: i64, n: i64| at..at + n;
        // The first began in the warm-up, the last goes on when the load has ended: of 80 reads each, 30 and 5 lie between.
        let rows = reads(herd(-50, 80).chain(herd(5_400, 80)).chain(herd(10_800, 5)));
        let one = PerExpiry { count: 1, mean: 80.0, p50: 80.0, max: 80 };
        assert_eq!(per_expiry("1", &rows, None, 10_805 * MS), Some(one.clone()));
        // The last of the eighty ends at 5 679 ms.
        assert_eq!(per_expiry("1", &rows[..160], None, 5_678 * MS), None);
        assert_eq!(per_expiry("1", &rows[..160], None, 5_679 * MS), Some(one));
    }
}
