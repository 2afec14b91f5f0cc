//! Every bad input and the full text that the user sees. Each case changes one thing in a good file; the snapshots beside
//! this file hold what comes out. `INSTA_UPDATE=always cargo test -p scenarios` writes them anew; read the difference.
use scenarios::Scenario;
use std::fmt::Write as _;

const GOOD: &str = r#"schema = 1
name = "good"
strategies = ["naive", "swr"]

[load]
clients = 50
think = "120ms"
warmup = "5s"
duration = "60s"

[keys]
kind = "hot"
hot_share = 0.95
n = 10
value_size = "256B"

[cache]
ttl = "5s"

[origin]
service_time = "200ms"
"#;

/// `GOOD` with one piece replaced.
pub(crate) fn with(piece: &str, replacement: &str) -> String {
    assert!(GOOD.contains(piece), "{piece}");
    GOOD.replace(piece, replacement)
}

/// `GOOD` with something added at its end.
pub(crate) fn plus(added: &str) -> String {
    format!("{GOOD}\n{added}\n")
}

fn outcome(text: &str, sets: &[(String, String)]) -> String {
    match Scenario::parse(text, "bad.toml", sets) {
        Ok(scenario) => format!("ACCEPTED {scenario:?}"),
        Err(errors) => {
            assert!(!errors.problems.is_empty());
            errors.to_string()
        }
    }
}

pub(crate) fn transcript(cases: &[(&str, String)]) -> String {
    let mut out = String::new();
    for (title, text) in cases {
        let said = outcome(text, &[]);
        assert!(!said.starts_with("ACCEPTED"), "{title} was accepted");
        let _ = writeln!(out, "## {title}\n{said}\n");
    }
    out
}

#[test]
fn whole_files() {
    let cases = [
        ("empty", " \n".to_owned()),
        ("byte order mark", format!("\u{feff}{GOOD}")),
        ("too large", format!("{GOOD}#{}", "x".repeat(7 << 20))),
        ("conflict", with("ttl = \"5s\"", "<<<<<<< HEAD\nttl = \"5s\"\n=======\nttl = \"6s\"\n>>>>>>> theirs")),
        ("schema absent", with("schema = 1\n", "")),
        ("schema newer", with("schema = 1", "schema = 3")),
        ("schema enormous", with("schema = 1", &format!("schema = {}", "9".repeat(60)))),
        ("schema zero", with("schema = 1", "schema = 0")),
        ("schema in quotes", with("schema = 1", "schema = \"1\"")),
        ("nothing but a comment", "# a scenario\n".to_owned()),
    ];
    insta::assert_snapshot!(transcript(&cases));
}

#[test]
fn syntax() {
    let cases = [
        ("no quotes", with("\"5s\"\n\n[origin]", "5s\n\n[origin]")),
        ("no quotes, and another mistake", with("ttl = \"5s\"", "ttl = 5s\nsize = 4")),
        ("duplicate key", with("n = 10", "n = 10\nn = 20")),
        ("duplicate table", plus("[cache]\nttl = \"6s\"")),
        ("unclosed text", with("\"good\"", "\"good")),
        ("unclosed table", with("[keys]", "[keys")),
        ("no value", with("n = 10", "n =")),
        ("two on one line", with("n = 10", "n = 10 kind = 3")),
        ("control byte", with("n = 10", "n = \u{1b}[31m10")),
    ];
    insta::assert_snapshot!(transcript(&cases));
}

#[test]
fn names() {
    let cases = [
        ("unknown field", with("clients", "clientz")),
        ("unknown field, nothing near", with("n = 10", "n = 10\nbanana = 1")),
        ("unknown table", plus("[cahce]\nttl = \"5s\"")),
        ("unknown table and the known one missing", with("[cache]", "[cahce]")),
        ("unknown word", with("\"hot\"", "\"hott\"")),
        ("unknown word, nothing near", with("\"hot\"", "\"banana\"")),
        ("name with a path", with("\"good\"", "\"../../etc\"")),
        ("name empty", with("\"good\"", "\"\"")),
        ("name is a number", with("\"good\"", "5")),
        ("summary of two lines", with("strategies =", "summary = \"a\\nb\"\nstrategies =")),
        ("table is a value", with("[cache]\nttl = \"5s\"", "[cache.ttl]\nx = 1")),
        ("section is a value", with("schema = 1", "schema = 1\nwarm = true")),
        (
            "a field of each missing",
            with("ttl = \"5s\"", "").replace("duration = \"60s\"\n", "").replace("n = 10\n", ""),
        ),
    ];
    insta::assert_snapshot!(transcript(&cases));
}

