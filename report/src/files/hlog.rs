//! `latency.hlog`: one HdrHistogram a second and tag, in the format of HdrHistogram's own log tools.
//!
//! Stamps of that format cannot be negative, but the warm-up comes before t = 0. So `StartTime` and `BaseTime` are the
//! wall time at which the warm-up began, stamps count from there, and a comment line of our own says where t = 0 is.
//! Values are nanoseconds. Tags: `resp`, `serv`, `lag`, `resp.hit`, `resp.stale`, `resp.wait`, `resp.load`.
//!
//! Checked by hand with `HistogramLogReader` of the Python package `hdrhistogram` 0.10.8: it reads the header's times, every
//! interval with its tag, and sane percentiles. That merged percentiles are exact is one of the crate's tests.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, IntervalLogWriterBuilder, LogEntry, Tag};

use crate::files::atomic::AtomicFile;
use crate::files::error::{ReportError, io_error};
use crate::files::packed;
use crate::record::bounds::NumberBound;

/// The comment line that says where t = 0 is; [`read_hlog`] looks for it.
const ZERO_MARK: &str = "#[stampede t0_offset_ms: ";

/// What the head of a log says about time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HlogHeader {
    /// Wall time at which the warm-up began (the measured phase, where there is none).
    pub warmup_began: SystemTime,
    /// How long after that t = 0 came, milliseconds.
    pub t0_offset_ms: u64,
}

/// Writes the lines of one log.
pub struct HlogWriter<W> {
    out: W,
    serializer: V2DeflateSerializer,
    t0_offset_ms: u64,
}

impl<W: Write> HlogWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    ///
    /// Whatever `out` says.
    pub fn begin(mut out: W, header: HlogHeader) -> io::Result<Self> {
        let mut serializer = V2DeflateSerializer::new();
        let offset = header.t0_offset_ms;
        IntervalLogWriterBuilder::new()
            .add_comment("[Histogram log format version 1.3]")
            .add_comment("[stampede lab: values are nanoseconds; tags resp, serv, lag, resp.hit, resp.stale, resp.wait, resp.load]")
            .add_comment(&format!(
                "{}{offset} (t = 0, the start of the measured phase, is {}.{:03} s after StartTime; before it is the warm-up)]",
                &ZERO_MARK[1..],
                offset / 1000,
                offset % 1000
            ))
            .with_start_time(header.warmup_began)
            .with_base_time(header.warmup_began)
            .begin_log_with(&mut out, &mut serializer)?;
        out.write_all(b"\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n")?;
        Ok(Self { out, serializer, t0_offset_ms: offset })
    }

    /// Writes one interval: it starts `start_ms` after t = 0 (negative in the warm-up) and holds nanoseconds.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a start before the header's `warmup_began` and for a tag with a comma, a space or a line break
    /// in it; otherwise whatever the writer says.
    pub fn write(
        &mut self,
        start_ms: i64,
        duration: Duration,
        tag: &str,
        histogram: &Histogram<u64>,
    ) -> io::Result<()> {
        let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidInput, text);
        let stamp = start_ms.checked_add_unsigned(self.t0_offset_ms).and_then(|stamp| u64::try_from(stamp).ok());
        let stamp = stamp.ok_or_else(|| {
            invalid(format!(
                "an interval of latency.hlog starts {start_ms} ms after t = 0, but the log begins {} ms before t = 0; make \
                 t0_offset_ms at least as long as the warm-up",
                self.t0_offset_ms
            ))
        })?;
        let tag = Tag::new(tag).ok_or_else(|| {
            invalid(format!("the tag {tag:?} has a comma, a space or a line break, which an hlog cannot hold"))
        })?;
        // A builder without settings writes no header, so each line may have a writer of its own.
        IntervalLogWriterBuilder::new()
            .begin_log_with(&mut self.out, &mut self.serializer)?
            .write_histogram(histogram, Duration::from_millis(stamp), duration, Some(tag))
            .map_err(|error| io::Error::other(error.to_string()))
    }
}

