//! The collector: merges the workers' seconds on a thread of its own, writes the latency log as they come, and keeps the
//! sums of the measured phase. What it holds does not grow with the number of requests.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use evidence::ErrorKind;
use hdrhistogram::Histogram;
use report::record::{BinRow, Outcomes};
use report::{AtomicFile, HlogWriter, ReportError};
use strategies::Outcome;

use super::histogram::histogram;
use super::part::PartWriter;
use super::rows::{self, add_outcomes};
use super::second::{Bin, POOL, PoolSeen, SECOND_NS, Second, TAGS, Tries};
use super::slowest::Slowest;
use super::versions::{CollectedWrites, VersionTape};
use crate::load::cpu;
use crate::load::live::{Feed, News};
use crate::load::measure::{Floor, IncrementTape, Received, Warmth};

/// How many notes may wait for the collector. A simulation makes seconds faster than they can be collected, and waits here; no
/// load of real time comes near.
const BEHIND_MAX: usize = 64;

/// Everything that the requests of a strategy left behind.
pub struct Collected {
    /// One row a second, the origin's columns still empty.
    pub seconds: Vec<BinRow>,
    /// One row a 100 ms bin, likewise; none without a log.
    pub bins: Vec<BinRow>,
    /// The written latency log, to be put in its place; `None` where it was never begun.
    pub log: Option<Log>,
    /// The measured phase's histograms, by [`TAGS`].
    pub measured: Vec<Histogram<u64>>,
    /// Requests of the measured phase by outcome.
    pub outcomes: Outcomes,
    /// Of these, answered from a copy in a replica's process.
    pub near: u64,
    /// What they found when they asked a pool for a connection.
    pub pool: PoolSeen,
    /// The slowest of them, where they were kept.
    pub slowest: Option<Slowest>,
    /// Of these, for the hot key.
    pub hot_outcomes: Outcomes,
    /// Errors of the measured phase by kind.
    pub errors: BTreeMap<ErrorKind, u64>,
    /// Errors of all phases.
    pub errors_of_all_phases: u64,
    /// Attempts of all phases that were not the last: each may hide one answer that its replica gave.
    pub retries_of_all_phases: u64,
    /// Attempts of the measured phase that were not the last.
    pub retries: u64,
    /// What became of requests of the measured phase that were tried more than once.
    pub tries: Tries,
    /// Requests sent in all phases.
    pub requests_of_all_phases: u64,
    /// Requests of the measured phase that were planned.
    pub offered: u64,
    /// Of these, sent.
    pub sent: u64,
    /// What a perfect lazy refresher would have read; `None` where that can't be known.
    pub floor: Option<u64>,
    /// What the warm-up should have left in the cache; `None` where nobody asked.
    pub warmth: Option<Warmth>,
    /// What nobody can have read less than, see [`Floor::least`]; `None` where that can't be known.
    pub floor_least: Option<u64>,
    /// Flights whose answers arrived, in all phases.
    pub flights: Received,
    /// The largest time past a TTL in the measured phase, microseconds.
    pub overage_us_max: u64,
    /// Requests of the measured phase that another replica was asked, because theirs was down.
    pub moved_on: u64,
    /// Requests of the measured phase that were sent again on a fresh connection.
    pub resent: u64,
    /// The same of all phases: each may hide one answer that its replica gave.
    pub resent_of_all_phases: u64,
    /// What the writes left behind; `None` where nobody keeps it.
    pub writes: Option<CollectedWrites>,
    /// The increments of all phases; `None` where nobody keeps them.
    pub increments: Option<IncrementTape>,
    /// The file that its seconds were written to, where another process is to put them together with others'.
    pub part: Option<PartWriter>,
    /// Processor time of the collecting, nanoseconds; `None` where the system does not say.
    pub cpu_ns: Option<u64>,
    /// An empty histogram for those that need one for a moment.
    scratch: Histogram<u64>,
}

/// `latency.hlog` while it is being written.
pub type Log = HlogWriter<AtomicFile>;

