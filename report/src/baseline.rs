//! Baselines: a run's figures, kept in the repository so that a later run can be held against them.
//!
//! One figure a line under its name of `run.json`, so that a change reads well in a code review. A baseline knows what was
//! run (the resolved scenario, line by line), and is never compared with a run of anything else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::atomic::write_atomic;
use crate::error::{ReportError, io_error};
use crate::record::{Run, Strategy};

/// The schema of a baseline that this build writes and reads.
pub const BASELINE_SCHEMA: &str = "stampede.baseline/v1";

/// Parts of a strategy's record that are not figures of what it did: theory's word, and the generator's own lateness.
const NOT_FIGURES: [&str; 2] = ["predicted", "lag_ms"];
/// Tables of a scenario that do not change what is run: which strategies are, and what they must reach.
const NOT_SETTINGS: [&str; 3] = ["strategies", "summary", "schema"];

/// A run's figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Always [`BASELINE_SCHEMA`].
    pub schema: String,
    /// The scenario's name.
    pub scenario: String,
    /// The lab.
    pub lab: String,
    /// The seed.
    pub seed: u64,
    /// Replicas.
    pub replicas: u32,
    /// Hash of the plan.
    pub plan_hash: String,
    /// What was run: the lines of the resolved scenario that say so.
    pub settings: Vec<String>,
    /// Each strategy's figures, by their dotted names in `run.json`. `null` where a figure is unknown.
    pub strategies: BTreeMap<String, BTreeMap<String, Value>>,
}

/// One figure that is not what it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The strategy.
    pub strategy: String,
    /// The figure's dotted name; `(strategy)` where the strategy itself is gone or new.
    pub figure: String,
    /// What it was; `None` where there was none.
    pub from: Option<Value>,
    /// What it is; `None` where there is none.
    pub to: Option<Value>,
}

impl Baseline {
    /// The figures of a run, whose resolved scenario is `scenario_toml`.
    #[must_use]
    pub fn of(run: &Run, scenario_toml: &str) -> Self {
        Self {
            schema: BASELINE_SCHEMA.into(),
            scenario: run.scenario.clone(),
            lab: run.lab.clone(),
            seed: run.seed,
            replicas: run.replicas,
            plan_hash: run.plan_hash.clone(),
            settings: settings(scenario_toml),
            strategies: run.strategies.iter().map(|s| (s.name.clone(), figures(s))).collect(),
        }
    }

    /// Reads a baseline.
    ///
    /// # Errors
    ///
    /// A sentence: what is wrong with the file.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        if text.lines().any(|line| line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>")) {
            return Err(format!(
                "{} has the marks of an unfinished merge; finish it, or promote a run",
                path.display()
            ));
        }
        let value: Value = serde_json::from_str(&text).map_err(|e| format!("{} is no JSON: {e}", path.display()))?;
        match value.get("schema").and_then(Value::as_str) {
            Some(BASELINE_SCHEMA) => {}
            found => {
                let found = found.unwrap_or("none");
                return Err(format!("{}: schema is {found}, this build reads {BASELINE_SCHEMA}", path.display()));
            }
        }
        serde_json::from_value(value).map_err(|e| format!("{}: {e}", path.display()))
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), ReportError> {
        let text = serde_json::to_string_pretty(self).map_err(|e| io_error("write", path)(e.into()))?;
        write_atomic(path, |out| writeln!(out, "{text}"))
    }

    /// Why the two are not of the same thing; `None` where they are, and can be compared.
    #[must_use]
    pub fn differs_in_kind(&self, run: &Self) -> Option<String> {
        let fields = [
            ("scenario", &self.scenario, &run.scenario),
            ("lab", &self.lab, &run.lab),
            ("seed", &self.seed.to_string(), &run.seed.to_string()),
            ("replicas", &self.replicas.to_string(), &run.replicas.to_string()),
        ];
        if let Some((name, then, now)) = fields.into_iter().find(|(_, then, now)| then != now) {
            return Some(format!("{name} is {now}, the baseline's is {then}"));
        }
        let (then, now): (BTreeSet<_>, BTreeSet<_>) = (self.settings.iter().collect(), run.settings.iter().collect());
        let lines = |lines: Vec<&&String>| lines.into_iter().map(|l| format!("`{l}`")).collect::<Vec<_>>().join(", ");
        let (gone, new) = (lines(then.difference(&now).collect()), lines(now.difference(&then).collect()));
        if !gone.is_empty() || !new.is_empty() {
            let (gone, new) = (or_nothing(gone), or_nothing(new));
            return Some(format!("the scenario has {new} where the baseline's has {gone}"));
        }
        let (then, now) = (&self.plan_hash, &run.plan_hash);
        (then != now).then(|| format!("the same settings make plan {now}, for the baseline they made {then}"))
    }

    /// Every figure that is not what it was, strategies and figures in the order of their names.
    #[must_use]
    pub fn changes(&self, run: &Self) -> Vec<Change> {
        let names: BTreeSet<&String> = self.strategies.keys().chain(run.strategies.keys()).collect();
        let mut changes = Vec::new();
        for name in names {
            match (self.strategies.get(name), run.strategies.get(name)) {
                (Some(then), Some(now)) => {
                    let figures: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
                    for figure in figures {
                        let (from, to) = (then.get(figure), now.get(figure));
                        if from != to {
                            changes.push(change(name, figure, from, to));
                        }
                    }
                }
                (then, now) => {
                    let there = Value::from("there");
                    changes.push(change(name, "(strategy)", then.map(|_| &there), now.map(|_| &there)));
                }
            }
        }
        changes
    }

    /// How many figures it has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.strategies.values().map(BTreeMap::len).sum()
    }
}

