//! `advice.json`, schema `stampede.advice/v1`: everything that the words say, for scripts. `docs/advice.md` explains it.

use std::collections::BTreeMap;

use report::sweep::Spread;
use schemars::JsonSchema;
use serde::Serialize;

use super::candidates::parts;
use super::trials::{Fate, Tried};
use crate::shell::command_line::quoted;

/// The schema that this build writes.
pub const ADVICE_SCHEMA: &str = "stampede.advice/v1";

/// Figures of a setting, beside `origin.per_second`, which is `origin.total` over the measured time.
const FIGURES: [&str; 14] = [
    "requests",
    "origin.total",
    "origin.max_per_second",
    "origin.floor",
    "hit_ratio",
    "latency_ms.p50",
    "latency_ms.p99",
    "latency_ms.p99_9",
    "latency_ms.max",
    "stale.share",
    "stale.overage_ms_max",
    "cache_ops_per_request",
    "errors",
    "outcomes.shed",
];

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Advice {
    /// Always [`ADVICE_SCHEMA`].
    #[schemars(extend("const" = ADVICE_SCHEMA))]
    pub schema: &'static str,
    /// The version of the lab.
    pub version: &'static str,
    /// The numbers that were given.
    pub asked: Asked,
    /// Whether the origin can do what any strategy would need.
    pub capacity: Capacity,
    /// What was simulated.
    pub simulated: Simulated,
    /// What was looked for, in the language of sweeps' goals.
    pub goal: String,
    /// Whether the chosen setting meets it.
    pub goal_met: bool,
    /// What is advised.
    pub chosen: Setting,
    /// Why it is not the simplest of what is as good as the best: that does not come back from a lost cache. `null` where it is.
    pub instead: Option<String>,
    /// Whether it comes back by itself when the cache was emptied or lost; `null` where that is not known, or it misses the goal anyway.
    pub comes_back: Option<bool>,
    /// The layers of what is advised.
    pub layers: Vec<&'static str>,
    /// The best setting of another family; `null` where there is none.
    pub runner_up: Option<Setting>,
    /// Every setting that was tried: what meets the goal first, the best first.
    pub ranking: Vec<Setting>,
    /// The chosen setting with its main knob turned; `null` where it has none.
    pub main_knob: Option<MainKnob>,
    /// What is to be known of the chosen setting's lock; `null` where it has none of a fixed life.
    pub lock: Option<String>,
    /// Chosen and runner-up on days that are not usual.
    pub limits: Vec<Limit>,
    /// What was not tried, and why.
    pub left_out: Vec<String>,
    /// What a simulation does not know.
    pub not_simulated: &'static str,
}

/// The numbers that were given.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Asked {
    /// Requests a second.
    pub rate_per_s: f64,
    /// Keys as typed.
    pub keys: String,
    /// TTL, seconds.
    pub ttl_s: f64,
    /// Service time as `--service-time` takes it.
    pub service_time: String,
    /// Its mean, seconds.
    pub service_time_mean_s: f64,
    /// Origin capacity, reads a second.
    pub origin_capacity_per_s: f64,
    /// How long past its TTL a value may be served, seconds.
    pub max_stale_s: f64,
    /// Replicas.
    pub replicas: u16,
    /// The goal as typed; `null` where none was.
    pub goal: Option<String>,
    /// First seed.
    pub seed: u64,
}

/// What the origin can do against what is needed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Capacity {
    /// Reads a second, in the mean, of a perfect cache for these numbers.
    pub floor_per_s: f64,
    /// Whether a setting meets the goal with the capacity that was given.
    pub enough: bool,
    /// Reads a second that the simulated origin is held to: what was given, or where that is not enough, what would do.
    pub simulated_per_s: f64,
    /// What that origin does in the simulation, whose places are whole.
    pub does_per_s: f64,
    /// A TTL with which a perfect cache would need no more than the origin does; `null` where it needs no more anyway, or a day
    /// is not enough.
    pub longer_ttl: Option<LongerTtl>,
    /// Where advice is for a larger origin and this one could do what is needed in the mean: the nearest miss with it.
    pub as_it_is: Option<Setting>,
    /// What the simulated origin does, where its whole places make that another number.
    pub rounded: Option<String>,
}

/// A TTL with which the origin would do, by arithmetic.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LongerTtl {
    /// The TTL, seconds.
    pub ttl_s: u64,
    /// Reads a second of a perfect cache with it.
    pub floor_per_s: f64,
}

/// What was simulated.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Simulated {
    /// The scenario's file, beside this one.
    pub scenario: String,
    /// Warm-up, seconds.
    pub warmup_s: f64,
    /// Measured, seconds.
    pub measured_s: f64,
    /// Seeds of each setting that was run again; the first is that of all.
    pub seeds: Vec<u64>,
    /// Settings tried.
    pub settings: usize,
    /// Whether the load was too heavy for the whole grid: then one setting a preset.
    pub reduced: bool,
    /// How much smaller it is than what was asked about; `null` where it is not.
    pub sample: Option<Sampled>,
    /// Steps of the simulator that the answer took, and how many it might.
    pub steps: u64,
    /// See `steps`.
    pub steps_max: u64,
    /// Settings of which it is not known on the usual day what comes of them.
    pub not_known: usize,
}

