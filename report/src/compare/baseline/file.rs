//! A baseline as a file.

use std::collections::BTreeSet;

use super::{BASELINE_SCHEMA, Baseline};
use crate::files::document::Document;

impl Document for Baseline {
    const NAME: &'static str = "baseline";
    const SCHEMA: &'static str = BASELINE_SCHEMA;
    const MAKER: &'static str = "loadgen promote RUN";

    /// What no run can have come to: a gate that held anyone to it would guard nothing.
    fn nonsense(&self) -> Option<String> {
        if self.strategies.is_empty() {
            return Some("it has no strategy".to_owned());
        }
        let mut names = BTreeSet::new();
        self.strategies.iter().find_map(|held| {
            let name = &held.name;
            if !names.insert(name) {
                return Some(format!("the strategy {name:?} is there twice"));
            }
            let requests = held.figures.get("requests").and_then(Option::as_ref).and_then(serde_json::Number::as_u64);
            if requests.is_none_or(|requests| requests == 0) {
                return Some(format!("{name} has no requests"));
            }
            None
        })
    }
}
