//! The adapter on a cluster of three primaries with a replica each: the contract of every cache, what it can't, and redirections.

use std::sync::Arc;

use app::cache::cache_source::{CachePorts, CacheSource};
use app::cache::redis_cache::{RedisAddress, RedisSource};
use app::process::runtime::RealClock;
use app::testing;
use strategies::conformance::CacheSubject;
use strategies::counter::conformance::CounterSubject;
use strategies::port::Bus;

#[tokio::test]
async fn a_cluster_keeps_the_contracts_of_caches_and_counters() {
    let Some(cluster) = testing::cluster() else { return };
    let source = RedisSource::new(cluster.address()).unwrap();
    let server = source.status().await.unwrap().server;
    assert!(server.ends_with(", a cluster of 3 primaries"), "{server}");
    assert!(!source.can_of(&server).one_place);
    let CachePorts { cache, lease, wake, invalidations, seize, counters, .. } = source.open("run:strategy");
    let clock = Arc::new(RealClock::start());
    let subject =
        CacheSubject { cache, lease, wake, invalidations, seize, clock: clock.clone(), prefix: "contract".into() };
    subject.check_all_over(&[Bus::PubSub]).await;
    CounterSubject { counters, clock, prefix: "contract".into(), increx: false }.check_all().await;
    let ready = source.preflight("run:preflight", vec![Bus::PubSub]).await;
    assert!(ready.is_ok(), "{ready:?}");
}

#[tokio::test]
async fn one_node_of_a_cluster_is_enough_to_find_the_others() {
    let Some(cluster) = testing::cluster() else { return };
    let all = cluster.address();
    // The second is nobody's; a node that is gone must not keep the others from being found.
    let some = RedisAddress { others: vec!["redis://127.0.0.1:1".into()], ..all };
    let source = RedisSource::new(some).unwrap();
    let ready = source.preflight("run:preflight", Vec::new()).await;
    assert!(ready.is_ok(), "{ready:?}");
}
