//! `/metrics` as Prometheus reads it: every family of docs/metrics.md is there from the start, and counts what happened.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use app::cache::redis_cache::RedisSource;
use app::process::runtime::RealClock;
use app::process::shutdown::Shutdown;
use app::replica::{self, Replica, ReplicaListeners, ReplicaSettings};
use app::wire::control::{StartReplica, WarmBurst, Warmed};
use app::wire::origin_client::HttpOrigin;

use crate::common::{Lab, eventually, get, listener, settings};
use futures_util::future::join_all;

/// The samples of a scrape, by name and labels.
async fn scrape(base: &str) -> BTreeMap<String, f64> {
    let answer = get(&format!("{base}/metrics")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; version=0.0.4"));
    let samples = answer.body.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.into(), value.parse().unwrap()))
        .collect()
}

/// Waits until a scrape has what must come at the end of what was begun in the background.
async fn at_last(base: &str, name: &str, value: f64) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    eventually(&format!("{name} {value}"), async || {
        samples = scrape(base).await;
        samples[name] == value
    })
    .await;
    samples
}

#[tokio::test]
async fn answers_are_counted_by_outcome_and_timed() {
    let lab = Lab::start(1, "coalesce", settings(50, 4)).await;
    let url = format!("{}/items/1", lab.replicas[0]);
    join_all((0..5).map(|_| get(&url))).await;
    get(&url).await;
    get(&format!("{}/items/999", lab.replicas[0])).await;
    let samples = scrape(&lab.replicas[0]).await;
    let outcomes = ["hit", "stale", "wait", "load", "shed", "error"];
    let of = |outcome: &str| samples[&format!("stampede_requests_total{{outcome=\"{outcome}\"}}")];
    assert_eq!(outcomes.map(of), [1.0, 0.0, 4.0, 2.0, 0.0, 0.0]);
    let timed = |outcome: &str, what: &str| {
        samples[&format!("stampede_request_duration_seconds_{what}{{outcome=\"{outcome}\"}}")]
    };
    assert_eq!(outcomes.map(|outcome| timed(outcome, "count")), outcomes.map(of));
    assert!((0.05..5.0).contains(&(timed("wait", "sum") / 4.0)), "they waited for a read of 50 ms");
    assert!(timed("hit", "sum") < 0.05);
    assert_eq!(samples["stampede_strategy_info{replica=\"0\",strategy=\"plain + coalesce\"}"], 1.0);
    assert_eq!(samples["stampede_strategy_ttl_seconds"], 5.0);
    assert_eq!(samples["stampede_cache_operations_total"], 10.0); // 5 get, re-read, put; get; get, re-read
    assert_eq!(samples["stampede_flights_total{cause=\"demand\"}"], 2.0);
    assert_eq!(samples["stampede_flights_ended_total{end=\"done\"}"], 2.0);
    assert_eq!(samples["stampede_requests_in_flight"] + samples["stampede_background_tasks"], 0.0);
}

#[tokio::test]
async fn counters_live_as_long_as_the_program_and_not_as_its_strategy() {
    let lab = Lab::start(1, "naive", settings(1, 4)).await;
    get(&format!("{}/items/1", lab.replicas[0])).await;
    let before = scrape(&lab.replicas[0]).await;
    let start = |strategy: &str| StartReplica {
        namespace: format!("run:{strategy}"),
        ttls_ns: 7_000_000_000.into(),
        index: Some(2),
        ..crate::common::start(strategy)
    };
    lab.controls[0].post::<()>("/start", &start("swr")).await.unwrap();
    assert_eq!(scrape(&lab.replicas[0]).await["stampede_cache_operations_total"], 2.0);
    get(&format!("{}/items/1", lab.replicas[0])).await;
    let after = scrape(&lab.replicas[0]).await;
    let load = "stampede_requests_total{outcome=\"load\"}";
    assert_eq!((before[load], after[load]), (1.0, 2.0));
    assert!(after["stampede_cache_operations_total"] >= 4.0);
    let running: Vec<&String> = after.keys().filter(|name| name.starts_with("stampede_strategy_info")).collect();
    assert!(running.len() == 1 && running[0].contains("replica=\"2\""), "{running:?}");
    assert_eq!(after["stampede_strategy_ttl_seconds"], 7.0);
}

