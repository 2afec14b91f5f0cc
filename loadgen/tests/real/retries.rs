//! Clients that try again, over real sockets: what a server says and how it fails decides whether, and when.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use app::process::runtime::RealClock;
use app::process::shutdown::{Shutdown, Stop};
use app::wire::serve::serve;

use crate::common::beside;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use loadgen::load::drive::{Drive, Pacer, Pattern, Retrying, Site, Workers};
use loadgen::load::record::{Collected, Collector};
use scenarios::{Plan, Scenario};
use strategies::port::Clock;
use tokio::sync::{mpsc, watch};

/// How every other request ends; the rest are hits.
#[derive(Clone, Copy)]
enum Kind {
    Sheds,
    Fails,
    Hangs,
    /// Every request, that is.
    AlwaysFails,
}

/// A replica on a thread of its own, and how many requests it has had.
fn replica(kind: Kind) -> (SocketAddr, Arc<AtomicU64>, Stop) {
    let (stop, shutdown) = Shutdown::pair();
    let (tell, told) = std::sync::mpsc::channel();
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            let answer = move |Path(id): Path<String>| async move {
                let number = count.fetch_add(1, Ordering::Relaxed);
                let good = ([("cache-status", "lab; hit; ttl=3")], app::wire::item::body(&id, 1, "x")).into_response();
                match kind {
                    Kind::AlwaysFails => StatusCode::BAD_GATEWAY.into_response(),
                    _ if number % 2 == 1 => good,
                    Kind::Fails => StatusCode::BAD_GATEWAY.into_response(),
                    Kind::Hangs => std::future::pending().await,
                    Kind::Sheds => {
                        let headers = [("cache-status", "lab; fwd=miss; detail=shed"), ("retry-after", "1")];
                        (StatusCode::SERVICE_UNAVAILABLE, headers).into_response()
                    }
                }
            };
            serve(listener, axum::Router::new().route("/items/{id}", get(answer)), shutdown).await;
        });
    });
    (told.recv().unwrap(), asked, stop)
}

/// Drives the replica for a second.
fn drive(kind: Kind, settings: &[(&str, &str)]) -> (Collected, u64) {
    let _beside = beside();
    let text = scenarios::shipped().iter().find(|(name, _)| *name == "hotkey").unwrap().1;
    let sets: Vec<_> = settings.iter().map(|(p, v)| ((*p).to_owned(), (*v).to_owned())).collect();
    let scenario = Scenario::parse(text, "hotkey", &sets).unwrap();
    let (address, asked, _stop) = replica(kind);
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
        duration: scenario.load.duration,
        timeout: scenario.load.timeout,
        on_down: scenario.load.on_down,
        retrying: Retrying::of(scenario.load.retry, 1),
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
    (collector.collected().unwrap().unwrap(), asked.load(Ordering::Relaxed))
}

const OPEN: [(&str, &str); 4] =
    [("load.warmup", "0s"), ("load.duration", "1s"), ("load.rate", "40/s"), ("load.arrivals", "constant")];
/// One client, so that every other request is every request's first attempt.
const CLOSED: [(&str, &str); 4] =
    [("load.warmup", "0s"), ("load.duration", "1s"), ("load.clients", "1"), ("load.think", "5ms")];
const RETRY: [(&str, &str); 3] = [("load.retry.attempts", "3"), ("load.retry.base", "5ms"), ("load.timeout", "300ms")];

#[test]
fn a_request_that_failed_is_tried_again_and_counts_once() {
    for load in [OPEN, CLOSED] {
        let (collected, asked) = drive(Kind::Fails, &[&load[..], &RETRY].concat());
        assert_eq!(collected.sent, collected.offered);
        assert_eq!(asked, collected.sent + collected.retries, "each attempt came to the server");
        assert!(collected.tries.saved > 5, "{:?}", collected.tries);
        let rows: u64 = collected.seconds.iter().filter_map(|row| row.retries).sum();
        assert_eq!(rows, collected.retries_of_all_phases);
    }
}

#[test]
fn a_time_out_is_tried_again_on_a_new_connection() {
    let (collected, _) = drive(Kind::Hangs, &[&CLOSED[..], &RETRY].concat());
    assert_eq!(collected.outcomes.hit, collected.sent, "{:?}", collected.errors);
    let slowest = collected.measured[0].max();
    assert!(slowest >= 300_000_000, "from the first attempt to the last one's answer: {slowest} ns");
}

#[test]
fn who_is_shed_comes_back_when_the_server_says_so() {
    let (collected, _) = drive(Kind::Sheds, &[&CLOSED[..], &RETRY].concat());
    assert_eq!((collected.sent, collected.outcomes.hit), (1, 1), "the first request takes more than a second");
    assert!(collected.measured[0].max() >= 1_000_000_000);
}

#[test]
fn the_budget_is_all_clients_and_what_it_refuses_is_counted() {
    let budget = [("load.retry.budget", "0.1")];
    let (collected, asked) = drive(Kind::AlwaysFails, &[&OPEN[..], &RETRY, &budget].concat());
    assert_eq!((collected.sent, collected.outcomes.error), (40, 40));
    assert!((10..=14).contains(&collected.retries), "10 and a tenth of 40 first attempts: {}", collected.retries);
    assert_eq!(asked, 40 + collected.retries);
    assert!(collected.tries.unpaid >= 25, "{:?}", collected.tries);
}

#[test]
fn without_retries_a_failure_stands() {
    let (collected, asked) = drive(Kind::AlwaysFails, &OPEN);
    assert_eq!((collected.sent, collected.outcomes.error, asked, collected.retries), (40, 40, 40, 0));
}