/// At which scale it was simulated. Figures are read back for what was asked about.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Sampled {
    /// Keys that were simulated.
    pub keys: u32,
    /// Of so many.
    pub of: u32,
    /// What the requests a second were divided by.
    pub load_divided_by: f64,
    /// What the origin's capacity was divided by.
    pub origin_divided_by: f64,
    /// The TTL that was simulated, seconds.
    pub ttl_s: f64,
    /// The file of the day as it was asked, to be run alone; `null` where that has more requests than a scenario may have.
    pub whole: Option<&'static str>,
    /// In words.
    pub words: String,
}

/// A strategy that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Setting {
    /// SPEC, as `--strategy` takes it.
    pub strategy: String,
    /// Its full composition.
    pub composition: String,
    /// The preset that it is a setting of.
    pub family: String,
    /// How many parts can be got wrong.
    pub parts: u32,
    /// With how many seeds it was run: with one, where another setting of its preset was better or it missed the goal.
    pub runs: u32,
    /// What became of the requests of each run.
    pub seeds: Vec<Fate>,
    /// Whether it is known what came of it: no run was cut, left out or invalid.
    pub known: bool,
    /// Whether it meets the goal; `false` where that is not known.
    pub meets_goal: bool,
    /// Whether nobody would notice the difference from the best: a tenth of it, or a millisecond.
    pub as_good_as_best: bool,
    /// What it misses, or why it is not known.
    pub misses: Vec<String>,
    /// Figures over the seeds; `null` where one is unknown.
    pub figures: BTreeMap<String, Option<Spread>>,
    /// The command that runs it alone, in this folder.
    pub command: String,
}

/// The main knob.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Knob")]
pub struct MainKnob {
    /// `beta`.
    pub name: String,
    /// Its values, and what came of them, in their order.
    pub values: Vec<KnobValue>,
    /// What that means.
    pub words: String,
}

/// A value of the knob.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct KnobValue {
    /// As typed.
    pub value: String,
    /// What came of it.
    pub setting: Setting,
}

/// A day that is not usual.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Limit {
    /// Its name.
    pub name: String,
    /// What it is.
    pub what: String,
    /// Whether the advice still holds.
    pub verdict: DayVerdict,
    /// In words.
    pub words: String,
    /// What was advised; `null` where nothing was simulated, because no strategy can.
    pub chosen: Option<Setting>,
    /// What else there was.
    pub runner_up: Option<Setting>,
}

/// Whether advice holds on another day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Verdict")]
pub enum DayVerdict {
    /// It meets the goal, and the runner-up is not better by more than noise.
    Holds,
    /// It meets the goal, but the runner-up does better.
    RunnerUpBetter,
    /// It misses the goal, and the runner-up meets it.
    Switch,
    /// Neither meets the goal.
    Neither,
    /// What came of it is not known: a run was too costly, or ended before anybody could say.
    NotKnown,
    /// A perfect cache would read more than the origin can.
    NoStrategyCan,
}

/// How the rows of a scenario are made.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// The scenario's file name.
    pub file: &'a str,
    /// Measured, seconds.
    pub measured_s: f64,
    /// Replicas.
    pub replicas: u16,
    /// First seed.
    pub seed: u64,
}

impl Rows<'_> {
    /// The record of what was tried.
    #[must_use]
    pub fn setting(&self, tried: &Tried) -> Setting {
        let spec = &tried.candidate().spec;
        let mut figures: BTreeMap<String, Option<Spread>> =
            FIGURES.iter().map(|metric| ((*metric).to_owned(), tried.spread(metric))).collect();
        figures.insert("origin.per_second".into(), per_second(tried, self.measured_s));
        Setting {
            strategy: spec.name().to_owned(),
            composition: spec.canonical().to_owned(),
            family: tried.candidate().family.clone(),
            parts: parts(spec),
            runs: tried.entry.point.runs,
            seeds: tried.entry.fates.clone(),
            known: tried.is_known(),
            meets_goal: tried.meets,
            as_good_as_best: tried.alike,
            misses: tried.misses.clone(),
            figures,
            command: self.command(spec.name()),
        }
    }

    /// The command that runs a strategy alone.
    #[must_use]
    pub fn command(&self, strategy: &str) -> String {
        let (file, strategy, replicas, seed) = (quoted(self.file), quoted(strategy), self.replicas, self.seed);
        format!("loadgen --lab sim --scenario {file} --strategy {strategy} --replicas {replicas} --seed {seed}")
    }
}

/// Origin reads a second, in the mean of the measured time.
fn per_second(tried: &Tried, measured_s: f64) -> Option<Spread> {
    let round = |value: f64| (value / measured_s * 1e6).round() / 1e6;
    let Spread { mean, min, max } = tried.spread("origin.total")?;
    Some(Spread { mean: round(mean), min: round(min), max: round(max) })
}

impl Setting {
    /// A figure over the seeds.
    #[must_use]
    pub fn spread(&self, metric: &str) -> Option<Spread> {
        self.figures.get(metric).copied().flatten()
    }
}
