//! The committed baselines: there is one for every shipped scenario, it is met, and a broken strategy does not meet it.
//! (`ci/gate.sh` runs them all, in a release build.)

use std::path::{Path, PathBuf};

use app::process::shutdown::Shutdown;

use crate::common::{only_run, record, run};
use clap::Parser as _;
use loadgen::cli::Cli;
use loadgen::cli::settings::Settings;
use loadgen::study::sweep::{simulate, simulate_within};
use report::compare::baseline::{BASELINE_SCHEMA, Baseline, Held, compare};
use report::{Document as _, RunFolder};
use scenarios::Plan;

fn committed(scenario: &str) -> Baseline {
    let path = format!("{}/../results/baseline/{scenario}.sim.json", env!("CARGO_MANIFEST_DIR"));
    Baseline::read(Path::new(&path)).unwrap_or_else(|error| panic!("{error}; make it: ci/gate.sh promote"))
}

fn settings(args: &[&str]) -> Settings {
    let cli = Cli::parse_from([&["loadgen", "--lab", "sim", "--quiet"], args].concat());
    Settings::of(&cli.run).unwrap_or_else(|failure| panic!("{failure}"))
}

/// What a gate would hold these settings to, without any figure.
fn circumstances(settings: &Settings) -> Baseline {
    let held = |subject: &loadgen::cli::settings::Subject| Held {
        name: subject.name.clone(),
        spec: subject.composition.clone(),
        figures: report::Figures::new(),
    };
    let mut strategies: Vec<Held> = settings.subjects.iter().map(held).collect();
    strategies.sort_by(|one, two| one.name.cmp(&two.name));
    Baseline {
        schema: BASELINE_SCHEMA.into(),
        scenario: settings.scenario.name.clone(),
        lab: "sim".into(),
        replicas: settings.replicas.into(),
        seed: settings.seed,
        plan_hash: Plan::new(settings.seed, &settings.scenario, settings.replicas.into()).hash(),
        settings: settings.scenario.settings(),
        strategies,
    }
}

#[test]
fn every_shipped_scenario_has_a_baseline_of_its_own_circumstances() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/baseline");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), scenarios::shipped().len(), "one each, and no other");
    for (name, _) in scenarios::shipped() {
        let mut baseline = committed(name);
        baseline.strategies.iter_mut().for_each(|held| held.figures.clear());
        let now = circumstances(&settings(&["--scenario", name]));
        assert_eq!(compare(&baseline, &now), Ok(Vec::new()), "{name}: ci/gate.sh promote");
    }
}

/// The baseline was made by a release build: a debug one makes the same figures.
#[test]
fn hotkey_meets_its_baseline() {
    let settings = settings(&["--scenario", "hotkey"]);
    let (_word, never) = Shutdown::pair();
    let mut now = circumstances(&settings);
    for held in &mut now.strategies {
        let subjects = settings.subjects.iter().filter(|subject| subject.name == held.name).cloned().collect();
        held.figures = report::figures(&simulate(&Settings { subjects, ..settings.clone() }, &never).unwrap());
    }
    assert_eq!(compare(&committed("hotkey"), &now), Ok(Vec::new()), "meant so? ci/gate.sh promote");
}

/// Where it is cut is the same on any machine, for steps are counted and not time.
#[test]
fn a_run_that_costs_too_much_is_cut_at_the_same_place_each_time() {
    let settings = settings(&["--scenario", "hotkey-open", "--strategy", "singleflight"]);
    let (_word, never) = Shutdown::pair();
    let run = |steps_max| simulate_within(&settings, &never, steps_max).unwrap();
    let (whole, enough) = (run(None), run(Some(10_000_000)));
    assert_eq!((whole.cut_after_s, report::figures(&whole)), (None, report::figures(&enough)));
    let (one, two) = (run(Some(20_000)), run(Some(20_000)));
    assert!(one.cut_after_s.is_some_and(|cut| cut > 1.0 && cut < 59.0), "{:?}", one.cut_after_s);
    assert_eq!(report::figures(&one), report::figures(&two));
}

fn simulated(results: &Path, strategy: &str) -> PathBuf {
    let output = results.join(strategy);
    let args = ["--scenario", "hotkey", "-d", "30s", "--lab", "sim", "--quiet", "--strategy", strategy, "-o"];
    let said = run(&[&args[..], &[output.to_str().unwrap()]].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    only_run(&output)
}

/// The gate's own test: were the lock to lose its re-read, this is what the gate would see.
#[test]
fn a_lock_without_its_reread_fails_the_gate() {
    let dir = tempfile::tempdir().unwrap();
    let baselines = dir.path().join("baseline");
    let (right, broken) = (simulated(dir.path(), "singleflight"), simulated(dir.path(), "broken-lock-no-reread"));
    let baselines = baselines.to_str().unwrap();
    assert_eq!(run(&["promote", right.to_str().unwrap(), "--baseline-dir", baselines]).code, Some(0));
    assert_eq!(run(&["gate", "--baseline", baselines, right.to_str().unwrap()]).code, Some(0));

    // Under its own name it is another strategy, and nothing is compared.
    let gate = || run(&["gate", "--baseline", baselines, broken.to_str().unwrap()]);
    let said = gate();
    assert_eq!(said.code, Some(3));
    for words in
        ["strategy broken-lock-no-reread", "found WRONG ON PURPOSE", "strategy singleflight", "needed plain + lock"]
    {
        assert!(said.err.contains(words), "{words:?} in {}", said.err);
    }

    let (mut renamed, original) = (record(&broken), record(&right));
    renamed.strategies[0].name.clone_from(&original.strategies[0].name);
    renamed.strategies[0].spec.clone_from(&original.strategies[0].spec);
    RunFolder::at(&broken).write_run(&renamed).unwrap();
    let said = gate();
    assert_eq!(said.code, Some(10), "{}{}", said.out, said.err);
    // At these latencies the flaw costs no read of the origin: only an exact gate sees that each winner looks once less.
    for words in ["CHANGED  hotkey in the sim lab", "cache_ops_per_request"] {
        assert!(said.out.contains(words), "{words} in {}", said.out);
    }
}
