//! The rate over time: at most 1 024 buckets, which double in width when they are full.

use std::time::Duration;

const BUCKETS_MAX: usize = 1024;
/// The first width: a millisecond, in nanoseconds.
const WIDTH_NS: u64 = 1_000_000;
const S_NS: u64 = 1_000_000_000;

/// Rows over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateSeries {
    /// Of each bucket: 1 ms · 2^k.
    pub width: Duration,
    /// Rows of each, from time 0 on; the last one is cut off by the trace's end.
    pub rows: Vec<u64>,
}

/// The second with the most rows; of several the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PeakSecond {
    /// Which one, from 0.
    pub second: u64,
    /// Its rows.
    pub rows: u64,
}

/// Counts rows that come in the order of time.
#[derive(Debug, Clone)]
pub(crate) struct RateMeter {
    width_ns: u64,
    rows: Vec<u64>,
}

/// Finds the highest second of rows that come in the order of time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PeakMeter {
    now: PeakSecond,
    peak: PeakSecond,
}

impl RateMeter {
    pub(crate) fn new() -> Self {
        Self { width_ns: WIDTH_NS, rows: Vec::with_capacity(BUCKETS_MAX) }
    }

    pub(crate) fn add(&mut self, at_ns: u64) {
        while at_ns / self.width_ns >= BUCKETS_MAX as u64 {
            self.rows = self.rows.chunks(2).map(|two| two.iter().sum()).collect();
            // 2⁶⁴ ns are fewer than 2⁴⁵ ms: it does not overflow.
            self.width_ns *= 2;
        }
        let bucket = (at_ns / self.width_ns) as usize;
        if bucket >= self.rows.len() {
            self.rows.resize(bucket + 1, 0);
        }
        self.rows[bucket] += 1;
    }

    pub(crate) fn series(self) -> RateSeries {
        RateSeries { width: Duration::from_nanos(self.width_ns), rows: self.rows }
    }
}

impl PeakMeter {
    pub(crate) fn add(&mut self, at_ns: u64) {
        let second = at_ns / S_NS;
        if second != self.now.second {
            self.now = PeakSecond { second, rows: 0 };
        }
        self.now.rows += 1;
        if self.now.rows > self.peak.rows {
            self.peak = self.now;
        }
    }

    pub(crate) fn peak(&self) -> PeakSecond {
        self.peak
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_double_and_keep_their_rows() {
        let (mut meter, mut peak) = (RateMeter::new(), PeakMeter::default());
        for at in [0, 1_500_000, 1_023_999_999, 5 * S_NS, 5 * S_NS + 1] {
            meter.add(at);
            peak.add(at);
        }
        let series = meter.series();
        assert_eq!(series.width, Duration::from_millis(8));
        assert_eq!((series.rows[0], series.rows[127], series.rows[625]), (2, 1, 2));
        assert_eq!(series.rows.iter().sum::<u64>(), 5);
        assert_eq!(peak.peak(), PeakSecond { second: 0, rows: 2 });
    }

    #[test]
    fn the_end_of_time_is_a_bucket() {
        let mut meter = RateMeter::new();
        meter.add(0);
        meter.add(u64::MAX);
        let series = meter.series();
        assert_eq!((series.rows.len() <= BUCKETS_MAX, series.rows.iter().sum::<u64>()), (true, 2));
    }
}
