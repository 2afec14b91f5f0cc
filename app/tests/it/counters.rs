//! Counters on a real Redis: the contract of every server of counters, where they lie, and what a version does not know.

use std::sync::Arc;
use std::time::Duration;

use app::cache::cache_source::CacheSource;
use app::cache::redis_cache::{RedisCache, RedisConnection, RedisSource};
use app::process::runtime::{CountedSpawn, RealClock};
use app::testing;
use strategies::Key;
use strategies::counter::conformance::CounterSubject;
use strategies::counter::{CounterPorts, CounterSpec, CounterStack, slot_of};
use strategies::port::{CounterCommand, CounterServer, Event, EventSink};
use strategies::rng::Rng;

use crate::common::eventually;

fn subject(counters: Arc<dyn CounterServer>, increx: bool) -> CounterSubject {
    CounterSubject { counters, clock: Arc::new(RealClock::start()), prefix: "contract".into(), increx }
}

fn over<C: RedisConnection>(connection: C) -> CounterSubject {
    subject(Arc::new(RedisCache::new(connection, "run:strategy")), false)
}

#[tokio::test]
async fn counters_in_redis_keep_the_contract_over_the_labs_connection_and_any_other() {
    let Some(redis) = testing::redis(&[]) else { return };
    let source = RedisSource::new(redis.url()).unwrap();
    let server = source.status().await.unwrap().server;
    let increx = source.can_of(&server).increx;
    subject(source.open("run:own").counters, increx).check_all().await;
    let client = redis::Client::open(redis.url()).unwrap();
    over(client.get_multiplexed_async_connection().await.unwrap()).check_all().await;
}

/// A cluster of one node that has every slot: it refuses a transaction or a script whose keys are of two.
#[tokio::test]
async fn counters_keep_the_contract_over_a_connection_to_a_cluster_and_lie_in_the_slot_of_their_key() {
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let (port, bus) = (free(), free());
    let clustered = ["--cluster-enabled", "yes", "--port", &port, "--cluster-port", &bus, "--bind", "127.0.0.1"];
    let Some(redis) = testing::redis(&clustered) else { return };
    let mut one = redis::Client::open(redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let mut cluster = redis::cmd("CLUSTER");
    let () = cluster.arg("ADDSLOTSRANGE").arg(0).arg(16_383).query_async(&mut one).await.unwrap();
    eventually("the cluster is up", async || {
        let info: redis::RedisResult<String> = redis::cmd("CLUSTER").arg("INFO").query_async(&mut one.clone()).await;
        info.is_ok_and(|info| info.contains("cluster_state:ok"))
    })
    .await;
    let client = redis::cluster::ClusterClient::new([format!("redis://127.0.0.1:{port}")]).unwrap();
    over(client.get_async_connection().await.unwrap()).check_all().await;
    for text in ["1", "7:3", "7:12.4"] {
        let key = format!("lab:run:strategy:{{{text}}}:c");
        let slot: u16 = redis::cmd("CLUSTER").arg("KEYSLOT").arg(key).query_async(&mut one).await.unwrap();
        assert_eq!(slot, slot_of(text));
    }
}

struct Silent;

impl EventSink for Silent {
    fn emit(&self, _: Event) {}
}

#[tokio::test]
async fn increx_is_refused_with_the_version_of_a_server_that_does_not_know_it() {
    let Some(redis) = testing::redis(&[]) else { return };
    let source = RedisSource::new(redis.url()).unwrap();
    let server = source.status().await.unwrap().server;
    let ports = CounterPorts {
        counters: source.open("run:strategy").counters,
        can: source.can_of(&server),
        server: server.clone(),
        clock: Arc::new(RealClock::start()),
        spawn: Arc::new(CountedSpawn::default()),
        events: Arc::new(Silent),
        rng: Arc::new(Rng::new(1)),
    };
    let key = Key::of_item(1);
    let asked = ports.counters.command(&key, CounterCommand::Increx(1, Duration::from_secs(60))).await;
    let built = CounterStack::build(&CounterSpec::parse("increx").unwrap(), &ports, Duration::from_secs(60));
    assert_eq!(built.is_ok(), asked.is_ok(), "what the version promises is what the server does: {asked:?}");
    if let Err(unable) = built {
        let said = unable.to_string();
        let wanted = "increx needs the command INCREX (Redis 8.8 and later), and this cache is redis ";
        assert!(said.contains(wanted) && said.contains(&server), "{said}");
    }
}
