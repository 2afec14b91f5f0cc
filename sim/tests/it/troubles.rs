//! Every event of a scenario does what it says, and no trouble costs a request its one outcome.

use crate::common::{Tally, run, scenario};
use scenarios::{OnDown, Scenario};
use sim::SimulationResult;
use strategies::Outcome;

/// One key, a request each 10 ms, TTL 1 s, origin 200 ms, 10 s; and one event.
fn steady(event: &str) -> Scenario {
    let text = r#"
schema = 1
name = "steady"
strategies = ["naive"]
[load]
rate = "100/s"
arrivals = "constant"
warmup = "1s"
duration = "10s"
[keys]
kind = "single"
[cache]
ttl = "1s"
[origin]
service_time = "200ms"
"#;
    let events: String = event
        .split(" | ")
        .filter(|e| !e.is_empty())
        .map(|e| format!("[[event]]\n{}\n", e.replace("; ", "\n")))
        .collect();
    scenario(&format!("{text}{events}"), &[])
}

/// Runs it and checks what holds whatever happens: each request has one outcome, and nothing is left behind.
fn checked(event: &str, spec: &str) -> (Tally, SimulationResult) {
    let (tally, simulated) = run(&steady(event), spec, 3, 7, Tally::default());
    assert_eq!(tally.offered, tally.answered, "{event}: every request has exactly one outcome");
    assert_eq!(simulated.not_quiet, 0, "{event}: nothing is left behind");
    assert_eq!(tally.requests, 1000);
    assert!(tally.ledger.iter().all(|read| read.end.is_some()));
    (tally, simulated)
}

fn count(tally: &Tally, outcome: Outcome) -> u64 {
    tally.outcomes[outcome as usize]
}

#[test]
fn without_trouble_the_lock_reads_once_in_ttl_and_service_time() {
    let (tally, simulated) = checked("", "singleflight");
    assert_eq!(tally.kinds, [] as [(String, u64); 0]);
    assert_eq!(simulated.happened, []);
    // 10 s by 1.2 s and a little.
    assert!((8..=9).contains(&tally.measured_reads), "{}", tally.measured_reads);
}

#[test]
fn an_entry_is_expired_and_a_cache_is_flushed() {
    for event in [
        r#"at = "5500ms"; do = "expire"; key = 1"#,
        r#"at = "5500ms"; do = "expire""#,
        r#"at = "5500ms"; do = "flush""#,
    ] {
        let (tally, simulated) = checked(event, "singleflight");
        let at = simulated.happened[0].at;
        assert_eq!(at.since(simulated.t0).as_millis(), 5500);
        let next = tally.ledger.iter().find(|read| read.arrived >= at).unwrap();
        assert!(next.arrived.since(at).as_millis() <= 11, "{event}: the next request reads the origin");
    }
}

