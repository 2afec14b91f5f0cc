//! XFetch keeps its own law.

use std::collections::BTreeMap;

use strategies::port::{Event, Stored};
use strategies::{Key, Outcome};

use super::checker::{Checker, CheckerVerdict, Known};
use super::fact::{End, Fact, FactKind};
use crate::cache::Effect;

/// With so many expected none at all has probability e^-30, and half as many, or more than twice as many, less than 1e-5
/// each (Chernoff): only none is held against it.
const EXPECTED: f64 = 30.0;

/// A hit with x left refreshes early with probability e^(−x/(βδ)) (Vattani et al., PVLDB 8(8), 2015).
#[derive(Default)]
pub(super) struct EarlyLaw {
    asked: BTreeMap<u32, Key>,
    /// δ of each key's entry, nanoseconds.
    delta: BTreeMap<Key, f64>,
    expected: f64,
    fired: u64,
}

impl Checker for EarlyLaw {
    fn name(&self) -> &'static str {
        "XFetch's law"
    }

    fn of_one_key(&self) -> bool {
        false
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        let Some(beta) = known.terms.promise.beta else { return Ok(()) };
        match &fact.what {
            FactKind::Asked { request, key, .. } => drop(self.asked.insert(*request, key.clone())),
            FactKind::Told(Event::EarlyRefresh(_)) => self.fired += 1,
            FactKind::Cache(Effect::Put(key, entry, _, Stored::Stored)) => {
                // The shortest since the beginning: what is expected is never more than is due.
                let delta = entry.delta.as_nanos() as f64;
                let least = self.delta.entry(key.clone()).or_insert(delta);
                *least = least.min(delta);
            }
            FactKind::Answered { request, end } => {
                let Some(key) = self.asked.remove(request) else { return Ok(()) };
                let End::Answer(Ok(served)) = end else { return Ok(()) };
                let (Outcome::Hit, Some(delta)) = (served.outcome, self.delta.get(&key)) else { return Ok(()) };
                if *delta > 0.0 {
                    self.expected += (-(served.ttl_left_ns as f64) / (beta * delta)).exp();
                }
                if self.fired == 0 && self.expected > EXPECTED {
                    return Err(format!("no early refresh where {:.1} were to be expected", self.expected));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
