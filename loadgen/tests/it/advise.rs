//! `advise` as its user runs it: its figures are those of single runs, the same question has the same answer, and it says first
//! what no strategy can do.

use std::path::Path;
use std::sync::OnceLock;

use crate::common::{only_run, record, run, strategy};
use report::{Figures, figure, figures};
use serde_json::Value;

/// One key, asked for forty times a second.
const ONE_KEY: [&str; 10] =
    ["--rate", "40/s", "--keys", "single", "--ttl", "2s", "--service-time", "200ms", "--origin-capacity", "4/s"];

fn advise(output: &Path, args: &[&str]) -> (Value, String) {
    let own = ["advise", "--quiet", "--format", "json", "-o", output.to_str().unwrap()];
    let said = run(&[&own[..], args].concat());
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    (serde_json::from_str(&said.out).unwrap(), said.out)
}

/// The quick answer about the one key, where nothing may be stale, and what was said of it: asked once for all tests.
fn one_key() -> &'static (Value, String) {
    static ONE: OnceLock<(Value, String)> = OnceLock::new();
    ONE.get_or_init(|| {
        let results = tempfile::tempdir().unwrap();
        let own = ["advise", "--quiet", "--quick", "-o", results.path().to_str().unwrap()];
        let said = run(&[&own[..], &ONE_KEY].concat());
        assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
        let text = std::fs::read_to_string(only_run(results.path()).join("advice.json")).unwrap();
        (serde_json::from_str(&text).unwrap(), said.out)
    })
}

