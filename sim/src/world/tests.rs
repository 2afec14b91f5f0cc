//! What the executor promises, tried on small worlds.

use std::sync::{Arc, Mutex};

use strategies::port::Clock;
use strategies::time::{Mono, Wall};

use super::*;

#[test]
fn sleeps_end_in_the_order_of_time_then_of_asking() {
    let world = World::new();
    let order = Arc::new(Mutex::new(Vec::new()));
    for micros in [900_u64, 100, 500, 300, 100] {
        let (clock, order) = (world.clock(0), Arc::clone(&order));
        world.spawner(0).spawn(Box::pin(async move {
            clock.sleep(Duration::from_micros(micros)).await;
            order.lock().unwrap().push((micros, clock.mono().0));
        }));
    }
    world.run(world.sleep(Duration::from_millis(1)));
    let at = |micros: u64| (micros, micros * 1000);
    assert_eq!(*order.lock().unwrap(), [at(100), at(100), at(300), at(500), at(900)]);
    assert_eq!(world.tasks(), 0);
}

#[test]
fn a_dropped_sleep_does_not_move_the_clock() {
    let world = World::new();
    let clock = world.clock(0);
    world.run(async {
        let long = clock.sleep(Duration::from_secs(100));
        let short = clock.sleep(Duration::from_secs(1));
        futures_util::future::select(long, short).await;
    });
    let end = world.run(async { clock.mono() });
    assert_eq!(end, Some(Mono(1_000_000_000)));
    assert_eq!(world.run(std::future::pending::<()>()), None, "nothing left to wait for");
    assert_eq!(clock.mono(), Mono(1_000_000_000));
}

#[test]
fn a_crash_drops_the_replicas_tasks_and_no_others() {
    let world = World::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    for replica in [0, 1] {
        let (sleep, told) = (world.sleep(Duration::from_secs(1)), Arc::clone(&told));
        world.spawner(replica).spawn(Box::pin(async move {
            sleep.await;
            told.lock().unwrap().push(replica);
        }));
    }
    world.crash(0);
    world.run(world.sleep(Duration::from_secs(2)));
    assert_eq!(*told.lock().unwrap(), [1]);
}

#[test]
fn a_frozen_replica_goes_on_where_it_stood_when_it_thaws() {
    let world = World::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    for replica in [0, 1] {
        let (clock, told) = (world.clock(0), Arc::clone(&told));
        world.spawner(replica).spawn(Box::pin(async move {
            clock.sleep(Duration::from_secs(1)).await;
            told.lock().unwrap().push((replica, clock.mono().0 / 1_000_000_000));
        }));
    }
    world.run(async {
        world.freeze(0);
        world.sleep(Duration::from_secs(5)).await;
        world.thaw(0);
        world.sleep(Duration::from_secs(1)).await;
    });
    assert_eq!(*told.lock().unwrap(), [(1, 1), (0, 5)]);
}

#[test]
fn skew_shows_on_the_wall_and_never_on_the_monotonic_clock() {
    let world = World::new();
    let (true_clock, skewed) = (world.clock(0), world.clock(-5_000_000));
    assert_eq!(true_clock.mono(), skewed.mono());
    assert_eq!(true_clock.wall().minus(skewed.wall()), 5_000_000);
}

#[test]
fn a_seed_chooses_among_those_who_are_ready_at_the_same_instant() {
    let order = |world: World| {
        let order = Arc::new(Mutex::new(Vec::new()));
        for number in 0..20 {
            let (sleep, order) = (world.sleep(Duration::from_micros(7)), Arc::clone(&order));
            world.handle().spawn(NOBODY, async move {
                sleep.await;
                order.lock().unwrap().push(number);
            });
        }
        world.run(world.sleep(Duration::from_millis(1)));
        Arc::into_inner(order).unwrap().into_inner().unwrap()
    };
    assert_eq!(order(World::new()), (0..20).collect::<Vec<_>>());
    assert_eq!(order(World::seeded(1)), order(World::seeded(1)));
    assert_ne!(order(World::seeded(1)), order(World::seeded(2)));
    let mut all = order(World::seeded(3));
    all.sort_unstable();
    assert_eq!(all, (0..20).collect::<Vec<_>>());
}

