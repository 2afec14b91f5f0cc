//! Values with a size, in the sim lab: what goes over the link, and what waits where it is full.

use report::record::{Run, TrafficFigures};

use crate::common::{only_run, record, run, strategy};

const WHOLE: &str = "plain + coalesce + lock + write-through";
const PARTS: &str = "plain + parts + coalesce + lock + write-through";
const PART: &str = "plain + parts(read=1) + coalesce + lock + write-through";

fn simulate(args: &[&str]) -> Run {
    let results = tempfile::tempdir().unwrap();
    let said = run(&[&["--lab", "sim", "--quiet", "-o", results.path().to_str().unwrap()], args].concat());
    assert!(matches!(said.code, Some(0 | 99)), "{}{}", said.out, said.err);
    record(&only_run(results.path()))
}

fn traffic(of: &Run, name: &str) -> TrafficFigures {
    let strategy = strategy(of, name);
    assert!(strategy.valid, "{name}: {:?}", strategy.invalid_because);
    strategy.traffic.clone().unwrap()
}

fn near(found: f64, expected: f64) -> bool {
    (found / expected - 1.0).abs() < 0.02
}

#[test]
fn bytes_a_second_decide_who_waits_at_the_link() {
    let run = simulate(&["--scenario", "large-values", "-d", "30s"]);
    let bytes = |name| traffic(&run, name).read_per_request.unwrap();
    let item = 40.0 * 1024.0;
    // The envelope is 75 bytes, the item's own frame 56; what little is missed brings nothing along.
    assert!(near(bytes(WHOLE), item + 131.0), "{}", bytes(WHOLE));
    assert!(near(bytes(PARTS), item + 56.0 + 3.0 * 75.0), "{}", bytes(PARTS));
    assert!(near(bytes(PART), (item + 56.0) / 3.0 + 75.0), "{}", bytes(PART));
    let p99 = |name| strategy(&run, name).latency_ms.p99.unwrap();
    assert!(
        p99(WHOLE) > 5.0 * p99(PART) && p99(PARTS) > 5.0 * p99(PART),
        "{} {} {}",
        p99(WHOLE),
        p99(PARTS),
        p99(PART)
    );
    assert!(traffic(&run, PARTS).torn.unwrap() > 0 && traffic(&run, WHOLE).torn.is_none());
    assert!(strategy(&run, WHOLE).predicted.is_none(), "theory knows no busy cache");
}

/// P(wait ≤ x) in a queue with Poisson arrivals and a constant time of service, both in units of that (Crommelin, Post Office Electrical
/// Engineers' Journal 25, 1932): (1 − ρ) Σ over k ≤ x of (ρ(k − x))^k e^(−ρ(k − x)) / k!.
fn waits_at_most(x: f64, rho: f64) -> f64 {
    let mut factorial = 1.0;
    let term = |k: u32| {
        factorial *= f64::from(k.max(1));
        let at = rho * (f64::from(k) - x);
        at.powi(k as i32) * (-at).exp() / factorial
    };
    (1.0 - rho) * (0..=x as u32).map(term).sum::<f64>()
}

#[test]
fn the_line_before_the_link_is_as_long_as_theory_says() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("reads.toml");
    let text = run(&["show", "large-values"]).out;
    let [writes, cache, thresholds] = ["[writes]", "[cache]", "[[threshold]]"].map(|table| text.find(table).unwrap());
    std::fs::write(&mine, format!("{}{}", &text[..writes], &text[cache..thresholds])).unwrap();
    let name = "plain + bare";
    let quiet = ["cache.ttl=10m", "cache.simulated.command=0s", "cache.simulated.per_mib=0s"];
    let quiet: Vec<&str> = quiet.iter().flat_map(|set| ["--set", set]).collect();
    let of = |rate: &str| {
        let args = ["--scenario", mine.to_str().unwrap(), "--strategy", name, "-r", rate, "-w", "20s", "-d", "60s"];
        strategy(&simulate(&[&args[..], &quiet].concat()), name).latency_ms.clone()
    };
    let service_ms = (40.0 * 1024.0 + 131.0) / f64::from(119 << 20) * 1e3;
    let rho = 2.4 * service_ms;
    let p99 = (0..2000).map(|step| f64::from(step) / 100.0).find(|x| waits_at_most(*x, rho) >= 0.99).unwrap();
    let waited = of("2400/s").p99.unwrap() - of("100/s").p50.unwrap();
    assert!((waited / (p99 * service_ms) - 1.0).abs() < 0.1, "{waited} ms, {} by theory", p99 * service_ms);
}

