//! A prediction beside what was measured, over as many seeds as it takes to know.

use std::sync::Arc;

use app::process::shutdown::Shutdown;
use clap::Parser as _;
use loadgen::cli::settings::{Settings, Subject};
use loadgen::cli::{Cli, Command};
use loadgen::lab::simlab::SimLab;
use report::record::{OriginRow, Strategy};
use scenarios::{Plan, Scenario};
use strategies::Spec;

use super::random::Setting;

/// What is predicted of a hot key.
pub(crate) const FIGURES: [&str; 5] = ["per_expiry", "cycle_s", "hot_origin_total", "wait_share", "stale_share"];
/// Seeds of the looks that follow where a first one is off.
const SEEDS: [u64; 3] = [4, 16, 64];
/// What shares are known to: a twentieth of a percent is nothing that anybody reads off.
const SHARE_FLOOR: f64 = 5e-4;
/// Cycles that a run must have, by theory, for their mean to be one: the last one, which is cut, is rather a long one.
const CYCLES_MIN: f64 = 30.0;

/// What came of one strategy in one scenario.
#[derive(Default)]
pub(crate) struct Verdict {
    pub(crate) predicted: bool,
    pub(crate) held: Vec<&'static str>,
    pub(crate) premises: Vec<String>,
    pub(crate) off: Vec<String>,
}

/// One strategy in one scenario.
pub(crate) struct Drawn {
    settings: Settings,
    toml: String,
}

impl Drawn {
    /// Every strategy of a setting, with a seed.
    pub(crate) fn all(setting: &Setting, seed: u64) -> Vec<Self> {
        let Setting { toml, replicas, specs } = setting;
        let scenario = Scenario::parse(toml, "random.toml", &[]).unwrap_or_else(|e| panic!("{e}\n{toml}"));
        let line = ["loadgen", "run", "--scenario", "hotkey-open", "--lab", "sim", "--quiet"];
        let Some(Command::Run(args)) = Cli::try_parse_from(line).unwrap().command else { panic!("no run") };
        let base = Settings::of(&args).map_err(|failure| failure.text).unwrap();
        let drawn = |text: &String| {
            let spec = Spec::parse(text).unwrap_or_else(|e| panic!("{e}"));
            let (name, composition) = (spec.name().to_owned(), spec.canonical().to_owned());
            let subject = Subject {
                name,
                composition,
                folder: "s".into(),
                strategy: Some(spec),
                counter: None,
                staleness: Default::default(),
            };
            let (scenario, subjects) = (scenario.clone(), vec![subject]);
            let settings = Settings { scenario, subjects, replicas: *replicas, seed, ..base.clone() };
            Self { settings, toml: toml.clone() }
        };
        specs.iter().map(drawn).collect()
    }

    /// How to see it again.
    pub(crate) fn command(&self) -> String {
        let Settings { replicas, seed, subjects, .. } = &self.settings;
        let name = &subjects[0].name;
        format!(
            "  --replicas {replicas} --seed {seed} --strategy '{name}' --scenario random.toml, which is\n{}",
            self.toml
        )
    }
}

/// One run.
struct Seen {
    strategy: Strategy,
    cycle_s: Option<f64>,
    measured_s: f64,
}

fn run(drawn: &Drawn, seed: u64) -> Seen {
    let settings = Settings { seed, ..drawn.settings.clone() };
    let plan = Arc::new(Plan::new(seed, &settings.scenario, u32::from(settings.replicas)));
    let (_told, stop) = Shutdown::pair();
    let lab = SimLab::new(&settings, plan, stop);
    let trial = lab
        .simulate(&settings.subjects[0], None, "")
        .map_err(|f| f.text)
        .unwrap_or_else(|e| panic!("{e}\n{}", drawn.command()));
    let key = settings.scenario.keys.hot_key().map(|key| key.to_string());
    let mut rows = Vec::new();
    let keep = &mut |row: &OriginRow| {
        rows.push(row.clone());
        Ok(())
    };
    trial.origin.unwrap().each(keep).unwrap();
    let cycle_s = mean_cycle_s(&rows, key.as_deref());
    let measured_s = settings.scenario.load.duration.as_secs_f64();
    Seen { strategy: trial.figures.strategy, cycle_s, measured_s }
}

