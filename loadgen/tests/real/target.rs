//! `--target`: whatever answers HTTP, and whatever answers badly.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use app::origin::{OriginListeners, open};
use app::wire::auth::ControlToken;

use crate::common::{Said, beside, each, folder, only_run, origin_of, record, run, strategy, unspoiled};
use loadgen::load::drive::{Site, probe};
use report::record::Run;

/// A server whose connections are each handed to `converse`; it ends with the test's process.
pub(crate) fn server(converse: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let converse = Arc::new(converse);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let converse = Arc::clone(&converse);
            std::thread::spawn(move || converse(stream));
        }
    });
    address
}

/// Reads one request's head; `None` at the end of the connection.
pub(crate) fn head(stream: &mut TcpStream) -> Option<String> {
    let (mut text, mut byte) = (Vec::new(), [0]);
    while !text.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        text.push(byte[0]);
    }
    String::from_utf8(text).ok()
}

/// A server that answers each request with this, and keeps the connection.
fn answers(answer: &'static str) -> SocketAddr {
    server(move |mut stream| while head(&mut stream).is_some() && stream.write_all(answer.as_bytes()).is_ok() {})
}

/// A short load at a target: two clients, a second.
fn drive(target: &str, more: &[&str]) -> (Said, Run) {
    let _beside = beside();
    let results = tempfile::tempdir().unwrap();
    let set = ["--set", "load.think=20ms", "--set", "load.timeout=300ms", "-w", "0s", "-d", "1s", "-c", "2"];
    let args = ["--scenario", "hotkey", "--target", target, "-o", results.path().to_str().unwrap(), "--format", "json"];
    let said = run(&[&args[..], &set, more].concat());
    let run = report::parse_run(said.out.as_bytes()).unwrap_or_else(|e| panic!("{e}: {}", said.err));
    assert_eq!(run, record(&only_run(results.path())));
    (said, run)
}

#[test]
fn outcomes_come_from_cache_status_whichever_cache_wrote_it() {
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n";
    type Count = fn(&Run) -> u64;
    let cases: [(String, Count, &str); 5] = [
        (format!("{ok}Cache-Status: \"My CDN\"; hit; ttl=3\r\n\r\nok"), |r| r.strategies[0].outcomes.hit, "My CDN"),
        (format!("{ok}Cache-Status: c; hit; ttl=-3\r\n\r\nok"), |r| r.strategies[0].outcomes.stale, "c"),
        (
            format!("{ok}Cache-Status: c; fwd=miss\r\nCache-Status: d; fwd=miss; collapsed\r\n\r\nok"),
            |r| r.strategies[0].outcomes.wait,
            "d",
        ),
        (format!("{ok}\r\nok"), |r| r.strategies[0].outcomes.unknown, ""),
        (
            "HTTP/1.1 503 Busy\r\nCache-Status: lab; fwd=miss; detail=shed\r\ncontent-length: 0\r\n\r\n".into(),
            |r| r.strategies[0].outcomes.shed,
            "lab",
        ),
    ];
    each(cases, |(answer, count, cache)| {
        let address = answers(answer.clone().leak());
        let (said, run) = drive(&format!("http://{address}/a/{{key}}"), &[]);
        let target = strategy(&run, "target");
        assert_eq!((said.code, target.valid), (Some(0), true), "{answer}: {:?} {}", target.invalid_because, said.err);
        assert!(target.requests > 20 && count(&run) == target.requests, "{answer}: {:?}", target.outcomes);
        assert_eq!((run.lab.as_str(), run.cache.as_str(), run.replicas), ("target", cache, 1), "{answer}");
        assert!(target.origin.is_none() && target.events.is_none() && target.ledgers.is_none());
        assert_eq!(target.hit_ratio.is_none(), target.outcomes.unknown > 0);
    });
}

