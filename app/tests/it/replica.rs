//! A replica as its clients see it: status, headers, bodies; and as the lab's control sees it.

use app::wire::control::{FaultOrigin, Identity, WarmBurst, Warmed};
use app::wire::item;
use evidence::{EventLine, OriginFault, OriginRead, ReplicaCounters, ReplicaEvents};

use crate::common::{Lab, eventually, get, request, settings};
use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::Empty;
use hyper::Request;
use strategies::port::Event;

#[tokio::test]
async fn an_answer_says_how_it_was_made() {
    let lab = Lab::start(1, "singleflight", settings(20, 4)).await;
    let url = format!("{}/items/1", lab.replicas[0]);
    let together = join_all((0..5).map(|_| get(&url))).await;
    let mut said: Vec<&str> = together.iter().map(|a| a.header("cache-status")).collect();
    said.sort_unstable();
    assert_eq!(said, ["lab; fwd=miss; collapsed"; 4].into_iter().chain(["lab; fwd=miss; stored"]).collect::<Vec<_>>());
    let hit = get(&url).await;
    assert_eq!((hit.status, hit.header("cache-status")), (200, "lab; hit; ttl=4"));
    assert_eq!((hit.header("age"), hit.header("content-type")), ("0", "application/json"));
    assert_eq!(item::verify(hit.body.as_bytes(), "1"), Ok(1));
    assert_eq!(hit.header("lab-flight"), "", "a hit led no flight");
    let led: Vec<&str> = together.iter().map(|a| a.header("lab-flight")).filter(|f| !f.is_empty()).collect();
    let ledger: Vec<OriginRead> = lab.origin_control.get("/ledger").await.unwrap();
    assert_eq!(ledger.iter().map(|r| r.flight.as_str()).collect::<Vec<_>>(), led, "both ends name the same flight");
}

#[tokio::test]
async fn a_stale_answer_says_by_how_much() {
    let lab = Lab::start(1, "swr(soft=1ms, stale=1h)", settings(1, 4)).await;
    let url = format!("{}/items/1", lab.replicas[0]);
    get(&url).await;
    let mut stale = get(&url).await;
    eventually("its millisecond of freshness is over", async || {
        stale = get(&url).await;
        stale.header("cache-status") != "lab; hit; ttl=0"
    })
    .await;
    assert_eq!(stale.header("cache-status"), "lab; hit; ttl=-1; detail=stale");
    assert!(stale.header("lab-overage-us").parse::<u64>().unwrap() < 1_000_000);
}

#[tokio::test]
async fn what_does_not_exist_is_404_and_what_is_no_key_never_reaches_the_origin() {
    let lab = Lab::start(1, "naive", settings(1, 4)).await;
    let missing = get(&format!("{}/items/999", lab.replicas[0])).await;
    assert_eq!((missing.status, missing.header("cache-status")), (404, "lab; fwd=miss; stored"));
    for path in ["/items/a%20b", "/items/%7D", &format!("/items/{}", "9".repeat(300)), "/items/", "/", "/../etc"] {
        assert_eq!(get(&format!("{}{path}", lab.replicas[0])).await.status, 404, "{path}");
    }
    let ledger: Vec<OriginRead> = lab.origin_control.get("/ledger").await.unwrap();
    assert_eq!(ledger.len(), 1);
}

#[tokio::test]
async fn an_origin_that_fails_is_502_and_one_that_rejects_too() {
    let lab = Lab::start(1, "naive", settings(50, 1)).await;
    let url = format!("{}/items/1", lab.replicas[0]);
    // One place, one in the queue: of four at once two are rejected.
    let mut statuses: Vec<u16> = join_all((0..4).map(|_| get(&url))).await.iter().map(|a| a.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 502, 502]);
    let fault = FaultOrigin { kind: OriginFault::Fail, for_ns: 60_000_000_000 };
    lab.origin_control.post::<()>("/fault", &fault).await.unwrap();
    let failed = get(&format!("{}/items/2", lab.replicas[0])).await;
    assert_eq!((failed.status, failed.header("cache-status")), (502, "lab; fwd=miss; detail=origin-error"));
}

