//! The floor: what a perfect lazy refresher would have read for the same arrivals.

use std::collections::BTreeMap;
use std::time::Duration;

use strategies::time::nanos;

use crate::record::KeySample;

/// Origin reads of a perfect lazy refresher in the measured phase [0, `end_ns`).
///
/// Per key, in order, an arrival at t ≥ s + d + T starts a load, where s is the start of the last load, d the (mean)
/// service time and T = `life` of the key; a load in flight serves those who come meanwhile (design/contract.md). The life
/// is the TTL for an item that exists. That one does not exist is remembered for as long as the strategy's `negative`
/// layer says, and not at all without one: then only those who come during a load are spared their own. `state` has the
/// start of each key's last load before t = 0, from the origin's ledger; a key without one has an empty cache.
/// `arrivals` are (intended, key) in order of time, nanoseconds since t = 0.
#[must_use]
pub fn floor(
    arrivals: &[KeySample],
    state: &BTreeMap<u32, i64>,
    service: Duration,
    life: impl Fn(u32) -> Duration,
    end_ns: i64,
) -> u64 {
    let mut last_load = state.clone();
    let mut loads = 0;
    for (at, key) in arrivals.iter().copied().filter(|(at, _)| (0..end_ns).contains(at)) {
        let served = i64::try_from(nanos(service).saturating_add(nanos(life(key)))).unwrap_or(i64::MAX);
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
    const MS: i64 = 1_000_000;

    fn floor(arrivals: &[KeySample], state: &BTreeMap<u32, i64>, end_ns: i64) -> u64 {
        super::floor(arrivals, state, D, |_| T, end_ns)
    }

    #[test]
    fn a_hot_key_is_read_once_in_ttl_and_service_time() {
        // 400 arrivals a second for a minute on an empty cache: a load at 0, 5.2, 10.4 … 57.2.
        let arrivals: Vec<KeySample> = (0..24_000).map(|i| (i * S / 400, 1)).collect();
        assert_eq!(floor(&arrivals, &BTreeMap::new(), 60 * S), 12);
    }

    #[test]
    fn it_starts_from_what_the_cache_has() {
        let arrivals = [(-S, 1), (S, 1), (2 * S, 1), (3 * S, 2), (61 * S, 1)];
        let cold = BTreeMap::new();
        assert_eq!(floor(&arrivals, &cold, 60 * S), 2, "outside the phase nothing counts");
        // Loaded 4 s before the start: expires 1.2 s after it, so the arrival at 2 s loads.
        let warm = BTreeMap::from([(1, -4 * S)]);
        assert_eq!(floor(&arrivals, &warm, 60 * S), 2);
        let warmer = BTreeMap::from([(1, -2 * S), (2, -S)]);
        assert_eq!(floor(&arrivals, &warmer, 60 * S), 0);
    }

    #[test]
    fn an_arrival_at_the_very_expiry_loads() {
        let at = 5 * S + S / 5;
        assert_eq!(floor(&[(0, 1), (at - 1, 1), (at, 1)], &BTreeMap::new(), 60 * S), 2);
    }

    #[test]
    fn what_does_not_exist_is_read_once_a_load_or_once_in_its_negative_life() {
        // Ten requests a second for a minute for a key that does not exist, and as many for one that does.
        let arrivals: Vec<KeySample> = (0..600).flat_map(|i| [(i * 100 * MS, 1), (i * 100 * MS, 11)]).collect();
        let with = |negative: Duration| {
            super::floor(&arrivals, &BTreeMap::new(), D, |key| if key > 10 { negative } else { T }, 60 * S)
        };
        let existing = 12;
        // Not remembered: a load at 0, 200, 400 ms …, each serving who comes in its 200 ms.
        assert_eq!(with(Duration::ZERO), existing + 300);
        // Remembered for a second after each load: 0, 1.2, 2.4 …
        assert_eq!(with(Duration::from_secs(1)), existing + 50);
        // In flight at t = 0: whoever comes before its end is answered by it.
        let in_flight = BTreeMap::from([(11, -150 * MS)]);
        let missing = [(10 * MS, 11), (49 * MS, 11), (50 * MS, 11)];
        assert_eq!(super::floor(&missing, &in_flight, D, |_| Duration::ZERO, 60 * S), 1);
    }
}
