//! The baseline of a gate: what a run came to, and under which circumstances, kept to compare later runs with.
//!
//! It is read in code reviews more often than by programs. So it has one figure a line, everything in the order of its
//! name, and nothing that changes from run to run without meaning: no time, no command, no machine.

mod compare;
mod file;
mod measured;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use compare::{Difference, FigureChange, compare};
pub use measured::{MEASURED_SCHEMA, Measured};

use crate::record::Run;
use crate::record::figures::{Figures, figures};

/// The schema of a baseline that this build writes and reads.
pub const BASELINE_SCHEMA: &str = "stampede.baseline/v1";

/// What a run came to, and everything that must be the same for another run to come to the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Baseline {
    /// Always [`BASELINE_SCHEMA`].
    #[schemars(extend("const" = BASELINE_SCHEMA))]
    pub schema: String,
    /// The scenario's name.
    pub scenario: String,
    /// The lab.
    pub lab: String,
    /// How many replicas there were.
    pub replicas: u32,
    /// The seed.
    pub seed: u64,
    /// The plan's hash.
    pub plan_hash: String,
    /// Every field of the resolved scenario that shapes what happens, by its dotted path, as text.
    pub settings: BTreeMap<String, String>,
    /// The strategies, in the order of their names.
    pub strategies: Vec<Held>,
}

/// What is held of a strategy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    /// Its name.
    pub name: String,
    /// Its full composition.
    pub spec: String,
    /// Its figures: each number of its record in `run.json` by its dotted path, in the unit of its name; of a list its
    /// length; `None` where one is unknown.
    pub figures: Figures,
}

impl Baseline {
    /// What a run came to. `settings` are the fields of its resolved scenario, which this crate does not understand.
    #[must_use]
    pub fn of(run: &Run, settings: BTreeMap<String, String>) -> Self {
        let held = |strategy: &crate::record::Strategy| Held {
            name: strategy.name.clone(),
            spec: strategy.spec.clone(),
            figures: figures(strategy),
        };
        let mut strategies: Vec<Held> = run.strategies.iter().map(held).collect();
        strategies.sort_by(|one, two| one.name.cmp(&two.name));
        Self {
            schema: BASELINE_SCHEMA.to_owned(),
            scenario: run.scenario.clone(),
            lab: run.lab.clone(),
            replicas: run.replicas,
            seed: run.seed,
            plan_hash: run.plan_hash.clone(),
            settings,
            strategies,
        }
    }

    /// How many figures it holds.
    #[must_use]
    pub fn figures(&self) -> usize {
        self.strategies.iter().map(|held| held.figures.len()).sum()
    }
}
