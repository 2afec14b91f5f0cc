//! The collector: merges the workers' seconds on a thread of its own, and keeps the sums of the measured phase.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use hdrhistogram::Histogram;
use report::record::{BinRow, Latency, Outcomes};
use strategies::Outcome;

use super::Recorder;
use super::second::{Bin, SECOND_NS, Second, TAGS, add, histogram};

/// When a request for which key was intended; nanoseconds since t = 0.
pub type KeySample = (i64, u32);

/// Everything that the requests of a strategy left behind.
pub struct Collected {
    /// One row a second, the origin's columns still empty.
    pub seconds: Vec<BinRow>,
    /// One row a 100 ms bin, likewise.
    pub bins: Vec<BinRow>,
    /// Merged histograms of each second by tag, for the log: (second, by [`TAGS`]). Empty ones are left out.
    pub log: Vec<(i64, Vec<Histogram<u64>>)>,
    /// The measured phase's histograms, by [`TAGS`].
    pub measured: Vec<Histogram<u64>>,
    /// Requests of the measured phase by outcome.
    pub outcomes: Outcomes,
    /// Of these, for the hot key.
    pub hot_outcomes: Outcomes,
    /// Errors of the measured phase by kind.
    pub errors: BTreeMap<String, u64>,
    /// Errors of all phases.
    pub errors_of_all_phases: u64,
    /// Requests of the measured phase that were planned.
    pub offered: u64,
    /// Of these, sent.
    pub sent: u64,
    /// (intended, key) of all requests, warm-up included, in order of time.
    pub arrivals: Vec<KeySample>,
    /// Flights whose answers arrived, in all phases.
    pub flights: Vec<String>,
    /// The largest time past a TTL in the measured phase, microseconds.
    pub overage_us_max: u64,
    /// Hits in the last second before t = 0.
    pub hits_before_start: u64,
}

/// The thread that collects.
pub struct Collector {
    thread: JoinHandle<Collected>,
    finished: Sender<Second>,
}

impl Collector {
    /// Starts collecting for `workers` workers.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(workers: usize) -> std::io::Result<Self> {
        let (finished, seconds) = channel();
        let thread = std::thread::Builder::new().name("collector".into()).spawn(move || collect(&seconds, workers))?;
        Ok(Self { thread, finished })
    }

    /// A worker's recorder, from second `first` on.
    #[must_use]
    pub fn recorder(&self, first: i64) -> Recorder {
        Recorder::new(first, self.finished.clone())
    }

    /// What was collected, once every recorder has finished. `None` where the collector's thread panicked.
    #[must_use]
    pub fn collected(self) -> Option<Collected> {
        drop(self.finished);
        self.thread.join().ok()
    }
}

fn collect(seconds: &Receiver<Second>, workers: usize) -> Collected {
    let mut collected = Collected::new();
    let mut partial: BTreeMap<i64, (usize, Second)> = BTreeMap::new();
    for second in seconds {
        let number = second.number;
        match partial.remove(&number) {
            None => drop(partial.insert(number, (1, second))),
            Some((count, mut merged)) => {
                merged.merge(second);
                partial.insert(number, (count + 1, merged));
            }
        }
        while let Some(entry) = partial.first_entry()
            && entry.get().0 >= workers
        {
            collected.take(entry.remove().1);
        }
    }
    // A worker that ended early leaves seconds that are not everybody's: they count all the same.
    for (_, second) in partial.into_values() {
        collected.take(second);
    }
    collected.arrivals.sort_unstable();
    collected
}

impl Collected {
    fn new() -> Self {
        Self {
            seconds: Vec::new(),
            bins: Vec::new(),
            log: Vec::new(),
            measured: TAGS.iter().map(|_| histogram()).collect(),
            outcomes: Outcomes::default(),
            hot_outcomes: Outcomes::default(),
            errors: BTreeMap::new(),
            errors_of_all_phases: 0,
            offered: 0,
            sent: 0,
            arrivals: Vec::new(),
            flights: Vec::new(),
            overage_us_max: 0,
            hits_before_start: 0,
        }
    }

    fn take(&mut self, second: Second) {
        let start_ms = second.number * (SECOND_NS / 1_000_000);
        let total = second.total();
        let mut row = row(start_ms, &total);
        let resp = &second.histograms[0];
        (row.p50_ms, row.p95_ms, row.p99_ms) =
            (quantile_ms(resp, 0.5), quantile_ms(resp, 0.95), quantile_ms(resp, 0.99));
        row.max_ms = quantile_ms(resp, 1.0);
        self.seconds.push(row);
        self.bins.extend(second.bins.iter().zip(0..).map(|(bin, at)| self::row(start_ms + at * 100, bin)));
        self.errors_of_all_phases += total.outcomes[Outcome::Error as usize];
        if second.number >= 0 {
            self.take_measured(&second, &total);
        } else if second.number == -1 {
            self.hits_before_start = total.outcomes[Outcome::Hit as usize];
        }
        self.arrivals.extend(second.arrivals);
        self.flights.extend(second.flights);
        if second.histograms.iter().any(|h| !h.is_empty()) {
            self.log.push((second.number, second.histograms));
        }
    }

    fn take_measured(&mut self, second: &Second, total: &Bin) {
        self.offered += total.offered;
        self.sent += total.sent;
        add_outcomes(&mut self.outcomes, &total.outcomes);
        add_outcomes(&mut self.hot_outcomes, &second.hot_outcomes);
        self.overage_us_max = self.overage_us_max.max(second.overage_us_max);
        for (kind, count) in &second.errors {
            *self.errors.entry(kind.clone()).or_insert(0) += count;
        }
        for (sum, more) in self.measured.iter_mut().zip(&second.histograms) {
            add(sum, more);
        }
    }
}

fn row(start_ms: i64, bin: &Bin) -> BinRow {
    let mut outcomes = Outcomes::default();
    add_outcomes(&mut outcomes, &bin.outcomes);
    BinRow {
        start_ms,
        offered: bin.offered,
        sent: bin.sent,
        completed: outcomes.sum() - outcomes.error,
        errors: outcomes.error,
        hit: outcomes.hit,
        stale: outcomes.stale,
        wait: outcomes.wait,
        load: outcomes.load,
        shed: outcomes.shed,
        unknown: outcomes.unknown,
        ..BinRow::default()
    }
}

fn add_outcomes(sum: &mut Outcomes, counts: &[u64; Outcome::ALL.len()]) {
    for (outcome, count) in Outcome::ALL.into_iter().zip(counts) {
        *match outcome {
            Outcome::Hit => &mut sum.hit,
            Outcome::Stale => &mut sum.stale,
            Outcome::Wait => &mut sum.wait,
            Outcome::Load => &mut sum.load,
            Outcome::Shed => &mut sum.shed,
            Outcome::Error => &mut sum.error,
        } += count;
    }
}

/// A quantile in milliseconds, rounded to the microsecond; `None` of nothing.
pub(crate) fn quantile_ms(histogram: &Histogram<u64>, quantile: f64) -> Option<f64> {
    let ns = histogram.value_at_quantile(quantile).min(histogram.max());
    (!histogram.is_empty()).then(|| (ns as f64 / 1000.0).round() / 1000.0)
}

/// The percentiles of a record.
pub(crate) fn latency(histogram: &Histogram<u64>) -> Latency {
    Latency {
        p50: quantile_ms(histogram, 0.5),
        p95: quantile_ms(histogram, 0.95),
        p99: quantile_ms(histogram, 0.99),
        p99_9: quantile_ms(histogram, 0.999),
        max: quantile_ms(histogram, 1.0),
    }
}
