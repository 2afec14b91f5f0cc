//! What the recorder holds does not grow with the number of requests.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic here is a failed test")]
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use loadgen::measure::Floor;
use loadgen::record::{Answer, Asked, Collector};
use report::{HlogHeader, RunFolder};
use strategies::Outcome;

const SECOND_NS: i64 = 1_000_000_000;

/// Records a minute of so many requests a second, log and floor included, as a run does.
fn record_a_minute(per_second: i64) {
    let folder = tempfile::tempdir().unwrap();
    let files = RunFolder::at(folder.path()).strategy("naive").unwrap();
    let floor = Floor::new(10, Duration::from_millis(200), Duration::from_secs(5), Duration::ZERO);
    let collector = Collector::start(1, Some(floor)).unwrap();
    let header = HlogHeader { warmup_began: SystemTime::UNIX_EPOCH, t0_offset_ms: 0 };
    collector.begin(files.begin_latency(header).unwrap());
    collector.warm(BTreeMap::new());
    let mut recorder = collector.recorder(0);
    for n in 0..60 * per_second {
        let intended_ns = n * (SECOND_NS / per_second);
        let asked = Asked { intended_ns, key: 1, hot: true };
        recorder.offer(&asked);
        let (outcome, error, flight) = (Some(Outcome::Hit), None, None);
        let (sent_ns, done_ns) = (intended_ns, intended_ns + 400_000);
        recorder.answer(
            &asked,
            Answer {
                sent_ns,
                done_ns,
                outcome,
                error,
                flight,
                overage_us: 0,
                moved_on: false,
                resent: 0,
                attempts: 1,
                unpaid: false,
            },
        );
        if n % per_second == 0 {
            recorder.roll(intended_ns);
        }
    }
    recorder.finish(59);
    let collected = collector.collected().unwrap().unwrap();
    assert_eq!(collected.sent, (60 * per_second) as u64);
    assert_eq!(collected.floor, Some(12), "5.2 s apart");
    collected.log.unwrap().commit().unwrap();
}

/// The most memory that this process has had, MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn thousands_of_requests_or_millions_take_the_same_memory() {
    record_a_minute(100);
    let few = peak_mib();
    record_a_minute(200_000);
    // Kept one by one, twelve million arrivals would be 180 MiB. (Up to 110 may be seconds that wait for the collector,
    // which is slower here than sixty seconds are.)
    let more = peak_mib() - few;
    assert!(more < 50, "{more} MiB more than {few} for 2000 times as many requests");
}
