//! Coordinated omission: a server that stalls for 1.4 s. An open loop's latency shows it, a closed loop's does not, because
//! the clients that should have complained were waiting.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use app::process::runtime::RealClock;
use app::process::shutdown::{Shutdown, Stop};
use app::wire::serve::serve;

use crate::common::alone;
use axum::extract::Path;
use axum::routing::get;
use loadgen::load::drive::{Drive, Pacer, Pattern, Retrying, Site, Workers};
use loadgen::load::record::{Collected, Collector};
use scenarios::{Plan, Scenario};
use strategies::port::Clock;
use tokio::sync::{mpsc, watch};

/// A replica on a thread of its own that answers at once, but for its 400th request: then nothing moves for 1.4 s.
fn stalling_replica() -> (SocketAddr, Stop) {
    let (stop, shutdown) = Shutdown::pair();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            let requests = Arc::new(AtomicU64::new(0));
            let answer = move |Path(id): Path<String>| async move {
                if requests.fetch_add(1, Ordering::Relaxed) == 400 {
                    std::thread::sleep(Duration::from_millis(1400)); // the only thread there is: everybody waits
                }
                ([("cache-status", "lab; hit; ttl=3")], app::wire::item::body(&id, 1, "x"))
            };
            serve(listener, axum::Router::new().route("/items/{id}", get(answer)), shutdown).await;
        });
    });
    (told.recv().unwrap(), stop)
}

/// Drives the stalling replica for eight seconds.
fn drive(settings: &[(&str, &str)]) -> Collected {
    let text = scenarios::shipped().iter().find(|(name, _)| *name == "hotkey").unwrap().1;
    let sets: Vec<_> = settings.iter().map(|(p, v)| ((*p).to_owned(), (*v).to_owned())).collect();
    let scenario = Scenario::parse(text, "hotkey", &sets).unwrap();
    let (address, _stop) = stalling_replica();
    let clock = RealClock::start();
    let pacer = Pacer::start(clock).unwrap();
    let (_never, stop) = Shutdown::pair();
    let drive = Drive {
        plan: Arc::new(Plan::new(1, &scenario, 1)),
        part: None,
        pattern: Pattern::from(&scenario.load.kind),
        sites: vec![Arc::new(Site::replica(address))],
        keys: scenario.keys.clone(),
        writes: false,
        warmup: Duration::ZERO,
        duration: Duration::from_secs(8),
        timeout: Duration::from_secs(10),
        on_down: scenario.load.on_down,
        retrying: Retrying::of(None, 0),
        clock,
        pace: pacer.handle(),
        stop,
    };
    let collector = Collector::start(1, None).unwrap();
    let (tell_start, start) = watch::channel(None);
    let (tell_ready, mut ready) = mpsc::unbounded_channel();
    let fleet = Workers::start(&drive, vec![collector.recorder(0)], &start, &tell_ready).unwrap();
    ready.blocking_recv().unwrap().unwrap();
    tell_start.send_replace(Some(clock.mono().plus(Duration::from_millis(20))));
    assert!(fleet.join().well);
    collector.collected().unwrap().unwrap()
}

fn p99_ms(collected: &Collected, tag: usize) -> u64 {
    collected.measured[tag].value_at_quantile(0.99) / 1_000_000
}

const RESPONSE: usize = 0;
const LAG: usize = 2;

#[test]
fn an_open_loop_shows_a_stall_and_a_closed_loop_hides_it() {
    let _alone = alone();
    let length = [("load.warmup", "0s"), ("load.duration", "8s")];
    // Five clients with 25 ms of think time: the same 200/s, while nothing stalls.
    let loads =
        [[("load.rate", "200/s"), ("load.arrivals", "constant")], [("load.clients", "5"), ("load.think", "25ms")]];
    let [open, closed] = std::thread::scope(|threads| {
        let driven = loads.map(|load| threads.spawn(move || drive(&[length, load].concat())));
        driven.map(|one| one.join().unwrap())
    });
    for collected in [&open, &closed] {
        assert_eq!((collected.errors_of_all_phases, collected.sent), (0, collected.offered));
        assert_eq!(collected.outcomes.hit, collected.sent);
    }
    assert_eq!(open.sent, 1600, "the plan's requests, stall or no stall");
    assert!(closed.sent < 1440, "the closed loop sent less while it waited: {}", closed.sent);
    // 280 of 1600 requests were due in the stall.
    assert!(p99_ms(&open, RESPONSE) >= 1200, "{} ms", p99_ms(&open, RESPONSE));
    assert!(p99_ms(&closed, RESPONSE) < 200, "{} ms", p99_ms(&closed, RESPONSE));
    assert!(p99_ms(&open, LAG) < 200, "the generator itself was not held up: {} ms", p99_ms(&open, LAG));
    let slow = |collected: &Collected| collected.seconds.iter().filter(|row| row.max_ms > Some(1000.0)).count();
    assert!(slow(&open) >= 1 && slow(&closed) >= 1, "both met it");
}
