//! Troubles that no scenario's event names, tried through the same parts: a reply lost after its effect, a path cut one way,
//! a full cache, a fail-over to a past state, wrong clocks.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sim::{CachePort, CacheServer, Link, LinkLatency, MemoryCache, SimConnections, World};

use futures_util::{FutureExt as _, StreamExt as _};
use strategies::port::{
    Acquired, Cache, CacheErrorClass, Clock, ConnectionLimits, Connections, Heard, Lease, Lookup, ReadFrom, Stored,
    Token, Wake, When,
};
use strategies::rng::Rng;
use strategies::time::{Mono, Wall};
use strategies::{Entry, Key, Life};

const MS: Duration = Duration::from_millis(1);
const LIFE: Duration = Duration::from_secs(10);

/// A cache and a replica's connection to it, 100 µs away.
struct Lab {
    world: World,
    server: Arc<CacheServer>,
    link: Arc<Link>,
    port: Arc<CachePort>,
    key: Key,
}

impl Lab {
    fn new() -> Self {
        Self::of(World::new())
    }

    fn of(world: World) -> Self {
        let server = CacheServer::new(world.handle(), MemoryCache::new(world.clock(0)));
        let link = Arc::new(Link::new(LinkLatency::micros(100, 0), &Rng::new(1)));
        let port = CachePort::new(&server, 0, Arc::clone(&link), Arc::clone(&link));
        Self { world, server, link, port, key: Key::of_item(1) }
    }

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.world.run(work).unwrap()
    }

    fn now(&self) -> Mono {
        self.world.handle().now()
    }

    fn entry(&self, version: u64) -> Entry {
        let now = self.world.clock(0).wall();
        let value = Some(Bytes::from_static(b"v"));
        Entry { value, version, read_at: now, stored_at: now, life: Life::new(LIFE, Duration::ZERO), delta: MS }
    }

    fn version(&self) -> Option<u64> {
        match self.run(self.port.get(&self.key)).unwrap() {
            Lookup::Found(entry, _) => Some(entry.version),
            _ => None,
        }
    }
}

#[test]
fn an_operation_takes_a_round_trip() {
    let lab = Lab::new();
    assert_eq!(lab.version(), None);
    assert_eq!(lab.now(), Mono(200_000));
    assert_eq!(lab.run(lab.port.put(&lab.key, &lab.entry(1), When::Always)), Ok(Stored::Stored));
    assert_eq!(lab.now(), Mono(400_000));
    assert_eq!(lab.version(), Some(1));
}

#[test]
fn a_replica_of_the_server_hears_of_a_write_a_moment_later() {
    let lab = Lab::new();
    let replica = SimConnections(Arc::clone(&lab.port)).shared(ConnectionLimits::USUAL, ReadFrom::Replicas).cache;
    let (world, entry) = (lab.world.handle(), lab.entry(1));
    // The write is there after 100 µs; the first read comes to the replica 10 µs later, the second 40 µs.
    let (put, reads) = lab.run(async {
        let reads = [10, 40].map(async |wait| {
            world.sleep_until(Mono(wait * 1000)).await;
            replica.get(&lab.key).await
        });
        let reads = futures_util::future::join_all(reads);
        futures_util::future::join(lab.port.put(&lab.key, &entry, When::Always), reads).await
    });
    assert_eq!(put, Ok(Stored::Stored));
    assert_eq!((reads[0].clone(), lab.now()), (Ok(Lookup::Absent), Mono(240_000)));
    assert!(matches!(reads[1], Ok(Lookup::Found(..))), "{reads:?}");
}

#[test]
fn a_reply_is_lost_after_its_effect_and_acquiring_again_shows_it() {
    let lab = Lab::new();
    lab.port.lose_replies(1);
    let acquire = || lab.run(lab.port.acquire(&lab.key, Token(7), LIFE));
    assert_eq!(acquire().unwrap_err().class, CacheErrorClass::Slow);
    assert_eq!(lab.now(), Mono(100_000_000), "the operation's budget");
    assert_eq!(lab.server.holder(&lab.key), Some(0), "it took effect");
    assert_eq!(acquire(), Ok(Acquired::Won), "the same token owns it");
    assert_eq!(lab.run(lab.port.acquire(&lab.key, Token(8), LIFE)), Ok(Acquired::Held));
}

