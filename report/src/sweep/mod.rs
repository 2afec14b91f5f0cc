//! The record of a sweep: one scenario at every point of a grid of settings, and what came of it.
//!
//! `sweep.json` has what is said and drawn, `sweep.csv` every single run. A number that is unknown is `None`.

pub(crate) mod figures_text;
mod file;
mod render;

use std::collections::{BTreeMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use figures_text::{figure_text, is_yes_or_no};
pub use file::{RunRow, SweepFolder};
pub use render::render_sweep;

/// The schema of `sweep.json` that this build writes and reads.
pub const SWEEP_SCHEMA: &str = "stampede.sweep/v1";

/// Parts of a sweep at most.
pub const PARTS_MAX: u32 = 10_000;

/// `sweep.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sweep {
    /// Always [`SWEEP_SCHEMA`].
    #[schemars(extend("const" = SWEEP_SCHEMA))]
    pub schema: String,
    /// The folder's own name, `20261120T235900Z-sweep-hotkey-3f9a`.
    pub sweep: String,
    /// False where it was interrupted, or a run failed.
    pub complete: bool,
    /// The version of the lab that wrote this.
    pub version: String,
    /// When it began, RFC 3339, UTC.
    pub started_at: String,
    /// The command line that makes it again.
    pub command: String,
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's one-line summary.
    pub summary: String,
    /// The lab: `sim`.
    pub lab: String,
    /// How many replicas.
    pub replicas: u32,
    /// What was set besides the knobs: every field of the resolved scenario by its dotted path, as text.
    pub settings: BTreeMap<String, String>,
    /// The seeds that each point was to be run with.
    pub seeds: Vec<u64>,
    /// What was varied.
    pub knobs: Vec<SweptKnob>,
    /// Strategies of the scenario that took no part, for they lack a knob.
    pub left_out: Vec<String>,
    /// The figures that the charts show, by path.
    pub charted: Vec<String>,
    /// What was looked for.
    pub goal: Option<SweepGoal>,
    /// Every strategy at every setting, strategy by strategy, the last knob's values fastest.
    pub points: Vec<Point>,
    /// The valid points by the goal, best first; empty without a goal.
    pub ranking: Vec<Ranked>,
    /// Which of the points this part has run, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<SweepPart>,
}

/// A part of a sweep that several processes do: the points whose index leaves `index` when it is divided by `of`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Part")]
pub struct SweepPart {
    /// Which, from 0.
    pub index: u32,
    /// How many there are.
    pub of: u32,
    /// A hash of the sources that the program was built from.
    pub build: String,
    /// The command line that makes the whole, in the folder of results that is usual.
    pub whole: String,
}

/// What was varied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Knob")]
pub struct SweptKnob {
    /// `xfetch.beta` or `cache.ttl`.
    pub name: String,
    /// The unit of its axis (`s`, `/s`, `B`, `T`, or nothing); `None` where its values are no numbers of one kind.
    pub unit: Option<String>,
    /// Its values, in the order given.
    pub values: Vec<SweptValue>,
}

/// A value of a knob.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "KnobValue")]
pub struct SweptValue {
    /// As typed.
    pub text: String,
    /// In the knob's unit.
    pub number: Option<f64>,
}

/// What was looked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Goal")]
pub struct SweepGoal {
    /// As typed.
    pub text: String,
    /// `min` or `max`, of the mean over the seeds.
    pub direction: String,
    /// Of which figure.
    pub metric: String,
    /// What must hold for every seed.
    pub conditions: Vec<SweepCondition>,
}

/// A condition of a goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Condition")]
pub struct SweepCondition {
    /// As typed.
    pub text: String,
    /// On which figure.
    pub metric: String,
    /// `<=`, `<`, `>=` or `>`.
    pub comparison: String,
    /// The limit, in the figure's own unit.
    pub limit: f64,
}

/// A strategy at one setting of all knobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// The strategy as the scenario calls it.
    pub strategy: String,
    /// The strategy as it was run, `xfetch(beta=0.5)`: what to type to run it alone.
    pub name: String,
    /// Its full composition.
    pub spec: String,
    /// Each knob's value, in the order of the knobs.
    pub values: Vec<String>,
    /// How many seeds it was run with.
    pub runs: u32,
    /// Whether every run's numbers may be believed; false where there are none.
    pub valid: bool,
    /// Why not, one sentence each.
    pub invalid_because: Vec<String>,
    /// The figures over the seeds by their dotted path in `run.json`'s strategy, in the unit of their name; `None` where one
    /// is unknown in any run.
    pub figures: BTreeMap<String, Option<Spread>>,
}

/// A figure over the seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
}

/// A point's place by the goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ranked {
    /// Index into [`Sweep::points`].
    pub point: usize,
    /// Whether every condition holds for every seed.
    pub meets: bool,
    /// Where it meets: whether the two are not told apart, for its range over the seeds overlaps the best one's (of a figure that
    /// is yes or no: for the shares are less than two standard errors apart).
    pub as_good_as_best: bool,
    /// The conditions that do not hold, each with the worst value over the seeds.
    pub misses: Vec<Miss>,
}

/// A condition that does not hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Miss {
    /// Which: an index into [`SweepGoal::conditions`].
    pub condition: usize,
    /// The worst value over the seeds; `None` where it is unknown.
    pub worst: Option<f64>,
    /// How far beyond the limit, as a share of it (of 1 where the limit is 0); `None` where the value is unknown.
    pub by: Option<f64>,
}

impl Sweep {
    /// The strategies in the order of the points.
    #[must_use]
    pub fn strategies(&self) -> Vec<&str> {
        let (mut names, mut seen) = (Vec::new(), HashSet::new());
        for point in &self.points {
            if seen.insert(point.strategy.as_str()) {
                names.push(point.strategy.as_str());
            }
        }
        names
    }

    /// Fewest and most seeds that a point was run with, of the points that were run at all.
    #[must_use]
    pub fn seeds_run(&self) -> (u32, u32) {
        let runs = || self.points.iter().map(|point| point.runs).filter(|runs| *runs > 0);
        (runs().min().unwrap_or(0), runs().max().unwrap_or(0))
    }

    /// How many settings of the ranking share the first one's mean of the goal's figure; 0 where none meets the goal.
    #[must_use]
    pub fn equally_best(&self) -> usize {
        let Some(goal) = &self.goal else { return 0 };
        let mean = |ranked: &Ranked| Some(self.points.get(ranked.point)?.figures.get(&goal.metric).copied()??.mean);
        let best = self.ranking.first().and_then(mean);
        let shares = |ranked: &&Ranked| mean(ranked).zip(best).is_some_and(|(own, best)| own.total_cmp(&best).is_eq());
        self.ranking.iter().filter(|ranked| ranked.meets).filter(shares).count()
    }

    /// How many settings were run at all.
    #[must_use]
    pub fn settings_run(&self) -> usize {
        self.points.iter().filter(|point| point.runs > 0).count()
    }

    /// Which of a knob's values a point has.
    pub(crate) fn value_of(&self, point: &Point, knob: usize) -> Option<usize> {
        let text = point.values.get(knob)?;
        self.knobs.get(knob)?.values.iter().position(|value| value.text == *text)
    }

    /// The points that meet the goal, as indices; `None` without a goal.
    pub(crate) fn meeting(&self) -> Option<HashSet<usize>> {
        self.goal.as_ref()?;
        Some(self.ranking.iter().filter(|ranked| ranked.meets).map(|ranked| ranked.point).collect())
    }
}
