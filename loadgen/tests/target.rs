//! `--target`: whatever answers HTTP, and whatever answers badly.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic here is a failed test")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use app::auth::ControlToken;
use app::origin::{OriginListeners, open};
use app::serve;
use common::{Said, alone, folder, only_run, origin_of, record, run, strategy};
use report::record::Run;

/// A server whose connections are each handed to `converse`; it ends with the test's process.
fn server(converse: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
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
fn head(stream: &mut TcpStream) -> Option<String> {
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
    let _alone = alone();
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
        ("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n".into(), |r| r.strategies[0].outcomes.shed, ""),
    ];
    for (answer, count, cache) in cases {
        let address = answers(answer.clone().leak());
        let (said, run) = drive(&format!("http://{address}/a/{{key}}"), &[]);
        let target = strategy(&run, "target");
        assert_eq!((said.code, target.valid), (Some(0), true), "{answer}: {:?} {}", target.invalid_because, said.err);
        assert!(target.requests > 20 && count(&run) == target.requests, "{answer}: {:?}", target.outcomes);
        assert_eq!((run.lab.as_str(), run.cache.as_str(), run.replicas), ("target", cache, 1), "{answer}");
        assert!(target.origin.is_none() && target.events.is_none() && target.ledgers.is_none());
        assert_eq!(target.hit_ratio.is_none(), target.outcomes.unknown > 0);
    }
}

#[test]
fn hostile_servers_end_as_counted_errors() {
    let cases: [(&str, SocketAddr, &str); 9] = [
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
        ("not found", answers("HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n"), "http-404"),
    ];
    for (what, address, kind) in cases {
        // The question before the load meets a better server: the load's first answer is what the test is about.
        let (said, run) = drive(&format!("http://{}/{{key}}", after_one_good_answer(address)), &[]);
        let target = strategy(&run, "target");
        assert_eq!(said.code, Some(0), "{what}: a server's errors make no run invalid: {:?}", target.invalid_because);
        assert!(target.requests >= 2 && target.errors == target.requests, "{what}: {:?}", target.outcomes);
        assert_eq!(target.error_kinds.keys().collect::<Vec<_>>(), [kind], "{what}");
    }
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
    let (_, run) = drive(&format!("http://{address}/"), &["--target", &format!("http://{address}/{{key}}")]);
    let target = strategy(&run, "target");
    assert!(target.errors == 0 && target.outcomes.unknown == target.requests, "{:?}", target.error_kinds);
    assert_eq!(run.replicas, 2);
}

/// The lab's own origin with its control listener, until the process ends.
fn origin(token: &ControlToken) -> (SocketAddr, SocketAddr) {
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
            let (_stop, shutdown) = serve::Shutdown::pair();
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
    let more = [&witness[..], &["--set", "origin.service_time=20ms"]].concat();
    let (said, run) = drive(&format!("http://{data}/items/{{key}}"), &more);
    let target = strategy(&run, "target");
    assert_eq!(said.code, Some(0), "{:?} {}", target.invalid_because, said.err);
    assert_eq!(origin_of(target).total, target.requests, "the ledger has what was sent, and the question before t = 0");
    assert!(target.errors == 0 && target.latency_ms.p50 >= Some(20.0), "{:?}", target.latency_ms);
    assert!(origin_of(target).floor.is_none() && run.clock_uncertainty_ns.is_some());
}

#[test]
fn a_report_of_a_target_says_what_is_not_known() {
    let _alone = alone();
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
