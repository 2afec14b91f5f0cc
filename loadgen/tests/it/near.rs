//! Copies in the replicas' processes, in the sim lab: what theory says of them, what each way of hearing of changes loses, and what does
//! not fit is refused.

use report::record::{BehindCommit, LevelFigures, Run};
use strategies::theory::near;

use crate::common::{only_run, record, run, strategy};

fn simulate(args: &[&str]) -> Run {
    let results = tempfile::tempdir().unwrap();
    let said = run(&[&["--lab", "sim", "--quiet", "-o", results.path().to_str().unwrap()], args].concat());
    assert!(matches!(said.code, Some(0 | 99)), "{}{}", said.out, said.err);
    record(&only_run(results.path()))
}

fn levels<'a>(run: &'a Run, name: &str) -> &'a LevelFigures {
    let strategy = strategy(run, name);
    assert!(strategy.valid, "{name}: {:?}", strategy.invalid_because);
    strategy.levels.as_ref().unwrap()
}

fn behind<'a>(run: &'a Run, name: &str) -> &'a BehindCommit {
    strategy(run, name).behind.as_ref().unwrap()
}

const COALESCED: &str = "plain + near(ttl=1s) + coalesce + lock";
const ALONE: &str = "plain + near(ttl=1s) + lock";

#[test]
fn reads_of_the_shared_cache_are_those_of_the_formulas() {
    for (rate, replicas, seconds) in [(2000.0, "3", "100s"), (2000.0, "20", "100s"), (10_000.0, "500", "100s")] {
        let typed = format!("{rate}/s");
        let args =
            ["--scenario", "near-hot", "-r", &typed, "--replicas", replicas, "-d", seconds, "--strategy", COALESCED];
        let run = simulate(&args);
        let of = levels(&run, COALESCED);
        let expected = near::shared_reads_in_turns_per_s(rate, replicas.parse().unwrap(), 1.0);
        let (found, said) = (of.shared_reads_per_s.unwrap(), of.shared_reads_by_theory.unwrap());
        assert!((said - expected).abs() < 0.001, "{said} {expected}");
        // All copies begin with the load, so a run has one read more or less of each.
        assert!((found / expected - 1.0).abs() < 0.02, "R = {replicas}: {found}, theory {expected}");
    }
}

/// A herd at a copy's end: 1 + r_p·RTT.
#[test]
fn without_coalescing_each_request_within_a_round_trip_reads() {
    let strategies = [COALESCED, ALONE].join(",");
    // One replica, so that its own requests are Poisson.
    let load = ["-r", "20000/s", "--replicas", "1", "-d", "60s"];
    let run = simulate(&[&["--scenario", "near-hot", "--strategy", &strategies][..], &load].concat());
    let of = |name| levels(&run, name).shared_reads_per_s.unwrap();
    let one_way = sim::Latencies::LOOPBACK.cache;
    let round_trip_s = 2.0 * (one_way.least as f64 + one_way.spread as f64 / 2.0) / 1e9;
    let herd = 1.0 + 20_000.0 * round_trip_s;
    let found = of(ALONE) / of(COALESCED);
    assert!((found / herd - 1.0).abs() < 0.15, "{found}, theory {herd}");
}

#[test]
fn a_cut_loses_what_is_told_in_it_and_nothing_stays_wrong_that_is_flushed() {
    let of = |bus: &str| format!("plain + near(ttl=30s, {bus}) + coalesce + lease + invalidate");
    let run = simulate(&["--scenario", "invalidation-bus"]);
    // Five cuts of 2 s and a moment until the connection stands again, ten writes a second, three replicas.
    let lost = levels(&run, &of("invalidate=pubsub")).lost.unwrap() as f64;
    let expected = 3.0 * 5.0 * near::messages_lost(10.0, 2.1);
    assert!((lost - expected).abs() < 3.0 * 3.0 * (expected / 3.0).sqrt(), "{lost}, theory {expected}");
    let streams = levels(&run, &of("invalidate=streams"));
    assert_eq!((streams.lost, streams.flushed), (Some(0), Some(0)));
    let short = levels(&run, &of("invalidate=streams, maxlen=10"));
    assert!(short.flushed >= Some(12), "it sees that something is missing: {short:?}");
    for bus in ["invalidate=pubsub", "invalidate=streams", "invalidate=tracking", "invalidate=tracking-default"] {
        let BehindCommit { share, age_ms, .. } = behind(&run, &of(bus));
        assert!(share.unwrap() < 0.03 && age_ms.max.unwrap() < 2500.0, "{bus}: {share:?} {age_ms:?}");
    }
    let BehindCommit { share, age_ms, .. } = behind(&run, "broken-tracking-no-flush");
    assert!(share.unwrap() > 0.04 && age_ms.max.unwrap() > 6000.0, "{share:?} {age_ms:?}");
    let none = behind(&run, &of("invalidate=none"));
    assert!(none.share.unwrap() > 0.3, "{none:?}");
}