#[test]
fn strategies() {
    let list = "[\"naive\", \"swr\"]";
    let cases = [
        ("absent", with("strategies = [\"naive\", \"swr\"]\n", "")),
        ("empty list", with(list, "[]")),
        ("not a list", with(list, "\"naive\"")),
        ("twice", with(list, "[\"naive\", \"jitter(0.2)\", \"naive\", \"jitter( 0.2 )\"]")),
        ("a number", with(list, "[\"naive\", 5]")),
    ];
    insta::assert_snapshot!(transcript(&cases));
}

/// The grammar's own sentence is shown; it is not pinned here, because each new strategy changes it.
#[test]
fn what_is_no_strategy_says_what_the_grammar_says() {
    for spec in ["", "nave", "xfetch(bata=2)"] {
        let grammar = strategies::spec::Spec::parse(spec).unwrap_err();
        let said = outcome(&with("\"swr\"", &format!("\"{spec}\"")), &[]);
        let expected = format!(
            "error: `{spec}` is not a strategy · bad.toml:3:24 · {grammar} · loadgen list shows the strategies\n"
        );
        assert!(said.starts_with(&expected), "{said}\n{expected}");
    }
}

#[test]
fn units() {
    let ttl = |value: &str| with("ttl = \"5s\"", &format!("ttl = {value}"));
    let size = |value: &str| with("\"256B\"", value);
    let cases = [
        ("no unit", ttl("\"5\"")),
        ("bare number", ttl("5")),
        ("bare fraction", ttl("0.5")),
        ("unknown unit", ttl("\"5 parsecs\"")),
        ("two units", ttl("\"1m30s\"")),
        ("negative", ttl("\"-5s\"")),
        ("bare negative", ttl("-5")),
        ("nan", ttl("nan")),
        ("infinite", ttl("\"inf\"")),
        ("zero", ttl("\"0s\"")),
        ("overflow", ttl("\"99999999999999999999999s\"")),
        ("too long", ttl("\"48h\"")),
        ("too fine", with("\"200ms\"", "\"0.5ns\"")),
        ("boolean", ttl("true")),
        ("list", ttl("[\"5s\"]")),
        ("size in decimal units", size("\"5KB\"")),
        ("size bare", size("256")),
        ("size too big", size("\"2MiB\"")),
        ("size zero", size("\"0B\"")),
    ];
    insta::assert_snapshot!(transcript(&cases));
}

#[test]
fn loads() {
    let clients = |value: &str| with("clients = 50", &format!("clients = {value}"));
    let open = |rate: &str| with("clients = 50\nthink = \"120ms\"", rate);
    let cases = [
        ("no clients", clients("0")),
        ("negative clients", clients("-1")),
        ("too many clients", clients("10_000_001")),
        ("clients beyond 64 bits", clients(&"9".repeat(60))),
        ("clients in quotes", clients("\"50\"")),
        ("clients as a fraction", clients("50.0")),
        ("clients and rate", clients("50\nrate = \"400/s\"")),
        ("neither", open("")),
        ("no think", with("think = \"120ms\"\n", "")),
        ("rate and think", open("rate = \"400/s\"\nthink = \"120ms\"")),
        ("clients and arrivals", clients("50\narrivals = \"poisson\"")),
        ("rate zero", open("rate = \"0/s\"")),
        ("rate without a unit", open("rate = 400")),
        ("rate with a time unit", open("rate = \"400s\"")),
        ("rate too high", open("rate = \"2000000/s\"")),
        ("rate far too high", open(&format!("rate = \"{}/s\"", "9".repeat(400)))),
        ("too many requests", open("rate = \"1000000/s\"").replace("60s", "1h")),
        ("unknown arrivals", open("rate = \"400/s\"\narrivals = \"poison\"")),
        ("duration zero", with("\"60s\"", "\"0s\"")),
        ("duration too long", with("\"60s\"", "\"25h\"")),
    ];
    insta::assert_snapshot!(transcript(&cases));
}

