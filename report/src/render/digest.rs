//! What the charts need of one strategy's records, so that ledgers and events can be dropped before the next is read.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::files::error::ReportError;
use crate::files::folder::{RunFolder, StrategyFolder};
use crate::record::herds::{Herds, is_reason};
use crate::record::{BinRow, ContainerRow, EventRow, LabEvent, Run, ServerRow, ShardRow, Strategy};
use crate::render::heat::HeatCells;
use crate::text::phrases;
use crate::text::sentences::times_differ;

/// A herd chart begins this long before the expiry and ends this long after it, seconds.
pub(crate) const HERD_SPAN_S: (f64, f64) = (-0.2, 2.0);
/// Width of a bin of the herd chart, seconds.
pub(crate) const HERD_BIN_S: f64 = 0.02;
const HERD_BINS: usize = 110;

/// One strategy's records, boiled down.
pub(crate) struct Digest {
    /// `seconds.csv`.
    pub(crate) seconds: Vec<BinRow>,
    /// Expiries of the hot key, seconds since t = 0.
    pub(crate) expiries_s: Vec<f64>,
    /// Faults: seconds since t = 0, and what they were.
    pub(crate) faults: Vec<(f64, String)>,
    /// What follows an expiry.
    pub(crate) herd: MeanHerd,
    /// Response times (from the planned send) of the measured phase, nanoseconds.
    pub(crate) response: Option<Histogram<u64>>,
    /// The same times by second.
    pub(crate) heat: HeatCells,
    /// Service times (from the actual send) of the measured phase, nanoseconds; `None` in a closed loop.
    pub(crate) service: Option<Histogram<u64>>,
    /// 99th percentile of service time by second: its start, milliseconds since t = 0, and milliseconds; empty in a closed
    /// loop.
    pub(crate) service_p99: BTreeMap<i64, f64>,
    /// 99th percentile of schedule lag by second, as [`Digest::service_p99`].
    pub(crate) lag_p99: BTreeMap<i64, f64>,
    /// `containers.csv`; empty where the lab has none.
    pub(crate) containers: Vec<ContainerRow>,
    /// `cache.csv`; empty where nobody watched the cache's server.
    pub(crate) server: Vec<ServerRow>,
    /// `shards.csv`; empty where the cache is no cluster.
    pub(crate) shards: Vec<ShardRow>,
    /// Files that were not there, and should be.
    pub(crate) missing: Vec<&'static str>,
}

/// What the moments are on which a herd chart is aligned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Aligned {
    /// So many expiries of the hot key.
    Expiries(usize),
    /// The hot key never expired: so many first reads of a refresh.
    Refreshes(usize),
    /// No hot key: the first expiry of any key, at this second.
    FirstWave(f64),
    /// No hot key and no expiry: the first read of any key, at this second.
    FirstRead(f64),
    /// Nothing to align on.
    Nothing,
}

/// Mean origin reads a bin around the moments of [`Aligned`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MeanHerd {
    /// What the zero is.
    pub(crate) aligned: Aligned,
    /// Mean reads in each bin of [`HERD_BIN_S`], from [`HERD_SPAN_S`].
    pub(crate) bins: Vec<f64>,
}