#[test]
fn hostile_servers_end_as_counted_errors() {
    let cases: [(&str, SocketAddr, &str); 10] = [
        (
            "endless body",
            server(|mut stream| {
                if head(&mut stream).is_some() && stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").is_ok() {
                    while stream.write_all(&[b'x'; 65536]).is_ok() {}
                }
            }),
            "body-too-large",
        ),
        (
            "half a header, and silence",
            server(|mut stream| {
                let _ = head(&mut stream);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconte");
                let _ = stream.read(&mut [0]);
            }),
            "timeout",
        ),
        ("half a body, and the end", answers_once("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"), "body-cut"),
        (
            "closes without a word",
            server(|mut stream| {
                let _ = head(&mut stream);
                let _ = stream.shutdown(Shutdown::Both);
            }),
            "reset",
        ),
        (
            "slow loris: a byte now and then",
            server(|mut stream| {
                let _ = head(&mut stream);
                let _ = stream.set_read_timeout(Some(std::time::Duration::from_millis(50)));
                for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n".iter().chain(&[b'x'; 1000]) {
                    // The pause: nothing comes from a client that waits for its answer.
                    if stream.write_all(&[*byte]).is_err() || matches!(stream.read(&mut [0]), Ok(0)) {
                        return;
                    }
                }
            }),
            "timeout",
        ),
        ("not HTTP at all", answers("220 smtp.example ready\r\n\r\n"), "protocol"),
        (
            "endless headers",
            server(|mut stream| {
                if head(&mut stream).is_some() && stream.write_all(b"HTTP/1.1 200 OK\r\n").is_ok() {
                    while stream.write_all(b"x-more: and more\r\n").is_ok() {}
                }
            }),
            "protocol",
        ),
        ("a length that is none", answers("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"), "protocol"),
        ("busy", answers("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"), "http-503"),
        ("not found", answers("HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n"), "http-404"),
    ];
    each(cases, |(what, address, kind)| {
        // The question before the load meets a better server: the load's first answer is what the test is about.
        let (said, run) = drive(&format!("http://{}/{{key}}", after_one_good_answer(address)), &[]);
        let target = strategy(&run, "target");
        assert_eq!(said.code, Some(0), "{what}: a server's errors make no run invalid: {:?}", target.invalid_because);
        assert!(target.requests >= 2 && target.errors == target.requests, "{what}: {:?}", target.outcomes);
        // On a busy machine a large answer may take longer than the time-out.
        let kinds = target.error_kinds.keys().map(String::as_str);
        assert_eq!(
            kinds.filter(|found| kind == "timeout" || *found != "timeout").collect::<Vec<_>>(),
            [kind],
            "{what}"
        );
    });
}

fn answers_once(answer: &'static str) -> SocketAddr {
    server(move |mut stream| {
        let _ = head(&mut stream);
        let _ = stream.write_all(answer.as_bytes());
    })
}

/// A server whose first connection gets one good answer; all others are handed through to `behind`.
fn after_one_good_answer(behind: SocketAddr) -> SocketAddr {
    let asked = AtomicU64::new(0);
    server(move |mut stream| {
        if asked.fetch_add(1, Ordering::SeqCst) == 0 {
            let _ = head(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            return;
        }
        let (Ok(mut there), Ok(mut from_client)) = (TcpStream::connect(behind), stream.try_clone()) else { return };
        let Ok(mut to_server) = there.try_clone() else { return };
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from_client, &mut to_server);
            let _ = to_server.shutdown(Shutdown::Both);
        });
        let _ = std::io::copy(&mut there, &mut stream);
        let _ = stream.shutdown(Shutdown::Both);
    })
}

#[test]
fn redirects_are_errors_and_nobody_follows_them() {
    let elsewhere = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&elsewhere);
    let trap = server(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    let answer = format!("HTTP/1.1 302 Found\r\nlocation: http://{trap}/\r\ncontent-length: 0\r\n\r\n");
    let (said, run) = drive(&format!("http://{}/{{key}}", answers(answer.leak())), &[]);
    assert!(said.err.contains("warning: the target answered 302"), "{}", said.err);
    assert!(said.err.contains("give the URL that it leads to"), "{}", said.err);
    let target = strategy(&run, "target");
    assert_eq!(target.error_kinds.get("http-302"), Some(&target.requests));
    assert_eq!(elsewhere.load(Ordering::SeqCst), 0);
}

#[test]
fn a_server_that_closes_after_each_answer_is_no_error() {
    let address = server(|mut stream| {
        let _ = head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok");
    });
    let (_, run) = drive(&format!("http://{address}/{{key}}"), &["--target", &format!("http://{address}/{{key}}")]);
    let target = strategy(&run, "target");
    assert!(target.errors == 0 && target.outcomes.unknown == target.requests, "{:?}", target.error_kinds);
    assert_eq!(run.replicas, 2);
}

/// A server that fails says so where its user looks: before the load, and in words with a denominator after it.
#[test]
fn a_failing_target_is_told_before_the_load_and_with_its_share_after_it() {
    let _beside = beside();
    let results = tempfile::tempdir().unwrap();
    let url = format!("http://{}/{{key}}", answers("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"));
    let set = ["--set", "load.think=20ms", "-w", "0s", "-d", "1s", "-c", "2", "-o", results.path().to_str().unwrap()];
    let said = run(&[&["--scenario", "hotkey", "--target", &url][..], &set].concat());
    let (warned, rest) = said.err.split_once("1/1 target").expect("the line of its start");
    assert!(warned.contains("warning: the target answered 503 to a first question, before the load"), "{warned}");
    assert!(!rest.contains("warning"), "{rest}");
    let run = record(&only_run(results.path()));
    let requests = strategy(&run, "target").requests;
    assert_eq!(strategy(&run, "target").errors, requests);
    let row = said.out.lines().find(|line| line.starts_with("target")).unwrap();
    assert!(row.contains(&format!(" {requests} ")) && row.contains("100.0%"), "{row}");
    let why = format!("Failed: target {requests} of {requests} requests (http-503 {requests}).");
    assert!(said.out.contains(&why), "{}", said.out);
}

