//! What commands cost a server: one thing at a time, and a link that carries so much each way. A cluster is several of them, each with its part
//! of the slots.
//!
//! A command waits for those that came before it, at each of three places: the way in, the server, the way out. In all of them it is first
//! come, first served, so a place is the moment at which it is free again.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use scenarios::{Keys, SimulatedServer};
use strategies::Entry;
use strategies::time::{Mono, nanos};

use super::replica::NodeRole;
use super::slots::SlotTable;

/// What lies around a value in the cache: the envelope of the Redis adapter, to a few bytes.
const ENVELOPE_BYTES: u64 = 75;
/// As there: smaller values are not compressed, nor those of which compression would take less than a tenth.
const COMPRESS_FROM: usize = 1024;
const WORTH: f64 = 0.1;
const MIB: f64 = (1 << 20) as f64;

/// How large entries are where they lie, and what they cost there.
#[derive(Debug)]
pub struct ServerWork {
    compressible: f64,
    costs: SimulatedServer,
    /// The primaries, then a replica of each.
    nodes: Vec<ShardWork>,
    pub(crate) slots: SlotTable,
}

/// One server's work.
#[derive(Debug, Default)]
struct ShardWork {
    /// When the way in, the server and the way out are free.
    places: Mutex<[Mono; 3]>,
    /// Commands so far.
    commands: AtomicU64,
}

fn nodes(shards: usize) -> Vec<ShardWork> {
    (0..2 * shards).map(|_| ShardWork::default()).collect()
}

/// What is brought back: by one command, or by several that are sent at once. Of each which server carried it out, and bytes of entries.
pub(crate) enum Replies {
    One(usize, u64),
    Many(Vec<(usize, u64)>),
}

impl Replies {
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::One(_, bytes) => *bytes,
            Self::Many(of) => of.iter().map(|(_, bytes)| bytes).sum(),
        }
    }
}

impl Default for ServerWork {
    fn default() -> Self {
        Self { compressible: 0.0, costs: SimulatedServer::default(), nodes: nodes(1), slots: SlotTable::new(1, false) }
    }
}

/// What a command carries: bytes of entries, in and out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Carried {
    pub(crate) inwards: u64,
    pub(crate) outwards: u64,
}

impl ServerWork {
    /// Of a server that holds values of these keys.
    #[must_use]
    pub fn new(keys: &Keys, costs: SimulatedServer) -> Self {
        let shards = costs.shards.max(1) as usize;
        let slots = SlotTable::new(shards, keys.one_slot);
        Self { compressible: keys.compressible, costs, nodes: nodes(shards), slots }
    }

    /// Of a cluster whose servers are never busy.
    pub(crate) fn of_shards(shards: u32) -> Self {
        let costs = SimulatedServer { shards, ..SimulatedServer::default() };
        let shards = shards as usize;
        Self { compressible: 0.0, costs, nodes: nodes(shards), slots: SlotTable::new(shards, false) }
    }

    /// Commands that each server of a cluster has carried out so far, the primaries before their replicas; `None` where there is one alone.
    #[must_use]
    pub fn commands(&self) -> Option<Vec<u64>> {
        (self.slots.shards() > 1).then(|| self.nodes.iter().map(|node| node.commands.load(Relaxed)).collect())
    }

    /// The number of a shard's server of that role.
    pub(crate) fn node(&self, shard: usize, role: NodeRole) -> usize {
        match role {
            NodeRole::Primary => shard,
            NodeRole::Replica => self.slots.shards() + shard,
        }
    }

    /// When all replies to what arrives at `now` have left; `None`: at once.
    pub(crate) fn replied(&self, now: Mono, replies: &Replies) -> Option<Mono> {
        let done = |shard, outwards| self.done(now, shard, Carried { inwards: 0, outwards });
        match replies {
            Replies::One(shard, bytes) => done(*shard, *bytes),
            Replies::Many(of) => of.iter().filter_map(|(shard, bytes)| done(*shard, *bytes)).max(),
        }
    }