#[test]
fn a_path_is_cut_one_way() {
    let lab = Lab::new();
    let entry = lab.entry(1);
    lab.link.back.cut(Mono(50_000_000));
    assert_eq!(lab.run(lab.port.put(&lab.key, &entry, When::Always)).unwrap_err().class, CacheErrorClass::Slow);
    assert_eq!(lab.version(), Some(1), "the command arrived, its reply did not");
    lab.link.there.cut(lab.now().plus(50 * MS));
    let newer = lab.entry(2);
    assert_eq!(lab.run(lab.port.put(&lab.key, &newer, When::Always)).unwrap_err().class, CacheErrorClass::Slow);
    assert_eq!(lab.version(), Some(1), "the command never arrived");
}

#[test]
fn who_gives_up_leaves_his_write_behind() {
    let lab = Lab::new();
    lab.server.pause(150 * MS);
    let entry = lab.entry(1);
    assert_eq!(lab.run(lab.port.put(&lab.key, &entry, When::Always)).unwrap_err().class, CacheErrorClass::Slow);
    lab.run(lab.world.sleep(60 * MS));
    assert_eq!(lab.version(), Some(1));
    // And so does who dies: a dropped future is a crash between the command and its reply.
    let newer = lab.entry(2);
    let put = lab.port.put(&lab.key, &newer, When::Always);
    lab.run(futures_util::future::select(put, lab.world.sleep(MS / 20)));
    lab.run(lab.world.sleep(MS));
    assert_eq!(lab.version(), Some(2));
}

#[test]
fn what_came_while_it_stood_still_is_carried_out_in_the_order_in_which_it_came() {
    // A world that chooses among those who are ready at the same instant.
    let lab = Lab::of(World::seeded(7));
    lab.server.pause(Duration::from_secs(3));
    for version in 1..=20 {
        let put = lab.run(lab.port.put(&lab.key, &lab.entry(version), When::Always));
        assert_eq!(put.unwrap_err().class, CacheErrorClass::Slow);
    }
    lab.run(lab.world.sleep(Duration::from_secs(2)));
    assert_eq!(lab.version(), Some(20), "the last one to come is the last one to be carried out");
    // And who comes after it does not overtake those who wait.
    lab.server.pause(50 * MS);
    let (first, second) = (lab.entry(21), lab.entry(22));
    let late = async {
        lab.world.sleep(50 * MS).await;
        lab.port.put(&lab.key, &second, When::Always).await
    };
    let both = futures_util::future::join(lab.port.put(&lab.key, &first, When::Always), late);
    assert_eq!(lab.run(both), (Ok(Stored::Stored), Ok(Stored::Stored)));
    assert_eq!(lab.version(), Some(22));
}

#[test]
fn a_full_cache_reads_and_lets_go_and_takes_nothing_in() {
    let lab = Lab::new();
    lab.run(lab.port.put(&lab.key, &lab.entry(1), When::Always)).unwrap();
    lab.run(lab.port.acquire(&lab.key, Token(1), LIFE)).unwrap();
    lab.server.refuse_writes(Duration::from_secs(1));
    let newer = lab.entry(2);
    let class = |error: strategies::port::CacheError| error.class;
    assert_eq!(lab.run(lab.port.put(&lab.key, &newer, When::Always)).map_err(class), Err(CacheErrorClass::Full));
    assert_eq!(lab.run(lab.port.acquire(&Key::of_item(2), Token(1), LIFE)).map_err(class), Err(CacheErrorClass::Full));
    assert_eq!(lab.version(), Some(1));
    assert!(lab.run(lab.port.release(&lab.key, Token(1))).is_ok());
    assert!(lab.run(lab.port.remove(&lab.key, strategies::port::Removal::Entry)).is_ok());
    lab.run(lab.world.sleep(Duration::from_secs(1)));
    assert!(lab.run(lab.port.put(&lab.key, &newer, When::Always)).is_ok());
}

