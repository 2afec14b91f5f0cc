//! A scenario's events, made to happen at their moments in virtual time. Every action can be that does not need a real server.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use evidence::OriginFault;
use scenarios::{Action, ActionKind, ReplicaTarget, Scenario, ScenarioEvent};
use strategies::Key;
use strategies::time::Mono;

use crate::crowd::{Crowd, Witness};
use crate::fleet::Fleet;

/// Calls from here on thaw the replica of the number that is left.
const THAWS: u32 = 1 << 30;

/// Something that took effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// When.
    pub at: Mono,
    /// The replica that it happened to, where it is one's.
    pub replica: Option<u16>,
    /// What.
    pub action: Action,
}

/// Makes a scenario's events happen.
pub struct Chaos<W> {
    fleet: Rc<Fleet>,
    crowd: Rc<Crowd<W>>,
    hot_key: Option<Key>,
    /// Until when replicas stand still.
    paused: RefCell<BTreeMap<u16, Mono>>,
}

impl<W: Witness + 'static> Chaos<W> {
    /// For this fleet and its clients.
    #[must_use]
    pub fn new(fleet: &Rc<Fleet>, crowd: &Rc<Crowd<W>>, scenario: &Scenario) -> Self {
        let hot_key = scenario.keys.hot_key().map(Key::of_item);
        Self { fleet: Rc::clone(fleet), crowd: Rc::clone(crowd), hot_key, paused: RefCell::default() }
    }

    /// Makes the events happen, one after the other, and tells of each. May be dropped at any await.
    pub async fn play(&self, events: &[ScenarioEvent], t0: Mono, mut tell: impl FnMut(Happened)) {
        for event in events {
            self.fleet.world.sleep_until(t0.plus(event.at)).await;
            let at = self.fleet.world.now();
            let replica = self.act(&event.action);
            tell(Happened { at, replica, action: event.action });
        }
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
            ActionKind::CacheFailover => cache.lose_tracking(),
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
