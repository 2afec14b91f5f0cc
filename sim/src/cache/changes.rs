//! How replicas hear of changes: over a channel, a stream, or what the server tracks itself.
//!
//! Each listener is a replica's connection of its own, with a link of its own: what goes over it and what goes over the data connection
//! may overtake one another. Of a connection nothing is lost without a sign: a message that does not arrive means that it broke, and it
//! stands again a moment after the trouble is over.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strategies::Key;
use strategies::port::{BoxFuture, Bus, CacheError, Heard, Invalidations, Lookup, Messages, Subscribers};
use strategies::time::Mono;

use super::listeners::Listener;
use super::replica::NodeRole;
use super::{CachePort, CacheServer, lock};

/// How long it takes until a broken connection stands again, as the Redis adapter's.
const RECONNECT: Duration = Duration::from_millis(100);

impl CacheServer {
    /// A key was written or removed: whoever has it tracked is told.
    pub(super) fn changed(self: &Arc<Self>, key: &Key) {
        for listener in self.changes.of(|one| matches!(one.bus, Bus::Tracking | Bus::TrackingDefault)) {
            if listener.bus == Bus::Tracking || lock(&listener.tracked).remove(key) {
                self.send(&listener, Heard::About(key.clone()));
            }
        }
    }

    /// All keys are gone. The stream's, too.
    pub(super) fn all_changed(self: &Arc<Self>) {
        self.changes.end_stream();
        // Its readers see that the numbers begin anew.
        for listener in self.changes.of(|one| matches!(one.bus, Bus::Streams { .. })) {
            self.send(&listener, Heard::Lost);
        }
        self.all_untracked();
    }

    /// No entry is there any more: the server tells all for which it tracks any.
    pub(super) fn all_untracked(self: &Arc<Self>) {
        for listener in self.changes.of(|one| matches!(one.bus, Bus::Tracking | Bus::TrackingDefault)) {
            lock(&listener.tracked).clear();
            self.send(&listener, Heard::Lost);
        }
    }

    /// The connections on which a replica, or every replica, hears of changes break, and stay so until then.
    pub fn cut_listeners(self: &Arc<Self>, replica: Option<u16>, until: Mono) {
        for listener in self.changes.of(|one| replica.is_none_or(|replica| one.replica == replica)) {
            self.break_off(&listener, until);
        }
    }

    fn told(self: &Arc<Self>, bus: Bus, key: &Key) {
        if let Bus::Streams { maxlen } = bus {
            let mut kept = self.changes.kept();
            kept.last += 1;
            let entry = (kept.last, key.clone());
            kept.stream.push_back(entry);
            while kept.stream.len() > maxlen as usize {
                kept.stream.pop_front();
            }
        }
        let same = |one: &Listener| std::mem::discriminant(&one.bus) == std::mem::discriminant(&bus);
        for listener in self.changes.of(same) {
            self.send(&listener, Heard::About(key.clone()));
        }
    }

    /// A message goes to a listener; of a stream it is the word that there is something to read.
    fn send(self: &Arc<Self>, listener: &Arc<Listener>, message: Heard) {
        let now = self.world.now();
        if !listener.stands(now) {
            return;
        }
        let Some(at) = listener.link.back.deliver(now) else { return self.break_off(listener, now) };
        let (server, listener) = (Arc::clone(self), Arc::clone(listener));
        let broken = listener.broken_until.load(Relaxed);
        self.world.spawn(listener.replica, async move {
            server.world.sleep_until(at).await;
            // What was on its way when the connection broke is gone with it.
            if listener.broken_until.load(Relaxed) == broken {
                server.arrive(&listener, &message);
            }
        });
    }

    fn arrive(&self, listener: &Listener, message: &Heard) {
        match (listener.bus, message) {
            (Bus::Streams { .. }, _) => self.read_on(listener),
            (_, Heard::About(key)) => listener.heard.announce(key),
            (_, Heard::Lost) => listener.heard.tell(&Heard::Lost),
        }
    }

    /// Reads a stream on from where it stopped; what is missing there by its number was missed.
    fn read_on(&self, listener: &Listener) {
        let (entries, missed) = {
            let kept = self.changes.kept();
            let goes_on = listener.epoch.swap(kept.epoch, Relaxed) == kept.epoch;
            let read = if goes_on { listener.read.load(Relaxed) } else { 0 };
            let entries: Vec<_> = kept.stream.iter().filter(|(number, _)| *number > read).cloned().collect();
            listener.read.store(kept.last, Relaxed);
            let gap = entries.first().map_or(kept.last != read, |(first, _)| *first > read + 1);
            (entries, !goes_on || gap)
        };
        if missed {
            listener.heard.tell(&Heard::Lost);
        }
        entries.iter().for_each(|(_, key)| listener.heard.announce(key));
    }

    fn break_off(self: &Arc<Self>, listener: &Arc<Listener>, until: Mono) {
        let now = self.world.now();
        let again = until.max(now).max(listener.link.back.down_until()).plus(RECONNECT);
        if listener.broken_until.fetch_max(again.0, Relaxed) >= again.0 {
            return;
        }
        lock(&listener.tracked).clear();
        let (server, listener) = (Arc::clone(self), Arc::clone(listener));
        self.world.spawn(listener.replica, async move {
            server.world.sleep_until(again).await;
            // Another break may have come meanwhile; that one tells then.
            if listener.broken_until.load(Relaxed) == again.0 {
                server.stands_again(&listener);
            }
        });
    }

    fn stands_again(&self, listener: &Listener) {
        match listener.bus {
            Bus::Streams { .. } => self.read_on(listener),
            _ => listener.heard.tell(&Heard::Lost),
        }
    }
}

impl Invalidations for CachePort {
    fn hear(&self, bus: Bus) -> BoxFuture<'_, Option<Messages>> {
        Box::pin(async move {
            let (read, epoch) = {
                let kept = self.server.changes.kept();
                (kept.last, kept.epoch)
            };
            let listener = Arc::new(Listener {
                replica: self.replica,
                bus,
                link: Arc::clone(&self.listener_link),
                heard: Subscribers::default(),
                read: AtomicU64::new(read),
                epoch: AtomicU64::new(epoch),
                tracked: Mutex::default(),
                broken_until: AtomicU64::new(0),
            });
            let messages = listener.heard.subscribe();
            self.server.changes.kept().listeners.push(listener);
            Some(messages)
        })
    }

    fn tell<'a>(&'a self, bus: Bus, key: &'a Key) -> BoxFuture<'a, Result<(), CacheError>> {
        let (of, key, server) = (key, key.clone(), Arc::clone(&self.server));
        // An entry of a stream takes memory.
        let needs_memory = matches!(bus, Bus::Streams { .. });
        Box::pin(self.write(needs_memory, (of, 0), move |_| server.told(bus, &key)))
    }

    fn tracked<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Lookup, CacheError>> {
        let (looked_for, replica) = (key.clone(), self.replica);
        // Only one server tells of all reads, and that is no cluster's.
        Box::pin(self.read((std::slice::from_ref(key), NodeRole::Primary), move |server| {
            server.track(replica, &looked_for);
            server.reply(&looked_for, NodeRole::Primary)
        }))
    }
}

impl CacheServer {
    /// Remembers that a replica has read a key.
    pub(super) fn track(&self, replica: u16, key: &Key) {
        let now = self.world.now();
        let reads = |one: &Listener| one.replica == replica && one.bus == Bus::TrackingDefault && one.stands(now);
        for listener in self.changes.of(reads) {
            lock(&listener.tracked).insert(key.clone());
        }
    }
}
