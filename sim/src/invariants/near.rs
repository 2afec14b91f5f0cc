//! Of copies in a replica's process: none is served past its life (I22), none that a write has made old, but while changes cannot be
//! heard (I23), and there are no more of them than there may be (I24).

use std::collections::{BTreeMap, BTreeSet};

use scenarios::Trouble;
use strategies::Key;
use strategies::port::{Level, Stored};
use strategies::spec::WriteEffect;

use super::checker::{Checker, CheckerVerdict, Known, nanos};
use super::fact::{End, Fact, FactKind};
use super::written::{all_hold, is_excused};
use crate::cache::Effect;

const MS: i64 = 1_000_000;
/// How long after it left the shared cache a value may still be copied: a reply on its way, of an operation's budget at most.
const ON_ITS_WAY: i64 = 110 * MS;
/// How long a change may take to be heard.
const HEARD: i64 = 20 * MS;
/// How long after a trouble changes are heard again: a connection is made anew.
const RECONNECTED: i64 = 160 * MS;

/// I22: a copy that is served was the shared cache's value within its own life.
#[derive(Default)]
pub(super) struct CopiesEnd {
    /// What the shared cache may have of each key: one version, and after a fail-over any that it had before.
    now: BTreeMap<Key, BTreeSet<u64>>,
    /// When it last had each version that it has no more.
    left: BTreeMap<Key, BTreeMap<u64, i64>>,
    asked: BTreeMap<u32, Key>,
}

impl CopiesEnd {
    fn becomes(&mut self, key: &Key, version: Option<u64>, at_ns: i64) {
        let before = self.now.insert(key.clone(), version.into_iter().collect()).unwrap_or_default();
        let left = self.left.entry(key.clone()).or_default();
        left.extend(before.into_iter().filter(|before| Some(*before) != version).map(|before| (before, at_ns)));
        if let Some(version) = version {
            left.remove(&version);
        }
    }

    /// What a replica of the cache knew some time ago is there again.
    fn falls_back(&mut self) {
        for (key, left) in &mut self.left {
            self.now.entry(key.clone()).or_default().extend(std::mem::take(left).into_keys());
        }
    }
}

impl Checker for CopiesEnd {
    fn name(&self) -> &'static str {
        "I22 copies end"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        let Some(copies) = known.terms.promise.copies else { return Ok(()) };
        match &fact.what {
            FactKind::Cache(Effect::Put(key, entry, _, Stored::Stored)) => {
                self.becomes(key, Some(entry.version), fact.at_ns);
            }
            FactKind::Cache(Effect::Removed(key, _)) => self.becomes(key, None, fact.at_ns),
            FactKind::Trouble(trouble) if matches!(trouble.kind, Trouble::FailOver | Trouble::ServerLost) => {
                self.falls_back()
            }
            FactKind::Asked { request, key, .. } => drop(self.asked.insert(*request, key.clone())),
            FactKind::Answered { request, end } => {
                let (Some(key), End::Answer(Ok(served))) = (self.asked.remove(request), end) else { return Ok(()) };
                if served.level != Level::Near {
                    return Ok(());
                }
                let Some(left) = self.left.get(&key).and_then(|left| left.get(&served.version)) else { return Ok(()) };
                let lost = |kind: Trouble| kind.cache_unusable() || kind == Trouble::Freeze;
                let life = nanos(copies.life) + nanos(known.terms.slack) + ON_ITS_WAY;
                if fact.at_ns - left > life && !known.troubles.any(*left, fact.at_ns, lost) {
                    let (version, since) = (served.version, (fact.at_ns - left) / MS);
                    return Err(format!(
                        "request {request} for {key} is a copy of version {version}, which left the shared cache {since} ms before"
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// I24: a process has no more copies than its layer says.
#[derive(Default)]
pub(super) struct CopiesBounded;

impl Checker for CopiesBounded {
    fn name(&self) -> &'static str {
        "I24 copies are bounded"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        match (known.terms.promise.copies, &fact.what) {
            (Some(copies), FactKind::Kept(kept)) if *kept > u64::from(copies.entries) => {
                Err(format!("a replica had {kept} copies at a time, of {} at most", copies.entries))
            }
            _ => Ok(()),
        }
    }
}

/// I23: where changes are heard, and what a write left in the shared cache is new, no copy is older than a write that was acknowledged a
/// moment before it was asked for.
#[derive(Default)]
pub(super) struct CopiesHear {
    acknowledged: BTreeMap<Key, (u64, i64)>,
    /// What was acknowledged when each request came, and when that was.
    asked: BTreeMap<u32, (Key, u64, i64)>,
}

/// Whether changes may go unheard at this moment, or a moment before.
fn deaf(known: &Known, at_ns: i64) -> bool {
    known.troubles.any(at_ns - RECONNECTED, at_ns, |kind| {
        kind.cache_unusable() || kind.ends_leases() || matches!(kind, Trouble::SubscriberCut | Trouble::Crash)
    })
}

impl Checker for CopiesHear {
    fn name(&self) -> &'static str {
        "I23 copies hear of writes"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        let promise = &known.terms.promise;
        let hears = promise.copies.is_some_and(|copies| copies.bus.is_some());
        if !hears || promise.write == WriteEffect::Nothing || !all_hold(known) {
            return Ok(());
        }
        match &fact.what {
            FactKind::Wrote { key, version } => {
                let newest = self.acknowledged.entry(key.clone()).or_default();
                if *version > newest.0 {
                    *newest = (*version, fact.at_ns);
                }
            }
            FactKind::Asked { request, key, .. } => {
                if let Some((version, since)) = self.acknowledged.get(key)
                    && fact.at_ns - since > HEARD + nanos(known.terms.slack)
                {
                    self.asked.insert(*request, (key.clone(), *version, *since));
                }
            }
            FactKind::Answered { request, end } => {
                let (Some((key, version, since)), End::Answer(Ok(served))) = (self.asked.remove(request), end) else {
                    return Ok(());
                };
                let old = served.level == Level::Near && served.version < version;
                if old && !deaf(known, fact.at_ns) && !is_excused(known, since, fact.at_ns) {
                    let (found, after) = (served.version, (fact.at_ns - since) / MS);
                    return Err(format!(
                        "request {request} for {key} is a copy of version {found}, {after} ms after version {version} was acknowledged"
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
