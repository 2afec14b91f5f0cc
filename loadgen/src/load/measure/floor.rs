//! The floor: what a perfect lazy refresher would have read for the same arrivals.

use std::collections::BTreeMap;
use std::time::Duration;

use strategies::ByItem;
use strategies::time::nanos;

use crate::load::record::KeySample;

const SECOND_NS: i64 = 1_000_000_000;
/// Beside twice the service time.
const ALLOWANCE: Duration = Duration::from_millis(250);
/// The start of a load that there was not.
const NEVER: i64 = i64::MIN;

/// Counts the origin reads of a perfect lazy refresher in the measured phase, while the run goes on.
///
/// Per key, in order, an arrival at t ≥ s + d + T starts a load, where s is the start of the last load, d the (mean)
/// service time and T the key's own life; a load in flight serves those who come meanwhile (design/contract.md). The life is
/// the TTL for an item that exists. That one does not exist is remembered for as long as the strategy's `negative` layer
/// says, and not at all without one: then only those who come during a load are spared their own.
///
/// It needs the cache's state at t = 0 before it can count; arrivals that come before it knows are kept until then, and
/// after that its memory is one number a key, and with [events](Floor::emptied_at) two.
#[derive(Debug, Clone, PartialEq)]
pub struct Floor {
    /// The last key that exists.
    items: u32,
    /// From the start of a load to the first arrival that needs another, for keys that exist and for those that don't.
    served_ns: ByItem<i64>,
    served_missing_ns: i64,
    /// The mean service time.
    service: Duration,
    /// Whether [`Floor::least`] is wanted, too.
    bounded: bool,
    /// The start of each key's last load, by its number, [`NEVER`] for none; `None` until [`Floor::know`].
    last_load: Option<Vec<i64>>,
    early: Vec<KeySample>,
    loads: u64,
    /// Whether it is told as the floor of a strategy's reads.
    told: bool,
    events: Events,
}

/// The same refresher in a world with events: its cache is empty when one is over. Its loads are counted by seconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Events {
    /// The moments that are still to come, in order.
    over_ns: Vec<i64>,
    counts: bool,
    /// The start of each key's last load since the last event; `None` before the first, when it is the floor's own.
    last_load: Option<Vec<i64>>,
    by_second: BTreeMap<i64, u64>,
}

impl Floor {
    /// A floor for items 1 to `items` with this service time and these TTLs, and a memory of `negative` for what does not exist.
    #[must_use]
    pub fn new(items: u32, service: Duration, ttls: impl Into<ByItem<Duration>>, negative: Duration) -> Self {
        let served = |life| i64::try_from(nanos(service).saturating_add(nanos(life))).unwrap_or(i64::MAX);
        let (served_ns, served_missing_ns) = (ttls.into().map(|ttl| served(*ttl)), served(negative));
        let events = Events::default();
        Self {
            items,
            served_ns,
            served_missing_ns,
            service,
            bounded: false,
            last_load: None,
            early: Vec::new(),
            loads: 0,
            told: true,
            events,
        }
    }

    /// Counts by seconds as well what would be read if the cache were empty at each of these moments, nanoseconds since t = 0:
    /// the ends of events. A cache that has lost everything cannot cost fewer reads, so this is what reads after an event are held to.
    #[must_use]
    pub fn emptied_at(self, mut over_ns: Vec<i64>) -> Self {
        over_ns.sort_unstable();
        Self { events: Events { counts: !over_ns.is_empty(), over_ns, ..Events::default() }, ..self }
    }

    /// Not told as the strategy's floor, for its entries may live longer than the TTL: only counted by seconds.
    #[must_use]
    pub fn untold(self) -> Self {
        Self { told: false, ..self }
    }

    /// The same, with [`Floor::least`] beside it. Of real runs: nothing in a simulated one can be wrong in the way that it shows,
    /// and it costs a look-up a request.
    #[must_use]
    pub fn bounded(self) -> Self {
        Self { bounded: true, ..self }
    }

