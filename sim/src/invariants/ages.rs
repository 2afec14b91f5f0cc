//! I4: nothing is served past its hard life, by its own account and by the cache's.

use std::collections::BTreeMap;

use scenarios::Trouble;
use strategies::port::{Level, Stored};
use strategies::{Key, Outcome};

use super::checker::{Checker, CheckerVerdict, Known, MS, ms, nanos};
use super::fact::{End, Fact, FactKind};
use crate::cache::Effect;

/// How long the reply to a read may take.
const READ: i64 = 100 * MS;

/// I4.
#[derive(Default)]
pub(super) struct HardLife {
    asked: BTreeMap<u32, (Key, i64)>,
    /// When each version was last put.
    put: BTreeMap<(Key, u64), i64>,
}

impl Checker for HardLife {
    fn name(&self) -> &'static str {
        "I4 hard life"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        match &fact.what {
            FactKind::Asked { request, key, .. } => {
                self.asked.insert(*request, (key.clone(), fact.at_ns));
                return Ok(());
            }
            FactKind::Cache(Effect::Put(key, entry, _, Stored::Stored)) => {
                self.put.insert((key.clone(), entry.version), fact.at_ns);
                return Ok(());
            }
            _ => {}
        }
        let FactKind::Answered { request, end } = &fact.what else { return Ok(()) };
        let (Some((key, asked)), End::Answer(Ok(served))) = (self.asked.remove(request), end) else { return Ok(()) };
        if !matches!(served.outcome, Outcome::Hit | Outcome::Stale) {
            return Ok(());
        }
        let hard = nanos(known.terms.promise.hard);
        let age = nanos(served.age);
        if age > hard {
            return Err(format!("request {request} for {key} has a value of age {}, past {}", ms(age), ms(hard)));
        }
        // A copy may be of what its replica could not put; of its age see I22.
        if served.level == Level::Near {
            return Ok(());
        }
        let Some(put) = self.put.get(&(key.clone(), served.version)) else {
            return Err(format!("request {request} for {key} is a hit of version {}, never put", served.version));
        };
        let held_up = known.troubles.any(asked, fact.at_ns, |kind| kind == Trouble::Freeze);
        let (age, allowed) = (fact.at_ns - put, hard.saturating_add(known.clocks() * 2 + READ + known.slack()));
        if age > allowed && !held_up {
            let version = served.version;
            return Err(format!(
                "request {request} for {key} has version {version}, put {} ago, past {}",
                ms(age),
                ms(allowed)
            ));
        }
        Ok(())
    }
}
