//! A strategy as it typically was: of each figure the median of its runs.

use serde_json::{Number, Value};

use crate::compare::stats::median;
use crate::record::{Run, Strategy};

impl Run {
    /// The same run with the medians of each strategy's repeats in the place of its first block's figures. The same where
    /// there are no repeats.
    #[must_use]
    pub fn typical(&self) -> Self {
        Self { strategies: self.strategies.iter().map(Strategy::typical).collect(), ..self.clone() }
    }
}

impl Strategy {
    /// Of each figure the median of all runs, rounded where it is a count; unknown where a run does not know it. Valid if all
    /// runs are. A percentile's median is that of the runs' percentiles: a run is one sample.
    #[must_use]
    pub fn typical(&self) -> Self {
        if self.repeats.is_empty() {
            return self.clone();
        }
        let runs: Vec<Value> = self.runs().filter_map(|run| serde_json::to_value(alone(run)).ok()).collect();
        let middle = middle(&runs.iter().collect::<Vec<_>>());
        let mut typical: Self = serde_json::from_value(middle).unwrap_or_else(|_| alone(self));
        if let Some(recovery) = typical.recovery.as_mut().filter(|recovery| recovery.recovered != Some(true)) {
            recovery.recovered_after_s = None;
        }
        let because = self.runs().enumerate().filter(|(_, run)| !run.valid);
        let because = because.map(|(at, run)| format!("in block {}: {}", at + 1, run.invalid_because.join("; ")));
        Self { valid: self.runs().all(|run| run.valid), invalid_because: because.collect(), ..typical }
    }
}

fn alone(run: &Strategy) -> Strategy {
    Strategy { repeats: Vec::new(), ..run.clone() }
}

/// The median of each number that all of them have; a truth only if it is one of all; unknown where one does not know it.
fn middle(of: &[&Value]) -> Value {
    if of.iter().any(|value| value.is_null()) {
        return Value::Null;
    }
    match of.first() {
        Some(Value::Object(_)) => {
            let names = of.iter().filter_map(|value| value.as_object()).flat_map(|fields| fields.keys());
            let names: std::collections::BTreeSet<&String> = names.collect();
            let none = Value::from(0);
            let below = |name: &String| -> Vec<&Value> {
                // Kinds of errors are named only where there were any.
                let counted = of.iter().filter_map(|value| value.get(name)).all(Value::is_number);
                let absent = counted.then_some(&none);
                of.iter().filter_map(|value| value.get(name).or(absent)).collect()
            };
            names.into_iter().map(|name| (name.clone(), middle(&below(name)))).collect()
        }
        Some(Value::Bool(_)) => Value::from(of.iter().all(|value| value.as_bool() == Some(true))),
        Some(first @ Value::Number(_)) => {
            let numbers: Vec<f64> = of.iter().filter_map(|value| value.as_f64()).collect();
            let middle = median(&numbers).unwrap_or_default();
            if first.is_u64() {
                return Value::from(middle.round() as u64);
            }
            Number::from_f64(middle).map_or(Value::Null, Value::Number)
        }
        Some(first) => (*first).clone(),
        None => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_one_run_does_not_know_is_unknown_and_what_it_never_had_is_none() {
        let runs = [
            json!({ "total": 3, "p99": 1.5, "herd": { "mean": 49.0 }, "kinds": { "reset": 4 }, "well": true }),
            json!({ "total": 9, "p99": 2.5, "herd": null, "kinds": {}, "well": true }),
            json!({ "total": 4, "p99": 9.5, "herd": { "mean": 50.0 }, "kinds": {}, "well": false }),
        ];
        let middle = middle(&runs.iter().collect::<Vec<_>>());
        assert_eq!(middle, json!({ "total": 4, "p99": 2.5, "herd": null, "kinds": { "reset": 0 }, "well": false }));
    }
}
