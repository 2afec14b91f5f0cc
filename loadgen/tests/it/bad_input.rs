//! Bad command lines and bad files: the exit code and the sentence of each.

use crate::common::run;

/// (arguments, code, what standard error must have)
const CASES: &[(&[&str], i32, &[&str])] = &[
    (&[], 2, &["error: no scenario · --scenario · found nothing · name one of: hotkey, hotkey-open, bulk-warm"]),
    (&["--scenario", "hotkye"], 2, &["found \"hotkye\", allowed hotkey, hotkey-open", "did you mean `hotkey`?"]),
    (&["--scenario", "/nowhere/mine.toml"], 2, &["/nowhere/mine.toml"]),
    (&["--scenario", "/"], 2, &["the scenario is a directory", "allowed a TOML file"]),
    (&["--scenario", "hotkey", "--strategy", "nayve"], 2, &["not a strategy", "did you mean `naive`?"]),
    (&["--scenario", "hotkey", "--strategy", ""], 2, &["is empty; name a preset"]),
    (&["--scenario", "hotkey", "--strategy", "naive,plain"], 2, &["the same strategy twice", "drop one"]),
    (&["--scenario", "hotkey", "--strategy", "singleflight(lease=10)"], 2, &["needs a unit, e.g. 10s"]),
    (&["--scenario", "hotkey", "-d", "60"], 2, &["-d 60", "needs a unit"]),
    (&["--scenario", "hotkey", "-d", "0s"], 2, &["-d 0s"]),
    (&["--scenario", "hotkey", "-c", "0"], 2, &["-c 0"]),
    (&["--scenario", "hotkey", "-c", "-3"], 2, &["-c"]),
    (&["--scenario", "hotkey", "-c", "1000000"], 2, &["too few file descriptors · ulimit -Hn", "lower load.clients"]),
    (&["--scenario", "hotkey", "--set", "cache.tttl=5s"], 2, &["--set cache.tttl=5s", "ttl"]),
    (&["--scenario", "hotkey", "--set", "cache.ttl"], 2, &["a setting without a value", "write --set cache.ttl=10s"]),
    (&["--scenario", "hotkey", "--set", "cache.ttl=5"], 2, &["--set cache.ttl=5", "needs a unit"]),
    (&["--scenario", "hotkey", "--set", "keys.hot_share=nan"], 2, &["--set keys.hot_share=nan"]),
    (&["--scenario", "hotkey", "-r", "400"], 2, &["-r 400", "needs a unit"]),
    (&["--scenario", "hotkey", "-r", "-4/s"], 2, &["-r -4/s"]),
    (&["--scenario", "hotkey", "-r", "400/s", "-c", "5"], 2, &["options that exclude each other"]),
    (
        &["--scenario", "hotkey-open", "--arrival", "closed"],
        2,
        &["a closed loop without clients", "--set load.clients=50"],
    ),
    (&["--scenario", "hotkey", "--set", "origin.concurrency=65537"], 2, &["found 65537, allowed 1 to 65536"]),
    (&["fuzz", "--strategy", "nayve"], 2, &["not a strategy · --strategy", "did you mean `naive`?"]),
    (&["fuzz", "--profile", "calm,storm"], 2, &["no such profile · --profile · found \"storm\", known: all, calm"]),
    (&["fuzz", "--seeds", "0"], 2, &["--seeds", "1..=1000000000"]),
    (&["fuzz", "--seed", "1", "--seeds", "2"], 2, &["options that exclude each other"]),
    (&["fuzz", "--corpus", "/nowhere/seeds.txt"], 2, &["cannot read the corpus · /nowhere/seeds.txt"]),
    (&["fuzz", "--floors", "--strategy", "swr"], 2, &["--floors", "options that exclude each other"]),
    (&["fuzz", "--must-fail", "--seed", "1"], 2, &["options that exclude each other"]),
    (&["fuzz", "--log"], 2, &["--seed <N>"]),
    (&["fuzz", "--log", "--seeds", "4"], 2, &["--log", "options that exclude each other"]),
    (&["check", "/nowhere/run"], 2, &["/nowhere/run"]),
    (&["--scenario", "hotkey", "--seed", "abc"], 2, &["--seed", "abc"]),
    (&["--scenario", "hotkey", "--seed", "-1"], 2, &["--seed", "-1"]),
    (&["fuzz", "--seed", "-1"], 2, &["--seed", "-1"]),
    (&["--scenario", "hotkey", "--replicas", "0"], 2, &["--replicas", "1..=1000"]),
    (&["--scenario", "hotkey", "--replicas", "10000"], 2, &["--replicas"]),
    (
        &["--scenario", "hotkey", "--lab", "docker"],
        1,
        &["the lab in containers can't be used · --lab docker", "(or use --lab local)"],
    ),
    (
        &["--scenario", "hotkey", "--lab", "docker", "--cache", "memory"],
        2,
        &["the containers have their own · --cache with --lab docker"],
    ),
    (
        &["--scenario", "hotkey", "--cache", "memory", "--set", "cache.redis.maxmemory=8MiB"],
        2,
        &["[cache.redis] maxmemory · found --cache memory, which has no server", "use --cache redis"],
    ),
    (
        &["--scenario", "hotkey", "--redis", "redis://127.0.0.1:1", "--set", "cache.redis.hz=100"],
        2,
        &["[cache.redis] hz · found --redis, a server that is not the lab's to set up", "set it up there"],
    ),
    (
        &["--scenario", "hotkey", "--set", "cache.redis.apendonly=yes"],
        2,
        &["unknown field `cache.redis.apendonly`, did you mean `cache.redis.appendonly`?"],
    ),
    (
        &["--scenario", "hotkey", "--redis-server", "/nowhere/redis-server"],
        2,
        &["no server to start · --redis-server /nowhere/redis-server · found No such file", "name a redis-server"],
    ),
    (&["--scenario", "hotkey", "--redis-server", "/"], 2, &["--redis-server / · found no file"]),
    (&["--scenario", "hotkey", "--redis-server", "/etc/passwd"], 2, &["found a file that is no program"]),
    (
        &["--scenario", "hotkey", "--redis-server", "/bin/sh", "--cache", "memory"],
        2,
        &["found --cache memory, which has no server", "take one of them out"],
    ),
    (
        &["--scenario", "hotkey", "--redis-server", "/bin/sh", "--redis", "redis://127.0.0.1:1"],
        2,
        &["options that exclude each other"],
    ),
    (
        &["--scenario", "hotkey", "--redis-server", "/bin/sh", "--lab", "sim"],
        2,
        &["the sim lab simulates everything · --redis-server with --lab sim"],
    ),
    (
        &["--scenario", "hotkey", "--redis-server", "/bin/false", "--lab", "local"],
        1,
        &["the private server does not start · /bin/false, [cache.redis] sets nothing · found: it ended at once"],
    ),
    (&["--scenario", "hotkey", "--lab", "moon"], 2, &["--lab", "auto, docker, local, sim"]),
    (&["--scenario", "hotkey", "--cache", "disk"], 2, &["auto, redis, cluster, sentinel, memory"]),
    (&["--scenario", "hotkey", "--cache", "memory", "--redis", "redis://x"], 2, &["options that exclude each other"]),
    (
        &["--scenario", "hotkey", "--redis", "nonsense"],
        2,
        &["no Redis URL · --redis (an address that cannot be read", "write redis://HOST:PORT"],
    ),
    (
        &["--scenario", "hotkey", "--redis", "localhost:6379", "--dry-run"],
        2,
        &["no Redis URL · --redis (an address that cannot be read"],
    ),
    (
        &["--scenario", "hotkey", "--redis", "rediss://me:secret@192.0.2.1", "--tls-ca", "/nowhere/ca.crt"],
        2,
        &["no TLS · --tls-ca /nowhere/ca.crt · found No such file", "name a file that can be read"],
    ),
    (
        &["--scenario", "hotkey", "--redis", "redis://me:secret@192.0.2.1", "--tls-name", "h"],
        2,
        &["no TLS without rediss:// · --redis redis://…@192.0.2.1 · found --tls-… beside it", "write rediss://"],
    ),
    (&["--scenario", "hotkey", "--tls-ca", "ca.crt"], 2, &["no Redis to reach with it · --tls-ca · found no --redis"]),
    (
        &["--scenario", "hotkey", "--redis", "rediss://127.0.0.1", "--tls-cert", "x.crt"],
        2,
        &["missing arguments", "--tls-key <FILE>"],
    ),
    (
        &["--scenario", "hotkey", "--redis", "redis://:secret@127.0.0.1:1", "--password-file", "/etc/passwd"],
        2,
        &["no password · --password-file /etc/passwd · found one in the URL, too", "leave one of them out"],
    ),
    (
        &["--scenario", "hotkey", "--strategy", "swr(soft=9s)"],
        2,
        &["fresh for longer than the TTL", "found 9s, allowed at most 5s"],
    ),
    (
        &["--scenario", "hotkey", "--redis", "redis://127.0.0.1:1"],
        1,
        &["the shared cache does not do what the lab needs · the Redis at redis://127.0.0.1:1", "--cache memory"],
    ),
    (&["--scenario", "hotkey", "--target", "127.0.0.1:1"], 2, &["not a URL that can be driven", "found no scheme"]),
    (&["--scenario", "hotkey", "--target", "ftp://localhost/"], 2, &["found scheme \"ftp\", allowed http and https"]),
    (
        &["--scenario", "hotkey", "--target", "https://localhost:1/{key}", "--target-ca", "/no/ca"],
        2,
        &["no TLS · --target-ca /no/ca"],
    ),
    (
        &["--scenario", "hotkey", "--target", "http://127.0.0.1:1/{key}", "--target-insecure"],
        2,
        &["no TLS without https://"],
    ),
    (&["--scenario", "hotkey", "--target", "http://127.0.0.1:1/{key}", "--header", "Sesame"], 2, &["no colon in it"]),
    (
        &["--scenario", "hotkey", "--target", "http://127.0.0.1:1/{key}", "--method", "POST"],
        2,
        &["--method", "allowed: get, head"],
    ),
    (
        &["--scenario", "hotkey", "--target", "http://127.0.0.1:1/{key}", "--target-name", "../up"],
        2,
        &["a name that no folder can have"],
    ),
    (
        &["--scenario", "hotkey", "--target", "http://127.0.0.1:1/{key}", "--outcome-header", "X Cache"],
        2,
        &["no header's name"],
    ),
    (&["--scenario", "hotkey", "--header", "X-A: 1"], 2, &["--target"]),
    (
        &["--scenario", "hotkey", "--assert", "origin.totel <= 1"],
        2,
        &["--assert, character 1", "did you mean `origin.total`?"],
    ),
    (
        &["--scenario", "hotkey", "--assert", "errors < 1"],
        2,
        &["a bound that a threshold cannot have", "found <, allowed <= and >="],
    ),
    (&["--scenario", "hotkey", "--assert", "errors <= 1 and unsent <= 1"], 2, &["one condition, and no more"]),
    (
        &["sweep", "--scenario", "hotkey", "--vary", "cache.ttl=1s,2s", "--assert", "errors <= 1"],
        2,
        &["allowed with `run` alone"],
    ),
    (&["--scenario", "hotkey", "--target", "http://192.0.2.1/{key}"], 2, &["not loopback", "add --i-own-this-target"]),
    (
        &["--scenario", "hotkey-open", "-r", "2000/s", "--target", "http://192.0.2.1/{key}", "--i-own-this-target"],
        2,
        &["too fast for a target that is not loopback", "found up to 2000/s, allowed 1000/s", "raise --max-rate"],
    ),
    (
        &[
            "--scenario",
            "hotkey",
            "--set",
            "load.think=0s",
            "--target",
            "http://127.0.0.1:1/{key}",
            "--max-rate",
            "10/s",
        ],
        2,
        &["too fast for --max-rate", "clients that never pause"],
    ),
    (
        &["--scenario", "hotkey", "--target", "http://127.0.0.1:1/{key}", "--max-rate", "10"],
        2,
        &["no rate · --max-rate"],
    ),
    (&["--scenario", "hotkey", "--target", "http://127.0.0.1:1/{key}"], 1, &["does not answer", "connect-refused"]),
    (&["--scenario", "bulk-warm", "--target", "http://127.0.0.1:1/{key}"], 1, &["does not answer", "connect-refused"]),
    (
        &["--scenario", "hotkey", "--target", "http://127.0.0.1:1/{key}", "--strategy", "swr"],
        2,
        &["options that exclude each other"],
    ),
    (&["--scenario", "hotkey", "--i-own-this-target"], 2, &["--target"]),
    (
        &["--scenario", "hotkey", "--target", "http://127.0.0.1:1/{key}", "--origin-control", "http://127.0.0.1:2"],
        2,
        &["--origin-token-file"],
    ),
    (
        &[
            "--scenario",
            "hotkey",
            "--target",
            "http://127.0.0.1:1/{key}",
            "--origin-control",
            "http://127.0.0.1:2",
            "--origin-token-file",
            "/nowhere/token",
        ],
        2,
        &["no token · --origin-token-file /nowhere/token"],
    ),
    (&["selftest", "-d", "5"], 2, &["-d 5", "needs a unit"]),
    (&["selftest", "-c", "0"], 2, &["-c 0"]),
    (&["selftest", "--target", "http://192.0.2.1/{key}"], 2, &["not loopback"]),
    (&["selftest", "--target", "http://127.0.0.1:1/", "-d", "1s"], 1, &["connect-refused"]),
    (&["--scenario", "hotkey", "--bogus"], 2, &["error: unknown option · --bogus · ", "loadgen --help"]),
    (&["sweep", "--seeds", "x"], 2, &["error: bad value · --seeds <N> · found \"x\"", "loadgen sweep --help"]),
    (
        &["--scenario", "hotkey", "-o", "/dev/null/x"],
        2,
        &["cannot make the results folder · -o /dev/null/x", "a file is in the way"],
    ),
    (&["show", "xfetsh"], 2, &["no such name", "did you mean `xfetch`?"]),
    (&["report", "/nowhere"], 2, &["/nowhere"]),
    (&["frobnicate"], 2, &["error: unknown command · frobnicate · allowed: run, list"]),
];