#[test]
fn calls_are_made_when_they_are_due() {
    let world = World::new();
    let handle = world.handle();
    for (micros, number) in [(30, 3), (10, 1), (20, 2)] {
        handle.call_at(Mono(micros * 1000), number);
    }
    let mut made = Vec::new();
    world.run_with(handle.sleep(Duration::from_micros(25)), |number| made.push((number, handle.now().0)));
    assert_eq!(made, [(1, 10_000), (2, 20_000)]);
}

#[test]
fn a_task_that_is_ended_goes_no_further_and_its_place_is_used_again() {
    let world = World::new();
    let handle = world.handle();
    let told = Arc::new(Mutex::new(Vec::new()));
    let task = |name: &'static str| {
        let (sleep, told) = (handle.sleep(Duration::from_secs(1)), Arc::clone(&told));
        handle.spawn(NOBODY, async move {
            sleep.await;
            told.lock().unwrap().push(name);
        })
    };
    let doomed = task("doomed");
    world.run(world.sleep(Duration::from_millis(1)));
    handle.end(doomed);
    assert_eq!(task("next"), doomed);
    assert_eq!(world.tasks(), 1);
    world.run(world.sleep(Duration::from_secs(2)));
    assert_eq!(*told.lock().unwrap(), ["next"]);
}

#[test]
fn a_replica_that_crashes_from_within_goes_no_further() {
    let world = World::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let (handle, log) = (world.handle(), Arc::clone(&told));
    handle.clone().spawn(4, async move {
        log.lock().unwrap().push("before");
        handle.crash(4);
        handle.sleep(Duration::from_secs(1)).await;
        log.lock().unwrap().push("after");
    });
    world.run(world.sleep(Duration::from_secs(2)));
    assert_eq!(*told.lock().unwrap(), ["before"]);
    assert_eq!(world.tasks(), 0);
}

#[test]
fn a_future_that_is_polled_through_anothers_hands_is_woken_too() {
    let world = World::new();
    let clock = world.clock(0);
    // join_all gives each of many futures a waker of its own.
    let sleeps = (0..100).map(|n| clock.sleep(Duration::from_micros(n)));
    world.run(futures_util::future::join_all(sleeps)).unwrap();
    assert_eq!(clock.mono(), Mono(99_000));
}

#[test]
fn what_outlives_its_world_never_ends_and_harms_nobody() {
    let (clock, spawner, sleep) = {
        let world = World::new();
        let pending = world.sleep(Duration::from_secs(1));
        world.handle().spawn(0, pending);
        world.run(world.sleep(Duration::from_millis(5)));
        (world.clock(0), world.spawner(0), world.sleep(Duration::from_secs(1)))
    };
    spawner.spawn(Box::pin(async {}));
    assert_eq!(World::new().run(sleep), None);
    assert_eq!(clock.mono(), Mono(5_000_000));
}

#[test]
fn a_wall_clock_jumps_drifts_and_stops_and_the_monotonic_one_never_does() {
    let world = World::new();
    let (right, wrong) = (world.clock(0), world.clock(0));
    let after = |d: u64| world.run(world.sleep(Duration::from_secs(d)));
    let ahead = || wrong.wall().minus(right.wall());
    wrong.drift(100_000);
    after(10);
    assert_eq!(ahead(), 1_000_000, "100 ppm of 10 s");
    wrong.jump(-5_000_000);
    assert_eq!(ahead(), -4_000_000);
    wrong.drift(0);
    wrong.freeze();
    after(3);
    assert_eq!(ahead(), -3_004_000_000);
    wrong.thaw();
    after(1);
    assert_eq!(ahead(), -3_004_000_000);
    assert_eq!(wrong.mono(), right.mono());
    assert!(wrong.wall() > Wall(clock::EPOCH_NS));
}
