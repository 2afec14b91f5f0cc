//! What theory says of counters that expire, in virtual time; and what becomes of them when replicas die and replies are lost.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sim::{CachePort, CacheServer, Effect, Link, LinkLatency, MemoryCache, NOBODY, World};
use strategies::counter::{CounterPorts, CounterSpec, CounterStack, theory};
use strategies::port::{Capabilities, Clock, CounterCommand, Event, EventSink, HeldCounter};
use strategies::rng::Rng;
use strategies::time::Mono;
use strategies::{Cx, Key};

/// One way to the cache, in microseconds: a round trip takes 10 ms.
const ONE_WAY_US: u64 = 5_000;
const RTT: Duration = Duration::from_millis(10);

struct Silent;

impl EventSink for Silent {
    fn emit(&self, _: Event) {}
}

/// A cache that counts, and a replica's strategy over it.
struct Bench {
    world: World,
    server: Arc<CacheServer>,
    port: Arc<CachePort>,
    stack: Rc<CounterStack>,
}

fn bench(spec: &str, window: Duration, seed: u64) -> Bench {
    let world = World::new();
    let server = CacheServer::new(world.handle(), MemoryCache::new(world.clock(0)));
    let link = || Arc::new(Link::new(LinkLatency::micros(ONE_WAY_US, 0), &Rng::new(seed)));
    let port = CachePort::new(&server, 0, link(), link());
    let ports = CounterPorts {
        counters: port.clone(),
        can: Capabilities::ONE_SERVER,
        server: "the simulated cache".into(),
        clock: world.clock(0),
        spawn: world.spawner(0),
        events: Arc::new(Silent),
        rng: Arc::new(Rng::new(seed).fork("replica")),
    };
    let stack = Rc::new(CounterStack::build(&CounterSpec::parse(spec).unwrap(), &ports, window).unwrap());
    Bench { world, server, port, stack }
}

impl Bench {
    fn now(&self) -> Mono {
        self.world.clock(0).mono()
    }

    fn held(&self, key: &Key) -> Option<HeldCounter> {
        self.server.memory().counter(key)
    }

    fn cx(&self) -> Cx {
        Cx { request: 0, deadline: self.now().plus(Duration::from_secs(8)), replica: 0 }
    }
}

/// What the expiries of one key came to, each.
#[derive(Default)]
struct Expiries {
    immortal: Vec<f64>,
    lost: Vec<f64>,
    sets: Vec<f64>,
    resets: Vec<f64>,
}

/// Poisson writers of one key at r = x/RTT, and what each of so many expiries leaves behind.
fn expiries(spec: &str, x: f64, count: u32, seed: u64) -> Expiries {
    // Long enough that somebody has come after the expiry, and that the next one is far.
    let (decided, window) = (RTT.mul_f64(3.0 + 8.0 / x), RTT.mul_f64(10.0 + 15.0 / x));
    let bench = bench(spec, window, seed);
    let (key, rate) = (Key::of_item(1), x / RTT.as_secs_f64());
    let (rng, seen) = (Rng::new(seed).fork("writers"), RefCell::new(Expiries::default()));
    let arrived: Rc<RefCell<Vec<Mono>>> = Rc::default();
    let live = Rc::new(Cell::new(0_u32));
    let sets: Arc<Mutex<(u32, u32)>> = Arc::default();
    let told = Arc::clone(&sets);
    bench.server.watch(Box::new(move |_, effect| {
        if let Effect::Counted(_, CounterCommand::Set(..), before) = effect {
            let mut told = told.lock().unwrap();
            *told = (told.0 + 1, told.1 + u32::from(before.is_some()));
        }
    }));
    bench.world.run(async {
        for _ in 0..count {
            // A window of which everybody knows, until it ends by itself; writers until the race is over, and their last replies.
            bench.server.memory().act_on_counter(&key, CounterCommand::Set(1, window));
            let expiry = bench.now().plus(window);
            arrived.borrow_mut().clear();
            *sets.lock().unwrap() = (0, 0);
            let until = expiry.plus(decided);
            loop {
                let gap = Duration::from_secs_f64(-(1.0 - rng.next_unit()).ln() / rate);
                if bench.now().plus(gap) >= until {
                    break;
                }
                bench.world.sleep(gap).await;
                let (stack, key, cx, arrived, clock) =
                    (Rc::clone(&bench.stack), key.clone(), bench.cx(), Rc::clone(&arrived), bench.world.clock(0));
                let live = Rc::clone(&live);
                live.set(live.get() + 1);
                bench.world.handle().spawn(NOBODY, async move {
                    stack.count(cx, &key).await.unwrap();
                    // The server did it one way earlier than the answer is here.
                    arrived.borrow_mut().push(clock.mono().minus(Duration::from_micros(ONE_WAY_US)));
                    live.set(live.get() - 1);
                });
            }
            bench.world.sleep(until.since(bench.now())).await;
            while live.get() > 0 {
                bench.world.sleep(RTT).await;
            }
            let held = bench.held(&key);
            let counted = arrived.borrow().iter().filter(|at| **at >= expiry).count() as f64;
            let mut seen = seen.borrow_mut();
            seen.immortal.push(f64::from(u8::from(held.is_some_and(|held| held.left.is_none()))));
            let (all, over) = *sets.lock().unwrap();
            seen.sets.push(all.into());
            seen.resets.push(over.into());
            seen.lost.push(counted - held.map_or(0.0, |held| held.value as f64));
        }
    });
    seen.into_inner()
}