#[tokio::test]
async fn the_origin_counts_its_reads_and_those_that_overlap() {
    let lab = Lab::start(1, "naive", settings(100, 2)).await;
    // Two places and a queue of two: of five of one key one is rejected; another key overlaps nothing.
    let url = |item: u32| format!("{}/items/{item}", lab.replicas[0]);
    let herd: Vec<String> = (0..5).map(|_| url(1)).collect();
    join_all(herd.iter().map(|url| get(url))).await;
    get(&url(2)).await;
    get(&url(999)).await;
    let samples = scrape(&lab.origin).await;
    assert_eq!(samples["stampede_origin_reads_total"], 7.0);
    assert_eq!(samples["stampede_origin_overlapping_reads_total"], 4.0);
    let ended = |outcome: &str| samples[&format!("stampede_origin_reads_ended_total{{outcome=\"{outcome}\"}}")];
    assert_eq!(["ok", "missing", "rejected", "failed", "abandoned"].map(ended), [5.0, 1.0, 1.0, 0.0, 0.0]);
    assert_eq!(samples["stampede_origin_read_duration_seconds_count"], 7.0);
    assert!(samples["stampede_origin_read_duration_seconds_sum"] >= 0.8, "six served, two of them after a wait");
    assert_eq!(samples["stampede_origin_reads_in_flight"] + samples["stampede_origin_reads_queued"], 0.0);
    let set = ["stampede_origin_places", "stampede_origin_service_time_seconds", "stampede_origin_items"];
    assert_eq!(set.map(|name| samples[name]), [2.0, 0.1, 10.0]);
}

#[tokio::test]
async fn what_is_under_way_is_shown_while_it_is() {
    let lab = Lab::start(1, "naive", settings(60_000, 1)).await;
    let url = format!("{}/items/1", lab.replicas[0]);
    let open = tokio::spawn(async move { tokio::join!(get(&url), get(&url)) });
    let samples = at_last(&lab.origin, "stampede_origin_reads_queued", 1.0).await;
    assert_eq!(samples["stampede_origin_reads_in_flight"], 2.0);
    assert_eq!(scrape(&lab.replicas[0]).await["stampede_requests_in_flight"], 2.0);
    open.abort();
    // The callers are gone; their reads are not.
    let samples = at_last(&lab.replicas[0], "stampede_requests_in_flight", 0.0).await;
    assert_eq!(samples["stampede_background_tasks"], 2.0);
}

#[tokio::test]
async fn waits_for_a_lock_and_those_that_were_given_up() {
    let lab = Lab::start(2, "singleflight(wait=50ms, poll=10ms)", settings(300, 4)).await;
    let urls: Vec<String> = lab.replicas.iter().map(|r| format!("{r}/items/1")).collect();
    join_all(urls.iter().map(|u| get(u))).await;
    let both = [scrape(&lab.replicas[0]).await, scrape(&lab.replicas[1]).await];
    let sum = |name: &str| both.iter().map(|samples| samples[name]).sum::<f64>();
    assert_eq!(sum("stampede_lock_wait_seconds_count"), 1.0);
    // The 50 ms run from before the lock is asked for, the wait that is told from its refusal.
    assert!((0.01..0.3).contains(&sum("stampede_lock_wait_seconds_sum")), "{}", sum("stampede_lock_wait_seconds_sum"));
    assert_eq!(sum("stampede_lock_timeouts_total"), 1.0);
    assert_eq!(sum("stampede_locks_ended_total{end=\"done\"}"), 1.0);
    assert_eq!(sum("stampede_requests_total{outcome=\"shed\"}"), 1.0);
}

#[tokio::test]
async fn stale_answers_early_refreshes_and_warming() {
    let lab = Lab::start(1, "swr(soft=1ms, stale=1h)", settings(1, 4)).await;
    let _: Warmed = lab.controls[0]
        .post("/warm", &WarmBurst { items: 1, at_once: 1, aged: false, within_ns: 60_000_000_000 })
        .await
        .unwrap();
    let url = format!("{}/items/1", lab.replicas[0]);
    let mut stale = false;
    eventually("its millisecond of freshness is over", async || {
        stale |= get(&url).await.header("cache-status").contains("stale");
        stale
    })
    .await;
    let samples = at_last(&lab.replicas[0], "stampede_background_tasks", 0.0).await;
    assert_eq!(samples["stampede_stale_overage_seconds_count"], samples["stampede_requests_total{outcome=\"stale\"}"]);
    assert!(samples["stampede_stale_overage_seconds_count"] >= 1.0);
    assert_eq!(samples["stampede_flights_total{cause=\"warm\"}"], 1.0);
    assert!(samples["stampede_flights_total{cause=\"refresh\"}"] >= 1.0);
    // From an age of 5 ms on.
    let early = Lab::start(1, "ahead(0.001)", settings(1, 4)).await;
    let url = format!("{}/items/1", early.replicas[0]);
    get(&url).await;
    eventually("a hit refreshes early", async || {
        get(&url).await;
        scrape(&early.replicas[0]).await["stampede_early_refreshes_total"] >= 1.0
    })
    .await;
}

