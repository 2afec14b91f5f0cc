//! The floors, held against every preset in virtual time: nobody reads less than the bound that makes a run invalid, and it is
//! not so low that it says nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use evidence::{OriginRead, ReadEnd};

use crate::common::{only_run, origin_of, record, run, strategy};
use loadgen::load::measure::{Floor, WarmState};
use report::RunFolder;
use scenarios::{Plan, Scenario};
use strategies::Spec;

/// Those that do not lengthen TTLs.
const PRESETS: &str = "naive,coalesce,singleflight,swr,xfetch,plain + negative(ttl=1s) + coalesce";

/// Floor and bound of a simulated run in an open loop, made again from its plan.
fn floors(scenario: &Scenario, plan: &Plan, negative: Duration, state: &BTreeMap<u32, i64>) -> (u64, u64) {
    let (service, ttl) = (scenario.origin.service_time.mean(), scenario.cache.ttl);
    let floor = Floor::new(scenario.keys.n, service, ttl, negative);
    let warmup = scenario.load.warmup.as_nanos() as i64;
    let arrivals: Vec<(i64, u32)> = plan.arrivals().map(|a| (a.at_ns as i64 - warmup, a.key)).collect();
    let measured: Vec<(i64, u32)> = arrivals.into_iter().filter(|(at, _)| *at >= 0).collect();
    let loads = |mut floor: Floor| {
        floor.know(state.clone());
        floor.arrive(&measured);
        floor.loads().unwrap()
    };
    (loads(floor.least()), loads(floor))
}

#[test]
fn no_preset_reads_less_than_the_least_and_the_least_is_near_the_floor() {
    for (scenario, duration) in [("hotkey-open", "20s"), ("zipf", "12s")] {
        let out = tempfile::tempdir().unwrap();
        let folder = out.path().to_str().unwrap();
        let args =
            ["--scenario", scenario, "--lab", "sim", "--strategy", PRESETS, "-d", duration, "--quiet", "-o", folder];
        let said = run(&args);
        assert!(matches!(said.code, Some(0 | 99)), "{}{}", said.out, said.err);
        let path = only_run(out.path());
        let (files, run) = (RunFolder::at(&path), record(&path));
        let scenario = Scenario::parse(&files.read_scenario().unwrap(), "scenario.toml", &[]).unwrap();
        let plan = Plan::new(run.seed, &scenario, run.replicas);
        let mut held = 0;
        for name in run.strategies.iter().map(|strategy| strategy.name.clone()) {
            let spec = Spec::parse(&name).unwrap();
            if spec.lengthens_ttl() {
                continue;
            }
            let rows = files.strategy(&strategy(&run, &name).folder).unwrap().read_origin().unwrap();
            // A ledger's times are unsigned: all of these lie before the offset.
            let offset_ns = -(scenario.load.warmup.as_nanos() as i64) - 1_000_000_000;
            let before = rows.iter().filter(|row| row.arrived_ns < 0).map(|row| OriginRead {
                key: row.key.as_str().into(),
                flight: row.flight.as_str().into(),
                replica: row.replica,
                arrived_ns: (row.arrived_ns - offset_ns) as u64,
                start_ns: None,
                end_ns: None,
                outcome: Some(ReadEnd::Ok),
            });
            let mut state = WarmState::new(&scenario, offset_ns);
            before.for_each(|row| state.see(&row));
            let (least, floor) = floors(&scenario, &plan, spec.negative_life(), &state.known());
            let total = origin_of(strategy(&run, &name)).total;
            assert!(total >= least, "{name} in {}: {total} reads, at least {least}", scenario.name);
            assert!(least as f64 >= floor as f64 * 0.8, "{name}: {least} of {floor}");
            held += 1;
        }
        assert!(held == 6, "{held} presets");
    }
}