/// A keep-alive connection that its server closes when it has been idle, in both loops: the request that crossed with the
/// end of the connection is sent once more, and counted.
#[test]
fn a_kept_connection_that_ended_is_no_error() {
    each(["hotkey", "hotkey-open"], |scenario| {
        let served = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&served);
        // Every second request of a connection finds its end: it was closed when the request was on its way.
        let address = server(move |mut stream| {
            if head(&mut stream).is_some() {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nCache-Status: c; hit\r\ncontent-length: 2\r\n\r\nok");
                let _ = head(&mut stream);
            }
        });
        let load = if scenario == "hotkey" { &["-c", "2", "--set", "load.think=20ms"][..] } else { &["-r", "50/s"] };
        let _beside = beside();
        let results = tempfile::tempdir().unwrap();
        let url = format!("http://{address}/{{key}}");
        let args =
            ["--scenario", scenario, "--target", &url, "-o", results.path().to_str().unwrap(), "-w", "0s", "-d", "1s"];
        let said = run(&[&args[..], load].concat());
        let run = record(&only_run(results.path()));
        let target = strategy(&run, "target");
        assert_eq!((target.errors, target.outcomes.hit), (0, target.requests), "{scenario}: {:?}", target.error_kinds);
        assert!(target.resent > Some(2), "{scenario}: {:?} of {} were sent again", target.resent, target.requests);
        assert!(said.out.contains("Sent again, once"), "{}", said.out);
        // The question before the load, and each request once: what was lost with its connection had not been served.
        assert_eq!(served.load(Ordering::SeqCst), target.requests + 1, "{scenario}");
    });
}

/// Not idempotence but evidence: where a byte of an answer had come, or the server can't be reached any more, it stays lost.
#[test]
fn half_an_answer_and_a_server_that_is_gone_are_errors() {
    // The first request of a connection is answered, the second one with a few bytes of a head.
    let address = server(|mut stream| {
        if head(&mut stream).is_some()
            && stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_ok()
            && head(&mut stream).is_some()
        {
            let _ = stream.write_all(b"HTTP/1.1 2");
        }
    });
    let (said, run) = drive(&format!("http://{address}/{{key}}"), &[]);
    let target = strategy(&run, "target");
    assert_eq!(target.resent, Some(0), "{}", said.err);
    assert!(target.errors > 2 && target.errors < target.requests, "{:?}", target.error_kinds);
    // An answer on each connection, and then nobody listens any more.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let answer = |stream: &mut TcpStream| {
            let _ = head(stream).map(|_| stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"));
        };
        // The question before the load; then a connection of each client.
        listener.incoming().take(1).flatten().for_each(|mut stream| answer(&mut stream));
        let mut streams: Vec<TcpStream> = listener.incoming().take(2).flatten().collect();
        drop(listener);
        streams.iter_mut().for_each(answer);
        streams.iter_mut().for_each(|stream| drop(head(stream)));
    });
    let (said, run) = drive(&format!("http://{address}/{{key}}"), &[]);
    let target = strategy(&run, "target");
    assert_eq!(target.resent, Some(0), "{}", said.err);
    assert_eq!(target.error_kinds.get("reset"), Some(&2), "{:?}", target.error_kinds);
    assert!(target.error_kinds.get("connect-refused") > Some(&2), "{:?}", target.error_kinds);
}

/// A name with several addresses, of which the first has nobody: the others are tried, and the one that works is remembered.
#[tokio::test]
async fn every_address_of_a_name_is_tried() {
    let alive = answers("HTTP/1.1 200 OK\r\nCache-Status: c; hit\r\ncontent-length: 2\r\n\r\nok");
    // The same port of other loopback addresses: nobody listens there.
    let dead = |ip: &str| SocketAddr::new(ip.parse().unwrap(), alive.port());
    let timeout = std::time::Duration::from_secs(2);
    let site = Arc::new(Site::foreign(vec![dead("127.0.0.2"), dead("::1"), alive], "name", "/{key}").unwrap());
    let probed = probe(&site, 1, timeout).await.unwrap();
    assert_eq!((probed.status, site.address()), (200, Some(alive)));
    let nobody = Arc::new(Site::foreign(vec![dead("127.0.0.2"), dead("127.0.0.3")], "name", "/{key}").unwrap());
    assert_eq!(probe(&nobody, 1, timeout).await.unwrap_err().kind, evidence::ErrorKind::ConnectRefused);
}