#[test]
fn each_has_its_code_and_its_sentence() {
    let scratch = tempfile::tempdir().unwrap();
    for (args, code, words) in CASES {
        let mut args = args.to_vec();
        let scratch = scratch.path().to_str().unwrap();
        if args.contains(&"--scenario") && !args.contains(&"-o") {
            args.extend(["-o", scratch]);
        }
        let said = run(&args);
        assert_eq!(said.code, Some(*code), "{args:?}: {}", said.err);
        assert_eq!(said.out, "", "{args:?}: standard output stays clean");
        for word in *words {
            assert!(said.err.contains(word), "{args:?}: {word:?} is not in\n{}", said.err);
        }
        assert!(!said.err.contains("panicked") && !said.err.contains("RUST_BACKTRACE"), "{}", said.err);
    }
}

#[test]
fn a_file_shows_all_its_problems_at_their_places() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("mine.toml");
    let text = "schema = 1\nname = \"mine\"\nstrategies = [\"naive\"]\n[load]\nclientz = 50\nthink = \"120\"\n\
                duration = \"60s\"\n[keys]\nkind = \"hot\"\nhot_share = 1.5\nn = 10\n[cache]\nttl = 5\n\
                [origin]\nservice_time = \"200ms\"\n[[event]]\nat = \"90s\"\ndo = \"flush\"\n";
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    let said = run(&["--scenario", path]);
    assert_eq!(said.code, Some(2));
    for (line, words) in
        [(5, "did you mean `clients`?"), (6, "needs a unit"), (10, "1.5"), (13, "needs a unit"), (17, "90s")]
    {
        let place = format!("{path}:{line}:");
        let problem = said.err.lines().find(|l| l.starts_with("error: ") && l.contains(&place));
        assert!(problem.is_some_and(|p| p.contains(words)), "line {line}, {words:?}: {}", said.err);
    }
}

