//! A scenario's events, made to happen at their moments in virtual time. Every action can be.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use scenarios::{Action, Event, Scenario, Target};
use strategies::Key;
use strategies::time::Mono;
use strategies::units::duration_text;

use crate::crowd::{Crowd, Witness};
use crate::fleet::Fleet;
use crate::origin::OriginTrouble;

/// Calls from here on thaw the replica of the number that is left.
const THAWS: u32 = 1 << 30;

/// Something that took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// When.
    pub at: Mono,
    /// The replica that it happened to, where it is one's.
    pub replica: Option<u16>,
    /// In words.
    pub what: String,
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
    pub async fn play(&self, events: &[Event], t0: Mono, mut tell: impl FnMut(Happened)) {
        for event in events {
            self.fleet.world.sleep_until(t0.plus(event.at)).await;
            let at = self.fleet.world.now();
            let (what, replica) = self.act(&event.action);
            tell(Happened { at, replica, what });
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

    fn act(&self, action: &Action) -> (String, Option<u16>) {
        let (cache, origin) = (&self.fleet.cache, &self.fleet.origin);
        let text = |length: &Duration| duration_text(*length);
        let what = match action {
            Action::Expire { key: Some(key) } => {
                cache.memory().forget(&Key::of_item(*key));
                format!("expire {key}")
            }
            Action::Expire { key: None } => {
                cache.memory().forget_all();
                "expire all".into()
            }
            Action::Flush => {
                cache.memory().clear();
                "flush".into()
            }
            Action::OriginSlow { factor, length } => {
                origin.trouble(OriginTrouble::Slow(*factor), *length);
                format!("origin slow ×{factor} for {}", text(length))
            }
            Action::OriginFail { length } => {
                origin.trouble(OriginTrouble::Fail, *length);
                format!("origin fails for {}", text(length))
            }
            Action::OriginPause { length } => {
                origin.trouble(OriginTrouble::Pause, *length);
                format!("origin paused for {}", text(length))
            }
            Action::CacheStop { length } => {
                cache.stop(*length);
                format!("cache gone for {}", text(length))
            }
            Action::CachePause { length } => {
                cache.pause(*length);
                format!("cache paused for {}", text(length))
            }
            Action::CacheRestart => {
                cache.stop(Duration::ZERO);
                "cache restarted, empty".into()
            }
            Action::CacheLatency { added, length } => {
                cache.slow(*added, *length);
                format!("cache slower by {} for {}", text(added), text(length))
            }
            Action::NetworkCut { target: None, length } => {
                self.fleet.replicas().iter().for_each(|r| r.cache_link.cut(self.until(*length)));
                format!("every replica cut off the cache for {}", text(length))
            }
            Action::NetworkCut { target: Some(target), length } => {
                let replica = self.aim(*target);
                if let Some(hit) = self.fleet.replicas().get(usize::from(replica)) {
                    hit.cache_link.cut(self.until(*length));
                }
                return (format!("replica-{replica} cut off the cache for {}", text(length)), Some(replica));
            }
            Action::ReplicaKill { target } => {
                let replica = self.aim(*target);
                self.kill(replica);
                return (format!("replica-{replica} killed"), Some(replica));
            }
            Action::ReplicaPause { target, length } => {
                let replica = self.aim(*target);
                let until = self.until(*length);
                self.fleet.world.freeze(replica);
                self.fleet.world.call_at(until, THAWS + u32::from(replica));
                self.paused.borrow_mut().entry(replica).and_modify(|end| *end = until.max(*end)).or_insert(until);
                return (format!("replica-{replica} paused for {}", text(length)), Some(replica));
            }
            Action::ReplicaRestart { target } => {
                let replica = self.aim(*target);
                self.kill(replica);
                self.fleet.boot(replica);
                return (format!("replica-{replica} restarted"), Some(replica));
            }
        };
        (what, None)
    }

    fn until(&self, length: Duration) -> Mono {
        self.fleet.world.now().plus(length)
    }

    fn kill(&self, replica: u16) {
        self.crowd.lose(replica);
        self.fleet.kill(replica);
    }

    /// The replica that is meant.
    fn aim(&self, target: Target) -> u16 {
        match target {
            Target::Replica(number) => u16::try_from(number).unwrap_or(u16::MAX),
            Target::LockHolder => {
                let key = self.hot_key.as_ref();
                let holder = key.and_then(|key| self.fleet.cache.holder(key));
                holder.or_else(|| self.fleet.origin.reader(key?)).unwrap_or(0)
            }
        }
    }
}