#[test]
fn compression_takes_away_what_can_be_compressed_and_a_law_of_sizes_has_its_mean() {
    let load = ["--scenario", "large-values", "-r", "500/s", "-d", "20s", "--strategy", WHOLE];
    let bytes = |set: &[&str]| traffic(&simulate(&[&load[..], set].concat()), WHOLE).read_per_request.unwrap();
    let half = bytes(&["--set", "keys.compressible=0.5"]);
    // Of five hundred a second some are misses.
    assert!((half / (20.0 * 1024.0) - 1.0).abs() < 0.05, "{half}");
    let law = "keys.value_size={ dist = \"lognormal\", p50 = \"2KiB\", p99 = \"20KiB\" }";
    let mean = bytes(&["--set", law, "--set", "keys.kind=uniform", "--set", "keys.n=2000", "--set", "cache.ttl=5m"]);
    // σ = ln(10)/2.326, and the mean is the median × e^(σ²/2).
    let expected = 2048.0 * (0.5 * (10.0_f64.ln() / 2.326_35).powi(2)).exp() + 131.0;
    assert!((mean / expected - 1.0).abs() < 0.1, "{mean}, {expected} expected");
}

#[test]
fn a_page_takes_as_many_round_trips_and_commands_as_its_mode_says() {
    let modes = ["batch(mode=sequential)", "batch(mode=pipeline)", "batch"];
    let names = modes.map(|mode| format!("plain + {mode} + coalesce + lock"));
    let run = simulate(&["--scenario", "pages", "-d", "20s"]);
    let p50 = |name: &str| strategy(&run, name).latency_ms.p50.unwrap();
    let commands = |name: &str| traffic(&run, name).commands_per_request.unwrap();
    // A millisecond, and 60 µs of link.
    assert!((100.0..112.0).contains(&p50(&names[0])), "{}", p50(&names[0]));
    assert!(p50(&names[1]) < 1.5 && p50(&names[2]) < 1.5, "{} {}", p50(&names[1]), p50(&names[2]));
    assert_eq!(names.each_ref().map(|name| commands(name).round()), [100.0, 100.0, 1.0]);
    let trips = |name: &str| traffic(&run, name).round_trips_per_request.unwrap();
    assert_eq!(names.each_ref().map(|name| trips(name)), [100.0, 1.0, 1.0]);
    let of = strategy(&run, &names[2]);
    assert!(of.predicted.is_none() && of.origin.as_ref().unwrap().floor.is_none(), "both are for one item a request");
}

/// By slot in turn it is one round trip for each slot that the page's items lie in: neighbours of low numbers have a hundred.
#[test]
fn a_page_read_by_slot_in_turn_waits_for_each_slot() {
    let [by_slot, once] = ["batch(mode=slots)", "batch"].map(|mode| format!("plain + {mode} + coalesce + lock"));
    let strategies = [by_slot.as_str(), once.as_str()].join(",");
    let run =
        simulate(&["--scenario", "pages", "-d", "5s", "--set", "cache.simulated.shards=3", "--strategy", &strategies]);
    let of = |name: &str| traffic(&run, name).round_trips_per_request.unwrap();
    assert!((of(&by_slot) - 100.0).abs() < 0.05, "{}", of(&by_slot));
    assert!((of(&once) - 1.0).abs() < 1e-9, "{}", of(&once));
    // Where nobody orders the reads of a page nothing is said.
    let plain = simulate(&["--scenario", "pages", "-d", "2s", "--strategy", "plain + coalesce"]);
    assert_eq!(traffic(&plain, "plain + coalesce").round_trips_per_request, None);
}