/// From herd to herd, reads of a herd being those that overlap.
fn mean_cycle_s(rows: &[OriginRow], key: Option<&str>) -> Option<f64> {
    let mut starts: Vec<i64> = Vec::new();
    let mut busy_until = i64::MIN;
    for row in rows.iter().filter(|row| Some(row.key.as_str()) == key && row.phase == "measured") {
        if row.arrived_ns > busy_until {
            starts.push(row.arrived_ns);
        }
        busy_until = busy_until.max(row.end_ns.unwrap_or(i64::MAX));
    }
    let (first, last) = (starts.first()?, starts.last()?);
    (starts.len() > 1).then(|| (last - first) as f64 / 1e9 / (starts.len() - 1) as f64)
}

impl Seen {
    fn measured(&self, figure: &str) -> Option<f64> {
        let hot = self.strategy.hot.as_ref()?;
        let of_requests = |part: u64| (hot.requests > 0).then(|| part as f64 / hot.requests as f64);
        match figure {
            "per_expiry" => Some(self.strategy.origin.as_ref()?.per_expiry.as_ref()?.mean),
            "cycle_s" => self.cycle_s.filter(|_| self.enough_cycles()),
            "hot_origin_total" => hot.origin_total.map(|total| total as f64),
            "wait_share" => of_requests(hot.outcomes.wait + hot.outcomes.load),
            _ => of_requests(hot.outcomes.stale),
        }
    }

    fn enough_cycles(&self) -> bool {
        let cycle_s = self.strategy.predicted.as_ref().and_then(|predicted| predicted.cycle_s);
        cycle_s.is_some_and(|cycle_s| self.measured_s / cycle_s >= CYCLES_MIN)
    }

    fn predicted(&self, figure: &str) -> Option<f64> {
        let predicted = self.strategy.predicted.as_ref()?;
        match figure {
            "per_expiry" => Some(predicted.per_expiry),
            "cycle_s" => predicted.cycle_s,
            "hot_origin_total" => predicted.hot_origin_total,
            "wait_share" => predicted.wait_share,
            _ => predicted.stale_share,
        }
    }
}

/// Runs it, and again where a figure is off.
pub(crate) fn judge(drawn: &Drawn) -> Verdict {
    let first = run(drawn, drawn.settings.seed);
    let mut verdict = Verdict {
        predicted: first.strategy.predicted.is_some(),
        premises: first.strategy.not_predicted.iter().map(|not| not.premise.clone()).collect(),
        ..Verdict::default()
    };
    let mut doubtful: Vec<&'static str> = Vec::new();
    for figure in FIGURES {
        let Some(predicted) = first.predicted(figure) else { continue };
        if !predicted.is_finite() || predicted < 0.0 {
            verdict.off.push(format!("{figure}: {predicted} is predicted"));
        }
        match first.measured(figure) {
            None => {}
            Some(found) if near(figure, predicted, found, 0.0) => verdict.held.push(figure),
            Some(_) => doubtful.push(figure),
        }
    }
    let mut seed = 1_000_000 * (drawn.settings.seed + 1);
    for seeds in &SEEDS {
        if doubtful.is_empty() {
            return verdict;
        }
        let runs: Vec<Seen> = (0..*seeds).map(|n| run(drawn, seed + n)).collect();
        seed += seeds;
        let mut still = Vec::new();
        for figure in doubtful {
            let predicted = first.predicted(figure).unwrap_or_default();
            let found: Vec<f64> = runs.iter().filter_map(|run| run.measured(figure)).collect();
            let (mean, error) = mean(&found);
            // What is rare may not have been seen at all: the error is that of a Poisson number, at least.
            let requests: u64 = runs.iter().filter_map(|run| run.strategy.hot.as_ref()).map(|hot| hot.requests).sum();
            let rare = if figure.ends_with("share") { (predicted / requests.max(1) as f64).sqrt() } else { 0.0 };
            let error = error.max(rare);
            if found.len() < 2 || near(figure, predicted, mean, 3.0 * error) {
                verdict.held.push(figure);
            } else {
                still.push(figure);
                if seeds == SEEDS.last().unwrap_or(&0) {
                    verdict.off.push(format!("{figure}: predicted {predicted:.4}, measured {mean:.4} ± {error:.4}"));
                }
            }
        }
        doubtful = still;
    }
    verdict
}

fn near(figure: &str, predicted: f64, found: f64, errors: f64) -> bool {
    let floor = if figure.ends_with("share") { SHARE_FLOOR } else { 0.0 };
    (found - predicted).abs() <= (0.1 * predicted).max(errors).max(floor)
}

/// Mean and standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}
