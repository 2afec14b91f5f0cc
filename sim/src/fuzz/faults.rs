//! What goes wrong in a case that is being played: whom it hits, how, and for how long.

use std::time::Duration;

use evidence::OriginFault;
use futures_channel::oneshot;
use futures_util::future::{Either, select};
use scenarios::{MigrationWay, Trouble};
use strategies::Key;
use strategies::time::{Mono, nanos};

use super::case::{AIM, Fault, FaultTarget};
use super::play::Stage;
use crate::fleet::SimReplica;
use crate::invariants::{Active, FactKind};

/// How long a move of slots may be felt.
const SLOTS_SETTLE: Duration = Duration::from_millis(400);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_micros(3700);

/// Longer than any case.
const FOR_EVER: Duration = Duration::from_secs(366 * 24 * 3600);

impl Stage {
    /// The replica that a fault hits, once there is one.
    async fn aim(&self, whom: FaultTarget) -> u16 {
        let item = match whom {
            FaultTarget::Replica(number) => return number,
            FaultTarget::Holder(item) => Key::of_item(item),
        };
        if self.fleet.counters(0).is_some() {
            let next = self.aims.next(item);
            return match select(next, self.world.sleep(AIM)).await {
                Either::Left((Ok(replica), _)) => replica,
                Either::Left((Err(oneshot::Canceled), _)) | Either::Right(_) => 0,
            };
        }
        let begun = self.world.now();
        loop {
            let holder = self.fleet.cache.holder(&item).or_else(|| self.fleet.origin.reader(&item));
            if let Some(holder) = holder {
                return holder;
            }
            if self.world.now().since(begun) > AIM {
                return 0;
            }
            self.world.sleep(LOOK_EVERY).await;
        }
    }

    /// Makes something go wrong, and returns when that is over.
    pub(super) async fn go_wrong(self, fault: Fault) {
        self.world.sleep_until(Mono(fault.at)).await;
        let node = self.aim(fault.whom).await;
        let Some(replica) = self.fleet.replicas().get(usize::from(node)) else { return };
        let (length, cache) = (Duration::from_nanos(fault.length), &self.fleet.cache);
        if fault.kind == Trouble::FailOver {
            let past = cache.memory().snapshot();
            self.world.sleep(length).await;
            self.troubled(fault.kind, None, Duration::ZERO);
            return cache.fail_over(&past);
        }
        if Trouble::OF_SHARDS.contains(&fault.kind) {
            return self.at_shard(fault).await;
        }
        let until = self.world.now().plus(length);
        // Told before it takes effect: what follows from it comes after it in the log.
        if fault.kind.is_of_one_replica() {
            self.at_replica(fault, node, replica, until).await;
        } else {
            self.at_all(fault);
        }
        self.world.sleep_until(until).await;
    }

    /// What hits the server of a cluster that has an item.
    async fn at_shard(&self, fault: Fault) {
        let item = match fault.whom {
            FaultTarget::Holder(item) => item,
            FaultTarget::Replica(_) => 1,
        };
        let (key, length) = (Key::of_item(item), Duration::from_nanos(fault.length));
        if fault.kind == Trouble::SlotsMove {
            let how = if fault.amount == 0 { MigrationWay::Legacy } else { MigrationWay::Atomic };
            // What was sent elsewhere may find its time over for a while after it.
            self.troubled(fault.kind, None, SLOTS_SETTLE);
            self.fleet.cache.migrate(Ok(&key), how);
            return;
        }
        let past = self.fleet.cache.memory().snapshot();
        self.world.sleep(length / 20).await;
        self.troubled(fault.kind, None, length);
        let until = self.world.now().plus(length);
        let shard = self.fleet.cache.lose_server(&key, until, fault.amount == 0);
        self.world.sleep_until(until).await;
        self.troubled(Trouble::FailOver, None, Duration::ZERO);
        self.fleet.cache.take_over(shard, &past);
    }

    /// What hits one replica.
    async fn at_replica(&self, fault: Fault, node: u16, replica: &SimReplica, until: Mono) {
        let (length, cache) = (Duration::from_nanos(fault.length), &self.fleet.cache);
        let troubled = |length| self.troubled(fault.kind, Some(node), length);
        match fault.kind {
            Trouble::Crash if self.fleet.stack(node).is_some() => {
                troubled(length);
                self.fleet.kill(node);
                self.world.sleep_until(until).await;
                self.fleet.boot(node);
            }
            Trouble::Freeze => {
                troubled(length);
                self.world.freeze(node);
                self.world.sleep_until(until).await;
                self.world.thaw(node);
            }
            Trouble::RepliesLost => {
                troubled(Duration::from_secs(60));
                let lose = |replies| self.fleet.port(node).into_iter().for_each(|port| port.lose_replies(replies));
                lose(u32::try_from(fault.amount).unwrap_or(1));
                self.world.sleep_until(until).await;
                lose(0);
            }
            Trouble::CutThere => {
                troubled(length);
                replica.cache_link.there.cut(until);
                cache.cut_listeners(Some(node), until);
            }
            Trouble::CutBack => {
                troubled(length);
                replica.cache_link.back.cut(until);
                cache.cut_listeners(Some(node), until);
            }
            Trouble::SubscriberCut => {
                troubled(length);
                cache.cut_listeners(Some(node), until);
            }
            Trouble::ClockJump => {
                troubled(FOR_EVER);
                replica.clock.jump(fault.amount);
            }
            Trouble::ClockDrift => {
                troubled(FOR_EVER);
                replica.clock.drift(fault.amount);
            }
            _ => {}
        }
    }

    /// What hits the cache or the origin, and so every replica.
    fn at_all(&self, fault: Fault) {
        let (length, cache, origin) = (Duration::from_nanos(fault.length), &self.fleet.cache, &self.fleet.origin);
        let troubled = |length| self.troubled(fault.kind, None, length);
        match fault.kind {
            Trouble::CacheEmptied => {
                troubled(Duration::ZERO);
                cache.empty();
            }
            Trouble::CacheLost => {
                troubled(length);
                cache.stop(length);
            }
            Trouble::CachePaused => {
                troubled(length);
                cache.pause(length);
            }
            Trouble::CacheSlow => {
                troubled(length);
                cache.slow(Duration::from_nanos(fault.amount.unsigned_abs()), 1.0, length);
            }
            Trouble::CacheRefuses => {
                troubled(length);
                cache.refuse_writes(length);
            }
            Trouble::OriginSlow => {
                troubled(length + Duration::from_nanos(nanos(length)));
                origin.trouble(OriginFault::Slow(fault.amount as f64), length);
            }
            Trouble::OriginFails => {
                troubled(length);
                origin.trouble(OriginFault::Fail, length);
            }
            Trouble::OriginPaused => {
                troubled(length);
                origin.trouble(OriginFault::Pause, length);
            }
            Trouble::Corrupt => {
                let item = match fault.whom {
                    FaultTarget::Holder(item) => item,
                    FaultTarget::Replica(_) => 1,
                };
                if cache.memory().spoil(&Key::of_item(item)) {
                    troubled(Duration::ZERO);
                }
            }
            _ => {}
        }
    }

    fn troubled(&self, kind: Trouble, node: Option<u16>, length: Duration) {
        let from = self.world.now();
        let (from_ns, until_ns) = (from.0.cast_signed(), from.plus(length).0.cast_signed());
        self.tell(node, FactKind::Trouble(Active { kind, node, from_ns, until_ns }));
    }
}
