//! What any cache and any origin must do: one list of contract tests, run against the memory cache and against a real Redis.
//!
//! Each check is a future over the ports, so that it runs on whatever executor the room has. A check fails by panicking,
//! as a test does. Keys are drawn under the given prefix, so a shared server can be checked, too.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::kit::time::Wall;
use crate::port::entry::{Entry, Life};
use crate::port::key::Key;
use crate::port::{
    Acquired, Bus, Cache, CacheError, Clock, FlightId, Heard, Invalidations, Lease, Level, LoadCx, Loaded, Lookup,
    Message, Messages, Origin, Released, Removal, Renewed, Stored, Token, Wake, When,
};
use crate::stack::sabotage::Seize;

/// What is checked: a cache, its leases, and the clock by which their lives end.
#[derive(Clone)]
pub struct CacheSubject {
    /// The cache.
    pub cache: Arc<dyn Cache>,
    /// Its leases.
    pub lease: Arc<dyn Lease>,
    /// Its messages.
    pub wake: Arc<dyn Wake>,
    /// How it tells of changes.
    pub invalidations: Arc<dyn Invalidations>,
    /// Its leases as sabotage sees them.
    pub seize: Arc<dyn Seize>,
    /// The clock by which lives end.
    pub clock: Arc<dyn Clock>,
    /// What the keys begin with.
    pub prefix: String,
}

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(150);

impl CacheSubject {
    fn key(&self, name: &str) -> Key {
        Key::new(&format!("{}:{name}", self.prefix)).unwrap_or_else(|e| panic!("{e}"))
    }

    /// Asks until `done`, a hundred times at most: how a life's end is awaited on a real clock.
    async fn until(&self, what: &str, done: impl AsyncFn() -> bool) {
        for _ in 0..100 {
            if done().await {
                return;
            }
            self.clock.sleep(Duration::from_millis(50)).await;
        }
        panic!("never: {what}");
    }

    /// Everything below, in order.
    pub async fn check_all(&self) {
        let buses = [Bus::PubSub, Bus::Streams { maxlen: 100 }, Bus::Tracking, Bus::TrackingDefault];
        self.check_all_over(&buses).await;
    }

    /// The same, where changes are heard by these alone.
    pub async fn check_all_over(&self, buses: &[Bus]) {
        self.entries_come_back_as_they_were().await;
        self.an_entry_outlives_its_hard_life_by_a_second().await;
        self.one_holder_at_a_time().await;
        self.a_lease_ends_by_itself().await;
        self.renewal_starts_the_life_anew().await;
        self.a_fenced_put_needs_the_lease().await;
        self.a_fenced_put_never_goes_back_a_version().await;
        self.many_are_read_in_order_and_parts_share_a_lease().await;
        self.a_removal_may_take_the_lease_with_it().await;
        self.a_put_without_a_lease_may_be_kept_from_going_back_a_version().await;
        self.a_listener_hears_the_next_message_about_its_key().await;
        self.a_subscriber_hears_every_message_in_order().await;
        for bus in buses {
            self.a_hearer_hears_of_every_change(*bus).await;
        }
    }

    async fn entries_come_back_as_they_were(&self) {
        let key = self.key("entry");
        assert_eq!(self.cache.get(&key).await, Ok(Lookup::Absent));
        // Empty, small, beyond the size from which payloads are compressed, incompressible, and "no such item".
        let noise: Vec<u8> = (0..5000_u64).map(|i| (crate::kit::rng::mix(i) & 0xFF) as u8).collect();
        let payloads = [Some(vec![]), Some(b"small".to_vec()), Some(vec![b'x'; 100_000]), Some(noise), None];
        for (version, payload) in payloads.into_iter().enumerate() {
            let entry = entry(version as u64, payload.map(Bytes::from), self.clock.wall());
            assert_eq!(self.cache.put(&key, &entry, When::Always).await, Ok(Stored::Stored));
            assert_eq!(self.cache.get(&key).await, found(entry));
        }
        assert_eq!(self.cache.remove(&key, Removal::Entry).await, Ok(()));
        assert_eq!(self.cache.get(&key).await, Ok(Lookup::Absent));
        assert_eq!(self.cache.remove(&key, Removal::Entry).await, Ok(()), "removing nothing is no error");
    }

