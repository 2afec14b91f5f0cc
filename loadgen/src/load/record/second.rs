//! One second of one worker: counts, histograms, and the few things that are kept one by one.

use std::collections::BTreeMap;

use evidence::ErrorKind;
use scenarios::Op;
use serde::{Deserialize, Serialize};
use strategies::time::nanos;
use strategies::{ConnectionUse, Outcome};

use super::slowest::Slowest;
use super::times::Times;
use super::versions::{SecondVersions, SeenVersion, SentWrite};
use crate::load::measure::{IncrementEnd, SeenIncrement};

/// The tags of `latency.hlog`, in the order in which a second keeps its times.
pub const TAGS: [&str; 8] = ["resp", "serv", "lag", "resp.hit", "resp.stale", "resp.wait", "resp.load", "pool"];
const RESP: usize = 0;
const SERV: usize = 1;
const LAG: usize = 2;
/// Waits for connections of a pool, of the requests that asked for any.
pub(crate) const POOL: usize = 7;

/// Bins of 100 ms in a second.
pub(super) const BINS: usize = 10;
const BIN_NS: i64 = 100_000_000;
pub(super) const SECOND_NS: i64 = 1_000_000_000;

/// A request that was decided on. Times are nanoseconds since t = 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuedRequest {
    /// When it was to be sent.
    pub intended_ns: i64,
    /// For what.
    pub key: u32,
    /// Whether that is the scenario's hot key.
    pub hot: bool,
    /// What is done with the key.
    pub op: Op,
    /// Whose it is; `None` where requests come from nobody in particular.
    pub client: Option<u32>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// When it was sent, nanoseconds since t = 0.
    pub sent_ns: i64,
    /// When its answer was whole, or was given up.
    pub done_ns: i64,
    /// How it was answered; `None` where it was answered well, and nothing said how.
    pub outcome: Option<Outcome>,
    /// Whether a copy in its replica's process was the answer.
    pub near: bool,
    /// How it came by its connections to the cache, where it took any from a pool.
    pub connection: Option<ConnectionUse>,
    /// What went wrong, where it was an error.
    pub error: Option<ErrorKind>,
    /// The flight that its replica led for it.
    pub flight: Option<String>,
    /// The version of what it has; `None` where nobody wants to know, or it does not say.
    pub version: Option<u64>,
    /// How far past its TTL a stale answer was, microseconds.
    pub overage_us: u64,
    /// Whether its replica was down and another one was asked.
    pub moved_on: bool,
    /// How often it was tried; all else is of the last attempt, but for when the first one was sent.
    pub attempts: u32,
    /// Whether the clients' budget had no more retries for it.
    pub unpaid: bool,
    /// How often it was sent again on a fresh connection, because its server had closed the kept one.
    pub resent: u32,
}

impl Answer {
    /// Whether nobody listened where it was to be sent.
    #[must_use]
    pub fn found_nobody(&self) -> bool {
        self.error.is_some_and(ErrorKind::found_nobody)
    }
}

/// Requests by outcome, in the order of [`Outcome::ALL`], and last those whose answers did not say.
pub(super) type OutcomeCounts = [u64; Outcome::ALL.len() + 1];

fn index(outcome: Option<Outcome>) -> usize {
    outcome.map_or(Outcome::ALL.len(), |outcome| outcome as usize)
}

/// Counts of a 100 ms bin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bin {
    pub(super) offered: u64,
    pub(super) sent: u64,
    pub(super) outcomes: OutcomeCounts,
    /// Answered from a copy in the replica's process.
    pub(super) near: u64,
    /// Attempts beyond the first.
    pub(super) retries: u64,
}

impl Bin {
    pub(super) fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.sent += other.sent;
        self.retries += other.retries;
        self.near += other.near;
        self.outcomes.iter_mut().zip(other.outcomes).for_each(|(mine, theirs)| *mine += theirs);
    }
}

/// What became of requests that were tried more than once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tries {
    /// Requests that were.
    pub retried: u64,
    /// Of these, answered well in the end.
    pub saved: u64,
    /// Requests that failed because the budget had no more retries.
    pub unpaid: u64,
}

impl Tries {
    pub(super) fn add(&mut self, other: Self) {
        self.retried += other.retried;
        self.saved += other.saved;
        self.unpaid += other.unpaid;
    }
}

/// What requests found when they asked a pool for a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolSeen {
    /// Requests that asked.
    pub asked: u64,
    /// Of these, those that had to wait.
    pub waited: u64,
    /// Of these, those that were not for the hot key.
    pub waited_elsewhere: u64,
    /// The connections that each found in use, summed.
    pub in_use_sum: u64,
    /// The most that one found in use.
    pub in_use_max: u64,
    /// The most operations that one found waiting.
    pub waiting_max: u64,
}