/// A URL that would not ask for the item is refused: it is never what was meant.
#[test]
fn a_template_that_cannot_be_meant_is_refused() {
    for (url, found) in [
        ("http://127.0.0.1:1/items", "found no {key} in it"),
        ("http://127.0.0.1:1/items/{KEY}", "found \"{KEY}\", allowed {key}"),
        ("http://127.0.0.1:1/{key}/{KEY}", "found \"{KEY}\", allowed {key}"),
    ] {
        let said = run(&["--scenario", "hotkey", "--target", url, "-d", "1s"]);
        assert_eq!(said.code, Some(2), "{url}: {}", said.err);
        assert!(
            said.err.contains(found) && said.err.contains("write {key} where the item's number goes"),
            "{}",
            said.err
        );
    }
}

/// The lab's own origin with its control listener, until the process ends.
pub(crate) fn origin(token: &ControlToken) -> (SocketAddr, SocketAddr) {
    let (tell, told) = std::sync::mpsc::channel();
    let token = token.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let service = open(&folder.path().join("origin.sqlite")).await.unwrap();
            let bind = async || tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (data, control) = (bind().await, bind().await);
            tell.send((data.local_addr().unwrap(), control.local_addr().unwrap())).unwrap();
            let (_stop, shutdown) = app::process::shutdown::Shutdown::pair();
            app::origin::run(service, OriginListeners { data, control: Some((control, token)) }, shutdown).await;
        });
    });
    told.recv().unwrap()
}

#[test]
fn the_origin_behind_a_target_is_a_witness() {
    let (scratch, secret) = (tempfile::tempdir().unwrap(), "a token of some length");
    let file = scratch.path().join("token");
    std::fs::write(&file, secret).unwrap();
    let (data, control) = origin(&ControlToken::given(secret).unwrap());
    let control = format!("http://{control}");
    let witness = ["--origin-control", &control, "--origin-token-file", file.to_str().unwrap()];
    // No cache at all in front of it: every request is a read of 20 ms.
    let results = tempfile::tempdir().unwrap();
    let url = format!("http://{data}/items/{{key}}");
    let args = ["--scenario", "hotkey", "--target", &url, "-w", "0s", "-d", "1s"];
    let set = ["-c", "2", "--set", "load.think=20ms", "--set", "origin.service_time=20ms"];
    let (said, path) = unspoiled(results.path(), |folder| {
        run(&[&args[..], &set, &witness, &["-o", folder.to_str().unwrap()]].concat())
    });
    let run = record(&path);
    let target = strategy(&run, "target");
    assert_eq!(said.code, Some(0), "{:?} {}", target.invalid_because, said.err);
    // A request that is due before the end may arrive after it: the whole ledger has what was sent, and the question before t = 0.
    let reads = folder(&path, "target").read_origin().unwrap();
    assert_eq!(reads.len() as u64, target.requests + 1);
    let measured = reads.iter().filter(|read| (0..1_000_000_000).contains(&read.arrived_ns)).count();
    assert_eq!(origin_of(target).total, measured as u64);
    assert!(reads.iter().any(|read| read.arrived_ns < 0), "the question");
    assert!(target.errors == 0 && target.latency_ms.p50 >= Some(20.0), "{:?}", target.latency_ms);
    assert!(origin_of(target).floor.is_none() && run.clock_uncertainty_ns.is_some());
}

#[test]
fn a_report_of_a_target_says_what_is_not_known() {
    let _beside = beside();
    let results = tempfile::tempdir().unwrap();
    let address = answers("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let url = format!("http://{address}/{{key}}");
    let said = run(&[
        "--scenario",
        "hotkey-open",
        "-r",
        "100/s",
        "--target",
        &url,
        "-w",
        "0s",
        "-d",
        "1s",
        "-o",
        results.path().to_str().unwrap(),
    ]);
    // A busy machine makes an open loop late, and then it is invalid: the words are the same.
    assert!(matches!(said.code, Some(0 | 4)), "{}", said.err);
    assert!(said.out.contains("lab      target, cache unknown"), "{}", said.out);
    let path = only_run(results.path());
    assert!(!path.join("target/origin.csv").exists() && path.join("target/latency.hlog").exists());
    let bins = folder(&path, "target").read_bins().unwrap();
    assert!(bins.iter().all(|bin| bin.origin_starts.is_none()) && bins.iter().map(|b| b.unknown).sum::<u64>() > 50);
    let page = std::fs::read_to_string(path.join("report.html")).unwrap();
    assert!(page.contains("no ledger"), "the page says so");
}
