//! Traces made of a known law: for tests of what is found in a trace, and for a first step without a trace of one's own.
//!
//! Written as they are drawn: a row is forgotten when it is written, and what is kept is a table of 8 bytes a key. Drawn by inversion of that
//! table, another way than the lab's own plan draws, so that one can be held against the other.

use std::io::{self, Write};
use std::time::Duration;

use strategies::rng::Rng;

const S_NS: u64 = 1_000_000_000;

/// What a trace is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceLaw {
    /// How many keys there are, at least 1. Key r is asked for in proportion to 1/r^exponent, and is called `key-r`.
    pub keys: u32,
    /// 0: all alike.
    pub exponent: f64,
    /// Requests a second, Poisson, above 0.
    pub per_s: f64,
    /// How many rows.
    pub rows: u64,
    /// The share of rows that write, 0 to 1.
    pub write_share: f64,
    /// TTLs; key r has the one at (r − 1) mod their number, and every row states it. None: no row states one.
    pub ttls: Vec<Duration>,
    /// Sizes in bytes, likewise.
    pub sizes: Vec<u32>,
    /// Whether times are whole seconds, as in an access log.
    pub whole_seconds: bool,
    /// The same seed makes the same bytes.
    pub seed: u64,
}

impl TraceLaw {
    /// Writes the trace as plain CSV with its header; times to the microsecond.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_csv(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "time_s,key,op,size,ttl_s")?;
        let table = self.table();
        let whole = table.last().copied().unwrap_or(1.0);
        let draws = Rng::new(self.seed);
        let mut at_ns = 0_u64;
        for _ in 0..self.rows {
            let drawn = draws.next_unit() * whole;
            let index = table.partition_point(|sum| *sum <= drawn).min(table.len() - 1);
            let op = if draws.next_unit() < self.write_share { "set" } else { "get" };
            write!(out, "{}", at_ns / S_NS)?;
            if !self.whole_seconds {
                write!(out, ".{:06}", at_ns % S_NS / 1000)?;
            }
            write!(out, ",key-{},{op},", index + 1)?;
            if let Some(size) = cycled(&self.sizes, index) {
                write!(out, "{size}")?;
            }
            match cycled(&self.ttls, index) {
                Some(ttl) => writeln!(out, ",{}.{:09}", ttl.as_secs(), ttl.subsec_nanos())?,
                None => writeln!(out, ",")?,
            }
            let gap_ns = -(1.0 - draws.next_unit()).ln() / self.per_s * S_NS as f64;
            at_ns = at_ns.saturating_add(gap_ns as u64);
        }
        Ok(())
    }

    /// Sums of the weights; at least one.
    fn table(&self) -> Vec<f64> {
        let mut sum = 0.0;
        let weights = (1..=self.keys.max(1)).map(|rank| f64::from(rank).powf(-self.exponent));
        weights
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect()
    }
}

/// The value of a key, if there are any.
fn cycled<T>(values: &[T], index: usize) -> Option<&T> {
    values.get(index % values.len().max(1))
}
