//! The gate of real runs, on real runs: the same thing passes; a disabled lock, a lock without its re-read, an origin that is
//! 30 % slower and a herd that is gone do not.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::common::{record, run, unspoiled};
use app::testing::redis;
use report::RunFolder;
use strategies::rng::Rng;

/// Short expiries, so that a short run has many.
const HOT: &str = "--scenario hotkey --lab local --quiet -w 1s --set cache.ttl=1s --noise no-such-folder";

/// Valid runs, each in its folder of `dir`, of its strategies, with its arguments; as many at once as may stand beside one another.
fn real<const N: usize>(dir: &Path, runs: [(&str, &str, &str); N]) -> [PathBuf; N] {
    let one = |(name, strategies, more): (&str, &str, &str)| {
        let (said, path) = unspoiled(&dir.join(name), |folder| {
            let places = ["--strategy", strategies, "-o", folder.to_str().unwrap()];
            run(&HOT.split(' ').chain(places).chain(more.split(' ')).collect::<Vec<_>>())
        });
        assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
        path
    };
    std::thread::scope(|threads| {
        let begun = runs.map(|run| threads.spawn(move || one(run)));
        begun.map(|run| run.join().unwrap())
    })
}

const MEMORY: &str = "-d 5s --cache memory";

/// Gives a strategy of a run the name and the composition of the baseline's: as if its code had changed.
fn disguise(run: &Path, strategy: &str, as_strategy: &str, spec: &str) {
    let mut edited = record(run);
    let one = edited.strategies.iter_mut().find(|one| one.name == strategy).unwrap();
    (one.name, one.spec) = (as_strategy.into(), spec.into());
    RunFolder::at(run).write_run(&edited).unwrap();
}

#[test]
fn the_same_thing_passes_and_what_is_broken_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let [base, again, unlocked, slow, tame, other] = real(
        dir.path(),
        [
            ("base", "naive,singleflight", MEMORY),
            ("again", "naive,singleflight", MEMORY),
            ("unlocked", "naive,coalesce", MEMORY),
            ("slow", "naive,singleflight", &format!("{MEMORY} --set origin.service_time=260ms")),
            ("tame", "coalesce,singleflight", MEMORY),
            ("other", "naive,singleflight", &format!("{MEMORY} -c 40")),
        ],
    );
    let baselines = dir.path().join("baselines");
    let gate = |path: &Path, more: &[&str]| {
        let args = ["gate", path.to_str().unwrap(), "--baseline", baselines.to_str().unwrap()];
        run(&[&args[..], more].concat())
    };
    let said = gate(&base, &[]);
    assert_eq!(said.code, Some(3), "{}", said.err);
    assert!(said.err.contains("no baseline"), "{}", said.err);
    let said = run(&["promote", base.to_str().unwrap(), "--baseline-dir", baselines.to_str().unwrap()]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.contains("hotkey.local.json: 2 strategies, 1 runs of each"), "{}", said.out);

    let said = gate(&again, &[]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    for words in ["passed", "too few runs for a test of times and totals: 1, needed at least 6"] {
        assert!(said.out.contains(words), "{words:?} in {}", said.out);
    }
    let bench: serde_json::Value =
        serde_json::from_slice(&std::fs::read(again.join("gate/bench.json")).unwrap()).unwrap();
    let total = crate::common::origin_of(crate::common::strategy(&record(&again), "naive")).total;
    let entry = bench.as_array().unwrap().iter().find(|one| one["name"] == "hotkey/local/naive/origin reads").unwrap();
    assert_eq!((&entry["value"], &entry["unit"]), (&(total as f64).into(), &"reads".into()));
    let junit = std::fs::read_to_string(again.join("gate/junit.xml")).unwrap();
    assert!(junit.contains("failures=\"0\"") && junit.contains("hotkey.singleflight"), "{junit}");
    // What Jenkins' xUnit schema (junit-10.xsd) wants of every suite.
    let suite = junit.lines().find(|line| line.contains("<testsuite ")).unwrap();
    for attribute in ["name=", "tests=", "failures=", "errors="] {
        assert!(suite.contains(&format!(" {attribute}\"")), "no {attribute} in {suite}");
    }
    let said = gate(&again, &["--strict-time"]);
    assert_eq!(said.code, Some(3));
    assert!(said.err.contains("too few runs to judge time"), "{}", said.err);

    // The lock is not taken any more.
    disguise(&unlocked, "coalesce", "singleflight", "plain + lock(lease=10s, poll=50ms)");
    regression(&gate(&unlocked, &[]), &unlocked, &["singleflight has 3.00 reads of the hot key an expiry"]);

    // The origin is slower than it was.
    let said = gate(&slow, &[]);
    regression(&said, &slow, &["the origin takes 26", "1.3"]);
    assert!(said.out.contains("origin.service_time is 260ms, in the baseline 200ms"), "{}", said.out);

    // Nobody needs the lab to show that a lock helps against nothing.
    disguise(&tame, "coalesce", "naive", "plain");
    regression(&gate(&tame, &[]), &tame, &["The herd is gone: naive", "the lab is broken"]);

    let said = gate(&other, &[]);
    assert_eq!(said.code, Some(3));
    for words in ["load.clients", "found 40", "needed 50", "plan_hash"] {
        assert!(said.err.contains(words), "{words:?} in {}", said.err);
    }
}