    async fn many_are_read_in_order_and_parts_share_a_lease(&self) {
        let (key, other, token) = (self.key("many"), self.key("many-other"), Token(7));
        let parts = [key.part(0), key.part(1), key.part(2)];
        assert_eq!(self.cache.get_many(&parts).await, Ok(vec![Lookup::Absent; 3]));
        assert_eq!(self.lease.acquire(&key, token, LONG).await, Ok(Acquired::Won));
        let of = |version: u64| entry(version, Some(Bytes::from(version.to_string())), self.clock.wall());
        let entries = [of(1), of(2), of(3)];
        for (part, entry) in parts.iter().zip(&entries) {
            let stored = self.cache.put(part, entry, When::Fenced(token)).await;
            assert_eq!(stored, Ok(Stored::Stored), "by the lease of the item");
        }
        let asked = [parts[2].clone(), other, parts[0].clone()];
        let [first, _, third] = entries.map(|entry| Lookup::Found(entry, Level::Shared));
        assert_eq!(self.cache.get_many(&asked).await, Ok(vec![third, Lookup::Absent, first]));
        assert_eq!(self.cache.remove(&key, Removal::EntryAndLease).await, Ok(()));
        assert_eq!(self.cache.put(&parts[1], &of(4), When::Fenced(token)).await, Ok(Stored::Fenced));
    }

    async fn an_entry_outlives_its_hard_life_by_a_second(&self) {
        let key = self.key("life");
        let short = Entry { life: Life::new(SHORT, Duration::ZERO), ..entry(1, None, self.clock.wall()) };
        assert_eq!(self.cache.put(&key, &short, When::Always).await, Ok(Stored::Stored));
        self.clock.sleep(SHORT).await;
        assert_eq!(self.cache.get(&key).await, found(short), "the policy judges ages, not the cache");
        let gone = async || self.cache.get(&key).await == Ok(Lookup::Absent);
        self.until("an entry past its life and a second is gone", gone).await;
    }

    async fn one_holder_at_a_time(&self) {
        let (key, mine, yours) = (self.key("holder"), Token(1), Token(u128::MAX));
        let lease = &self.lease;
        assert_eq!(lease.acquire(&key, mine, LONG).await, Ok(Acquired::Won));
        assert_eq!(lease.acquire(&key, yours, LONG).await, Ok(Acquired::Held));
        assert_eq!(lease.acquire(&key, mine, LONG).await, Ok(Acquired::Won), "idempotent by token: a lost reply");
        assert_eq!(lease.release(&key, yours).await, Ok(Released::NotOwner), "not mine to release");
        assert_eq!(lease.acquire(&key, yours, LONG).await, Ok(Acquired::Held), "and nothing was released");
        assert_eq!(lease.release(&key, mine).await, Ok(Released::Released));
        assert_eq!(lease.release(&key, mine).await, Ok(Released::NotOwner), "released once");
        assert_eq!(lease.acquire(&key, yours, LONG).await, Ok(Acquired::Won));
        let other = self.key("holder-other");
        assert_eq!(lease.acquire(&other, mine, LONG).await, Ok(Acquired::Won), "keys do not share a lease");
        assert_eq!(self.cache.get(&key).await, Ok(Lookup::Absent), "a lease is no entry");
        assert_eq!(self.seize.seize(&key).await, Ok(()));
        assert_eq!(lease.release(&key, yours).await, Ok(Released::NotOwner), "somebody deleted it");
        assert_eq!(lease.release(&other, mine).await, Ok(Released::Released));
    }