    /// Bytes of an entry where it lies.
    pub(crate) fn bytes(&self, entry: &Entry) -> u64 {
        let length = entry.value.as_ref().map_or(0, bytes::Bytes::len);
        let saved = if length >= COMPRESS_FROM && self.compressible >= WORTH { self.compressible } else { 0.0 };
        ENVELOPE_BYTES + (length as f64 * (1.0 - saved)).round() as u64
    }

    /// When the reply to a command that arrives at `now` has left its server; `None`: at once.
    pub(crate) fn done(&self, now: Mono, node: usize, carried: Carried) -> Option<Mono> {
        let shard = self.nodes.get(node)?;
        shard.commands.fetch_add(1, Relaxed);
        if !self.costs.is_busy() {
            return None;
        }
        let SimulatedServer { command, per_mib, bandwidth, .. } = self.costs;
        let wire = |bytes: u64| {
            bandwidth.map_or(Duration::ZERO, |per_s| Duration::from_secs_f64(bytes as f64 / f64::from(per_s)))
        };
        let by_bytes = nanos(per_mib) as f64 * (carried.inwards + carried.outwards) as f64 / MIB;
        let mut places = shard.places.lock().unwrap_or_else(PoisonError::into_inner);
        let takes =
            [wire(carried.inwards), command + Duration::from_nanos(by_bytes.round() as u64), wire(carried.outwards)];
        let mut at = now;
        for (place, takes) in places.iter_mut().zip(takes) {
            at = at.max(*place).plus(takes);
            *place = at;
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use strategies::Key;

    use super::*;

    const US: u64 = 1_000;

    #[test]
    fn commands_wait_for_each_other_at_each_place() {
        let costs = SimulatedServer {
            command: Duration::from_micros(10),
            per_mib: Duration::from_millis(1),
            bandwidth: Some(100 << 20),
            ..SimulatedServer::default()
        };
        let work = ServerWork { costs, ..ServerWork::default() };
        let out = |outwards| Carried { inwards: 0, outwards };
        // 10 µs, a ms for the MiB, and a hundredth of a second on the link.
        assert_eq!(work.done(Mono(0), 0, out(1 << 20)), Some(Mono(11_010 * US)));
        // The server is free again after 1 010 µs; the link is not.
        assert_eq!(work.done(Mono(0), 0, out(1 << 20)), Some(Mono(21_010 * US)));
        // What carries nothing goes over the link in its turn.
        assert_eq!(work.done(Mono(0), 0, out(0)), Some(Mono(21_010 * US)));
        assert_eq!(work.done(Mono(30_000 * US), 0, out(0)), Some(Mono(30_010 * US)));
        assert_eq!(ServerWork::default().done(Mono(5), 0, out(1 << 30)), None);
    }

    #[test]
    fn each_shard_has_work_of_its_own() {
        let costs = SimulatedServer { shards: 3, command: Duration::from_micros(10), ..SimulatedServer::default() };
        let work = ServerWork { costs, nodes: nodes(3), slots: SlotTable::new(3, false), ..ServerWork::default() };
        // The slots of `1`, `2` and `3` are 9842, 5649 and 1584.
        let shard = |item| work.slots.owner(&Key::of_item(item), Mono(0));
        assert_eq!([shard(1), shard(2), shard(3)], [1, 1, 0]);
        assert_eq!(work.done(Mono(0), 0, Carried::default()), Some(Mono(10 * US)));
        assert_eq!(work.done(Mono(0), 1, Carried::default()), Some(Mono(10 * US)));
        assert_eq!(work.replied(Mono(0), &Replies::Many(vec![(0, 0), (2, 0)])), Some(Mono(20 * US)));
        assert_eq!(work.commands(), Some(vec![2, 1, 1, 0, 0, 0]));
    }
}