fn change(strategy: &str, figure: &str, from: Option<&Value>, to: Option<&Value>) -> Change {
    Change { strategy: strategy.to_owned(), figure: figure.to_owned(), from: from.cloned(), to: to.cloned() }
}

fn or_nothing(text: String) -> String {
    if text.is_empty() { "nothing".to_owned() } else { text }
}

/// The lines of a resolved scenario that say what is run, each with the table it is in.
fn settings(toml: &str) -> Vec<String> {
    let (mut lines, mut table) = (Vec::new(), String::new());
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    for line in toml.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]")) {
            let number = numbers.entry(name.to_owned()).or_insert(0);
            *number += 1;
            table = format!("{name}.{number}.");
        } else if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            table = format!("{name}.");
        } else if !NOT_SETTINGS.iter().any(|n| line.starts_with(&format!("{n} ="))) && !table.starts_with("threshold.")
        {
            lines.push(format!("{table}{line}"));
        }
    }
    lines
}

/// A strategy's figures by their dotted names: everything in its record that is a number, or could be one.
fn figures(strategy: &Strategy) -> BTreeMap<String, Value> {
    let mut figures = BTreeMap::new();
    if let Ok(Value::Object(record)) = serde_json::to_value(strategy) {
        for (name, value) in record.into_iter().filter(|(name, _)| !NOT_FIGURES.contains(&name.as_str())) {
            gather(name, value, &mut figures);
        }
    }
    figures.insert("spec".into(), Value::from(strategy.spec.clone()));
    figures
}

fn gather(name: String, value: Value, figures: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(parts) => {
            for (part, value) in parts {
                gather(format!("{name}.{part}"), value, figures);
            }
        }
        Value::Number(_) | Value::Null => drop(figures.insert(name, value)),
        Value::Bool(_) | Value::String(_) | Value::Array(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str = "# a comment\nschema = 1\nname = \"x\"\nsummary = \"y\"\nstrategies = [\"a\"]\n[load]\nclients = 50\n\n\
                        [[event]]\nat = \"1s\"\n[[event]]\nat = \"2s\"\n[[threshold]]\nat_most = 3\n";

    #[test]
    fn settings_are_what_is_run_and_nothing_else() {
        assert_eq!(settings(TOML), ["name = \"x\"", "load.clients = 50", "event.1.at = \"1s\"", "event.2.at = \"2s\""]);
    }

    fn baseline(strategies: &[(&str, &[(&str, Value)])]) -> Baseline {
        let figures = |of: &[(&str, Value)]| of.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
        Baseline {
            schema: BASELINE_SCHEMA.into(),
            scenario: "x".into(),
            lab: "sim".into(),
            seed: 42,
            replicas: 3,
            plan_hash: "p".into(),
            settings: settings(TOML),
            strategies: strategies.iter().map(|(name, of)| ((*name).to_owned(), figures(of))).collect(),
        }
    }

    #[test]
    fn every_figure_that_changed_is_named_with_both_its_values() {
        let (one, two, none) = (Value::from(1), Value::from(2), Value::Null);
        let then = baseline(&[("a", &[("n", one.clone()), ("u", none.clone())]), ("gone", &[])]);
        let now = baseline(&[("a", &[("n", two.clone()), ("u", none), ("more", one.clone())]), ("new", &[])]);
        assert_eq!(then.changes(&then), []);
        let there = Value::from("there");
        assert_eq!(
            then.changes(&now),
            [
                change("a", "more", None, Some(&one)),
                change("a", "n", Some(&one), Some(&two)),
                change("gone", "(strategy)", Some(&there), None),
                change("new", "(strategy)", None, Some(&there)),
            ]
        );
    }

    #[test]
    fn what_is_not_the_same_thing_is_not_compared() {
        let then = baseline(&[]);
        assert_eq!(then.differs_in_kind(&then), None);
        let seed = Baseline { seed: 43, ..then.clone() };
        assert_eq!(then.differs_in_kind(&seed).as_deref(), Some("seed is 43, the baseline's is 42"));
        let longer = Baseline { settings: settings(&TOML.replace("50", "80")), ..then.clone() };
        assert_eq!(
            then.differs_in_kind(&longer).as_deref(),
            Some("the scenario has `load.clients = 80` where the baseline's has `load.clients = 50`")
        );
        let plan = Baseline { plan_hash: "q".into(), ..then.clone() };
        assert!(then.differs_in_kind(&plan).unwrap().contains("plan q"));
    }
}