    async fn a_lease_ends_by_itself(&self) {
        let (key, first, second) = (self.key("ends"), Token(3), Token(4));
        assert_eq!(self.lease.acquire(&key, first, SHORT).await, Ok(Acquired::Won));
        let taken = async || self.lease.acquire(&key, second, LONG).await == Ok(Acquired::Won);
        self.until("a lease that ended can be taken", taken).await;
        assert_eq!(self.lease.renew(&key, first, LONG).await, Ok(Renewed::NotOwner));
        assert_eq!(self.lease.release(&key, first).await, Ok(Released::NotOwner));
        assert_eq!(self.lease.release(&key, second).await, Ok(Released::Released));
    }

    async fn renewal_starts_the_life_anew(&self) {
        let (key, mine, yours) = (self.key("renew"), Token(5), Token(6));
        assert_eq!(self.lease.acquire(&key, mine, SHORT).await, Ok(Acquired::Won));
        assert_eq!(self.lease.renew(&key, mine, LONG).await, Ok(Renewed::Renewed));
        self.clock.sleep(SHORT * 2).await;
        assert_eq!(self.lease.acquire(&key, yours, LONG).await, Ok(Acquired::Held), "renewed beyond its first life");
        assert_eq!(self.lease.renew(&key, yours, LONG).await, Ok(Renewed::NotOwner));
        assert_eq!(self.lease.release(&key, mine).await, Ok(Released::Released));
    }

    async fn a_fenced_put_needs_the_lease(&self) {
        let (key, mine, yours) = (self.key("fence"), Token(7), Token(8));
        let now = self.clock.wall();
        let fenced = |token| When::Fenced(token);
        let put = async |version, token| self.cache.put(&key, &entry(version, None, now), fenced(token)).await;
        assert_eq!(put(1, mine).await, Ok(Stored::Fenced), "nobody holds the key");
        assert_eq!(self.lease.acquire(&key, mine, LONG).await, Ok(Acquired::Won));
        assert_eq!(put(1, yours).await, Ok(Stored::Fenced), "somebody else holds the key");
        assert_eq!(self.cache.get(&key).await, Ok(Lookup::Absent));
        assert_eq!(put(1, mine).await, Ok(Stored::Stored));
        assert_eq!(self.lease.release(&key, mine).await, Ok(Released::Released));
        assert_eq!(put(2, mine).await, Ok(Stored::Fenced), "released before the put");
        assert_eq!(self.cache.get(&key).await, found(entry(1, None, now)));
    }

    async fn a_fenced_put_never_goes_back_a_version(&self) {
        let (key, token, now) = (self.key("version"), Token(9), self.clock.wall());
        assert_eq!(self.lease.acquire(&key, token, LONG).await, Ok(Acquired::Won));
        let put = async |version| self.cache.put(&key, &entry(version, None, now), When::Fenced(token)).await;
        // 255 → 256 and 2^32 are where a comparison of the wrong bytes, or as numbers in Lua, goes wrong.
        for version in [1, 255, 256, 1 << 32, u64::MAX - 1, u64::MAX] {
            assert_eq!(put(version).await, Ok(Stored::Stored), "version {version}");
        }
        assert_eq!(put(u64::MAX).await, Ok(Stored::Stored), "the same version again is harmless");
        for version in [u64::MAX - 1, 1 << 40, 256, 0] {
            assert_eq!(put(version).await, Ok(Stored::Fenced), "version {version}");
        }
        assert_eq!(self.cache.get(&key).await, found(entry(u64::MAX, None, now)));
        assert_eq!(self.lease.release(&key, token).await, Ok(Released::Released));
    }

