//! Ramps of a closed load's clients, as their user writes them: what is refused, and what a whole simulated run makes of them.

use crate::common::{only_run, record, run, seconds};

const OK: &str = "load.ramp=[{ at = \"5s\", clients = 80, over = \"20s\" }]";

/// (scenario, ramp, what standard error must have)
const CASES: &[(&str, &str, &[&str])] = &[
    (
        "hotkey-open",
        "at = \"5s\", clients = 80, over = \"20s\"",
        &["`clients` does not belong here", "allowed clients only with load.clients", "missing field `to`"],
    ),
    (
        "hotkey",
        "at = \"5s\", to = \"80/s\", over = \"20s\"",
        &["`to` does not belong here", "allowed to only with load.rate", "write clients = a whole number from 1"],
    ),
    (
        "hotkey",
        "at = \"5s\", clients = 80, to = \"80/s\", over = \"20s\"",
        &["`to` does not belong here", "allowed to only with load.rate", "remove it"],
    ),
    (
        "hotkey",
        "at = \"5s\", clients = 80, over = \"0s\"",
        &["`over` is out of range", "allowed 1ms to 24h", "choose a value in that range"],
    ),
    (
        "hotkey",
        "at = \"5s\", clients = 10000001, over = \"20s\"",
        &["`clients` is out of range", "allowed 1 to 10000000"],
    ),
];

#[test]
fn what_is_wrong_with_a_ramp_is_said() {
    for (scenario, ramp, expected) in CASES {
        let said = run(&["--scenario", scenario, "--dry-run", "--set", &format!("load.ramp=[{{ {ramp} }}]")]);
        assert_eq!(said.code, Some(2), "{ramp}: {}", said.err);
        for words in *expected {
            assert!(said.err.contains(words), "{words:?} is not in\n{}", said.err);
        }
    }
}

#[test]
fn what_needs_one_number_of_clients_or_bounds_it_looks_at_the_ramps() {
    let find =
        ["capacity", "--scenario", "hotkey", "--set", OK, "--find", "max load.clients where errors.share <= 0.1%"];
    assert!(run(&find).err.contains("a number of clients that ramps change · --find max load.clients"));
    let many = OK.replace("80", "1000000");
    let said = run(&["--scenario", "hotkey", "--cache", "memory", "--set", &many]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    for words in ["too few file descriptors", "for 1000000 clients", "lower load.clients and the ramps' clients"] {
        assert!(said.err.contains(words), "{words:?} is not in\n{}", said.err);
    }
    let url = ["--target", "http://127.0.0.1:1/{key}", "--max-rate", "500/s", "--scenario", "hotkey", "--set", OK];
    let said = run(&url);
    assert!(said.err.contains("found up to 666."), "80 clients in 120 ms: {}", said.err);
}

#[test]
fn a_simulated_run_with_a_ramp_is_a_whole_run() {
    let results = tempfile::tempdir().unwrap();
    let sets = ["load.think=100ms", "cache.ttl=10m", "load.ramp=[{ at = \"2s\", clients = 60, over = \"4s\" }]"];
    let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
    let args = ["--scenario", "hotkey", "-c", "20", "-w", "2s", "-d", "8s", "--lab", "sim", "--strategy", "swr"];
    let said = run(&[&args[..], &sets, &["--quiet", "-o", results.path().to_str().unwrap()]].concat());
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let path = only_run(results.path());
    let record = record(&path);
    assert_eq!(record.load, "closed loop, 20 clients → 60 from 2s to 6s, think time 100ms");
    assert!(record.strategies[0].valid, "{:?}", record.strategies[0].invalid_because);
    // Ten requests a second of each client: N(t) in the second's middle, and one for each that begins or ends in it.
    let numbers = [20, 20, 25, 35, 45, 55, 60, 60];
    for (row, number) in seconds(&path, "swr").iter().filter(|row| row.start_ms >= 0).zip(numbers) {
        assert!(row.offered.abs_diff(10 * number) <= 12, "{} from {} ms, {number} clients", row.offered, row.start_ms);
    }
}
