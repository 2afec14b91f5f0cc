//! What writes came to: three witnesses of each (the generator that has its answer, the replica that tells of it, the origin that has
//! committed it), and what was put into the cache after it had been told better.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use evidence::{EventLine, OriginWrite};
use report::record::{BehindCommit, WriteFigures, WriteRow};
use strategies::Key;
use strategies::port::{Event, FlightId, Stored};

use super::behind::behind;
use super::commits::Commits;
use crate::load::record::{CollectedWrites, latency};

/// Disagreements that are listed; more say no more.
const LISTED_MAX: usize = 20;
/// A put and a removal whose acknowledgements are so close may have taken effect in either order.
const ORDER_NS: i64 = 2_000_000;

/// What the replicas told of writes.
#[derive(Debug, Default)]
pub struct ToldWrites {
    /// By name: the version that was made, or that it failed as far as its replica knows.
    told: BTreeMap<FlightId, Option<u64>>,
    /// By replica and key: the newest version whose commit it told.
    committed: BTreeMap<(u32, Key), u64>,
    /// By key: a version that the cache had been told of, and when that was acknowledged.
    reached: BTreeMap<Key, (u64, i64)>,
    wrong_sets: u64,
    not_told: u64,
    left_wrong: BTreeSet<Key>,
}

impl ToldWrites {
    /// A replica told something, at so many nanoseconds since t = 0; `measured` within the measured phase.
    pub fn told(&mut self, at_ns: i64, replica: u32, line: &EventLine, measured: bool) {
        match &line.event {
            Event::Written { flight, key, version } => {
                self.told.insert(*flight, *version);
                if let Some(version) = version {
                    let newest = self.committed.entry((replica, key.clone())).or_insert(0);
                    *newest = (*newest).max(*version);
                }
            }
            Event::WriteFailed { flight, .. } => drop(self.told.insert(*flight, None)),
            Event::Invalidated(key) => {
                if let Some(version) = self.committed.get(&(replica, key.clone())).copied() {
                    self.reach(key, version, at_ns);
                }
            }
            Event::CacheNotTold(key) => {
                self.not_told += u64::from(measured);
                self.left_wrong.insert(key.clone());
            }
            Event::Put { key, version, stored: Stored::Stored, .. } => {
                let before = self.reached.get(key).filter(|(reached, _)| reached > version);
                let wrong = before.is_some_and(|(_, when)| at_ns.saturating_sub(*when) > ORDER_NS);
                self.wrong_sets += u64::from(wrong && measured);
                self.reach(key, *version, at_ns);
            }
            _ => {}
        }
    }

    fn reach(&mut self, key: &Key, version: u64, at_ns: i64) {
        match self.reached.get_mut(key) {
            Some(reached) if reached.0 >= version => {}
            Some(reached) => *reached = (version, at_ns),
            None => drop(self.reached.insert(key.clone(), (version, at_ns))),
        }
    }
}

/// The origin's ledger of writes, and how its clock stands to t = 0.
pub struct WriteLedger {
    /// As the origin has it.
    pub rows: Vec<OriginWrite>,
    /// From its clock to nanoseconds since t = 0.
    pub offset_ns: i64,
    /// How wrong that can be.
    pub uncertainty_ns: u64,
}

/// What all witnesses together say.
pub struct WritesSeen {
    /// The figures of the measured phase.
    pub figures: WriteFigures,
    /// Staleness by the truth, likewise.
    pub behind: BehindCommit,
    /// What cannot be, one sentence each.
    pub disagree: Vec<String>,
}

