//! What two real runs must have in common for their figures to say anything of each other.

use std::collections::{BTreeMap, BTreeSet};

use report::compare::baseline::Difference;
use report::compare::machine_class;
use report::record::Run;

/// A run and the fields of its resolved scenario.
pub(super) type RunSettings<'a> = (&'a Run, &'a BTreeMap<String, String>);

/// In what two runs differ.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// What makes figures mean different things: another load, lab or machine.
    pub(super) apart: Vec<Difference>,
    /// What may be the very thing that is compared: another TTL, another service time.
    pub(super) told: Vec<Difference>,
}

/// Settings of the load: with another one another thing is measured. The plan's hash has the rest.
const LOAD: [&str; 2] = ["load.", "keys."];

/// How `run` differs from `base`.
pub(super) fn differences(base: RunSettings<'_>, run: RunSettings<'_>) -> Differences {
    let mut found = Differences::default();
    let [was, is] = [base.0, run.0].map(named);
    for ((field, needed), (_, found_here)) in was.into_iter().zip(is) {
        note(&mut found.apart, field, Some(found_here), Some(needed));
    }
    let names: BTreeSet<&String> = base.1.keys().chain(run.1.keys()).collect();
    for name in names {
        let list = if LOAD.iter().any(|start| name.starts_with(start)) { &mut found.apart } else { &mut found.told };
        note(list, name, run.1.get(name).cloned(), base.1.get(name).cloned());
    }
    for strategy in &base.0.strategies {
        if let Some(other) = run.0.strategies.iter().find(|other| other.name == strategy.name) {
            let field = format!("composition of {}", strategy.name);
            note(&mut found.told, &field, Some(other.spec.clone()), Some(strategy.spec.clone()));
        }
    }
    found
}

/// Everything that must be equal for figures of several runs to be one course: what two runs must have in common, and every other setting
/// of the scenario, too, for nobody says which of many runs meant to compare one.
pub(crate) fn circumstances(run: &Run, settings: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let named = named(run).into_iter().map(|(name, value)| (name.to_owned(), value));
    settings.clone().into_iter().chain(named).collect()
}

fn named(run: &Run) -> [(&'static str, String); 7] {
    [
        ("scenario", run.scenario.clone()),
        ("lab", run.lab.clone()),
        // `redis 7.0.15` and `memory` are different servers; two versions of one are not.
        ("cache", run.cache.split(' ').next().unwrap_or_default().to_owned()),
        ("replicas", run.replicas.to_string()),
        ("plan_hash", run.plan_hash.clone()),
        ("machine", machine_class(&run.environment)),
        ("build", run.environment.build.clone()),
    ]
}

fn note(list: &mut Vec<Difference>, field: &str, found: Option<String>, needed: Option<String>) {
    if found != needed {
        let said = |value: Option<String>| value.unwrap_or_else(|| "nothing".into());
        list.push(Difference { field: field.to_owned(), found: said(found), needed: said(needed) });
    }
}
