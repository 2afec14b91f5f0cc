//! Servers of a simulated cluster that take each other's place: what theory says of slots that move, and how long a primary is missed.

use report::record::{Run, TakeoverSums};

use crate::common::{only_run, record, run, strategy};

fn simulate(args: &[&str]) -> Run {
    let results = tempfile::tempdir().unwrap();
    let said = run(&[&["--lab", "sim", "--quiet", "-o", results.path().to_str().unwrap()], args].concat());
    assert!(matches!(said.code, Some(0 | 99)), "{}{}", said.out, said.err);
    record(&only_run(results.path()))
}

fn takeovers<'a>(run: &'a Run, name: &str) -> &'a TakeoverSums {
    let strategy = strategy(run, name);
    assert!(strategy.valid, "{name}: {:?}", strategy.invalid_because);
    strategy.takeovers.as_ref().unwrap()
}

const READS: &str = "plain + batch(mode=pipeline) + lock";
const PAGES: &str = "plain + batch(mode=mget) + lock";

/// A key that has gone costs a second round trip, half of the keys have on average, and of three keys some have and some have not with
/// probability 1 − q³ − (1 − q)³, on average a half.
#[test]
fn the_slot_that_everybody_asks_for_costs_half_of_its_readers_a_second_round_trip() {
    let run = simulate(&["--scenario", "cluster-hot-slot", "-r", "1000/s"]);
    let moved = takeovers(&run, READS);
    let share = moved.ask_share.unwrap();
    assert!((share - 0.5).abs() < 0.05, "{moved:?}");
    assert!((moved.ask_p50_times.unwrap() - 2.0).abs() < 0.15, "{moved:?}");
    let pages = takeovers(&run, PAGES);
    assert!(strategy(&run, PAGES).shards.as_ref().unwrap().try_again > 500, "{pages:?}");
    assert!(pages.failed > 100, "whoever waits for a slot that moves for longer than a command may take: {pages:?}");
    let run = simulate(&["--scenario", "cluster-hot-slot", "-r", "1000/s", "--set", "event.how=atomic"]);
    for name in [READS, PAGES] {
        let at_once = takeovers(&run, name);
        let shards = strategy(&run, name).shards.clone().unwrap();
        assert_eq!((at_once.ask_share, shards.ask, shards.try_again, at_once.failed), (Some(0.0), 0, 0, 0));
        assert_eq!(shards.moved, 3, "each replica hears once");
    }
}

#[test]
fn a_thousand_slots_that_move_send_hardly_anybody_elsewhere() {
    let run = simulate(&["--scenario", "cluster-reshard", "-r", "5000/s", "--strategy", "plain + lock"]);
    let shards = strategy(&run, "plain + lock").shards.clone().unwrap();
    // A half of one in 16 384 of the requests of the two seconds that it takes.
    assert!(shards.ask <= 5 && shards.try_again == 0, "{shards:?}");
    assert!((3..=3000).contains(&shards.moved), "{shards:?}");
    assert_eq!(shards.told, Some(shards.moved + shards.ask));
}

/// The times of systems.md S4.7: of a cluster 2.2, 3.4 and 7.9 s, under Sentinel 1.44 and 5.39 s.
#[test]
fn a_primary_is_missed_for_as_long_as_was_measured_and_nobody_holds_a_lock_twice() {
    const NAME: &str = "plain + coalesce + lock";
    for (shards, set, seconds) in [
        ("3", "cache.redis.cluster-node-timeout=1000", 2.2),
        ("3", "cache.redis.cluster-node-timeout=2000", 3.4),
        ("3", "cache.redis.cluster-node-timeout=5000", 7.9),
        ("1", "cache.redis.down-after-milliseconds=1000", 1.44),
        ("1", "cache.redis.down-after-milliseconds=5000", 5.39),
    ] {
        let shards = format!("cache.simulated.shards={shards}");
        let args = ["--scenario", "cache-failover", "--strategy", NAME, "--set", &shards, "--set", set];
        let run = simulate(&args);
        let lost = takeovers(&run, NAME);
        assert!((lost.took_ms_max / 1e3 / seconds - 1.0).abs() < 0.2, "{set}: {lost:?}");
        assert!(lost.failed > 100 && lost.led > 100 && lost.led_twice == 0, "{set}: {lost:?}");
    }
    // Without a lock every replica reads for itself.
    let run = simulate(&["--scenario", "cache-failover", "--strategy", "plain + coalesce"]);
    assert!(takeovers(&run, "plain + coalesce").led_twice > 50);
    // One that goes on before it is missed has lost nothing.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("short.toml");
    let text =
        run_shown("cache-failover").replace("do = \"cache-failover\"", "do = \"cache-failover\"\nfor = \"500ms\"");
    std::fs::write(&file, text).unwrap();
    let run = simulate(&["--scenario", file.to_str().unwrap(), "--strategy", NAME]);
    let stood_still = takeovers(&run, NAME);
    assert!((stood_still.took_ms_max - 500.0).abs() < 1.0 && stood_still.puts_lost == 0, "{stood_still:?}");
}

fn run_shown(name: &str) -> String {
    run(&["show", name]).out
}

#[test]
fn which_slots_move_is_said_once_and_only_to_a_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    let refused = |event: &str, lab: &[&str]| {
        std::fs::write(&file, run_shown("hotkey") + "\n[[event]]\nat = \"1s\"\n" + event).unwrap();
        let said = run(&[&["--scenario", file.to_str().unwrap()], lab].concat());
        assert_eq!(said.code, Some(2), "{event}: {}", said.out);
        said.err
    };
    for (event, words) in [
        ("do = \"cluster-migrate\"\n", "neither is there"),
        ("do = \"cluster-migrate\"\nslots = 5\nkey = 1\n", "both are there"),
        ("do = \"cluster-migrate\"\nslots = 9000\n", "8192"),
        ("do = \"cluster-migrate\"\nkey = 1\nhow = \"fast\"\n", "legacy, atomic"),
        ("do = \"flush\"\nslots = 5\n", "cluster-migrate"),
    ] {
        let said = refused(event, &["--lab", "sim"]);
        assert!(said.contains(words), "{event}: {words:?} is not in {said}");
    }
    let said = refused("do = \"cluster-migrate\"\nkey = 1\n", &["--lab", "sim"]);
    assert!(said.contains("cache.simulated.shards"), "{said}");
    let said = refused("do = \"cluster-migrate\"\nkey = 1\n", &["--lab", "local", "--cache", "memory"]);
    assert!(said.contains("--cache cluster"), "{said}");
}
