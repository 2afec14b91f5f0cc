//! What happens, second by second, while it happens: for the progress line and for the page of `--live`.
//!
//! The feed is one small line of JSON a second, told by the collector's thread and the loop that watches the origin, never
//! by a generator's worker. Nothing waits for a reader of it.

mod news;
#[cfg(feature = "labs")]
mod server;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

pub use news::open;
#[cfg(feature = "labs")]
pub use server::serve;

/// What is told, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum News {
    /// A run begins.
    Run {
        /// The scenario.
        scenario: String,
        /// Its summary.
        summary: String,
        /// The load, in words.
        load: String,
        /// The lab.
        lab: String,
        /// Length of the warm-up, seconds.
        warmup_s: f64,
        /// Length of the measured phase, seconds.
        duration_s: f64,
        /// How many strategies there are, over all blocks.
        runs: usize,
    },
    /// A strategy begins.
    Begin {
        /// Its name.
        strategy: String,
        /// Which run this is, from 1 on.
        number: usize,
    },
    /// A second of the load is over, and its answers have come.
    Second {
        /// When it began, seconds since t = 0.
        t: i64,
        /// Requests sent.
        sent: u64,
        /// Of these, failed or shed.
        failed: u64,
        /// Median response time, milliseconds.
        p50_ms: Option<f64>,
        /// 99th percentile of the response time, milliseconds.
        p99_ms: Option<f64>,
        /// What a perfect lazy refresher would have read in it; `None` where that can't be known.
        floor: Option<u64>,
    },
    /// Reads that reached the origin in a second.
    Origin {
        /// When it began, seconds since t = 0.
        t: i64,
        /// How many.
        reads: u64,
    },
    /// A strategy is over.
    End {
        /// Its name.
        strategy: String,
        /// Whether its numbers may be believed.
        valid: bool,
        /// Its origin reads; `None` where there is no ledger.
        total: Option<u64>,
        /// The most of them in any second.
        max_per_second: Option<u64>,
        /// The floor.
        floor: Option<u64>,
        /// 99th percentile of the response time, milliseconds.
        p99_ms: Option<f64>,
    },
    /// The run is over.
    Over,
}

/// Where news are told and read. Clones are the same feed.
#[derive(Clone)]
pub struct Feed(Arc<Inner>);

struct Inner {
    /// Whether somebody may look: news are kept only then.
    open: bool,
    told: Mutex<Told>,
    count: watch::Sender<usize>,
}

#[derive(Default)]
struct Told {
    /// Everything told so far, as JSON.
    lines: Vec<Arc<str>>,
    latest: Latest,
    /// The second that the origin's reads are counted in, how many had arrived at its begin.
    counting: Option<(i64, u64)>,
    floor: u64,
}

/// How the strategy that runs is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Latest {
    /// 99th percentile of the last second, milliseconds.
    pub p99_ms: Option<f64>,
    /// Requests that failed or were shed so far, warm-up included.
    pub failed: u64,
}

impl Feed {
    /// A feed; `open` where a page will show it.
    #[must_use]
    pub fn new(open: bool) -> Self {
        let (count, _) = watch::channel(0);
        Self(Arc::new(Inner { open, told: Mutex::default(), count }))
    }

    /// Whether a page may show it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.open
    }

    /// How the strategy that runs is doing.
    #[must_use]
    pub fn latest(&self) -> Latest {
        self.told().latest
    }

    /// Tells.
    pub fn tell(&self, news: &News) {
        let mut told = self.told();
        match news {
            News::Begin { .. } => (told.latest, told.counting, told.floor) = (Latest::default(), None, 0),
            News::Second { failed, p99_ms, .. } => {
                told.latest = Latest { p99_ms: *p99_ms, failed: told.latest.failed + failed };
            }
            _ => {}
        }
        if !self.0.open {
            return;
        }
        let Ok(line) = serde_json::to_string(news) else { return };
        told.lines.push(line.into());
        let count = told.lines.len();
        drop(told);
        self.0.count.send_replace(count);
    }

    /// So many reads had arrived at the origin at a moment, nanoseconds since t = 0. Told when a second is over.
    pub fn arrived(&self, now_ns: i64, arrived: u64) {
        let t = now_ns.div_euclid(1_000_000_000);
        let mut told = self.told();
        let (since, before) = *told.counting.get_or_insert((t, arrived));
        if t <= since {
            return;
        }
        told.counting = Some((t, arrived));
        drop(told);
        self.tell(&News::Origin { t: since, reads: arrived.saturating_sub(before) });
    }

    /// The floor's loads of the seconds since it was asked last, of its loads so far.
    #[must_use]
    pub fn floor_since(&self, loads: u64) -> u64 {
        let mut told = self.told();
        let since = loads.saturating_sub(told.floor);
        told.floor = loads;
        since
    }

    /// What was told from the `from`th on; waits until there is something.
    #[cfg(feature = "labs")]
    async fn after(&self, from: usize) -> Vec<Arc<str>> {
        let mut count = self.0.count.subscribe();
        let _ = count.wait_for(|count| *count > from).await;
        self.told().lines.get(from..).map(<[Arc<str>]>::to_vec).unwrap_or_default()
    }

    /// A poisoned list is as good as any: nothing panics while it is held.
    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_told_by_the_second_in_which_they_came() {
        let feed = Feed::new(true);
        for (ms, arrived) in [(-1500, 3), (-900, 5), (-100, 9), (100, 10), (900, 60), (2300, 61)] {
            feed.arrived(ms * 1_000_000, arrived);
        }
        let lines: Vec<String> = feed.told().lines.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                r#"{"kind":"origin","t":-2,"reads":2}"#,
                r#"{"kind":"origin","t":-1,"reads":5}"#,
                r#"{"kind":"origin","t":0,"reads":51}"#
            ]
        );
    }

    #[test]
    fn a_closed_feed_keeps_the_latest_and_nothing_else() {
        let feed = Feed::new(false);
        let second = |failed| News::Second { t: 0, sent: 10, failed, p50_ms: None, p99_ms: Some(2.5), floor: None };
        feed.tell(&second(1));
        feed.tell(&second(2));
        assert_eq!(feed.latest(), Latest { p99_ms: Some(2.5), failed: 3 });
        feed.tell(&News::Begin { strategy: "swr".into(), number: 2 });
        assert_eq!((feed.latest(), feed.told().lines.len()), (Latest::default(), 0));
    }
}
