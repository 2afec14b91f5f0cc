//! Writes: a replica's `PUT /items/{id}`, what the origin commits, and what its ledger of writes says of it.

use app::wire::control::FaultOrigin;
use app::wire::item;
use evidence::{OriginFault, OriginWrite, ReadEnd, ReplicaEvents};
use http_body_util::Empty;
use hyper::Request;
use strategies::port::{Event, FlightId};

use crate::common::{Answer, Lab, get, request, settings};

async fn put(base: &str, id: &str) -> Answer {
    request(Request::put(format!("{base}/items/{id}")).body(Empty::new()).unwrap()).await
}

async fn ledger(lab: &Lab) -> Vec<OriginWrite> {
    lab.origin_control.get("/writes").await.unwrap()
}

async fn version(base: &str) -> u64 {
    item::verify(get(&format!("{base}/items/1")).await.body.as_bytes(), "1").unwrap()
}

#[tokio::test]
async fn a_write_is_acknowledged_with_its_version_and_name_and_all_three_witnesses_agree() {
    let lab = Lab::start(2, "plain + lease + invalidate", settings(5, 4)).await;
    assert_eq!((version(&lab.replicas[0]).await, version(&lab.replicas[1]).await), (1, 1));
    let wrote = put(&lab.replicas[0], "1").await;
    assert_eq!((wrote.status, wrote.header("lab-version"), wrote.body.as_str()), (204, "2", ""));
    assert_eq!((version(&lab.replicas[0]).await, version(&lab.replicas[1]).await), (2, 2), "the old one is gone");
    let rows = ledger(&lab).await;
    assert_eq!(
        (rows.len(), rows[0].key.as_str(), rows[0].version, rows[0].outcome),
        (1, "1", Some(2), Some(ReadEnd::Ok))
    );
    assert_eq!((rows[0].flight.as_str(), rows[0].replica), (wrote.header("lab-flight"), Some(0)));
    let times =
        [Some(rows[0].arrived_ns), rows[0].start_ns, rows[0].commit_began_ns, rows[0].committed_ns, rows[0].end_ns];
    assert!(times.is_sorted() && times.iter().all(Option::is_some), "{times:?}");
    assert!(rows[0].commit_began_ns.unwrap() - rows[0].start_ns.unwrap() >= 5_000_000, "its service time is before it");
    let told: ReplicaEvents = lab.controls[0].get("/events").await.unwrap();
    let told = told.events.into_iter().find_map(|line| match line.event {
        Event::Written { flight, version, .. } => Some((flight, version)),
        _ => None,
    });
    assert_eq!(told, Some((wrote.header("lab-flight").parse::<FlightId>().unwrap(), Some(2))));
}

#[tokio::test]
async fn what_is_put_through_is_read_without_the_origin_and_what_expires_is_old() {
    for (strategy, expected, reads) in [("plain + lock + write-through", 3, 1), ("plain + lock", 1, 1)] {
        let lab = Lab::start(1, strategy, settings(1, 4)).await;
        assert_eq!(version(&lab.replicas[0]).await, 1, "{strategy}");
        put(&lab.replicas[0], "1").await;
        put(&lab.replicas[0], "1").await;
        assert_eq!(version(&lab.replicas[0]).await, expected, "{strategy}");
        let read: Vec<evidence::OriginRead> = lab.origin_control.get("/ledger").await.unwrap();
        assert_eq!(read.len(), reads, "{strategy}");
    }
}

#[tokio::test]
async fn a_write_that_cannot_be_made_says_so_and_changes_nothing() {
    let lab = Lab::start(1, "plain + lock + write-through", settings(1, 4)).await;
    let missing = put(&lab.replicas[0], "999").await;
    assert_eq!((missing.status, missing.header("lab-version")), (404, ""));
    assert_eq!(put(&lab.replicas[0], "a%20b").await.status, 404, "no key");
    let fault = FaultOrigin { kind: OriginFault::Fail, for_ns: 60_000_000_000 };
    lab.origin_control.post::<()>("/fault", &fault).await.unwrap();
    let failed = put(&lab.replicas[0], "1").await;
    assert_eq!((failed.status, failed.header("lab-version")), (502, ""));
    let ends: Vec<_> = ledger(&lab).await.iter().map(|row| (row.outcome, row.version, row.committed_ns)).collect();
    assert_eq!(ends, [(Some(ReadEnd::Missing), None, None), (Some(ReadEnd::Failed), None, None)]);
}
