//! What spoils a measurement from outside makes the run invalid, whatever its load is paced by: a lab that stood still, a cache
//! that somebody else empties, a clock that is set, a Redis that lets nobody listen. The real program, real signals, a real Redis.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::common::{Said, beside, loadgen, only_run, record, signal};
use app::cache::redis_server::PrivateRedis;
use app::testing::{needed, redis};
use report::record::Strategy;

/// A closed loop of ten clients.
const CLOSED: [&str; 8] = ["--scenario", "hotkey", "-w", "0s", "-c", "10", "--set", "cache.ttl=1s"];

/// A child whose load has begun.
fn loaded(mut command: Command) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut child = command.spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("1/") {
        line.clear();
        assert!(err.read_line(&mut line).unwrap() > 0, "it ended before its first strategy");
    }
    (child, err)
}

fn ended((mut child, mut err): (Child, BufReader<std::process::ChildStderr>)) -> Said {
    let mut rest = String::new();
    err.read_to_string(&mut rest).unwrap();
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    Said { code: child.wait().unwrap().code(), out, err: rest }
}

/// The only strategy that was run.
fn only(results: &Path) -> Strategy {
    record(&only_run(results)).strategies.remove(0)
}

fn doubt<'a>(strategy: &'a Strategy, words: &str) -> &'a str {
    let found = strategy.invalid_because.iter().find(|why| why.contains(words));
    found.unwrap_or_else(|| panic!("{words:?} is not in {:?}", strategy.invalid_because))
}

#[test]
fn a_lab_that_stood_still_is_invalid_in_a_closed_loop_too() {
    let _beside = beside();
    let results = tempfile::tempdir().unwrap();
    let more = ["--strategy", "coalesce", "-d", "5s", "--cache", "memory", "-o", results.path().to_str().unwrap()];
    let run = loaded(loadgen(&[&CLOSED[..], &more].concat()));
    signal(&run.0, "STOP");
    std::thread::sleep(Duration::from_millis(1500)); // the stall itself
    signal(&run.0, "CONT");
    let said = ended(run);
    assert_eq!(said.code, Some(4), "{}{}", said.out, said.err);
    let coalesce = only(results.path());
    let why = doubt(&coalesce, "stood still: generator for ");
    assert!(why.contains("replica-0 for ") && why.contains("(at most 250 ms)"), "{why}");
    let conditions = coalesce.conditions.unwrap();
    for part in ["generator", "replica-0", "replica-1", "replica-2", "origin"] {
        assert!(conditions.silent_ms[part] >= 1400.0, "{part}: {:?}", conditions.silent_ms);
        assert_eq!(conditions.clock_step_ms[part], 0.0, "the clocks went on together");
    }
}

/// Says a Redis command by hand, as somebody else would.
fn redis_says(redis: &PrivateRedis, command: &str) -> Option<String> {
    let mut stream = UnixStream::connect(redis.url().strip_prefix("redis+unix://")?).ok()?;
    std::io::Write::write_all(&mut stream, format!("{command}\r\n").as_bytes()).ok()?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn a_cache_that_stands_still_or_that_somebody_else_empties_makes_a_run_invalid() {
    let _beside = beside();
    let Some(redis) = redis(&[]) else { return };
    let url = redis.url();
    let args = |results: &Path| -> Vec<String> {
        let more = ["--strategy", "singleflight", "-d", "4s", "--redis", &url, "-o", results.to_str().unwrap()];
        [&CLOSED[..], &more].concat().into_iter().map(str::to_owned).collect()
    };
    let child = |results: &Path| {
        let args = args(results);
        loaded(loadgen(&args.iter().map(String::as_str).collect::<Vec<_>>()))
    };

    let results = tempfile::tempdir().unwrap();
    let stopped = child(results.path());
    let pid = redis.pid().unwrap().to_string();
    let kill = |name: &str| assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    kill("-STOP");
    std::thread::sleep(Duration::from_millis(1000)); // the stall itself
    kill("-CONT");
    ended(stopped);
    let still = only(results.path());
    assert!(doubt(&still, "stood still").contains("cache for "), "{:?}", still.invalid_because);
    let conditions = still.conditions.unwrap();
    assert!(conditions.silent_ms["cache"] >= 800.0, "{conditions:?}");
    assert_eq!(conditions.sentinel_lost, Some(0), "its entry outlived the stall");

    let results = tempfile::tempdir().unwrap();
    let emptied = child(results.path());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                assert_eq!(redis_says(&redis, "FLUSHALL").as_deref(), Some("+OK\r\n"));
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        let said = ended(emptied);
        over.store(true, Ordering::Relaxed);
        assert_eq!(said.code, Some(4), "{}{}", said.out, said.err);
    });
    let emptied = only(results.path());
    doubt(&emptied, "somebody else emptied the cache: the lab's own entry had gone ");
    assert!(emptied.conditions.unwrap().sentinel_lost > Some(2));
}

#[test]
fn a_redis_that_lets_nobody_listen_any_more_is_no_wake_up() {
    let _beside = beside();
    let Some(redis) = redis(&[]) else { return };
    let user = "ACL SETUSER lab on +@all ~* &* >password-of-the-test";
    assert_eq!(redis_says(&redis, user).as_deref(), Some("+OK\r\n"));
    let url = format!("{}?user=lab&pass=password-of-the-test", redis.url());
    let child = |results: &Path| {
        let more = ["--strategy", "plain + lock(wake=notify)", "-d", "5s", "--redis", &url, "-o"];
        loaded(loadgen(&[&CLOSED[..], &more, &[results.to_str().unwrap()]].concat()))
    };
    let results = tempfile::tempdir().unwrap();
    let woken = child(results.path());
    ended(woken);
    assert!(only(results.path()).conditions.unwrap().wakes_lost < Some(5), "with its rights it is one");

    let results = tempfile::tempdir().unwrap();
    let polling = child(results.path());
    // What is tried before the run has gone well.
    assert_eq!(redis_says(&redis, "ACL SETUSER lab resetchannels").as_deref(), Some("+OK\r\n"));
    let said = ended(polling);
    assert_eq!(said.code, Some(4), "{}{}", said.out, said.err);
    let polled = only(results.path());
    doubt(&polled, "messages between replicas could not be heard or sent: waiters polled");
    assert!(polled.conditions.unwrap().wakes_lost > Some(5));
}

/// Debian's `faketime`, which sets the clock of one process.
fn faketime() -> Option<PathBuf> {
    let architectures = std::fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    architectures.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1")).find(|library| library.exists())
}

#[test]
fn a_wall_clock_that_is_set_makes_a_run_invalid() {
    let _beside = beside();
    let Some(library) = needed("faketime", faketime) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (clock, results) = (folder.path().join("clock"), folder.path().join("results"));
    std::fs::write(&clock, "+0").unwrap();
    let more = ["--strategy", "coalesce", "-d", "5s", "--cache", "memory", "-o", results.to_str().unwrap()];
    let mut command = loadgen(&[&CLOSED[..], &more].concat());
    command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", &clock);
    command.env("FAKETIME_CACHE_DURATION", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let run = loaded(command);
    std::fs::write(&clock, "-30").unwrap();
    let said = ended(run);
    assert_eq!(said.code, Some(4), "{}{}", said.out, said.err);
    let set = only(&results);
    doubt(&set, "the wall clock was set, and TTLs go by it: generator by -30000 ms");
    let conditions = set.conditions.unwrap();
    assert!(conditions.clock_step_ms.values().all(|by| (29_990.0..30_010.0).contains(by)), "{conditions:?}");
}
