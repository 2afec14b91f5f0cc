//! One pass over a trace.

use std::cmp::Reverse;
use std::time::Duration;

use super::amounts::{AmountMeter, TtlMeter};
use super::found::{OpCounts, SummaryOptions, TopKey, TraceSummary};
use super::top::TopNames;
use super::zipf::ZipfFit;
use crate::error::TraceError;
use crate::forecast::{HerdReplay, KeyLoad, TraceLoad};
use crate::numbers::KeyNumbers;
use crate::rate::{PeakMeter, RateMeter};
use crate::reader::TraceReader;
use crate::row::{TraceOp, TraceRow};

/// The longest list of keys.
const TOP_MAX: usize = 1000;

/// Rows of a key.
#[derive(Debug, Clone, Copy, Default)]
struct KeyRows {
    all: u32,
    reads: u32,
}

/// What is gathered on the way.
struct Gathered {
    numbers: KeyNumbers,
    /// By number, from 1 on.
    rows: Vec<KeyRows>,
    names: TopNames,
    rate: RateMeter,
    peak: PeakMeter,
    ops: OpCounts,
    sizes: AmountMeter,
    ttls: AmountMeter,
    common_ttls: TtlMeter,
    herds: Option<HerdReplay>,
    /// The first and the last moment.
    span_ns: Option<(u64, u64)>,
}

/// Reads a trace to its end and says what it is like. To go on from where a reader stands is allowed: then it is of the rest.
///
/// # Errors
/// Those of [`TraceReader::next_row`]; [`TraceError::TooManyKeys`]; a question for herds that is out of range.
pub fn summarise(reader: &mut TraceReader, options: &SummaryOptions) -> Result<TraceSummary, TraceError> {
    if options.top > TOP_MAX {
        let found = options.top.to_string();
        return Err(TraceError::Setting { what: "top", found, allowed: "at most 1000" });
    }
    let mut gathered = Gathered::new(options)?;
    while let Some(row) = reader.next_row()? {
        gathered.add(row)?;
    }
    Ok(gathered.summary(reader, options))
}

impl Gathered {
    fn new(options: &SummaryOptions) -> Result<Self, TraceError> {
        Ok(Self {
            numbers: KeyNumbers::new(options.keys_max),
            rows: Vec::new(),
            names: TopNames::new(options.top),
            rate: RateMeter::new(),
            peak: PeakMeter::default(),
            ops: OpCounts::default(),
            sizes: AmountMeter::new(),
            ttls: AmountMeter::new(),
            common_ttls: TtlMeter::default(),
            herds: options.herds.map(HerdReplay::new).transpose()?,
            span_ns: None,
        })
    }

    fn add(&mut self, row: TraceRow) -> Result<(), TraceError> {
        let number = self.numbers.number(row.key)?;
        let index = number as usize - 1;
        if index == self.rows.len() {
            self.rows.push(KeyRows::default());
        }
        let rows = &mut self.rows[index];
        rows.all = rows.all.saturating_add(1);
        rows.reads = rows.reads.saturating_add(u32::from(row.op == TraceOp::Read));
        if let Some(name) = row.name {
            let count = rows.all;
            self.names.add(number, name, count, |other| self.rows[other as usize - 1].all);
        }
        let first_ns = self.span_ns.map_or(row.at_ns, |(first, _)| first);
        self.span_ns = Some((first_ns, row.at_ns));
        self.rate.add(row.at_ns);
        self.peak.add(row.at_ns);
        self.ops.add(row.op, row.failed);
        self.sizes.add(row.size.map(u64::from));
        self.ttls.add(row.ttl.map(|ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)));
        if let Some(ttl) = row.ttl {
            self.common_ttls.add(ttl);
        }
        if let Some(herds) = &mut self.herds {
            herds.add(number, row.at_ns, row.op, row.ttl);
        }
        Ok(())
    }

    fn summary(mut self, reader: &TraceReader, options: &SummaryOptions) -> TraceSummary {
        let (first_ns, last_ns) = self.span_ns.unwrap_or_default();
        let duration = Duration::from_nanos(last_ns - first_ns);
        let per_s = |rows: f64| (!duration.is_zero()).then(|| rows / duration.as_secs_f64());
        let mut counts: Vec<u32> = self.rows.iter().map(|rows| rows.all).collect();
        counts.sort_unstable_by_key(|count| Reverse(*count));
        let top = self.top(options.top, per_s);
        let load = TraceLoad { duration, reads: self.ops.reads, distinct: self.numbers.distinct() };
        let of = |key: &TopKey| KeyLoad { number: key.number, key: key.key, name: key.name.clone(), reads: key.reads };
        let herds = self.herds.take().map(|herds| herds.forecast(load, top.iter().map(of)));
        TraceSummary {
            format: reader.format(),
            spread_seconds: reader.spreads_seconds(),
            read: reader.counts(),
            duration,
            mean_per_s: per_s((self.ops.all() as f64 - 1.0).max(0.0)),
            rate: self.rate.series(),
            peak: self.peak.peak(),
            distinct_keys: self.numbers.distinct(),
            keys_once: counts.iter().rev().take_while(|count| **count == 1).count() as u32,
            ops: self.ops,
            sizes: self.sizes.amounts(),
            ttls: self.ttls.amounts(),
            common_ttls: self.common_ttls.common(),
            zipf: ZipfFit::of(&counts),
            top,
            herds,
        }
    }

    /// The keys with the most rows; of those with as many the one that came first.
    fn top(&mut self, size: usize, per_s: impl Fn(f64) -> Option<f64>) -> Vec<TopKey> {
        let mut order: Vec<u32> = (1..=self.numbers.distinct()).collect();
        let by = |number: &u32| (Reverse(self.rows[*number as usize - 1].all), *number);
        if size > 0 && order.len() > size {
            order.select_nth_unstable_by_key(size - 1, by);
        }
        order.truncate(size);
        order.sort_unstable_by_key(by);
        let all = self.ops.all().max(1) as f64;
        let mut top = Vec::new();
        for number in order {
            let (rows, Some(key)) = (self.rows[number as usize - 1], self.numbers.key(number)) else { continue };
            top.push(TopKey {
                number,
                key,
                name: self.names.take(number),
                rows: rows.all,
                reads: rows.reads,
                share: f64::from(rows.all) / all,
                per_s: per_s(f64::from(rows.all)),
            });
        }
        top
    }
}