impl Digest {
    /// Of the two files that a herd is drawn from one that was not there.
    pub(crate) fn herd_lacks(&self) -> Option<&'static str> {
        self.missing.iter().copied().find(|file| ["origin.csv", "events.jsonl"].contains(file))
    }

    /// The seconds that lie in the measured phase.
    pub(crate) fn measured<'d>(&'d self, run: &Run) -> impl Iterator<Item = &'d BinRow> + Clone + use<'d> {
        let to = (run.duration_s * 1000.0).ceil() as i64;
        self.seconds.iter().filter(move |row| row.start_ms >= 0 && row.start_ms < to)
    }

    /// Whether in any of these seconds the p99 from the actual send is another than that from the planned one.
    pub(crate) fn service_differs<'r>(&self, rows: impl Iterator<Item = &'r BinRow>) -> bool {
        let mut both = rows.filter_map(|row| Some((row.p99_ms?, *self.service_p99.get(&row.start_ms)?)));
        both.any(|(response, service)| times_differ(response, service))
    }

    /// Reads a strategy's folder. A file that is not there is noted; one that cannot be understood is an error.
    pub(crate) fn read(folder: &RunFolder, run: &Run, strategy: &Strategy) -> Result<Self, ReportError> {
        let files = folder.strategy(&strategy.folder)?;
        let mut missing = Vec::new();
        let seconds = or_missing(files.read_seconds(), "seconds.csv", &mut missing)?;
        let seen = Seen::read(&files, run, strategy, &mut missing)?;
        let measured_ms = 0..(run.duration_s * 1000.0).ceil() as i64;
        // In a closed loop both clocks start together, but for the generator's lag.
        let open = !phrases::closed_loop(run);
        let tags = if open { &["resp", "serv"][..] } else { &["resp"] };
        let mut heat = HeatCells::of_a_run(run.duration_s);
        let latency = files.read_latency_and_see(tags, measured_ms, |tag, start_ms, one| {
            if tag == "resp" {
                heat.count(start_ms, one);
            }
        });
        let mut latency = or_missing(latency, "latency.hlog", &mut missing)?;
        let service_p99 = if open && !latency.is_empty() { files.read_p99("serv")? } else { BTreeMap::new() };
        let lag_p99 = if latency.is_empty() { BTreeMap::new() } else { files.read_p99("lag")? };
        let mut times = |tag| latency.remove(tag).filter(|histogram| !histogram.is_empty());
        let mut digest = Self {
            herd: seen.herd,
            faults: seen.faults,
            response: times("resp"),
            heat,
            service: times("serv"),
            service_p99,
            lag_p99,
            containers: files.read_containers()?,
            server: files.read_server()?,
            shards: files.read_shards()?,
            seconds,
            expiries_s: seen.expiries_s,
            missing,
        };
        if digest.herd_lacks().is_some() {
            // Without events a key would seem never to expire, and without the ledger never to be read.
            digest.herd = MeanHerd::nothing();
        }
        Ok(digest)
    }
}

impl MeanHerd {
    fn nothing() -> Self {
        Self { aligned: Aligned::Nothing, bins: vec![0.0; HERD_BINS] }
    }

    /// Where the last bin with a read ends, seconds since the moment aligned on; `None` where no bin has one.
    pub(crate) fn end_s(&self) -> Option<f64> {
        let last = self.bins.iter().rposition(|reads| *reads > 0.0)?;
        Some(HERD_SPAN_S.0 + (last + 1) as f64 * HERD_BIN_S)
    }
}

/// What a walk through events and ledger leaves.
struct Seen {
    expiries_s: Vec<f64>,
    faults: Vec<(f64, String)>,
    herd: MeanHerd,
}

/// What a walk through the events leaves.
#[derive(Default)]
struct EventMarks {
    /// Expiries of the hot key, seconds.
    expiries_s: Vec<f64>,
    faults: Vec<(f64, String)>,
    /// The first expiry of any key in the measured phase, seconds.
    wave_s: Option<f64>,
    /// When there was a reason to read the hot key again, see [`Herds`].
    reasons: Vec<i64>,
}

impl EventMarks {
    fn take(&mut self, hot: Option<&str>, event: EventRow) {
        let at = seconds_of(event.t_ns);
        self.reasons.extend(hot.filter(|hot| is_reason(hot, &event)).map(|_| event.t_ns));
        match event.of_the_lab() {
            Some(LabEvent::Expiry) => {
                if hot.is_some() && event.key.as_deref() == hot {
                    self.expiries_s.push(at);
                }
                if event.t_ns >= 0 {
                    self.wave_s = Some(self.wave_s.map_or(at, |first| first.min(at)));
                }
            }
            Some(LabEvent::Fault | LabEvent::FaultOver) => {
                let what = event.detail.filter(|detail| !detail.is_empty());
                self.faults.push((at, what.unwrap_or_else(|| "fault".to_owned())));
            }
            _ => {}
        }
    }
}

impl Seen {
    fn read(
        files: &StrategyFolder,
        run: &Run,
        strategy: &Strategy,
        missing: &mut Vec<&'static str>,
    ) -> Result<Self, ReportError> {
        let hot = run.hot_key.as_deref();
        let mut marks = EventMarks::default();
        or_missing(files.each_event(&mut |event| marks.take(hot, event)), "events.jsonl", missing)?;
        marks.expiries_s.sort_by(f64::total_cmp);
        marks.faults.sort_by(|one, two| one.0.total_cmp(&two.0));
        let herd = match strategy.origin {
            Some(_) => {
                let herds = Herds::new(Some(std::mem::take(&mut marks.reasons)), run.clock_uncertainty_ns.unwrap_or(0));
                let herd = MeanHerd::find(files, hot, strategy.measured_s(run), &marks, herds);
                or_missing(herd.map(Some), "origin.csv", missing)?
            }
            None => None,
        };
        Ok(Self { herd: herd.unwrap_or_else(MeanHerd::nothing), faults: marks.faults, expiries_s: marks.expiries_s })
    }
}

