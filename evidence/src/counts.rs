//! What replicas and origin count.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use strategies::port::TrafficCounters;
use strategies::{NearCounters, PoolCounters};

/// `GET /counters` of a replica, since its strategy was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReplicaCounters {
    /// Requests taken.
    pub requests: u64,
    /// Cache and lease operations.
    pub cache_ops: u64,
    /// Of these, reads of entries in the shared cache.
    #[serde(default)]
    pub cache_reads: u64,
    /// What became of what it keeps in its process.
    #[serde(default)]
    pub near: NearCounts,
    /// What became of its pool of connections.
    #[serde(default)]
    pub pool: PoolCounts,
    /// What went between it and the shared cache; `None` where nothing goes over a connection.
    #[serde(default)]
    pub traffic: Option<TrafficCounts>,
    /// What a cluster's nodes answered instead of a reply, commands that are no strategy's included; `None` where the cache is none.
    #[serde(default)]
    pub redirects: Option<RedirectCounts>,
    /// Reads that found parts of an item of different versions.
    #[serde(default)]
    pub torn: u64,
    /// Requests for several items whose reads a layer orders.
    #[serde(default)]
    pub ordered: u64,
    /// The round trips to the shared cache that these waited for, one after the other.
    #[serde(default)]
    pub round_trips: u64,
    /// Requests and background tasks that have not ended.
    pub in_flight: u64,
    /// The most requests that waited at a time since the last `POST /mark`; `None` where that is not known.
    #[serde(default)]
    pub peak_waiters: Option<u64>,
}

/// What became of what a replica keeps in its process: [`NearCounters`] on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NearCounts {
    /// Changes that were heard.
    pub heard: u64,
    /// Changes that were told to the others.
    pub told: u64,
    /// Times that all copies went.
    pub flushed: u64,
    /// Replies that a change overtook.
    pub overtaken: u64,
    /// Copies that went for want of room.
    pub evicted: u64,
    /// The most copies at a time, of one replica.
    pub entries_max: u64,
    /// The most bytes at a time, of one replica.
    pub bytes_max: u64,
}

impl From<NearCounters> for NearCounts {
    fn from(of: NearCounters) -> Self {
        let NearCounters { heard, told, flushed, overtaken, evicted, entries_max, bytes_max } = of;
        Self { heard, told, flushed, overtaken, evicted, entries_max, bytes_max }
    }
}

impl NearCounts {
    /// Of both: sums, and of what is a most in one replica the larger.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            heard: self.heard + other.heard,
            told: self.told + other.told,
            flushed: self.flushed + other.flushed,
            overtaken: self.overtaken + other.overtaken,
            evicted: self.evicted + other.evicted,
            entries_max: self.entries_max.max(other.entries_max),
            bytes_max: self.bytes_max.max(other.bytes_max),
        }
    }

    /// What was counted since `earlier`; a most is that of the whole time.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            heard: self.heard.saturating_sub(earlier.heard),
            told: self.told.saturating_sub(earlier.told),
            flushed: self.flushed.saturating_sub(earlier.flushed),
            overtaken: self.overtaken.saturating_sub(earlier.overtaken),
            evicted: self.evicted.saturating_sub(earlier.evicted),
            ..self
        }
    }
}

/// What became of a replica's pool of connections: [`PoolCounters`] on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PoolCounts {
    /// Connections that were taken.
    pub takes: u64,
    /// Operations that waited in vain.
    pub gave_up: u64,
    /// Connections that were given back.
    pub given_back: u64,
    /// For how long these had been taken, all together, nanoseconds.
    pub held_ns: u64,
    /// The squares of these times, summed, µs².
    pub held_us2: u64,
}

impl From<PoolCounters> for PoolCounts {
    fn from(of: PoolCounters) -> Self {
        let PoolCounters { takes, gave_up, given_back, held_ns, held_us2, .. } = of;
        Self { takes, gave_up, given_back, held_ns, held_us2 }
    }
}

impl PoolCounts {
    /// For how long a connection was taken, on average; `None` where none was given back.
    #[must_use]
    pub fn held_mean(self) -> Option<Duration> {
        self.held_ns.checked_div(self.given_back).map(Duration::from_nanos)
    }

    /// The squared coefficient of variation of that time: 0 where all are alike, 1 where they are exponential.
    #[must_use]
    pub fn held_variation(self) -> Option<f64> {
        let mean_us = self.held_mean()?.as_secs_f64() * 1e6;
        let square = self.held_us2 as f64 / self.given_back as f64;
        (mean_us > 0.0).then(|| (square / (mean_us * mean_us) - 1.0).max(0.0))
    }

    /// Of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            takes: self.takes + other.takes,
            gave_up: self.gave_up + other.gave_up,
            given_back: self.given_back + other.given_back,
            held_ns: self.held_ns + other.held_ns,
            held_us2: self.held_us2.saturating_add(other.held_us2),
        }
    }

    /// What was counted since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            takes: self.takes.saturating_sub(earlier.takes),
            gave_up: self.gave_up.saturating_sub(earlier.gave_up),
            given_back: self.given_back.saturating_sub(earlier.given_back),
            held_ns: self.held_ns.saturating_sub(earlier.held_ns),
            held_us2: self.held_us2.saturating_sub(earlier.held_us2),
        }
    }
}