/// A run as the answer says that anybody can make it.
fn alone(scenario: &Path, spec: &str, seed: &str) -> Figures {
    let results = tempfile::tempdir().unwrap();
    let (output, scenario) = (results.path().to_str().unwrap(), scenario.to_str().unwrap());
    let line = ["--lab", "sim", "--quiet", "-o", output, "--scenario", scenario, "--strategy", spec];
    let said = run(&[&line[..], &["--replicas", "3", "--seed", seed]].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    figures(strategy(&record(&only_run(results.path())), spec))
}

fn specs(ranking: &Value) -> Vec<String> {
    ranking.as_array().unwrap().iter().map(|s| s["strategy"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn its_figures_are_those_of_single_runs_and_the_same_question_has_the_same_answer() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let args = [&ONE_KEY[..], &["--max-stale", "2s", "--seed", "7", "--quick"]].concat();
    let (advice, text) = advise(one.path(), &args);
    assert_eq!(advice["schema"], "stampede.advice/v1");
    assert_eq!(text, advise(two.path(), &args).1);
    let (folder, other) = (only_run(one.path()), only_run(two.path()));
    for file in [
        "advice.json",
        "scenario.toml",
        "twice-the-load.toml",
        "twice-the-service-time.toml",
        "cold-start.toml",
        "lost-cache.toml",
        "killed-replica.toml",
    ] {
        assert_eq!(std::fs::read(folder.join(file)).unwrap(), std::fs::read(other.join(file)).unwrap(), "{file}");
    }
    let lost = advice["limits"].as_array().unwrap().iter().find(|limit| limit["name"] == "lost-cache").unwrap();
    for (file, setting) in [("scenario.toml", &advice["chosen"]), ("lost-cache.toml", &lost["chosen"])] {
        let spec = setting["strategy"].as_str().unwrap();
        let file = folder.join(file);
        let singles: Vec<_> = ["7", "8"].iter().map(|seed| alone(&file, spec, seed)).collect();
        for (metric, spread) in setting["figures"].as_object().unwrap() {
            if metric == "origin.per_second" {
                continue;
            }
            let values: Option<Vec<f64>> = singles
                .iter()
                .map(|single| figure(single, metric).unwrap().and_then(serde_json::Number::as_f64))
                .collect();
            let Some(values) = values else {
                assert!(spread.is_null(), "{metric}");
                continue;
            };
            let mean = values.iter().sum::<f64>() / 2.0;
            assert!(
                (spread["mean"].as_f64().unwrap() - mean).abs() < 1e-5,
                "{metric} of {spec}: {spread} and {values:?}"
            );
            assert_eq!(spread["max"].as_f64().unwrap(), values.iter().copied().fold(f64::MIN, f64::max), "{metric}");
        }
    }
}

#[test]
fn jitter_is_no_cure_for_one_key_and_without_leave_nothing_is_stale() {
    let results = tempfile::tempdir().unwrap();
    let (advice, _) = advise(results.path(), &[&ONE_KEY[..], &["--max-stale", "2s"]].concat());
    // Everything is tried once, and what may be advised with all seeds.
    let ranking = advice["ranking"].as_array().unwrap();
    assert_eq!(ranking.len() as u64, advice["simulated"]["settings"].as_u64().unwrap());
    assert!(ranking.iter().all(|s| s["runs"] == 1 || s["runs"] == 3 && s["meets_goal"] == true), "{advice}");
    assert!(ranking.iter().all(|s| s["as_good_as_best"] == false || s["runs"] == 3), "{advice}");
    assert_eq!((&advice["chosen"]["runs"], &advice["runner_up"]["runs"]), (&Value::from(3), &Value::from(3)));
    assert_eq!((&advice["goal_met"], &advice["capacity"]["enough"]), (&Value::Bool(true), &Value::Bool(true)));
    let chosen = advice["chosen"]["composition"].as_str().unwrap();
    assert!(!chosen.contains("jitter"), "{chosen}");
    let jitter = advice["ranking"].as_array().unwrap().iter().filter(|s| s["family"] == "jitter");
    assert!(
        jitter.clone().count() > 0 && jitter.clone().all(|s| s["meets_goal"] == false),
        "{:?}",
        specs(&advice["ranking"])
    );

    let (advice, _) = one_key();
    for setting in advice["ranking"].as_array().unwrap() {
        let composition = setting["composition"].as_str().unwrap();
        assert!(!composition.contains("swr") && !composition.contains("jitter"), "{composition}");
        assert_eq!(setting["figures"]["stale.share"]["max"], 0.0, "{composition}");
    }
    let left_out = advice["left_out"].as_array().unwrap();
    assert!(left_out.iter().any(|text| text.as_str().unwrap().contains("swr")), "{left_out:?}");
}

#[test]
fn where_naive_will_do_it_says_so() {
    let results = tempfile::tempdir().unwrap();
    let even = [
        "--rate",
        "20/s",
        "--keys",
        "uniform:200",
        "--ttl",
        "2s",
        "--service-time",
        "100ms",
        "--origin-capacity",
        "60/s",
    ];
    let (advice, _) = advise(results.path(), &[&even[..], &["--max-stale", "1s", "--quick"]].concat());
    assert_eq!(advice["chosen"]["strategy"], "naive", "{:?}", specs(&advice["ranking"]));
    assert_eq!(advice["goal_met"], true);
}

#[test]
fn below_the_floor_it_says_first_what_would_do() {
    let results = tempfile::tempdir().unwrap();
    let output = results.path().to_str().unwrap();
    let args = [
        "--rate",
        "40/s",
        "--keys",
        "uniform:100",
        "--ttl",
        "1s",
        "--service-time",
        "100ms",
        "--origin-capacity",
        "5/s",
    ];
    let said = run(&[&["advise", "--quiet", "--quick", "-o", output][..], &args].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.starts_with("NO STRATEGY CAN DO THIS. Your origin does 5 reads/s;"), "{}", said.out);
    let folder = only_run(results.path());
    let advice: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("advice.json")).unwrap()).unwrap();
    let capacity = &advice["capacity"];
    // 100 keys × 0.4/s / (1 + 0.4/s × 1.1 s)
    assert!((capacity["floor_per_s"].as_f64().unwrap() - 27.778).abs() < 0.001, "{capacity}");
    assert_eq!((&capacity["enough"], &advice["goal_met"]), (&Value::Bool(false), &Value::Bool(true)));
    let would = capacity["simulated_per_s"].as_f64().unwrap();
    assert!(would > 27.8 && advice["chosen"]["figures"]["origin.max_per_second"]["max"].as_f64().unwrap() <= would);
    assert!(said.out.contains(&format!("would do  an origin of {would} reads/s")), "{}", said.out);
    // m + 3.2 √m = 5 for m = 1.3215, and 100 × 0.4 / (1 + 0.4 × (T + 0.1)) ≤ 1.3215 for T = 74 s, not for 73.
    assert_eq!(capacity["longer_ttl"]["ttl_s"], 74, "{capacity}");
    assert!(said.out.contains("or a TTL of 74s with the origin as it is, once the cache is warm"), "{}", said.out);
    // Nothing is simulated on a day on which no strategy can.
    for limit in advice["limits"].as_array().unwrap() {
        let impossible = limit["verdict"] == "no-strategy-can";
        assert_eq!(impossible, limit["chosen"].is_null(), "{limit}");
    }
}

#[test]
fn the_days_that_are_not_usual_are_told_and_a_lock_is_weighed_where_its_holder_dies() {
    let (advice, said) = one_key();
    let names: Vec<&str> = advice["limits"].as_array().unwrap().iter().map(|l| l["name"].as_str().unwrap()).collect();
    let all = ["twice-the-load", "twice-the-service-time", "cold-start", "lost-cache", "killed-replica"];
    assert_eq!(names, all);
    // Who may serve nothing stale refreshes early behind a lock here. Its life is told, with the least that it may be (200 ms and
    // 500), and when its holder dies, those who wait for the dead are refused: under a lease, or without a lock, they are not.
    let chosen = advice["chosen"]["composition"].as_str().unwrap();
    assert!(chosen.starts_with("xfetch") && chosen.ends_with(" + lock"), "{:?}", specs(&advice["ranking"]));
    assert!(advice["lock"].as_str().unwrap().contains("It must live longer than 700ms here"), "{}", advice["lock"]);
    let killed = &advice["limits"][4];
    let other = killed["runner_up"]["composition"].as_str().unwrap();
    assert!(killed["verdict"] == "switch" && !other.contains("+ lock"), "{killed}");
    assert!(killed["chosen"]["figures"]["outcomes.shed"]["max"].as_f64().unwrap() > 100.0, "{killed}");
    assert_eq!(killed["runner_up"]["figures"]["outcomes.shed"]["max"], 0.0, "{killed}");
    assert!(said.contains("lock     its lock lives 10s."), "{said}");
    assert!(said.starts_with("ADVICE   --strategy "), "the first line is the answer: {said}");
    for file in all {
        assert!(said.contains(&format!("{file}.toml")), "{file}: {said}");
    }
    // One replica: there is nobody left when it dies.
    let results = tempfile::tempdir().unwrap();
    let (advice, _) = advise(results.path(), &[&ONE_KEY[..], &["--quick", "--replicas", "1"]].concat());
    assert_eq!(advice["limits"].as_array().unwrap().len(), 4);
}

#[test]
fn who_does_not_come_back_from_a_lost_cache_is_not_advised() {
    let results = tempfile::tempdir().unwrap();
    let question =
        "--rate 20/s --keys uniform:50 --ttl 15s --service-time 400ms --origin-capacity 7/s --replicas 2 --quick";
    let (advice, _) = advise(results.path(), &question.split(' ').collect::<Vec<_>>());
    let instead = advice["instead"].as_str().unwrap();
    let (spec, chosen) = (advice["chosen"]["strategy"].as_str().unwrap(), &advice["chosen"]["composition"]);
    let other = instead.lines().nth(1).and_then(|line| line.split_once(" is as good, and no more complicated (p99 "));
    let other = other.unwrap_or_else(|| panic!("{instead}")).0.trim();
    assert!(instead.ends_with(", but it does not"), "{instead}");
    assert!(
        chosen.as_str().unwrap().contains(" + breaker") || chosen.as_str().unwrap().contains(" + limit"),
        "{chosen}"
    );
    assert!(
        specs(&advice["ranking"]).contains(&"plain + lock + limit(concurrency=2)".to_owned()),
        "3 places, 2 replicas"
    );
    for day in ["cold-start", "lost-cache"] {
        let limit = advice["limits"].as_array().unwrap().iter().find(|limit| limit["name"] == day).unwrap();
        let seeds = limit["chosen"]["seeds"].as_array().unwrap();
        assert!(seeds.len() == 2 && seeds.iter().all(|seed| seed["recovered"] == true), "{day}: {limit}");
    }
    // Anybody may see for himself.
    let file = only_run(results.path()).join("lost-cache.toml");
    let recovered = |spec: &str| {
        let results = tempfile::tempdir().unwrap();
        let (output, file) = (results.path().to_str().unwrap(), file.to_str().unwrap());
        let line = ["--lab", "sim", "--quiet", "--replicas", "2", "-o", output, "--scenario", file, "--strategy", spec];
        run(&line);
        record(&only_run(results.path())).strategies[0].recovery.unwrap().recovered
    };
    assert_eq!((recovered(spec), recovered(other)), (Some(true), Some(false)));
}

#[test]
fn what_is_said_of_the_knob_is_what_was_ranked() {
    let (advice, _) = one_key();
    let values = advice["main_knob"]["values"].as_array().unwrap();
    assert!(values.len() > 1, "{advice}");
    for value in values {
        let same = |s: &&Value| s["strategy"] == value["setting"]["strategy"];
        let ranked = advice["ranking"].as_array().unwrap().iter().find(same).unwrap();
        assert_eq!(ranked, &value["setting"]);
    }
    let chosen = &advice["chosen"]["strategy"];
    assert!(values.iter().any(|value| value["setting"]["strategy"] == *chosen), "{chosen}: {values:?}");
}

#[test]
fn a_folder_that_cannot_be_written_is_found_before_anything_is_simulated() {
    let results = tempfile::tempdir().unwrap();
    let file = results.path().join("file");
    std::fs::write(&file, "").unwrap();
    let said = run(&[&["advise", "-o", file.to_str().unwrap()][..], &ONE_KEY].concat());
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(said.err.starts_with("error: cannot make the results folder · -o "), "{}", said.err);
}

#[test]
fn a_law_of_service_times_is_simulated_as_one() {
    let results = tempfile::tempdir().unwrap();
    let law = [&ONE_KEY[..5], &["2s", "--service-time", "lognormal:100ms,300ms", "--origin-capacity", "20/s"]].concat();
    let (advice, _) = advise(results.path(), &[&law[..], &["--quick"]].concat());
    let scenario = std::fs::read_to_string(only_run(results.path()).join("scenario.toml")).unwrap();
    // 20/s of 111.8 ms are 2.2359 places: simulated as two, in which a read takes 2 / 2.2359 as long.
    assert!(scenario.contains("{ dist = \"lognormal\", p50 = \"89448us\", p99 = \"268345us\" }"), "{scenario}");
    let capacity = &advice["capacity"];
    assert_eq!((&capacity["does_per_s"], &capacity["simulated_per_s"]), (&Value::from(20.0), &Value::from(20.0)));
    assert!(
        capacity["rounded"].as_str().unwrap().contains("2 places of 100 ms in the mean each, 20 reads/s"),
        "{capacity}"
    );
    // 100 ms · exp(σ²/2), σ = ln 3 / 2.3263
    let mean = advice["asked"]["service_time_mean_s"].as_f64().unwrap();
    assert!((mean - 0.11180).abs() < 1e-4, "{mean}");
}

#[test]
fn a_dry_run_says_what_would_be_simulated_and_leaves_nothing() {
    let results = tempfile::tempdir().unwrap();
    let own = ["advise", "--dry-run", "-o", results.path().to_str().unwrap(), "--goal", "min origin.total"];
    let said = run(&[&own[..], &ONE_KEY].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    for words in
        ["goal: min origin.total where origin.max_per_second <= 14 and", "3 seeds", "nothing was run", "schema = 1"]
    {
        assert!(said.out.contains(words), "{words:?} in {}", said.out);
    }
    assert_eq!(std::fs::read_dir(results.path()).unwrap().count(), 0);
}

#[test]
fn bad_input_is_refused_at_its_flag() {
    // (flag, value, what is said)
    for (flag, value, words) in [
        (
            "--rate",
            "400",
            "a number without a unit · --rate · found \"400\", allowed a rate in /s, /m or /h · write 400/s",
        ),
        ("--rate", "-4/s", "--rate · found \"-4/s\""),
        ("--rate", "0/s", "out of range · --rate · found \"0/s\", allowed above 0/s"),
        ("--ttl", "5", "--ttl · found \"5\", allowed a duration"),
        ("--ttl", "0s", "--ttl 0s"),
        ("--ttl", "25h", "--ttl 25h"),
        ("--rate", "0.001/s", "too few requests to tell anything · --rate · found 86 requests in 24h"),
        ("--service-time", "soon", "not a quantity · --service-time · found \"soon\""),
        (
            "--service-time",
            "lognormal:1s",
            "no service time · --service-time · found \"lognormal:1s\", allowed a duration, exp:MEAN",
        ),
        ("--service-time", "lognormal:2s,1s", "p99 is less than p50 · --service-time · found \"lognormal:2s,1s\""),
        ("--service-time", "0ms", "out of range · --service-time · found \"0ms\", allowed 1ms or more"),
        ("--service-time", "lognormal:1ms,1s", "an origin read that is given up · --service-time · found 9"),
        ("--service-time", "2h", "--service-time 2h"),
        ("--origin-capacity", "50", "--origin-capacity · found \"50\", allowed a rate"),
        ("--origin-capacity", "0/s", "allowed above 0/s"),
        ("--max-stale", "2", "--max-stale · found \"2\", allowed a duration"),
        ("--keys", "zipf", "--keys · found \"zipf\", allowed hot:N[:share]"),
        ("--keys", "pareto:10", "no such kind of keys · --keys"),
        ("--keys", "zipf:0", "--keys zipf:0"),
        ("--keys", "hot:10:1.5", "--keys hot:10:1.5"),
        ("--goal", "min orign.total", "did you mean"),
        ("--replicas", "0", "1..=1000"),
        ("--seed", "18446744073709551615", "the last seed is too large"),
    ] {
        let mut args: Vec<&str> = [&["advise", "-o", "/dev/null/at/all"][..], &ONE_KEY].concat();
        match args.iter().position(|arg| *arg == flag) {
            Some(at) => args[at + 1] = value,
            None => args.extend([flag, value]),
        }
        let said = run(&args);
        assert_eq!(said.code, Some(2), "{flag} {value}: {}{}", said.out, said.err);
        assert!(said.err.starts_with("error:") && said.err.contains(words), "{flag} {value}: {}", said.err);
    }
}

/// A key that is asked for ten times a second and read once in three minutes: nothing fails, and nobody is told that it never recovers.
#[test]
fn a_ttl_longer_than_the_day_is_no_reason_to_say_that_nothing_comes_back() {
    let results = tempfile::tempdir().unwrap();
    let output = results.path().to_str().unwrap();
    let question = "--rate 10/s --keys single --ttl 3m --service-time 200ms --origin-capacity 50/s --quick";
    let said = run(&[&["advise", "-o", output][..], &question.split(' ').collect::<Vec<_>>()].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(!said.out.contains("COMES BACK") && !said.out.contains("NOT RECOVERED"), "{}", said.out);
    // Whom nobody watches is told no more than how long it takes.
    assert!(said.err.lines().count() <= 2, "{}", said.err);
    let text = std::fs::read_to_string(only_run(results.path()).join("advice.json")).unwrap();
    let advice: Value = serde_json::from_str(&text).unwrap();
    assert_ne!(advice["comes_back"], Value::Bool(false), "{}", advice["limits"]);
    for limit in advice["limits"].as_array().unwrap() {
        let failed =
            limit["chosen"]["seeds"].as_array().unwrap().iter().any(|seed| seed["errors"] != 0 || seed["shed"] != 0);
        // Another one may be quicker on such a day, which does not say that this one fails.
        let well = ["holds", "runner-up-better", "not-known"].iter().any(|verdict| limit["verdict"] == *verdict);
        assert!(failed || well, "{limit}");
    }
}

/// A field of the scenario that a dry run prints.
fn field<'t>(text: &'t str, name: &str) -> &'t str {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
    line.unwrap_or_else(|| panic!("{name} in {text}")).trim_matches('"')
}

/// Absurd, and allowed: no day has more seconds, requests or keys than can be held.
#[test]
fn what_is_allowed_is_simulated_within_bounds() {
    for question in [
        "--rate 0.02/s --keys uniform:100 --ttl 24h --service-time 200ms --origin-capacity 5/s",
        "--rate 1/s --keys single --ttl 24h --service-time 1h --origin-capacity 1/s",
        "--rate 1/s --keys uniform:10000000 --ttl 24h --service-time 200ms --origin-capacity 5/s",
        "--rate 10/s --keys uniform:10 --ttl 1s --service-time 1h --origin-capacity 1/m --max-stale 24h",
    ] {
        let said = run(&[&["advise", "--dry-run"][..], &question.split(' ').collect::<Vec<_>>()].concat());
        assert_eq!(said.code, Some(0), "{question}: {}", said.err);
        let rate: f64 = field(&said.out, "rate").trim_end_matches("/s").parse().unwrap();
        let seconds = |name| (strategies::units::DURATION.read)(field(&said.out, name)).unwrap().as_secs_f64();
        let length = seconds("warmup") + seconds("duration");
        assert!(length <= 172_800.0 && rate * length <= 10_000_000.0, "{question}: {rate}/s for {length} s");
    }
}

/// What no machine simulates as it is: a billion requests a cycle, a million keys, three hundred replicas.
#[test]
fn no_question_is_too_large_for_a_day_that_can_be_simulated() {
    for question in [
        "--rate 20000/s --keys single --ttl 24h --service-time 200ms --origin-capacity 50/s",
        "--rate 20000/s --keys zipf:1000000 --ttl 60s --service-time 200ms --origin-capacity 9000/s",
        "--rate 20000/s --keys zipf:1000000 --ttl 24h --service-time 200ms --origin-capacity 1000/s",
        "--rate 1000/s --keys zipf:50000 --ttl 60s --service-time 200ms --origin-capacity 500/s",
        "--rate 1/s --keys uniform:1000000 --ttl 24h --service-time 1s --origin-capacity 5/s --replicas 300",
        "--rate 10000/s --keys single --ttl 1h --service-time 10ms --origin-capacity 50/s",
    ] {
        let said = run(&[&["advise", "--dry-run"][..], &question.split(' ').collect::<Vec<_>>()].concat());
        assert_eq!(said.code, Some(0), "{question}: {}", said.err);
        let rate: f64 = field(&said.out, "rate").trim_end_matches("/s").parse().unwrap();
        let seconds = |name| (strategies::units::DURATION.read)(field(&said.out, name)).unwrap().as_secs_f64();
        let length = seconds("warmup") + seconds("duration");
        assert!(rate * length <= 5_000_000.0, "{question}: {rate}/s for {length} s");
        assert!(
            ["# estimated from a sample of", "# simulated with"].iter().any(|scale| said.out.contains(scale)),
            "{question}: {}",
            said.out
        );
    }
}
