//! A load that counts, in the sim lab: what is right loses nothing, whatever dies; what is wrong is seen; and what does not fit is refused.

use report::record::{CounterFigures, Run};

use crate::common::{only_run, record, run, strategy};

fn simulate(args: &[&str]) -> Run {
    let results = tempfile::tempdir().unwrap();
    let said = run(&[&["--lab", "sim", "--quiet", "-o", results.path().to_str().unwrap()], args].concat());
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    record(&only_run(results.path()))
}

fn counters<'a>(run: &'a Run, name: &str) -> &'a CounterFigures {
    let strategy = strategy(run, name);
    assert!(strategy.valid, "{name}: {:?}", strategy.invalid_because);
    strategy.counters.as_ref().unwrap()
}

/// Nothing is wrong with it.
fn is_right(of: &CounterFigures) {
    let wrong = [of.lost, of.extra, of.resets, of.long_windows, of.immortal_at_end, of.immortal_max];
    assert_eq!(wrong, [Some(0); 6], "{of:?}");
    assert!(of.above_limit.is_none_or(|above| above == 0), "{of:?}");
}

#[test]
fn the_race_is_seen_and_the_right_ones_are_right() {
    let strategies = "get-set-incr,set-nx-incr,incr-expire,multi,lua,lua(repair=true),increx";
    let run = simulate(&["--scenario", "counters", "-d", "5s", "--set", "load.think=2ms", "--strategy", strategies]);
    for name in ["multi", "lua", "lua(repair=true)", "increx", "incr-expire"] {
        let of = counters(&run, name);
        is_right(of);
        assert_eq!((of.unknown, of.refused), (0, 0));
        // 20 keys, a window a second: begun within the first requests, and followed by the next at once.
        assert!(of.windows.is_some_and(|windows| (110..=140).contains(&windows)), "{name}: {of:?}");
        assert_eq!(strategy(&run, name).origin.as_ref().unwrap().total, 0, "nobody reads");
    }
    let wrong = counters(&run, "get-set-incr");
    assert!(
        wrong.immortal_at_end.is_some_and(|keys| keys >= 5) && wrong.lost.is_some_and(|lost| lost > 0),
        "{wrong:?}"
    );
    assert!(wrong.immortal.is_sorted(), "a key that has no end gets none: {:?}", wrong.immortal);
    let wrong = counters(&run, "set-nx-incr");
    assert!(wrong.immortal_at_end.is_some_and(|keys| keys >= 5) && wrong.lost == Some(0), "{wrong:?}");
}

#[test]
fn what_is_acknowledged_is_counted_though_replicas_die_and_the_cache_stands_still() {
    let scenario = "schema = 1\nname = \"dying\"\nstrategies = [\"lua\", \"multi\"]\n[load]\nkind = \"count\"\nwindow = \"2s\"\n\
                    rate = \"2000/s\"\nduration = \"12s\"\n[keys]\nkind = \"uniform\"\nn = 20\n[cache]\nttl = \"2s\"\n[origin]\n\
                    service_time = \"1ms\"\n[[event]]\nat = \"2s\"\ndo = \"replica-restart\"\ntarget = \"replica-1\"\n\
                    [[event]]\nat = \"6s\"\ndo = \"cache-pause\"\nfor = \"1s\"\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dying.toml");
    std::fs::write(&file, scenario).unwrap();
    let run = simulate(&["--scenario", file.to_str().unwrap()]);
    for name in ["lua", "multi"] {
        let of = counters(&run, name);
        assert!(of.unknown > 100, "answers were lost: {of:?}");
        assert_eq!([of.lost, of.extra, of.resets, of.immortal_at_end], [Some(0); 4], "{name}: {of:?}");
    }
}

#[test]
fn sub_keys_and_batches_tell_estimates_and_say_so() {
    let sets = ["--set", "load.think=2ms", "-d", "3s"];
    let run = simulate(&[&["--scenario", "counter-hot"], &sets[..]].concat());
    for name in ["lua + sharded(n=6)", "lua + sharded(n=100)", "lua + sharded(n=10, tags=even)"] {
        let of = counters(&run, name);
        assert_eq!([of.lost, of.extra, of.resets, of.immortal_at_end], [Some(0); 4], "{name}: {of:?}");
    }
    let batched = counters(&run, "lua + batched(100ms)");
    assert_eq!((batched.lost, batched.windows, batched.immortal_at_end), (None, None, Some(0)));
    assert!(strategy(&run, "lua + batched(100ms)").cache_ops_per_request.unwrap() < 0.1);
    assert_eq!(counters(&run, "lua").above_limit, Some(0));
}

#[test]
fn what_does_not_fit_is_refused_with_what_to_do() {
    for (args, said) in [
        (
            &["--scenario", "counters", "--strategy", "swr"][..],
            "swr answers reads and does not count; bases: get-set-incr",
        ),
        (
            &["--scenario", "hotkey", "--strategy", "lua"],
            "\"lua\" counts, and this load reads · --strategy · name one that reads, or a scenario that counts",
        ),
        (&["--scenario", "hotkey", "--set", "load.kind=count"], "missing field `window`"),
        (&["--scenario", "counters", "--strategy", "lua,lua"], "the same strategy twice"),
        (&["--scenario", "counters", "--target", "http://127.0.0.1:1/{key}"], "counters of a target"),
        (&["--scenario", "counters", "--set", "limit.per_window=0"], "`per_window` is out of range"),
    ] {
        let lab: &[&str] = if args.contains(&"--target") { &[] } else { &["--lab", "sim"] };
        let said_it = run(&[&["--quiet"], lab, args].concat());
        assert_eq!(said_it.code, Some(2), "{args:?}: {}", said_it.err);
        assert!(said_it.err.contains(said), "{args:?}: {}", said_it.err);
    }
    let results = tempfile::tempdir().unwrap();
    let to = ["-o", results.path().to_str().unwrap()];
    let counting = ["--scenario", "counters", "--lab", "sim", "-d", "2s", "--strategy", "lua"];
    let said = run(&[&counting[..], &["--set", "load.window=2s"], &to].concat()).err;
    assert!(said.contains("; windows 2s, limit 1000 a window; seed ") && !said.contains("TTL"), "{said}");
    let listed = run(&["list"]);
    for row in strategies::counter::COUNTERS {
        assert!(listed.out.contains(row.summary), "{}", row.name);
        assert!(run(&["show", row.name]).out.contains(row.summary), "{}", row.name);
    }
}
