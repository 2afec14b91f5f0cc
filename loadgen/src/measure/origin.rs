//! Figures of the origin's ledger.

use report::record::PerExpiry;

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

/// Reads of one key in clusters, which are parted by gaps longer than `gap_s` (see [`report::herd_gap_s`]); `None` of no reads.
/// `arrivals` in order of time.
#[must_use]
pub fn per_expiry(arrivals: &[i64], gap_s: f64) -> Option<PerExpiry> {
    let gap = (gap_s * SECOND_NS as f64) as i64;
    let mut clusters: Vec<u64> = Vec::new();
    let mut previous = None;
    for at in arrivals {
        match (clusters.last_mut(), previous) {
            (Some(cluster), Some(before)) if at - before <= gap => *cluster += 1,
            _ => clusters.push(1),
        }
        previous = Some(*at);
    }
    clusters.sort_unstable();
    let count = clusters.len();
    let max = *clusters.last()?;
    let p50 = (clusters[(count - 1) / 2] + clusters[count / 2]) as f64 / 2.0;
    let mean = arrivals.len() as f64 / count as f64;
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

    #[test]
    fn clusters_are_parted_by_gaps() {
        let gap = report::herd_gap_s(4.0, 3.0);
        let herd = |at: i64, n: i64| (0..n).map(move |i| at + i * MS);
        let arrivals: Vec<i64> = herd(0, 40).chain(herd(4_200 * MS, 50)).chain(herd(8_400 * MS, 45)).collect();
        let expected = PerExpiry { count: 3, mean: 45.0, p50: 45.0, max: 50 };
        assert_eq!(per_expiry(&arrivals, gap), Some(expected));
        assert_eq!(per_expiry(&[], gap), None);
        let two = PerExpiry { count: 2, mean: 1.5, p50: 1.5, max: 2 };
        assert_eq!(per_expiry(&[0, 1, 3_000 * MS], gap), Some(two));
        assert_eq!(seconds_over(&arrivals, 44), 2);
        // A key that is refreshed every 1.6 s of a TTL of 5 s, its origin taking 200 ms, is refreshed by one read each time.
        let early: Vec<i64> = (0..40).map(|n| n * 1_600 * MS).collect();
        assert_eq!(per_expiry(&early, report::herd_gap_s(5.0, 0.2)).unwrap().mean, 1.0);
    }
}
