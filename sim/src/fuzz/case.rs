//! What a seed means: a small world, its requests and its troubles.

use std::fmt;
use std::time::Duration;

use strategies::rng::Rng;
use strategies::time::nanos;

use scenarios::Trouble;

const MS: u64 = 1_000_000;

/// How long a fault waits for somebody to hold what it aims at; then it hits the first replica.
pub(super) const AIM: Duration = Duration::from_secs(3);

/// A family of troubles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// What may go wrong. Clients that go away are everywhere, and so are rows that change.
    pub kinds: &'static [Trouble],
}

/// All of them.
pub const PROFILES: &[Profile] = &[
    Profile { name: "calm", kinds: &[] },
    Profile { name: "crash", kinds: &[Trouble::Crash] },
    Profile { name: "freeze", kinds: &[Trouble::Freeze] },
    Profile { name: "replies-lost", kinds: &[Trouble::RepliesLost] },
    Profile { name: "cut", kinds: &[Trouble::CutThere, Trouble::CutBack] },
    Profile { name: "clock", kinds: &[Trouble::ClockJump, Trouble::ClockDrift] },
    Profile { name: "emptied", kinds: &[Trouble::CacheEmptied, Trouble::CacheLost] },
    Profile { name: "cache", kinds: &[Trouble::CachePaused, Trouble::CacheSlow, Trouble::CacheRefuses] },
    Profile { name: "fail-over", kinds: &[Trouble::FailOver] },
    Profile { name: "origin", kinds: &[Trouble::OriginSlow, Trouble::OriginFails, Trouble::OriginPaused] },
    Profile { name: "corrupt", kinds: &[Trouble::Corrupt] },
    Profile { name: "subscriber", kinds: &[Trouble::SubscriberCut] },
    Profile {
        name: "late",
        kinds: &[Trouble::CutThere, Trouble::CutBack, Trouble::CacheSlow, Trouble::CachePaused, Trouble::Freeze],
    },
    Profile { name: "mixed", kinds: &Trouble::MADE },
];

/// Worlds of their own, whose cache is a cluster: they are played where they are asked for, and do not make the others rarer.
const SHARDS: Profile = Profile { name: "shards", kinds: &Trouble::OF_SHARDS };

impl Profile {
    /// The name of each, that of the worlds of their own last.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PROFILES.iter().chain([&SHARDS]).map(|profile| profile.name)
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        PROFILES.iter().chain([&SHARDS]).find(|profile| profile.name == name).copied()
    }
}

/// Whom a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultTarget {
    /// That replica.
    Replica(u16),
    /// The replica that holds that item's lock, or reads it: the fault waits for one to come, for a while.
    Holder(u32),
}

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// When, nanoseconds; a fault that waits for a holder begins to wait then.
    pub at: u64,
    /// What.
    pub kind: Trouble,
    /// Whom it hits.
    pub whom: FaultTarget,
    /// How long it lasts, nanoseconds.
    pub length: u64,
    /// How much: replies, times, parts per billion, nanoseconds; by kind.
    pub amount: i64,
}

/// A request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// When, nanoseconds.
    pub at: u64,
    /// For which item.
    pub item: u32,
    /// Which replica it comes to.
    pub replica: u16,
    /// When its client goes away, if it does; nanoseconds later.
    pub gone: Option<u64>,
}

/// A write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteAsk {
    /// When, nanoseconds.
    pub at: u64,
    /// Of which item.
    pub item: u32,
    /// Which replica it comes to.
    pub replica: u16,
}

/// A small world and what happens in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The seed that it was drawn from.
    pub seed: u64,
    /// How many replicas.
    pub replicas: u16,
    /// How many items.
    pub items: u32,
    /// The TTL.
    pub ttl: Duration,
    /// How long an origin read takes.
    pub service: Duration,
    /// How many are served at once.
    pub places: u32,
    /// How many may wait.
    pub queue: u32,
    /// How often rows change; not at all where items are written.
    pub write_every: Option<Duration>,
    /// The requests, in order of time.
    pub asks: Vec<Ask>,
    /// The writes, in order of time: for strategies that do something to the cache then.
    pub writes: Vec<WriteAsk>,
    /// The faults, in order of time.
    pub faults: Vec<Fault>,
}

/// Draws for one case.
struct Draw(Rng);

impl Draw {
    /// Evenly from `least..=most`.
    fn between(&self, least: u64, most: u64) -> u64 {
        least + ((u128::from(self.0.next_u64()) * u128::from(most - least + 1)) >> 64) as u64
    }

    /// True with that probability.
    fn chance(&self, probability: f64) -> bool {
        self.0.next_unit() < probability
    }