#[test]
fn a_change_is_heard_within_a_moment() {
    let run = simulate(&["--scenario", "client-side", "--set", "writes.rate=20/s"]);
    for bus in ["pubsub", "streams", "tracking", "tracking-default"] {
        let name = format!("plain + near(ttl=60s, invalidate={bus}) + coalesce + lease + invalidate");
        let (of, heard) = (behind(&run, &name), levels(&run, &name).heard.unwrap());
        assert!(of.age_ms.max.unwrap() < 20.0, "{bus}: {of:?}");
        assert!(heard > 1000, "{bus}: {heard}");
    }
    let ttl = behind(&run, "plain + near(ttl=1s) + coalesce + lease + invalidate");
    assert!(ttl.age_ms.p99.unwrap() > 100.0, "{ttl:?}");
}

#[test]
fn several_entries_of_a_key_and_caches_of_their_own_read_as_the_formulas_say() {
    let run = simulate(&["--scenario", "copies", "-d", "120s"]);
    let total = |run: &Run, name: &str| strategy(run, name).origin.as_ref().unwrap().total as f64;
    // Each entry lives for T and is read again r·d/n + 1 times, the first 1/(r/n) later, d long.
    let (rate, service, copies) = (400.0, 0.2, 10.0);
    let cycles = 120.0 / (5.0 + copies / rate + service);
    let expected = cycles * near::herd_of_copies(rate, service, copies);
    let found = total(&run, "plain + copies(n=10) + bare");
    assert!((found / expected - 1.0).abs() < 0.1, "{found}, theory {expected}");
    assert_eq!(strategy(&run, "plain + copies(n=10) + bare").origin.as_ref().unwrap().per_expiry, None, "it has ten");
    let peak = |name: &str| strategy(&run, name).origin.as_ref().unwrap().max_per_second;
    let (together, apart) = (peak("plain + copies(n=10) + bare"), peak("plain + jitter(0.5) + copies(n=10) + bare"));
    assert!(together > 80 && apart < 70, "{together} together, {apart} apart");
    let mut own = vec!["--scenario", "near-hot", "-r", "400/s", "-d", "120s", "--strategy", "plain + local + bare"];
    own.extend(["--set", "cache.ttl=5s", "--set", "origin.service_time=200ms", "--set", "origin.concurrency=256"]);
    let run = simulate(&own);
    let rate = 400.0;
    let cycles = 120.0 / (5.0 + 3.0 / rate + service);
    let expected = cycles * near::herd_of_own_caches(rate, service, 3.0);
    let found = total(&run, "plain + local + bare");
    assert!((found / expected - 1.0).abs() < 0.1, "{found}, theory {expected}");
    assert_eq!(levels(&run, "plain + local + bare").shared_reads, Some(0));
}

/// While the shared cache is gone, copies that may be served past their lives spare the origin.
#[test]
fn stale_copies_answer_while_the_shared_cache_is_lost() {
    let (plain, stale) = ("plain + near(ttl=1s) + bare", "plain + near(ttl=1s, stale=30s) + bare");
    let run = simulate(&["--scenario", "cache-outage", "--strategy", &[plain, stale].join(",")]);
    let reads = |name: &str| strategy(&run, name).origin.as_ref().unwrap().total;
    assert!(reads(stale) * 4 < reads(plain) * 3, "{} and {}", reads(stale), reads(plain));
    assert!(strategy(&run, stale).stale.overage_ms_max.unwrap() <= 30_000);
}

#[test]
fn what_does_not_fit_is_refused_with_a_sentence() {
    for (strategy, said) in [
        ("plain + local + lock", "has `local`, where each replica has its own cache, and a lock or a lease"),
        (
            "plain + local + near + coalesce",
            "has `local`, which shares no cache, and `near`, which stands in front of one",
        ),
        ("plain + local + copies + coalesce", "`copies`, which spreads a key over one"),
        ("plain + near(bytes=64) + coalesce", "needs a unit"),
        ("plain + near(bytes=5GiB) + coalesce", "is not a size in B, KiB or MiB"),
        ("plain + near(bytes=5000MiB) + coalesce", "found 5000MiB, which is out of range"),
        ("plain + local(bytes=0MiB) + coalesce", "found 0MiB, which is out of range"),
        ("plain + near(invalidate=polling) + coalesce", "found \"polling\""),
        ("plain + copies(n=1) + bare", "out of range"),
    ] {
        let refused = run(&["--lab", "sim", "--scenario", "hotkey", "--strategy", strategy]);
        assert_eq!(refused.code, Some(2), "{strategy}");
        assert!(refused.err.contains(said), "{strategy}: {}", refused.err);
    }
    let failover = "\n[[event]]\nat = \"1s\"\ndo = \"cache-failover\"\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    let text = run(&["show", "near-hot"]).out;
    std::fs::write(&file, text + failover).unwrap();
    let refused = run(&["--lab", "local", "--scenario", file.to_str().unwrap()]);
    assert_eq!(refused.code, Some(2), "{}", refused.out);
    assert!(
        refused.err.contains("--cache cluster and --cache sentinel have what it takes, and --lab sim"),
        "{}",
        refused.err
    );
}
