//! The memory cache and the simulated cache and origin against the contracts of every cache and origin, in virtual time.

use std::sync::Arc;
use std::time::Duration;

use scenarios::{Law, OriginModel};
use sim::{CachePort, CacheServer, Link, LinkLatency, MemoryCache, OriginPort, SimConnections, SimOrigin, World};
use strategies::Key;
use strategies::conformance::{CacheSubject, OriginSubject};
use strategies::counter::conformance::CounterSubject;
use strategies::pool_conformance::ConnectionsSubject;
use strategies::port::NoConnections;
use strategies::rng::Rng;

#[test]
fn the_memory_cache_keeps_the_contract() {
    let world = World::new();
    let clock = world.clock(0);
    let memory = Arc::new(MemoryCache::new(clock.clone()));
    let (cache, lease, wake) = (memory.clone(), memory.clone(), memory.clone());
    let invalidations = memory.clone();
    let subject = CacheSubject { cache, lease, wake, invalidations, seize: memory, clock, prefix: "contract".into() };
    assert_eq!(world.run(subject.check_all()), Some(()));
}

fn link() -> Arc<Link> {
    Arc::new(Link::new(LinkLatency::micros(100, 50), &Rng::new(1)))
}

#[test]
fn a_replicas_connection_to_the_simulated_cache_keeps_the_contract() {
    let world = World::new();
    let server = CacheServer::new(world.handle(), MemoryCache::new(world.clock(0)));
    let port = CachePort::new(&server, 0, link(), link());
    let (cache, lease, wake, seize) = (port.clone(), port.clone(), port.clone(), port);
    let invalidations = seize.clone();
    let subject =
        CacheSubject { cache, lease, wake, invalidations, seize, clock: world.clock(0), prefix: "contract".into() };
    assert_eq!(world.run(subject.check_all()), Some(()));
}

#[test]
fn connections_to_memory_and_to_the_simulated_cache_keep_the_contract() {
    let world = World::new();
    let clock = world.clock(0);
    let connections = NoConnections::over(Arc::new(MemoryCache::new(clock.clone())));
    let subject = ConnectionsSubject { connections, clock, prefix: "contract".into() };
    assert_eq!(world.run(subject.check_all()), Some(()));
    let world = World::new();
    let server = CacheServer::new(world.handle(), MemoryCache::new(world.clock(0)));
    let connections = Arc::new(SimConnections(CachePort::new(&server, 0, link(), link())));
    let subject = ConnectionsSubject { connections, clock: world.clock(0), prefix: "contract".into() };
    assert_eq!(world.run(subject.check_all()), Some(()));
}

#[test]
fn counters_in_memory_and_in_the_simulated_cache_keep_the_contract() {
    let world = World::new();
    let clock = world.clock(0);
    let memory = Arc::new(MemoryCache::new(clock.clone()));
    let subject = CounterSubject { counters: memory, clock, prefix: "contract".into(), increx: true };
    assert_eq!(world.run(subject.check_all()), Some(()));
    let world = World::new();
    let server = CacheServer::new(world.handle(), MemoryCache::new(world.clock(0)));
    let counters = CachePort::new(&server, 0, link(), link());
    let subject = CounterSubject { counters, clock: world.clock(0), prefix: "contract".into(), increx: true };
    assert_eq!(world.run(subject.check_all()), Some(()));
}

#[test]
fn the_simulated_origin_keeps_the_contract() {
    let world = World::new();
    let service_time = Law::Constant(Duration::from_millis(1));
    let model = OriginModel {
        service_time,
        write_time: None,
        concurrency: 1,
        queue: 1,
        write_every: Some(Duration::from_secs(3600)),
    };
    let origin = OriginPort::new(&SimOrigin::new(world.handle(), &model, 2, 1), world.clock(0), link());
    let (items, missing) = ([1, 2].map(Key::of_item), Key::of_item(3));
    let subject = OriginSubject { origin, clock: world.clock(0), items, missing };
    assert_eq!(world.run(subject.check_all()), Some(()));
}
