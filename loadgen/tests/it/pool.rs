//! Pools of connections in the sim lab: what theory says of them, and who waits for whose miss.

use report::record::{PoolFigures, Run};

use crate::common::{only_run, record, run, strategy};

fn simulate(args: &[&str]) -> Run {
    let results = tempfile::tempdir().unwrap();
    let said = run(&[&["--lab", "sim", "--quiet", "-o", results.path().to_str().unwrap()], args].concat());
    assert!(matches!(said.code, Some(0 | 99)), "{}{}", said.out, said.err);
    record(&only_run(results.path()))
}

fn pool(of: &Run, name: &str) -> PoolFigures {
    let strategy = strategy(of, name);
    assert!(strategy.valid, "{name}: {:?}", strategy.invalid_because);
    strategy.pool.clone().unwrap()
}

/// A scenario whose every request holds a connection for the origin's service time.
fn waits(service_time: &str, load: &[&str], size: u32) -> PoolFigures {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("misses.toml");
    let set = format!("service_time = {service_time}");
    let text = run(&["show", "pool-starvation"]).out.replace("service_time = \"50ms\"", &set);
    let ramp = text.find("[[load.ramp]]").unwrap();
    let after = text.find("[keys]").unwrap();
    let thresholds = text.find("[[threshold]]").unwrap();
    std::fs::write(&mine, format!("{}{}", &text[..ramp], &text[after..thresholds])).unwrap();
    let name = format!("plain + pool(size={size}, wait=60s, hold=request) + bare");
    let args = ["--scenario", mine.to_str().unwrap(), "--replicas", "1", "--strategy", &name];
    pool(&simulate(&[&args, load].concat()), &name)
}

#[test]
fn who_waits_and_for_how_long_are_erlangs_where_holding_times_are_exponential() {
    for (rate, size) in [("55/s", 5), ("70/s", 5)] {
        let load = ["-r", rate, "-d", "6000s", "--set", "keys.kind=uniform", "--set", "keys.n=10000000"];
        let of = waits("{ dist = \"exp\", mean = \"50ms\" }", &load, size);
        let near = |found: f64, theory: f64| (found / theory - 1.0).abs() < 0.1;
        assert!(near(of.held_variation.unwrap(), 1.0), "{of:?}");
        assert!(near(of.waited_share.unwrap(), of.waited_share_by_theory.unwrap()), "{of:?}");
        assert!(near(of.wait_ms.p99.unwrap(), of.wait_p99_ms_by_theory.unwrap()), "{of:?}");
    }
}

/// Hits of a quarter of a millisecond beside misses of fifty: C² = 18.
#[test]
fn hits_beside_misses_wait_as_often_as_erlang_says_and_longer() {
    let load = ["-r", "1000/s", "-d", "120s", "--set", "keys.hot_share=0.95", "--set", "cache.ttl=10m"];
    for size in [4, 5] {
        let of = waits("\"50ms\"", &load, size);
        let near = |found: f64, theory: f64, room: f64| (found / theory - 1.0).abs() < room;
        assert!((15.0..21.0).contains(&of.held_variation.unwrap()), "{of:?}");
        assert!(near(of.waited_share.unwrap(), of.waited_share_by_theory.unwrap(), 0.15), "{of:?}");
        assert!(near(of.wait_ms.p99.unwrap(), of.wait_p99_ms_by_theory.unwrap(), 0.2), "{of:?}");
    }
}

#[test]
fn a_pool_that_cannot_keep_up_has_no_theory_and_says_what_waited_in_vain() {
    let name = "plain + pool(size=4, hold=request) + bare";
    let args = [
        "--scenario",
        "pool-starvation",
        "--set",
        "load.ramp=[]",
        "-r",
        "1500/s",
        "--replicas",
        "1",
        "-d",
        "10s",
        "--strategy",
        name,
    ];
    let of = pool(&simulate(&args), name);
    assert!(of.gave_up.unwrap() > 100 && of.waited_share_by_theory.is_none(), "{of:?}");
}

/// Requests go to the replicas in turns: at each of three the gaps are more even than Poisson's, and fewer wait.
#[test]
fn several_replicas_wait_less_than_erlang_says_and_nothing_is_predicted() {
    let name = "plain + pool(size=5, wait=60s, hold=request) + bare";
    let load = ["-r", "3000/s", "-d", "60s", "--set", "load.ramp=[]", "--set", "cache.ttl=10m", "--strategy", name];
    let of = pool(&simulate(&[&["--scenario", "pool-starvation"][..], &load].concat()), name);
    let held = std::time::Duration::from_secs_f64(of.held_ms_mean.unwrap() / 1e3);
    let erlang = strategies::theory::pool_waits(5, of.offered.unwrap(), held, of.held_variation.unwrap()).unwrap();
    assert!(of.waited_share.unwrap() < erlang.share, "{of:?} {erlang:?}");
    assert!(of.waited_share_by_theory.is_none() && of.wait_p99_ms_by_theory.is_none(), "{of:?}");
}

#[test]
fn at_the_hot_keys_expiry_others_wait_where_requests_hold_connections_and_nowhere_else() {
    let [command, request] = ["", ", hold=request"].map(|hold| format!("plain + pool(size=2{hold}) + lock"));
    let names = [command.as_str(), request.as_str()].join(",");
    let run =
        simulate(&["--scenario", "pool-starvation", "--set", "load.ramp=[]", "-r", "1000/s", "--strategy", &names]);
    let (command, request) = (pool(&run, &command), pool(&run, &request));
    assert!(command.waited_share.unwrap() < 0.005 && command.wait_ms.p99.unwrap() < 0.1, "{command:?}");
    assert!(request.waited_elsewhere.unwrap() > 100 && request.wait_ms.p99.unwrap() > 30.0, "{request:?}");
}