    async fn a_removal_may_take_the_lease_with_it(&self) {
        let (key, first, second) = (self.key("removed"), Token(31), Token(32));
        let old = entry(1, Some(Bytes::from_static(b"old")), self.clock.wall());
        for (what, stored) in [(Removal::Entry, Stored::Stored), (Removal::EntryAndLease, Stored::Fenced)] {
            assert_eq!(self.lease.acquire(&key, first, LONG).await, Ok(Acquired::Won));
            assert_eq!(self.cache.put(&key, &old, When::Fenced(first)).await, Ok(Stored::Stored));
            assert_eq!(self.cache.remove(&key, what).await, Ok(()));
            assert_eq!(self.cache.get(&key).await, Ok(Lookup::Absent), "{what:?}");
            assert_eq!(self.cache.put(&key, &old, When::Fenced(first)).await, Ok(stored), "{what:?}");
        }
        assert_eq!(self.lease.renew(&key, first, LONG).await, Ok(Renewed::NotOwner));
        assert_eq!(self.lease.acquire(&key, second, LONG).await, Ok(Acquired::Won), "it is anybody's");
    }

    async fn a_put_without_a_lease_may_be_kept_from_going_back_a_version(&self) {
        let (key, token, now) = (self.key("not-older"), Token(10), self.clock.wall());
        let put = async |version| self.cache.put(&key, &entry(version, None, now), When::NotOlder).await;
        assert_eq!(self.lease.acquire(&key, token, LONG).await, Ok(Acquired::Won), "the holder asks again");
        for version in [255, 256, 256, 1 << 32] {
            assert_eq!(put(version).await, Ok(Stored::Stored), "version {version}");
        }
        for version in [(1 << 32) - 1, 256, 0] {
            assert_eq!(put(version).await, Ok(Stored::Fenced), "version {version}");
        }
        assert_eq!(self.cache.get(&key).await, found(entry(1 << 32, None, now)));
        assert_eq!(self.lease.release(&key, token).await, Ok(Released::Released));
    }

    async fn a_listener_hears_the_next_message_about_its_key(&self) {
        let (key, other) = (self.key("wake"), self.key("wake-other"));
        let heard = async |message: Option<Message>, within: Duration| {
            let Some(message) = message else { return false };
            let deadline = self.clock.mono().plus(within);
            crate::kit::within::within(&*self.clock, deadline, message).await.is_some()
        };
        let (one, two, elsewhere) =
            (self.wake.listen(&key).await, self.wake.listen(&key).await, self.wake.listen(&other).await);
        assert!(self.wake.announce(&key).await, "the message is taken");
        assert!(heard(one, LONG).await && heard(two, LONG).await, "everybody who listens hears it");
        assert!(!heard(elsewhere, SHORT).await, "and nobody who listens for another key");
        // A message may arrive late and wake somebody who listens since: he looks, and listens again.
        drop(self.wake.listen(&key).await);
        self.wake.announce(&key).await;
    }
}

impl CacheSubject {
    async fn a_subscriber_hears_every_message_in_order(&self) {
        let (one, two) = (self.key("told-1"), self.key("told-2"));
        let subscribe = async || self.wake.subscribe().await.unwrap_or_else(|| panic!("it lets subscribers in"));
        let next = async |messages: &mut Messages| {
            let deadline = self.clock.mono().plus(LONG);
            let next = Box::pin(futures_util::StreamExt::next(messages));
            crate::kit::within::within(&*self.clock, deadline, next).await.flatten()
        };
        let mut first = subscribe().await;
        for key in [&one, &two, &one] {
            assert!(self.wake.announce(key).await, "the message is taken");
        }
        // What was said before it subscribed may still be on its way.
        let mut heard = Vec::new();
        while heard.len() < 3 {
            match next(&mut first).await {
                Some(Heard::About(key)) if key == one || key == two => heard.push(key),
                Some(_) => {}
                None => panic!("a message in time"),
            }
        }
        assert_eq!(heard, [one.clone(), two.clone(), one], "every message, in order");
        let mut second = subscribe().await;
        assert!(self.wake.announce(&two).await);
        for messages in [&mut first, &mut second] {
            assert_eq!(next(messages).await, Some(Heard::About(two.clone())), "every subscriber");
        }
    }
}