/// What the collector is told.
enum Note {
    /// Where the log goes. It begins before the first second is over.
    Begin(Log),
    /// What is to be expected of the warm-up.
    Expect(Warmth),
    /// Where the versions that are seen go.
    Keep(VersionTape),
    /// Where increments are kept.
    Increments(IncrementTape),
    /// Where the seconds go as they are.
    Part(PartWriter),
    /// Told of each second that is over.
    Feed(Feed),
    /// The cache's state at t = 0, see [`Floor::know`].
    Warm(BTreeMap<u32, i64>),
    /// A worker's second.
    Second(Box<Second>),
    /// Nothing comes of it.
    Abandon,
}

/// A way to tell it.
#[derive(Clone)]
pub struct Tell(SyncSender<Note>);

impl Tell {
    /// The cache's state at t = 0 (see [`Floor::know`]). To be called as soon as it is known.
    pub fn warm(&self, state: BTreeMap<u32, i64>) {
        let _ = self.0.send(Note::Warm(state));
    }

    /// A second that another process has written down.
    pub fn again(&self, second: Second) {
        self.second(second);
    }

    /// Hands over a finished second. Where the collector is gone the run has failed already, and says so.
    pub(super) fn second(&self, second: Second) {
        let _ = self.0.send(Note::Second(Box::new(second)));
    }
}

/// The thread that collects.
pub struct Collector {
    thread: JoinHandle<Result<Collected, ReportError>>,
    pub(super) tell: Tell,
}

impl Collector {
    /// Starts collecting for `workers` workers; `floor` is fed where there is one.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(workers: usize, floor: Option<Floor>) -> std::io::Result<Self> {
        let (tell, told) = sync_channel(BEHIND_MAX);
        let thread =
            std::thread::Builder::new().name("collector".into()).spawn(move || collect(&told, workers, floor))?;
        Ok(Self { thread, tell: Tell(tell) })
    }

    /// Where the latency log goes. Without it there is none. To be called before the load begins.
    pub fn begin(&self, log: Log) {
        let _ = self.tell.0.send(Note::Begin(log));
    }

    /// What is to be expected of the warm-up. To be called before the load begins.
    pub fn expects(&self, warmth: Warmth) {
        let _ = self.tell.0.send(Note::Expect(warmth));
    }

    /// Where the versions that are seen go, of a run whose items are written. To be called before the load begins.
    pub fn keeps(&self, versions: VersionTape) {
        let _ = self.tell.0.send(Note::Keep(versions));
    }

    /// Where increments are kept.
    pub fn keeps_increments(&self, tape: IncrementTape) {
        let _ = self.tell.0.send(Note::Increments(tape));
    }

    /// Where the seconds go as they are, too. To be called before the load begins.
    pub fn writes(&self, part: PartWriter) {
        let _ = self.tell.0.send(Note::Part(part));
    }

    /// Told of each second that is over.
    pub fn watched_by(&self, feed: Feed) {
        let _ = self.tell.0.send(Note::Feed(feed));
    }

    /// The cache's state at t = 0 (see [`Floor::know`]). To be called as soon as it is known.
    pub fn warm(&self, state: BTreeMap<u32, i64>) {
        self.tell.warm(state);
    }

    /// A way to tell the collector that is not tied to it. [`Collector::collected`] waits until it is dropped.
    #[must_use]
    pub fn teller(&self) -> Tell {
        self.tell.clone()
    }

    /// Ends it, even if workers could still tell it something: the log that was begun is gone when this returns.
    pub fn abandon(self) {
        let _ = self.tell.0.send(Note::Abandon);
        let _ = self.thread.join();
    }

    /// What was collected, once every recorder has finished. `None` where the collector's thread panicked.
    ///
    /// # Errors
    /// Where the log could not be written.
    pub fn collected(self) -> Option<Result<Collected, ReportError>> {
        drop(self.tell);
        self.thread.join().ok()
    }
}

