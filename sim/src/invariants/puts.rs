//! I2: no old value over a newer one.

use std::collections::BTreeMap;

use scenarios::Trouble;
use strategies::Key;
use strategies::port::{Stored, When};
use strategies::spec::Alone;

use super::checker::{Checker, CheckerVerdict, Known, nanos};
use super::fact::{Fact, FactKind};
use crate::cache::Effect;

/// I2: under a fence always; under a lock, whose put is open, as long as nothing takes the lock away.
#[derive(Default)]
pub(super) struct Monotone(BTreeMap<Key, Newest>);

/// The version that was put last, when, and until when it may be read.
struct Newest {
    version: u64,
    at: i64,
    until: i64,
}

impl Checker for Monotone {
    fn name(&self) -> &'static str {
        "I2 no old value over a newer one"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        match &fact.what {
            FactKind::Cache(Effect::Removed(key, _)) => drop(self.0.remove(key)),
            FactKind::Cache(Effect::Put(key, entry, when, Stored::Stored)) => {
                let until = fact.at_ns.saturating_add(nanos(entry.life.hard));
                let put = Newest { version: entry.version, at: fact.at_ns, until };
                let Some(before) = self.0.insert(key.clone(), put) else { return Ok(()) };
                let newest = before.version;
                let unsure = fact.at_ns - before.at < known.slack();
                let gone = known.troubles.any(before.at, fact.at_ns, |kind| {
                    kind == Trouble::Corrupt || (kind.ends_leases() && kind != Trouble::Freeze)
                });
                if entry.version >= newest || fact.at_ns >= before.until || unsure || gone {
                    return Ok(());
                }
                let promise = &known.terms.promise;
                let window =
                    fact.at_ns - nanos(promise.lock_age.unwrap_or_default().min(known.terms.budgets.replica)) * 2;
                let calm = !known.troubles.any(window, fact.at_ns, |kind| kind.ends_leases() || kind.cache_unusable());
                if promise.fenced || (promise.alone == Alone::InFleet && calm) {
                    let door = if *when == When::Always { "open" } else { "fenced" };
                    return Err(format!(
                        "version {} of {key} was put over version {newest} ({door} put)",
                        entry.version
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
