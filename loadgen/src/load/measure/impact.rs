//! When a scenario's events had an impact, and what a run is like where nothing is wrong.

use std::time::Duration;

use report::record::BinRow;

/// When everything expires at once everybody waits once; and here and there one a second time.
const WAITS: f64 = 1.2;
/// Of a number of arrivals that is Poisson's, hardly any is so many standard deviations above its mean.
const CHANCE: f64 = 3.0;

/// When the events had an impact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Impact {
    /// The first one's moment, nanoseconds since t = 0.
    pub from_ns: i64,
    /// When the last one was over, nanoseconds since t = 0.
    pub over_ns: i64,
    /// When it was to be over: from here on [`BinRow::floor`] counts from an empty cache.
    pub emptied_ns: i64,
    /// The origin's mean service time while nothing is wrong with it.
    pub service: Duration,
    /// What hardly any read of it takes longer than.
    pub service_max: Duration,
    /// How many reads a second it can do.
    pub capacity: f64,
    /// How many clients there are at most; none of an open load.
    pub clients: Option<u32>,
    /// Whether their number changes.
    pub clients_ramp: bool,
    /// How long an entry is fresh at most: the origin is read in cycles of that length.
    pub life: Duration,
}

impl Impact {
    /// How many requests of a second may wait for the origin: as many as when everything expires at once. Each that comes
    /// within a service time does, and the first for each key, however many keys that are.
    pub(super) fn waits_max(&self, row: &BinRow) -> f64 {
        let first = row.floor.unwrap_or(0) as f64;
        match self.clients {
            Some(clients) => f64::from(clients) * WAITS + (first - 1.0).max(0.0),
            None => {
                let mean = row.sent as f64 * self.service.as_secs_f64();
                (mean * WAITS).max(mean + CHANCE * mean.sqrt()) + first
            }
        }
    }
}