fn regression(said: &crate::common::Said, run: &Path, words: &[&str]) {
    assert_eq!(said.code, Some(10), "{}{}", said.out, said.err);
    let junit = std::fs::read_to_string(run.join("gate/junit.xml")).unwrap();
    let summary = std::fs::read_to_string(run.join("gate/summary.md")).unwrap();
    for words in words {
        assert!(said.out.contains(words), "{words:?} in {}", said.out);
        assert!(summary.contains(words), "{words:?} in {summary}");
        assert!(junit.contains(words), "{words:?} in {junit}");
    }
}

/// A way to a socket whose length changes: what comes is handed on after up to 6 ms, in order. Returns its address.
fn winding_way(to: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (number, near) in (0..).zip(listener.incoming().map_while(Result::ok)) {
            let far = UnixStream::connect(&to).unwrap();
            let back = (far.try_clone().unwrap(), near.try_clone().unwrap());
            std::thread::spawn(move || carry(near, far, &Rng::new(2 * number)));
            std::thread::spawn(move || carry(back.0, back.1, &Rng::new(2 * number + 1)));
        }
    });
    address
}

/// What is under way does not hold up what comes after it.
fn carry(mut from: impl Read, mut to: impl Write + Send + 'static, rng: &Rng) {
    let (send, under_way) = mpsc::channel::<(Instant, Vec<u8>)>();
    let writer = std::thread::spawn(move || {
        for (due, bytes) in under_way {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
    });
    let mut chunk = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        let due = Instant::now() + Duration::from_secs_f64(rng.next_unit() * 0.006);
        if send.send((due, chunk[..length].to_vec())).is_err() {
            break;
        }
    }
    drop(send);
    let _ = writer.join();
}

/// Between a look and the lock lies the way to the cache and back. Where ways differ in length a value may be stored and the
/// lock let go in between, and who does not look again reads the origin once more.
#[test]
fn a_lock_without_its_reread_fails() {
    let (Some(one), Some(other)) = (redis(&[]), redis(&[])) else { return };
    let dir = tempfile::tempdir().unwrap();
    let baselines = dir.path().join("baselines");
    let [one, other] = [&one, &other].map(|redis| {
        let way = winding_way(redis.url().trim_start_matches("redis+unix://").into());
        format!("-d 25s -c 40 --redis redis://{way}")
    });
    let [right, wrong] =
        real(dir.path(), [("right", "singleflight", &one), ("wrong", "broken-lock-no-reread", &other)]);
    disguise(&wrong, "broken-lock-no-reread", "singleflight", &record(&right).strategies[0].spec);
    let baselines = baselines.to_str().unwrap();
    assert_eq!(run(&["promote", right.to_str().unwrap(), "--baseline-dir", baselines]).code, Some(0));
    let said = run(&["gate", "--baseline", baselines, wrong.to_str().unwrap()]);
    regression(&said, &wrong, &["reads of the hot key an expiry, where the baseline has 1"]);
}