#[test]
fn ramps() {
    let ramp = |fields: &str| plus(&format!("[[load.ramp]]\n{fields}"));
    let open = |text: String| text.replace("clients = 50\nthink = \"120ms\"", "rate = \"50/s\"");
    let ok = "at = \"10s\"\nto = \"2000/s\"\nover = \"20s\"";
    let two = |second: &str| open(ramp(&format!("{ok}\n[[load.ramp]]\n{second}")));
    let cases = [
        ("of a closed load", ramp(ok)),
        ("one table", open(plus(&format!("[load.ramp]\n{ok}")))),
        ("a value", open(with("duration = \"60s\"", "duration = \"60s\"\nramp = \"2000/s\""))),
        ("unknown and missing fields", open(ramp("att = \"10s\"\nto = \"2000/s\"\nfrom = \"50/s\""))),
        ("wrong units", open(ramp("at = 10\nto = \"2000\"\nover = \"20/s\""))),
        ("negative, zero, not finite", open(ramp("at = \"-1s\"\nto = \"0/s\"\nover = \"inf\""))),
        ("too high", open(ramp("at = \"10s\"\nto = \"2000000/s\"\nover = \"20s\""))),
        ("begins after the run", open(ramp("at = \"60s\"\nto = \"2000/s\"\nover = \"0s\""))),
        ("ends after the run", open(ramp("at = \"50s\"\nto = \"2000/s\"\nover = \"20s\""))),
        ("overlapping", two("at = \"29999ms\"\nto = \"50/s\"\nover = \"1s\"")),
        ("not in order", two("at = \"1s\"\nto = \"50/s\"\nover = \"1s\"")),
        (
            "two jumps at once",
            open(ramp(
                "at = \"1s\"\nto = \"50/s\"\nover = \"0s\"\n[[load.ramp]]\nat = \"1s\"\nto = \"60/s\"\nover = \"0s\"",
            )),
        ),
        (
            "too many requests",
            open(ramp("at = \"0s\"\nto = \"1000000/s\"\nover = \"0s\"")).replace("\"60s\"", "\"1h\""),
        ),
        ("all at once", two("at = \"5s\"\nto = 60\nover = \"1h\"").replace("\"5s\"\n\n[origin]", "5\n\n[origin]")),
    ];
    insta::assert_snapshot!(transcript(&cases));
}

#[test]
fn retries() {
    let retry = |text: &str| with("[keys]", &format!("[load.retry]\n{text}\n\n[keys]"));
    let cases = [
        ("none", retry("")),
        ("one attempt", retry("attempts = 1")),
        ("base above the default cap", retry("attempts = 4\nbase = \"5s\"")),
        ("base above cap", retry("attempts = 4\nbase = \"200ms\"\ncap = \"100ms\"")),
        ("a budget of more than one each", retry("attempts = 4\nbudget = 20")),
        ("a budget in words", retry("attempts = 4\nbudget = \"20%\"")),
        ("an unknown word", retry("attempts = 4\nretry_after = \"honor\"")),
        ("a boolean", retry("attempts = 4\nretry_after = true")),
        ("no table", with("duration = \"60s\"", "duration = \"60s\"\nretry = 4")),
    ];
    insta::assert_snapshot!(transcript(&cases));
}

#[test]
fn budgets() {
    let budgets = |text: &str| plus(&format!("[budgets]\n{text}"));
    let slow = |text: &str| budgets(text).replace("200ms", "49s");
    let cases = [
        ("a read that never ends in time", slow("origin_read = \"10s\"")),
        ("a request shorter than its read", budgets("replica = \"4s\"")),
        ("a request shorter than its wait", budgets("lock_wait = \"1m\"\nreplica = \"30s\"")),
        ("the client's", budgets("client = \"20s\"")),
        ("no unit", budgets("replica = 8")),
        ("a value", with("schema = 1", "schema = 1\nbudgets = true")),
    ];
    insta::assert_snapshot!(transcript(&cases));
}

#[test]
fn replica_slots() {
    let cases = [
        ("no slots", plus("[replica]\nconcurrency = 0")),
        ("a queue alone", plus("[replica]\nqueue = 5")),
        ("a share", plus("[replica]\nconcurrency = 0.5")),
    ];
    insta::assert_snapshot!(transcript(&cases));
}

