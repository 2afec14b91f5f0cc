//! The floor: what a perfect lazy refresher would have read for the same arrivals.

use std::collections::BTreeMap;
use std::time::Duration;

use strategies::time::nanos;

use crate::record::KeySample;

/// Origin reads of a perfect lazy refresher in the measured phase [0, `end_ns`).
///
/// Per key, in order, an arrival at t ≥ s + d + T starts a load, where s is the start of the last load, d the (mean)
/// service time and T the TTL; a load in flight serves those who come meanwhile (design/contract.md). `state` has the
/// start of each key's last load before t = 0, from the origin's ledger; a key without one has an empty cache.
/// `arrivals` are (intended, key) in order of time, nanoseconds since t = 0.
#[must_use]
pub fn floor(arrivals: &[KeySample], state: &BTreeMap<u32, i64>, service: Duration, ttl: Duration, end_ns: i64) -> u64 {
    let served = i64::try_from(nanos(service).saturating_add(nanos(ttl))).unwrap_or(i64::MAX);
    let mut last_load = state.clone();
    let mut loads = 0;
    for (at, key) in arrivals.iter().copied().filter(|(at, _)| (0..end_ns).contains(at)) {
        if last_load.get(&key).is_none_or(|s| at >= s.saturating_add(served)) {
            last_load.insert(key, at);
            loads += 1;
        }
    }
    loads
}

#[cfg(test)]
mod tests {
    use super::*;

    const D: Duration = Duration::from_millis(200);
    const T: Duration = Duration::from_secs(5);
    const S: i64 = 1_000_000_000;

    #[test]
    fn a_hot_key_is_read_once_in_ttl_and_service_time() {
        // 400 arrivals a second for a minute on an empty cache: a load at 0, 5.2, 10.4 … 57.2.
        let arrivals: Vec<KeySample> = (0..24_000).map(|i| (i * S / 400, 1)).collect();
        assert_eq!(floor(&arrivals, &BTreeMap::new(), D, T, 60 * S), 12);
    }

    #[test]
    fn it_starts_from_what_the_cache_has() {
        let arrivals = [(-S, 1), (S, 1), (2 * S, 1), (3 * S, 2), (61 * S, 1)];
        let cold = BTreeMap::new();
        assert_eq!(floor(&arrivals, &cold, D, T, 60 * S), 2, "outside the phase nothing counts");
        // Loaded 4 s before the start: expires 1.2 s after it, so the arrival at 2 s loads.
        let warm = BTreeMap::from([(1, -4 * S)]);
        assert_eq!(floor(&arrivals, &warm, D, T, 60 * S), 2);
        let warmer = BTreeMap::from([(1, -2 * S), (2, -S)]);
        assert_eq!(floor(&arrivals, &warmer, D, T, 60 * S), 0);
    }

    #[test]
    fn an_arrival_at_the_very_expiry_loads() {
        let at = 5 * S + S / 5;
        assert_eq!(floor(&[(0, 1), (at - 1, 1), (at, 1)], &BTreeMap::new(), D, T, 60 * S), 2);
    }
}
