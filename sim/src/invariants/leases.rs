//! I3 and P6: a lock goes by its owner's token or by its time, and nobody holds one for ever.

use std::collections::BTreeMap;

use scenarios::Trouble;
use strategies::Key;
use strategies::port::{Acquired, Released, Removal, Renewed, Token};

use super::checker::{Checker, CheckerVerdict, Known, MS, ms, nanos};
use super::fact::{Fact, FactKind};
use crate::cache::Effect;

/// A lock that somebody holds.
struct Held {
    token: Token,
    node: Option<u16>,
    since: i64,
    until: i64,
}

/// I3 and P6.
#[derive(Default)]
pub(super) struct Owner {
    held: BTreeMap<Key, Held>,
    /// Until when each token was good when it was first given: after a fail-over it may be so again.
    first: BTreeMap<u128, i64>,
}

impl Checker for Owner {
    fn name(&self) -> &'static str {
        "I3 locks belong to their owners"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        let effect = match &fact.what {
            FactKind::Trouble(trouble) if trouble.kind.ends_leases() && trouble.kind != Trouble::Freeze => {
                self.held.clear();
                return Ok(());
            }
            FactKind::Cache(effect) => effect,
            _ => return Ok(()),
        };
        let now = fact.at_ns;
        let held = |key: &Key| self.held.get(key).filter(|held| now < held.until);
        match effect {
            Effect::Taken(key, token, life, Acquired::Won) => {
                let since = match held(key) {
                    Some(other) if other.token != *token => {
                        return Err(format!("{key} was given to {token} while {} had it", other.token));
                    }
                    Some(same) => (same.since, same.until),
                    None => {
                        let until = now.saturating_add(nanos(*life));
                        let first = *self.first.entry(token.0).or_insert(until);
                        (now, if now < first { first.min(until) } else { until })
                    }
                };
                self.held.insert(key.clone(), Held { token: *token, node: fact.node, since: since.0, until: since.1 });
                Ok(())
            }
            Effect::Prolonged(key, token, Renewed::Renewed) => {
                let life = nanos(known.terms.promise.lock_life.unwrap_or_default());
                let oldest = life + nanos(known.terms.promise.lock_age.unwrap_or_default()) + 500 * MS;
                let Some(held) = self.held.get_mut(key).filter(|held| held.token == *token) else { return Ok(()) };
                let frozen = known.troubles.frozen_ns(held.node, held.since, now);
                held.until = now.saturating_add(life);
                if now - held.since - frozen > oldest {
                    return Err(format!("{key} is held for {}", ms(now - held.since)));
                }
                Ok(())
            }
            Effect::LetGo(key, token, Released::Released) => {
                let other = held(key).map(|held| held.token).filter(|held| held != token);
                self.held.remove(key);
                other.map_or(Ok(()), |other| Err(format!("{token} let go of {key}, which {other} had")))
            }
            Effect::Removed(key, Removal::EntryAndLease) => {
                self.held.remove(key);
                Ok(())
            }
            Effect::Seized(key) => {
                let other = held(key).and_then(|held| held.node).filter(|node| Some(*node) != fact.node);
                self.held.remove(key);
                other.map_or(Ok(()), |node| Err(format!("the lock of {key} was deleted while replica {node} had it")))
            }
            _ => Ok(()),
        }
    }
}
