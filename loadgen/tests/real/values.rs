//! Values with a size on a real Redis: the same bytes as in the sim lab, whole, in parts and in pages.

use report::record::{Run, TrafficFigures};

use crate::common::{assert_ended, only_run, record, run, sound, strategy, unspoiled};

/// The same scenario on a Redis of the lab's own, and in the sim lab.
fn both(args: &[&str]) -> [Run; 2] {
    let results = tempfile::tempdir().unwrap();
    let (said, path) = unspoiled(results.path(), |folder| {
        run(&[&["--lab", "local", "--cache", "redis", "-o", folder.to_str().unwrap()], args].concat())
    });
    assert_ended(&said, &path, &[0, 99]);
    let simulated = tempfile::tempdir().unwrap();
    let said = run(&[&["--lab", "sim", "--quiet", "-o", simulated.path().to_str().unwrap()], args].concat());
    assert!(matches!(said.code, Some(0 | 99)), "{}\n{}", said.out, said.err);
    [record(&path), record(&only_run(simulated.path()))]
}

fn traffic(of: &Run, name: &str) -> TrafficFigures {
    let strategy = strategy(of, name);
    assert!(sound(strategy), "{name}: {:?}", strategy.invalid_because);
    strategy.traffic.clone().unwrap()
}

#[test]
fn as_many_bytes_go_to_a_real_redis_as_to_a_simulated_one() {
    let layers = ["coalesce", "parts + coalesce", "parts(read=1) + coalesce"];
    let names = layers.map(|layers| format!("plain + {layers} + lock + write-through"));
    for set in ["keys.compressible=0", "keys.value_size={ dist = \"lognormal\", p50 = \"4KiB\", p99 = \"40KiB\" }"] {
        let load = ["--scenario", "large-values", "-r", "80/s", "-w", "2s", "-d", "5s", "--set", set];
        let [real, sim] = both(&load);
        for name in &names {
            let (real, sim) = (traffic(&real, name), traffic(&sim, name));
            let near = |real: f64, sim: f64, room: f64| (real / sim - 1.0).abs() < room;
            let read = |of: &TrafficFigures| of.read_per_request.unwrap();
            assert!(near(read(&real), read(&sim), 0.05), "{name}, {set}: {real:?} {sim:?}");
            let written = |of: &TrafficFigures| of.written_per_request.unwrap();
            assert!(near(written(&real), written(&sim), 0.15), "{name}, {set}: {real:?} {sim:?}");
        }
        assert!(traffic(&real, &names[0]).torn.is_none() && traffic(&real, &names[1]).torn.is_some());
    }
}

#[test]
fn a_page_is_one_command_to_a_real_redis_or_as_many_as_it_has_items() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("pages.toml");
    let text = run(&["show", "pages"]).out;
    std::fs::write(&mine, &text[..text.find("[[event]]").unwrap()]).unwrap();
    let mine = mine.to_str().unwrap();
    let [real, _] = both(&["--scenario", mine, "-r", "10/s", "-d", "4s"]);
    for (mode, commands) in [("batch(mode=sequential)", 100.0), ("batch(mode=pipeline)", 100.0), ("batch", 1.0)] {
        let of = traffic(&real, &format!("plain + {mode} + coalesce + lock"));
        // A page that is under way when the counts are read is counted in part.
        let off = (of.commands_per_request.unwrap() - commands).abs();
        assert!(off <= 0.03 * commands + 0.05, "{mode}: {of:?}");
        // One more where a leader looks again, on a busy machine.
        let trips = if mode.contains("sequential") { 100.0 } else { 1.0 };
        let off = (of.round_trips_per_request.unwrap() - trips).abs();
        assert!(off <= 0.03 * trips + 0.05, "{mode}: {of:?}");
        assert!((35_000.0..42_000.0).contains(&of.read_per_request.unwrap()), "{mode}: {of:?}");
    }
    // Several fills a page: each is in both ledgers.
    let [real, _] = both(&["--scenario", mine, "-r", "5/s", "-d", "4s", "--set", "cache.ttl=2s"]);
    let of = strategy(&real, "plain + batch + coalesce + lock");
    assert!(sound(of) && of.origin.as_ref().unwrap().total > 100, "{:?}", of.invalid_because);
}
