//! Who hears of changes, and what the server keeps for them.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strategies::Key;
use strategies::port::{Bus, Subscribers};
use strategies::time::Mono;

use super::link::Link;

/// What the server keeps for those who hear of changes.
#[derive(Default)]
pub(super) struct Changes(pub(super) Mutex<Kept>);

#[derive(Default)]
pub(super) struct Kept {
    pub(super) listeners: Vec<Arc<Listener>>,
    pub(super) stream: VecDeque<(u64, Key)>,
    /// The number of the last entry of the stream.
    pub(super) last: u64,
    /// Which stream it is: one that was removed begins its numbers anew.
    pub(super) epoch: u64,
}

/// One replica's connection.
pub(super) struct Listener {
    pub(super) replica: u16,
    pub(super) bus: Bus,
    pub(super) link: Arc<Link>,
    pub(super) heard: Subscribers,
    /// The last entry of the stream that it has read.
    pub(super) read: AtomicU64,
    /// Of which stream that was.
    pub(super) epoch: AtomicU64,
    /// The keys that it has read and that the server tells it of when they change.
    pub(super) tracked: Mutex<BTreeSet<Key>>,
    /// Until when it is broken.
    pub(super) broken_until: AtomicU64,
}

impl Listener {
    pub(super) fn stands(&self, now: Mono) -> bool {
        now.0 >= self.broken_until.load(Relaxed)
    }
}

impl Changes {
    /// What a replica's earlier incarnation listened to is gone.
    pub(super) fn forget(&self, replica: u16) {
        self.kept().listeners.retain(|listener| listener.replica != replica);
    }

    pub(super) fn end_stream(&self) {
        let mut kept = self.kept();
        kept.stream.clear();
        kept.last = 0;
        kept.epoch += 1;
    }

    pub(super) fn of(&self, matches: impl Fn(&Listener) -> bool) -> Vec<Arc<Listener>> {
        self.kept().listeners.iter().filter(|listener| matches(listener)).cloned().collect()
    }

    /// A poisoned lock is as good as any: every critical section leaves its value whole.
    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
