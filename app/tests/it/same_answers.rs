//! The memory cache against a real Redis, alone, as a cluster and under Sentinel: random commands, the same answers. The simulator stands on
//! this.

use std::sync::Arc;
use std::time::Duration;

use app::cache::cache_source::{CachePorts, CacheSource};
use app::cache::redis_cache::{ClusterHand, RedisAddress, RedisSource, SlotsToMove};
use app::process::runtime::RealClock;
use app::testing;
use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sim::MemoryCache;
use strategies::counter::slot_of;
use strategies::port::{CounterCommand, Removal, Token, When};
use strategies::time::Wall;
use strategies::{Entry, Key, Life};

/// Sequences, and commands in each: 100 000 commands in all.
const SEQUENCES: u32 = 500;
const COMMANDS: usize = 200;
/// How often a sequence is begun anew that a busy machine made too slow for the cache's time-out.
const ATTEMPTS: u32 = 5;
/// How often a slot moves meanwhile: at the beginning, while it has few keys. Later a script of two keys would meet TRYAGAIN for too long.
const MOVES: usize = 60;
/// Nothing ends by its time here: that is tried in `strategies::conformance`, on a clock.
const HOUR: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone)]
enum Command {
    Get(u32),
    Put(u32, Entry, When),
    Remove(u32),
    Acquire(u32, u128),
    Renew(u32, u128),
    Release(u32, u128),
    Seize(u32),
    Count(u32, CounterCommand),
    Look(u32),
}

/// Everything but INCREX, which not every Redis has.
fn counter_command() -> impl Strategy<Value = CounterCommand> {
    let by = 1..4_i64;
    prop_oneof![
        Just(CounterCommand::Read),
        by.clone().prop_map(|value| CounterCommand::Set(value, HOUR)),
        by.clone().prop_map(|value| CounterCommand::SetNew(value, HOUR)),
        by.clone().prop_map(CounterCommand::Add),
        Just(CounterCommand::Expire(HOUR)),
        by.clone().prop_map(|by| CounterCommand::Transaction(by, HOUR)),
        (by, any::<bool>()).prop_map(|(by, repair)| CounterCommand::Script { by, life: HOUR, repair }),
    ]
}

/// Few keys, tokens and versions, so that they meet.
fn command() -> impl Strategy<Value = Command> {
    let (key, token) = (1..4_u32, 1..4_u128);
    let value = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..1500));
    let stamps = (0..u64::MAX / 4, 0..u64::MAX / 4, 0..1_000_000_000_u64);
    let entry = (value, 0..5_u64, stamps).prop_map(|(value, version, (read_at, stored_at, delta))| Entry {
        value: value.map(Bytes::from),
        version,
        read_at: Wall(read_at),
        stored_at: Wall(stored_at),
        life: Life::new(HOUR, Duration::from_nanos(delta)),
        delta: Duration::from_nanos(delta),
    });
    let fenced = token.clone().prop_map(|token| When::Fenced(Token(token)));
    let when = prop_oneof![Just(When::Always), Just(When::NotOlder), fenced];
    prop_oneof![
        4 => key.clone().prop_map(Command::Get),
        4 => (key.clone(), entry, when).prop_map(|(k, e, w)| Command::Put(k, e, w)),
        1 => key.clone().prop_map(Command::Remove),
        3 => (key.clone(), token.clone()).prop_map(|(k, t)| Command::Acquire(k, t)),
        1 => (key.clone(), token.clone()).prop_map(|(k, t)| Command::Renew(k, t)),
        2 => (key.clone(), token).prop_map(|(k, t)| Command::Release(k, t)),
        1 => key.clone().prop_map(Command::Seize),
        3 => (key.clone(), counter_command()).prop_map(|(k, c)| Command::Count(k, c)),
        1 => key.prop_map(Command::Look),
    ]
}

