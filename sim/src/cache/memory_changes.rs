//! Who hears of changes in a cache that is a part of the process: nothing gets lost, but where the lab keeps them from hearing.

use std::sync::{Mutex, PoisonError};

use strategies::Key;
use strategies::port::{Bus, Heard, Subscribers};

/// Hearers, by bus.
#[derive(Default)]
pub(super) struct MemoryChanges {
    hearers: [Subscribers; Bus::ALL.len()],
    /// Whether they are kept from hearing.
    cut: Mutex<bool>,
}

impl MemoryChanges {
    pub(super) fn of(&self, bus: Bus) -> &Subscribers {
        let [pubsub, streams, tracking, tracking_default] = &self.hearers;
        match bus {
            Bus::PubSub => pubsub,
            Bus::Streams { .. } => streams,
            Bus::Tracking => tracking,
            Bus::TrackingDefault => tracking_default,
        }
    }

    fn is_cut(&self) -> bool {
        *self.cut.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on they hear nothing, or all that there is; then they are told that some may have been missed.
    pub(super) fn cut(&self, cut: bool) {
        *self.cut.lock().unwrap_or_else(PoisonError::into_inner) = cut;
        if !cut {
            self.hearers.iter().for_each(|hearers| hearers.tell(&Heard::Lost));
        }
    }

    pub(super) fn told(&self, bus: Bus, key: &Key) {
        if !self.is_cut() {
            self.of(bus).announce(key);
        }
    }

    /// A key was written or removed.
    pub(super) fn changed(&self, key: &Key) {
        self.told(Bus::Tracking, key);
        self.told(Bus::TrackingDefault, key);
    }
}
