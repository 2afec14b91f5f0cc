//! Histograms of times, and what a record has of them.

use hdrhistogram::Histogram;
use report::record::Latency;

/// Nanoseconds: the finest value that is told from its neighbours, and the largest that is recorded as it is.
const FINEST_NS: u64 = 1_000;

const LARGEST_NS: u64 = 1_200_000_000_000;

/// An empty histogram: nanoseconds, three significant digits.
#[allow(clippy::expect_used, reason = "the bounds are constants, and they are good")]
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(FINEST_NS, LARGEST_NS, 3).expect("bounds")
}

/// Adds up two histograms of the same bounds, which cannot fail.
pub(super) fn add(sum: &mut Histogram<u64>, more: &Histogram<u64>) {
    let _ = sum.add(more);
}

/// A quantile in milliseconds, rounded to the microsecond; `None` of nothing.
pub(crate) fn quantile_ms(histogram: &Histogram<u64>, quantile: f64) -> Option<f64> {
    let ns = histogram.value_at_quantile(quantile).min(histogram.max());
    (!histogram.is_empty()).then(|| ms(ns))
}

/// Nanoseconds in milliseconds, rounded to the microsecond.
pub(super) fn ms(ns: u64) -> f64 {
    (ns as f64 / 1000.0).round() / 1000.0
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