/// What went between a replica and the shared cache: [`TrafficCounters`] on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TrafficCounts {
    /// Commands that read, wrote or removed entries.
    pub commands: u64,
    /// Bytes of entries that came from the cache.
    pub bytes_read: u64,
    /// Bytes of entries that went to it.
    pub bytes_written: u64,
}

impl From<TrafficCounters> for TrafficCounts {
    fn from(TrafficCounters { commands, bytes_read, bytes_written }: TrafficCounters) -> Self {
        Self { commands, bytes_read, bytes_written }
    }
}

impl TrafficCounts {
    fn each(self, other: Self, of: fn(u64, u64) -> u64) -> Self {
        Self {
            commands: of(self.commands, other.commands),
            bytes_read: of(self.bytes_read, other.bytes_read),
            bytes_written: of(self.bytes_written, other.bytes_written),
        }
    }
}

/// What a cluster's nodes answered to a replica instead of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RedirectCounts {
    /// `MOVED`: the slot is another node's.
    pub moved: u64,
    /// `ASK`: the slot is on its way, and the key is there already.
    pub ask: u64,
    /// `TRYAGAIN`: the slot is on its way, and of several keys some are there.
    pub try_again: u64,
}

impl RedirectCounts {
    fn each(self, other: Self, of: fn(u64, u64) -> u64) -> Self {
        Self {
            moved: of(self.moved, other.moved),
            ask: of(self.ask, other.ask),
            try_again: of(self.try_again, other.try_again),
        }
    }
}

/// `GET /command-times` of a replica: how long commands to a cluster took, by what the nodes answered before there was a reply. Of each the
/// counts by nanoseconds, rounded up to 1 %.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CommandTimes {
    /// A reply at once.
    pub plain: BTreeMap<u64, u64>,
    /// `MOVED` before.
    pub moved: BTreeMap<u64, u64>,
    /// `ASK` before.
    pub ask: BTreeMap<u64, u64>,
    /// `TRYAGAIN` before.
    pub try_again: BTreeMap<u64, u64>,
}

impl CommandTimes {
    /// The sum with another's.
    pub fn add(&mut self, other: &Self) {
        self.each(other, |count, more| *count += more);
    }

    /// What was counted since `earlier`.
    #[must_use]
    pub fn since(mut self, earlier: &Self) -> Self {
        self.each(earlier, |count, less| *count = count.saturating_sub(less));
        self
    }

    fn each(&mut self, other: &Self, of: fn(&mut u64, u64)) {
        let Self { plain, moved, ask, try_again } = self;
        let pairs = [(plain, &other.plain), (moved, &other.moved), (ask, &other.ask), (try_again, &other.try_again)];
        for (ours, others) in pairs {
            others.iter().for_each(|(ns, count)| of(ours.entry(*ns).or_default(), *count));
        }
    }
}

impl ReplicaCounters {
    /// Of both, as [`NearCounts::and`].
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            cache_ops: self.cache_ops + other.cache_ops,
            cache_reads: self.cache_reads + other.cache_reads,
            near: self.near.and(other.near),
            pool: self.pool.and(other.pool),
            traffic: match (self.traffic, other.traffic) {
                (Some(one), Some(two)) => Some(one.each(two, u64::wrapping_add)),
                (one, two) => one.or(two),
            },
            redirects: match (self.redirects, other.redirects) {
                (Some(one), Some(two)) => Some(one.each(two, u64::wrapping_add)),
                (one, two) => one.or(two),
            },
            torn: self.torn + other.torn,
            ordered: self.ordered + other.ordered,
            round_trips: self.round_trips + other.round_trips,
            in_flight: self.in_flight + other.in_flight,
            peak_waiters: self.peak_waiters.max(other.peak_waiters),
        }
    }

    /// What was counted since `earlier`, as [`NearCounts::since`].
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(earlier.requests),
            cache_ops: self.cache_ops.saturating_sub(earlier.cache_ops),
            cache_reads: self.cache_reads.saturating_sub(earlier.cache_reads),
            near: self.near.since(earlier.near),
            pool: self.pool.since(earlier.pool),
            traffic: self.traffic.map(|now| now.each(earlier.traffic.unwrap_or_default(), u64::saturating_sub)),
            redirects: self.redirects.map(|now| now.each(earlier.redirects.unwrap_or_default(), u64::saturating_sub)),
            torn: self.torn.saturating_sub(earlier.torn),
            ordered: self.ordered.saturating_sub(earlier.ordered),
            round_trips: self.round_trips.saturating_sub(earlier.round_trips),
            ..self
        }
    }
}

/// `GET /counters` of the origin, since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OriginCounters {
    /// Reads that arrived.
    pub arrived: u64,
    /// Reads that have not ended, queue included.
    pub in_flight: u64,
    /// Times that the rows were to get a new version and the database refused.
    #[serde(default)]
    pub writes_missed: u64,
}