    /// Whether it is.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.bounded
    }

    /// How long an answer may take, from its arrival, for [`Floor::least`] to be a bound: twice the mean service time, and
    /// 250 ms for timers, locks and a busy machine.
    #[must_use]
    pub fn answer_max(service: Duration) -> Duration {
        service.saturating_mul(2).saturating_add(ALLOWANCE)
    }

    /// The same for a refresher whose loads each take [`Floor::answer_max`] instead of the mean service time. No strategy that
    /// serves nothing past its life can read less while its answers take no longer: the loads that it made serve every
    /// arrival, each for at most that long and the life, and taking each as late as possible makes the fewest.
    #[must_use]
    pub fn least(&self) -> Self {
        let longer = Self::answer_max(self.service).saturating_sub(self.service);
        let longer = i64::try_from(nanos(longer)).unwrap_or(i64::MAX);
        let served_ns = self.served_ns.map(|served| served.saturating_add(longer));
        let served_missing_ns = self.served_missing_ns.saturating_add(longer);
        Self { served_ns, served_missing_ns, events: Events::default(), ..self.clone() }
    }

    /// The start of each key's last load before t = 0, nanoseconds since t = 0; a key without one has an empty cache.
    pub fn know(&mut self, state: BTreeMap<u32, i64>) {
        let mut last_load = Vec::new();
        for (key, start) in state {
            *place(&mut last_load, key) = start;
        }
        self.last_load = Some(last_load);
        let early = std::mem::take(&mut self.early);
        self.arrive(&early);
    }

    /// Whether an arrival that comes after all those of earlier calls can make a difference: one that the key's last load serves
    /// makes none, in whatever order it is told with others. What is left need not be many, and they need an order.
    #[must_use]
    pub fn heeds(&self, (at, key): &KeySample) -> bool {
        let Some(last_load) = self.last_load.as_ref().filter(|_| !self.events.counts) else { return true };
        let last = last_load.get(*key as usize).copied().unwrap_or(NEVER);
        is_over(last, self.served(*key), *at)
    }

    /// From the start of a load to the first arrival that needs another.
    fn served(&self, key: u32) -> i64 {
        if key > self.items { self.served_missing_ns } else { *self.served_ns.of(key) }
    }

    /// Takes arrivals of the measured phase: (intended, key) in order of time, all after those of earlier calls.
    pub fn arrive(&mut self, arrivals: &[KeySample]) {
        let Some(mut last_load) = self.last_load.take() else { return self.early.extend_from_slice(arrivals) };
        for (at, key) in arrivals {
            let served = self.served(*key);
            let loads = |last_load: &mut Vec<i64>| {
                let last = place(last_load, *key);
                let loads = is_over(*last, served, *at);
                if loads {
                    *last = *at;
                }
                u64::from(loads)
            };
            let own = loads(&mut last_load);
            self.loads += own;
            if self.events.counts {
                self.events.arrive(*at, own, loads);
            }
        }
        self.last_load = Some(last_load);
    }

    /// The loads; `None` where the state at t = 0 was never known, and of one that is not told.
    #[must_use]
    pub fn loads(&self) -> Option<u64> {
        self.last_load.as_ref().filter(|_| self.told).map(|_| self.loads)
    }

    /// The loads of each second since t = 0 in which there was one, the cache being empty after each event; `None` where the
    /// state at t = 0 was never known, and without events.
    #[must_use]
    pub fn by_second(&self) -> Option<&BTreeMap<i64, u64>> {
        self.last_load.as_ref().filter(|_| self.events.counts).map(|_| &self.events.by_second)
    }
}

impl Events {
    /// Counts an arrival: `own` of the floor, or what `loads` says of the state since the last event.
    fn arrive(&mut self, at: i64, own: u64, mut loads: impl FnMut(&mut Vec<i64>) -> u64) {
        let passed = self.over_ns.partition_point(|over| *over <= at);
        if passed > 0 {
            self.over_ns.drain(..passed);
            self.last_load = Some(Vec::new());
        }
        let count = self.last_load.as_mut().map_or(own, &mut loads);
        if count > 0 {
            *self.by_second.entry(at.div_euclid(SECOND_NS)).or_insert(0) += count;
        }
    }
}

/// Whether a load that began at `last` serves nobody at `at` any more.
fn is_over(last: i64, served: i64, at: i64) -> bool {
    last == NEVER || at >= last.saturating_add(served)
}

