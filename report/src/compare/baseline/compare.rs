//! Two baselines against each other: first whether they can be compared, then figure by figure.

use std::collections::BTreeSet;

use serde_json::Number;

use super::{Baseline, Held};
use crate::record::figures::{Figures, figure};

/// A circumstance in which two runs differ, so that nothing follows from their figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which: `cache.ttl`, `strategy xfetch`.
    pub field: String,
    /// What the run has; `nothing` where it has no such field.
    pub found: String,
    /// What the baseline has.
    pub needed: String,
}

/// A figure that changed.
#[derive(Debug, Clone, PartialEq)]
pub struct FigureChange {
    /// Of which strategy.
    pub strategy: String,
    /// Which figure.
    pub figure: String,
    /// The baseline's; `None` where it is unknown.
    pub from: Option<Number>,
    /// The run's; `None` where it is unknown.
    pub to: Option<Number>,
}

/// Figures by a name that only exists where there is something to count: absent is none.
const COUNTED_WHERE_SEEN: [&str; 1] = ["error_kinds."];

/// What changed from a baseline to a run, in the baseline's order; nothing where every figure is equal.
///
/// # Errors
///
/// Every circumstance in which the two differ: figures are then not compared.
pub fn compare(baseline: &Baseline, run: &Baseline) -> Result<Vec<FigureChange>, Vec<Difference>> {
    let differences = differences(baseline, run);
    if !differences.is_empty() {
        return Err(differences);
    }
    let pairs = || baseline.strategies.iter().filter_map(|held| Some((held, same(run, &held.name)?)));
    let unknown: Vec<Difference> = pairs().flat_map(|(held, found)| one_sided(held, found)).collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    Ok(pairs().flat_map(|(held, found)| changes(held, found)).collect())
}

fn same<'b>(baseline: &'b Baseline, name: &str) -> Option<&'b Held> {
    baseline.strategies.iter().find(|held| held.name == name)
}

fn differences(baseline: &Baseline, run: &Baseline) -> Vec<Difference> {
    let mut differing = Vec::new();
    let mut field = |field: &str, found: Option<&str>, needed: Option<&str>| {
        if found != needed {
            let said = |value: Option<&str>| value.unwrap_or("nothing").to_owned();
            differing.push(Difference { field: field.to_owned(), found: said(found), needed: said(needed) });
        }
    };
    field("scenario", Some(&run.scenario), Some(&baseline.scenario));
    field("lab", Some(&run.lab), Some(&baseline.lab));
    field("replicas", Some(&run.replicas.to_string()), Some(&baseline.replicas.to_string()));
    field("seed", Some(&run.seed.to_string()), Some(&baseline.seed.to_string()));
    let names: BTreeSet<&String> = baseline.settings.keys().chain(run.settings.keys()).collect();
    for name in names {
        let of = |settings: &Baseline| settings.settings.get(name).cloned();
        field(name, of(run).as_deref(), of(baseline).as_deref());
    }
    field("plan_hash", Some(&run.plan_hash), Some(&baseline.plan_hash));
    let strategies = baseline.strategies.iter().chain(&run.strategies);
    for name in strategies.map(|held| &held.name).collect::<BTreeSet<_>>() {
        let spec = |of| same(of, name).map(|held| held.spec.as_str());
        field(&format!("strategy {name}"), spec(run), spec(baseline));
    }
    differing
}

/// The paths of both sides, without wholes that only one of them knows nothing of.
fn paths<'f>(one: &'f Figures, two: &'f Figures) -> BTreeSet<&'f str> {
    let all: BTreeSet<&str> = one.keys().chain(two.keys()).map(String::as_str).collect();
    let is_whole = |path: &str| {
        let below = format!("{path}.");
        all.range(below.as_str()..).next().is_some_and(|next| next.starts_with(&below))
    };
    all.iter().copied().filter(|path| !is_whole(path)).collect()
}

/// Figures that one side has never heard of: its lab was another version.
fn one_sided(held: &Held, found: &Held) -> Vec<Difference> {
    let known = |figures: &Figures, path: &str| {
        figure(figures, path).is_some() || COUNTED_WHERE_SEEN.iter().any(|start| path.starts_with(start))
    };
    let said = |known: bool| if known { "a figure" } else { "no such figure" }.to_owned();
    let paths = paths(&held.figures, &found.figures).into_iter();
    let sides = paths.map(|path| (path, known(&found.figures, path), known(&held.figures, path)));
    let differing = sides.filter(|(_, in_run, in_baseline)| in_run != in_baseline);
    let of = |path: &str| format!("{} of {}", path, held.name);
    differing
        .map(|(path, in_run, in_baseline)| Difference {
            field: of(path),
            found: said(in_run),
            needed: said(in_baseline),
        })
        .collect()
}

fn changes(held: &Held, found: &Held) -> Vec<FigureChange> {
    let value = |figures: &Figures, path: &str| match figure(figures, path) {
        Some(figure) => figure.cloned(),
        None => Some(Number::from(0)),
    };
    let pairs = paths(&held.figures, &found.figures).into_iter().map(|path| FigureChange {
        strategy: held.name.clone(),
        figure: path.to_owned(),
        from: value(&held.figures, path),
        to: value(&found.figures, path),
    });
    pairs.filter(|change| !equal(change.from.as_ref(), change.to.as_ref())).collect()
}

/// Whether two figures are the same number, however it is written.
fn equal(one: Option<&Number>, two: Option<&Number>) -> bool {
    match (one, two) {
        (None, None) => true,
        (Some(one), Some(two)) => match (one.as_u64(), two.as_u64()) {
            (Some(one), Some(two)) => one == two,
            _ => one.as_f64() == two.as_f64(),
        },
        _ => false,
    }
}
