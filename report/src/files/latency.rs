//! Reading `latency.hlog` of a strategy's folder: merged, interval by interval, or one percentile of each.

use std::collections::BTreeMap;
use std::ops::Range;

use hdrhistogram::Histogram;

use crate::files::error::ReportError;
use crate::files::folder::StrategyFolder;
use crate::files::hlog::{merge_hlog, quantiles};
use crate::files::{FileKind, read_file};

impl StrategyFolder {
    /// Reads `latency.hlog`: merged histograms (nanoseconds) of `tags` over the intervals that start in `window_ms`
    /// since t = 0.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`] or [`ReportError::Hlog`].
    pub fn read_latency(
        &self,
        tags: &[&str],
        window_ms: Range<i64>,
    ) -> Result<BTreeMap<String, Histogram<u64>>, ReportError> {
        self.read_latency_and_see(tags, window_ms, |_, _, _| ())
    }

    /// The same, and shows each histogram before it is merged: its tag, its start in milliseconds since t = 0, itself.
    pub(crate) fn read_latency_and_see(
        &self,
        tags: &[&str],
        window_ms: Range<i64>,
        see: impl FnMut(&str, i64, &Histogram<u64>),
    ) -> Result<BTreeMap<String, Histogram<u64>>, ReportError> {
        self.read_log(|bytes| merge_hlog(bytes, tags, window_ms, see))
    }

    /// Reads the 99th percentile of a tag in each second from `latency.hlog`: the second's start in milliseconds
    /// since t = 0, and milliseconds.
    pub(crate) fn read_p99(&self, tag: &str) -> Result<BTreeMap<i64, f64>, ReportError> {
        let found = self.read_log(|bytes| quantiles(bytes, tag, 0.99))?;
        // The warm-up's first interval may begin within its second.
        Ok(found.into_iter().map(|(at, ns)| (at.div_euclid(1000) * 1000, ns as f64 / 1e6)).collect())
    }

    fn read_log<T>(&self, parse: impl FnOnce(&[u8]) -> Result<T, String>) -> Result<T, ReportError> {
        let path = self.path().join("latency.hlog");
        let bytes = read_file(&path, FileKind::Latency)?;
        parse(&bytes).map_err(|problem| ReportError::Hlog { path, problem })
    }
}
