//! A scenario's events, made to happen at their moments in virtual time. Every action can be that does not need a real server.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use evidence::{CommandTimes, OriginFault};
use scenarios::{Action, ActionKind, ReplicaTarget, Scenario, ScenarioEvent};
use strategies::Key;
use strategies::time::Mono;

use crate::cache::memory::Snapshot;
use crate::crowd::{Crowd, Witness};
use crate::fleet::Fleet;
use crate::world::LAB;

/// How long it takes until the replica of a server that is lost has its place, as measured on loopback (systems.md S4.7): of a cluster
/// 2.2, 3.4, 7.9 and 17.4 s at a node timeout of 1, 2, 5 and 15 s; under Sentinel 0.4 s more than `down-after-milliseconds`.
fn takes_over(scenario: &Scenario) -> Duration {
    let (redis, shards) = (&scenario.cache.redis, scenario.cache.simulated.shards);
    match shards {
        1 => redis.down_after() + Duration::from_millis(400),
        _ => redis.node_timeout().mul_f64(1.1) + Duration::from_millis(1200),
    }
}

/// Calls from here on thaw the replica of the number that is left.
const THAWS: u32 = 1 << 30;

/// How far a server's replica is behind it: what was written so shortly before its end is lost with it.
const REPLICA_LAG: Duration = Duration::from_millis(1);

/// Something that took effect, or was over.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// When.
    pub at: Mono,
    /// The replica that it happened to, where it is one's.
    pub replica: Option<u16>,
    /// What.
    pub action: Action,
    /// Whether this is its end.
    pub over: bool,
    /// At its end: how long commands to a cluster took meanwhile.
    pub times: CommandTimes,
}

/// Makes a scenario's events happen.
pub struct Chaos<W> {
    fleet: Rc<Fleet>,
    crowd: Rc<Crowd<W>>,
    hot_key: Option<Key>,
    /// How long it takes until another server has the place of one that is gone.
    takes_over: Duration,
    /// Until when replicas stand still.
    paused: RefCell<BTreeMap<u16, Mono>>,
}

