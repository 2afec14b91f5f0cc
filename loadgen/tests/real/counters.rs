//! A load that counts, over real sockets: on a real Redis the race is there, and the right ones are right.

use app::testing;
use report::record::CounterFigures;

use crate::common::{assert_ended, record, run, sound, strategy, unspoiled};

fn counted(results: &std::path::Path, args: &[&str], names: &[&str]) -> Vec<CounterFigures> {
    let (said, folder) =
        unspoiled(results, |folder| run(&[&["--quiet", "-o", folder.to_str().unwrap()], args].concat()));
    assert_ended(&said, &folder, &[0, 10]);
    let run = record(&folder);
    let of = |name: &&str| {
        let strategy = strategy(&run, name);
        assert!(sound(strategy), "{name}: {:?}", strategy.invalid_because);
        strategy.counters.clone().unwrap()
    };
    names.iter().map(of).collect()
}

#[test]
fn on_a_real_redis_the_race_leaves_keys_without_an_end_and_a_script_loses_nothing() {
    if testing::needed("redis", app::cache::redis_server::installed).is_none() {
        return;
    }
    let results = tempfile::tempdir().unwrap();
    let args = ["--scenario", "counters", "--lab", "local", "-d", "4s", "--strategy", "get-set-incr,multi,lua"];
    let found = counted(results.path(), &args, &["get-set-incr", "multi", "lua"]);
    let [wrong, right @ ..] = found.as_slice() else { panic!("three") };
    assert!(wrong.immortal_at_end.is_some_and(|keys| keys >= 2), "{wrong:?}");
    for of in right {
        let all = [of.lost, of.extra, of.resets, of.long_windows, of.immortal_at_end, of.above_limit];
        assert_eq!(all, [Some(0); 6], "{of:?}");
        assert!(of.acknowledged > 1000 && of.windows.is_some_and(|windows| windows >= 80), "{of:?}");
    }
    // One that the server does not know is refused with its version, before anything is counted.
    let said = run(&[
        "--scenario",
        "counters",
        "--lab",
        "local",
        "--quiet",
        "-d",
        "1s",
        "--strategy",
        "lua,increx",
        "-o",
        results.path().join("increx").to_str().unwrap(),
    ]);
    assert!(
        said.code == Some(0)
            || said.code == Some(2)
                && said.err.contains("increx needs the command INCREX (Redis 8.8 and later), found: redis "),
        "{}",
        said.err
    );
}

#[test]
fn in_memory_sub_keys_and_batches_are_counted_too() {
    let results = tempfile::tempdir().unwrap();
    let args = [
        "--scenario",
        "counter-hot",
        "--lab",
        "local",
        "--cache",
        "memory",
        "-d",
        "2s",
        "--set",
        "load.think=2ms",
        "--strategy",
        "lua + sharded(n=10),lua + batched(100ms)",
    ];
    let found = counted(results.path(), &args, &["lua + sharded(n=10)", "lua + batched(100ms)"]);
    assert_eq!((found[0].lost, found[0].immortal_at_end), (Some(0), Some(0)), "{:?}", found[0]);
    assert_eq!((found[1].lost, found[1].immortal_at_end), (None, Some(0)), "{:?}", found[1]);
    assert!(found.iter().all(|of| of.acknowledged > 500 && of.unknown == 0), "{found:?}");
}