#[test]
fn a_fail_over_brings_a_past_state_back_locks_included() {
    let lab = Lab::new();
    lab.run(lab.port.put(&lab.key, &lab.entry(1), When::Always)).unwrap();
    let past = lab.server.memory().snapshot();
    lab.run(lab.port.acquire(&lab.key, Token(1), LIFE)).unwrap();
    lab.run(lab.port.put(&lab.key, &lab.entry(2), When::Fenced(Token(1)))).unwrap();
    lab.server.fail_over(&past);
    assert_eq!(lab.version(), Some(1), "an acknowledged write is gone");
    assert_eq!(
        lab.run(lab.port.acquire(&lab.key, Token(2), LIFE)),
        Ok(Acquired::Won),
        "and so is a lock that was held"
    );
    let late = lab.entry(3);
    assert_eq!(lab.run(lab.port.put(&lab.key, &late, When::Fenced(Token(1)))), Ok(Stored::Fenced));
}

#[test]
fn a_message_reaches_every_replica_but_one_that_is_cut_off() {
    let lab = Lab::new();
    let link = Arc::new(Link::new(LinkLatency::micros(100, 0), &Rng::new(2)));
    let other = CachePort::new(&lab.server, 1, Arc::clone(&link), Arc::clone(&link));
    let heard = |port: &Arc<CachePort>| {
        let message = lab.run(port.listen(&lab.key)).unwrap();
        let told = std::rc::Rc::new(std::cell::Cell::new(false));
        let tell = std::rc::Rc::clone(&told);
        lab.world.handle().spawn(9, async move {
            message.await;
            tell.set(true);
        });
        told
    };
    let (one, two) = (heard(&lab.port), heard(&other));
    link.back.cut(Mono(1_000_000_000));
    lab.run(lab.port.announce(&lab.key));
    lab.run(lab.world.sleep(MS));
    assert_eq!((one.get(), two.get()), (true, false));
}

#[test]
fn a_wrong_clock_makes_an_entry_older_or_younger_than_it_is() {
    let world = World::new();
    let clock = world.clock(0);
    let (now, life) = (clock.wall(), Life::new(Duration::from_secs(5), Duration::ZERO));
    let entry = Entry { value: None, version: 1, read_at: now, stored_at: now, life, delta: MS };
    world.run(world.sleep(Duration::from_secs(4)));
    assert_eq!(entry.ttl_left(clock.wall()), 1_000_000_000);
    clock.jump(2_000_000_000);
    assert_eq!(entry.ttl_left(clock.wall()), -1_000_000_000, "a clock ahead ends entries early");
    clock.jump(-10_000_000_000);
    assert_eq!(entry.age(clock.wall()), Duration::ZERO, "a clock behind sees stamps from the future");
    assert!(clock.wall() > Wall(0));
}

#[test]
fn a_subscriber_behind_a_cut_is_told_of_the_loss_before_the_next_message() {
    let lab = Lab::new();
    let mut messages = lab.run(lab.port.subscribe()).unwrap();
    let link = Arc::new(Link::new(LinkLatency::micros(100, 0), &Rng::new(2)));
    let (teller, other) = (CachePort::new(&lab.server, 1, Arc::clone(&link), link), Key::of_item(2));
    lab.link.cut(lab.now().plus(MS));
    assert!(lab.run(teller.announce(&lab.key)));
    lab.run(lab.world.clock(0).sleep(MS * 2));
    assert!(lab.run(teller.announce(&other)));
    lab.run(lab.world.clock(0).sleep(MS));
    let heard: Vec<Heard> = std::iter::from_fn(|| messages.next().now_or_never().flatten()).collect();
    assert_eq!(heard, [Heard::Lost, Heard::About(other)]);
}