/// A cache's answer to a command, in words that can be compared.
async fn ask(ports: &CachePorts, command: &Command) -> String {
    let key = |number: &u32| Key::of_item(*number);
    match command {
        Command::Get(k) => format!("{:?}", ports.cache.get(&key(k)).await),
        Command::Put(k, entry, when) => format!("{:?}", ports.cache.put(&key(k), entry, *when).await),
        Command::Remove(k) => format!("{:?}", ports.cache.remove(&key(k), Removal::Entry).await),
        Command::Acquire(k, token) => format!("{:?}", ports.lease.acquire(&key(k), Token(*token), HOUR).await),
        Command::Renew(k, token) => format!("{:?}", ports.lease.renew(&key(k), Token(*token), HOUR).await),
        Command::Release(k, token) => format!("{:?}", ports.lease.release(&key(k), Token(*token)).await),
        Command::Seize(k) => format!("{:?}", ports.seize.seize(&key(k)).await),
        Command::Count(k, command) => format!("{:?}", ports.counters.command(&key(k), *command).await),
        // How long it still lives is the clock's.
        Command::Look(k) => {
            let held = ports.counters.look(&key(k)).await;
            format!("{:?}", held.map(|held| held.map(|held| (held.value, held.left.is_some()))))
        }
    }
}

#[test]
fn memory_and_redis_answer_a_hundred_thousand_random_commands_alike() {
    let Some(redis) = testing::redis(&[]) else { return };
    answers_alike(redis.url().into());
}

#[test]
fn memory_and_a_primary_under_sentinel_answer_a_hundred_thousand_random_commands_alike() {
    let Some(sentinel) = testing::sentinel() else { return };
    answers_alike(sentinel.address());
}

/// Also while the slots of its keys move from one node to another and back.
#[test]
fn memory_and_a_cluster_answer_a_hundred_thousand_random_commands_alike() {
    let Some(cluster) = testing::cluster() else { return };
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let hand = ClusterHand::new(&cluster.address()).unwrap();
                for item in ["1", "2", "3"].iter().cycle().take(MOVES) {
                    let slots = hand.plan(SlotsToMove::One(slot_of(item))).await.unwrap();
                    hand.move_by_key(&slots).await.unwrap();
                }
            });
        });
        answers_alike(cluster.address());
    });
}

fn answers_alike(at: RedisAddress) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let source = runtime.block_on(async { RedisSource::new(at).unwrap() });
    let config = Config { cases: SEQUENCES, failure_persistence: None, ..Config::default() };
    let namespace = std::cell::Cell::new(0_u32);
    let sequences = proptest::collection::vec(command(), COMMANDS);
    let asked = std::cell::Cell::new(0_usize);
    let outcome = TestRunner::new(config).run(&sequences, |commands| {
        runtime.block_on(async {
            // Whether a command was carried out that took Redis too long (a busy machine's doing) nobody knows: the sequence
            // begins anew, in a namespace of its own.
            for _ in 0..ATTEMPTS {
                namespace.set(namespace.get() + 1);
                let memory = Arc::new(MemoryCache::new(Arc::new(RealClock::start())));
                let memory = CachePorts {
                    cache: memory.clone(),
                    aside: memory.clone(),
                    lease: memory.clone(),
                    connections: strategies::port::NoConnections::over(memory.clone()),
                    wake: memory.clone(),
                    invalidations: memory.clone(),
                    counters: memory.clone(),
                    traffic: None,
                    seize: memory,
                };
                let redis = source.open(&format!("run:{}", namespace.get()));
                let mut slow = false;
                for (at, command) in commands.iter().enumerate() {
                    let (here, there) = (ask(&memory, command).await, ask(&redis, command).await);
                    // Of a script's two keys one had moved and the other had not, for too long: it was not carried out.
                    slow = there.contains("class: Slow") || there.contains("TRYAGAIN");
                    if slow {
                        break;
                    }
                    prop_assert_eq!(here, there, "command {} of {:?}", at, &commands[..=at]);
                }
                if !slow {
                    asked.set(asked.get() + commands.len());
                    return Ok(());
                }
            }
            Err(TestCaseError::fail(format!("Redis was too slow {ATTEMPTS} times running")))
        })
    });
    outcome.unwrap_or_else(|why| panic!("memory (left) and Redis (right) differ: {why}"));
    assert!(asked.get() >= 100_000, "{} commands", asked.get());
}
