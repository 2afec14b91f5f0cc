//! Secrets in addresses: no message, record, page or chart has one, whatever place in the address it stood in.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use crate::common::{Said, beside, only_run, record, run};

const SECRET: &str = "SeCrEt7";

/// A server that answers every request well; it ends with the test's process.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let (mut tail, mut byte) = (Vec::new(), [0]);
                while stream.read(&mut byte).is_ok_and(|n| n == 1) {
                    tail.push(byte[0]);
                    if tail.ends_with(b"\r\n\r\n") {
                        tail.clear();
                        let answer = b"HTTP/1.1 200 OK\r\nCache-Status: c; hit\r\nContent-Length: 2\r\n\r\nok";
                        if stream.write_all(answer).is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    address
}

fn is_silent(said: &Said, what: &str) {
    for text in [&said.out, &said.err] {
        assert!(!text.contains(SECRET), "{what}: {text}");
    }
}

/// No file below a folder has the secret in its name or its bytes.
fn keeps_silent(folder: &Path, what: &str) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        assert!(!path.to_string_lossy().contains(SECRET), "{what}: {}", path.display());
        if path.is_dir() {
            files += keeps_silent(&path, what);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let has = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
        assert!(!has, "{what}: {} has it", path.display());
        files += 1;
    }
    files
}

/// A short run, whose output and records have no secret.
fn short(how: &[&str], what: &str) {
    let _beside = beside();
    let results = tempfile::tempdir().unwrap();
    let common = ["--scenario", "hotkey", "-w", "1s", "-d", "1s", "--set", "load.think=20ms", "-c", "2"];
    let said = run(&[&common[..], &["-o", results.path().to_str().unwrap()], how].concat());
    assert!(matches!(said.code, Some(0 | 4 | 99)), "{what}: {}", said.err);
    is_silent(&said, what);
    let path = only_run(results.path());
    assert!(keeps_silent(&path, what) > 8, "{what}: there are records and charts to look at");
    assert!(record(&path).command.contains('…'), "{what}: what was left out is marked");
    is_silent(&run(&["report", path.to_str().unwrap(), "--format", "json"]), what);
    is_silent(&run(&["check", path.to_str().unwrap()]), what);
}

#[test]
fn a_targets_query_is_sent_and_kept_nowhere() {
    let url = format!("http://{}/items/{{key}}?api_key={SECRET}", server());
    short(&["--target", &url], "a query");
}

#[test]
fn a_redis_password_is_used_and_kept_nowhere() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let given = ["--requirepass", SECRET, "--port", &port, "--bind", "127.0.0.1"];
    let Some(redis) = app::testing::redis(&given) else { return };
    for url in [format!("redis://:{SECRET}@127.0.0.1:{port}/0"), format!("{}?pass={SECRET}", redis.url())] {
        short(&["--strategy", "swr", "--redis", &url], &url);
    }
}

#[test]
fn no_refusal_repeats_a_secret() {
    for (flag, value) in [
        ("--redis", format!("redis://:{SECRET}@192.0.2.1:6379")),
        ("--redis", format!("redis://127.0.0.1:1/0?password={SECRET}")),
        ("--redis", format!("redis+unix:///no/such/socket?pass={SECRET}")),
        ("--redis", format!("redis://:a/{SECRET}@host")),
        ("--redis", format!("rediss://me:{SECRET}@h")),
        ("--redis", SECRET.to_owned()),
        ("--redis", format!("redis://127.0.0.1:{SECRET}")),
        ("--rediss", format!("redis://:{SECRET}@h")),
        ("--target", format!("http://me:{SECRET}@127.0.0.1/{{key}}")),
        ("--target", format!("https://127.0.0.1/{{key}}?api_key={SECRET}")),
        ("--target", format!("http://192.0.2.1/{{key}}?api_key={SECRET}")),
        ("--target", format!("http://127.0.0.1:1/{{key}}?api_key={SECRET}")),
        ("--target", format!("http://127.0.0.1:1/{{key}}?a b={SECRET}")),
        ("--target", format!("http://127.0.0.1:1/{{key}}#{SECRET}")),
    ] {
        let results = tempfile::tempdir().unwrap();
        let at = results.path().to_str().unwrap();
        let said = run(&["--scenario", "hotkey", "-w", "1s", "-d", "1s", "-o", at, flag, &value]);
        assert!(matches!(said.code, Some(1 | 2)), "{value}: {:?} {}", said.code, said.err);
        is_silent(&said, &value);
    }
}

/// What is in a file that was named, too: it is the wrong one, or no file of its kind.
#[test]
fn no_refusal_repeats_what_is_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    for text in [
        SECRET.to_owned(),
        format!("-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n"),
        format!("-----BEGIN CERTIFICATE-----\n{SECRET}\n-----END CERTIFICATE-----\n"),
    ] {
        std::fs::write(&file, &text).unwrap();
        let at = file.to_str().unwrap();
        for flags in [
            &["--tls-ca", at][..],
            &["--tls-cert", at, "--tls-key", at],
            &["--password-file", at, "--tls-name", "no name"],
            &["--password-file", at],
        ] {
            let output = folder.path().join("results");
            let url = ["--scenario", "hotkey", "-w", "0s", "-d", "1s", "--redis", "rediss://127.0.0.1:1", "-o"];
            let said = run(&[&url[..], &[output.to_str().unwrap()], flags].concat());
            assert!(matches!(said.code, Some(1 | 2)), "{flags:?}: {:?} {}", said.code, said.err);
            is_silent(&said, &format!("{flags:?}"));
            is_silent(&run(&[&["diagnose", "rediss://127.0.0.1:1"], flags].concat()), &format!("diagnose {flags:?}"));
        }
    }
}

#[test]
fn a_redis_that_is_not_this_machine_needs_its_owners_word() {
    let said = run(&["--scenario", "hotkey", "--redis", "redis://192.0.2.1:6379", "--dry-run"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(said.err.contains("a Redis that is not loopback · --redis redis://192.0.2.1:6379"), "{}", said.err);
    assert!(said.err.contains("add --i-own-this-target"), "{}", said.err);
    let said = run(&["--scenario", "hotkey", "--redis", "redis://192.0.2.1:6379", "--dry-run", "--i-own-this-target"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
}
