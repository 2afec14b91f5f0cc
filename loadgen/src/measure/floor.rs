//! The floor: what a perfect lazy refresher would have read for the same arrivals.

use std::collections::BTreeMap;
use std::time::Duration;

use strategies::time::nanos;

use crate::record::KeySample;

/// Counts the origin reads of a perfect lazy refresher in the measured phase, while the run goes on.
///
/// Per key, in order, an arrival at t ≥ s + d + T starts a load, where s is the start of the last load, d the (mean)
/// service time and T the TTL; a load in flight serves those who come meanwhile (design/contract.md). It needs the
/// cache's state at t = 0 before it can count; arrivals that come before it knows are kept until then, and after that
/// its memory is one number a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Floor {
    served_ns: i64,
    /// The start of each key's last load; `None` until [`Floor::know`].
    last_load: Option<BTreeMap<u32, i64>>,
    early: Vec<KeySample>,
    loads: u64,
}

impl Floor {
    /// A floor for this service time and TTL.
    #[must_use]
    pub fn new(service: Duration, ttl: Duration) -> Self {
        let served_ns = i64::try_from(nanos(service).saturating_add(nanos(ttl))).unwrap_or(i64::MAX);
        Self { served_ns, last_load: None, early: Vec::new(), loads: 0 }
    }

    /// The start of each key's last load before t = 0, nanoseconds since t = 0; a key without one has an empty cache.
    pub fn know(&mut self, state: BTreeMap<u32, i64>) {
        self.last_load = Some(state);
        let early = std::mem::take(&mut self.early);
        self.arrive(&early);
    }

    /// Takes arrivals of the measured phase: (intended, key) in order of time, all after those of earlier calls.
    pub fn arrive(&mut self, arrivals: &[KeySample]) {
        let Some(last_load) = &mut self.last_load else { return self.early.extend_from_slice(arrivals) };
        for (at, key) in arrivals {
            if last_load.get(key).is_none_or(|s| *at >= s.saturating_add(self.served_ns)) {
                last_load.insert(*key, *at);
                self.loads += 1;
            }
        }
    }

    /// The loads; `None` where the state at t = 0 was never known.
    #[must_use]
    pub fn loads(&self) -> Option<u64> {
        self.last_load.as_ref().map(|_| self.loads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000_000;

    fn floor(state: &[(u32, i64)], arrivals: &[KeySample]) -> Option<u64> {
        let mut floor = Floor::new(Duration::from_millis(200), Duration::from_secs(5));
        let (before, after) = arrivals.split_at(arrivals.len() / 2);
        floor.arrive(before);
        assert_eq!(floor.loads(), None, "nothing is known yet");
        floor.know(state.iter().copied().collect());
        floor.arrive(after);
        floor.loads()
    }

    #[test]
    fn a_hot_key_is_read_once_in_ttl_and_service_time() {
        // 400 arrivals a second for a minute on an empty cache: a load at 0, 5.2, 10.4 … 57.2.
        let arrivals: Vec<KeySample> = (0..24_000).map(|i| (i * S / 400, 1)).collect();
        assert_eq!(floor(&[], &arrivals), Some(12));
    }

    #[test]
    fn it_starts_from_what_the_cache_has() {
        let arrivals = [(S, 1), (2 * S, 1), (3 * S, 2)];
        assert_eq!(floor(&[], &arrivals), Some(2));
        // Loaded 4 s before the start: expires 1.2 s after it, so the arrival at 2 s loads.
        assert_eq!(floor(&[(1, -4 * S)], &arrivals), Some(2));
        assert_eq!(floor(&[(1, -2 * S), (2, -S)], &arrivals), Some(0));
    }

    #[test]
    fn an_arrival_at_the_very_expiry_loads() {
        let at = 5 * S + S / 5;
        assert_eq!(floor(&[], &[(0, 1), (at - 1, 1), (at, 1)]), Some(2));
    }
}