fn near(what: &str, found: &[f64], expected: f64) {
    let n = found.len() as f64;
    let mean = found.iter().sum::<f64>() / n;
    let error = (found.iter().map(|f| (f - mean).powi(2)).sum::<f64>() / n / n).sqrt();
    assert!((mean - expected).abs() <= 3.0 * error, "{what}: {mean} ± {error}, by theory {expected}");
}

#[test]
fn the_race_at_an_expiry_leaves_as_many_keys_without_an_end_as_theory_says() {
    for x in [0.1, 0.5, 1.0, 2.0] {
        let found = expiries("get-set-incr", x, 2000, 1);
        near(&format!("get-set-incr, x = {x}: immortal"), &found.immortal, theory::immortal_per_expiry(x));
        near(&format!("get-set-incr, x = {x}: lost"), &found.lost, theory::lost_per_expiry(x));
        near(&format!("get-set-incr, x = {x}: SETs"), &found.sets, theory::SETS_PER_EXPIRY);
        near(&format!("get-set-incr, x = {x}: resets"), &found.resets, theory::resets_per_expiry(x));
        let found = expiries("set-nx-incr", x, 2000, 2);
        near(&format!("set-nx-incr, x = {x}: immortal"), &found.immortal, theory::immortal_per_expiry(x));
        assert!(found.lost.iter().all(|lost| *lost == 0.0), "it overwrites nothing");
    }
}

#[test]
fn the_right_ones_lose_nothing_and_leave_no_key_without_an_end() {
    for spec in ["multi", "lua", "lua(repair=true)", "increx", "incr-expire"] {
        let found = expiries(spec, 2.0, 300, 3);
        assert!(found.immortal.iter().chain(&found.lost).all(|wrong| *wrong == 0.0), "{spec}");
    }
}

/// A bench whose key is never there when its writers come: no INCR is under way, so all who come within a round trip SET.
#[test]
fn a_cold_key_is_set_by_everybody_who_comes_within_a_round_trip_of_the_first() {
    let x = 8.0;
    let found: Vec<f64> = (0..400)
        .map(|seed| {
            let bench = bench("get-set-incr", Duration::from_secs(60), seed);
            let sets: Arc<Mutex<u32>> = Arc::default();
            let told = Arc::clone(&sets);
            bench.server.watch(Box::new(move |_, effect| {
                *told.lock().unwrap() += u32::from(matches!(effect, Effect::Counted(_, CounterCommand::Set(..), _)));
            }));
            let (rng, rate, key) = (Rng::new(seed).fork("writers"), x / RTT.as_secs_f64(), Key::of_item(1));
            bench.world.run(async {
                for _ in 0..40 {
                    bench.world.sleep(Duration::from_secs_f64(-(1.0 - rng.next_unit()).ln() / rate)).await;
                    let (stack, key, cx) = (Rc::clone(&bench.stack), key.clone(), bench.cx());
                    bench.world.handle().spawn(NOBODY, async move { drop(stack.count(cx, &key).await) });
                }
                bench.world.sleep(RTT * 3).await;
            });
            let sets = *sets.lock().unwrap();
            f64::from(sets)
        })
        .collect();
    near("SETs on a cold key", &found, theory::sets_on_a_cold_key(x));
}

#[test]
fn how_long_until_a_key_has_no_end_any_more() {
    for x in [0.5, 1.0] {
        let found = expiries("get-set-incr", x, 3000, 7);
        let mut runs = Vec::new();
        let mut since = 0.0;
        for immortal in found.immortal {
            since += 1.0;
            if immortal > 0.0 {
                runs.push(since);
                since = 0.0;
            }
        }
        near(&format!("x = {x}: expiries until immortal"), &runs, theory::expiries_until_immortal(x));
    }
}

