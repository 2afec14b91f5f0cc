//! The origin as its callers see it, and as its ledger tells it.

use std::sync::Arc;

use app::process::runtime::RealClock;
use app::wire::control::{FaultOrigin, SizesWire, StartOrigin};
use app::wire::item;
use app::wire::origin_client::HttpOrigin;
use evidence::{OriginCounters, OriginFault, OriginRead, ReadEnd};

use crate::common::{Lab, eventually, get, settings};
use futures_util::future::join_all;
use strategies::Key;
use strategies::conformance::OriginSubject;

async fn ledger(lab: &Lab) -> Vec<OriginRead> {
    lab.origin_control.get("/ledger").await.unwrap()
}

#[tokio::test]
async fn places_are_a_capacity_and_beyond_the_queue_reads_are_rejected() {
    let lab = Lab::start(0, "", settings(60, 2)).await;
    let url = format!("{}/items/1", lab.origin);
    let mut statuses: Vec<u16> = join_all((0..6).map(|_| get(&url))).await.iter().map(|a| a.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 503, 503]);
    let rows = ledger(&lab).await;
    let of = |o| rows.iter().filter(move |r| r.outcome == Some(o));
    assert_eq!((of(ReadEnd::Ok).count(), of(ReadEnd::Rejected).count()), (4, 2));
    assert!(of(ReadEnd::Rejected).all(|r| r.start_ns.is_none() && r.end_ns.is_some()));
    for row in of(ReadEnd::Ok) {
        assert!(row.end_ns.unwrap() - row.start_ns.unwrap() >= 60_000_000, "a place is held for the service time");
    }
    // Never more than two in service: the third begins when one of the first two has ended.
    let mut spans: Vec<(u64, u64)> = of(ReadEnd::Ok).map(|r| (r.start_ns.unwrap(), r.end_ns.unwrap())).collect();
    spans.sort_unstable();
    assert!(spans[2].0 >= spans[0].1.min(spans[1].1));
}

#[tokio::test]
async fn a_read_whose_caller_went_away_runs_to_its_end_and_is_recorded() {
    let lab = Lab::start(0, "", settings(150, 2)).await;
    let url = format!("{}/items/1", lab.origin);
    let caller = tokio::spawn(async move { get(&url).await });
    let in_flight = async || lab.origin_control.get::<OriginCounters>("/counters").await.unwrap().in_flight;
    eventually("the read has arrived", async || in_flight().await > 0).await;
    caller.abort();
    eventually("the read has ended", async || in_flight().await == 0).await;
    let rows = ledger(&lab).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].outcome, Some(ReadEnd::Abandoned));
    assert!(rows[0].end_ns.unwrap() - rows[0].start_ns.unwrap() >= 150_000_000, "the load did not go with the caller");
}

#[tokio::test]
async fn rows_get_new_versions_when_they_are_written() {
    let mut start = settings(1, 2);
    start.write_every_ns = Some(5_000_000);
    let lab = Lab::start(0, "", start).await;
    let mut versions = Vec::new();
    eventually("the fourth version is there", async || {
        let answer = get(&format!("{}/items/3", lab.origin)).await;
        let version = item::verify(answer.body.as_bytes(), "3").unwrap();
        assert_eq!(answer.header("lab-version"), version.to_string());
        versions.push(version);
        version >= 4
    })
    .await;
    assert!(versions.is_sorted());
}

#[tokio::test]
async fn faults_are_slow_failing_and_paused() {
    let lab = Lab::start(0, "", settings(20, 4)).await;
    let url = format!("{}/items/1", lab.origin);
    let inject = async |kind, for_ms: u64| {
        let fault = FaultOrigin { kind, for_ns: for_ms * 1_000_000 };
        lab.origin_control.post::<()>("/fault", &fault).await.unwrap();
    };
    inject(OriginFault::Slow(5.0), 60_000).await;
    get(&url).await;
    inject(OriginFault::Fail, 60_000).await;
    assert_eq!(get(&url).await.status, 500);
    inject(OriginFault::Pause, 150).await;
    assert_eq!(get(&url).await.status, 200);
    let rows = ledger(&lab).await;
    assert!(rows[0].end_ns.unwrap() - rows[0].start_ns.unwrap() >= 100_000_000, "five times slower");
    assert_eq!((rows[1].outcome, rows[1].start_ns), (Some(ReadEnd::Failed), None));
    assert!(rows[2].start_ns.unwrap() - rows[2].arrived_ns >= 100_000_000, "not begun before the pause was over");
}

#[tokio::test]
async fn a_start_empties_the_ledger_and_refuses_what_cannot_be() {
    let lab = Lab::start(0, "", settings(1, 2)).await;
    get(&format!("{}/items/1", lab.origin)).await;
    lab.origin_control.post::<()>("/start", &settings(1, 2)).await.unwrap();
    assert!(ledger(&lab).await.is_empty());
    let error = lab.origin_control.post::<()>("/start", &settings(1, 0)).await.unwrap_err();
    assert!(error.to_string().contains("concurrency is 0; at least 1 is needed"), "{error}");
    let huge = StartOrigin { sizes: SizesWire::Constant { bytes: u32::MAX }.into(), ..settings(1, 2) };
    let error = lab.origin_control.post::<()>("/start", &huge).await.unwrap_err();
    assert!(error.to_string().contains("at most 1048576 are possible"), "{error}");
    for factor in [-1.0, 1e300] {
        let fault = FaultOrigin { kind: OriginFault::Slow(factor), for_ns: 1 };
        let error = lab.origin_control.post::<()>("/fault", &fault).await.unwrap_err();
        assert!(error.to_string().contains("0 to 1000 are possible"), "{error}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("origin.sqlite");
    std::fs::write(&file, "this is a text, and a text is no database, however long it may be").unwrap();
    let Err(error) = app::origin::open(&file).await else { panic!("opened a text") };
    assert!(error.contains("not a database") && error.contains("delete the file"), "{error}");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("this is a text"), "and is left as it was");
}

/// There are 256 connections to SQLite. More places than that share them, and are places all the same.
#[tokio::test]
async fn an_origin_may_have_more_places_than_connections() {
    let lab = Lab::start(0, "", settings(1500, 260)).await;
    let url = format!("{}/items/1", lab.origin);
    futures_util::future::join_all((0..260).map(|_| get(&url))).await;
    let rows = ledger(&lab).await;
    let last_begun = rows.iter().filter_map(|row| row.start_ns).max().unwrap();
    let first_ended = rows.iter().filter_map(|row| row.end_ns).min().unwrap();
    assert_eq!(rows.len(), 260);
    assert!(last_begun < first_ended, "one of them waited for another");
}

#[tokio::test]
async fn the_origin_behind_its_client_keeps_the_contract() {
    let lab = Lab::start(0, "", settings(1, 2)).await;
    let clock = RealClock::start();
    let origin = Arc::new(HttpOrigin::new(&lab.origin, clock).unwrap());
    let (items, missing) = ([1, 2].map(Key::of_item), Key::of_item(11));
    OriginSubject { origin, clock: Arc::new(clock), items, missing }.check_all().await;
    let reads = ledger(&lab).await;
    assert!(reads.iter().all(|read| read.outcome.is_some()) && !reads.is_empty(), "and its ledger is one of reads");
}
