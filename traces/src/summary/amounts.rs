//! Sizes and TTLs: quantiles, and how many rows state none.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

/// The most distinct TTLs that are counted one by one.
const DISTINCT_MAX: usize = 1024;
/// How many of them are told.
const COMMON: usize = 10;
/// What is larger counts as this: 1 TiB, or 35 years of milliseconds.
const AMOUNT_MAX: u64 = 1 << 40;

/// What rows state of a size or of a TTL. Quantiles are within 0.1 %.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Amounts {
    /// Rows that state one.
    pub stated: u64,
    /// Rows that state none.
    pub unstated: u64,
    /// The smallest; 0 where none is stated, as in the next ones.
    pub min: u64,
    /// The median.
    pub p50: u64,
    /// Nine in ten are no larger.
    pub p90: u64,
    /// 99 in a hundred are no larger.
    pub p99: u64,
    /// The largest.
    pub max: u64,
    /// The mean.
    pub mean: f64,
}

/// The TTLs that are stated most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommonTtls {
    /// A TTL and its rows; at most ten, the most common one first.
    pub ttls: Vec<(Duration, u64)>,
    /// Rows with other TTLs.
    pub other_rows: u64,
}

impl Amounts {
    /// The share of rows that state none; 0 of no row.
    #[must_use]
    pub fn unstated_share(&self) -> f64 {
        self.unstated as f64 / (self.stated + self.unstated).max(1) as f64
    }
}

/// Gathers amounts.
#[derive(Debug, Clone)]
pub(super) struct AmountMeter {
    histogram: Option<Histogram<u64>>,
    unstated: u64,
}

impl AmountMeter {
    pub(super) fn new() -> Self {
        Self { histogram: Histogram::new_with_bounds(1, AMOUNT_MAX, 3).ok(), unstated: 0 }
    }

    pub(super) fn add(&mut self, amount: Option<u64>) {
        match (amount, &mut self.histogram) {
            (Some(amount), Some(histogram)) => histogram.saturating_record(amount),
            _ => self.unstated += 1,
        }
    }

    pub(super) fn amounts(&self) -> Amounts {
        let unstated = self.unstated;
        let Some(found) = self.histogram.as_ref().filter(|histogram| !histogram.is_empty()) else {
            return Amounts { unstated, ..Amounts::default() };
        };
        Amounts {
            stated: found.len(),
            unstated,
            min: found.min(),
            p50: found.value_at_quantile(0.5),
            p90: found.value_at_quantile(0.9),
            p99: found.value_at_quantile(0.99),
            max: found.max(),
            mean: found.mean(),
        }
    }
}

/// Counts TTLs one by one, the first [`DISTINCT_MAX`] of them.
#[derive(Debug, Clone, Default)]
pub(super) struct TtlMeter {
    rows: BTreeMap<Duration, u64>,
    other_rows: u64,
}

impl TtlMeter {
    pub(super) fn add(&mut self, ttl: Duration) {
        if let Some(rows) = self.rows.get_mut(&ttl) {
            *rows += 1;
        } else if self.rows.len() < DISTINCT_MAX {
            self.rows.insert(ttl, 1);
        } else {
            self.other_rows += 1;
        }
    }

    pub(super) fn common(self) -> CommonTtls {
        let mut ttls: Vec<(Duration, u64)> = self.rows.into_iter().collect();
        ttls.sort_by_key(|(ttl, rows)| (std::cmp::Reverse(*rows), *ttl));
        let left: u64 = ttls.iter().skip(COMMON).map(|(_, rows)| rows).sum();
        ttls.truncate(COMMON);
        CommonTtls { ttls, other_rows: self.other_rows + left }
    }
}
