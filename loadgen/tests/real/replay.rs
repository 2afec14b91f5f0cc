//! Traces as loads in real time: every request of the file is sent, in the local lab and to a server that counts.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::common::{assert_ended, folder, only_run, origin_of, record, run, seconds, sound, unspoiled};

/// A trace of 600 requests in two seconds for 13 keys, of which every hundredth writes where it may.
fn trace(at: &std::path::Path, writes: bool) -> (String, BTreeMap<usize, u64>) {
    let (mut names, mut counts) = (Vec::new(), BTreeMap::new());
    let mut text = String::new();
    for n in 0..600_usize {
        let name = n * n % 13;
        let number = names.iter().position(|known| *known == name).unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        });
        *counts.entry(number + 1).or_default() += 1;
        let op = if writes && n % 100 == 50 { "set" } else { "get" };
        text += &format!("{}.{:04},secret-{name},{op}\n", n / 300, n % 300 * 33);
    }
    let file = at.join("trace.csv");
    std::fs::write(&file, text).unwrap();
    (file.to_str().unwrap().to_owned(), counts)
}

#[test]
fn the_local_lab_sends_every_request_of_a_trace() {
    let at = tempfile::tempdir().unwrap();
    let (file, counts) = trace(at.path(), true);
    let args = [
        "--scenario",
        "hotkey-open",
        "--lab",
        "local",
        "--cache",
        "memory",
        "--strategy",
        "plain + invalidate + lock",
        "-w",
        "0s",
    ];
    let (said, path) = unspoiled(&at.path().join("runs"), |into| {
        run(&[&args[..], &["--trace", &file, "-o", into.to_str().unwrap()]].concat())
    });
    assert_ended(&said, &path, &[0]);
    let run = record(&path);
    let strategy = &run.strategies[0];
    assert!(sound(strategy), "{:?}", strategy.invalid_because);
    assert_eq!((strategy.requests, strategy.errors), (600 - 6, 0));
    assert_eq!(strategy.writes.as_ref().unwrap().sent, 6);
    // In the seconds that the trace has them in.
    let offered: Vec<u64> = seconds(&path, &strategy.folder).iter().map(|row| row.offered).collect();
    assert_eq!(offered, [297, 297]);
    // Every key was read once at least, and no other.
    let read: std::collections::BTreeSet<String> =
        folder(&path, &strategy.folder).read_origin().unwrap().into_iter().map(|row| row.key).collect();
    assert_eq!(read.len(), counts.len(), "{read:?}");
    assert!(origin_of(strategy).total >= counts.len() as u64);
}

#[test]
fn a_target_gets_every_request_of_a_trace_once() {
    let at = tempfile::tempdir().unwrap();
    let (file, counts) = trace(at.path(), false);
    let (listener, seen) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), Arc::new(Mutex::new(BTreeMap::<usize, u64>::new())));
    let url = format!("http://{}/a/{{key}}", listener.local_addr().unwrap());
    let counting = Arc::clone(&seen);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let seen = Arc::clone(&counting);
            std::thread::spawn(move || {
                let (mut head, mut byte) = (Vec::new(), [0]);
                while stream.read(&mut byte).is_ok_and(|n| n > 0) {
                    head.push(byte[0]);
                    if head.ends_with(b"\r\n\r\n") {
                        let text = String::from_utf8(std::mem::take(&mut head)).unwrap();
                        let key = text.strip_prefix("GET /a/").unwrap().split(' ').next().unwrap().parse().unwrap();
                        *seen.lock().unwrap().entry(key).or_default() += 1;
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
                    }
                }
            });
        }
    });
    let (said, path) = unspoiled(&at.path().join("runs"), |into| {
        seen.lock().unwrap().clear();
        run(&[
            "--scenario",
            "hotkey-open",
            "--target",
            &url,
            "--trace",
            &file,
            "-w",
            "0s",
            "-o",
            into.to_str().unwrap(),
        ])
    });
    assert_ended(&said, &path, &[0]);
    assert_eq!(record(&path).strategies[0].requests, 600);
    let mut seen = seen.lock().unwrap().clone();
    // The first question, before the load, is for an item that the load does not ask for.
    assert_eq!(seen.remove(&(counts.len() + 1)), Some(1));
    assert_eq!(seen, counts);
    assert_eq!(only_run(path.parent().unwrap()), path);
}