#[test]
fn an_event_that_this_lab_cannot_do_is_refused_before_anything_runs() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("mine.toml");
    let text = scenarios::shipped().iter().find(|(name, _)| *name == "hotkey").unwrap().1;
    std::fs::write(&file, format!("{text}\n[[event]]\nat = \"1s\"\ndo = \"replica-kill\"\n")).unwrap();
    let said = run(&["--scenario", file.to_str().unwrap(), "-o", scratch.path().join("runs").to_str().unwrap()]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("an event that the local lab can't make happen"), "{}", said.err);
    assert!(!scratch.path().join("runs").exists());
}

#[test]
fn the_metrics_that_a_threshold_may_name_are_those_of_the_record() {
    let fixture = include_str!("../../../report/tests/fixtures/run-v1.json");
    let run = report::parse_run(fixture.as_bytes()).unwrap();
    let mut with_hot = run
        .strategies
        .into_iter()
        .find(|s| s.hot.is_some() && s.origin.as_ref().is_some_and(|o| o.floor.is_some()))
        .unwrap();
    with_hot.recovery =
        Some(report::record::Recovery { troubled_s: 1, after_s: None, recovered: None, recovered_after_s: None });
    // What is there only of a real run, with retries, with writes, of a load that counts, with copies, or with such a layer.
    with_hot.resent = Some(0);
    with_hot.retries = Some(report::record::Retries::default());
    with_hot.behind = Some(report::record::BehindCommit::default());
    with_hot.writes = Some(report::record::WriteFigures::default());
    with_hot.counters = Some(report::record::CounterFigures::default());
    with_hot.levels = Some(report::record::LevelFigures::default());
    with_hot.pool = Some(report::record::PoolFigures::default());
    with_hot.traffic = Some(report::record::TrafficFigures {
        round_trips_per_request: Some(1.0),
        ..report::record::TrafficFigures::default()
    });
    with_hot.server = Some(report::record::ServerFigures::default());
    with_hot.takeovers = Some(report::record::TakeoverSums {
        ask_share: Some(0.0),
        ask_p50_times: Some(1.0),
        moved_p99_times: Some(1.0),
        ..report::record::TakeoverSums::default()
    });
    if let Some(events) = &mut with_hot.events {
        (events.limit_refused, events.breaker_refused) = (Some(0), Some(0));
        (events.breaker_opened, events.breaker_closed) = (Some(0), Some(0));
        (events.cache_breaker_opened, events.cache_breaker_closed) = (Some(0), Some(0));
    }
    let metrics = report::metrics(&with_hot);
    for metric in scenarios::METRICS {
        assert!(report::figure(&metrics, metric).is_some(), "{metric} is not in run.json");
    }
}