impl<W: Witness + 'static> Chaos<W> {
    /// For this fleet and its clients.
    #[must_use]
    pub fn new(fleet: &Rc<Fleet>, crowd: &Rc<Crowd<W>>, scenario: &Scenario) -> Self {
        let hot_key = scenario.keys.hot_key().map(Key::of_item);
        let takes_over = takes_over(scenario);
        Self { fleet: Rc::clone(fleet), crowd: Rc::clone(crowd), hot_key, takes_over, paused: RefCell::default() }
    }

    /// Makes the events happen, one after the other, and tells of each, and of the end of what ends by itself. May be dropped at any await.
    pub async fn play(&self, events: &[ScenarioEvent], t0: Mono, tell: Rc<dyn Fn(Happened)>) {
        for event in events {
            let (world, at, action) = (&self.fleet.world, t0.plus(event.at), event.action);
            let past = match action.kind {
                ActionKind::CacheFailover => {
                    world.sleep_until(at.minus(REPLICA_LAG)).await;
                    Some(self.fleet.cache.memory().snapshot())
                }
                _ => None,
            };
            world.sleep_until(at).await;
            let (replica, over) = match past {
                Some(past) => (None, Some(self.fail_over(&action, past))),
                None if action.kind == ActionKind::ClusterMigrate => {
                    let which = action.key.map(Key::of_item).ok_or(action.slots);
                    (None, self.fleet.cache.migrate(which.as_ref().map_err(|count| *count), action.how))
                }
                None => (self.act(&action), None),
            };
            tell(Happened { at: world.now(), replica, action, over: false, times: CommandTimes::default() });
            over.into_iter().for_each(|at| self.tell_at(at, action, &tell));
        }
    }

    /// Tells that something is over, when it is.
    fn tell_at(&self, at: Mono, action: Action, tell: &Rc<dyn Fn(Happened)>) {
        let (until, cache, tell) = (self.fleet.world.sleep_until(at), Arc::clone(&self.fleet.cache), Rc::clone(tell));
        let before = cache.redirects.times();
        self.fleet.world.spawn(LAB, async move {
            until.await;
            let times = cache.redirects.times().since(&before);
            tell(Happened { at, replica: None, action, over: true, times });
        });
    }

    /// The server of a key, or of the hottest, is lost; when its keys are to be had again. One that only stands still and goes on before it is
    /// missed has lost nothing.
    fn fail_over(&self, action: &Action, past: Snapshot) -> Mono {
        let key = action.key.map(Key::of_item).or_else(|| self.hot_key.clone()).unwrap_or_else(|| Key::of_item(1));
        let (cache, silent) = (Arc::clone(&self.fleet.cache), !action.length.is_zero());
        if silent && action.length < self.takes_over {
            let until = self.until(action.length);
            cache.stand_still(&key, until);
            return until;
        }
        let until = self.until(self.takes_over);
        let (shard, taken_over) = (cache.lose_server(&key, until, silent), self.fleet.world.sleep_until(until));
        self.fleet.world.spawn(LAB, async move {
            taken_over.await;
            cache.take_over(shard, &past);
        });
        until
    }

    /// Does what a call is due for, if it is one of these.
    pub fn on_call(&self, number: u32) -> bool {
        let Some(replica) = number.checked_sub(THAWS).and_then(|replica| u16::try_from(replica).ok()) else {
            return false;
        };
        // Of two pauses that overlap, the one that lasts longer decides.
        if self.paused.borrow().get(&replica).is_none_or(|until| self.fleet.world.now() >= *until) {
            self.fleet.world.thaw(replica);
        }
        true
    }

    /// Makes one happen; the replica that it hit, where it was one.
    fn act(&self, action: &Action) -> Option<u16> {
        let (cache, origin) = (&self.fleet.cache, &self.fleet.origin);
        let length = action.length;
        match action.kind {
            ActionKind::Expire => cache.expire(action.key.map(Key::of_item).as_ref()),
            ActionKind::Flush => cache.empty(),
            ActionKind::OriginSlow => origin.trouble(OriginFault::Slow(action.factor), length),
            ActionKind::OriginFail => origin.trouble(OriginFault::Fail, length),
            ActionKind::OriginPause => origin.trouble(OriginFault::Pause, length),
            ActionKind::CacheStop => cache.stop(length),
            ActionKind::CachePause => cache.pause(length),
            ActionKind::CacheRestart => cache.stop(Duration::ZERO),
            ActionKind::CacheLatency => cache.slow(action.added, action.share, length),
            ActionKind::CacheFull => cache.refuse_writes(length),
            // They have an end of their own.
            ActionKind::CacheFailover | ActionKind::ClusterMigrate => {}
            ActionKind::NetworkCut => return self.cut(action.target, length, true),
            ActionKind::SubscriberCut => return self.cut(action.target, length, false),
            ActionKind::ReplicaKill => return self.aimed(action, |replica| self.kill(replica)),
            ActionKind::ReplicaPause => return self.aimed(action, |replica| self.pause(replica, length)),
            // Refused before the run: there is no server.
            ActionKind::CacheRewriteAof
            | ActionKind::CacheSave
            | ActionKind::CacheGrow
            | ActionKind::CacheClients
            | ActionKind::CacheReset => {}
            ActionKind::ReplicaRestart => {
                return self.aimed(action, |replica| {
                    self.kill(replica);
                    self.fleet.boot(replica);
                });
            }
        }
        None
    }

    /// Does something to the replica that is meant.
    fn aimed(&self, action: &Action, act: impl FnMut(u16)) -> Option<u16> {
        let replica = action.target.map(|target| self.aim(target));
        replica.into_iter().for_each(act);
        replica
    }

    /// Cuts the connections of a replica, or of all: on which changes are heard, and its data's too where the whole network is cut.
    fn cut(&self, target: Option<ReplicaTarget>, length: Duration, data_too: bool) -> Option<u16> {
        let hit = target.map(|target| self.aim(target));
        let until = self.until(length);
        for (replica, of) in self.fleet.replicas().iter().enumerate() {
            if data_too && hit.is_none_or(|hit| usize::from(hit) == replica) {
                of.cache_link.cut(until);
            }
        }
        self.fleet.cache.cut_listeners(hit, until);
        hit
    }

    fn pause(&self, replica: u16, length: Duration) {
        let until = self.until(length);
        self.fleet.world.freeze(replica);
        self.fleet.world.call_at(until, THAWS + u32::from(replica));
        self.paused.borrow_mut().entry(replica).and_modify(|end| *end = until.max(*end)).or_insert(until);
    }

    fn until(&self, length: Duration) -> Mono {
        self.fleet.world.now().plus(length)
    }

    fn kill(&self, replica: u16) {
        self.crowd.lose(replica);
        self.fleet.kill(replica);
    }

    /// The replica that is meant.
    fn aim(&self, target: ReplicaTarget) -> u16 {
        match target {
            ReplicaTarget::Replica(number) => u16::try_from(number).unwrap_or(u16::MAX),
            ReplicaTarget::LockHolder => {
                let key = self.hot_key.as_ref();
                let holder = key.and_then(|key| self.fleet.cache.holder(key));
                holder.or_else(|| self.fleet.origin.reader(key?)).unwrap_or(0)
            }
        }
    }
}
