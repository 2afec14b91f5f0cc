//! Staleness by the truth: an answer is behind a commit where, when its request was sent, the origin had committed a newer version.
//!
//! The two moments are told by two clocks, which are known to agree to an uncertainty; what lies within it, or within the commit
//! itself, is unknown and not stale.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io;

use hdrhistogram::Histogram;
use report::record::{BehindCommit, Latency};

use super::commits::Commits;
use super::round::round;
use crate::load::record::{SeenVersion, VersionTape, histogram, latency};

/// Pairs of a client and a key of which something is remembered, at most; with more the figures of single clients are unknown.
const PAIRS_MAX: usize = 4_000_000;
const NS_PER_MS: f64 = 1e6;

/// What a client knows of a key.
#[derive(Debug, Clone, Copy, Default)]
struct ClientView {
    /// The newest version that it has seen.
    seen: u64,
    /// The newest version that it has made.
    made: u64,
}

/// What is counted while answers are gone through in the order of their sending.
struct BehindCount<'a> {
    commits: &'a Commits,
    uncertainty_ns: i64,
    end_ns: i64,
    answers: u64,
    stale: u64,
    unknown: u64,
    ages: Histogram<u64>,
    oldest_ns: i64,
    /// Since when each key's answers have been behind, without one between that was not.
    wrong_since: BTreeMap<u32, i64>,
    /// When the last answer of each key was sent that was not.
    right: BTreeMap<u32, i64>,
    wrong_ns_max: i64,
    /// `None` once there were too many.
    clients: Option<BTreeMap<(u32, u32), ClientView>>,
    has_clients: bool,
    /// Whether any of them writes.
    has_writers: bool,
    own_missed: u64,
    went_back: u64,
    impossible: Vec<String>,
}

/// Compares what was seen with what was committed: the figures of the measured phase, which ends at `end_ns`, and what cannot be, one
/// sentence each.
///
/// # Errors
/// Where what was seen cannot be read back.
pub(super) fn behind(
    seen: &VersionTape,
    commits: &Commits,
    uncertainty_ns: u64,
    end_ns: i64,
) -> io::Result<(BehindCommit, Vec<String>)> {
    let mut count = BehindCount {
        commits,
        uncertainty_ns: i64::try_from(uncertainty_ns).unwrap_or(i64::MAX),
        end_ns,
        answers: 0,
        stale: 0,
        unknown: 0,
        ages: histogram(),
        oldest_ns: 0,
        wrong_since: BTreeMap::new(),
        right: BTreeMap::new(),
        wrong_ns_max: 0,
        clients: Some(BTreeMap::new()),
        has_clients: false,
        has_writers: false,
        own_missed: 0,
        went_back: 0,
        impossible: Vec::new(),
    };
    in_order(seen, &mut |seen| count.take(seen))?;
    Ok(count.figures())
}

/// Shows what was seen in the order of its sending. It lies on the tape in the order of the seconds in which it was meant to be sent,
/// so as much is held as was sent later than it was meant to be.
fn in_order(tape: &VersionTape, visit: &mut dyn FnMut(SeenVersion)) -> io::Result<()> {
    let (mut latest, mut slack) = (i64::MIN, 0);
    tape.each(&mut |seen| {
        latest = latest.max(seen.began_ns);
        slack = slack.max(latest.saturating_sub(seen.began_ns));
        Ok(())
    })?;
    let mut held: BinaryHeap<Reverse<SeenVersion>> = BinaryHeap::new();
    let mut latest = i64::MIN;
    tape.each(&mut |seen| {
        latest = latest.max(seen.began_ns);
        held.push(Reverse(seen));
        while held.peek().is_some_and(|Reverse(first)| first.began_ns < latest.saturating_sub(slack)) {
            held.pop().into_iter().for_each(|Reverse(first)| visit(first));
        }
        Ok(())
    })?;
    while let Some(Reverse(first)) = held.pop() {
        visit(first);
    }
    Ok(())
}

impl BehindCount<'_> {
    fn take(&mut self, seen: SeenVersion) {
        let measured = (0..self.end_ns).contains(&seen.began_ns);
        // What no write concerns is the same in every answer.
        if seen.version > 0 && self.commits.wrote(seen.key) {
            self.of_its_client(&seen, measured);
        }
        if seen.own {
            return;
        }
        let newest = self.commits.newest(seen.key);
        if seen.version > newest {
            let SeenVersion { key, version, .. } = seen;
            self.impossible
                .push(format!("key {key}: an answer had version {version}, and the origin made {newest} at most"));
        }
        if measured {
            self.judge(&seen);
        }
    }

    fn judge(&mut self, seen: &SeenVersion) {
        self.answers += 1;
        let newer = self.commits.after(seen.key, seen.version);
        let age = newer.map(|commit| seen.began_ns.saturating_sub(commit.ended_ns));
        let Some((commit, age)) = newer.zip(age).filter(|(_, age)| *age >= self.uncertainty_ns) else {
            // Sent before the commit began, the answer was right; between the two nobody can say.
            if newer.is_some_and(|commit| commit.began_ns.saturating_sub(self.uncertainty_ns) <= seen.began_ns) {
                self.unknown += 1;
            } else {
                self.wrong_since.remove(&seen.key);
                self.right.insert(seen.key, seen.began_ns);
            }
            return;
        };
        self.stale += 1;
        self.ages.saturating_record(age.unsigned_abs());
        self.oldest_ns = self.oldest_ns.max(age);
        // An old value that comes back after a newer one was read has not been wrong in between.
        let right = self.right.get(&seen.key).copied().unwrap_or(i64::MIN);
        let since = *self.wrong_since.entry(seen.key).or_insert(commit.ended_ns.max(right));
        self.wrong_ns_max = self.wrong_ns_max.max(seen.began_ns.saturating_sub(since));
    }

    /// A client sends one request after the other, so the order of sending is its own.
    fn of_its_client(&mut self, seen: &SeenVersion, measured: bool) {
        let (Some(client), Some(clients)) = (seen.client, &mut self.clients) else { return };
        self.has_clients = true;
        let view = clients.entry((client, seen.key)).or_default();
        if seen.own {
            self.has_writers = true;
            view.made = view.made.max(seen.version);
            view.seen = view.seen.max(seen.version);
        } else {
            self.own_missed += u64::from(measured && seen.version < view.made);
            self.went_back += u64::from(measured && seen.version < view.seen);
            view.seen = view.seen.max(seen.version);
        }
        if clients.len() > PAIRS_MAX {
            self.clients = None;
        }
    }

    fn figures(self) -> (BehindCommit, Vec<String>) {
        let known = self.answers - self.unknown;
        let ms = |ns: i64| round(ns as f64 / NS_PER_MS, 1e3);
        let of_clients = |count: u64| (self.has_clients && self.clients.is_some()).then_some(count);
        let figures = BehindCommit {
            answers: self.answers,
            stale: self.stale,
            unknown: self.unknown,
            share: (known > 0).then(|| round(self.stale as f64 / known as f64, 1e6)),
            age_ms: Latency { max: (self.stale > 0).then(|| ms(self.oldest_ns)), ..latency(&self.ages) },
            wrong_ms_max: (known > 0).then(|| ms(self.wrong_ns_max)),
            own_writes_missed: of_clients(self.own_missed).filter(|_| self.has_writers),
            went_back: of_clients(self.went_back),
        };
        (figures, self.impossible)
    }
}
