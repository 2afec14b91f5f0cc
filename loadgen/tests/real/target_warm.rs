//! `[warm]` of a target: asked for every item before t = 0, at no more at once and no faster than it may be, or the run ends and says why.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use app::wire::auth::ControlToken;
use report::record::FullestReplica;
use tempfile::TempDir;

use crate::common::{folder, loadgen, origin_of, record, run, signal, strategy, unspoiled, until};
use crate::target::{head, origin, server};

const LOAD: [&str; 10] =
    ["--scenario", "bulk-warm", "-d", "1s", "-c", "2", "--set", "load.think=20ms", "--set", "keys.n=12"];

/// The item that a request's head asks for.
fn item(head: &str) -> u64 {
    head.split(' ').nth(1).unwrap().rsplit('/').next().unwrap().parse().unwrap()
}

/// What a cache has seen.
#[derive(Default)]
struct Seen {
    asked: Mutex<BTreeMap<u64, u64>>,
    heads: Mutex<Vec<String>>,
    now: AtomicU64,
    most: AtomicU64,
}

/// A cache of its own in front of an origin, which reads an item once for all who ask for it meanwhile.
fn cache(origin: SocketAddr, replica: u32, ttl: Duration) -> (SocketAddr, Arc<Seen>) {
    type Entry = Arc<Mutex<Option<(String, Instant)>>>;
    let (seen, entries) = (Arc::<Seen>::default(), Arc::<Mutex<BTreeMap<u64, Entry>>>::default());
    let saw = Arc::clone(&seen);
    let address = server(move |mut stream| {
        while let Some(head) = head(&mut stream) {
            saw.most.fetch_max(saw.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let item = item(&head);
            *saw.asked.lock().unwrap().entry(item).or_default() += 1;
            saw.heads.lock().unwrap().push(head);
            let entry = Arc::clone(entries.lock().unwrap().entry(item).or_default());
            let mut kept = entry.lock().unwrap();
            let fresh = kept.as_ref().is_some_and(|(_, since)| since.elapsed() < ttl);
            if !fresh {
                *kept = Some((read(origin, item, replica), Instant::now()));
            }
            let status = kept.as_ref().unwrap().0.clone();
            drop(kept);
            saw.now.fetch_sub(1, Ordering::SeqCst);
            let how = if fresh { "hit" } else { "fwd=miss" };
            let answer = format!("{status}\r\nCache-Status: own; {how}\r\ncontent-length: 2\r\n\r\nok");
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    (address, seen)
}

/// The status line of an origin's answer.
fn read(origin: SocketAddr, item: u64, replica: u32) -> String {
    let mut stream = TcpStream::connect(origin).unwrap();
    let ask = format!("GET /items/{item} HTTP/1.1\r\nhost: o\r\nlab-replica: {replica}\r\nconnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap().to_owned()
}

/// The lab's own origin: where it answers, and the options that have its ledger read.
fn counted() -> (TempDir, SocketAddr, [String; 4]) {
    let (scratch, secret) = (tempfile::tempdir().unwrap(), "a token of some length");
    let file = scratch.path().join("token");
    std::fs::write(&file, secret).unwrap();
    let (data, control) = origin(&ControlToken::given(secret).unwrap());
    let file = file.to_str().unwrap().to_owned();
    let witness = ["--origin-control".into(), format!("http://{control}"), "--origin-token-file".into(), file];
    (scratch, data, witness)
}

/// Every cache of two gets every item before t = 0, at most four at a time; the origin's ledger has those reads, and no figure counts one.
#[test]
fn every_replica_is_asked_for_every_item_and_the_reads_for_it_are_not_counted() {
    let (_scratch, data, witness) = counted();
    let witness = witness.each_ref().map(String::as_str);
    let origin = ["--set", "origin.service_time=20ms", "--set", "origin.concurrency=4", "--header", "X-Of-Run: yes"];
    let results = tempfile::tempdir().unwrap();
    let last = Mutex::default();
    let (said, path) = unspoiled(results.path(), |folder| {
        let caches = [0, 1].map(|replica| cache(data, replica, Duration::MAX));
        let urls = caches.each_ref().map(|(address, _)| format!("http://{address}/items/{{key}}"));
        let targets = ["--target", &urls[0], "--target", &urls[1], "-o", folder.to_str().unwrap()];
        *last.lock().unwrap() = Some(caches.map(|(_, seen)| seen));
        run(&[&LOAD[..], &origin, &witness, &targets].concat())
    });
    let run = record(&path);
    let target = strategy(&run, "target");
    assert_eq!(said.code, Some(0), "{:?} {}", target.invalid_because, said.err);
    assert_eq!(said.err.matches("12 items asked for, answered within ").count(), 2, "{}", said.err);
    assert!(target.requests > 20 && target.outcomes.hit == target.requests, "{:?}", target.outcomes);
    // Each cache's twelve items and the question before them, which is for one that does not exist.
    let reads = folder(&path, "target").read_origin().unwrap();
    assert_eq!(reads.len(), 2 * 13);
    assert!(reads.iter().all(|read| read.arrived_ns < 0 && read.phase == "warmup"), "{reads:?}");
    assert_eq!((origin_of(target).total, origin_of(target).max_in_flight), (0, 0));
    for seen in last.into_inner().unwrap().unwrap() {
        let asked = seen.asked.lock().unwrap();
        assert_eq!(asked.keys().copied().collect::<Vec<_>>(), (1..=13).collect::<Vec<_>>());
        assert!((2..=4).contains(&seen.most.load(Ordering::SeqCst)), "{:?}", seen.most);
        let heads = seen.heads.lock().unwrap();
        assert!(heads.iter().all(|head| head.to_lowercase().contains("x-of-run: yes\r\n")));
    }
    // t = 0 is the last answer: the load begins with it.
    let last = reads.iter().filter_map(|read| read.end_ns).max().unwrap();
    assert!((-500_000_000..0).contains(&last), "{last}");
}

/// Three processes that each read once an expiry: their reads say whose they are, and so it is known that none read twice.
#[test]
fn one_read_of_each_replica_is_told_from_all_of_one() {
    let (_scratch, data, witness) = counted();
    let witness = witness.each_ref().map(String::as_str);
    let results = tempfile::tempdir().unwrap();
    let load = "--scenario hotkey -w 0s -d 4s -c 12 --set load.think=20ms --set keys.kind=single --set keys.n=1 --set cache.ttl=1s";
    let load: Vec<&str> = load.split(' ').collect();
    let (said, path) = unspoiled(results.path(), |folder| {
        let urls = [0, 1, 2].map(|at| format!("http://{}/items/{{key}}", cache(data, at, Duration::from_secs(1)).0));
        let targets = urls.iter().flat_map(|url| ["--target", url]).chain(["-o", folder.to_str().unwrap()]);
        run(&load.iter().copied().chain(witness).chain(targets).collect::<Vec<_>>())
    });
    let run = record(&path);
    let target = strategy(&run, "target");
    assert_eq!(said.code, Some(0), "{:?} {}", target.invalid_because, said.err);
    let herds = origin_of(target).per_expiry.as_ref().unwrap();
    assert!(herds.mean > 1.4 && herds.max == 3, "{herds:?}");
    assert_eq!(herds.fullest_replica, Some(FullestReplica { mean: 1.0, max: 1 }));
    assert_eq!(said.out.contains("Of an expiry's reads the replica with most made: target 1.0 of"), herds.mean >= 1.5);
}

/// A server that takes its time for each answer, and answers one item with a 503; when each item was asked for first.
fn slow(takes: Duration, bad: u64) -> (String, Arc<Mutex<BTreeMap<u64, Instant>>>) {
    let asked = Arc::<Mutex<BTreeMap<u64, Instant>>>::default();
    let saw = Arc::clone(&asked);
    let address = server(move |mut stream| {
        while let Some(head) = head(&mut stream) {
            let item = item(&head);
            saw.lock().unwrap().entry(item).or_insert_with(Instant::now);
            std::thread::sleep(takes);
            let status = if item == bad { "503 Busy" } else { "200 OK" };
            if stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).is_err() {
                return;
            }
        }
    });
    (format!("http://{address}/a/{{key}}"), asked)
}

/// That a run ends so, says so, and leaves nothing behind.
fn ends(url: &str, more: &[&str], code: i32, words: &[&str]) {
    let results = tempfile::tempdir().unwrap();
    let said = run(&[&LOAD[..], &["--target", url, "-o", results.path().to_str().unwrap()], more].concat());
    assert_eq!(said.code, Some(code), "{}", said.err);
    assert!(words.iter().all(|word| said.err.contains(word)), "{}", said.err);
    assert!(is_empty(results.path()), "{}", said.err);
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

#[test]
fn a_cache_that_is_not_filled_ends_the_run_with_the_reason() {
    let (bad, _) = slow(Duration::ZERO, 7);
    let unanswered = ["could not be filled", "item 7 of 12 · found http-503, allowed a 2xx", "from 1 to 12 (keys.n)"];
    ends(&bad, &[], 1, &unanswered);
    // One at a time, 1.2 s in all: the first entries would have ended.
    let (late, asked) = slow(Duration::from_millis(100), 0);
    let late_words = ["not be filled in time", "took longer than 500ms, allowed 500ms (cache.ttl)"];
    ends(&late, &["--set", "origin.concurrency=1", "--set", "cache.ttl=500ms"], 1, &late_words);
    assert!(asked.lock().unwrap().len() < 8, "it is not asked on");
}

#[test]
fn what_a_target_cannot_be_given_is_refused_before_it_is_asked_for_anything() {
    let (url, asked) = slow(Duration::ZERO, 0);
    ends(&url, &["--set", "warm.ages=even"], 2, &["a target can't be given", "found ages = \"even\""]);
    let rate = ["--set", "load.think=2s", "--max-rate", "2/s"];
    ends(&url, &rate, 2, &["takes too long to warm", "12 items of 1 targets at 2/s: 6.0 s, allowed 5s (cache.ttl)"]);
    assert!(asked.lock().unwrap().is_empty());
}

#[test]
fn the_highest_rate_is_that_of_the_filling_too() {
    let (url, asked) = slow(Duration::ZERO, 0);
    let results = tempfile::tempdir().unwrap();
    let (said, _) = unspoiled(results.path(), |folder| {
        asked.lock().unwrap().clear();
        let more =
            ["--max-rate", "50/s", "--set", "load.think=100ms", "--target", &url, "-o", folder.to_str().unwrap()];
        run(&[&LOAD[..], &more].concat())
    });
    assert_eq!(said.code, Some(0), "{}", said.err);
    let asked = asked.lock().unwrap();
    // Eleven intervals of 20 ms; the first may have been late by its connection.
    assert!(asked[&12] - asked[&1] > Duration::from_millis(190), "{:?}", asked[&12] - asked[&1]);
}

#[test]
fn ctrl_c_ends_the_filling() {
    let (url, asked) = slow(Duration::from_secs(4), 0);
    let results = tempfile::tempdir().unwrap();
    let more = ["--target", &url, "-o", results.path().to_str().unwrap(), "--set", "cache.ttl=60s"];
    let child = loadgen(&[&LOAD[..], &more].concat()).spawn().unwrap();
    until("the first item is asked for", || asked.lock().unwrap().contains_key(&1));
    signal(&child, "INT");
    let said = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(130), "{err}");
    assert!(err.contains("stopped while the target's cache was being filled"), "{err}");
    assert!(is_empty(results.path()));
}