/// Windows that begin together: with jitter the fullest second of their ends is what chance makes of as many balls in as many bins.
#[test]
fn a_thousand_windows_that_begin_together_end_as_jitter_spreads_them() {
    let (window, keys) = (Duration::from_secs(3600), 1000);
    let fullest = |spec: &str, seed| {
        let bench = bench(spec, window, seed);
        bench.world.run(async {
            for item in 1..=keys {
                bench.stack.count(bench.cx(), &Key::of_item(item)).await.unwrap();
            }
            // All began within 10 s of real life; each by itself, so that only its own life is looked at.
            let life = |item| bench.held(&Key::of_item(item)).unwrap().left.unwrap();
            let begun = |item: u32| RTT * (keys - item);
            let mut seconds = std::collections::BTreeMap::<u64, u32>::new();
            for item in 1..=keys {
                *seconds.entry((life(item) + begun(item)).as_secs()).or_default() += 1;
            }
            f64::from(*seconds.values().max().unwrap())
        })
    };
    assert_eq!(fullest("lua", 1), Some(f64::from(keys)), "without jitter all end together");
    let spread = format!("lua + jitter({})", 300.0 / 3600.0);
    let found: Vec<f64> = (0..200).map(|seed| fullest(&spread, seed).unwrap()).collect();
    near("the fullest second of 1 000 windows", &found, theory::fullest(keys, 300));
    let most_at_12 = found.iter().filter(|fullest| **fullest <= 12.0).count();
    assert!(most_at_12 >= 190, "at most 12 a second in {most_at_12} of 200");
}

#[test]
fn a_crash_between_two_commands_leaves_one_key_without_an_end_and_none_where_there_is_one_command() {
    for (spec, immortal) in [("incr-expire", true), ("lua", false), ("multi", false), ("increx", false)] {
        let bench = bench(spec, Duration::from_secs(1), 1);
        let (key, stack, cx) = (Key::of_item(1), Rc::clone(&bench.stack), bench.cx());
        let held = bench.world.run(async {
            let at_work = key.clone();
            bench.world.handle().spawn(0, async move { drop(stack.count(cx, &at_work).await) });
            // The first command has been carried out, and its reply is on its way.
            bench.world.sleep(RTT.mul_f64(0.75)).await;
            bench.world.crash(0);
            bench.world.sleep(RTT).await;
            bench.held(&key)
        });
        let held = held.unwrap().unwrap();
        assert_eq!((held.value, held.left.is_none()), (1, immortal), "{spec}");
    }
}

#[test]
fn an_increment_whose_reply_is_lost_is_counted_once_and_told_as_unknown() {
    for spec in ["lua", "multi", "increx", "incr-expire"] {
        let bench = bench(spec, Duration::from_secs(60), 1);
        let key = Key::of_item(1);
        bench.world.run(async {
            bench.stack.count(bench.cx(), &key).await.unwrap();
            bench.port.lose_replies(1);
            let lost = bench.stack.count(bench.cx(), &key).await.unwrap_err();
            assert!(lost.is_unknown(), "{spec}: {lost}");
            assert_eq!(bench.held(&key).unwrap().value, 2, "{spec}");
            bench.server.refuse_writes(Duration::from_secs(1));
            let refused = bench.stack.count(bench.cx(), &key).await.unwrap_err();
            assert!(!refused.is_unknown(), "{spec}: the server said no: {refused}");
            assert_eq!(bench.held(&key).unwrap().value, 2, "{spec}");
        });
    }
}

#[test]
fn a_batch_is_sent_after_its_interval_and_a_crash_loses_no_more_than_that() {
    let bench = bench("lua + batched(100ms)", Duration::from_secs(60), 1);
    let key = Key::of_item(1);
    bench.world.run(async {
        let held = || bench.held(&key).map_or(0, |held| held.value);
        for n in 1..=50 {
            let counted = bench.stack.count(bench.cx(), &key).await.unwrap();
            assert_eq!((counted.value, counted.told), (n, None));
        }
        assert_eq!((held(), bench.stack.cache_ops()), (0, 0), "nothing is sent yet");
        bench.world.sleep(Duration::from_millis(120)).await;
        assert_eq!((held(), bench.stack.cache_ops()), (50, 1), "all of it in one command");
        for n in 51..=60 {
            assert_eq!(bench.stack.count(bench.cx(), &key).await.unwrap().value, n);
        }
        bench.world.crash(0);
        bench.world.sleep(Duration::from_secs(1)).await;
        assert_eq!(held(), 50, "ten were acknowledged and not sent");
    });
}

#[test]
fn a_sharded_counter_is_the_sum_of_its_parts() {
    let bench = bench("lua + sharded(10)", Duration::from_secs(60), 1);
    let (key, spec) = (Key::of_item(1), CounterSpec::parse("lua + sharded(10)").unwrap());
    bench.world.run(async {
        let mut told = Vec::new();
        for _ in 0..1000 {
            let counted = bench.stack.count(bench.cx(), &key).await.unwrap();
            let part = counted.told.unwrap();
            assert_eq!((counted.value, part.part < 10), (10 * part.value, true));
            told.push(counted.value);
        }
        let parts: Vec<i64> = spec.keys(&key).iter().map(|part| bench.held(part).unwrap().value).collect();
        assert_eq!(parts.iter().sum::<i64>(), 1000);
        assert!(parts.iter().all(|part| (60..=140).contains(part)), "{parts:?}");
        let last = *told.last().unwrap() as f64;
        assert!((last - 1000.0).abs() < 400.0, "an estimate: {last}");
    });
}
