//! One strategy's run, from its start on every replica to the evidence of what it did.

#[cfg(feature = "labs")]
mod agree;
#[cfg(feature = "labs")]
mod collect;
mod collecting;
pub(crate) mod counting;
#[cfg(feature = "labs")]
mod fill_target;
mod judge;
#[cfg(feature = "labs")]
mod load;
#[cfg(feature = "labs")]
mod looking;
#[cfg(feature = "labs")]
mod question;
#[cfg(feature = "labs")]
mod runner;
mod seen;
#[cfg(feature = "labs")]
mod together;

use std::fmt::Display;
use std::io;
use std::path::Path;

use evidence::OriginWrite;
use report::record::{AnswerRow, OriginRow, WriteRow};
use scenarios::{Scenario, Warm};
use strategies::units::duration_text;

use crate::lab::Offset;
use crate::load::drive::Probed;
use crate::load::measure::{Reads, StrategyFigures, Timeline, origin_row, write_row};
use crate::load::record::{Log, SeenVersion, VersionTape};
use crate::shell::exit::Failure;

pub use collecting::{Collecting, begin, collector};
pub use judge::judge;
pub use seen::{Observation, PartStart, ShareSeen, Tellers, TrialSamples, WorldSeen, read_list, told_lists};
#[cfg(feature = "labs")]
pub use {runner::TrialRunner, together::JoinedShards};

/// A strategy's result, ready to be written.
pub struct Trial {
    /// Record and rows.
    pub figures: StrategyFigures,
    /// `events.jsonl`.
    pub events: Timeline,
    /// `origin.csv`, where the origin's ledger was read.
    pub origin: Option<OriginRecord>,
    /// `writes.csv` and `answers.csv`, where items were written.
    pub writes: Option<WriteRecord>,
    /// `latency.hlog`, to be put in its place.
    pub log: Option<Log>,
    /// The origin's clock against ours, where its ledger was read.
    pub origin_clock: Option<Offset>,
    /// The worst uncertainty of all clocks; `None` where there was only ours.
    pub clock_uncertainty_ns: Option<u64>,
    /// What a target answered to the question before the load.
    pub probed: Option<Probed>,
    /// What was sampled while the load went on.
    pub sampled: TrialSamples,
}

/// `origin.csv` before it is written.
pub struct OriginRecord {
    reads: Box<dyn Reads + Send>,
    /// From the origin's clock to nanoseconds since t = 0.
    offset_ns: i64,
    end_ns: i64,
}

/// `writes.csv` and `answers.csv` before they are written.
pub struct WriteRecord {
    rows: Vec<OriginWrite>,
    seen: VersionTape,
    /// From the origin's clock to nanoseconds since t = 0.
    offset_ns: i64,
    end_ns: i64,
}

impl WriteRecord {
    /// Shows every write, in order of arrival.
    ///
    /// # Errors
    /// What `visit` says.
    pub fn each_write(&self, visit: &mut dyn FnMut(&WriteRow) -> io::Result<()>) -> io::Result<()> {
        self.rows.iter().try_for_each(|row| visit(&write_row(row, self.offset_ns, self.end_ns)))
    }

    /// Shows every version that was seen.
    ///
    /// # Errors
    /// Where it cannot be read back, and what `visit` says.
    pub fn each_answer(&self, visit: &mut dyn FnMut(&AnswerRow) -> io::Result<()>) -> io::Result<()> {
        self.seen.each(&mut |seen| {
            let op = if seen.own { "write" } else { "read" };
            let SeenVersion { began_ns, client, key, version, .. } = seen;
            visit(&AnswerRow { began_ns, client, key, op: op.to_owned(), version })
        })
    }
}

impl OriginRecord {
    /// Shows every row, in order of arrival.
    ///
    /// # Errors
    /// Where it cannot be read back, and what `visit` says.
    pub fn each(&self, visit: &mut dyn FnMut(&OriginRow) -> io::Result<()>) -> io::Result<()> {
        let mut into = OriginRow::default();
        self.reads.each(&mut |row| {
            origin_row(&mut into, row, self.offset_ns, self.end_ns);
            visit(&into)
        })
    }
}

/// The burst before t = 0 failed.
#[must_use]
pub fn cannot_warm(scenario: &Scenario, strategy: &str, why: impl Display) -> Failure {
    let (items, why) = (scenario.keys.ranks(), why.to_string());
    if why.contains(Warm::PUT_FAILED) {
        return Failure::failed(format!(
            "the cache could not be warmed · {strategy} · {why}, of {items} in all, {} at once · raise the cache's memory or its \
             time-outs, lower keys.n or keys.value_size, or leave [warm] out",
            Warm::PUTS_AT_ONCE
        ));
    }
    let service = scenario.origin.service_time.mean();
    let places = scenario.origin.concurrency.max(1);
    let takes = duration_text(service.saturating_mul(items.div_ceil(places)));
    let (read, all) = (scenario.budgets.origin_read, scenario.warm_budget());
    let [service, read, all] = [service, read, all].map(duration_text);
    Failure::failed(format!(
        "the cache could not be warmed · {strategy} · {why}: {items} reads of {service}, {places} at once, take {takes}; a read \
         may take {read} and all of them {all} · raise origin.concurrency, lower origin.service_time or keys.n, or leave \
         [warm] out"
    ))
}

/// Takes away what a strategy that failed has begun, where nothing of it was finished.
pub fn sweep(files: &Path) {
    let _ = std::fs::remove_dir(files);
}

/// A run that failed before anything was measured leaves no folder behind: a lab that never came up, a cache that could not be
/// warmed. One with anything but its scenario in it stays.
pub fn clear(folder: &Path) {
    let scenario = folder.join("scenario.toml");
    let mut entries = std::fs::read_dir(folder).into_iter().flatten();
    if entries.all(|entry| entry.is_ok_and(|entry| entry.path() == scenario)) {
        let _ = std::fs::remove_file(scenario);
        let _ = std::fs::remove_dir(folder);
    }
}
