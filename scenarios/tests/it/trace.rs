//! A trace as a load: what a scenario says of it, and the plan that it makes, of requests that lie in no file.

use std::sync::Arc;
use std::time::Duration;

use scenarios::{
    Arrival, KeyAsks, KeyKind, Op, Plan, RecordedRequest, RecordedTrace, ReplayedOps, RowValues, Scenario, SizeLaw,
    TraceFound, TraceSettings, TracedKeys,
};
use strategies::Spec;

use crate::bad_input::plus;

/// Seven requests, one of them a write, for three keys in three seconds.
#[derive(Debug)]
struct Seven(TraceFound, Option<TracedKeys>);

const SEVEN: [(u64, u32, Op); 7] = [
    (0, 1, Op::Get),
    (100, 2, Op::Get),
    (100, 1, Op::Get),
    (900, 3, Op::Put),
    (1500, 1, Op::Get),
    (2000, 2, Op::Get),
    (2999, 3, Op::Get),
];

impl RecordedTrace for Seven {
    fn found(&self) -> TraceFound {
        self.0
    }

    fn stated_ttls(&self) -> Option<(Duration, Duration)> {
        None
    }

    fn keys(&self) -> Option<&TracedKeys> {
        self.1.as_ref()
    }

    fn rows(&self) -> Box<dyn Iterator<Item = RecordedRequest> + Send> {
        Box::new(SEVEN.into_iter().map(|(ms, key, op)| RecordedRequest { at_ns: ms * 1_000_000, key, op }))
    }

    fn prepare(&self) {}

    fn fault(&self) -> Option<String> {
        None
    }
}

fn open(settings: &TraceSettings) -> Result<Arc<dyn RecordedTrace>, String> {
    if settings.path == "none.csv" {
        return Err("none.csv: no such file · name a file".into());
    }
    let (length, digest) = (Duration::from_secs(3), if settings.path == "other.csv" { 8 } else { 7 });
    let keys = match settings.path.as_str() {
        "many.csv" => 20_000_000,
        "large.csv" => 5000,
        _ => 3,
    };
    let writes = u64::from(settings.ops == ReplayedOps::All);
    let found = TraceFound { requests: 7, writes, keys, length, peak_per_s: 4, digest };
    Ok(Arc::new(Seven(found, (settings.asks != KeyAsks::default()).then(|| asked(&settings.asks, keys)))))
}

/// Key 1 fits the first pattern, key 3 the last one; key 2 states both values, and key 3 a TTL and a size that nothing may have.
fn asked(asks: &KeyAsks, keys: u32) -> TracedKeys {
    let last = asks.patterns.len() as u8;
    TracedKeys {
        class: if last > 0 { vec![1, 0, last] } else { Vec::new() },
        ttl_ns: if asks.values.ttl { vec![0, 7_000_000_000, 10_u64.pow(15)] } else { Vec::new() },
        size: match (asks.values.size, keys) {
            (false, _) => Vec::new(),
            (true, 3) => vec![0, 1000, 1 << 30],
            (true, keys) => vec![1 << 20; keys as usize],
        },
    }
}

fn opened(text: &str, sets: &[&str]) -> Result<Scenario, String> {
    let pairs: Vec<(String, String)> =
        sets.iter().map(|set| set.split_once('=').map(|(path, value)| (path.into(), value.into())).unwrap()).collect();
    Scenario::parse_opening(text, "trace.toml", &pairs, Some(open)).map_err(|errors| errors.to_string())
}

fn traced(sets: &[&str]) -> Scenario {
    opened(&plus(""), &[&["load.trace=seven.csv", "load.warmup=1s"], sets].concat()).unwrap()
}

#[test]
fn a_trace_says_how_long_for_how_many_keys_and_who_writes() {
    let scenario = traced(&["load.speed=2", "load.key=GET (.*)"]);
    let trace = scenario.load.trace().unwrap();
    assert_eq!((trace.settings.speed, trace.settings.key.as_deref()), (2.0, Some("GET (.*)")));
    assert_eq!((scenario.load.duration, scenario.keys.n), (Duration::from_secs(2), 3));
    assert_eq!((scenario.keys.kind, scenario.keys.hot_key()), (KeyKind::Traced, None));
    assert!(scenario.writes.is_some() && traced(&["load.ops=reads"]).writes.is_none());
    // The resolved copy is read without the file, and with it.
    let copy = scenario.to_toml();
    assert_eq!(Scenario::parse(&copy, "copy.toml", &[]).unwrap(), scenario, "{copy}");
    assert_eq!(opened(&copy, &[]).unwrap(), scenario);
    let other = copy.replace("seven.csv", "other.csv");
    let refused = opened(&other, &[]).unwrap_err();
    assert!(refused.contains("another trace than the one that was replayed"), "{refused}");
}