#[tokio::test]
async fn a_loser_that_gives_up_is_503_with_retry_after() {
    let lab = Lab::start(2, "singleflight(wait=50ms, poll=10ms)", settings(500, 4)).await;
    let urls: Vec<String> = lab.replicas.iter().map(|r| format!("{r}/items/1")).collect();
    let answers = join_all(urls.iter().map(|u| get(u))).await;
    let shed = answers.iter().find(|a| a.status == 503).expect("one of the two lost");
    assert_eq!((shed.header("cache-status"), shed.header("retry-after")), ("lab; fwd=miss; detail=shed", "1"));
    assert_eq!(answers.iter().filter(|a| a.status == 200).count(), 1);
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_take_the_flight_with_it() {
    let lab = Lab::start(1, "coalesce", settings(100, 4)).await;
    let url = format!("{}/items/1", lab.replicas[0]);
    let first = tokio::spawn({
        let url = url.clone();
        async move { get(&url).await }
    });
    let counters = async || lab.controls[0].get::<ReplicaCounters>("/counters").await.unwrap();
    eventually("the first request is there", async || counters().await.requests > 0).await;
    let others = join_all((0..20).map(|_| get(&url)));
    first.abort();
    assert!(others.await.iter().all(|a| a.status == 200));
    let ledger: Vec<OriginRead> = lab.origin_control.get("/ledger").await.unwrap();
    assert_eq!(ledger.len(), 1);
    let events: ReplicaEvents = lab.controls[0].get("/events").await.unwrap();
    let flights = |e: &str| {
        events
            .events
            .iter()
            .filter(|l| l.event.name() == e)
            .filter_map(|l| l.event.flight())
            .map(|f| f.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(flights("flight-ended"), [ledger[0].flight.as_str()]);
    assert!(flights("answered").is_empty(), "led, and never delivered");
}

#[tokio::test]
async fn warming_puts_every_item_in_one_burst() {
    let lab = Lab::start(2, "jitter(0.5)", settings(5, 4)).await;
    let warmed: Warmed = lab.controls[0]
        .post("/warm", &WarmBurst { items: 10, at_once: 4, aged: false, within_ns: 60_000_000_000 })
        .await
        .unwrap();
    let events: ReplicaEvents = lab.controls[0].get("/events").await.unwrap();
    let stored: Vec<_> = events.events.iter().filter(|e| e.event.name() == "stored").collect();
    assert_eq!(stored.len(), 10);
    assert!(stored.iter().all(|e| e.mono_ns <= warmed.last_put_mono_ns));
    let fresh = |e: &&EventLine| match &e.event {
        Event::Put { fresh_until, .. } => fresh_until.0 - e.mono_ns,
        other => panic!("{other:?}"),
    };
    assert!(stored.iter().all(|e| (4_900_000_000..7_500_000_000).contains(&fresh(e))), "jitter sees it");
    for number in 1..=10 {
        let answer = get(&format!("{}/items/{number}", lab.replicas[1])).await;
        assert!(answer.header("cache-status").starts_with("lab; hit"), "{number}");
    }
    let error = lab.controls[0]
        .post::<Warmed>("/warm", &WarmBurst { items: u32::MAX, at_once: 4, aged: false, within_ns: 60_000_000_000 })
        .await
        .unwrap_err();
    assert!(error.to_string().contains("at most 1000000"), "{error}");
}

#[tokio::test]
async fn control_wants_the_token_and_no_web_page() {
    let lab = Lab::start(1, "naive", settings(1, 4)).await;
    let url = format!("{}/identity", lab.control_urls[0]);
    assert_eq!(get(&url).await.status, 401);
    let with = |name, value: &str| Request::get(&url).header(name, value).body(Empty::<Bytes>::new()).unwrap();
    assert_eq!(request(with("authorization", "Bearer nonsense")).await.status, 401);
    assert_eq!(request(with("origin", "https://evil.example")).await.status, 403);
    let identity: Identity = lab.controls[0].get("/identity").await.unwrap();
    assert_eq!((identity.program.as_str(), identity.version.as_str()), ("stampede-replica", env!("CARGO_PKG_VERSION")));
    // Control is not on the data listener.
    assert_eq!(get(&format!("{}/identity", lab.replicas[0])).await.status, 404);
    let error = lab.controls[0].post::<()>("/start", &serde_json::json!({"strategy": 3})).await.unwrap_err();
    assert!(error.to_string().contains("HTTP 422"), "{error}");
    let start = serde_json::json!({"namespace": "a:b", "strategy": "nayve", "ttls_ns": {"usual": 1}, "seed": 1});
    let error = lab.controls[0].post::<()>("/start", &start).await.unwrap_err();
    assert!(error.to_string().contains("did you mean `naive`?"), "{error}");
}

#[tokio::test]
async fn health() {
    let lab = Lab::start(1, "coalesce", settings(1, 4)).await;
    assert_eq!(get(&format!("{}/healthz", lab.replicas[0])).await.body, "ok");
}

#[tokio::test]
async fn shutdown_lets_open_requests_finish() {
    let lab = Lab::start(1, "naive", settings(200, 4)).await;
    let url = format!("{}/items/1", lab.replicas[0]);
    let open = tokio::spawn(async move { get(&url).await });
    let counters = async || lab.controls[0].get::<ReplicaCounters>("/counters").await.unwrap();
    eventually("the request is there", async || counters().await.in_flight > 0).await;
    lab.stop.stop();
    assert_eq!(open.await.unwrap().status, 200);
}