#[test]
fn laws() {
    let law = |value: &str| with("\"200ms\"", value);
    let cases = [
        ("no dist", law("{ mean = \"200ms\" }")),
        ("unknown dist", law("{ dist = \"exponent\", mean = \"200ms\" }")),
        ("unknown dist, near", law("{ dist = \"lognormla\", p50 = \"1ms\", p99 = \"2ms\" }")),
        ("exp with percentiles", law("{ dist = \"exp\", p50 = \"200ms\" }")),
        ("lognormal with a mean", law("{ dist = \"lognormal\", p50 = \"200ms\", p99 = \"600ms\", mean = \"1s\" }")),
        ("uniform with a mean", law("{ dist = \"uniform\", mean = \"200ms\" }")),
        ("ends turned", law("{ dist = \"uniform\", min = \"600ms\", max = \"200ms\" }")),
        ("percentiles turned", law("{ dist = \"lognormal\", p50 = \"600ms\", p99 = \"200ms\" }")),
        ("too wide", law("{ dist = \"lognormal\", p50 = \"1us\", p99 = \"1s\" }")),
        ("mean zero", law("{ dist = \"exp\", mean = \"0s\" }")),
        ("mean without a unit", law("{ dist = \"exp\", mean = 200 }")),
    ];
    insta::assert_snapshot!(transcript(&cases));
}

#[test]
fn keys_and_origin() {
    let share = |value: &str| with("0.95", value);
    let keys = |text: &str| with("kind = \"hot\"\nhot_share = 0.95\nn = 10", text);
    let origin = |text: &str| with("service_time = \"200ms\"", &format!("service_time = \"200ms\"\n{text}"));
    let cases = [
        ("share zero", share("0")),
        ("share above one", share("1.1")),
        ("share nan", share("nan")),
        ("share in quotes", share("\"95 %\"")),
        ("share leaves requests for nobody", with("n = 10", "n = 1")),
        ("all missing", with("n = 10", "n = 10\nmissing_share = 1")),
        ("less than none missing", with("n = 10", "n = 10\nmissing_share = -0.05")),
        ("missing share nan", with("n = 10", "n = 10\nmissing_share = nan")),
        ("missing share with a unit", with("n = 10", "n = 10\nmissing_share = \"5%\"")),
        ("missing misspelt", with("n = 10", "n = 10\nmising_share = 0.05")),
        ("nothing missing to ask for", with("n = 10", "n = 10\nmissing_share = 0.05\nmissing_n = 0")),
        ("too much missing", with("n = 10", "n = 10\nmissing_share = 0.05\nmissing_n = 10_000_001")),
        ("no key", with("n = 10", "n = 0")),
        ("a milliard keys", with("n = 10", "n = 1_000_000_000")),
        ("too much memory", with("n = 10", "n = 10_000_000").replace("256B", "1MiB")),
        ("uniform with a share", keys("kind = \"uniform\"\nhot_share = 0.95\nn = 10")),
        ("zipf without exponent", keys("kind = \"zipf\"\nn = 10")),
        ("zipf negative", keys("kind = \"zipf\"\nn = 10\nexponent = -1")),
        ("single with ten", keys("kind = \"single\"\nn = 10")),
        ("no places", origin("concurrency = 0")),
        ("too many places", origin("concurrency = 65_537")),
        ("queue too long", origin("queue = 1_000_001")),
        ("queue negative", origin("queue = -1")),
        ("write_every without a unit", origin("write_every = 0")),
    ];
    insta::assert_snapshot!(transcript(&cases));
}