impl PoolSeen {
    fn see(&mut self, found: ConnectionUse, hot: bool) {
        let waited = u64::from(!found.wait.is_zero());
        self.asked += 1;
        self.waited += waited;
        self.waited_elsewhere += if hot { 0 } else { waited };
        self.in_use_sum += u64::from(found.in_use);
        self.in_use_max = self.in_use_max.max(found.in_use.into());
        self.waiting_max = self.waiting_max.max(found.waiting.into());
    }

    pub(super) fn add(&mut self, other: Self) {
        self.asked += other.asked;
        self.waited += other.waited;
        self.waited_elsewhere += other.waited_elsewhere;
        self.in_use_sum += other.in_use_sum;
        self.in_use_max = self.in_use_max.max(other.in_use_max);
        self.waiting_max = self.waiting_max.max(other.waiting_max);
    }
}

/// The requests of one worker that were intended in one second.
#[derive(Serialize, Deserialize)]
pub struct Second {
    /// Which second since t = 0; negative in the warm-up.
    pub(super) number: i64,
    /// Requests decided on and not yet answered.
    #[serde(skip)]
    pub(super) open: u64,
    pub(super) bins: [Bin; BINS],
    /// By tag, see [`TAGS`].
    pub(super) times: [Times; TAGS.len()],
    /// (intended, key) of each request sent, for the floor.
    pub(super) arrivals: Vec<(i64, u32)>,
    pub(super) hot_outcomes: OutcomeCounts,
    pub(super) errors: BTreeMap<ErrorKind, u64>,
    pub(super) flights: Vec<String>,
    pub(super) overage_us_max: u64,
    pub(super) pool: PoolSeen,
    pub(super) moved_on: u64,
    pub(super) resent: u64,
    pub(super) tries: Tries,
    /// Only of a run whose items are written.
    pub(super) versions: SecondVersions,
    /// Only of a run that counts.
    pub(super) increments: Vec<SeenIncrement>,
    /// The slowest of its requests, where anybody wants to know.
    pub(super) slowest: Option<Slowest>,
    /// How many requests were sent at their very moment, as long as all of them were (in virtual time they always are): their
    /// service times are their response times, and their lag is nothing, so neither is written down one by one. See
    /// [`Second::settle`].
    #[serde(skip)]
    on_time: Option<u64>,
}

impl Second {
    pub(super) fn new(number: i64) -> Self {
        Self {
            number,
            open: 0,
            bins: [Bin::default(); BINS],
            times: Default::default(),
            arrivals: Vec::new(),
            hot_outcomes: OutcomeCounts::default(),
            errors: BTreeMap::new(),
            flights: Vec::new(),
            overage_us_max: 0,
            pool: PoolSeen::default(),
            moved_on: 0,
            resent: 0,
            tries: Tries::default(),
            versions: SecondVersions::default(),
            increments: Vec::new(),
            slowest: None,
            on_time: Some(0),
        }
    }

    /// The same, keeping its slowest requests where `wanted`.
    pub(super) fn keeping_slowest(self, wanted: bool) -> Self {
        Self { slowest: wanted.then(Slowest::of_second), ..self }
    }

    /// Writes down what [`Second::on_time`] stands for. To be called before the times are looked at.
    pub(super) fn settle(&mut self) {
        if let Some(count) = self.on_time.take() {
            self.times[SERV] = self.times[RESP].clone();
            self.times[LAG].record_n(0, count);
        }
    }

    pub(super) fn of(at_ns: i64) -> i64 {
        at_ns.div_euclid(SECOND_NS)
    }

    fn bin(&mut self, at_ns: i64) -> &mut Bin {
        &mut self.bins[(at_ns.rem_euclid(SECOND_NS) / BIN_NS) as usize % BINS]
    }

    pub(super) fn offer(&mut self, asked: &IssuedRequest) {
        self.open += 1;
        match asked.op {
            Op::Get | Op::Count => self.bin(asked.intended_ns).offered += 1,
            Op::Put => self.versions.count.planned += 1,
        }
    }

    /// It was due and could not be sent.
    pub(super) fn unsent(&mut self, asked: &IssuedRequest) {
        self.open = self.open.saturating_sub(1);
        self.versions.count.unsent += u64::from(asked.op == Op::Put);
    }

    /// It is not due any more: the run was stopped before its moment.
    pub(super) fn withdraw(&mut self, asked: &IssuedRequest) {
        self.open = self.open.saturating_sub(1);
        let planned = match asked.op {
            Op::Get | Op::Count => &mut self.bin(asked.intended_ns).offered,
            Op::Put => &mut self.versions.count.planned,
        };
        *planned = planned.saturating_sub(1);
    }

