//! Whether a run may be believed. An invalid run is written and shown as invalid, with every reason.

use report::record::{Ledgers, Strategy};
use serde::{Deserialize, Serialize};

use super::conditions::{Against, SILENT_MS_MAX};
use crate::load::drive::lack_in_words;

/// The largest clock uncertainty of a valid run.
const CLOCK_UNCERTAINTY_NS_MAX: u64 = 5_000_000;

/// The smallest share of planned requests that an open loop must have sent.
const SENT_SHARE_MIN: f64 = 0.99;
/// The largest schedule lag (p99) of a valid open loop, milliseconds: where the lab shares the generator's machine, and
/// where the generator has it to itself.
const LAG_P99_MS_MAX: f64 = 5.0;
const LAG_P99_MS_MAX_ALONE: f64 = 2.0;

/// What is known of a run beside its figures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFacts {
    /// Requests of the measured phase that were planned.
    pub planned: u64,
    /// Whether requests came by the plan alone, so that a generator that can't keep up shows in what it sent.
    pub open_loop: bool,
    /// Whether the load went to a target, not to replicas beside the generator.
    pub foreign: bool,
    /// How wrong the clock offsets can be, nanoseconds; the worst.
    pub clock_uncertainty_ns: u64,
    /// Answers out of the cache at the end of the warm-up, as [`Warmth`](super::Warmth) counts them; `None` where nothing is known
    /// of that: too few were to be expected, there was no warm-up, or it was cut short by Ctrl-C.
    pub hits_before_start: Option<u64>,
    /// Cache operations that failed, over all phases.
    pub cache_errors: u64,
    /// The classes of their failures, for the sentence.
    pub cache_error_classes: String,
    /// Whether a scenario event explains a lost cache.
    pub cache_fault_planned: bool,
    /// Entries that the cache evicted during the run.
    pub evicted: u64,
    /// Whether the scenario bounds the cache's memory: it is to throw entries out.
    pub memory_is_bounded: bool,
    /// Whether the cache is still the one that it was.
    pub cache_restarted: bool,
    /// Whether the cache's own word on that could not be had at the end.
    pub cache_unknown: Option<String>,
    /// Replicas that are not the ones they were.
    pub replicas_restarted: u32,
    /// Events that a replica's log had no room for.
    pub events_dropped: u64,
    /// Flights or requests that did not end in time after the load.
    pub not_quiet: u64,
    /// Answers that carried another item or a damaged one.
    pub wrong_bodies: u64,
    /// A worker thread that ended in a panic.
    pub worker_died: bool,
    /// Planned events that did not take effect.
    pub faults_failed: u64,
    /// Messages between replicas that could not be heard or sent, and that no event explains.
    pub wakes_lost: u64,
    /// Times that the origin's rows were to get a new version and did not; `None` where it is not ours.
    pub writes_missed: Option<u64>,
    /// What the origin cannot have been read less than, where that is known of this run.
    pub reads_min: Option<u64>,
    /// What speaks against the lab's own parts.
    pub against: Against,
    /// How many processes drove it, where there were several.
    pub shards: u32,
    /// Which of them were lost.
    pub shards_lost: Vec<u32>,
    /// How far apart their t = 0 were, nanoseconds, with what is not known of it; `None` where they have one clock.
    pub start_spread_ns: Option<u64>,
}

/// Every reason not to believe the run, one sentence each.
#[must_use]
pub fn doubts(strategy: &Strategy, circumstances: &RunFacts) -> Vec<String> {
    let mut doubts = Doubts::default();
    doubts.of_the_shards(circumstances);
    doubts.of_the_load(strategy, circumstances);
    doubts.of_the_cache(strategy, circumstances);
    doubts.of_the_parts(circumstances);
    doubts.of_the_reads(strategy, circumstances);
    doubts.0
}

#[derive(Default)]
struct Doubts(Vec<String>);

impl Doubts {
    fn add(&mut self, wrong: bool, why: impl Into<String>) {
        if wrong {
            self.0.push(why.into());
        }
    }

    fn of_the_load(&mut self, strategy: &Strategy, c: &RunFacts) {
        let (planned, sent, unsent) = (c.planned, strategy.requests, strategy.unsent);
        let counts = format!("{planned} requests were planned, {sent} sent and {unsent} not sent: the sum is wrong");
        self.add(planned != sent + unsent, counts);
        let answered = strategy.outcomes.sum();
        self.add(sent != answered, format!("{sent} requests were sent and {answered} have an outcome"));
        self.add(sent == 0, "no request was sent in the measured phase");
        let few = (sent as f64) < planned as f64 * SENT_SHARE_MIN;
        self.add(
            c.open_loop && few,
            format!("the generator sent {sent} of {planned} planned requests; at least 99 % are needed"),
        );
        let lag = strategy.lag_ms.p99.unwrap_or(0.0);
        let lag_max = if c.foreign { LAG_P99_MS_MAX_ALONE } else { LAG_P99_MS_MAX };
        let late =
            format!("the generator was late by {lag:.1} ms (p99); at most {lag_max} ms: the machine is too busy");
        self.add(c.open_loop && lag > lag_max, late);
        if let Some(ledgers) = &strategy.ledgers {
            self.add(!ledgers.disagree.is_empty(), disagreement(ledgers));
        }
        let (found, max) = (c.clock_uncertainty_ns as f64 / 1e6, CLOCK_UNCERTAINTY_NS_MAX / 1_000_000);
        let clocks = format!("the clocks are known to {found:.1} ms only; at most {max} ms");
        self.add(c.clock_uncertainty_ns >= CLOCK_UNCERTAINTY_NS_MAX, clocks);
    }