impl HlogWriter<AtomicFile> {
    /// Writes one interval of a second, see [`HlogWriter::write`].
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`] with the file's name.
    pub fn second(&mut self, start_ms: i64, tag: &str, histogram: &Histogram<u64>) -> Result<(), ReportError> {
        let written = self.write(start_ms, Duration::from_secs(1), tag, histogram);
        written.map_err(io_error("write", self.out.path()))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn commit(self) -> Result<(), ReportError> {
        self.out.commit()
    }
}

/// What the head of a log says about time; `None` where it does not say so.
#[must_use]
pub fn read_hlog_header(head: &str) -> Option<HlogHeader> {
    let after = |mark: &str| head.lines().find_map(|line| line.strip_prefix(mark));
    let seconds = after("#[StartTime: ")?.split(' ').next()?.parse().ok()?;
    let offset = after(ZERO_MARK)?.split(' ').next()?.parse().ok()?;
    let began = Duration::try_from_secs_f64(seconds).ok()?;
    Some(HlogHeader { warmup_began: SystemTime::UNIX_EPOCH.checked_add(began)?, t0_offset_ms: offset })
}

/// The histograms of a log merged, one for each of `tags`, over the intervals that start within `window_ms` since t = 0.
/// A tag without an interval in the window is absent. Values are nanoseconds.
///
/// # Errors
///
/// What is wrong with the text, as a sentence: no line that says where t = 0 is, a line that cannot be parsed, a
/// histogram that cannot be decoded.
pub fn read_hlog(
    bytes: &[u8],
    tags: &[&str],
    window_ms: Range<i64>,
) -> Result<BTreeMap<String, Histogram<u64>>, String> {
    merge_hlog(bytes, tags, window_ms, |_, _, _| ())
}

/// The same, and shows each histogram before it is merged: its tag, its start in milliseconds since t = 0, itself.
///
/// # Errors
///
/// As [`read_hlog`]; what was shown until then is not the whole.
pub(crate) fn merge_hlog(
    bytes: &[u8],
    tags: &[&str],
    window_ms: Range<i64>,
    mut see: impl FnMut(&str, i64, &Histogram<u64>),
) -> Result<BTreeMap<String, Histogram<u64>>, String> {
    let mut merged = BTreeMap::new();
    each_interval(bytes, tags, window_ms, |tag, start_ms, one| {
        see(tag, start_ms, one);
        add(&mut merged, tag, one)
    })?;
    Ok(merged)
}

/// A percentile (0 to 1) of each interval of one tag: when it starts, milliseconds since t = 0, and nanoseconds.
///
/// # Errors
///
/// As [`read_hlog`].
pub(crate) fn quantiles(bytes: &[u8], tag: &str, quantile: f64) -> Result<BTreeMap<i64, u64>, String> {
    let mut found = BTreeMap::new();
    each_interval(bytes, &[tag], i64::MIN..i64::MAX, |_, start_ms, one| {
        if !one.is_empty() {
            found.insert(start_ms, one.value_at_quantile(quantile).min(one.max()));
        }
        Ok(())
    })?;
    Ok(found)
}

/// Shows each histogram of `tags` that starts within `window_ms`, with its tag and its start in milliseconds since t = 0.
fn each_interval(
    bytes: &[u8],
    tags: &[&str],
    window_ms: Range<i64>,
    mut see: impl FnMut(&str, i64, &Histogram<u64>) -> Result<(), String>,
) -> Result<(), String> {
    let offset_ms = zero_offset(bytes).ok_or_else(|| {
        format!("no line \"{ZERO_MARK}…]\" says where t = 0 is, so warm-up and measured phase cannot be told apart; was it written by this lab?")
    })?;
    // Line by line: the library looks for the end of a number in the whole of what it is given.
    for (at, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let said = |problem: &str| format!("line {}: {problem}; the file was cut or edited", at + 1);
        for entry in IntervalLogIterator::new(line) {
            let entry = entry.map_err(|error| said(&format!("not a line of an HdrHistogram log ({error:?})")))?;
            let LogEntry::Interval(interval) = entry else { continue };
            let tag = interval.tag().map_or("", |tag| tag.as_str());
            let start_ms = i64::try_from(interval.start_timestamp().as_millis()).unwrap_or(i64::MAX);
            let start_ms = start_ms.saturating_sub(offset_ms);
            NumberBound::of(["start_ms"].into_iter())
                .check_whole(start_ms.into())
                .map_err(|problem| said(&format!("an interval's start: {problem}")))?;
            if tags.contains(&tag) && window_ms.contains(&start_ms) {
                packed::histogram(interval.encoded_histogram()).and_then(|one| see(tag, start_ms, &one)).map_err(
                    |problem| {
                        said(&format!("the histogram of tag {tag:?} at {start_ms} ms cannot be decoded ({problem})"))
                    },
                )?;
            }
        }
    }
    Ok(())
}

fn add(merged: &mut BTreeMap<String, Histogram<u64>>, tag: &str, one: &Histogram<u64>) -> Result<(), String> {
    match merged.get_mut(tag) {
        Some(sum) => sum.add(one).map_err(|error| error.to_string()),
        None => {
            let mut sum = Histogram::new(one.sigfig()).map_err(|error| error.to_string())?;
            sum.add(one).map_err(|error| error.to_string())?;
            merged.insert(tag.to_owned(), sum);
            Ok(())
        }
    }
}

fn zero_offset(bytes: &[u8]) -> Option<i64> {
    let lines = bytes.split(|byte| *byte == b'\n').take_while(|line| line.starts_with(b"#"));
    let text = lines.filter_map(|line| std::str::from_utf8(line).ok()).find_map(|line| line.strip_prefix(ZERO_MARK))?;
    text.split([' ', ']']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_stand_at_the_start_of_their_intervals() {
        let mut log = Vec::new();
        let header = HlogHeader { warmup_began: SystemTime::UNIX_EPOCH, t0_offset_ms: 2000 };
        let mut writer = HlogWriter::begin(&mut log, header).unwrap();
        for (start_ms, worst) in [(-2000, 5_000_000), (0, 7_000_000), (1000, 1_400_000_000_u64)] {
            let mut one = Histogram::<u64>::new(3).unwrap();
            one.record_n(1_000_000, 98).unwrap();
            one.record_n(worst, 2).unwrap();
            writer.write(start_ms, Duration::from_secs(1), "serv", &one).unwrap();
            writer.write(start_ms, Duration::from_secs(1), "resp", &Histogram::new(3).unwrap()).unwrap();
        }
        let found = quantiles(&log, "serv", 0.99).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), [&-2000, &0, &1000], "the warm-up too");
        for (at, worst) in [(-2000, 5_000_000.0), (0, 7_000_000.0), (1000, 1_400_000_000.0)] {
            assert!((found[&at] as f64 / worst - 1.0).abs() < 0.001, "{at}: {}", found[&at]);
        }
        assert_eq!(quantiles(&log, "resp", 0.99).unwrap(), BTreeMap::new(), "nothing was recorded");
    }
}
