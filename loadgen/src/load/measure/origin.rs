//! Figures of the origin's ledger.

use report::Herd;
use report::record::{FullestReplica, PerExpiry};

/// An origin read. Nanoseconds since t = 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeasuredRead {
    /// When it arrived.
    pub arrived_ns: i64,
    /// When it ended; `None` where it has not.
    pub end_ns: Option<i64>,
}

/// Of one key's herds those that began and were over in the measured time; `None` where there is none. `herds` are of all phases, so
/// that one of the warm-up is not taken for one that began at t = 0.
#[must_use]
pub fn per_expiry(herds: &[Herd], end_ns: i64) -> Option<PerExpiry> {
    let whole = |herd: &&Herd| herd.from_ns >= 0 && herd.over_ns.is_some_and(|over| over <= end_ns);
    let whole: Vec<&Herd> = herds.iter().filter(whole).collect();
    let mut sizes: Vec<u64> = whole.iter().map(|herd| herd.reads).collect();
    sizes.sort_unstable();
    let count = sizes.len();
    let max = *sizes.last()?;
    let p50 = (sizes[(count - 1) / 2] + sizes[count / 2]) as f64 / 2.0;
    let fullest_replica = whole.iter().map(|herd| herd.fullest).collect::<Option<Vec<u64>>>().map(|fullest| {
        let max = fullest.iter().copied().max().unwrap_or_default();
        FullestReplica { mean: mean(&fullest), max }
    });
    Some(PerExpiry { count: count as u64, mean: mean(&sizes), p50, max, fullest_replica })
}

/// The mean, to a thousandth.
fn mean(of: &[u64]) -> f64 {
    let mean = of.iter().sum::<u64>() as f64 / of.len() as f64;
    (mean * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use report::record::OriginRow;

    use super::*;

    const MS: i64 = 1_000_000;

    fn of(rows: &[OriginRow], end_ns: i64) -> Option<PerExpiry> {
        per_expiry(&report::herds("1", rows, None, 0), end_ns)
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
        let expected = PerExpiry { count: 3, mean: 45.0, p50: 45.0, max: 50, fullest_replica: None };
        assert_eq!(of(&rows, 60_000 * MS), Some(expected));
        assert_eq!(of(&[], 60_000 * MS), None);
        // Early refreshes may follow one another as soon as the last one has ended: one read each all the same.
        let early = reads((0..40).map(|n| n * 201));
        assert_eq!(
            of(&early, 70_000 * MS),
            Some(PerExpiry { count: 40, mean: 1.0, p50: 1.0, max: 1, fullest_replica: None })
        );
    }

    #[test]
    fn whose_reads_they_were_is_told_of_each_herd_or_of_none() {
        let mut rows = reads([0, 1, 2, 4_200, 4_201, 4_202, 8_400]);
        assert_eq!(of(&rows, 60_000 * MS).unwrap().fullest_replica, None);
        // One a replica, three of one, and one alone.
        rows.iter_mut().zip([0, 1, 2, 1, 1, 1, 2]).for_each(|(row, replica)| row.replica = Some(replica));
        let expected = Some(FullestReplica { mean: 1.667, max: 3 });
        assert_eq!(of(&rows, 60_000 * MS).unwrap().fullest_replica, expected);
        rows[6].replica = None;
        assert_eq!(of(&rows, 60_000 * MS).unwrap().fullest_replica, None);
        assert_eq!(of(&rows, 8_000 * MS).unwrap().fullest_replica, Some(FullestReplica { mean: 2.0, max: 3 }));
    }

    #[test]
    fn a_herd_that_either_end_of_the_measured_time_cuts_is_not_counted() {
        let herd = |at: i64, n: i64| at..at + n;
        // The first began in the warm-up, the last goes on when the load has ended: of 80 reads each, 30 and 5 lie between.
        let rows = reads(herd(-50, 80).chain(herd(5_400, 80)).chain(herd(10_800, 5)));
        let one = PerExpiry { count: 1, mean: 80.0, p50: 80.0, max: 80, fullest_replica: None };
        assert_eq!(of(&rows, 10_805 * MS), Some(one.clone()));
        // The last of the eighty ends at 5 679 ms.
        assert_eq!(of(&rows[..160], 5_678 * MS), None);
        assert_eq!(of(&rows[..160], 5_679 * MS), Some(one));
    }
}