    /// A write has its answer, or has failed.
    pub(super) fn wrote(&mut self, asked: &IssuedRequest, write: SentWrite) {
        self.open = self.open.saturating_sub(1);
        if let Ok(acknowledged) = &write.answer {
            self.see(asked, write.sent_ns, acknowledged.version, true);
        }
        self.versions.count.count(&write);
        self.versions.writes.push((write, asked.intended_ns, asked.key));
    }

    fn see(&mut self, asked: &IssuedRequest, began_ns: i64, version: u64, own: bool) {
        let IssuedRequest { client, key, .. } = *asked;
        self.versions.seen.push(SeenVersion { began_ns, client, key, version, own });
    }

    /// An increment has its answer, or has failed. It is a request like any other, but asks no cache for an item.
    pub(super) fn counted(&mut self, asked: &IssuedRequest, answer: Answer, end: IncrementEnd) {
        let Answer { sent_ns, done_ns, .. } = answer;
        self.increments.push(SeenIncrement { key: asked.key, sent_ns, done_ns, end });
        self.answer(asked, answer);
    }

    pub(super) fn answer(&mut self, asked: &IssuedRequest, answer: Answer) {
        self.open = self.open.saturating_sub(1);
        let outcome = index(answer.outcome);
        let bin = self.bin(asked.intended_ns);
        bin.sent += 1;
        bin.outcomes[outcome] += 1;
        bin.near += u64::from(answer.near);
        if answer.attempts > 1 {
            bin.retries += u64::from(answer.attempts - 1);
            self.tries.retried += 1;
            self.tries.saved += u64::from(!matches!(answer.outcome, Some(Outcome::Shed | Outcome::Error)));
        }
        self.tries.unpaid += u64::from(answer.unpaid);
        if let Some(found) = answer.connection {
            self.pool.see(found, asked.hot);
            self.times[POOL].record(nanos(found.wait));
        }
        if let Some(version) = answer.version {
            self.see(asked, answer.sent_ns, version, false);
        }
        if asked.op == Op::Get {
            self.arrivals.push((asked.intended_ns, asked.key));
        }
        if asked.hot {
            self.hot_outcomes[outcome] += 1;
        }
        let response = answer.done_ns - asked.intended_ns;
        let lag = answer.sent_ns - asked.intended_ns;
        match &mut self.on_time {
            Some(count) if lag == 0 => *count += 1,
            _ => {
                self.settle();
                self.record(SERV, answer.done_ns - answer.sent_ns);
                self.record(LAG, lag);
            }
        }
        self.record(RESP, response);
        if let Some(slowest) = &mut self.slowest {
            slowest.see(asked.intended_ns, answer.done_ns);
        }
        match answer.outcome {
            Some(Outcome::Hit) => self.record(3, response),
            Some(Outcome::Stale) => self.record(4, response),
            Some(Outcome::Wait) => self.record(5, response),
            Some(Outcome::Load) => self.record(6, response),
            Some(Outcome::Shed | Outcome::Error) | None => {}
        }
        if let Some(error) = answer.error {
            *self.errors.entry(error).or_insert(0) += 1;
        }
        self.moved_on += u64::from(answer.moved_on);
        self.resent += u64::from(answer.resent);
        self.flights.extend(answer.flight);
        self.overage_us_max = self.overage_us_max.max(answer.overage_us);
    }

    fn record(&mut self, tag: usize, ns: i64) {
        self.times[tag].record(ns.max(0).unsigned_abs());
    }

    /// Takes in another worker's same second.
    pub(super) fn merge(&mut self, other: Self) {
        self.bins.iter_mut().zip(&other.bins).for_each(|(mine, theirs)| mine.add(theirs));
        self.times.iter_mut().zip(other.times).for_each(|(mine, theirs)| mine.add(theirs));
        self.arrivals.extend(other.arrivals);
        self.hot_outcomes.iter_mut().zip(other.hot_outcomes).for_each(|(mine, theirs)| *mine += theirs);
        for (kind, count) in other.errors {
            *self.errors.entry(kind).or_insert(0) += count;
        }
        self.pool.add(other.pool);
        if let (Some(slowest), Some(theirs)) = (&mut self.slowest, other.slowest) {
            slowest.merge(theirs);
        }
        self.moved_on += other.moved_on;
        self.resent += other.resent;
        self.tries.add(other.tries);
        self.versions.merge(other.versions);
        self.increments.extend(other.increments);
        self.flights.extend(other.flights);
        self.overage_us_max = self.overage_us_max.max(other.overage_us_max);
    }

    /// Which second since t = 0; negative in the warm-up.
    #[must_use]
    pub fn number(&self) -> i64 {
        self.number
    }

    /// All its bins together.
    pub(super) fn total(&self) -> Bin {
        let mut total = Bin::default();
        self.bins.iter().for_each(|bin| total.add(bin));
        total
    }
}

/// When a request for which key was intended; nanoseconds since t = 0.
pub type KeySample = (i64, u32);