/// In turn a page waits for one fill after the other; at once for the longest of them. And each read is in both ledgers.
#[test]
fn a_page_that_misses_many_items_waits_for_one_fill_or_for_all() {
    let [in_turn, at_once] =
        ["batch(mode=sequential)", "batch"].map(|mode| format!("plain + {mode} + coalesce + lock"));
    let run = simulate(&["--scenario", "pages", "-d", "20s", "--set", "cache.ttl=2s"]);
    let p99 = |name: &str| strategy(&run, name).latency_ms.p99.unwrap();
    assert!(p99(&in_turn) > 5.0 * p99(&at_once), "{} {}", p99(&in_turn), p99(&at_once));
    for name in [&in_turn, &at_once] {
        let of = strategy(&run, name);
        assert!(of.valid && of.origin.as_ref().unwrap().total > 5000, "{name}: {:?}", of.invalid_because);
    }
}

#[test]
fn what_is_not_for_pages_or_targets_is_refused() {
    for (args, said) in [
        (
            &["--scenario", "zipf", "--set", "load.batch=5", "--target", "http://127.0.0.1:9/{key}"][..],
            "several items of a target · load.batch = 5",
        ),
        (&["--scenario", "hotkey", "--set", "load.batch=5"], "`batch` beside a hot key"),
        (&["--scenario", "large-values", "--set", "load.batch=5"], "`batch` beside writes or counters"),
    ] {
        let refused = run(args);
        assert_eq!(refused.code, Some(2), "{args:?}");
        assert!(refused.err.contains(said), "{args:?}: {}", refused.err);
    }
}

const FILLED: &str = r#"
schema = 1
name = "filled"
summary = "A cache that is filled before the run: does it take every item?"
strategies = ["plain"]

[load]
rate = "100/s"
warmup = "0s"
duration = "1s"

[keys]
kind = "uniform"
n = 20000

[cache]
ttl = "10m"

[cache.simulated]
command = "20us"

[origin]
service_time = "1ms"
concurrency = 1000
queue = 20000

[warm]
burst = "all"
"#;

/// Were all puts of a burst under way at once, each would wait for those before it, and most would be past their time.
/// What comes of filling a cache that takes so long for a command.
fn filled<T>(command: &str, run: impl FnOnce(&[&str]) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("filled.toml");
    std::fs::write(&mine, FILLED.replace("20us", command)).unwrap();
    run(&["--scenario", mine.to_str().unwrap()])
}

#[test]
fn a_burst_fills_a_cache_with_more_than_it_takes_within_one_time_out() {
    let filled = filled("20us", simulate);
    assert_eq!(strategy(&filled, "plain").hit_ratio, Some(1.0), "every item was there");
}

/// Two hundred puts at a time and a millisecond for each: half of them are answered too late, and are made again.
#[test]
fn a_burst_that_the_cache_takes_slowly_is_a_burst_all_the_same() {
    let filled = filled("1ms", simulate);
    let of = strategy(&filled, "plain");
    assert_eq!((of.hit_ratio, of.events.unwrap().cache_errors), (Some(1.0), 0), "every item was there");
}

#[test]
fn a_burst_that_the_cache_does_not_take_ends_the_run_with_its_reason() {
    let results = tempfile::tempdir().unwrap();
    let lab = ["--lab", "sim", "--quiet", "-o", results.path().to_str().unwrap()];
    let said = filled("300ms", |scenario| run(&[scenario, &lab].concat()));
    assert_ne!(said.code, Some(0));
    assert!(
        said.err.contains(
            "the cache could not be warmed · plain · a put of the burst: the cache is slow: timed out, of 20000 in all"
        ),
        "{}{}",
        said.out,
        said.err
    );
}
