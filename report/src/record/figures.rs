//! A strategy's figures by name: every number of its record under its dotted path, `origin.max_per_second`.
//!
//! They are read off the record itself, so that a figure that is added to it is a figure everywhere: in a gate, in a
//! sweep. What names or judges the strategy (name, composition, validity) is no figure.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use crate::record::{Metric, Strategy};

/// Figures by dotted path, in the order of the paths; `None` where one is unknown.
pub type Figures = BTreeMap<String, Option<Number>>;

/// Fields of [`Strategy`] that are no figures: what says how far the run went and whether it may be believed, how the lab
/// fared, what follows from the settings or from theory, and was not measured, what the generator took of the machine, whose the reads
/// were that a figure counts, and verdicts on the figures. Repeats have figures of their own.
const NO_FIGURES: [&str; 11] = [
    "conditions",
    "cut_after_s",
    "generator_cpu_cores",
    "invalid_because",
    "life_s",
    "not_predicted",
    "origin.per_expiry.fullest_replica",
    "predicted",
    "recovery.recovered",
    "recovery.recovered_after_s",
    "repeats",
];

/// Every figure of a strategy. Of a list (flight ids, say) the figure is its length.
#[must_use]
pub fn figures(strategy: &Strategy) -> Figures {
    let mut figures = Figures::new();
    if let Ok(Value::Object(fields)) = serde_json::to_value(strategy) {
        for (name, value) in &fields {
            collect(name, value, &mut figures);
        }
    }
    figures
}

/// What thresholds and goals may ask of a strategy: its figures, which share of the requests failed and which was shed, and the verdict
/// on its recovery, 1 where it recovered and 0 where it did not.
#[must_use]
pub fn metrics(strategy: &Strategy) -> Figures {
    let mut metrics = figures(strategy);
    for (path, count) in [("errors.share", strategy.errors), ("shed.share", strategy.outcomes.shed)] {
        let share = (strategy.requests > 0).then(|| count as f64 / strategy.requests as f64);
        metrics.insert(path.into(), share.and_then(Number::from_f64));
    }
    let recovery = strategy.recovery;
    let recovered = recovery.and_then(|recovery| recovery.recovered).map(|recovered| Number::from(u8::from(recovered)));
    metrics.insert("recovery.recovered".into(), recovered);
    let after = recovery.and_then(|recovery| recovery.recovered_after_s).and_then(Number::from_f64);
    metrics.insert("recovery.recovered_after_s".into(), after);
    metrics
}

/// A figure that may lie below an unknown whole: without `origin.per_expiry` there is no `origin.per_expiry.mean` either.
/// The outer `None` is a path that the record does not have.
#[must_use]
pub fn figure<'f>(figures: &'f Figures, path: &str) -> Option<Option<&'f Number>> {
    if let Some(figure) = figures.get(path) {
        return Some(figure.as_ref());
    }
    let (mut whole, _) = path.rsplit_once('.')?;
    loop {
        if let Some(None) = figures.get(whole) {
            return Some(None);
        }
        (whole, _) = whole.rsplit_once('.')?;
    }
}

fn collect(path: &str, value: &Value, figures: &mut Figures) {
    match value {
        _ if NO_FIGURES.contains(&path) => {}
        Value::Number(number) => {
            figures.insert(path.to_owned(), Some(number.clone()));
        }
        Value::Null => {
            figures.insert(path.to_owned(), None);
        }
        Value::Array(list) => {
            figures.insert(path.to_owned(), Some(list.len().into()));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| collect(&format!("{path}.{name}"), value, figures));
        }
        Value::String(_) | Value::Bool(_) => {}
    }
}

impl Metric {
    /// What it came to in one run; `None` where it is unknown.
    #[must_use]
    pub fn of(self, run: &Strategy) -> Option<f64> {
        match self {
            Self::OriginTotal => run.origin.as_ref().map(|origin| origin.total as f64),
            Self::OriginPeak => run.origin.as_ref().map(|origin| origin.max_per_second as f64),
            Self::P99 => run.latency_ms.p99.filter(|p99| *p99 > 0.0),
            Self::Errors => Some(run.errors as f64),
        }
    }
}
