//! Short real runs of what a scenario may ask for beside hot keys at one rate: items that don't exist, and ramps of rates and clients.

use std::time::Duration;

use crate::common::{
    assert_ended, beside, folder, only_run, origin_of, record, run, seconds, sound, strategy, unspoiled,
};
use scenarios::{Plan, Scenario};

#[test]
fn what_does_not_exist_is_an_answer_and_its_floor_is_what_the_strategy_may_remember() {
    let results = tempfile::tempdir().unwrap();
    let sets = ["keys.kind=single", "keys.n=1", "keys.missing_share=0.2", "keys.missing_n=2", "cache.ttl=60s"];
    let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
    let with = "plain + lock + negative(1s)";
    let strategies = format!("plain + lock,{with}");
    let args = ["--scenario", "hotkey", "-w", "1s", "-d", "4s", "--cache", "memory", "--strategy", &strategies];
    let (said, path) =
        unspoiled(results.path(), |folder| run(&[&args[..], &sets, &["-o", folder.to_str().unwrap()]].concat()));
    assert_ended(&said, &path, &[0]);
    let run = record(&path);
    assert!(run.load.ends_with(", 20 % for items that do not exist"), "{}", run.load);
    for strategy in &run.strategies {
        assert!(sound(strategy) && strategy.errors == 0, "{}: {:?}", strategy.name, strategy.invalid_because);
        let rows = folder(&path, &strategy.folder).read_origin().unwrap();
        let missing = |key: &str| ["2", "3"].contains(&key);
        assert!(rows.iter().all(|row| (row.outcome == "missing") == missing(&row.key)), "{}", strategy.name);
        assert!(rows.iter().any(|row| missing(&row.key)), "{}", strategy.name);
    }
    let [without, with] = ["plain + lock", with].map(|name| origin_of(strategy(&run, name)));
    // Two keys, once in a life of 1 s and a load of 0.2 s, for 4 s; the one that exists was read in the warm-up.
    assert!((6..=8).contains(&with.floor.unwrap()), "{with:?}");
    assert!(with.total <= with.floor.unwrap() + 2, "{with:?}");
    // Without the layer a load serves nobody but those who come meanwhile: at most one in 0.2 s for each key. They come
    // more slowly than they could, for this is a closed loop and the lock has them queue.
    assert!((14..=42).contains(&without.floor.unwrap()), "{without:?}");
}

#[test]
fn a_ramp_is_offered_as_planned_and_said_in_words() {
    let _beside = beside();
    let results = tempfile::tempdir().unwrap();
    let at = results.path().to_str().unwrap();
    let ramp = "load.ramp=[{ at = \"1s\", to = \"300/s\", over = \"2s\" }]";
    let args = ["--scenario", "hotkey-open", "-r", "20/s", "-w", "1s", "-d", "5s", "--cache", "memory", "--quiet"];
    run(&[&args[..], &["--strategy", "swr", "--set", ramp, "-o", at]].concat());
    let path = only_run(results.path());
    let record = record(&path);
    assert_eq!(record.load, "open loop, 20 requests/s → 300/s from 1s to 3s, Poisson arrivals");
    let copy = std::fs::read_to_string(path.join("scenario.toml")).unwrap();
    let plan = Plan::new(42, &Scenario::parse(&copy, "scenario.toml", &[]).unwrap(), 3);
    assert_eq!(record.plan_hash, plan.hash());
    let rows = seconds(&path, "swr");
    assert_eq!(rows.len(), 6);
    for row in rows {
        let begin_ns = u64::try_from(row.start_ms + 1000).unwrap() * 1_000_000;
        let planned = plan.arrivals().filter(|a| (begin_ns..begin_ns + 1_000_000_000).contains(&a.at_ns)).count();
        assert_eq!(row.offered, planned as u64, "the second from {} ms", row.start_ms);
    }
}

#[test]
fn clients_begin_and_end_as_a_ramp_says() {
    let results = tempfile::tempdir().unwrap();
    let ramps =
        "load.ramp=[{ at = \"1s\", clients = 40, over = \"3s\" }, { at = \"5s\", clients = 10, over = \"2s\" }]";
    let sets = ["--set", ramps, "--set", "load.think=50ms", "--set", "cache.ttl=10m", "--strategy", "swr", "--quiet"];
    let args = ["--scenario", "hotkey", "-c", "10", "-w", "1s", "-d", "9s", "--cache", "memory"];
    let (said, path) =
        unspoiled(results.path(), |folder| run(&[&args[..], &sets, &["-o", folder.to_str().unwrap()]].concat()));
    assert_ended(&said, &path, &[0]);
    let record = record(&path);
    assert_eq!(record.load, "closed loop, 10 clients → 40 from 1s to 4s → 10 from 5s to 7s, think time 50ms");
    assert!(sound(&record.strategies[0]), "{:?}", record.strategies[0].invalid_because);
    let copy = std::fs::read_to_string(path.join("scenario.toml")).unwrap();
    let plan = Plan::new(42, &Scenario::parse(&copy, "scenario.toml", &[]).unwrap(), 3);
    assert_eq!(record.plan_hash, plan.hash());
    for row in seconds(&path, "swr").iter().filter(|row| row.start_ms >= 0) {
        let middle = Duration::from_millis(u64::try_from(row.start_ms + 1500).unwrap());
        // Twenty requests a second of each client, or fewer where the machine takes its time: room for a quarter.
        let (found, expected) = (row.offered as f64, 20.0 * plan.clients_at(middle));
        assert!((0.75..=1.1).contains(&(found / expected)), "{found} of {expected} from {} ms", row.start_ms);
    }
}

#[test]
fn classes_have_their_ttls_and_sizes_in_a_real_cache() {
    let results = tempfile::tempdir().unwrap();
    let class = "keys.class=[{ share = 0.5, n = 1, kind = \"single\", ttl = \"1s\", value_size = \"20KiB\" }]";
    let sets = ["--set", "keys.kind=single", "--set", "keys.n=1", "--set", class, "--set", "cache.ttl=60s"];
    let args = ["--scenario", "hotkey", "-w", "2s", "-d", "4s", "--cache", "memory", "--strategy", "plain + lock"];
    let (said, path) =
        unspoiled(results.path(), |folder| run(&[&args[..], &sets, &["-o", folder.to_str().unwrap()]].concat()));
    assert_ended(&said, &path, &[0]);
    let run = record(&path);
    let locked = strategy(&run, "plain + lock");
    assert!(sound(locked) && locked.errors == 0, "{:?}", locked.invalid_because);
    let rows = folder(&path, &locked.folder).read_origin().unwrap();
    let measured: Vec<&str> = rows.iter().filter(|row| row.arrived_ns >= 0).map(|row| row.key.as_str()).collect();
    // One read of 0.2 s a second and a read: three or four in four seconds, and none of the key that lives for a minute.
    assert!((3..=4).contains(&measured.len()) && measured.iter().all(|key| *key == "2"), "{measured:?}");
    let origin = origin_of(locked);
    assert!(origin.total <= origin.floor.unwrap() + 1, "{origin:?}");
}