/// It says what it would have taken and what to change, and nothing is left of it, in the sim lab and in a real one.
#[test]
fn a_cache_that_cannot_be_warmed_leaves_a_remedy_and_no_folder() {
    for lab in ["sim", "local"] {
        let scratch = tempfile::tempdir().unwrap();
        let results = scratch.path().to_str().unwrap();
        let said = run(&[
            &["--scenario", "bulk-warm", "--lab", lab, "--cache", "memory", "--strategy", "naive"][..],
            &["--set", "origin.service_time={ dist = \"uniform\", min = \"0s\", max = \"200ms\" }"],
            &["--set", "budgets.origin_read=150ms", "-o", results],
        ]
        .concat());
        assert_eq!(said.code, Some(1), "{lab}: {}", said.err);
        for words in [
            "error: the cache could not be warmed · naive · ",
            "the origin did not answer in time: 100 reads of 100ms, 128 at once, take 100ms; a read may take 150ms",
            " · raise origin.concurrency, lower origin.service_time",
        ] {
            assert!(said.err.contains(words), "{lab}: {words:?} is not in {}", said.err);
        }
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0, "{lab}: no half folder");
    }
}

/// What is done to a server needs one, and the sentence says who has it.
#[test]
fn what_is_done_to_a_server_is_refused_where_there_is_none() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("mine.toml");
    let event = "\n[[event]]\nat = \"3s\"\ndo = \"cache-save\"\n";
    std::fs::write(&file, run(&["show", "hotkey"]).out + event).unwrap();
    let (file, out) = (file.to_str().unwrap(), scratch.path().join("out"));
    for (lab, words) in [
        (&["--lab", "sim"][..], "an event that the sim lab can't make happen · [[event]] do = \"cache-save\" at 3s"),
        (&["--cache", "memory"], "an event that the local lab can't make happen"),
        (&["--cache", "memory"], "that needs a real Redis: --cache redis, or --redis-server PATH"),
    ] {
        let said = run(&[&["--scenario", file, "-o", out.to_str().unwrap()][..], lab].concat());
        assert_eq!(said.code, Some(2), "{}", said.err);
        assert!(said.err.contains(words), "{words:?} is not in\n{}", said.err);
    }
}

#[test]
fn the_sim_lab_says_that_it_has_no_server_to_set_up() {
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().to_str().unwrap();
    let args = [
        "--lab",
        "sim",
        "-w",
        "0s",
        "-d",
        "2s",
        "--strategy",
        "naive",
        "--set",
        "cache.redis.maxmemory=8MiB",
        "-o",
        out,
    ];
    let said = run(&[&["--scenario", "hotkey"][..], &args].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        said.err.contains("warning: the sim lab has no Redis: nothing of [cache.redis] is in this run"),
        "{}",
        said.err
    );
    let record = crate::common::record(&crate::common::only_run(scratch.path()));
    assert!(record.cache_settings.is_empty() && record.strategies[0].server.is_none());
}