    /// From `least..=most`, evenly in powers of two: as likely from 1 to 2 as from 100 to 200.
    fn wide(&self, least: u64, most: u64) -> u64 {
        let doublings = u64::from((most / least.max(1)).max(1).ilog2());
        let low = least << self.between(0, doublings);
        self.between(low.min(most), (2 * low).min(most))
    }

    fn of<T: Copy>(&self, from: &[T]) -> Option<T> {
        let last = from.len().checked_sub(1)?;
        from.get(self.between(0, last as u64) as usize).copied()
    }
}

impl Case {
    /// The case of a seed.
    #[must_use]
    pub fn draw(seed: u64, profile: Profile) -> Self {
        let root = Rng::new(seed).fork("fuzz");
        let world = Draw(root.fork("world"));
        let replicas = world.between(1, 4) as u16;
        let items = world.between(1, 3) as u32;
        let service = if world.chance(0.2) { world.wide(300 * MS, 1500 * MS) } else { world.wide(5 * MS, 300 * MS) };
        let ttl = world.wide(300 * MS, 3000 * MS).max(2 * service);
        let length = world.between(3000 * MS, 8000 * MS);
        let write_every = world.chance(0.9).then(|| Duration::from_nanos(world.wide(20 * MS, 1000 * MS)));
        let origin = Draw(root.fork("origin"));
        let (places, queue) =
            if origin.chance(0.3) { (origin.wide(2, 16), origin.between(0, 20)) } else { (256, 1024) };
        let asks = asks(&Draw(root.fork("requests")), replicas, items, length, ttl);
        let writes = writes(&Draw(root.fork("writes")), replicas, items, length);
        let faults = faults(&Draw(root.fork("faults")), profile, replicas, items, length);
        Self {
            seed,
            replicas,
            items,
            ttl: Duration::from_nanos(ttl),
            service: Duration::from_nanos(service),
            places: places as u32,
            queue: queue as u32,
            write_every,
            asks,
            writes,
            faults,
        }
    }
}

/// One of three shapes: herds, a steady stream, or seldom.
fn asks(draw: &Draw, replicas: u16, items: u32, length: u64, ttl: u64) -> Vec<Ask> {
    let mut asks = Vec::new();
    let shape = draw.between(0, 2);
    let one = |at: u64| Ask {
        at,
        item: if draw.chance(0.8) { 1 } else { draw.between(1, u64::from(items)) as u32 },
        replica: draw.between(0, u64::from(replicas) - 1) as u16,
        gone: draw.chance(0.1).then(|| draw.wide(MS / 10, 400 * MS)),
    };
    match shape {
        0 => {
            for _ in 0..draw.between(2, 8) {
                let (at, spread) = (draw.between(0, length), draw.wide(MS / 100, 300 * MS));
                asks.extend((0..draw.between(2, 25)).map(|_| one(at + draw.between(0, spread))));
            }
        }
        1 => {
            let gap = 1_000_000_000 / draw.between(20, 120);
            asks.extend((0..length / gap).map(|n| one(n * gap + draw.between(0, gap))));
        }
        _ => {
            let gap = ttl * 2;
            let mut at = 0;
            while at < length {
                asks.push(one(at));
                at += draw.wide(gap / 64 + 1, gap);
            }
        }
    }
    asks.sort_by_key(|ask| ask.at);
    asks
}

/// One after the other, or several within a moment of one another.
fn writes(draw: &Draw, replicas: u16, items: u32, length: u64) -> Vec<WriteAsk> {
    let (mut writes, gap) = (Vec::new(), draw.wide(20 * MS, 2000 * MS));
    let mut at = draw.between(0, gap);
    while at < length {
        for _ in 0..if draw.chance(0.4) { draw.between(2, 4) } else { 1 } {
            let item = if draw.chance(0.8) { 1 } else { draw.between(1, u64::from(items)) as u32 };
            let replica = draw.between(0, u64::from(replicas) - 1) as u16;
            writes.push(WriteAsk { at: at + draw.between(0, MS / 2), item, replica });
        }
        at += draw.between(gap / 2, gap + gap / 2);
    }
    writes.sort_by_key(|write| write.at);
    writes
}

fn faults(draw: &Draw, profile: Profile, replicas: u16, items: u32, length: u64) -> Vec<Fault> {
    let some = if profile.kinds.is_empty() { 0 } else { draw.between(1, 4) };
    let mut faults: Vec<Fault> = Vec::new();
    for _ in 0..some {
        let Some(mut fault) = fault(draw, profile, replicas, items, length) else { continue };
        // Troubles like company: a replica that reads because the cache is slow to it stands still over it.
        if let Some(before) = faults.last().filter(|_| draw.chance(0.5)) {
            (fault.at, fault.whom) = (before.at + draw.between(0, 800 * MS), before.whom);
        }
        faults.push(fault);
    }
    faults.sort_by_key(|fault| fault.at);
    faults
}