/// A replica at a Redis that is not there.
#[tokio::test]
async fn a_lost_cache_is_counted_by_kind() {
    let clock = RealClock::start();
    let (closed, url) = listener().await;
    drop(closed);
    let cache = Arc::new(RedisSource::new(url.replace("http:", "redis:")).unwrap());
    let lab = Lab::start(0, "", settings(1, 4)).await;
    let origin = Arc::new(HttpOrigin::new(&lab.origin, clock).unwrap());
    let replica = Replica::new(ReplicaSettings { index: 0, cache, origin, clock, described: String::new() }).unwrap();
    replica.start(&StartReplica { ttls_ns: 1_000_000_000.into(), ..crate::common::start("singleflight") }).unwrap();
    let (data, base) = listener().await;
    let (_stop, shutdown) = Shutdown::pair();
    tokio::spawn(replica::run(replica, ReplicaListeners { data, control: None }, shutdown));
    assert_eq!(get(&format!("{base}/items/1")).await.status, 200);
    let samples = scrape(&base).await;
    let failed = samples["stampede_cache_errors_total{kind=\"down\"}"];
    assert!(failed >= 4.0, "get, acquire twice, re-read, put: {failed}");
    assert_eq!(samples["stampede_cache_operations_total"], failed, "none succeeded");
    assert_eq!(samples["stampede_cache_errors_total{kind=\"slow\"}"], 0.0);
    assert_eq!(samples["stampede_lock_fallbacks_total"], 1.0);
}

/// A family in the text: name, type, labels.
type Family = (String, String, BTreeSet<String>);

fn families(text: &str) -> BTreeSet<Family> {
    let typed = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let family = |line: &str| {
        let (name, kind) = line.split_once(' ').unwrap();
        let of = |line: &&str| line.split(['{', ' ']).next().unwrap().trim_end_matches("_bucket") == name;
        let sample = text.lines().find(of).unwrap_or_else(|| panic!("{name} has no sample"));
        let labels = sample.split_once('{').map_or("", |(_, rest)| rest.rsplit_once('}').unwrap().0);
        let labels = labels.split("\",").filter_map(|pair| pair.split_once('=')).map(|(label, _)| label.to_owned());
        (name.to_owned(), kind.to_owned(), labels.filter(|label| label != "le").collect())
    };
    typed.map(family).collect()
}

/// The rows of docs/metrics.md between its headings: `name` | type | labels | …
fn documented(heading: &str) -> BTreeSet<Family> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let text = std::fs::read_to_string(file).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with(heading)).expect("the heading");
    let rows = section.lines().filter(|line| line.starts_with("| `stampede_"));
    let word = |text: &str| text.trim().trim_matches('`').to_owned();
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let labels = cells[2].split('`').skip(1).step_by(2).map(str::to_owned);
        (word(cells[0]), word(cells[1]), labels.collect())
    };
    rows.map(row).collect()
}

#[tokio::test]
async fn the_documentation_has_every_family_and_no_other_and_none_waits_for_its_first_event() {
    let lab = Lab::start(1, "naive", settings(1, 4)).await;
    let text = async |base: &str| get(&format!("{base}/metrics")).await.body;
    let (replica, origin) = (families(&text(&lab.replicas[0]).await), families(&text(&lab.origin).await));
    assert!(replica.len() > 15 && origin.len() > 8);
    let common = documented("Of both");
    let with = |heading: &str| documented(heading).union(&common).cloned().collect::<BTreeSet<_>>();
    assert_eq!(replica, with("Of a replica"));
    assert_eq!(origin, with("Of the origin"));
}
