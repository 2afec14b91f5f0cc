//! Of writes: what was acknowledged is read from then on (I19), and what a write took out of the cache stays out (I20).

use std::collections::BTreeMap;

use scenarios::Trouble;
use strategies::port::{Event, FlightId, Level, Stored};
use strategies::spec::{Alone, WriteEffect};
use strategies::{Key, Outcome};

use super::checker::{Checker, CheckerVerdict, Known};
use super::fact::{End, Fact, FactKind};
use super::flights::FELT;
use crate::cache::Effect;

/// Whether something happened that keeps the cache from being told, takes away what it was told, or lets an old put in: a lease that
/// ended, a read beside the lock.
pub(super) fn is_excused(known: &Known, from: i64, to: i64) -> bool {
    let window = from - super::checker::nanos(known.terms.promise.lock_age.unwrap_or_default()) - FELT;
    known.troubles.any(window, to, |kind| {
        kind.cache_unusable() || kind.ends_leases() || matches!(kind, Trouble::Corrupt | Trouble::Crash)
    })
}

/// Whether every fill holds a lease, outside troubles: losers that read for themselves hold none.
pub(super) fn all_hold(known: &Known) -> bool {
    known.terms.promise.fenced && known.terms.promise.alone == Alone::InFleet
}

/// I19: where a write puts its value and fills hold a lease, no answer is older than a write that was acknowledged before it was asked
/// for. A caller that joined its process's flight has what was read before it came; and a read that takes longer than what was written
/// lives in the cache finds nothing newer there when it is stored.
#[derive(Default)]
pub(super) struct OwnWrites {
    acknowledged: BTreeMap<Key, (u64, i64)>,
    /// What was acknowledged when each request came.
    asked: BTreeMap<u32, (Key, u64, i64)>,
    /// The reads that are under way, and since when.
    led: BTreeMap<FlightId, (Key, i64)>,
    /// Of each key the reads that took long, from when until when.
    long: BTreeMap<Key, Vec<(i64, i64)>>,
}

impl OwnWrites {
    fn flight(&mut self, known: &Known, event: &Event, at_ns: i64) {
        match event {
            Event::FlightLed { flight, key, .. } => drop(self.led.insert(*flight, (key.clone(), at_ns))),
            Event::FlightEnded { flight, .. } => {
                let Some((key, begun)) = self.led.remove(flight) else { return };
                if at_ns - begun > least_life(known) {
                    self.long.entry(key).or_default().push((begun, at_ns));
                }
            }
            _ => {}
        }
    }

    /// Whether a read that began before a write ended when what was written may have been gone from the cache.
    fn outlived(&self, known: &Known, key: &Key, since: i64) -> bool {
        let mut long = self.long.get(key).into_iter().flatten();
        long.any(|(begun, ended)| *begun <= since && *ended - since > least_life(known))
    }
}

/// How long an entry lies in the cache at least: jitter may take away half of the longest life.
fn least_life(known: &Known) -> i64 {
    super::checker::nanos(known.terms.promise.hard) / 2
}

impl Checker for OwnWrites {
    fn name(&self) -> &'static str {
        "I19 acknowledged writes are read"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        let promise = &known.terms.promise;
        if promise.write != WriteEffect::Puts || !all_hold(known) {
            return Ok(());
        }
        match &fact.what {
            FactKind::Told(event) => self.flight(known, event, fact.at_ns),
            FactKind::Wrote { key, version } => {
                let newest = self.acknowledged.entry(key.clone()).or_default();
                if *version > newest.0 {
                    *newest = (*version, fact.at_ns);
                }
            }
            FactKind::Asked { request, key, .. } => {
                if let Some((version, since)) = self.acknowledged.get(key) {
                    self.asked.insert(*request, (key.clone(), *version, *since));
                }
            }
            FactKind::Answered { request, end } => {
                let (Some((key, version, since)), End::Answer(Ok(served))) = (self.asked.remove(request), end) else {
                    return Ok(());
                };
                // Of copies in the process see I23.
                if served.level == Level::Near {
                    return Ok(());
                }
                let joined = promise.coalesces && served.outcome == Outcome::Wait;
                let excused = joined || is_excused(known, since, fact.at_ns) || self.outlived(known, &key, since);
                if served.version < version && !excused {
                    let found = served.version;
                    return Err(format!(
                        "request {request} for {key} has version {found}, and {version} was acknowledged before it came"
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// I20: where a write removes, nothing that lay in the cache at its commit is served once it is acknowledged; and where the removal takes
/// the lease away, no older value is stored after it.
#[derive(Default)]
pub(super) struct Removals {
    /// The newest commit of each key.
    committed: BTreeMap<Key, (u64, i64)>,
    /// The commits that were acknowledged, likewise, and when each was made.
    acknowledged: BTreeMap<Key, (u64, i64)>,
    /// What was committed when each key was removed last, and when that was.
    removed: BTreeMap<Key, (u64, i64)>,
    /// When each version was put last.
    put: BTreeMap<(Key, u64), i64>,
    /// What was acknowledged when each request came.
    asked: BTreeMap<u32, (Key, u64, i64)>,
}

impl Removals {
    fn put(&mut self, known: &Known, key: &Key, version: u64, at_ns: i64) -> CheckerVerdict {
        self.put.insert((key.clone(), version), at_ns);
        match self.removed.get(key) {
            Some((newest, since)) if version < *newest && all_hold(known) => {
                if is_excused(known, *since, at_ns) {
                    return Ok(());
                }
                Err(format!("version {version} of {key} was stored after a write of version {newest} had removed it"))
            }
            _ => Ok(()),
        }
    }
}

impl Checker for Removals {
    fn name(&self) -> &'static str {
        "I20 what a write removed stays removed"
    }

    fn see(&mut self, known: &Known, fact: &Fact) -> CheckerVerdict {
        if known.terms.promise.write != WriteEffect::Removes {
            return Ok(());
        }
        match &fact.what {
            FactKind::Committed { key, version } => drop(self.committed.insert(key.clone(), (*version, fact.at_ns))),
            FactKind::Wrote { key, version } => {
                let Some((newest, at)) = self.committed.get(key).copied() else { return Ok(()) };
                // Of two that overlap, only the later one's own removal is known to have come after it.
                if newest == *version {
                    self.acknowledged.insert(key.clone(), (newest, at));
                }
            }
            FactKind::Cache(Effect::Removed(key, _)) => {
                if let Some((version, _)) = self.committed.get(key) {
                    self.removed.insert(key.clone(), (*version, fact.at_ns));
                }
            }
            FactKind::Cache(Effect::Put(key, entry, _, Stored::Stored)) => {
                return self.put(known, key, entry.version, fact.at_ns);
            }
            FactKind::Asked { request, key, .. } => {
                if let Some((version, at)) = self.acknowledged.get(key) {
                    self.asked.insert(*request, (key.clone(), *version, *at));
                }
            }
            FactKind::Answered { request, end } => {
                let (Some((key, version, at)), End::Answer(Ok(served))) = (self.asked.remove(request), end) else {
                    return Ok(());
                };
                if served.level == Level::Near {
                    return Ok(());
                }
                let kept = matches!(served.outcome, Outcome::Hit | Outcome::Stale) && served.version < version;
                let put = self.put.get(&(key.clone(), served.version));
                if kept && put.is_some_and(|put| *put < at) && !is_excused(known, at, fact.at_ns) {
                    let found = served.version;
                    return Err(format!(
                        "request {request} for {key} is a hit of version {found}, which lay there when version {version} was committed"
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