#[test]
fn its_requests_are_the_plan_in_turn_for_each_replica() {
    let scenario = traced(&[]);
    let plan = Plan::new(42, &scenario, 2);
    let arrivals: Vec<Arrival> = plan.arrivals().collect();
    let expected =
        (0_u32..).zip(SEVEN).map(|(n, (ms, key, op))| Arrival { at_ns: ms * 1_000_000, key, replica: n % 2, op });
    assert_eq!(arrivals, expected.collect::<Vec<_>>());
    assert_eq!((plan.writes().count(), plan.arrivals().count()), (0, 7));
    // Shards and workers have each of them once.
    let mut parts: Vec<Arrival> = (0..3).flat_map(|part| plan.arrivals().skip(part).step_by(3)).collect();
    parts.sort_by_key(|arrival| (arrival.at_ns, std::cmp::Reverse(arrival.key)));
    assert_eq!(parts, arrivals);
    // What is only looked at has no requests, and the same hash.
    let looked_at = Scenario::parse(&scenario.to_toml(), "copy.toml", &[]).unwrap();
    let unread = Plan::new(42, &looked_at, 2);
    assert_eq!((unread.arrivals().count(), unread.hash()), (0, plan.hash()));
    let other = opened(&plus(""), &["load.trace=other.csv", "load.warmup=1s"]).unwrap();
    assert_ne!(Plan::new(42, &other, 2).hash(), plan.hash());
}

#[test]
fn a_staggered_start_leaves_out_what_comes_before_its_key() {
    let staggered = traced(&["load.start=staggered", "cache.ttl=500ms"]);
    let (some, all) = (Plan::new(42, &staggered, 1), Plan::new(42, &traced(&["cache.ttl=500ms"]), 1));
    let [some_of, all_of]: [Vec<_>; 2] = [&some, &all].map(|plan| plan.arrivals().map(|a| (a.at_ns, a.key)).collect());
    assert!(some_of.len() < all_of.len() && some_of.iter().all(|one| all_of.contains(one)), "{some_of:?}");
    let measured = |of: &[(u64, u32)]| of.iter().filter(|(at, _)| *at >= 1_000_000_000).count();
    assert_eq!(measured(&some_of), measured(&all_of));
    assert_ne!(some.hash(), all.hash());
}

#[test]
fn a_key_s_rows_count_before_its_class_and_its_class_before_all_others() {
    const CLASSES: &str =
        "[[keys.class]]\npattern = \"^a:\"\nttl = \"60s\"\n[[keys.class]]\npattern = \"^b:\"\nvalue_size = \"2KiB\"\n";
    let of = |classes: &str, from_rows: &str| {
        let trace = ["load.trace=seven.csv", "load.warmup=1s", &format!("keys.from_rows={from_rows}")];
        opened(&plus(classes), &trace).unwrap()
    };
    let values = |scenario: &Scenario| {
        let (ttls, sizes) = (scenario.ttls(), scenario.sizes());
        [1, 2, 3, 4].map(|key| (ttls.of(key).as_secs(), sizes.of(key).p50()))
    };
    for (classes, from_rows, found) in [
        ("", "none", [(5, 256); 4]),
        ("", "ttl", [(5, 256), (7, 256), (86_400, 256), (5, 256)]),
        ("", "size", [(5, 256), (5, 1000), (5, 1 << 20), (5, 256)]),
        (CLASSES, "none", [(60, 256), (5, 256), (5, 2048), (5, 256)]),
        (CLASSES, "both", [(60, 256), (7, 1000), (86_400, 1 << 20), (5, 256)]),
    ] {
        let scenario = of(classes, from_rows);
        assert_eq!(values(&scenario), found, "{from_rows} {classes}");
        let asks = &scenario.load.trace().unwrap().settings.asks;
        assert_eq!(asks.patterns.len(), classes.matches("pattern").count());
        let copy = scenario.to_toml();
        assert_eq!(opened(&copy, &[]).unwrap(), scenario, "{copy}");
        assert_eq!(Plan::new(1, &opened(&copy, &[]).unwrap(), 3).hash(), Plan::new(1, &scenario, 3).hash());
    }
    let both = of(CLASSES, "both");
    assert_eq!(both.ttl_max(), Duration::from_secs(86_400));
    let warnings = both.warnings().join("\n");
    assert!(
        warnings.contains("of 3 keys 1 have rows whose TTL lies outside of 1 ms to 24 h, and 1 whose size"),
        "{warnings}"
    );
    // Where nobody reads the rows, it is not known how long the longest is.
    let copy = of("", "ttl").to_toml();
    assert_eq!(Scenario::parse(&copy, "copy.toml", &[]).unwrap().ttl_max(), Duration::from_secs(86_400));
    assert_eq!(of("", "ttl").keys.from_rows, RowValues { ttl: true, size: false });
    assert_eq!(of("", "none").keys.value_size, SizeLaw::Constant(256));
}

