//! Pools of real connections to a real Redis: how many there are, and who waits.

use crate::common::{assert_ended, record, run, sound, strategy, unspoiled};

#[test]
fn requests_wait_for_real_connections_and_no_read_is_lost() {
    let results = tempfile::tempdir().unwrap();
    let [command, request] = ["", ", hold=request"].map(|hold| format!("plain + pool(size=2, wait=1s{hold}) + lock"));
    let names = [command.as_str(), request.as_str()].join(",");
    let load = ["-r", "200/s", "-w", "1s", "-d", "4s", "--set", "load.ramp=[]", "--strategy", &names];
    let (said, path) = unspoiled(results.path(), |folder| {
        let to = ["--lab", "local", "--cache", "redis", "-o", folder.to_str().unwrap()];
        run(&[&["--scenario", "pool-starvation"][..], &to, &load].concat())
    });
    assert_ended(&said, &path, &[0, 99]);
    let record = record(&path);
    let pool = |name| {
        let strategy = strategy(&record, name);
        assert!(sound(strategy), "{name}: {:?}", strategy.invalid_because);
        strategy.pool.clone().unwrap()
    };
    let (command, request) = (pool(&command), pool(&request));
    // Misses hold a connection for the origin's 50 ms, and two are all there are.
    assert!(request.waited > 5 && request.wait_ms.max.unwrap() > 20.0 && request.in_use_max == 2, "{request:?}");
    assert!(request.held_ms_mean.unwrap() > 3.0 * command.held_ms_mean.unwrap(), "{request:?} {command:?}");
    for of in [&command, &request] {
        assert!(of.asked > 600 && of.gave_up == Some(0), "{of:?}");
    }
}