impl MeanHerd {
    fn find(
        files: &StrategyFolder,
        hot: Option<&str>,
        measured_s: f64,
        marks: &EventMarks,
        mut herds: Herds,
    ) -> Result<Self, ReportError> {
        let whole = |at: &f64| at + HERD_SPAN_S.0 >= 0.0 && at + HERD_SPAN_S.1 <= measured_s;
        let (aligned, moments) = match hot {
            Some(_) if marks.expiries_s.iter().any(|at| (0.0..=measured_s).contains(at)) => {
                let expiries: Vec<f64> = apart(&marks.expiries_s, HERD_BIN_S).into_iter().filter(whole).collect();
                (Aligned::Expiries(expiries.len()), expiries)
            }
            Some(hot) => {
                files.each_origin(&mut |row| {
                    if row.key == hot {
                        herds.take_row(row);
                    }
                })?;
                let firsts = herds.so_far().into_iter().map(|herd| seconds_of(herd.from_ns));
                let refreshes: Vec<f64> = firsts.filter(whole).collect();
                (Aligned::Refreshes(refreshes.len()), refreshes)
            }
            None => match marks.wave_s {
                Some(wave) => (Aligned::FirstWave(wave), vec![wave]),
                None => first_read(files)?
                    .map_or((Aligned::Nothing, Vec::new()), |read| (Aligned::FirstRead(read), vec![read])),
            },
        };
        let mut reads = Vec::new();
        files.each_origin(&mut |row| {
            let at = seconds_of(row.arrived_ns);
            // Of many keys there are many reads, of which one moment's are drawn.
            let near = || moments.iter().any(|moment| (HERD_SPAN_S.0..=HERD_SPAN_S.1).contains(&(at - moment)));
            if hot.map_or_else(near, |hot| row.key == hot) {
                reads.push(at);
            }
        })?;
        if moments.is_empty() {
            return Ok(Self::nothing());
        }
        reads.sort_by(f64::total_cmp);
        Ok(Self { aligned, bins: mean_bins(&moments, &reads) })
    }
}

/// When the first read of the measured phase arrived, seconds.
fn first_read(files: &StrategyFolder) -> Result<Option<f64>, ReportError> {
    let mut first: Option<i64> = None;
    files.each_origin(&mut |row| {
        if row.arrived_ns >= 0 {
            first = Some(first.map_or(row.arrived_ns, |first| first.min(row.arrived_ns)));
        }
    })?;
    Ok(first.map(seconds_of))
}

/// Mean reads a bin around the moments; both are sorted.
fn mean_bins(moments: &[f64], reads: &[f64]) -> Vec<f64> {
    let mut bins = vec![0.0; HERD_BINS];
    for moment in moments {
        let from = reads.partition_point(|read| *read < moment + HERD_SPAN_S.0);
        for read in reads.iter().skip(from) {
            // A hair is added because 0.2 / 0.02 is a little less than ten.
            let bin = ((read - moment - HERD_SPAN_S.0) / HERD_BIN_S + 1e-6).floor() as usize;
            match bins.get_mut(bin) {
                Some(count) => *count += 1.0,
                None => break,
            }
        }
    }
    bins.iter().map(|count| count / moments.len() as f64).collect()
}

/// The times of a sorted list without those that follow a kept one within `gap`: replicas may tell of one expiry each.
fn apart(times: &[f64], gap: f64) -> Vec<f64> {
    let mut kept: Vec<f64> = Vec::new();
    for at in times {
        if kept.last().is_none_or(|last| at - last > gap) {
            kept.push(*at);
        }
    }
    kept
}

fn seconds_of(ns: i64) -> f64 {
    ns as f64 / 1e9
}

/// What was read; nothing and a note where the file is not there.
fn or_missing<T: Default>(
    read: Result<T, ReportError>,
    file: &'static str,
    missing: &mut Vec<&'static str>,
) -> Result<T, ReportError> {
    match read {
        Err(ReportError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            missing.push(file);
            Ok(T::default())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fall_into_the_bin_of_their_distance_to_the_expiry() {
        let bins = mean_bins(&[5.0, 10.0], &[4.7, 4.8, 5.0, 5.01, 5.02, 10.0, 12.1]);
        assert_eq!(bins[0], 0.5, "4.8 is the window's first moment");
        assert_eq!(bins[10], 1.5, "5.0, 5.01 and 10.0");
        assert_eq!(bins[11], 0.5);
        assert_eq!(bins.iter().sum::<f64>(), 2.5);
    }

    #[test]
    fn replicas_tell_of_one_expiry_each() {
        assert_eq!(apart(&[1.0, 1.001, 1.5], 0.02), [1.0, 1.5]);
    }
}
