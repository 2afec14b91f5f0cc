//! The SPEC grammar: what is read, what is said back, and what is refused with which words.

use std::time::Duration;

use proptest::prelude::*;
use strategies::Spec;
use strategies::spec::{LAYERS, PRESETS};

#[test]
fn compositions_are_said_back_in_one_form() {
    for (text, canonical) in [
        ("naive", "plain"),
        ("coalesce", "plain + coalesce"),
        ("singleflight", "plain + lock"),
        ("swr", "swr + lock"),
        ("xfetch", "xfetch + lock"),
        ("jitter", "plain + jitter"),
        ("ahead", "ahead + lock"),
        ("apee-lrm(probability=0.5, max_age=5s)", "soft-window(probability=0.5) + lease(max_age=5s)"),
        ("stack", "swr + jitter(spread=0.1) + coalesce + lease"),
        ("best", "xfetch(stale=T) + jitter(spread=0.1) + coalesce + lease(wake=notify)"),
        (
            "plain + negative(500ms) + lock(wake=notify, fallback=1s)",
            "plain + negative(ttl=500ms) + lock(wake=notify, fallback=1s)",
        ),
        ("jitter(1.0)", "plain + jitter(spread=1.0)"),
        ("jitter(spread=0.2)", "plain + jitter"),
        ("xfetch(2, poll=20ms)", "xfetch(beta=2) + lock(poll=20ms)"),
        ("singleflight(on_timeout=load)", "plain + lock(on_timeout=load)"),
        ("lock+coalesce +  swr( stale = 2s )", "swr(stale=2s) + coalesce + lock"),
        ("SWR + Bare", "swr + bare"),
        ("xfetch(stale=0.5T)+lock(1s)", "xfetch(stale=0.5T) + lock(lease=1s)"),
        ("plain + jitter(0.1) + lock", "plain + jitter(spread=0.1) + lock"),
    ] {
        let spec = Spec::parse(text).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(spec.canonical(), canonical, "{text}");
        assert_eq!(spec.name(), text.trim());
    }
}

#[test]
fn what_is_wrong_is_said_with_the_remedy() {
    for (text, words) in [
        ("", "is empty"),
        ("xfetsh", "no strategy or layer \"xfetsh\", did you mean `xfetch`?; presets: naive,"),
        ("swr + loc", "did you mean `lock`?"),
        ("lock", "has no policy; a composition has exactly one of: plain, swr, xfetch, ahead, soft-window"),
        ("swr + xfetch", "has more than one policy"),
        ("plain + lock + lock", "has the layer lock twice"),
        ("singleflight + jitter", "singleflight is a preset and stands alone"),
        ("plain + bare + lock", "drop one"),
        ("plain + lock + lease", "has both lock and lease, which do the same for the fleet; drop one"),
        ("ahead(theta=1)", "ahead(theta): found 1, which is out of range; theta is share of the TTL; between 0 and 1"),
        ("apee-lrm(probability=0)", "above 0, at most 1"),
        ("plain + lease(life=1ms)", "30ms to 1h"),
        ("plain + lock(wake=shout)", "found \"shout\"; wake is poll, or notify"),
        ("naive(3)", "the preset naive (plain) has no parameter"),
        (
            "xfetch(bta=2)",
            "did you mean `beta`?; it has: beta, mode, stale, lease, poll, wait, on_timeout, wake, fallback",
        ),
        ("plain + lock(pol=2ms)", "lock has no parameter \"pol\", did you mean `poll`?; it has: lease, poll"),
        ("xfetch(beta=0)", "xfetch(beta): found 0, which is out of range; beta is higher refreshes earlier; above 0"),
        ("xfetch(beta=nan)", "out of range"),
        ("xfetch(beta=much)", "found \"much\", which is no number"),
        ("xfetch(1, beta=2)", "given `beta` twice"),
        ("xfetch(1, 2)", "only the first argument"),
        ("plain + coalesce(3)", "coalesce has no parameters"),
        ("singleflight(lease=10)", "\"10\" needs a unit, e.g. 10s"),
        (
            "singleflight(lease=500ms)",
            "found 500ms, which is out of range; lease is life of the lock: auto (twice the scenario's",
        ),
        ("singleflight(poll=0ms)", "out of range"),
        ("singleflight(on_timeout=cry)", "found \"cry\"; on_timeout is what a loser gets then: shed (503), load"),
        ("swr(soft=0s)", "must be fresh for a while"),
        ("swr(stale=-1T)", "no multiple of the TTL"),
        ("jitter(11)", "0 to 10"),
        ("jitter(±1)", "found ±1, which is out of range; spread is 0 to 10, or both ways: ±0 to ±0.9"),
        ("jitter(+-x)", "found \"+-x\", which is no number"),
        ("swr(", "not closed"),
        ("swr)", "do not match"),
        ("swr((1))", "do not match"),
        ("swr(stale=)", "empty argument"),
        ("swr + ", "is no layer"),
        ("sw r", "is no layer"),
        ("swr(1s)x", "text after its parenthesis"),
    ] {
        let error = Spec::parse(text).expect_err(text).to_string();
        assert!(error.starts_with(&format!("strategy {text:?}: ")), "{error}");
        assert!(error.contains(words), "{text}: {error}");
    }
    assert!(Spec::parse(&"x".repeat(2000)).unwrap_err().problem.contains("2000 bytes long; at most 1000"));
}

#[test]
fn every_row_of_the_catalogue_is_true() {
    for preset in PRESETS {
        let spec = Spec::parse(preset.name).unwrap();
        assert_eq!(spec.canonical(), preset.composition, "{}", preset.name);
    }
    for layer in LAYERS {
        // Each default is allowed, and saying it changes nothing.
        let args: Vec<String> = layer.params.iter().map(|p| format!("{}={}", p.name, p.default)).collect();
        let policy = if layer.slot == strategies::spec::Slot::Policy { "" } else { "plain + " };
        let fill = if layer.name == "bare" || policy == "plain + " { "" } else { " + bare" };
        let with = Spec::parse(&format!("{policy}{}({}){fill}", layer.name, args.join(", "))).unwrap();
        let without = Spec::parse(&format!("{policy}{}{fill}", layer.name)).unwrap();
        assert_eq!(with.canonical(), without.canonical());
    }
}

#[test]
fn only_what_lengthens_the_ttl_has_no_floor() {
    for (text, lengthens) in [
        ("naive", false),
        ("swr", false),
        ("xfetch(stale=5s)", false),
        ("jitter", true),
        ("jitter(0)", false),
        ("jitter(±0.1)", true),
        ("jitter(+-0.1)", true),
        ("swr(soft=2T)", true),
    ] {
        assert_eq!(Spec::parse(text).unwrap().lengthens_ttl(), lengthens, "{text}");
    }
    assert_eq!(Spec::parse("swr(soft=0.5T)").unwrap().soft_life(Duration::from_secs(5)), Duration::from_millis(2500));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}") {
        let _ = Spec::parse(&text);
    }

    #[test]
    fn what_is_said_back_reads_the_same(beta in 1u32..100, poll in 1u64..10_000, spread in 0u32..10, stale in 0u64..100) {
        let text = format!("xfetch(beta={beta}, stale={stale}s) + jitter({spread}) + lock(poll={poll}ms) + coalesce");
        let once = Spec::parse(&text).unwrap();
        let twice = Spec::parse(once.canonical()).unwrap();
        prop_assert_eq!(once.canonical(), twice.canonical());
    }
}