impl CacheSubject {
    async fn a_hearer_hears_of_every_change(&self, bus: Bus) {
        let keys = [self.key("changed-1"), self.key("changed-2")];
        let mut heard = None;
        while heard.is_none() {
            heard = self.invalidations.hear(bus).await;
        }
        let mut messages = heard.unwrap_or_else(|| panic!("it lets hearers in"));
        for (version, key) in [1, 2, 3].into_iter().flat_map(|version| keys.iter().map(move |key| (version, key))) {
            // The default way of tracking tells of what was read, and once.
            assert!(self.invalidations.tracked(key).await.is_ok(), "{bus:?}");
            let what = match version {
                3 => self.cache.remove(key, Removal::Entry).await.map(|()| Stored::Stored),
                _ => self.cache.put(key, &entry(version, None, self.clock.wall()), When::Always).await,
            };
            assert_eq!(what, Ok(Stored::Stored));
            if bus.is_told_by_writers() {
                assert_eq!(self.invalidations.tell(bus, key).await, Ok(()), "{bus:?}");
            }
            let deadline = self.clock.mono().plus(LONG);
            let next = Box::pin(futures_util::StreamExt::next(&mut messages));
            let next = crate::kit::within::within(&*self.clock, deadline, next).await.flatten();
            assert_eq!(next, Some(Heard::About(key.clone())), "{bus:?}: version {version}");
        }
    }
}

/// What any origin must do: reads and writes of its items, of which `missing` is none.
#[derive(Clone)]
pub struct OriginSubject {
    /// The origin.
    pub origin: Arc<dyn Origin>,
    /// The clock of deadlines.
    pub clock: Arc<dyn Clock>,
    /// Two items that it has.
    pub items: [Key; 2],
    /// One that it has not.
    pub missing: Key,
}

impl OriginSubject {
    /// Everything that is asked of an origin, in order.
    pub async fn check_all(&self) {
        let [one, other] = &self.items;
        let (first, untouched) = (self.version(one).await, self.version(other).await);
        let mut newest = first;
        for _ in 0..3 {
            let written = self.store(one).await;
            assert!(written.version > newest, "{written:?} comes after {newest}");
            newest = written.version;
            let read = self.load(one).await;
            assert_eq!((read.version, read.value), (newest, written.value), "a read that begins afterwards finds it");
        }
        assert_eq!(self.version(other).await, untouched, "another item is left alone");
        assert_eq!(self.store(&self.missing).await.value, None, "what is not there cannot be written");
        assert_eq!(self.load(&self.missing).await.value, None);
    }

    fn cx(&self) -> LoadCx {
        let flight = FlightId { incarnation: 1, number: 1 };
        LoadCx { flight, replica: 0, deadline: self.clock.mono().plus(LONG) }
    }

    async fn load(&self, key: &Key) -> Loaded {
        self.origin.load(key, self.cx()).await.unwrap_or_else(|error| panic!("{key}: {error}"))
    }

    async fn version(&self, key: &Key) -> u64 {
        self.load(key).await.version
    }

    async fn store(&self, key: &Key) -> Loaded {
        self.origin.store(key, self.cx()).await.unwrap_or_else(|error| panic!("{key}: {error}"))
    }
}

/// What a shared cache says that has an entry.
fn found(entry: Entry) -> Result<Lookup, CacheError> {
    Ok(Lookup::Found(entry, Level::Shared))
}

fn entry(version: u64, value: Option<Bytes>, now: Wall) -> Entry {
    Entry {
        value,
        version,
        read_at: Wall(now.0 - 200_000_000),
        stored_at: now,
        life: Life::new(LONG, LONG),
        delta: Duration::from_millis(200),
    }
}