fn collect(told: &Receiver<Note>, workers: usize, floor: Option<Floor>) -> Result<Collected, ReportError> {
    let mut collected = Collected::new();
    // Both are fed the same.
    let least = floor.as_ref().filter(|floor| floor.is_bounded()).map(Floor::least);
    let mut floors: Vec<Floor> = floor.into_iter().chain(least).collect();
    let mut feed = None;
    let mut partial: BTreeMap<i64, (usize, Second)> = BTreeMap::new();
    for note in told {
        let second = match note {
            Note::Begin(log) => {
                collected.log = Some(log);
                continue;
            }
            Note::Expect(_) | Note::Keep(_) | Note::Increments(_) => {
                collected.is_told(note);
                continue;
            }
            Note::Part(part) => {
                collected.part = Some(part);
                continue;
            }
            Note::Feed(who) => {
                feed = Some(who);
                continue;
            }
            Note::Warm(state) => {
                collected.part.as_mut().map_or(Ok(()), |part| part.line("warm", &state))?;
                floors.iter_mut().for_each(|floor| floor.know(state.clone()));
                continue;
            }
            Note::Abandon => return Ok(Collected::new()),
            Note::Second(second) => *second,
        };
        merge_into(&mut partial, second);
        while let Some(entry) = partial.first_entry()
            && entry.get().0 >= workers
        {
            collected.take(entry.remove().1, &mut floors)?;
            if let (Some(feed), Some(row)) = (&feed, collected.seconds.last()) {
                tell(feed, row, floors.first().and_then(Floor::loads));
            }
        }
    }
    // A worker that ended early leaves seconds that are not everybody's: they count all the same.
    for (_, second) in partial.into_values() {
        collected.take(second, &mut floors)?;
    }
    collected.cpu_ns = cpu::of_this_thread_ns();
    collected.floor_least = floors.get(1).and_then(Floor::loads);
    if let Some(floor) = floors.into_iter().next() {
        collected.floor = floor.loads();
        collected.floor_by_second(floor.by_second());
    }
    Ok(collected)
}

/// Adds a worker's second to what the others have of it, and counts them.
fn merge_into(partial: &mut BTreeMap<i64, (usize, Second)>, second: Second) {
    match partial.entry(second.number) {
        Entry::Vacant(free) => drop(free.insert((1, second))),
        Entry::Occupied(there) => {
            let (count, merged) = there.into_mut();
            merged.merge(second);
            *count += 1;
        }
    }
}

/// Tells of a second that is over; of a floor that is known, by how much it grew.
fn tell(feed: &Feed, row: &BinRow, loads: Option<u64>) {
    feed.tell(&News::Second {
        t: row.start_ms / 1000,
        sent: row.sent,
        failed: row.errors + row.shed,
        p50_ms: row.p50_ms,
        p99_ms: row.p99_ms,
        floor: loads.map(|loads| feed.floor_since(loads)),
    });
}

impl Collected {
    /// What is to be expected, and what is to be kept.
    fn is_told(&mut self, note: Note) {
        match note {
            Note::Expect(warmth) => self.warmth = Some(warmth),
            Note::Keep(versions) => self.writes = Some(CollectedWrites::new(versions)),
            Note::Increments(tape) => self.increments = Some(tape),
            Note::Begin(_) | Note::Part(_) | Note::Feed(_) | Note::Warm(_) | Note::Second(_) | Note::Abandon => {}
        }
    }

    fn new() -> Self {
        Self {
            seconds: Vec::new(),
            bins: Vec::new(),
            log: None,
            measured: TAGS.iter().map(|_| histogram()).collect(),
            outcomes: Outcomes::default(),
            near: 0,
            pool: PoolSeen::default(),
            slowest: None,
            hot_outcomes: Outcomes::default(),
            errors: BTreeMap::new(),
            errors_of_all_phases: 0,
            requests_of_all_phases: 0,
            retries_of_all_phases: 0,
            retries: 0,
            tries: Tries::default(),
            part: None,
            cpu_ns: None,
            writes: None,
            increments: None,
            scratch: histogram(),
            offered: 0,
            sent: 0,
            floor: None,
            warmth: None,
            floor_least: None,
            flights: Received::default(),
            overage_us_max: 0,
            moved_on: 0,
            resent: 0,
            resent_of_all_phases: 0,
        }
    }