#[test]
fn warm_events_thresholds() {
    let event = |text: &str| plus(&format!("[[event]]\n{text}"));
    let threshold = |text: &str| plus(&format!("[[threshold]]\n{text}"));
    let uniform = |text: &str| threshold(text).replace("\"hot\"\nhot_share = 0.95", "\"uniform\"");
    let cases = [
        ("burst and warm-up", plus("[warm]\nburst = \"all\"")),
        ("unknown burst", plus("[warm]\nburst = \"some\"").replace("\"5s\"\nduration", "\"0s\"\nduration")),
        (
            "unknown ages",
            plus("[warm]\nburst = \"all\"\nages = \"old\"").replace("\"5s\"\nduration", "\"0s\"\nduration"),
        ),
        ("event table", plus("[event]\nat = \"1s\"\ndo = \"flush\"")),
        ("event after the end", event("at = \"60s\"\ndo = \"flush\"")),
        ("event unknown", event("at = \"1s\"\ndo = \"origin-slwo\"")),
        ("event without time", event("do = \"flush\"")),
        ("event without length", event("at = \"1s\"\ndo = \"cache-stop\"")),
        ("event with a field it ignores", event("at = \"1s\"\ndo = \"flush\"\nfor = \"5s\"\nkey = 1")),
        ("slow without factor", event("at = \"1s\"\ndo = \"origin-slow\"\nfor = \"5s\"")),
        ("slow by less than one", event("at = \"1s\"\ndo = \"origin-slow\"\nfor = \"5s\"\nfactor = 0.5")),
        ("unknown target", event("at = \"1s\"\ndo = \"replica-kill\"\ntarget = \"lockholder\"")),
        ("target without a number", event("at = \"1s\"\ndo = \"replica-kill\"\ntarget = \"replica-x\"")),
        ("key that is not there", event("at = \"1s\"\ndo = \"expire\"\nkey = 11")),
        (
            "key that nobody asks for",
            event("at = \"1s\"\ndo = \"expire\"\nkey = 13")
                .replace("n = 10", "n = 10\nmissing_share = 0.05\nmissing_n = 2"),
        ),
        ("strategy not listed", threshold("strategy = \"swrr\"\nmetric = \"errors\"\nat_most = 0")),
        ("unknown metric", threshold("strategy = \"swr\"\nmetric = \"origin.totl\"\nat_most = 0")),
        ("hot metric without a hot key", uniform("strategy = \"swr\"\nmetric = \"hot.origin_total\"\nat_most = 1")),
        ("no bound", threshold("strategy = \"swr\"\nmetric = \"errors\"")),
        ("two bounds", threshold("strategy = \"swr\"\nmetric = \"errors\"\nat_most = 1\nat_least = 0")),
        ("bound nan", threshold("strategy = \"swr\"\nmetric = \"errors\"\nat_most = nan")),
    ];
    insta::assert_snapshot!(transcript(&cases));
}

#[test]
fn overrides() {
    let mut out = String::new();
    for sets in [
        &["cache.ttl=5"][..],
        &["cache.ttl=0s"],
        &["cache.tll=5s"],
        &["cache=5s"],
        &["banana=1"],
        &["event.at=1s"],
        &["event.for=20s"],
        &["load.retry.budget=0.2"],
        &["load.clients=80", "load.rate=400/s"],
        &["load.rate=50/s", "load.ramp=[{ at = \"50s\", to = \"2000/s\", over = \"20s\" }]"],
        &["load.rate=50/s", "load.ramp=2000/s"],
        &["load.start=staggered"],
        &["load.rate=50/s", "load.start=staggered", "load.warmup=9s"],
        &["load.clients=many"],
        &["load.clients=inf"],
        &["keys.kind=zipf"],
        &["origin.service_time.dist=lognormal", "origin.service_time.p50=1ms"],
        &["cache.ttl=\u{1b}[31m5"],
    ] {
        let pairs: Vec<(String, String)> = sets
            .iter()
            .map(|set| set.split_once('=').unwrap())
            .map(|(path, value)| (path.to_owned(), value.to_owned()))
            .collect();
        let _ = writeln!(out, "## {sets:?}\n{}\n", outcome(GOOD, &pairs));
    }
    assert!(!out.contains("ACCEPTED"), "{out}");
    insta::assert_snapshot!(out);
}

#[test]
fn all_problems_come_out_in_one_pass_and_in_order() {
    let text = with("clients = 50", "clientz = 0")
        .replace("\"60s\"", "60")
        .replace("0.95", "2")
        .replace("\"5s\"\n\n[origin]", "\"0s\"\nsize = 3\n\n[origin]")
        .replace("\"200ms\"", "\"fast\"");
    let text = format!("{text}[[event]]\nat = \"1h\"\ndo = \"explode\"\n");
    insta::assert_snapshot!(outcome(&text, &[("origin.queue".to_owned(), "-1".to_owned())]));
}