#[test]
fn theory_says_nothing_of_a_load_that_it_does_not_know() {
    let scenario = traced(&["load.ops=reads"]);
    let theory = scenario.predict(&Spec::parse("naive").unwrap(), 3, scenario.load.duration);
    assert!(theory.prediction.is_none(), "{theory:?}");
    assert_eq!(scenario.predict_shared_reads(&Spec::parse("naive").unwrap(), 3), None);
}

#[test]
fn what_does_not_go_with_a_trace_is_refused() {
    for (sets, words) in [
        (
            &["load.trace=none.csv"][..],
            "the trace cannot be replayed · --set load.trace=none.csv · none.csv: no such file · name a file",
        ),
        (&["load.trace=seven.csv", "load.warmup=3s"], "found 3s, allowed more than warmup = 3s and a millisecond"),
        (&["load.trace=seven.csv", "load.duration=3s"], "`duration` does not belong here"),
        (&["load.trace=seven.csv", "load.rate=3/s"], "`rate` and `trace` exclude each other"),
        (&["load.trace=seven.csv", "load.batch=2"], "`batch` does not belong here"),
        (&["load.trace=seven.csv", "load.kind=count", "load.window=60s"], "`kind` does not belong here"),
        (&["load.trace=seven.csv", "load.speed=0"], "`speed` is out of range"),
        (&["load.trace=seven.csv", "load.from=2s", "load.to=2s"], "`to` is no later than `from`"),
        (&["load.trace=seven.csv", "load.format=pcap"], "unknown `format` `pcap`"),
        (&["load.trace=seven.csv", "load.ops=writes"], "unknown `ops` `writes`"),
        (&["load.trace=seven.csv", "keys.n=3"], "`n` does not belong here"),
        (&["load.trace=many.csv"], "found 20000000 values of 256"),
        (
            &["load.trace=large.csv", "keys.from_rows=size"],
            "found 5000 values with the sizes of rows and classes: 4.9 GiB",
        ),
        (&["load.trace=seven.csv", "writes.rate=1/s"], "a trace has no [writes]"),
        (&["load.trace=seven.csv", "origin.write_every=1s"], "writes and `origin.write_every` exclude each other"),
        (&["load.trace=seven.csv", "keys.churn=10%/h"], "`churn` does not belong here"),
        (&["load.trace=seven.csv", "keys.from_rows=all"], "unknown `from_rows` `all`"),
        (&["load.speed=2"], "found 2, allowed speed only with trace"),
    ] {
        let refused = opened(&plus(""), &[&["load.warmup=1s"], sets].concat()).unwrap_err();
        assert!(refused.contains(words), "{words:?} is not in {refused}");
    }
    // A class of drawn keys goes where a trace is set beside it; in its file it is refused.
    let class = "[[keys.class]]\nshare = 0.5\nn = 5\nkind = \"uniform\"\n";
    let set = opened(&plus(class), &["load.trace=seven.csv", "load.warmup=1s"]).unwrap();
    assert!(set.keys.classes.is_empty());
    let refused = opened(&(traced(&[]).to_toml() + class), &[]).unwrap_err();
    assert!(
        refused.contains("`share` does not belong here") && refused.contains("missing field `pattern`"),
        "{refused}"
    );
    let refused = opened(&plus("[[keys.class]]\npattern = \"^a\"\n"), &[]).unwrap_err();
    assert!(refused.contains("`pattern` does not belong here"), "{refused}");
    // Nobody reads a file where none can be.
    let sets = [("load.trace".to_owned(), "seven.csv".to_owned())];
    let refused = Scenario::parse(&plus(""), "trace.toml", &sets).unwrap_err().to_string();
    assert!(refused.contains("found no [load.found]"), "{refused}");
    for (damaged, words) in [
        (("keys = 3", "keys = 0"), "`keys` is out of range"),
        (("digest = \"0000000000000007\"", "digest = \"7\""), "16 hexadecimal digits"),
    ] {
        let copy = traced(&[]).to_toml().replace(damaged.0, damaged.1);
        let refused = Scenario::parse(&copy, "copy.toml", &[]).unwrap_err().to_string();
        assert!(refused.contains(words), "{words:?} is not in {refused}");
    }
}
