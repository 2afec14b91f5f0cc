//! The baseline of a real run: every run of every strategy, whole, for two real runs are never equal.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::files::document::Document;
use crate::record::{Run, Strategy};

/// The schema of a real run's baseline that this build writes and reads.
pub const MEASURED_SCHEMA: &str = "stampede.measured/v1";

/// What a real run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// Always [`MEASURED_SCHEMA`].
    #[schemars(extend("const" = MEASURED_SCHEMA))]
    pub schema: String,
    /// Every field of the resolved scenario, by its dotted path, as text.
    pub settings: BTreeMap<String, String>,
    /// How long the origin itself needed for a read, by its own ledger: the median of each strategy, milliseconds.
    pub origin_ms: BTreeMap<String, f64>,
    /// The record, with its repeats.
    pub run: Run,
}

impl Document for Measured {
    const NAME: &'static str = "baseline";
    const SCHEMA: &'static str = MEASURED_SCHEMA;
    const MAKER: &'static str = "loadgen promote RUN";

    fn nonsense(&self) -> Option<String> {
        let counts = |strategy: &Strategy| strategy.runs().all(|run| run.requests > 0 && run.valid);
        match self.run.strategies.as_slice() {
            [] => Some("it has no strategy".to_owned()),
            all if all.iter().all(counts) => None,
            _ => Some("a run in it has no requests, or is invalid".to_owned()),
        }
    }
}