/// A key's place.
fn place(last_load: &mut Vec<i64>, key: u32) -> &mut i64 {
    let at = key as usize;
    if at >= last_load.len() {
        last_load.resize(at + 1, NEVER);
    }
    &mut last_load[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000_000;
    const MS: i64 = 1_000_000;

    fn with_negative(negative: Duration, state: &[(u32, i64)], arrivals: &[KeySample]) -> Option<u64> {
        let mut floor = Floor::new(10, Duration::from_millis(200), Duration::from_secs(5), negative);
        let (before, after) = arrivals.split_at(arrivals.len() / 2);
        floor.arrive(before);
        assert_eq!(floor.loads(), None, "nothing is known yet");
        floor.know(state.iter().copied().collect());
        floor.arrive(after);
        floor.loads()
    }

    fn floor(state: &[(u32, i64)], arrivals: &[KeySample]) -> Option<u64> {
        with_negative(Duration::ZERO, state, arrivals)
    }

    #[test]
    fn a_hot_key_is_read_once_in_ttl_and_service_time() {
        // 400 arrivals a second for a minute on an empty cache: a load at 0, 5.2, 10.4 … 57.2.
        let arrivals: Vec<KeySample> = (0..24_000).map(|i| (i * S / 400, 1)).collect();
        assert_eq!(floor(&[], &arrivals), Some(12));
    }

    #[test]
    fn one_who_waits_longer_reads_less_and_nobody_who_keeps_within_it_reads_less_still() {
        let floor = Floor::new(10, Duration::from_millis(200), Duration::from_secs(5), Duration::ZERO);
        let mut patient = floor.least();
        patient.know(BTreeMap::new());
        let arrivals: Vec<KeySample> = (0..24_000).map(|i| (i * S / 400, 1)).collect();
        patient.arrive(&arrivals);
        // A load at 0, 5.65, 11.3 … 56.5.
        assert_eq!(patient.loads(), Some(11));
        // Of a key that is seldom asked each arrival is a load, however patient: 6 s apart.
        let mut patient = floor.least();
        patient.know(BTreeMap::new());
        patient.arrive(&(0..10).map(|i| (i * 6 * S, 1)).collect::<Vec<_>>());
        assert_eq!(patient.loads(), Some(10));
    }

    #[test]
    fn what_is_not_heeded_makes_no_difference() {
        let rng = strategies::rng::Rng::new(5);
        let floor = Floor::new(10, Duration::from_millis(200), Duration::from_secs(3), Duration::from_secs(1));
        for floor in [floor.clone(), floor.emptied_at(vec![4 * S, 9 * S])] {
            let (mut all, mut some, mut left_out) = (floor.clone(), floor, 0);
            [&mut all, &mut some].into_iter().for_each(|floor| floor.know(BTreeMap::from([(1, -S), (11, -S / 2)])));
            for second in 0..20 {
                let arrival = |_| (second * S + (rng.next_u64() % S as u64) as i64, (1 + rng.next_u64() % 12) as u32);
                let mut arrivals: Vec<KeySample> = (0..50).map(arrival).collect();
                let mut heeded: Vec<KeySample> = arrivals.iter().copied().filter(|one| some.heeds(one)).collect();
                left_out += arrivals.len() - heeded.len();
                arrivals.sort_unstable();
                heeded.sort_unstable();
                all.arrive(&arrivals);
                some.arrive(&heeded);
                assert_eq!(all, some);
            }
            assert_eq!(left_out > 500, !all.events.counts, "{left_out}");
        }
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

    #[test]
    fn what_does_not_exist_is_read_once_a_load_or_once_in_its_negative_life() {
        // Ten requests a second for a minute for a key that does not exist, and as many for one that does.
        let arrivals: Vec<KeySample> = (0..600).flat_map(|i| [(i * 100 * MS, 1), (i * 100 * MS, 11)]).collect();
        let existing = 12;
        // Not remembered: a load at 0, 200, 400 ms …, each serving the requests of its 200 ms.
        assert_eq!(floor(&[], &arrivals), Some(existing + 300));
        // Remembered for a second after each load: 0, 1.2, 2.4 …
        assert_eq!(with_negative(Duration::from_secs(1), &[], &arrivals), Some(existing + 50));
        // In flight at t = 0: a request that comes before its end is answered by it.
        assert_eq!(floor(&[(11, -150 * MS)], &[(10 * MS, 11), (49 * MS, 11), (50 * MS, 11)]), Some(1));
    }

    #[test]
    fn after_an_event_everything_has_to_be_read_once_more() {
        let arrivals: Vec<KeySample> = (0..24).flat_map(|i| [(i * S / 2, 1), (i * S / 2, 2)]).collect();
        // Loaded just before t = 0, and asked for every 500 ms: again at 5 s (5.2 after the load), and after that at 10.5.
        let state = || BTreeMap::from([(1, -S / 5), (2, -S / 5)]);
        let floor = Floor::new(10, Duration::from_millis(200), Duration::from_secs(5), Duration::ZERO);
        let mut with_events = floor.clone().emptied_at(vec![7 * S, 3 * S]);
        with_events.know(state());
        with_events.arrive(&arrivals);
        assert_eq!(with_events.loads(), Some(4), "the floor itself knows no events");
        assert_eq!(with_events.by_second(), Some(&BTreeMap::from([(3, 2), (7, 2)])));
        let mut without = floor.untold();
        without.know(state());
        without.arrive(&arrivals);
        assert_eq!((without.loads(), without.by_second()), (None, None));
    }
}