/// Compares them. The measured phase ends at `end_ns`; of a write that is not `witnessed` its replica's word is lost.
///
/// # Errors
/// Where what was kept of the answers cannot be read back.
pub fn compare_writes(
    collected: &CollectedWrites,
    told: &ToldWrites,
    ledger: &WriteLedger,
    end_ns: i64,
    witnessed: impl Fn(&str) -> bool,
) -> io::Result<WritesSeen> {
    let commits = Commits::of(&ledger.rows, ledger.offset_ns);
    let (behind, impossible) = behind(&collected.seen, &commits, ledger.uncertainty_ns, end_ns)?;
    let mut disagree = commits.disagree;
    disagree.extend(impossible);
    disagree.extend(differences(collected, told, &ledger.rows, witnessed));
    disagree.truncate(LISTED_MAX);
    let arrived = |row: &&OriginWrite| {
        let at = i64::try_from(row.arrived_ns).unwrap_or(i64::MAX).saturating_add(ledger.offset_ns);
        (0..end_ns).contains(&at)
    };
    let count = &collected.measured;
    let figures = WriteFigures {
        sent: count.sent(),
        unsent: count.unsent,
        acknowledged: count.acknowledged,
        failed: count.failed,
        unknown: count.unknown,
        error_kinds: count.error_kinds.iter().map(|(kind, count)| (kind.to_string(), *count)).collect(),
        committed: ledger.rows.iter().filter(arrived).filter(|row| row.version.is_some()).count() as u64,
        latency_ms: latency(&collected.times),
        wrong_sets: told.wrong_sets,
        not_told: told.not_told,
        keys_left_wrong: told.left_wrong.len() as u64,
    };
    Ok(WritesSeen { figures, behind, disagree })
}

/// Every acknowledged write was told by its replica and is in the origin; every one that was committed was told; and of those that were
/// told no more are without an acknowledgement than requests went without an answer.
fn differences(
    collected: &CollectedWrites,
    told: &ToldWrites,
    rows: &[OriginWrite],
    witnessed: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut disagree = Vec::new();
    let mut at_origin: BTreeMap<FlightId, (u32, Option<u64>)> = BTreeMap::new();
    for row in rows {
        let Some(flight) = row.flight.parse::<FlightId>().ok() else {
            disagree.push(format!("{:?}: the origin saw this write, no replica of ours names one so", row.flight));
            continue;
        };
        at_origin.insert(flight, (row.key.parse().unwrap_or(0), row.version));
        if row.version.is_some() && !told.told.contains_key(&flight) && witnessed(&row.flight) {
            disagree.push(format!("{flight}: the origin committed this write, and no replica told of it"));
        }
    }
    for (flight, version) in told.told.iter().filter(|(_, version)| version.is_some()) {
        if at_origin.get(flight).is_none_or(|(_, made)| made != version) {
            disagree.push(format!("{flight}: told as committed, and the origin has it otherwise"));
        }
    }
    let mut acknowledged = BTreeSet::new();
    for (flight, key, version) in &collected.acknowledged {
        let Some(flight) = flight else {
            disagree.push(format!("key {key}: a write was acknowledged without a name"));
            continue;
        };
        if !acknowledged.insert(*flight) {
            disagree.push(format!("{flight}: two acknowledgements claim this write"));
        }
        if at_origin.get(flight) != Some(&(*key, Some(*version))) {
            disagree.push(format!(
                "{flight}: acknowledged as version {version} of key {key}, and the origin has it otherwise"
            ));
        }
    }
    let untold = told.told.iter().filter(|(flight, version)| version.is_some() && !acknowledged.contains(flight));
    let untold: Vec<_> = untold.map(|(flight, _)| flight).collect();
    if untold.len() as u64 > collected.unknown_of_all_phases {
        disagree.extend(untold.iter().map(|flight| format!("{flight}: told as committed, never acknowledged")));
    }
    disagree
}

/// A write as a row of `writes.csv`.
#[must_use]
pub fn write_row(row: &OriginWrite, offset_ns: i64, end_ns: i64) -> WriteRow {
    let at = |ns: u64| i64::try_from(ns).unwrap_or(i64::MAX).saturating_add(offset_ns);
    let phase = match at(row.arrived_ns) {
        ..0 => "warmup",
        arrived if arrived < end_ns => "measured",
        _ => "drain",
    };
    WriteRow {
        key: row.key.to_string(),
        version: row.version,
        replica: row.replica,
        flight: row.flight.to_string(),
        phase: phase.to_owned(),
        arrived_ns: at(row.arrived_ns),
        start_ns: row.start_ns.map(at),
        commit_began_ns: row.commit_began_ns.map(at),
        committed_ns: row.committed_ns.map(at),
        end_ns: row.end_ns.map(at),
        outcome: row.standing().to_owned(),
    }
}
