//! Keys that are not all alike: classes with their own TTLs, sizes and shares, and popularity that changes.

use std::time::Duration;

use scenarios::{Op, Plan, Scenario, SizeLaw, VALUE_SIZE_MAX};

use crate::bad_input::{plus, transcript, with};

const S: Duration = Duration::from_secs(1);
const NS_PER_S: u64 = 1_000_000_000;
/// Beside ten usual keys: sessions, which live long, and pages, which are large.
const CLASSES: &str = "
[[keys.class]]
share = 0.3
n = 1000
kind = \"zipf\"
exponent = 1
ttl = \"60s\"

[[keys.class]]
share = 0.2
n = 5
kind = \"uniform\"
value_size = { dist = \"lognormal\", p50 = \"64KiB\", p99 = \"256KiB\" }
";

fn parsed(text: &str, sets: &[(&str, &str)]) -> Scenario {
    let pairs: Vec<(String, String)> = sets.iter().map(|(path, value)| ((*path).into(), (*value).into())).collect();
    Scenario::parse(text, "keys.toml", &pairs).unwrap_or_else(|errors| panic!("{errors}"))
}

/// 1000 keys by Zipf's law, a tenth of which are new each second.
fn churning() -> Scenario {
    let zipf = [("keys.kind", "zipf"), ("keys.n", "1000"), ("keys.exponent", "1"), ("load.rate", "2000/s")];
    parsed(&plus(""), &[&zipf[..], &[("keys.churn", "10%/s"), ("load.duration", "20s")]].concat())
}

#[test]
fn each_class_has_its_share_its_keys_and_what_holds_for_them() {
    let scenario = parsed(&plus(CLASSES), &[]);
    assert_eq!((scenario.keys.n, scenario.keys.ranks(), scenario.keys.existing()), (10, 1015, 1015));
    let (ttls, sizes) = (scenario.ttls(), scenario.sizes());
    let pages = SizeLaw::LogNormal { p50: 64 << 10, p99: 256 << 10 };
    for (key, ttl, size) in [
        (1, 5, SizeLaw::Constant(256)),
        (10, 5, SizeLaw::Constant(256)),
        (11, 60, SizeLaw::Constant(256)),
        (1010, 60, SizeLaw::Constant(256)),
        (1011, 5, pages),
        (1015, 5, pages),
    ] {
        assert_eq!((*ttls.of(key), *sizes.of(key)), (S * ttl, size), "key {key}");
    }
    assert_eq!(scenario.ttl_max(), S * 60);
    let plan = Plan::new(42, &scenario, 3);
    let (mut usual, mut sessions, mut first, mut pages) = (0.0, 0.0, 0.0, [0.0; 5]);
    for (client, n) in (0..50).flat_map(|client| (0..4000).map(move |n| (client, n))) {
        match plan.item(client, n, 0).key {
            1..=10 => usual += 1.0,
            key @ 11..=1010 => {
                sessions += 1.0;
                first += f64::from(key == 11);
            }
            key => pages[key as usize - 1011] += 1.0,
        }
    }
    let near = |count: f64, share: f64| {
        let sigma = (200_000.0 * share * (1.0 - share)).sqrt();
        assert!((count - 200_000.0 * share).abs() < 5.0 * sigma, "{count} of 200000, expected {share}");
    };
    let harmonic: f64 = (1..=1000).map(|rank| 1.0 / f64::from(rank)).sum();
    near(usual, 0.5);
    near(sessions, 0.3);
    near(first, 0.3 / harmonic);
    pages.iter().for_each(|page| near(*page, 0.2 / 5.0));
    assert_eq!(parsed(&scenario.to_toml(), &[]), scenario, "{}", scenario.to_toml());
    // A trace has keys of its own, and a share of its requests is what it is: those classes go.
    let without = parsed(&plus(""), &[]);
    assert_ne!(Plan::new(42, &without, 3).hash(), plan.hash());
}

#[test]
fn writes_and_arrivals_ask_for_classes_too() {
    let scenario = parsed(&plus(CLASSES), &[("writes.rate", "50/s"), ("load.rate", "400/s")]);
    let plan = Plan::new(42, &scenario, 3);
    let share = |keys: Vec<u32>| keys.iter().filter(|key| **key > 1010).count() as f64 / keys.len() as f64;
    let (reads, writes): (Vec<u32>, Vec<u32>) =
        (plan.arrivals().map(|arrival| arrival.key).collect(), plan.writes().map(|write| write.key).collect());
    assert!(plan.writes().all(|write| write.op == Op::Put) && writes.len() > 2000, "{}", writes.len());
    for of in [share(reads), share(writes)] {
        assert!((of - 0.2).abs() < 0.04, "{of}");
    }
}

#[test]
fn churn_gives_a_rank_one_key_after_the_other() {
    let scenario = churning();
    // The warm-up's 5 s and 20 s, of a turnover of 10 s.
    assert_eq!((scenario.keys.generations, scenario.keys.existing()), (4, 4000));
    let plan = Plan::new(42, &scenario, 3);
    let rank = |key: u32| (key - 1) % 1000;
    let mut last = [0; 1000];
    let mut by_second = [[0_u32; 2]; 25];
    for arrival in plan.arrivals() {
        let (second, rank) = ((arrival.at_ns / NS_PER_S) as usize, rank(arrival.key) as usize);
        assert!((1..=4000).contains(&arrival.key) && arrival.key > last[rank], "a key that is gone does not come back");
        last[rank] = arrival.key - 1;
        let first = u32::from(arrival.key > 1000);
        by_second[second][first as usize] += 1;
    }
    let replaced = by_second.map(|[old, new]| f64::from(new) / f64::from(old + new));
    assert!(replaced[0] < 0.15 && replaced[24] > 0.99, "{replaced:?}");
    // The same requests for the same ranks as without.
    let still = parsed(
        &plus(""),
        &[
            ("keys.kind", "zipf"),
            ("keys.n", "1000"),
            ("keys.exponent", "1"),
            ("load.rate", "2000/s"),
            ("load.duration", "20s"),
        ],
    );
    let ranks: Vec<u32> = plan.arrivals().map(|arrival| rank(arrival.key)).collect();
    let without = Plan::new(42, &still, 3);
    assert_eq!(ranks, without.arrivals().map(|arrival| rank(arrival.key)).collect::<Vec<_>>());
    assert_ne!(plan.hash(), without.hash());
    assert_eq!(parsed(&scenario.to_toml(), &[]), scenario, "{}", scenario.to_toml());
}

#[test]
fn a_client_that_waits_longer_asks_for_a_newer_key() {
    let plan = Plan::new(42, &churning(), 3);
    for n in 0..100 {
        let at = |s: u64| plan.item(7, n, s * NS_PER_S).key;
        assert_eq!((at(0) - 1) % 1000, (at(20) - 1) % 1000);
        assert_eq!(at(20) - at(0), 2000, "two turnovers later");
    }
}

#[test]
fn what_is_wrong_with_classes_and_churn() {
    let class = |text: &str| plus(&format!("[[keys.class]]\n{text}\n"));
    let zipf = |n: u32, more: &str| {
        with("kind = \"hot\"\nhot_share = 0.95\nn = 10", &format!("kind = \"zipf\"\nexponent = 1\nn = {n}\n{more}"))
    };
    let size = VALUE_SIZE_MAX + 1;
    let cases = [
        ("a class of nothing", class("")),
        ("a share of all", class("share = 1\nn = 5\nkind = \"uniform\"")),
        ("shares of more than all", plus(&CLASSES.repeat(2).replace("0.3", "0.5"))),
        ("no keys", class("share = 0.1\nn = 0\nkind = \"uniform\"")),
        ("a class without a law", class("share = 0.1\nn = 5")),
        ("a pattern where keys have no names", class("share = 0.1\nn = 5\nkind = \"uniform\"\npattern = \"^a\"")),
        ("a TTL of nothing", class("share = 0.1\nn = 5\nkind = \"uniform\"\nttl = \"0s\"")),
        ("too large values", class(&format!("share = 0.1\nn = 5\nkind = \"uniform\"\nvalue_size = \"{size}B\""))),
        ("what a class does not have", class("share = 0.1\nn = 5\nkind = \"uniform\"\nmissing_share = 0.1")),
        ("values of rows where there are none", with("n = 10", "n = 10\nfrom_rows = \"ttl\"")),
        ("65 classes", plus(&"[[keys.class]]\nshare = 0.01\nn = 1\nkind = \"single\"\n".repeat(65))),
        ("too many keys", class("share = 0.1\nn = 10000000\nkind = \"uniform\"")),
        ("churn without a law that ranks", with("n = 10", "n = 10\nchurn = \"10%/h\"")),
        ("churn without a unit", zipf(10, "churn = \"10\"")),
        ("churn too fast", zipf(10, "churn = \"2000%/s\"")),
        ("churn of too many", zipf(100_000, "churn = \"1000%/s\"")),
        ("churn of a sample", zipf(10, "sample_of = 1000\nchurn = \"10%/m\"")),
        ("pages and churn", zipf(10, "churn = \"10%/m\"").replace("warmup = \"5s\"", "warmup = \"5s\"\nbatch = 5")),
    ];
    insta::assert_snapshot!(transcript(&cases));
}
