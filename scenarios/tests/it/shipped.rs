//! The shipped scenarios are what the contract says, and every scenario survives being written out and read again.
use std::time::Duration;

use proptest::prelude::*;

use crate::generated::*;
use scenarios::{
    Action, ActionKind, Arrivals, CacheSettings, KeyKind, Keys, Law, Load, LoadKind, OnDown, OriginModel, Plan, Ramp,
    Scenario, ServerSettings, SimulatedServer, SizeLaw, Start, Warm, shipped,
};
use strategies::Budgets;

const MS: Duration = Duration::from_millis(1);
const S: Duration = Duration::from_secs(1);

fn ship(name: &str) -> Scenario {
    let (_, text) = shipped().iter().find(|(shipped, _)| *shipped == name).unwrap();
    Scenario::parse(text, name, &[]).unwrap_or_else(|errors| panic!("{errors}"))
}

fn sets(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(path, value): &(&str, &str)| ((*path).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn hotkey_with(pairs: &[(&str, &str)]) -> Scenario {
    let (_, text) = shipped()[0];
    Scenario::parse(text, "hotkey", &sets(pairs)).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn each_ships_valid_under_its_own_name_and_without_a_warning() {
    for (name, _) in shipped() {
        let scenario = ship(name);
        assert_eq!(scenario.name, *name);
        assert_eq!(scenario.warnings(), Vec::<String>::new());
        assert!(scenario.replicas_min() <= 3, "{name} runs with the default number of replicas");
    }
}

#[test]
fn hotkey_is_the_primers_load() {
    let expected = Scenario {
        name: "hotkey".to_owned(),
        summary: "One popular key, one TTL, fifty clients: the stampede itself.".to_owned(),
        strategies: ["naive", "singleflight", "swr", "xfetch", "jitter"].map(str::to_owned).to_vec(),
        load: Load {
            kind: LoadKind::Closed { clients: 50, think: Law::Constant(120 * MS), ramps: Vec::new() },
            warmup: 5 * S,
            duration: 60 * S,
            timeout: 10 * S,
            on_down: OnDown::Next,
            retry: None,
            batch: 1,
        },
        counting: None,
        keys: Keys::alike(KeyKind::Hot { share: 0.95 }, 10, SizeLaw::Constant(256)),
        cache: CacheSettings { ttl: 5 * S, redis: ServerSettings::default(), simulated: SimulatedServer::default() },
        origin: OriginModel {
            service_time: Law::Constant(200 * MS),
            write_time: None,
            concurrency: 64,
            queue: 1024,
            write_every: None,
        },
        writes: None,
        budgets: Budgets::USUAL,
        slots: None,
        warm: None,
        events: Vec::new(),
        thresholds: Vec::new(),
    };
    assert_eq!(ship("hotkey"), expected);
    assert_eq!(expected.keys.hot_key(), Some(1));
}

#[test]
fn the_open_ones_are_what_they_are_called() {
    let open = |rate_per_s| LoadKind::Open {
        rate_per_s,
        arrivals: Arrivals::Poisson,
        start: Start::Together,
        ramps: Vec::new(),
    };
    let (hotkey, hotkey_open) = (ship("hotkey"), ship("hotkey-open"));
    assert_eq!((&hotkey_open.keys, &hotkey_open.cache), (&hotkey.keys, &hotkey.cache), "hotkey's keys");
    assert_eq!(hotkey_open.load.kind, open(400.0));
    let cold = ship("cold-start");
    assert_eq!((&cold.load.kind, cold.load.warmup, cold.warm), (&open(400.0), Duration::ZERO, None));
    assert_eq!((cold.keys.n, &cold.keys.kind), (10, &KeyKind::Uniform));
    let zipf = ship("zipf");
    let missing = ship("missing-keys");
    assert_eq!((missing.load.kind, missing.keys.missing_share), (open(400.0), 0.05));
    let negative = |text: &String| strategies::Spec::parse(text).unwrap().negative_life();
    let lives: Vec<Duration> = missing.strategies.iter().map(negative).collect();
    assert_eq!(lives, [Duration::ZERO, S].repeat(3), "without and with the negative layer, a second");
    let sale = ship("flash-sale");
    let ramps = vec![Ramp { at: 5 * S, to_per_s: 2000.0, over: 20 * S }];
    assert_eq!(
        sale.load.kind,
        LoadKind::Open { rate_per_s: 50.0, arrivals: Arrivals::Poisson, start: Start::Together, ramps }
    );
    assert_eq!((sale.keys.n, sale.keys.kind), (100, KeyKind::Hot { share: 0.99 }));
    assert_eq!((zipf.load.kind, zipf.keys.n, zipf.keys.kind), (open(800.0), 10_000, KeyKind::Zipf { exponent: 1.1 }));
}

#[test]
fn bulk_warm_is_a_hundred_items_in_one_burst() {
    let scenario = ship("bulk-warm");
    assert_eq!(scenario.warm, Some(Warm::BurstAll));
    assert_eq!(scenario.strategies, ["naive", "jitter(0.2)", "jitter(1.0)", "swr"]);
    assert_eq!((scenario.keys.kind, scenario.keys.n), (KeyKind::Uniform, 100));
    assert_eq!((scenario.load.warmup, scenario.load.duration), (Duration::ZERO, 60 * S));
    assert_eq!((scenario.origin.concurrency, scenario.origin.queue), (128, 1024));
    assert_eq!(scenario.keys.hot_key(), None);
}

#[test]
fn the_resolved_copy_writes_every_default_with_its_unit() {
    insta::assert_snapshot!(ship("hotkey").to_toml());
    insta::assert_snapshot!(ship("bulk-warm").to_toml());
    insta::assert_snapshot!(ship("flash-sale").to_toml());
}

#[test]
fn overrides_are_laid_over_the_file() {
    let scenario = hotkey_with(&[
        ("cache.ttl", "1s"),
        ("cache.ttl", "10s"),
        ("load.clients", "80"),
        ("load.think", "{ dist = \"exp\", mean = \"120ms\" }"),
        ("strategies", "[\"naive\"]"),
        ("origin.service_time.dist", "exp"),
        ("origin.service_time.mean", "50ms"),
    ]);
    assert_eq!(scenario.cache.ttl, 10 * S);
    let think = Law::Exponential { mean: 120 * MS };
    assert_eq!(scenario.load.kind, LoadKind::Closed { clients: 80, think, ramps: Vec::new() });
    assert_eq!(scenario.strategies, ["naive"]);
    assert_eq!(scenario.origin.service_time, Law::Exponential { mean: 50 * MS });
}

#[test]
fn choosing_another_kind_by_override_drops_what_belonged_to_the_old_one() {
    let scenario = hotkey_with(&[("load.rate", "24000/m"), ("keys.kind", "zipf"), ("keys.exponent", "0.99")]);
    let (arrivals, ramps) = (Arrivals::Poisson, Vec::new());
    assert_eq!(scenario.load.kind, LoadKind::Open { rate_per_s: 400.0, arrivals, start: Start::Together, ramps });
    assert_eq!(scenario.keys.kind, KeyKind::Zipf { exponent: 0.99 });
}

#[test]
fn an_override_repairs_what_the_file_has_wrong() {
    let text = shipped()[0].1.replace("ttl = \"5s\"", "ttl = 5");
    assert!(Scenario::parse(&text, "hotkey", &[]).is_err());
    assert!(Scenario::parse(&text, "hotkey", &sets(&[("cache.ttl", "5s")])).is_ok());
}

#[test]
fn a_ttl_below_the_service_time_is_a_warning() {
    let scenario = hotkey_with(&[("cache.ttl", "100ms")]);
    insta::assert_snapshot!(scenario.warnings().join("\n"), @"`cache.ttl` (100ms) is shorter than the origin's mean service time (200ms): an entry may end before the next read does; raise the TTL unless that is the point");
}

#[test]
fn events_come_in_the_order_of_time_and_say_how_many_replicas_they_need() {
    let text = format!(
        "{}\n[[event]]\nat = \"9s\"\ndo = \"replica-kill\"\ntarget = \"replica-2\"\n\n[[event]]\nat = \"3s\"\ndo = \"replica-restart\"\n",
        shipped()[0].1
    );
    let scenario = Scenario::parse(&text, "events", &[]).unwrap();
    assert_eq!(scenario.events[0].action, Action::new(ActionKind::ReplicaRestart));
    assert_eq!(scenario.events[1].at, 9 * S);
    assert_eq!(scenario.replicas_min(), 3);
}

proptest! {
    #[test]
    fn writing_out_and_reading_again_gives_the_same_scenario(scenario in scenario()) {
        let text = scenario.to_toml();
        let again = Scenario::parse(&text, "resolved", &[]);
        let again = again.map_err(|errors| TestCaseError::fail(format!("{errors}\n{text}")))?;
        prop_assert_eq!(&again, &scenario);
        prop_assert_eq!(again.to_toml(), text);
    }
}

#[test]
fn the_resolved_copy_has_the_same_plan() {
    for (name, _) in shipped() {
        let scenario = ship(name);
        let again = Scenario::parse(&scenario.to_toml(), "resolved", &[]).unwrap();
        assert_eq!(Plan::new(42, &again, 3).hash(), Plan::new(42, &scenario, 3).hash());
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _ = Scenario::parse(&text, "any", &[]);
    }

    #[test]
    fn no_mutation_makes_the_parser_panic_or_fail_in_silence(
        cut in 0..1500_usize,
        length in 0..40_usize,
        inserted in "[ -~\\n\\t]{0,20}|.{0,5}|\\[\\[event\\]\\]\nat = [0-9]s",
    ) {
        let mut letters: Vec<char> = shipped()[0].1.chars().collect();
        let start = cut.min(letters.len());
        let end = (start + length).min(letters.len());
        letters.splice(start..end, inserted.chars());
        let text: String = letters.into_iter().collect();
        if let Err(errors) = Scenario::parse(&text, "mutated", &[]) {
            prop_assert!(!errors.problems.is_empty());
            prop_assert!(errors.to_string().starts_with("error: "));
        }
    }

    #[test]
    fn no_override_makes_the_parser_panic(
        path in "[a-z_.]{0,20}|load\\.rate|load\\.clients|keys\\.kind|origin\\.service_time(\\.mean)?|strategies",
        value in any::<String>(),
    ) {
        let _ = Scenario::parse(shipped()[0].1, "hotkey", &[(path, value)]);
    }
}

#[test]
fn settings_are_every_field_that_shapes_what_happens() {
    let event = "\n[[event]]\nat = \"20s\"\ndo = \"origin-slow\"\nfactor = 5.0\nfor = \"2s\"\n";
    let threshold = "\n[[threshold]]\nstrategy = \"naive\"\nmetric = \"requests\"\nat_least = 1\n";
    let (_, text) = shipped()[0];
    let scenario = Scenario::parse(&format!("{text}{event}{threshold}"), "hotkey", &[]).unwrap();
    let settings = scenario.settings();
    for (field, value) in [
        ("load.clients", "50"),
        ("cache.ttl", "5s"),
        ("origin.service_time", "200ms"),
        ("budgets.origin_read", "5s"),
        ("event.1.do", "origin-slow"),
        ("event.1.for", "2s"),
    ] {
        assert_eq!(settings.get(field).map(String::as_str), Some(value), "{field} in {settings:?}");
    }
    let shaped = ["load.", "keys.", "cache.", "origin.", "budgets.", "event.1."];
    assert!(settings.keys().all(|field| shaped.iter().any(|start| field.starts_with(start))), "{settings:?}");
}

proptest! {
    #[test]
    fn settings_lose_no_field(scenario in scenario()) {
        let bare = Scenario { thresholds: Vec::new(), ..scenario.clone() };
        let toml = bare.to_toml();
        let written: Vec<&str> = toml.lines().filter_map(|line| line.split_once(" = ")).map(|(_, value)| value).collect();
        let names = 4; // schema, name, summary, strategies
        let mut written: Vec<&str> = written[names..].iter().map(|value| value.trim_matches('"')).collect();
        let settings = scenario.settings();
        let mut held: Vec<&str> = settings.values().map(String::as_str).collect();
        written.sort_unstable();
        held.sort_unstable();
        prop_assert_eq!(held, written);
    }
}