#[test]
fn an_origin_is_slow_fails_and_stands_still() {
    let (tally, _) = checked(r#"at = "3s"; do = "origin-slow"; factor = 5; for = "2s""#, "singleflight");
    let longest = tally.ledger.iter().map(|read| read.end.unwrap().since(read.arrived)).max().unwrap();
    assert_eq!(longest.as_millis(), 1000);

    let (tally, _) = checked(r#"at = "3s"; do = "origin-fail"; for = "2s""#, "singleflight");
    assert!(tally.kind("http-502") > 20, "{:?}", tally.kinds);
    assert_eq!(count(&tally, Outcome::Error), tally.kind("http-502"));

    let (tally, _) = checked(r#"at = "3s"; do = "origin-pause"; for = "2s""#, "singleflight");
    let longest = tally.ledger.iter().map(|read| read.start.unwrap().since(read.arrived)).max().unwrap();
    assert!((1000..2000).contains(&longest.as_millis()), "{longest:?}");
}

#[test]
fn a_cache_that_is_gone_is_an_error_for_nobody_and_the_lock_coalesces_meanwhile() {
    let (tally, _) = checked(r#"at = "3s"; do = "cache-stop"; for = "2s""#, "singleflight");
    assert_eq!(count(&tally, Outcome::Error), 0, "{:?}", tally.kinds);
    // Each replica reads for itself, one read after the other: 2 s by 0.2 s, times 3.
    let during = tally.reads_between(3000, 5000);
    assert!((24..=33).contains(&during), "{during}");
    assert!(tally.events_like("LockFallback") > 100);
    assert!(tally.reads_between(5300, 10_000) <= 5);
}

#[test]
fn a_cache_that_stands_still_times_out_and_then_carries_out_what_came() {
    let (tally, _) = checked(r#"at = "3s"; do = "cache-pause"; for = "1s""#, "singleflight");
    assert_eq!(count(&tally, Outcome::Error), 0, "{:?}", tally.kinds);
    assert!(tally.events_like("Slow") > 100, "each operation gives up after its 100 ms");
    assert!(tally.reads_between(4500, 10_000) <= 5, "and then all is well again");
}

#[test]
fn a_restarted_cache_is_empty() {
    let (tally, simulated) = checked(r#"at = "5500ms"; do = "cache-restart""#, "singleflight");
    let at = simulated.happened[0].at;
    assert!(tally.ledger.iter().any(|read| read.arrived >= at && read.arrived.since(at).as_millis() <= 11));
}

#[test]
fn a_slow_cache_costs_its_latency_and_beyond_the_budget_its_use() {
    let (tally, _) = checked(r#"at = "3s"; do = "cache-latency"; add = "50ms"; for = "2s""#, "singleflight");
    assert!(tally.longest_hit_ns > 50_000_000 && tally.longest_hit_ns < 60_000_000, "{}", tally.longest_hit_ns);
    assert_eq!(tally.events_like("Slow"), 0);
    let (tally, _) = checked(r#"at = "3s"; do = "cache-latency"; add = "150ms"; for = "2s""#, "singleflight");
    assert!(tally.events_like("Slow") > 100);
}

#[test]
fn a_replica_that_is_cut_off_reads_for_itself_and_harms_no_other() {
    let (tally, simulated) =
        checked(r#"at = "3s"; do = "network-cut"; target = "replica-1"; for = "2s""#, "singleflight");
    assert_eq!(simulated.happened[0].replica, Some(1));
    assert_eq!(count(&tally, Outcome::Error), 0, "{:?}", tally.kinds);
    let by = |replica: u16| tally.reads_of(3000, 5000).filter(|read| read.replica == replica).count();
    assert!(by(1) >= 4, "{}", by(1));
    assert!(by(0) + by(2) <= 3, "{} {}", by(0), by(2));
    let (tally, _) = checked(r#"at = "3s"; do = "network-cut"; for = "2s""#, "singleflight");
    assert!(tally.reads_between(3000, 5000) >= 12);
}

#[test]
fn a_killed_replicas_clients_move_on_until_it_is_started_anew_with_another_name() {
    let events = r#"at = "3s"; do = "replica-kill"; target = "replica-1" | at = "5s"; do = "replica-restart"; target = "replica-1""#;
    let (tally, _) = checked(events, "coalesce");
    // A third of two seconds' requests.
    assert!((64..=68).contains(&tally.moved_on), "{}", tally.moved_on);
    assert_eq!(tally.kind("refused"), 0, "{:?}", tally.kinds);
    assert_eq!(count(&tally, Outcome::Error), tally.kind("reset"));
    let mut names: Vec<u64> =
        tally.ledger.iter().filter(|read| read.replica == 1).map(|read| read.flight.incarnation).collect();
    names.dedup();
    assert_eq!(names.len(), 2);
}

#[test]
fn clients_that_do_not_move_on_are_refused_and_so_are_all_where_nobody_is_left() {
    let fails = r#"at = "3s"; do = "replica-kill"; target = "replica-1""#;
    let mut scenario = steady(fails);
    scenario.load.on_down = OnDown::Fail;
    let (tally, _) = run(&scenario, "naive", 3, 7, Tally::default());
    assert_eq!(tally.moved_on, 0);
    assert!((225..=240).contains(&tally.kind("refused")), "a third of seven seconds': {:?}", tally.kinds);

    let all =
        ["replica-0", "replica-1", "replica-2"].map(|r| format!(r#"at = "3s"; do = "replica-kill"; target = "{r}""#));
    let (tally, _) = checked(&all.join(" | "), "naive");
    assert_eq!(tally.moved_on, 0, "those who found nobody have not moved on");
    assert!(tally.kind("refused") >= 695, "{:?}", tally.kinds);
}

#[test]
fn a_paused_replicas_requests_wait_and_its_lock_ends_without_it() {
    // The hot key expires at about 3.6 s; the replica that leads then stands still for 3 s.
    let (tally, simulated) =
        checked(r#"at = "3700ms"; do = "replica-pause"; target = "lock-holder"; for = "3s""#, "plain + lease");
    assert!(simulated.happened[0].replica.is_some());
    assert_eq!(count(&tally, Outcome::Error), 0, "{:?}", tally.kinds);
    // The lease of 1 s is not renewed by one who stands still: another takes over well before he wakes.
    let by_others = tally.reads_of(4000, 6700).filter(|read| Some(read.replica) != simulated.happened[0].replica);
    assert!(by_others.count() >= 1);
}

#[test]
fn of_two_pauses_that_overlap_the_longer_one_decides() {
    let pause = |at: &str, length: &str| {
        format!(r#"at = "{at}"; do = "replica-pause"; target = "replica-1"; for = "{length}""#)
    };
    let events = format!("{} | {}", pause("3s", "2s"), pause("3500ms", "500ms"));
    let (tally, _) = checked(&events, "coalesce");
    assert!((1_900_000_000..2_100_000_000).contains(&tally.longest_hit_ns), "{}", tally.longest_hit_ns);
}

/// Wherever in its work the leader dies, the others go on: the key is read again within the lock's life, every request
/// has its outcome, and nothing is left behind.
#[test]
fn a_leader_may_die_at_any_await() {
    let mut ends = std::collections::BTreeSet::new();
    for step in 0..125_u32 {
        // From before an expiry to after the refill, 2 ms at a time: acquire, re-read, load, put, release.
        let at = 3780 + 2 * step;
        let event = format!(r#"at = "{at}ms"; do = "replica-restart"; target = "lock-holder""#);
        for spec in ["plain + lease", "xfetch + coalesce + lock(lease=2s) + jitter(0.1)"] {
            let (tally, simulated) = checked(&event, spec);
            ends.insert(tally.events_like("Vanished"));
            let hit = simulated.happened[0].replica.unwrap();
            let late = tally.longest_gap_ms(3500, 10_000);
            assert!(late < 3500, "{spec}, {at} ms, replica {hit}: no read for {late} ms");
            assert_eq!(tally.kind("reset"), count(&tally, Outcome::Error), "{:?}", tally.kinds);
        }
    }
    assert!(ends.len() > 1, "some died idle and some at work: {ends:?}");
}
