//! A strategy as it typically was: of each figure the median of its runs.

use serde_json::{Number, Value};

use crate::record::{Run, Strategy};
use crate::stats::median;

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
        let typical = serde_json::from_value(middle).unwrap_or_else(|_| alone(self));
        let because = self.runs().enumerate().filter(|(_, run)| !run.valid);
        let because = because.map(|(at, run)| format!("in block {}: {}", at + 1, run.invalid_because.join("; ")));
        Self { valid: self.runs().all(|run| run.valid), invalid_because: because.collect(), ..typical }
    }
}

fn alone(run: &Strategy) -> Strategy {
    Strategy { repeats: Vec::new(), ..run.clone() }
}

fn middle(of: &[&Value]) -> Value {
    match of.first() {
        Some(Value::Object(fields)) => {
            // Kinds of errors are named only where there were any.
            let names = of.iter().filter_map(|value| value.as_object()).flat_map(|fields| fields.keys());
            let names: std::collections::BTreeSet<&String> = fields.keys().chain(names).collect();
            let none = Value::from(0);
            let below = |name: &String| -> Vec<&Value> {
                let counted = of.iter().filter_map(|value| value.get(name)).all(Value::is_number);
                let absent = counted.then_some(&none);
                of.iter().filter_map(|value| value.get(name).or(absent)).collect()
            };
            names.into_iter().map(|name| (name.clone(), middle(&below(name)))).collect()
        }
        Some(first) if of.iter().any(|value| value.is_number()) => {
            let Some(numbers) = of.iter().map(|value| value.as_f64()).collect::<Option<Vec<f64>>>() else {
                return Value::Null;
            };
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