    fn take(&mut self, mut second: Second, floors: &mut [Floor]) -> Result<(), ReportError> {
        if let Some(part) = &mut self.part {
            part.line("second", &second)?;
        }
        let start_ms = second.number * (SECOND_NS / 1_000_000);
        let total = second.total();
        let mut row = rows::row(start_ms, &total);
        [row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms] =
            second.times[0].quantiles_ms(&self.scratch, [0.5, 0.95, 0.99, 1.0]);
        if second.pool.asked > 0 {
            [row.pool_wait_p99_ms] = second.times[POOL].quantiles_ms(&self.scratch, [0.99]);
            (row.pool_in_use_max, row.pool_waiting_max) = (Some(second.pool.in_use_max), Some(second.pool.waiting_max));
        }
        self.seconds.push(row);
        // They are written beside the log, or not at all.
        if self.log.is_some() {
            self.bins.extend(second.bins.iter().zip(0..).map(|(bin, at)| rows::row(start_ms + at * 100, bin)));
        }
        self.requests_of_all_phases += total.sent;
        self.retries_of_all_phases += total.retries;
        self.resent_of_all_phases += second.resent;
        self.errors_of_all_phases += total.outcomes[Outcome::Error as usize];
        if second.number >= 0 {
            self.take_measured(&second, &total);
            let slowest = second.slowest.take();
            slowest.into_iter().for_each(|of| self.slowest.get_or_insert_with(Slowest::of_run).merge(of));
            second.arrivals.retain(|arrival| floors.iter().any(|floor| floor.heeds(arrival)));
            second.arrivals.sort_unstable();
            floors.iter_mut().for_each(|floor| floor.arrive(&second.arrivals));
        } else if let Some(warmth) = &mut self.warmth {
            second.arrivals.sort_unstable();
            warmth.arrive(start_ms, &second.arrivals);
        }
        second.flights.iter().for_each(|flight| self.flights.answer(flight));
        if let Some(tape) = &mut self.increments {
            second.increments.iter().for_each(|seen| tape.push(&seen.record()));
        }
        if let Some(writes) = &mut self.writes {
            writes.take(std::mem::take(&mut second.versions), second.number >= 0);
        }
        let Some(log) = &mut self.log else { return Ok(()) };
        for (tag, times) in TAGS.iter().zip(&second.times).filter(|(_, times)| !times.is_empty()) {
            times.look(&mut self.scratch, |histogram| log.second(start_ms, tag, histogram))?;
        }
        Ok(())
    }

    /// Fills in the floor of each measured second, where it is counted.
    fn floor_by_second(&mut self, by_second: Option<&BTreeMap<i64, u64>>) {
        for row in self.seconds.iter_mut().filter(|row| row.start_ms >= 0) {
            row.floor = by_second.map(|loads| loads.get(&(row.start_ms / 1000)).copied().unwrap_or(0));
        }
    }

    fn take_measured(&mut self, second: &Second, total: &Bin) {
        self.offered += total.offered;
        self.sent += total.sent;
        add_outcomes(&mut self.outcomes, &total.outcomes);
        self.near += total.near;
        self.pool.add(second.pool);
        add_outcomes(&mut self.hot_outcomes, &second.hot_outcomes);
        self.overage_us_max = self.overage_us_max.max(second.overage_us_max);
        self.moved_on += second.moved_on;
        self.resent += second.resent;
        self.retries += total.retries;
        self.tries.add(second.tries);
        for (kind, count) in &second.errors {
            *self.errors.entry(*kind).or_insert(0) += count;
        }
        self.measured.iter_mut().zip(&second.times).for_each(|(sum, times)| times.add_to(sum));
    }
}