    fn of_the_cache(&mut self, strategy: &Strategy, c: &RunFacts) {
        // A target's errors make no run invalid, and of the cache of one that only fails nothing is known.
        let good = strategy.requests.saturating_sub(strategy.outcomes.error + strategy.outcomes.shed);
        self.add(
            c.hits_before_start == Some(0) && (!c.foreign || good > 0),
            "the end of the warm-up (a second, or a hundred requests) had no hit where hits were to be expected: the cache was not warm",
        );
        let lost = format!("the cache failed {} operations ({})", c.cache_errors, c.cache_error_classes);
        self.add(c.cache_errors > 0 && !c.cache_fault_planned, lost);
        self.add(
            c.evicted > 0 && !c.memory_is_bounded,
            format!("the cache evicted {} entries: give it more memory", c.evicted),
        );
        self.add(c.cache_restarted && !c.cache_fault_planned, "the cache was restarted during the run");
        if let Some(why) = &c.cache_unknown {
            self.add(!c.cache_fault_planned, format!("the cache could not be asked about itself at the end: {why}"));
        }
    }

    fn of_the_shards(&mut self, c: &RunFacts) {
        let lost: Vec<String> = c.shards_lost.iter().map(u32::to_string).collect();
        let missing = format!(
            "of {} shards of the load these were lost, and their requests are missing: {}",
            c.shards,
            list(&lost)
        );
        self.add(!lost.is_empty(), missing);
        let (spread, max) = (c.start_spread_ns.unwrap_or(0), CLOCK_UNCERTAINTY_NS_MAX);
        let apart = format!(
            "the shards of the load began up to {:.1} ms apart; at most {} ms",
            spread as f64 / 1e6,
            max / 1_000_000
        );
        self.add(spread > max, apart);
    }

    fn of_the_parts(&mut self, c: &RunFacts) {
        self.add(c.replicas_restarted > 0, format!("{} replicas were restarted during the run", c.replicas_restarted));
        self.add(c.events_dropped > 0, format!("{} events found no room in a replica's log", c.events_dropped));
        self.add(c.not_quiet > 0, format!("{} flights or requests had not ended in time after the load", c.not_quiet));
        self.add(c.wrong_bodies > 0, format!("{} answers carried another item or a damaged one", c.wrong_bodies));
        self.add(c.faults_failed > 0, format!("{} planned events did not take effect", c.faults_failed));
        let still = format!("stood still: {} (at most {SILENT_MS_MAX} ms)", list(&c.against.silences));
        self.add(!c.against.silences.is_empty(), still);
        self.add(
            !c.against.steps.is_empty(),
            format!("the wall clock was set, and TTLs go by it: {}", list(&c.against.steps)),
        );
        let (times, first) = (c.against.lost.len(), c.against.lost.first().map_or("", String::as_str));
        let emptied =
            format!("somebody else emptied the cache: the lab's own entry had gone {times} times, first at {first}");
        self.add(times > 0 && c.evicted == 0 && !c.cache_restarted, emptied);
        let unheard = c.wakes_lost;
        let polled =
            format!("{unheard} messages between replicas could not be heard or sent: waiters polled instead of waking");
        self.add(unheard > 0, polled);
        let missed = c.writes_missed.unwrap_or(0);
        self.add(missed > 0, format!("the origin's rows missed {missed} new versions: its database was busy"));
    }

    fn of_the_reads(&mut self, strategy: &Strategy, c: &RunFacts) {
        if let Some((reads, least)) = strategy.origin.as_ref().map(|origin| origin.total).zip(c.reads_min) {
            let below = format!(
                "the origin was read {reads} times, and these arrivals need {least} under any strategy: a clock or a ledger is wrong"
            );
            self.add(reads < least, below);
        }
        for (kind, failed) in &strategy.error_kinds {
            let lacked = lack_in_words(kind);
            let why =
                format!("the generator had no more {}: {failed} requests failed for it", lacked.unwrap_or_default());
            self.add(lacked.is_some(), why);
        }
        self.add(c.worker_died, "a generator thread ended early: a bug in the lab");
    }
}

/// A list for a sentence, cut where it is long.
fn list(all: &[String]) -> String {
    const SHOWN: usize = 5;
    let more = if all.len() > SHOWN { format!(" and {} more", all.len() - SHOWN) } else { String::new() };
    format!("{}{more}", all.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", "))
}

fn disagreement(ledgers: &Ledgers) -> String {
    let first = ledgers.disagree.first().map_or("", String::as_str);
    let more = match ledgers.disagree.len() {
        0 | 1 => String::new(),
        n => format!(" (and {} more)", n - 1),
    };
    format!("the ledgers disagree: {first}{more}")
}