fn fault(draw: &Draw, profile: Profile, replicas: u16, items: u32, length: u64) -> Option<Fault> {
    let kind = draw.of(profile.kinds)?;
    let at = draw.between(0, length);
    let item = draw.between(1, u64::from(items)) as u32;
    let replica = draw.between(0, u64::from(replicas) - 1) as u16;
    let whom = if draw.chance(0.7) { FaultTarget::Holder(item) } else { FaultTarget::Replica(replica) };
    let sign = if draw.chance(0.5) { 1 } else { -1 };
    let (most, amount) = match kind {
        Trouble::Freeze => (15_000, 0),
        Trouble::RepliesLost => (1000, draw.between(1, 6) as i64),
        Trouble::ClockJump => (1, sign * draw.wide(MS, 8000 * MS) as i64),
        Trouble::ClockDrift => (1, sign * draw.wide(1000, 50_000_000) as i64),
        Trouble::CacheSlow => (2000, draw.wide(MS, 300 * MS) as i64),
        Trouble::FailOver => (2000, 0),
        Trouble::ServerLost => (3000, draw.between(0, 1) as i64),
        Trouble::SlotsMove => (1, draw.between(0, 1) as i64),
        // Copies end with their entries: a longer one leaves none that is wrong.
        Trouble::SubscriberCut => (300, 0),
        Trouble::OriginSlow => (8000, draw.between(2, 60) as i64),
        Trouble::OriginPaused => (12_000, 0),
        _ => (4000, 0),
    };
    Some(Fault { at, kind, whom, length: draw.wide(10 * MS, most.max(20) * MS), amount })
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, kind, whom, length, amount } = *self;
        match whom {
            FaultTarget::Replica(_) => write!(f, "at {}: {}", seconds(at), kind.name()),
            FaultTarget::Holder(item) => {
                let (latest, kind) = (seconds(at + nanos(AIM)), kind.name());
                write!(f, "from {}, as soon as somebody holds item {item}, or at {latest}: {kind}", seconds(at))
            }
        }?;
        if let (FaultTarget::Replica(number), true) = (whom, kind.is_of_one_replica()) {
            write!(f, " at replica {number}")?;
        }
        match kind {
            Trouble::ClockJump => return write!(f, " by {:+.6} s", amount as f64 / 1e9),
            Trouble::ClockDrift => return write!(f, " by {:+.3} ppm", amount as f64 / 1e3),
            Trouble::RepliesLost => write!(f, ", {amount} of them,"),
            Trouble::CacheSlow => write!(f, " by {:.3} ms", amount as f64 / 1e6),
            Trouble::OriginSlow => write!(f, " ×{amount}"),
            Trouble::CacheEmptied | Trouble::Corrupt => return Ok(()),
            Trouble::SlotsMove => return f.write_str(if amount == 0 { ", key by key" } else { ", all at once" }),
            Trouble::ServerLost if amount == 0 => f.write_str(", silent,"),
            _ => Ok(()),
        }?;
        match kind {
            Trouble::FailOver => write!(f, " to what it knew {} before", seconds(length)),
            _ => write!(f, " for {}", seconds(length)),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |length: Duration| format!("{:.3} ms", length.as_secs_f64() * 1e3);
        let writes = self.write_every.map_or("never".into(), |every| format!("every {}", text(every)));
        let (ttl, service) = (text(self.ttl), text(self.service));
        let Self { replicas, places, queue, .. } = self;
        let written = self.writes.len();
        let origin = format!("origin {service} with {places} places and {queue} more in its queue");
        writeln!(
            f,
            "{replicas} replicas, TTL {ttl}, {origin}, rows change {writes}; where writes count, {written} of them instead"
        )?;
        for fault in &self.faults {
            writeln!(f, "  {fault}")?;
        }
        for Ask { at, item, replica, gone } in self.asks.iter().take(20) {
            let gone = gone.map(|after| format!(", gone after {}", seconds(after))).unwrap_or_default();
            writeln!(f, "  {} item {item} at replica {replica}{gone}", seconds(*at))?;
        }
        match self.asks.len().checked_sub(20) {
            Some(more) if more > 0 => writeln!(f, "  and {more} requests more"),
            _ => Ok(()),
        }
    }
}

fn seconds(ns: u64) -> String {
    format!("{:.6} s", ns as f64 / 1e9)
}
